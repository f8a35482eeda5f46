// SPDX-License-Identifier: Apache-2.0
// A centre that was restored from a backup, and what a till keeps to tell it again.
#include "base/clock.h"
#include "node/admission.h"
#include "node/journal_private.h"
#include "node/reviewing.h"
#include "test/unit/node/chain_fixture.h"

#include <string.h>

enum { HOUR_MS = 60 * 60 * 1000 };

static struct chain c;
static struct err e;
static struct arena arena;

static void must(enum err_code code)
{
    if (code)
        fail_msg("%s: %s", err_name(code), err_message(&e));
}

static void begin(void)
{
    chain_open(&c);
    arena_fini(&arena);
    arena_init(&arena, 64 * 1024 * 1024);
}

static const uint8_t nonce[CHALLENGE_SIZE] = {1};

// The till's hello: that so much of a stream which the centre has never seen was settled.
static struct downlink_identity say_hello(uint64_t settled)
{
    static struct message_stream stream;
    struct downlink_identity identity;
    const struct identity *till = journal_identity(c.till);
    stream = (struct message_stream){{{{9}}, LANE_CRITICAL}, {settled, {{9}}}, settled, {{{9}}}};
    struct message_hello m = {.chain = till->chain,
                              .device = till->device,
                              .run = {{3}},
                              .location = STR("BR01"),
                              .streams = &stream,
                              .count = 1};
    must(journal_recovery_told(c.till, &m.recovery, &e));
    m.proof = stream_proof_make(&till->key, &m.chain, &m.device, &m.run, nonce);
    must(journal_identify(c.centre, &(struct journal_hello){&m, nonce}, &arena, &identity, &e));
    return identity;
}

static struct downlink_identity hello(uint64_t settled)
{
    must(journal_begin(c.centre, &e));
    struct downlink_identity identity = say_hello(settled);
    must(journal_commit(c.centre, &e));
    return identity;
}

static struct uuid told_by_hello(uint64_t settled)
{
    struct downlink_identity identity = hello(settled);
    return identity.recovery;
}

static struct uuid feed_of(const char *location)
{
    struct feed_cursor head;
    must(store_feed_head(journal_store(c.centre), str_of(location), &head, &e));
    return head.feed;
}

static void confirm(void)
{
    must(journal_begin(c.centre, &e));
    must(journal_confirm_restored(c.centre, &e));
    must(journal_commit(c.centre, &e));
}

// ---- finding out ------------------------------------------------------------------------------

TEST(restored__is_found_by_a_hello_and_makes_every_feed_another)
{
    begin();
    struct uuid place = feed_of("BR01"), chain = feed_of("*"), now;
    struct downlink_identity id = hello(0);
    assert_true(uuid_is_zero(&id.recovery) && !id.recovering);
    assert_false(journal_take_sessions_over(c.centre));
    id = hello(7);
    assert_false(uuid_is_zero(&id.recovery));
    assert_true(id.recovering);
    assert_true(journal_take_sessions_over(c.centre));
    assert_false(journal_take_sessions_over(c.centre)); // once
    now = feed_of("BR01");
    assert_false(uuid_equal(&place, &now));
    now = feed_of("*");
    assert_false(uuid_equal(&chain, &now));
    const struct restored before = *journal_restored(c.centre);
    assert_true(uuid_equal(&before.device, &journal_identity(c.till)->device));
    journal_close(c.centre);
    c.centre = chain_journal(&c.centre_config);
    const struct restored *after = journal_restored(c.centre);
    assert_true(uuid_equal(&before.id, &after->id) && after->open);
    assert_int_equal(before.since_ms, after->since_ms);
    assert_int_equal(before.backup_ms, after->backup_ms);
    assert_string_equal(before.why, after->why);
    confirm();
    assert_true(journal_take_sessions_over(c.centre));
    assert_false(hello(0).recovering);
    chain_close(&c);
}

TEST(restored__what_could_not_be_committed_was_not_found)
{
    begin();
    struct uuid place = feed_of("BR01"), now;
    must(journal_begin(c.centre, &e));
    assert_true(say_hello(7).recovering);
    journal_rollback(c.centre);
    assert_false(journal_restored(c.centre)->open);
    assert_false(journal_take_sessions_over(c.centre));
    now = feed_of("BR01");
    assert_true(uuid_equal(&place, &now));
    chain_close(&c);
}

// It was told of the first one, which the centre lost again.
TEST(restored__is_found_again_by_who_was_told_of_the_one_before)
{
    begin();
    struct uuid first = told_by_hello(7), still, second;
    must(journal_tell_recovery(c.till, &first, &e));
    confirm();
    still = told_by_hello(0);
    assert_true(uuid_equal(&still, &first));
    must(store_meta_set(journal_store(c.centre), "restored", STR("{}"), &e));
    journal_close(c.centre);
    struct journal *damaged = NULL;
    assert_int_equal(journal_open(&c.centre_config, &damaged, &e), ERR_DAMAGED);
    chain_sql(&c.centre_config, "DELETE FROM meta WHERE name = 'restored'");
    c.centre = chain_journal(&c.centre_config);
    second = told_by_hello(0);
    assert_true(uuid_compare(&second, &first) > 0);
    chain_close(&c);
}

TEST(restored__a_revoked_device_is_not_believed)
{
    begin();
    char place[LIMIT_NAME + 1];
    must(journal_begin(c.centre, &e));
    must(admission_revoke(c.centre, &journal_identity(c.till)->device, STR(""), place, &e));
    must(journal_commit(c.centre, &e));
    struct uuid told = told_by_hello(7);
    assert_true(uuid_is_zero(&told));
    chain_close(&c);
}

// ---- until a person confirms ------------------------------------------------------------------

static enum err_code make_code(void)
{
    struct admission_code made;
    must(journal_begin(c.centre, &e));
    enum err_code code =
        admission_make_code(c.centre, &c.centre_config, STR("BR07"), ROLE_TERMINAL, &made, &e);
    journal_rollback(c.centre);
    return code;
}

static enum err_code revoke(const struct uuid *device)
{
    char place[LIMIT_NAME + 1];
    must(journal_begin(c.centre, &e));
    enum err_code code = admission_revoke(c.centre, device, STR(""), place, &e);
    journal_rollback(c.centre);
    return code;
}

static enum journal_verdict post_at(const char *location, const char *type, const char *record,
                                    const char *body)
{
    struct event draft;
    struct json json;
    struct journal_added added;
    must(json_parse(str_of(body), LIMIT_EVENT_DEPTH, &json, &e));
    must(journal_begin(c.centre, &e));
    chain_event(c.centre, type, record, json.root, &draft);
    draft.location = str_of(location);
    if (strcmp(type, "review_resolved") == 0)
        draft.record_type = STR("order");
    must(journal_add(c.centre, &draft, &added, &e));
    journal_rollback(c.centre);
    json_close(&json);
    if (added.verdict == VERDICT_REJECTED)
        assert_string_equal(added.reason, RESTORED_TEXT);
    return added.verdict;
}

static enum journal_verdict post(const char *type, const char *record, const char *body)
{
    return post_at(journal_identity(c.centre)->location, type, record, body);
}

static enum err_code publish(void)
{
    struct journal_publish p = {.note = STR("")};
    must(journal_begin(c.centre, &e));
    enum err_code code = journal_publish(c.centre, &p, &arena, &e);
    journal_rollback(c.centre);
    if (code)
        assert_string_equal(err_message(&e), RESTORED_TEXT);
    return code;
}

// Of a review that there is not: a centre that decides looks for it.
static enum err_code answer(void)
{
    struct reviewing_refusal refusal;
    struct reviewing_answer given = {.review = 99, .decision = DECISION_ACCEPT};
    must(journal_begin(c.centre, &e));
    must(reviewing_answer(c.centre, &given, &refusal, &e));
    journal_rollback(c.centre);
    return refusal.code;
}

static bool is_let_in(void)
{
    struct admission_request request = {.role = ROLE_TERMINAL, .name = "till"};
    struct admission_answer answer;
    must(journal_begin(c.centre, &e));
    must(admission_let_in(c.centre, &request, &answer, &e));
    journal_rollback(c.centre);
    return strcmp(answer.denied, RESTORED_TEXT) != 0; // else for want of a code
}

#define PRICE  "{\"sku\":\"MILK\",\"price\":\"2.5\",\"currency\":\"USD\",\"places\":2}"
#define USER   "{\"role\":\"cashier\",\"places\":[{\"location\":\"BR01\"}]}"
#define ROLE   "{\"rights\":[{\"right\":\"sell\"}]}"
#define ANSWER "{\"review\":\"line\",\"decision\":\"accept\",\"triggers\":[]}"

static void assert_decides(bool decides)
{
    assert_int_equal(make_code(), decides ? ERR_OK : ERR_CONFLICT);
    // The device that told of the restore may have lied.
    const struct uuid another = {{7}};
    assert_int_equal(revoke(&journal_identity(c.till)->device), ERR_OK);
    assert_int_equal(revoke(&another), decides ? ERR_NOT_FOUND : ERR_CONFLICT);
    assert_int_equal(is_let_in(), decides);
    assert_int_equal(post("location_set", "BR09", "{\"name\":\"Zahle\"}"),
                     decides ? VERDICT_ACCEPTED : VERDICT_REJECTED);
    static const struct {
        const char *location, *type, *record, *body;
    } decisions[] = {
        {"*", "item_set", "MILK", "{\"name\":\"Milk\"}"},
        {"*", "price_set", "MILK", PRICE},
        {"BR01", "price_set", "MILK", PRICE},
        {"BR01", "review_resolved", "o", ANSWER},
        {"*", "user_set", "rana", USER},
        {"*", "role_set", "cashier", ROLE},
    };
    for (size_t i = 0; i < COUNT_OF(decisions); i++) {
        enum journal_verdict verdict = post_at(decisions[i].location, decisions[i].type,
                                               decisions[i].record, decisions[i].body);
        assert_int_equal(verdict, decides ? VERDICT_ACCEPTED : VERDICT_REJECTED);
    }
    assert_int_equal(answer(), decides ? ERR_NOT_FOUND : ERR_CONFLICT);
    assert_int_equal(publish(), decides ? ERR_OK : ERR_CONFLICT);
    assert_int_equal(post("inventory_sold", "milk", "{\"sku\":\"milk\",\"quantity\":\"1\"}"),
                     VERDICT_ACCEPTED); // a fact is taken in any case
}

TEST(restored__nothing_is_decided_until_a_person_confirms)
{
    begin();
    must(journal_begin(c.centre, &e));
    assert_int_equal(journal_confirm_restored(c.centre, &e), ERR_NOT_FOUND);
    chain_add_at(c.centre, "*", "item_set", "TEA", "{\"name\":\"Tea\"}"); // to be published
    must(journal_commit(c.centre, &e));
    assert_decides(true);
    (void)hello(7);
    assert_decides(false);
    confirm();
    assert_decides(true);
    chain_close(&c);
}

// ---- lateness ---------------------------------------------------------------------------------

static int64_t arrived_at(int64_t authored_ms, int64_t received_ms)
{
    struct event event = {.hlc = (hlc)authored_ms << 16};
    return journal_arrived_at(c.centre, &event, received_ms);
}

TEST(restored__what_may_have_been_here_before_came_no_later_than_the_backup_or_itself)
{
    begin();
    const int64_t backup = INT64_C(1000) * HOUR_MS, found = backup + 90 * HOUR_MS;
    assert_int_equal(arrived_at(backup, found), found); // of a centre that was never restored
    c.centre->restored = (struct restored){.id = {{1}}, .since_ms = found, .backup_ms = backup};
    int64_t now = found + 5 * HOUR_MS;
    assert_int_equal(arrived_at(backup - 80 * HOUR_MS, now), backup);
    assert_int_equal(arrived_at(backup + HOUR_MS, now), backup + HOUR_MS);
    assert_int_equal(arrived_at(found, now), now); // sold since
    assert_int_equal(arrived_at(backup - HOUR_MS, backup - 2 * HOUR_MS), backup - 2 * HOUR_MS);
    chain_close(&c);
}

// ---- what a till keeps ------------------------------------------------------------------------

static void settle_all(void)
{
    struct stream_info list[16];
    size_t count = 0;
    must(store_streams_unsettled(journal_store(c.till), list, COUNT_OF(list), &count, &e));
    must(journal_begin(c.till, &e));
    for (size_t i = 0; i < count; i++) {
        struct message_mark mark = {.key = list[i].key, .held = list[i].head};
        mark.settled = mark.held.seq;
        must(journal_acked(c.till, &mark, false, &e));
    }
    must(journal_commit(c.till, &e));
}

static struct uplink_kept kept(uint64_t after)
{
    struct uplink_kept list;
    must(journal_kept(c.till, after, &arena, &list, &e));
    assert_int_equal(list.after, after);
    return list;
}

TEST(restored__every_run_is_listed_once_settled_or_not)
{
    begin();
    struct uuid origins[3];
    for (int run = 0; run < 3; run++) {
        chain_waste(c.till, "milk", 1);
        origins[run] = c.till->runs[0].origin;
        settle_all();
        journal_close(c.till);
        c.till = chain_journal(&c.till_config);
    }
    struct uplink_kept list = kept(0);
    assert_int_equal(list.count, 3);
    assert_false(list.more);
    for (size_t i = 0; i < 3; i++) {
        assert_true(uuid_equal(&list.streams[i].key.origin, &origins[i]));
        assert_int_equal(list.streams[i].settled, 2);
        assert_int_equal(list.streams[i].claimed, 2);
    }
    assert_int_equal(kept(list.next).count, 0);
    list = kept(LANE_COUNT); // behind the lanes of the first
    assert_int_equal(list.count, 2);
    assert_true(uuid_equal(&list.streams[0].key.origin, &origins[1]));
    chain_close(&c);
}

TEST(restored__runs_are_listed_as_many_as_half_a_hello_names)
{
    begin();
    struct stream_info info = {
        .device = journal_identity(c.till)->device, .location = "BR01", .own = true};
    must(journal_begin(c.till, &e));
    for (int i = 0; i < LIMIT_STREAMS_HELLO / 2 + 3; i++) {
        info.key = (struct stream_key){{{1, (uint8_t)(i >> 8), (uint8_t)i}}, LANE_CRITICAL};
        info.head.seq = info.held.seq = info.settled.seq = 4;
        must(store_stream_add(journal_store(c.till), &info, &e));
    }
    must(journal_commit(c.till, &e));
    struct uplink_kept list = kept(0);
    assert_int_equal(list.count, LIMIT_STREAMS_HELLO / 2);
    assert_true(list.more);
    list = kept(list.next);
    assert_int_equal(list.count, 3);
    assert_false(list.more);
    chain_close(&c);
}

TEST(restored__the_uplink_knows_what_was_settled_last_and_what_was_told)
{
    begin();
    struct uplink u;
    const struct uuid id = {{1, 2, 3}};
    struct uplink_config config = {.key = &journal_identity(c.till)->key, .location = "BR01"};
    chain_waste(c.till, "milk", 1);
    settle_all();
    must(journal_tell_recovery(c.till, &id, &e));
    uplink_init(&u, &config);
    must(journal_fill_uplink(c.till, &u, &e));
    assert_int_equal(u.witness.claimed, 2);
    assert_true(uuid_equal(&u.witness.key.origin, &c.till->runs[0].origin));
    assert_true(uuid_equal(&u.config.recovery, &id));
    uplink_fini(&u);
    chain_close(&c);
}

static void include_all(void)
{
    struct stream_key key = {c.till->runs[0].origin, LANE_CRITICAL};
    struct feed_include include = {key, c.till->runs[0].heads[LANE_CRITICAL].seq};
    struct feed_apply page = {
        .location = STR("BR01"), .complete = true, .includes = &include, .include_count = 1};
    must(journal_begin(c.till, &e));
    must(store_feed_apply(journal_store(c.till), &page, &e));
    must(journal_commit(c.till, &e));
}

// The till's clock is that of its upstream, so many days later.
static void welcomed(int days, const struct uuid *recovery)
{
    must(journal_begin(c.till, &e));
    must(journal_set_clock(c.till, (int64_t)days * 24 * HOUR_MS, &e));
    must(journal_hear_recovery(c.till, recovery, &e));
    must(journal_commit(c.till, &e));
}

static size_t pruned(void)
{
    int64_t from = 0;
    size_t count = 0;
    must(journal_begin(c.till, &e));
    must(journal_prune(c.till, &from, &count, &e));
    journal_rollback(c.till);
    return count;
}

static void start_again(void)
{
    journal_close(c.till);
    c.till = chain_journal(&c.till_config);
}

// Its disk may be an older copy: what is settled by that was perhaps lost since, and is back for a
// day. The upstream's next backup need not have it.
TEST(restored__what_is_old_is_kept_anew_when_a_restored_centre_was_told_it)
{
    static const struct uuid none = {{0}}, recovery = {{1, 2, 3}};
    begin();
    for (int i = 0; i < 3; i++)
        chain_waste(c.till, "milk", 1);
    settle_all();
    include_all();
    welcomed(36, &none);
    assert_int_equal(pruned(), 3);
    start_again();
    assert_int_equal(pruned(), 0); // who knows what the upstream of today has
    welcomed(36, &none);
    assert_int_equal(pruned(), 3);
    welcomed(36, &recovery);
    assert_int_equal(pruned(), 0);
    must(journal_begin(c.till, &e));
    must(journal_tell_recovery(c.till, &recovery, &e));
    must(journal_commit(c.till, &e));
    assert_int_equal(pruned(), 0);
    start_again();
    welcomed(70, &recovery);
    assert_int_equal(pruned(), 0);
    welcomed(72, &recovery);
    assert_int_equal(pruned(), 3);
    chain_close(&c);
}
