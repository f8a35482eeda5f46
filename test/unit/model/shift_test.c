// SPDX-License-Identifier: Apache-2.0
// The rules of shifts, one worked example each, and in which Z money is counted.
#include "model/shift.h"

#include "base/rng.h"
#include "test/unit/model/history.h"
#include "model/shift_section.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

static struct history h;
static struct record *all;

static void begin(void)
{
    history_init(&h, &shift_reducer);
    history_write(&h, 0, "shift_opened",
                  "{\"till\":\"T1\",\"float\":[{\"currency\":\"USD\",\"amount\":5000},"
                  "{\"currency\":\"LBP\",\"amount\":900000}],\"notes\":\"early\"}");
}

static void fold(void)
{
    record_free(all);
    all = history_all(&h);
}

static void end(void)
{
    record_free(all);
    all = NULL;
    history_fini(&h);
}

static void is(const char *table, const char *where, const char *column, const char *wanted)
{
    const char *value = history_column(all, table, where, column);
    assert_string_equal(value ? value : "(none)", wanted);
}

static size_t move(int device, const char *kind, int amount)
{
    return history_write(&h, device, "cash_moved",
                         "{\"kind\":\"%s\",\"currency\":\"USD\",\"amount\":%d}", kind, amount);
}

static size_t close_shift(int device, int z)
{
    return history_write(
        &h, device, "shift_closed",
        "{\"z\":%d,\"streams\":[{\"origin\":\"01890a5d-0000-7000-8000-000000000000\","
        "\"lane\":\"critical\",\"upto\":7}],"
        "\"totals\":[{\"method\":\"cash\",\"currency\":\"USD\",\"amount\":250},"
        "{\"method\":\"card\",\"currency\":\"USD\",\"amount\":99}],"
        "\"counted\":[{\"currency\":\"USD\",\"amount\":5251}]}",
        z);
}

static void answer(int device, const char *review, size_t event, const char *decision)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(&h.events[event].id, id);
    history_write(&h, device, "review_resolved",
                  "{\"review\":\"%s\",\"triggers\":[{\"event\":\"%s\"}],\"decision\":\"%s\"}",
                  review, id, decision);
}

// ---- the record -------------------------------------------------------------------------------

TEST(shift__opens_with_its_float_and_counts_what_is_moved)
{
    begin();
    move(0, "in", 300);
    move(1, "out", 100);
    move(1, "drop", 4000);
    history_write(&h, 1, "drawer_opened", "{\"reason\":\"change\"}");
    fold();
    is("shift_heads", "", "state", "open");
    is("shift_heads", "", "till", "T1");
    is("shift_heads", "", "opened_by", "A0");
    is("shift_heads", "", "opening_notes", "early");
    is("shift_facts", "|kind=float|method=cash|currency=USD|", "amount", "5000");
    is("shift_facts", "|kind=float|method=cash|currency=LBP|", "amount", "900000");
    is("shift_facts", "|kind=cash_in|", "amount", "300");
    is("shift_facts", "|kind=cash_out|", "amount", "-100");
    is("shift_facts", "|kind=cash_drop|", "amount", "-4000");
    is("shift_drawer", "", "reason", "change");
    end();
}

TEST(shift__a_closing_freezes_what_it_counted)
{
    begin();
    close_shift(0, 12);
    fold();
    is("shift_heads", "", "state", "closed");
    is("shift_heads", "", "z", "12");
    is("shift_frozen", "|lane=0|", "upto", "7");
    is("shift_counts", "|method=cash|currency=USD|", "said", "250");
    is("shift_counts", "|method=cash|currency=USD|", "counted", "5251");
    is("shift_counts", "|method=card|", "said", "99");
    is("shift_counts", "|method=card|", "counted", "(none)");
    assert_null(history_column(all, "record_reviews", "", "kind"));
    end();
}

TEST(shift__of_two_closings_the_first_counts_and_a_person_is_asked)
{
    begin();
    close_shift(1, 12);
    close_shift(2, 13); // had not seen the other
    fold();
    is("shift_heads", "", "z", "12");
    is("record_reviews", "|kind=closed_twice|", "open", "1");
    const char *detail = history_column(all, "record_reviews", "", "detail");
    assert_non_null(strstr(detail, "\"value\":\"Z 12\""));
    assert_non_null(strstr(detail, "\"value\":\"Z 13\""));
    end();
}

TEST(shift__a_person_may_let_the_second_closing_count)
{
    begin();
    size_t first = close_shift(1, 12);
    close_shift(2, 13);
    history_tell_all(&h, 3);
    answer(3, "closed_twice", first, "reject");
    fold();
    is("shift_heads", "", "z", "13");
    end();
}

TEST(shift__of_two_openings_the_first_counts_and_a_person_is_asked)
{
    begin();
    history_write(&h, 1, "shift_opened",
                  "{\"till\":\"T2\",\"float\":[{\"currency\":\"USD\",\"amount\":1}]}");
    fold();
    is("shift_heads", "", "till", "T1");
    is("shift_facts", "|kind=float|method=cash|currency=USD|", "amount", "5000");
    is("record_reviews", "|kind=opened_twice|", "open", "1");
    end();
}

TEST(shift__what_is_moved_before_anybody_opened_it_is_kept)
{
    history_init(&h, &shift_reducer);
    move(1, "in", 300);
    fold();
    is("shift_heads", "", "state", "unopened");
    is("shift_facts", "", "amount", "300");
    end();
}

TEST(shift__streams_and_events_named_twice_are_frozen_once)
{
    begin();
    history_write(
        &h, 0, "shift_closed",
        "{\"z\":1,\"streams\":["
        "{\"origin\":\"01890a5d-0000-7000-8000-000000000000\",\"lane\":\"critical\",\"upto\":3},"
        "{\"origin\":\"01890a5d-0000-7000-8000-000000000000\",\"lane\":\"critical\",\"upto\":9},"
        "{\"origin\":\"01890a5d-0000-7000-8000-000000000000\",\"lane\":\"normal\",\"upto\":2}],"
        "\"events\":[{\"event\":\"%s\"},{\"event\":\"%s\"}],\"totals\":[],\"counted\":[]}",
        history_id_text(1), history_id_text(1));
    fold();
    is("shift_frozen", "|lane=0|", "upto", "9");
    is("shift_frozen", "|lane=1|", "upto", "2");
    const char *first = strstr(history_rows(all), "shift_frozen_events|");
    assert_non_null(first);
    assert_null(strstr(first + 1, "shift_frozen_events|"));
    end();
}

TEST(shift__refuses_what_says_nothing_sensible)
{
    static const struct {
        const char *type, *body, *why;
    } cases[] = {
        {"shift_opened", "{\"till\":\"T1\",\"float\":[{\"currency\":\"USD\",\"amount\":-1}]}",
         "amount"},
        {"shift_opened",
         "{\"till\":\"T1\",\"float\":[{\"currency\":\"USD\",\"amount\":1},"
         "{\"currency\":\"USD\",\"amount\":2}]}",
         "twice"},
        {"cash_moved", "{\"kind\":\"in\",\"currency\":\"USD\",\"amount\":0}", "amount"},
        {"shift_closed", "{\"z\":0,\"streams\":[],\"totals\":[],\"counted\":[]}", "z"},
        {"shift_closed",
         "{\"z\":1,\"streams\":[{\"origin\":\"01890a5d-0000-7000-8000-000000000000\",\"lane\":"
         "\"slow\","
         "\"upto\":3}],\"totals\":[],\"counted\":[]}",
         "lane"},
        {"shift_closed",
         "{\"z\":1,\"streams\":[{\"origin\":\"01890a5d-0000-7000-8000-000000000000\","
         "\"lane\":\"critical\",\"upto\":0}],\"totals\":[],\"counted\":[]}",
         "upto"},
        {"shift_closed",
         "{\"z\":1,\"streams\":[],\"totals\":[],\"counted\":[{\"currency\":\"USD\",\"amount\":1},"
         "{\"method\":\"cash\",\"currency\":\"USD\",\"amount\":1}]}",
         "counted"},
    };
    begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err e = {0};
        assert_int_equal(history_try(&h, cases[i].type, cases[i].body, &e), ERR_INVALID);
        if (strstr(e.text, cases[i].why) == NULL)
            fail_msg("%s: '%s'", cases[i].body, e.text);
    }
    end();
}

// ---- sections ---------------------------------------------------------------------------------

static struct shift_event event(const char *shift, unsigned origin, uint64_t seq)
{
    struct shift_event one = {.shift = str_of(shift), .seq = seq};
    one.origin.b[15] = (uint8_t)origin;
    one.id = history_id(origin * 1000 + seq);
    return one;
}

static struct shift_mark mark(unsigned origin, uint64_t upto)
{
    struct shift_mark one = {.upto = upto};
    one.origin.b[15] = (uint8_t)origin;
    return one;
}

static void section_is(const struct shift_event *one, const struct shift_z *zs, size_t count,
                       enum shift_section section, const char *shift)
{
    struct str in;
    assert_int_equal(shift_section_of(one, zs, count, &in), section);
    if (!str_is(in, shift))
        fail_msg("'%.*s' is not '%s'", STR_ARG(in), shift);
}

TEST(shift_section__money_of_an_open_or_unknown_shift_is_its_own)
{
    struct shift_z open = {.shift = STR("A"), .till = STR("T1")};
    struct shift_event known = event("A", 1, 5), unknown = event("B", 1, 6);
    section_is(&known, &open, 1, SHIFT_OWN, "A");
    section_is(&unknown, &open, 1, SHIFT_OWN, "B");
}

TEST(shift_section__what_a_z_did_not_know_goes_to_the_next_one_of_its_till)
{
    struct shift_event own = event("A", 1, 5), late = event("A", 2, 3), beyond = event("A", 2, 5),
                       other_lane = event("A", 1, 5);
    struct shift_mark first[] = {mark(1, 5)}, second[] = {mark(1, 9), mark(2, 4)};
    struct shift_z zs[] = {
        {STR("A"), STR("T1"), true, 1, first, 1, NULL, 0},
        {STR("X"), STR("T2"), true, 2, NULL, 0, &late.id, 1},
        {STR("C"), STR("T1"), true, 3, second, 1, &late.id, 1},
        {STR("B"), STR("T1"), true, 2, second, 2, NULL, 0},
    };
    other_lane.lane = LANE_NORMAL;
    section_is(&own, zs, 1, SHIFT_OWN, "A");
    section_is(&own, zs, 4, SHIFT_OWN, "A");
    section_is(&late, zs, 1, SHIFT_WAITING, "");
    section_is(&late, zs, 2, SHIFT_WAITING, ""); // another till's Z is none of its
    section_is(&late, zs, 4, SHIFT_LATE, "C");   // B has its stream, and not it
    section_is(&beyond, zs, 4, SHIFT_WAITING, "");
    section_is(&other_lane, zs, 1, SHIFT_WAITING, "");
}

TEST(shift_section__a_single_event_may_be_frozen_by_its_id)
{
    struct shift_event one = event("A", 7, 70);
    struct shift_z z = {STR("A"), STR("T1"), true, 1, NULL, 0, &one.id, 1};
    section_is(&one, &z, 1, SHIFT_OWN, "A");
    struct shift_event another = event("A", 7, 69);
    section_is(&another, &z, 1, SHIFT_WAITING, "");
}

enum { ZS = 6, EVENTS = 40, NAMED = 12 };

// Zs of two tills, one after the other, each freezing what it knows of three streams.
static void draw_zs(struct rng *rng, struct shift_z *zs, struct shift_mark (*marks)[3],
                    struct uuid (*ids)[NAMED], char (*names)[8])
{
    for (size_t i = 0; i < ZS; i++) {
        snprintf(names[i], sizeof names[i], "Z%zu", i);
        for (unsigned m = 0; m < 3; m++)
            marks[i][m] = mark(m, rng_below(rng, 20));
        for (size_t n = 0; n < NAMED; n++)
            ids[i][n] = event("", (unsigned)rng_below(rng, 3), 1 + rng_below(rng, 20)).id;
        zs[i] = (struct shift_z){str_of(names[i]),
                                 rng_chance(rng, 1, 2) ? STR("T1") : STR("T2"),
                                 rng_chance(rng, 4, 5),
                                 (int64_t)i + 1,
                                 marks[i],
                                 rng_below(rng, 4),
                                 ids[i],
                                 rng_below(rng, NAMED + 1)};
    }
}

static void shuffle(struct rng *rng, struct shift_z *zs, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = rng_below(rng, i);
        struct shift_z was = zs[i - 1];
        zs[i - 1] = zs[j];
        zs[j] = was;
    }
}

// In exactly one section, whatever the order of the Zs; and what a Z counted as its own stays
// there, whatever other Zs come.
TEST(shift_section__nothing_vanishes_and_nothing_is_counted_twice)
{
    size_t sections[3] = {0};
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct rng rng;
        struct shift_z zs[ZS];
        struct shift_mark marks[ZS][3];
        struct uuid ids[ZS][NAMED];
        char names[ZS][8], shift[8];
        rng_init(&rng, seed);
        draw_zs(&rng, zs, marks, ids, names);
        for (int i = 0; i < EVENTS; i++) {
            snprintf(shift, sizeof shift, "Z%d", (int)rng_below(&rng, ZS + 1));
            struct shift_event one =
                event(shift, (unsigned)rng_below(&rng, 3), 1 + rng_below(&rng, 20));
            struct str first, again;
            enum shift_section section = shift_section_of(&one, zs, ZS, &first);
            sections[section]++;
            assert_true((section == SHIFT_WAITING) == (first.n == 0));
            shuffle(&rng, zs, ZS);
            assert_int_equal(shift_section_of(&one, zs, ZS, &again), section);
            assert_true(str_equal(first, again));
            bool own_alone = false;
            for (size_t z = 0; z < ZS; z++)
                own_alone = own_alone || (str_equal(zs[z].shift, one.shift) && zs[z].closed &&
                                          shift_z_froze(&zs[z], &one));
            assert_true(!own_alone || section == SHIFT_OWN);
        }
    }
    for (int i = 0; i < 3; i++)
        assert_true(sections[i] > 1000);
}
