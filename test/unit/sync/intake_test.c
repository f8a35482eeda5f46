// SPDX-License-Identifier: Apache-2.0
#include "sync/intake.h"
#include "test/unit/sync/sample.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A stream of LENGTH events of the sample's device, and a receiver that holds a part of it.
enum { LENGTH = 6 };

struct receiver {
    struct intake_stream stream;
    struct hash chain[LENGTH + 1]; // by seq
    uint64_t pruned;               // hashes up to here are gone
    enum err_code find_fails, chain_fails, key_fails;
};

static struct receiver receiver;
static struct intake_sender sender;
static struct run run; // whose stream it is
static struct arena arena;
static struct str events[LENGTH];
static struct hash chain[LENGTH + 1];
static struct intake_result result;
static struct err e;

static enum err_code find_stream(void *context, const struct stream_key *key,
                                 struct intake_stream *ret)
{
    struct receiver *r = context;
    assert_true(uuid_equal(&key->origin, &run.origin));
    *ret = r->stream;
    return r->find_fails;
}

static enum err_code chain_at(void *context, const struct stream_key *key, uint64_t seq,
                              struct hash *ret)
{
    struct receiver *r = context;
    (void)key;
    if (r->chain_fails) {
        return r->chain_fails;
    }
    if (seq > r->stream.held.seq || seq <= r->pruned) {
        return ERR_NOT_FOUND;
    }
    *ret = r->chain[seq];
    return ERR_OK;
}

static enum err_code find_key(void *context, const struct uuid *device, struct sign_public *ret)
{
    struct receiver *r = context;
    if (r->key_fails) {
        return r->key_fails;
    }
    *ret = sample()->key.public_key;
    return uuid_equal(device, &sample()->device) ? ERR_OK : ERR_NOT_FOUND;
}

static struct intake_io io = {&receiver, find_stream, chain_at, find_key, true};

// Writes event i (from 0) of the run; 'change' may spoil its envelope.
static void write_event(int i, void (*change)(struct event *ev))
{
    struct event ev;
    struct buf text;
    assert_int_equal(event_parse(sample()->events[2], &arena, &ev, &e), ERR_OK);
    ev.id = sample_id(5, (uint32_t)(100 + i));
    ev.origin = run.origin;
    ev.seq = (uint64_t)i + 1;
    if (change) {
        change(&ev);
    }
    buf_init(&text, LIMIT_EVENT_BYTES);
    assert_int_equal(event_write(&ev, &text), ERR_OK);
    events[i] = arena_copy(&arena, buf_str(&text));
    buf_fini(&text);
}

static void chain_events(void)
{
    for (int i = 0; i < LENGTH; i++) {
        chain[i + 1] = hash_chain(&chain[i], events[i]);
    }
}

static void begin(void)
{
    const struct sample *s = sample();
    struct run_identity who = {&s->key, s->chain, s->device, STR("Hamra")};
    struct uuid id = sample_id(3, 5);
    struct uuid origin = sample_id(4, 5);
    arena_fini(&arena);
    arena_init(&arena, 64 << 20);
    memset(&receiver, 0, sizeof receiver);
    memset(&e, 0, sizeof e);
    run_begin(&run, &who, &id, &origin, 0, 0);
    sender = (struct intake_sender){s->chain, s->device, STR("Hamra"), s->key.public_key};
    for (int i = 0; i < LENGTH; i++) {
        write_event(i, NULL);
    }
    chain_events();
}

// The receiver holds the first n events of the stream, as they are now.
static void holds(uint64_t n, uint64_t settled)
{
    receiver.stream.known = true;
    receiver.stream.held = (struct mark){n, chain[n]};
    receiver.stream.settled = settled;
    receiver.stream.device = sample()->device;
    assert_int_equal(
        str_copy(receiver.stream.location, sizeof receiver.stream.location, STR("Hamra")), ERR_OK);
    memcpy(receiver.chain, chain, sizeof chain);
}

static struct message_push push_of(uint64_t from, uint64_t to)
{
    struct stream_key key = {run.origin, LANE_CRITICAL};
    struct mark head = {to, chain[to]};
    return (struct message_push){
        .key = key,
        .from = from,
        .head = chain[to],
        .seal = seal_make(&sample()->key, &sample()->chain, &key, &head).signature,
        .certificate = run.certificate.signature,
        .device = sample()->device,
        .events = &events[from - 1],
        .count = (size_t)(to - from + 1)};
}

static void checks(const struct message_push *push, enum intake_outcome outcome)
{
    enum err_code code = intake_check(&io, &sender, push, &arena, &result, &e);
    if (code != ERR_OK) {
        fail_msg("%s", e.text);
    }
    assert_int_equal(result.outcome, outcome);
    bool refused = outcome != INTAKE_APPEND && outcome != INTAKE_DUPLICATE;
    if (refused) { // nothing moves
        assert_int_equal(result.count, 0);
        assert_true(mark_equal(&result.held, &receiver.stream.held));
        assert_int_equal(result.settled, receiver.stream.settled);
    }
    bool explained = refused && outcome != INTAKE_GAP;
    assert_int_equal(result.reason[0] != '\0', explained);
}

// ---- append ----------------------------------------------------------------------------------

TEST(intake__appends_the_first_push_of_a_certified_stream)
{
    begin();
    struct message_push push = push_of(1, 3);
    checks(&push, INTAKE_APPEND);
    assert_int_equal(result.count, 3);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(result.events[i].seq, i + 1);
        assert_true(hash_equal(&result.events[i].chain, &chain[i + 1]));
        assert_true(result.events[i].envelope);
        assert_null(result.events[i].dead);
        assert_ptr_equal(result.events[i].bytes.p, events[i].p);
    }
    assert_int_equal(result.held.seq, 3);
    assert_true(hash_equal(&result.held.hash, &chain[3]));
    assert_int_equal(result.settled, 3);
    assert_int_equal(result.want, 0);
    assert_true(certificate_verify(&result.certificate, &sender.chain, &sender.key));
    assert_string_equal(result.stream.location, "Hamra");
    assert_true(uuid_equal(&result.stream.device, &sender.device));
    assert_true(seal_verify(&result.seal, &sender.chain, &sender.key));
}

TEST(intake__appends_behind_what_it_holds)
{
    begin();
    holds(2, 2);
    struct message_push push = push_of(3, 6);
    checks(&push, INTAKE_APPEND);
    assert_int_equal(result.count, 4);
    assert_int_equal(result.events[0].seq, 3);
    assert_int_equal(result.held.seq, 6);
    assert_int_equal(result.settled, 6);
}

TEST(intake__skips_what_it_holds_of_every_overlap)
{
    for (uint64_t held = 1; held <= LENGTH; held++) {
        for (uint64_t from = 1; from <= held + 1 && from <= LENGTH; from++) {
            for (uint64_t to = from; to <= LENGTH; to++) {
                begin();
                holds(held, 0);
                struct message_push push = push_of(from, to);
                checks(&push, to > held ? INTAKE_APPEND : INTAKE_DUPLICATE);
                uint64_t after = to > held ? to : held;
                assert_int_equal(result.held.seq, after);
                assert_true(hash_equal(&result.held.hash, &chain[after]));
                assert_int_equal(result.count, after - held);
                assert_int_equal(result.settled, to); // the seal covers the push's head
                if (result.count) {
                    assert_int_equal(result.events[0].seq, held + 1);
                    assert_true(hash_equal(&result.events[0].chain, &chain[held + 1]));
                }
            }
        }
    }
}

TEST(intake__never_unsettles)
{
    begin();
    holds(6, 6);
    struct message_push push = push_of(1, 2);
    checks(&push, INTAKE_DUPLICATE);
    assert_int_equal(result.settled, 6);
    struct message_mark mark = intake_mark(&push, &result);
    assert_int_equal(mark.held.seq, 6);
    assert_int_equal(mark.settled, 6);
}

// ---- gaps ------------------------------------------------------------------------------------

TEST(intake__asks_for_what_is_missing)
{
    begin();
    holds(2, 2);
    struct message_push push = push_of(4, 5);
    checks(&push, INTAKE_GAP);
    assert_int_equal(result.want, 3);
    struct message_mark mark = intake_mark(&push, &result);
    assert_int_equal(mark.want, 3);
    assert_int_equal(mark.held.seq, 2);
    assert_false(mark.fork);
}

TEST(intake__asks_for_the_beginning_of_an_unknown_stream)
{
    begin();
    struct message_push push = push_of(2, 3);
    checks(&push, INTAKE_GAP);
    assert_int_equal(result.want, 1);
}

TEST(intake__goes_on_from_its_mark_where_hashes_below_were_pruned)
{
    begin();
    holds(5, 5);
    receiver.pruned = 4;
    struct message_push before = push_of(3, 6); // the hash at 2 is gone
    checks(&before, INTAKE_GAP);
    assert_int_equal(result.want, 6);
    struct message_push within = push_of(1, 3); // the hash at 3 is gone
    checks(&within, INTAKE_GAP);
    assert_int_equal(result.want, 6);
    struct message_push whole = push_of(1, 6); // what is held is compared at its head
    checks(&whole, INTAKE_APPEND);
    assert_int_equal(result.count, 1);
}

// ---- damage ----------------------------------------------------------------------------------

TEST(intake__asks_again_for_events_that_are_not_what_their_sender_claims)
{
    begin();
    holds(2, 2);
    struct message_push push = push_of(3, 5);
    struct str copies[3];
    memcpy(copies, push.events, sizeof copies);
    copies[1] = STR("{}");
    push.events = copies;
    checks(&push, INTAKE_DAMAGED);
    assert_int_equal(result.want, 3);
}

TEST(intake__refuses_events_in_another_order_or_place)
{
    begin();
    struct message_push push = push_of(1, 2);
    struct str swapped[2] = {events[1], events[0]};
    push.events = swapped;
    checks(&push, INTAKE_DAMAGED);
    begin();
    holds(1, 1);
    push = push_of(3, 4); // said to stand one further to the front
    push.from = 2;
    checks(&push, INTAKE_DAMAGED);
}

TEST(intake__refuses_a_wrong_seal_and_appends_nothing)
{
    begin();
    struct message_push push = push_of(1, 3);
    push.seal.b[5] ^= 1;
    checks(&push, INTAKE_DAMAGED);
    assert_int_equal(result.want, 1);
    begin();
    push = push_of(1, 3);
    push.seal = push_of(1, 2).seal; // a true seal, of another head
    checks(&push, INTAKE_DAMAGED);
    begin();
    holds(3, 1);
    push = push_of(1, 3); // all held: the seal still decides whether it settles
    push.seal.b[5] ^= 1;
    checks(&push, INTAKE_DAMAGED);
    assert_int_equal(result.want, 4);
}

TEST(intake__refuses_a_seal_by_another_key)
{
    begin();
    struct sign_key other;
    uint8_t seed[SIGN_SEED_SIZE] = {99};
    struct message_push push = push_of(1, 3);
    struct mark head = {3, chain[3]};
    sign_key_from_seed(seed, &other);
    push.seal = seal_make(&other, &sender.chain, &push.key, &head).signature;
    checks(&push, INTAKE_DAMAGED);
}

// ---- forks -----------------------------------------------------------------------------------

static void another_reason(struct event *ev)
{
    ev->at++;
}

static void fork_at(int i) // the device wrote something else from event i (from 1) on
{
    write_event(i - 1, another_reason);
    chain_events();
}

TEST(intake__finds_a_fork_within_what_it_holds)
{
    begin();
    holds(4, 2);
    fork_at(3);
    struct message_push whole = push_of(1, 6);
    checks(&whole, INTAKE_FORKED);
    struct message_mark mark = intake_mark(&whole, &result);
    assert_true(mark.fork);
    assert_int_equal(mark.held.seq, 4);
    assert_true(hash_equal(&mark.held.hash, &receiver.stream.held.hash));
    struct message_push within = push_of(1, 3);
    checks(&within, INTAKE_FORKED);
    struct message_push before = push_of(1, 2); // the part that both have
    checks(&before, INTAKE_DUPLICATE);
}

TEST(intake__takes_a_fork_behind_its_mark_for_damage)
{
    begin();
    holds(4, 4);
    fork_at(4); // the base of what follows is another one
    struct message_push push = push_of(5, 6);
    checks(&push, INTAKE_DAMAGED); // the device finds the fork when it compares the mark's hash
    assert_int_equal(result.want, 5);
}

// ---- who may write ---------------------------------------------------------------------------

TEST(intake__denies_a_stream_that_belongs_to_another_device)
{
    begin();
    holds(2, 2);
    receiver.stream.device = sample_id(2, 77);
    struct message_push push = push_of(3, 4);
    checks(&push, INTAKE_DENIED);
}

TEST(intake__denies_an_origin_that_another_device_certified)
{
    begin();
    struct message_push push = push_of(1, 3);
    push.device = sample_id(2, 77);
    checks(&push, INTAKE_DENIED);
    begin();
    push = push_of(1, 3);
    push.certificate.b[0] ^= 1;
    checks(&push, INTAKE_DENIED);
}

TEST(intake__denies_an_origin_of_another_place)
{
    begin();
    sender.location = STR("Tripoli");
    struct message_push push = push_of(1, 3);
    checks(&push, INTAKE_DENIED);
}

TEST(intake__denies_an_origin_of_another_chain)
{
    begin();
    sender.chain = sample_id(1, 77);
    struct message_push push = push_of(1, 3);
    checks(&push, INTAKE_DENIED);
}

TEST(intake__denies_a_lane_of_an_origin_that_another_device_writes)
{
    begin();
    receiver.stream.claimed = true; // another lane of it is known
    receiver.stream.device = sample_id(2, 77);
    memcpy(receiver.stream.location, "Hamra", sizeof "Hamra");
    struct message_push push = push_of(1, 3);
    checks(&push, INTAKE_DENIED);
    begin();
    receiver.stream.claimed = true;
    receiver.stream.device = sender.device;
    memcpy(receiver.stream.location, "Tripoli", sizeof "Tripoli");
    push = push_of(1, 3);
    checks(&push, INTAKE_DENIED);
    begin();
    receiver.stream.claimed = true;
    receiver.stream.device = sender.device;
    memcpy(receiver.stream.location, "Hamra", sizeof "Hamra");
    push = push_of(1, 3);
    checks(&push, INTAKE_APPEND);
}

// ---- carriers --------------------------------------------------------------------------------

static struct sign_key carrier;

// What the sample's device wrote comes by another one of its place.
static void carried(void)
{
    static const uint8_t seed[SIGN_SEED_SIZE] = {7};
    begin();
    sign_key_from_seed(seed, &carrier);
    sender.device = sample_id(2, 77);
    sender.key = carrier.public_key;
}

TEST(intake__takes_what_a_neighbour_carries_under_its_authors_seal)
{
    carried();
    struct message_push push = push_of(1, 3);
    checks(&push, INTAKE_APPEND);
    assert_int_equal(result.count, 3);
    assert_int_equal(result.settled, 3);
    assert_true(uuid_equal(&result.stream.device, &sample()->device));
    assert_true(uuid_equal(&result.certificate.device, &sample()->device));
    carried();
    holds(3, 3);
    push = push_of(2, 5);
    push.device = sender.device; // of a stream that is known nobody asks whose it is
    checks(&push, INTAKE_APPEND);
    assert_int_equal(result.count, 2);
    push = push_of(1, 3);
    checks(&push, INTAKE_DUPLICATE);
}

TEST(intake__settles_nothing_at_a_hub)
{
    carried();
    struct message_push push = push_of(1, 3);
    io.settles = false;
    checks(&push, INTAKE_APPEND);
    assert_int_equal(result.settled, 0);
    assert_int_equal(result.held.seq, 3);
    carried();
    holds(3, 2);
    push = push_of(3, 5);
    checks(&push, INTAKE_APPEND);
    io.settles = true;
    assert_int_equal(result.settled, 2);
}

TEST(intake__asks_a_carrier_too_for_what_is_missing)
{
    carried();
    struct message_push push = push_of(2, 3);
    push.device = (struct uuid){{0}}; // said with the first event only
    checks(&push, INTAKE_GAP);
    carried();
    receiver.stream.claimed = true; // another lane of the run is held
    receiver.stream.device = sample()->device;
    memcpy(receiver.stream.location, "Hamra", sizeof "Hamra");
    checks(&push, INTAKE_GAP);
}

TEST(intake__believes_no_word_of_a_carrier_itself)
{
    struct stream_key key = {run.origin, LANE_CRITICAL};
    struct mark head = {3, chain[3]};
    carried();
    struct message_push push = push_of(1, 3);
    key = push.key;
    head.hash = push.head;
    push.seal = seal_make(&carrier, &sample()->chain, &key, &head).signature;
    checks(&push, INTAKE_DAMAGED);
    carried();
    push = push_of(1, 3);
    push.certificate =
        certificate_make(&carrier, &sample()->chain, &key.origin, &sample()->device, STR("Hamra"))
            .signature;
    checks(&push, INTAKE_DENIED);
    carried();
    push = push_of(1, 3);
    events[1] = events[2];
    checks(&push, INTAKE_DAMAGED);
}

TEST(intake__takes_nothing_that_is_carried_out_of_its_place)
{
    carried();
    struct message_push push = push_of(1, 3);
    push.device = sample_id(2, 78); // nobody knows it
    checks(&push, INTAKE_DENIED);
    carried();
    sender.location = STR("Tripoli"); // the certificate is for Hamra
    push = push_of(1, 3);
    checks(&push, INTAKE_DENIED);
    carried();
    holds(2, 2);
    memcpy(receiver.stream.location, "Tripoli", sizeof "Tripoli");
    push = push_of(3, 4);
    checks(&push, INTAKE_DENIED);
    carried();
    receiver.key_fails = ERR_IO;
    push = push_of(1, 3);
    assert_int_equal(intake_check(&io, &sender, &push, &arena, &result, &e), ERR_IO);
}

// ---- dead letters ----------------------------------------------------------------------------

static void other_origin(struct event *ev)
{
    ev->origin = sample_id(4, 77);
}
static void other_lane(struct event *ev)
{
    ev->lane = LANE_NORMAL;
}
static void other_seq(struct event *ev)
{
    ev->seq += 1;
}
static void other_place(struct event *ev)
{
    ev->location = STR("Tripoli");
}
static void other_type(struct event *ev)
{
    ev->type_name = STR("table_folded");
}
static void centres_type(struct event *ev) // a till that would enrol another device
{
    ev->type_name = STR("device_enrolled");
}
static void id_of_another_kind(struct event *ev)
{
    ev->id.b[6] = 0x10;
}
static void no_id(struct event *ev)
{
    ev->id = (struct uuid){{0}};
}
static void bad_envelope(struct event *ev)
{
    ev->version = 0;
}

TEST(intake__makes_a_dead_letter_of_what_it_cannot_read_and_goes_on)
{
    static const struct {
        void (*change)(struct event *ev);
        bool envelope;
        const char *dead;
    } rows[] = {{other_origin, false, "another position"}, {other_lane, false, "another position"},
                {other_seq, false, "another position"},    {other_place, false, "another place"},
                {id_of_another_kind, false, "event: id"},  {no_id, false, "event: id"},
                {bad_envelope, false, "event: v"},         {centres_type, true, "only the centre"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        begin();
        write_event(1, rows[i].change);
        chain_events();
        struct message_push push = push_of(1, 3);
        checks(&push, INTAKE_APPEND);
        assert_int_equal(result.count, 3);
        assert_null(result.events[0].dead);
        assert_null(result.events[2].dead);
        assert_non_null(result.events[1].dead);
        assert_non_null(strstr(result.events[1].dead, rows[i].dead));
        assert_int_equal(result.events[1].envelope, rows[i].envelope);
        assert_int_equal(result.held.seq, 3);
    }
}

// Which is a dead letter until the store knows the type: so nobody may say for good that it is one.
TEST(intake__leaves_an_unknown_type_to_the_store)
{
    begin();
    write_event(1, other_type);
    chain_events();
    struct message_push push = push_of(1, 3);
    checks(&push, INTAKE_APPEND);
    assert_null(result.events[1].dead);
    assert_true(result.events[1].envelope);
    assert_null(result.events[1].event.type);
}

TEST(intake__makes_no_dead_letter_of_a_moment_without_memory)
{
    begin();
    struct message_push push = push_of(1, 3);
    size_t needed = arena.used;
    assert_int_equal(intake_check(&io, &sender, &push, &arena, &result, &e), ERR_OK);
    needed = arena.used - needed;
    for (size_t room = 0; room < needed; room += 16) {
        struct arena small;
        arena_init(&small, room);
        enum err_code code = intake_check(&io, &sender, &push, &small, &result, &e);
        assert_int_equal(code, ERR_NO_MEMORY);
        arena_fini(&small);
    }
    for (unsigned n = 0;; n++) {
        struct arena fresh;
        arena_init(&fresh, 64 << 20);
        unit_alloc_fail(n);
        enum err_code code = intake_check(&io, &sender, &push, &fresh, &result, &e);
        bool failed = unit_alloc_end();
        arena_fini(&fresh);
        assert_int_equal(code, failed ? ERR_NO_MEMORY : ERR_OK);
        if (!failed) {
            break;
        }
    }
}

TEST(intake__hands_on_what_its_store_says)
{
    begin();
    struct message_push push = push_of(1, 3);
    receiver.find_fails = ERR_IO;
    assert_int_equal(intake_check(&io, &sender, &push, &arena, &result, &e), ERR_IO);
    begin();
    holds(4, 4);
    receiver.chain_fails = ERR_IO;
    push = push_of(3, 5);
    assert_int_equal(intake_check(&io, &sender, &push, &arena, &result, &e), ERR_IO);
}
