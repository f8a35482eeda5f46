// SPDX-License-Identifier: Apache-2.0
#include "model/record.h"

#include "test/unit/model/history.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct history h;

static void begin(void)
{
    history_init(&h, reducer_find(STR("order")));
}

// Somebody else decides about an event; effective 0: its own clock. Nobody is told.
static size_t judge(size_t target, const char *outcome, hlc effective)
{
    char text[HLC_TEXT_SIZE], id[UUID_TEXT_SIZE];
    hlc_format(effective, text);
    uuid_format(&h.events[target].id, id);
    return history_write(
        &h, DEVICES_MAX - 1, "event_judged",
        "{\"target\":\"%s\",\"outcome\":\"%s\",\"reason\":\"late\",\"term\":1%s%s%s}", id, outcome,
        effective ? ",\"effective\":\"" : "", effective ? text : "", effective ? "\"" : "");
}

// ---- the order ----------------------------------------------------------------------------------

static void open_order(int device)
{
    history_write(&h, device, "order_opened",
                  "{\"kind\":\"dine_in\",\"currency\":\"USD\",\"places\":2}");
}

static size_t note(int device, const char *text)
{
    return history_write(&h, device, "order_set", "{\"field\":\"note\",\"value\":\"%s\"}", text);
}

static void note_is(const char *text)
{
    struct record *r = history_all(&h);
    assert_string_equal(history_column(r, "order_heads", "", "note"), text);
    record_free(r);
    history_fini(&h);
}

TEST(record__the_newer_of_two_unseen_events_wins_even_when_it_comes_first)
{
    begin();
    open_order(0);
    note(0, "older");
    note(1, "newer");
    size_t turn[] = {2, 1, 0};
    struct record *r = history_fold(&h, turn, 3, 1, 1);
    assert_string_equal(history_column(r, "order_heads", "", "note"), "newer");
    record_free(r);
    note_is("newer");
}

TEST(record__what_an_author_had_seen_comes_before_even_when_its_clock_says_otherwise)
{
    begin();
    h.devices[0].clock_off_ms = 86400000; // a day ahead: beyond what others take over
    open_order(0);
    history_tell(&h, 1, note(0, "seen"));
    note(1, "after it");
    note_is("after it");
}

TEST(record__a_stream_keeps_its_own_order_when_a_judgement_moves_one_of_its_events)
{
    begin();
    open_order(0);
    note(0, "first");
    note(0, "second");
    h.events[2].base_count = 0; // its stream alone says what it had seen
    judge(1, "applied", h.events[2].hlc + 65536000);
    struct record *r = history_all(&h);
    assert_string_equal(history_column(r, "order_heads", "", "note"), "second");
    record_free(r);
    history_fini(&h);
}

// A clock that stepped back within a stream: the earlier event has the later time, and comes last.
TEST(record__a_stream_keeps_its_own_order_when_its_clock_stepped_back)
{
    begin();
    open_order(0);
    note(0, "first");
    note(0, "second");
    hlc was = h.events[1].hlc;
    h.events[1].hlc = h.events[2].hlc;
    h.events[2].hlc = was;
    h.events[1].base_count = h.events[2].base_count = 0;
    size_t turn[] = {0, 2, 1};
    struct record *r = history_fold(&h, turn, 3, 1, 1);
    assert_string_equal(history_column(r, "order_heads", "", "note"), "second");
    record_free(r);
    history_fini(&h);
}

TEST(record__an_effective_clock_moves_an_event_back)
{
    begin();
    open_order(0);
    h.devices[1].clock_off_ms = 86400000;
    note(1, "from tomorrow");
    note(0, "from now");
    struct record *r = history_all(&h);
    assert_string_equal(history_column(r, "order_heads", "", "note"), "from tomorrow");
    size_t judgement = judge(1, "applied", h.events[0].hlc + 1);
    struct err e;
    assert_int_equal(record_add(r, &h.events[judgement], &e), ERR_OK);
    assert_int_equal(record_fold(r), ERR_OK);
    assert_string_equal(history_column(r, "order_heads", "", "note"), "from now");
    record_free(r);
    history_fini(&h);
}

// A forged pair: each names the other as seen.
static void triggers_are(size_t event)
{
    char id[UUID_TEXT_SIZE];
    struct record *r = history_all(&h);
    uuid_format(&h.events[event].id, id);
    assert_string_equal(history_column(r, "record_reviews", "", "triggers"), id);
    record_free(r);
}

// Who refuses the later event says nothing of the one that was accepted before.
TEST(record__a_question_that_opens_again_names_what_is_not_settled)
{
    char id[UUID_TEXT_SIZE];
    begin();
    open_order(0);
    size_t first = note(0, "first"), second = note(1, "second");
    judge(first, "held", 0);
    triggers_are(first);
    uuid_format(&h.events[first].id, id);
    history_write(&h, 0, "review_resolved",
                  "{\"review\":\"late\",\"decision\":\"accept\",\"triggers\":[{\"event\":\"%s\"}]}",
                  id);
    triggers_are(first);
    judge(second, "held", 0);
    triggers_are(second);
    history_fini(&h);
}

// Said of a held event: what a person answers says nothing of its clock.
TEST(record__an_answer_leaves_the_effective_clock)
{
    begin();
    open_order(0);
    h.devices[1].clock_off_ms = 86400000;
    note(1, "from tomorrow");
    note(0, "from now");
    judge(1, "held", h.events[0].hlc + 1);
    char id[UUID_TEXT_SIZE];
    uuid_format(&h.events[1].id, id);
    history_write(&h, DEVICES_MAX - 1, "event_judged",
                  "{\"target\":\"%s\",\"outcome\":\"applied\",\"reason\":\"answered\",\"term\":1,"
                  "\"answer\":\"%s\"}",
                  id, history_id_text(9));
    struct record *r = history_all(&h);
    assert_string_equal(history_column(r, "order_heads", "", "note"), "from now");
    record_free(r);
    history_fini(&h);
}

TEST(record__events_that_name_each_other_in_a_circle_still_have_one_order)
{
    begin();
    open_order(0);
    note(0, "a");
    note(1, "b");
    note(2, "c");
    h.events[1].base[0] = h.events[2].id;
    h.events[2].base[0] = h.events[1].id;
    h.events[1].base_count = h.events[2].base_count = 1;
    size_t turns[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}, {3, 0, 1, 2}};
    char *expected = NULL;
    for (size_t i = 0; i < COUNT_OF(turns); i++) {
        struct record *r = history_fold(&h, turns[i], 4, 1, i);
        if (expected == NULL)
            expected = strdup(history_rows(r));
        assert_string_equal(history_rows(r), expected);
        record_free(r);
    }
    free(expected);
    history_fini(&h);
}

TEST(record__an_event_that_comes_last_is_folded_alone)
{
    begin();
    open_order(0);
    for (int i = 0; i < 50; i++)
        note(0, "n");
    assert_int_equal(record_refolds(h.devices[0].record), 0);
    assert_int_equal(record_count(h.devices[0].record), 51);
    history_fini(&h);
}

TEST(record__the_frontier_is_what_nobody_has_seen)
{
    struct uuid base[LIMIT_BASE];
    begin();
    open_order(0);
    history_tell(&h, 1, 0);
    size_t a = note(0, "a"), b = note(1, "b");
    history_tell(&h, 0, b);
    assert_int_equal(record_frontier(h.devices[0].record, base), 2);
    assert_true(uuid_equal(&base[0], &h.events[b].id));
    assert_true(uuid_equal(&base[1], &h.events[a].id));
    size_t c = note(0, "c");
    assert_int_equal(record_frontier(h.devices[0].record, base), 1);
    assert_true(uuid_equal(&base[0], &h.events[c].id));
    history_fini(&h);
}

// ---- verdicts ---------------------------------------------------------------------------------

TEST(record__a_held_intent_has_no_effect_and_a_held_fact_has)
{
    begin();
    open_order(0);
    note(0, "held");
    history_write(&h, 0, "line_added",
                  "{\"line\":\"%s\",\"sku\":\"S\",\"quantity\":\"2\",\"unit_price\":\"1\"}",
                  history_id_text(1));
    judge(1, "held", 0);
    judge(2, "held", 0);
    struct record *r = history_all(&h);
    assert_null(history_column(r, "order_heads", "", "note"));
    assert_string_equal(history_column(r, "order_lines", "", "quantity"), "2");
    record_free(r);
    history_fini(&h);
}

TEST(record__a_judgement_that_is_taken_back_leaves_no_trace)
{
    begin();
    open_order(0);
    note(0, "first");
    note(0, "second");
    size_t one = judge(2, "held", 0);
    struct record *r = history_all(&h);
    assert_string_equal(history_column(r, "order_heads", "", "note"), "first");
    assert_int_equal(record_remove(r, &h.events[one].id), ERR_OK);
    assert_int_equal(record_fold(r), ERR_OK);
    assert_string_equal(history_column(r, "order_heads", "", "note"), "second");
    record_free(r);
    history_fini(&h);
}

TEST(record__a_judgement_waits_for_its_target)
{
    begin();
    open_order(0);
    note(0, "first");
    note(0, "second");
    size_t turn[] = {judge(2, "held", 0), 0, 1, 2};
    for (unsigned every = 0; every < 3; every++) {
        struct record *r = history_fold(&h, turn, COUNT_OF(turn), every, every);
        assert_string_equal(history_column(r, "order_heads", "", "note"), "first");
        record_free(r);
    }
    history_fini(&h);
}

// What is judged elsewhere, or waits still, makes nothing fold again that stands.
TEST(record__a_judgement_of_what_is_not_placed_makes_nothing_fold_anew)
{
    begin();
    open_order(0);
    history_write(&h, 0, "event_judged",
                  "{\"target\":\"%s\",\"outcome\":\"denied\",\"reason\":\"stock\",\"term\":1}",
                  history_id_text(5)); // of another record, or yet to come
    for (int i = 0; i < 20; i++)
        note(0, "on it goes");
    assert_int_equal(record_refolds(h.devices[0].record), 0);
    struct record *r = history_fold(&h, (const size_t[]){0, 1, 2}, 3, 0, 1);
    assert_int_equal(record_refolds(r), 0);
    record_free(r);
    judge(3, "held", 0);
    r = history_fold(&h, (const size_t[]){0, 2, 3, 22}, 4, 0, 1);
    assert_int_equal(record_refolds(r), 0);
    record_free(r);
    size_t turn[] = {0, 2, 3, 22};
    r = history_fold(&h, turn, 4, 1, 1); // it stands already
    assert_int_equal(record_refolds(r), 1);
    record_free(r);
    history_fini(&h);
}

TEST(record__a_judgement_that_makes_no_sense_is_refused)
{
    static const struct {
        const char *members, *says;
    } bad[] = {
        {"\"outcome\":\"maybe\",\"reason\":\"late\",\"term\":1", "outcome"},
        {"\"outcome\":\"none\",\"reason\":\"late\",\"term\":1", "outcome"},
        {"\"outcome\":\"held\",\"reason\":\"mood\",\"term\":1", "reason"},
        {"\"outcome\":\"held\",\"reason\":\"none\",\"term\":1", "reason"},
        {"\"outcome\":\"held\",\"reason\":\"late\",\"term\":-1", "term"},
        {"\"outcome\":\"held\",\"reason\":\"late\",\"term\":1,\"effective\":\"7\"", "effective"},
    };
    begin();
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char body[256];
        struct err e = {0};
        snprintf(body, sizeof body, "{\"target\":\"%s\",%s}", history_id_text(1), bad[i].members);
        assert_int_equal(history_try(&h, "event_judged", body, &e), ERR_INVALID);
        assert_non_null(strstr(e.text, bad[i].says));
    }
    struct err e = {0};
    assert_int_equal(history_try(&h, "event_judged",
                                 "{\"outcome\":\"held\",\"reason\":\"late\",\"term\":1}", &e),
                     ERR_INVALID);
    assert_non_null(strstr(e.text, "target"));
    history_fini(&h);
}

TEST(record__a_persons_judgement_counts_before_any_other)
{
    struct verdict person = {.outcome = JUDGED_APPLIED, .by = {.hlc = 9}, .answer = {.b = {1}}};
    struct verdict reign = {.outcome = JUDGED_HELD, .term = 2, .by = {.hlc = 5}};
    assert_true(verdict_supersedes(&person, &reign));
    assert_false(verdict_supersedes(&reign, &person));
}

TEST(record__of_two_judgements_the_higher_term_counts_then_the_first)
{
    struct verdict none = {0};
    struct verdict old = {.outcome = JUDGED_HELD, .term = 1, .by = {.hlc = 5}};
    struct verdict late = {.outcome = JUDGED_DENIED, .term = 1, .by = {.hlc = 6}};
    struct verdict reign = {.outcome = JUDGED_APPLIED, .term = 2, .by = {.hlc = 9}};
    assert_true(verdict_supersedes(&old, &none));
    assert_false(verdict_supersedes(&none, &old));
    assert_true(verdict_supersedes(&old, &late));
    assert_false(verdict_supersedes(&late, &old));
    assert_true(verdict_supersedes(&reign, &old));
    assert_false(verdict_supersedes(&old, &reign));
    struct verdict second = {.outcome = JUDGED_DUPLICATE, .term = 1, .by = {.hlc = 9}};
    assert_true(verdict_supersedes(&second, &old));
    assert_false(verdict_supersedes(&old, &second));
    assert_false(verdict_supersedes(&second, &reign));
}

TEST(record__a_removed_event_leaves_no_trace)
{
    begin();
    open_order(0);
    struct record *r = history_all(&h);
    char *before = strdup(history_rows(r));
    struct err e;
    note(0, "gone");
    assert_int_equal(record_add(r, &h.events[1], &e), ERR_OK);
    assert_int_equal(record_fold(r), ERR_OK);
    assert_string_not_equal(history_rows(r), before);
    assert_int_equal(record_remove(r, &h.events[1].id), ERR_OK);
    assert_int_equal(record_fold(r), ERR_OK);
    assert_string_equal(history_rows(r), before);
    assert_int_equal(record_remove(r, &h.events[1].id), ERR_NOT_FOUND);
    free(before);
    record_free(r);
    history_fini(&h);
}

// A table of years: each till opens a run each day, and somebody clears it now and then.
TEST(record__costs_what_its_events_cost_and_not_their_number_of_streams_each)
{
    enum { RUNS = 2000, EACH = 5 };
    struct arena a;
    struct record *r = NULL;
    char last[64] = "";
    arena_init(&a, 1 << 20);
    assert_int_equal(record_new(reducer_find(STR("table")), STR("7"), (size_t)16 << 20, &r),
                     ERR_OK);
    for (unsigned n = 0; n < RUNS * EACH; n++) {
        char text[1024];
        struct event event;
        snprintf(
            text, sizeof text,
            "{\"v\":1,\"id\":\"%08x-0000-4000-8000-000000000000\","
            "\"origin\":\"%08x-0000-4000-8000-000000000001\",\"lane\":\"critical\",\"seq\":%u,"
            "\"location\":\"B\",\"type\":\"table_set\",\"record\":{\"type\":\"table\",\"id\":"
            "\"7\"},\"base\":[%s],\"cause\":null,\"at\":%u,\"hlc\":\"%016llx\",\"actor\":\"w\","
            "\"grant\":null,\"body\":{\"status\":\"dirty\"}}",
            n, n / EACH, n % EACH + 1, last, n, (unsigned long long)(n + 1) << 16);
        snprintf(last, sizeof last, "\"%08x-0000-4000-8000-000000000000\"", n);
        arena_reset(&a);
        assert_int_equal(event_parse(str_of(text), &a, &event, NULL), ERR_OK);
        assert_int_equal(record_add(r, &event, NULL), ERR_OK);
        if (n % EACH == 0)
            assert_int_equal(record_fold(r), ERR_OK);
    }
    assert_int_equal(record_fold(r), ERR_OK);
    assert_true(record_saw(record_entry_at(r, RUNS * EACH - 1), record_entry_at(r, 0)));
    assert_false(record_saw(record_entry_at(r, 0), record_entry_at(r, 1)));
    record_free(r);
    arena_fini(&a);
}
