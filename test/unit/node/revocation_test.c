// SPDX-License-Identifier: Apache-2.0
// What the centre writes when it revokes a device, and what it takes from it afterwards.
#include "base/clock.h"
#include "node/admission.h"
#include "node/reviewing.h"
#include "test/unit/node/chain_fixture.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { ARENA = 32 * 1024 * 1024 };

static struct err e;

static void must(enum err_code code)
{
    if (code) {
        fail_msg("%s: %s", err_name(code), err_message(&e));
    }
}

static const struct uuid *till_id(const struct chain *c)
{
    return &journal_identity(c->till)->device;
}

static void revoke(struct chain *c)
{
    char location[LIMIT_NAME + 1] = "";
    must(journal_begin(c->centre, &e));
    must(admission_revoke(c->centre, till_id(c), STR("stolen"), location, &e));
    must(journal_commit(c->centre, &e));
    assert_string_equal(location, "BR01");
}

// ---- the event ----------------------------------------------------------------------------------

// A stream of the till that the centre holds: up to seq 'held', under a seal up to 'settled'.
static void hold_stream(struct chain *c, uint32_t number, uint64_t held, uint64_t settled)
{
    struct stream_info info = {.key = {{{1}}, LANE_CRITICAL}, .device = *till_id(c)};
    memcpy(info.key.origin.b + 12, &number, sizeof number);
    info.head = info.held = (struct mark){held, {{(uint8_t)number, 1}}};
    info.settled = (struct mark){settled, {{(uint8_t)number, 2}}};
    strcpy(info.location, "BR01");
    must(store_stream_add(journal_store(c->centre), &info, &e));
}

struct revocation { // as the journal has it
    size_t events, heads, most;
    int64_t seqs, parts;
    struct uuid first;
    bool right;
};

static void read_body(const struct event *event, struct revocation *r)
{
    struct uuid first = event->id;
    size_t i, n;
    yyjson_val *head, *heads = yyjson_obj_get(event->body, "heads");
    struct str given = str_of(yyjson_get_str(yyjson_obj_get(event->body, "revocation")));
    if (r->events++ == 0)
        r->first = event->id;
    r->right = r->right && (given.n == 0 || uuid_parse(given, &first) == ERR_OK) &&
               uuid_equal(&first, &r->first);
    r->parts = yyjson_get_sint(yyjson_obj_get(event->body, "parts"));
    r->heads += yyjson_arr_size(heads);
    r->most = yyjson_arr_size(heads) > r->most ? yyjson_arr_size(heads) : r->most;
    yyjson_arr_foreach(heads, i, n, head)
    {
        struct hash hash;
        must(json_get_hash(head, "hash", &hash, &e));
        r->right = r->right && hash.b[1] == 2; // where it is settled, not where it is held
        r->seqs += yyjson_get_sint(yyjson_obj_get(head, "seq"));
    }
}

static struct revocation read_journal(struct chain *c)
{
    struct revocation r = {.right = true};
    struct arena a;
    struct store_event_list list;
    struct event event;
    arena_init(&a, ARENA);
    must(store_read_journal(journal_store(c->centre), 0, &(struct store_page){100, ARENA / 8, &a},
                            &list, &e));
    for (size_t i = 0; i < list.count; i++) {
        must(event_parse(list.items[i].bytes, &a, &event, &e));
        if (str_is(event.type_name, "device_revoked"))
            read_body(&event, &r);
    }
    arena_fini(&a);
    return r;
}

TEST(revocation__names_what_the_centre_holds_under_a_seal)
{
    struct chain c;
    chain_open(&c);
    hold_stream(&c, 1, 9, 7);
    hold_stream(&c, 2, 5, 5);
    hold_stream(&c, 3, 4, 0);
    revoke(&c);
    struct revocation r = read_journal(&c);
    assert_int_equal(r.events, 1);
    assert_int_equal(r.heads, 2);
    assert_int_equal(r.seqs, 12);
    assert_true(r.right);
    chain_close(&c);
}

TEST(revocation__of_a_device_with_many_runs_takes_several_events)
{
    enum { RUNS = 2001 };
    struct chain c;
    chain_open(&c);
    must(store_begin(journal_store(c.centre), &e));
    for (uint32_t i = 0; i < RUNS; i++)
        hold_stream(&c, i, 3, 3);
    must(store_commit(journal_store(c.centre), &e));
    revoke(&c);
    struct revocation r = read_journal(&c);
    assert_int_equal(r.events, 3);
    assert_int_equal(r.parts, 3);
    assert_int_equal(r.heads, RUNS);
    assert_int_equal(r.most, 1000);
    assert_true(r.right);
    chain_close(&c);
}

TEST(revocation__is_for_a_device_of_the_chain_and_once)
{
    struct chain c;
    char location[LIMIT_NAME + 1];
    struct uuid stranger = {{7}};
    chain_open(&c);
    revoke(&c);
    must(journal_begin(c.centre, &e));
    assert_int_equal(admission_revoke(c.centre, till_id(&c), STR(""), location, &e), ERR_EXISTS);
    assert_int_equal(admission_revoke(c.centre, &stranger, STR(""), location, &e), ERR_NOT_FOUND);
    journal_rollback(c.centre);
    chain_close(&c);
}

// ---- what comes afterwards --------------------------------------------------------------------

// A push of the till's newest run behind 'after', as its uplink would write it.
static struct str write_push(struct chain *c, uint64_t after, uint8_t flip, struct arena *a)
{
    const struct identity *who = journal_identity(c->till);
    struct journal_unsettled open;
    struct store_event_list list;
    struct message m = {.kind = MESSAGE_PUSH};
    struct buf text;
    must(journal_unsettled(c->till, a, &open, &e));
    struct stream_key key = open.streams[open.count - 1].key;
    must(store_read_stream(journal_store(c->till), &key, after,
                           &(struct store_page){100, 1 << 20, a}, &list, &e));
    struct str *events = arena_alloc(a, list.count * sizeof *events);
    for (size_t i = 0; i < list.count; i++)
        events[i] = list.items[i].bytes;
    struct mark last = {after + list.count, list.items[list.count - 1].chain};
    m.push =
        (struct message_push){.key = key,
                              .from = after + 1,
                              .head = last.hash,
                              .seal = seal_make(&who->key, &who->chain, &key, &last).signature,
                              .certificate = certificate_make(&who->key, &who->chain, &key.origin,
                                                              &who->device, str_of(who->location))
                                                 .signature,
                              .device = who->device,
                              .events = events,
                              .count = list.count};
    m.push.seal.b[0] ^= flip;
    buf_init(&text, MESSAGE_MAX_BYTES);
    must(message_encode(&m, &text));
    struct str copy = arena_copy(a, buf_str(&text));
    buf_fini(&text);
    return copy;
}

// By the till, or by whoever carries what it wrote.
static struct downlink_stored push_by(struct chain *c, const struct uuid *device,
                                      const struct sign_public *key, uint64_t after, uint8_t flip)
{
    const struct identity *who = journal_identity(c->till);
    struct intake_sender sender = {
        .chain = who->chain, .device = *device, .location = str_of(who->location), .key = *key};
    struct downlink_stored stored;
    struct arena a;
    arena_init(&a, ARENA);
    struct str text = write_push(c, after, flip, &a);
    must(journal_begin(c->centre, &e));
    must(journal_receive(c->centre, &sender, text, &a, &stored, &e));
    must(journal_commit(c->centre, &e));
    arena_fini(&a);
    return stored;
}

static struct downlink_stored push(struct chain *c, uint64_t after, uint8_t flip)
{
    const struct identity *who = journal_identity(c->till);
    return push_by(c, &who->device, &who->key.public_key, after, flip);
}

static int64_t ask(struct chain *c, const char *sql)
{
    char path[CONFIG_PATH_MAX + 16];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t number = 0;
    (void)snprintf(path, sizeof path, "%s/wasl.db", c->centre_config.dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

static void must_settle(struct downlink_stored stored, uint64_t seq)
{
    assert_false(stored.denied);
    assert_int_equal(stored.mark.settled, seq);
}

TEST(revocation__what_comes_afterwards_is_settled_and_does_not_count)
{
    struct chain c;
    chain_open(&c);
    chain_waste(c.till, "rice", 1);
    struct downlink_stored stored = push(&c, 0, 0);
    assert_int_equal(stored.mark.settled, 2);
    revoke(&c);
    chain_waste(c.till, "rice", 5);
    stored = push(&c, 2, 0);
    assert_false(stored.denied);
    assert_int_equal(stored.mark.settled, 3);
    assert_int_equal(chain_stock(c.centre, "rice"), -1);
    assert_int_equal(ask(&c, "SELECT count(*) FROM journal WHERE status = 'review'"), 1);
    chain_close(&c);
}

TEST(revocation__holds_back_what_comes_afterwards_whoever_brings_it)
{
    struct chain c;
    struct uuid neighbour = {{2, 7}};
    struct sign_key key;
    uint8_t seed[SIGN_SEED_SIZE] = {99};
    sign_key_from_seed(seed, &key);
    chain_open(&c);
    chain_waste(c.till, "rice", 1);
    must_settle(push_by(&c, &neighbour, &key.public_key, 0, 0), 2);
    revoke(&c);
    chain_waste(c.till, "rice", 5);
    must_settle(push_by(&c, &neighbour, &key.public_key, 2, 0), 3);
    assert_int_equal(chain_stock(c.centre, "rice"), -1);
    assert_int_equal(ask(&c, "SELECT count(*) FROM journal WHERE status = 'review'"), 1);
    chain_close(&c);
}

static struct reviewing_refusal answer(struct chain *c, int64_t review, enum decision decision)
{
    struct reviewing_refusal refusal;
    struct reviewing_answer given = {
        .review = review, .decision = decision, .note = STR("it was found"), .by = STR("rana")};
    must(journal_begin(c->centre, &e));
    must(reviewing_answer(c->centre, &given, &refusal, &e));
    must(journal_commit(c->centre, &e));
    return refusal;
}

TEST(revocation__what_comes_afterwards_counts_when_a_person_lets_it_in)
{
    static const char open[] = "SELECT coalesce(max(number), 0) FROM reviews"
                               " WHERE open = 1 AND kind = 'revoked'";
    static const char said[] = "SELECT count(*) FROM journal WHERE type = 'device_revoked' AND"
                               " bytes ->> '$.body.by' = 'rana' AND bytes ->> '$.body.accepts' = 1";
    struct chain c;
    chain_open(&c);
    chain_waste(c.till, "rice", 1);
    (void)push(&c, 0, 0);
    revoke(&c);
    chain_waste(c.till, "rice", 5);
    (void)push(&c, 2, 0);
    assert_int_equal(answer(&c, ask(&c, open), DECISION_ACCEPT).code, ERR_OK);
    assert_int_equal(chain_stock(c.centre, "rice"), -6);
    assert_int_equal(ask(&c, open), 0);
    assert_int_equal(ask(&c, said), 1);
    chain_waste(c.till, "rice", 7); // what comes later was not looked at
    (void)push(&c, 3, 0);
    assert_int_equal(chain_stock(c.centre, "rice"), -6);
    int64_t number = ask(&c, open);
    assert_int_not_equal(number, 0);
    assert_int_equal(answer(&c, number, DECISION_REJECT).code, ERR_OK);
    assert_int_equal(ask(&c, open), 0);
    assert_int_equal(chain_stock(c.centre, "rice"), -6);
    assert_true(journal_is_revoked(c.centre, &journal_identity(c.till)->device));
    assert_int_equal(answer(&c, number, DECISION_ACCEPT).code, ERR_CONFLICT);
    chain_close(&c);
}

TEST(revocation__what_a_device_brings_afterwards_is_bounded_and_no_evidence)
{
    struct chain c;
    chain_open(&c);
    revoke(&c);
    chain_waste(c.till, "rice", 1);
    struct downlink_stored stored = push(&c, 0, 1); // a seal that does not hold
    assert_int_equal(stored.mark.held.seq, 0);
    assert_int_equal(ask(&c, "SELECT count(*) FROM quarantine"), 0);
    stored = push(&c, 0, 0);
    assert_false(stored.denied);
    assert_int_equal(ask(&c, "UPDATE withheld SET events = 2000000 RETURNING 7"), 7);
    chain_waste(c.till, "rice", 1);
    stored = push(&c, 2, 0);
    assert_true(stored.denied);
    assert_int_equal(ask(&c, "SELECT count(*) FROM journal WHERE status = 'review'"), 2);
    chain_close(&c);
}
