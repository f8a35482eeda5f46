// SPDX-License-Identifier: Apache-2.0
// The server's end of the journal: who is told what of whose streams, and who may write where.
#include "node/journal_private.h"
#include "test/unit/node/chain_fixture.h"

#include <stdio.h>
#include <string.h>

static struct chain c;
static struct err e;
static struct arena arena;

static void begin(void)
{
    chain_open(&c);
    arena_fini(&arena);
    arena_init(&arena, 64 * 1024 * 1024);
}

static void end(void)
{
    chain_close(&c);
}

// A device of the chain: the till itself, or another one of the same place with a key of its own.
struct peer {
    struct sign_key key;
    struct uuid device;
};

static struct peer the_till(void)
{
    const struct identity *who = journal_identity(c.till);
    return (struct peer){who->key, who->device};
}

static struct peer till_at(const char *location)
{
    struct peer p = {.device = {{2, 7}}};
    uint8_t seed[SIGN_SEED_SIZE] = {99};
    char body[256], key[HASH_TEXT_SIZE], device[UUID_TEXT_SIZE];
    p.device.b[6] = 0x70;
    p.device.b[8] = 0x80;
    sign_key_from_seed(seed, &p.key);
    str_to_hex(key, p.key.public_key.b, sizeof p.key.public_key.b);
    uuid_format(&p.device, device);
    (void)snprintf(body, sizeof body, "{\"role\":\"terminal\",\"location\":\"%s\",\"key\":\"%s\"}",
                   location, key);
    chain_add_alone(c.centre, "device_enrolled", device, body);
    return p;
}

static struct peer another_till(void)
{
    return till_at("BR01");
}

// ---- hello ------------------------------------------------------------------------------------

static const uint8_t nonce[CHALLENGE_SIZE] = {1};

static struct message_hello hello_of(const struct peer *p, struct message_stream *streams,
                                     size_t count)
{
    struct message_hello m = {.chain = journal_identity(c.centre)->chain,
                              .device = p->device,
                              .run = {{3}},
                              .location = STR("BR01"),
                              .streams = streams,
                              .count = count};
    m.proof = stream_proof_make(&p->key, &m.chain, &m.device, &m.run, nonce);
    return m;
}

static struct downlink_identity identify(const struct message_hello *m)
{
    struct downlink_identity identity;
    assert_int_equal(journal_begin(c.centre, &e), ERR_OK);
    struct journal_hello hello = {m, nonce};
    if (journal_identify(c.centre, &hello, &arena, &identity, &e))
        fail_msg("%s", err_message(&e));
    assert_int_equal(journal_commit(c.centre, &e), ERR_OK);
    return identity;
}

static struct message_stream head_of(enum lane lane)
{
    const struct run *run = &c.till->runs[0];
    return (struct message_stream){
        {run->origin, lane}, run->heads[lane], .certificate = run->certificate};
}

// ---- push -------------------------------------------------------------------------------------

static struct downlink_stored receive(const struct peer *p, const struct message_push *push)
{
    struct message m = {.kind = MESSAGE_PUSH, .push = *push};
    struct downlink_stored stored;
    struct intake_sender sender = {journal_identity(c.centre)->chain, p->device, STR("BR01"),
                                   p->key.public_key};
    struct buf text;
    buf_init(&text, MESSAGE_MAX_BYTES);
    assert_int_equal(message_encode(&m, &text), ERR_OK);
    assert_int_equal(journal_begin(c.centre, &e), ERR_OK);
    if (journal_receive(c.centre, &sender, arena_copy(&arena, buf_str(&text)), &arena, &stored, &e))
        fail_msg("%s", err_message(&e));
    assert_int_equal(journal_commit(c.centre, &e), ERR_OK);
    buf_fini(&text);
    return stored;
}

// What the till wrote in a lane, as 'p' would push it: certified and sealed by it.
static struct message_push push_of(const struct peer *p, enum lane lane)
{
    const struct run *run = &c.till->runs[0];
    const struct uuid *chain = &journal_identity(c.centre)->chain;
    struct stream_key key = {run->origin, lane};
    struct store_event_list list = {0};
    struct store_page page = {LIMIT_BATCH_EVENTS, LIMIT_BATCH_BYTES, &arena};
    assert_int_equal(store_read_stream(journal_store(c.till), &key, 0, &page, &list, &e), ERR_OK);
    struct message_push push = {.key = key, .from = 1, .device = p->device, .count = list.count};
    push.events = arena_alloc(&arena, (list.count + 1) * sizeof *push.events);
    struct mark head = {0};
    for (size_t i = 0; i < list.count; i++) {
        push.events[i] = list.items[i].bytes;
        head = mark_next(&head, push.events[i]);
    }
    push.head = head.hash;
    push.seal = seal_make(&p->key, chain, &key, &head).signature;
    push.certificate =
        certificate_make(&p->key, chain, &run->origin, &p->device, STR("BR01")).signature;
    return push;
}

static void push_till(void)
{
    struct peer till = the_till();
    struct message_push push = push_of(&till, LANE_CRITICAL);
    struct downlink_stored stored = receive(&till, &push);
    assert_int_equal(stored.mark.settled, push.count);
}

// ---- tests ------------------------------------------------------------------------------------

TEST(journal__tells_marks_to_devices_of_the_stream_s_place_and_to_no_other)
{
    begin();
    chain_waste(c.till, "milk", 1);
    push_till();
    struct peer till = the_till(), neighbour = another_till();
    struct message_stream stream = head_of(LANE_CRITICAL);
    struct message_hello hello = hello_of(&till, &stream, 1);
    struct downlink_identity told = identify(&hello);
    assert_false(told.refused);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.marks[0].held.seq, 2);
    struct message_hello carrying = hello_of(&neighbour, &stream, 1);
    told = identify(&carrying);
    assert_false(told.refused);
    assert_int_equal(told.marks[0].held.seq, 2);
    end();
    begin();
    chain_waste(c.till, "milk", 1);
    push_till();
    struct peer spy = till_at("BR02");
    stream = head_of(LANE_CRITICAL);
    struct message_hello spying = hello_of(&spy, &stream, 1);
    spying.location = STR("BR02");
    told = identify(&spying);
    assert_true(told.refused);
    assert_int_equal(told.count, 0);
    stream.key.lane = LANE_DEFERRED; // a lane of the same run that nothing is held of
    spying = hello_of(&spy, &stream, 1);
    spying.location = STR("BR02");
    assert_true(identify(&spying).refused);
    end();
}

TEST(journal__looks_nothing_up_for_who_is_not_believed)
{
    begin();
    chain_waste(c.till, "milk", 1);
    push_till();
    struct peer till = the_till(), other = another_till();
    struct message_stream stream = head_of(LANE_CRITICAL);
    struct message_hello forged = hello_of(&till, &stream, 1);
    forged.proof = stream_proof_make(&other.key, &forged.chain, &forged.device, &forged.run, nonce);
    struct downlink_identity told = identify(&forged);
    assert_int_equal(told.count, 0);
    assert_true(uuid_is_zero(&told.feeds[0].feed));
    struct message_hello elsewhere = hello_of(&till, &stream, 1);
    elsewhere.location = STR("BR02");
    assert_int_equal(identify(&elsewhere).count, 0);
    end();
}

TEST(journal__a_hash_that_is_not_here_any_more_fails_no_hello)
{
    begin();
    chain_waste(c.till, "milk", 1);
    push_till();
    struct message_stream stream = head_of(LANE_CRITICAL);
    chain_waste(c.till, "milk", 1);
    push_till();
    journal_close(c.centre);
    (void)chain_sql(&c.centre_config, "DELETE FROM events WHERE seq = 2 AND stream ="
                                      " (SELECT number FROM streams WHERE own = 0 LIMIT 1)");
    c.centre = chain_journal(&c.centre_config);
    struct peer till = the_till();
    struct message_hello hello = hello_of(&till, &stream, 1);
    struct downlink_identity told = identify(&hello);
    assert_false(told.refused);
    assert_false(told.marks[0].fork);
    assert_int_equal(told.marks[0].held.seq, 3);
    end();
}

TEST(journal__takes_every_lane_of_an_origin_from_one_device_only)
{
    begin();
    chain_waste(c.till, "milk", 1);
    push_till();
    struct peer till = the_till(), other = another_till();
    struct message_push push = push_of(&other, LANE_CRITICAL);
    push.key.lane = LANE_DEFERRED; // nothing of this lane is known yet
    struct mark head = {push.count, push.head};
    const struct uuid *chain = &journal_identity(c.centre)->chain;
    push.seal = seal_make(&other.key, chain, &push.key, &head).signature;
    assert_true(receive(&other, &push).denied);
    struct message_push own = push;
    own.device = till.device;
    own.certificate =
        certificate_make(&till.key, chain, &own.key.origin, &till.device, STR("BR01")).signature;
    own.seal = seal_make(&till.key, chain, &own.key, &head).signature;
    assert_false(receive(&till, &own).denied);
    end();
}

// ---- carriers ---------------------------------------------------------------------------------

TEST(journal__takes_from_a_neighbour_what_the_till_signed_and_nothing_else)
{
    begin();
    chain_waste(c.till, "milk", 1);
    struct peer till = the_till(), neighbour = another_till();
    struct message_push push = push_of(&till, LANE_CRITICAL);
    struct message_push forged = push_of(&neighbour, LANE_CRITICAL);
    forged.device = till.device;
    assert_true(receive(&neighbour, &forged).denied); // the certificate is not the till's
    forged.certificate = push.certificate;
    struct downlink_stored stored = receive(&neighbour, &forged);
    assert_false(stored.denied);
    assert_int_equal(stored.mark.held.seq, 0); // the seal is not
    assert_int_equal(chain_stock(c.centre, "milk"), 0);
    stored = receive(&neighbour, &push);
    assert_false(stored.denied);
    assert_int_equal(stored.mark.settled, push.count);
    assert_int_equal(chain_stock(c.centre, "milk"), -1);
    stored = receive(&till, &push); // it comes by itself as well
    assert_int_equal(stored.mark.settled, push.count);
    assert_int_equal(chain_stock(c.centre, "milk"), -1);
    struct stream_info info;
    assert_int_equal(store_stream_find(journal_store(c.centre), &push.key, &info), ERR_OK);
    assert_true(uuid_equal(&info.device, &till.device));
    end();
}
