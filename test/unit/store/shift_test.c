// SPDX-License-Identifier: Apache-2.0
// Shifts in the store: what SQL says of them is what the model says.
#include "model/shift_section.h"

#include "base/rng.h"
#include "test/unit/store/till.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 3, SHIFTS = 4, MONEY = 30 };

struct world {
    struct fixture f;
    struct line lines[LINES + 1]; // the last one opens and closes shifts
    struct shift_z zs[SHIFTS];
    struct shift_mark marks[SHIFTS][LINES];
    struct uuid named[SHIFTS][MONEY];
    struct shift_event money[MONEY];
    unsigned next_id;
};

static const char *const names[SHIFTS + 1] = {"S0", "S1", "S2", "S3", "unknown"};

static void add(struct world *w, int line, const char *type, const char *record, const char *body)
{
    unsigned id = ++w->next_id;
    line_add(&w->lines[line], &(struct draft){id, 10 + id, type, record, body});
}

// A payment of an order, a whole ticket, or cash put in: of some shift, by some stream.
static void write_money(struct world *w, struct rng *rng, int i)
{
    char body[512], record[16];
    int line = (int)rng_below(rng, LINES);
    const char *shift = names[rng_below(rng, SHIFTS + 1)];
    snprintf(record, sizeof record, "R%d", i);
    w->money[i] = (struct shift_event){.shift = str_of(shift),
                                       .id = fixture_uuid(3, w->next_id + 1),
                                       .origin = w->lines[line].key.origin,
                                       .lane = w->lines[line].key.lane,
                                       .seq = w->lines[line].head.seq + 1};
    switch (rng_below(rng, 3)) {
    case 0:
        snprintf(body, sizeof body,
                 "{\"payment\":\"01890a5d-0000-7000-8000-000000000001\",\"method\":\"cash\","
                 "\"currency\":\"USD\",\"amount\":%d,\"shift\":\"%s\"}",
                 100 + i, shift);
        add(w, line, "payment_taken", record, body);
        break;
    case 1:
        snprintf(
            body, sizeof body,
            "{\"ticket\":\"%s\",\"kind\":\"sale\",\"currency\":\"USD\",\"places\":2,\"lines\":[],"
            "\"total\":0,\"payments\":[{\"method\":\"card\",\"currency\":\"USD\",\"amount\":%d}],"
            "\"shift\":\"%s\"}",
            record, 100 + i, shift);
        add(w, line, "ticket_recorded", record, body);
        break;
    default:
        snprintf(body, sizeof body, "{\"kind\":\"in\",\"currency\":\"USD\",\"amount\":%d}",
                 100 + i);
        add(w, line, "cash_moved", shift, body);
    }
}

// Some money that its Z counts by itself.
static void name_money(struct world *w, struct rng *rng, int i, char *to, size_t size)
{
    size_t used = 0;
    for (int m = 0; m < MONEY; m++) {
        char id[UUID_TEXT_SIZE];
        if (!rng_chance(rng, 1, 4))
            continue;
        uuid_format(&w->money[m].id, id);
        used +=
            (size_t)snprintf(to + used, size - used, "%s{\"event\":\"%s\"}", used ? "," : "", id);
        w->named[i][w->zs[i].event_count++] = w->money[m].id;
    }
}

static void write_shift(struct world *w, struct rng *rng, int i)
{
    char body[4096], streams[512] = "", events[2048] = "";
    size_t used = 0, count = rng_below(rng, LINES + 1);
    const char *till = rng_chance(rng, 2, 3) ? "T1" : "T2";
    snprintf(body, sizeof body, "{\"till\":\"%s\"}", till);
    add(w, LINES, "shift_opened", names[i], body);
    w->zs[i] = (struct shift_z){.shift = str_of(names[i]), .till = str_of(till), .z = i + 1};
    if (rng_chance(rng, 1, 5))
        return; // still open
    for (size_t m = 0; m < count; m++) {
        char origin[UUID_TEXT_SIZE];
        const struct line *line = &w->lines[m];
        w->marks[i][m] = (struct shift_mark){line->key.origin, line->key.lane,
                                             1 + rng_below(rng, line->head.seq + 1)};
        uuid_format(&line->key.origin, origin);
        used += (size_t)snprintf(streams + used, sizeof streams - used,
                                 "%s{\"origin\":\"%s\",\"lane\":\"critical\",\"upto\":%llu}",
                                 used ? "," : "", origin, (unsigned long long)w->marks[i][m].upto);
    }
    name_money(w, rng, i, events, sizeof events);
    snprintf(body, sizeof body,
             "{\"z\":%d,\"streams\":[%s],\"events\":[%s],\"totals\":[],"
             "\"counted\":[{\"currency\":\"USD\",\"amount\":150}]}",
             i + 1, streams, events);
    add(w, LINES, "shift_closed", names[i], body);
    w->zs[i].events = w->named[i];
    w->zs[i].closed = true;
    w->zs[i].marks = w->marks[i];
    w->zs[i].mark_count = count;
}

static void begin(struct world *w, struct rng *rng)
{
    memset(w, 0, sizeof *w);
    fixture_open(&w->f, ROLE_CENTRAL);
    for (unsigned i = 0; i <= LINES; i++)
        line_init(&w->lines[i], i + 1, "BR1");
    for (int i = 0; i < MONEY; i++)
        write_money(w, rng, i);
    for (int i = 0; i < SHIFTS; i++)
        write_shift(w, rng, i);
    unsigned first = (unsigned)rng_below(rng, LINES + 1);
    for (unsigned i = 0; i <= LINES; i++)
        fixture_append_all(&w->f, &w->lines[(first + i) % (LINES + 1)], STATUS_SETTLED);
}

static void end(struct world *w)
{
    for (int i = 0; i <= LINES; i++)
        line_fini(&w->lines[i]);
    fixture_close(&w->f);
}

static void check_section(struct world *w, int i)
{
    static const char *const sections[] = {"own", "late", "waiting"};
    char sql[256], wanted[64], hex[2 * sizeof(struct uuid) + 1];
    struct str in;
    enum shift_section section = shift_section_of(&w->money[i], w->zs, SHIFTS, &in);
    str_to_hex(hex, w->money[i].id.b, sizeof w->money[i].id.b);
    snprintf(sql, sizeof sql,
             "SELECT DISTINCT section, ifnull(counted_in, '') FROM shift_sections"
             " WHERE event = x'%s'",
             hex);
    snprintf(wanted, sizeof wanted, "%s|%.*s\n", sections[section], STR_ARG(in));
    fixture_assert_text(&w->f, sql, wanted);
}

TEST(shift__sql_places_money_as_the_model_does)
{
    static struct world w;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct rng rng;
        rng_init(&rng, seed);
        begin(&w, &rng);
        for (int i = 0; i < MONEY; i++)
            check_section(&w, i);
        // Every cent is in one total.
        int64_t sum = fixture_number(&w.f, "SELECT sum(amount) FROM shift_money"
                                           " WHERE kind IN ('payment', 'cash_in')");
        int64_t totals = fixture_number(&w.f, "SELECT sum(amount) FROM shift_totals"
                                              " WHERE kind IN ('payment', 'cash_in')");
        assert_int_equal(sum, MONEY * 100 + MONEY * (MONEY - 1) / 2);
        assert_int_equal(totals, sum);
        fixture_assert_verified(&w.f);
        end(&w);
    }
}

// ---- worked examples --------------------------------------------------------------------------

#define PAID_AS(n, amount, shift)                                                                  \
    "{\"payment\":\"01890a5d-0000-7000-8000-00000000000" n "\",\"method\":\"cash\","               \
    "\"currency\":\"USD\",\"amount\":" amount ",\"shift\":\"" shift "\"}"
#define PAID(amount, shift) PAID_AS("1", amount, shift)

TEST(shift__its_frontier_is_what_a_z_has_to_freeze)
{
    struct world w = {.next_id = 0};
    fixture_open(&w.f, ROLE_TERMINAL);
    for (unsigned i = 0; i <= LINES; i++)
        line_init(&w.lines[i], i + 1, "BR1");
    w.lines[0].own = true;
    add(&w, 0, "shift_opened", "A",
        "{\"till\":\"T1\",\"float\":[{\"currency\":\"USD\",\"amount\":5000}]}");
    add(&w, 0, "payment_taken", "O1", PAID("250", "A"));
    add(&w, 0, "cash_moved", "A", "{\"kind\":\"drop\",\"currency\":\"USD\",\"amount\":4000}");
    add(&w, 0, "table_set", "T5", "{\"status\":\"dirty\"}"); // no money
    fixture_append_all(&w.f, &w.lines[0], STATUS_PENDING);
    fixture_assert_text(&w.f, "SELECT shift, lane, upto FROM shift_frontier", "A|0|3\n");
    fixture_assert_text(&w.f, "SELECT expected, counted, difference, late FROM shift_cash",
                        "1250|NULL|NULL|0\n");
    fixture_assert_text(&w.f, "SELECT id, state, till, sync_status FROM shifts",
                        "A|open|T1|pending\n");
    for (int i = 0; i <= LINES; i++)
        line_fini(&w.lines[i]);
    fixture_close(&w.f);
}

// A till that was restored from an older copy forgot what follows; the feed tells it of the last,
// but of no ticket in between. Its Z names that one by itself, and freezes no ticket it never saw.
TEST(shift__its_frontier_ends_where_a_restored_till_forgot_its_stream)
{
    struct till t;
    struct line told;
    till_open(&t);
    line_add(&t.l, &(struct draft){1, 11, "shift_opened", "A", "{\"till\":\"T1\"}"});
    line_add(&t.l, &(struct draft){2, 12, "payment_taken", "O1", PAID("250", "A")});
    for (size_t i = 0; i < 2; i++)
        (void)fixture_append(&t.f, &t.l, i, STATUS_PENDING);
    fixture_assert_text(&t.f, "SELECT shift, lane, upto FROM shift_frontier", "A|0|2\n");
    line_init(&told, 1, "BR1");
    told.key = t.l.key;
    told.head.seq = 3; // seq 3 was a ticket
    line_add(&told, &(struct draft){4, 14, "payment_taken", "O1", PAID_AS("2", "70", "A")});
    till_tell(&t, &told);
    fixture_assert_text(&t.f, "SELECT sum(amount) FROM shift_sections WHERE section = 'own'",
                        "320\n");
    fixture_assert_text(&t.f, "SELECT shift, lane, upto FROM shift_frontier", "A|0|2\n");
    fixture_assert_text(&t.f, "SELECT count(*) FROM shift_frontier_events", "1\n");
    line_fini(&told);
    till_close(&t);
}

TEST(shift__late_money_is_told_with_its_date_and_the_difference_stays)
{
    struct world w = {.next_id = 0};
    char close_a[512], close_b[512], origin[UUID_TEXT_SIZE], late[UUID_TEXT_SIZE];
    fixture_open(&w.f, ROLE_CENTRAL);
    for (unsigned i = 0; i <= LINES; i++)
        line_init(&w.lines[i], i + 1, "BR1");
    uuid_format(&w.lines[0].key.origin, origin);
    add(&w, 0, "shift_opened", "A",
        "{\"till\":\"T1\",\"float\":[{\"currency\":\"USD\",\"amount\":5000}]}");
    add(&w, 0, "payment_taken", "O1", PAID("250", "A"));
    add(&w, 1, "payment_taken", "O2", PAID("70", "A")); // by another till, which was away
    struct uuid id = fixture_uuid(3, w.next_id);
    uuid_format(&id, late);
    snprintf(close_a, sizeof close_a,
             "{\"z\":1,\"streams\":[{\"origin\":\"%s\",\"lane\":\"critical\",\"upto\":2}],"
             "\"totals\":[{\"method\":\"cash\",\"currency\":\"USD\",\"amount\":250}],"
             "\"counted\":[{\"currency\":\"USD\",\"amount\":5320}]}",
             origin);
    add(&w, 0, "shift_closed", "A", close_a);
    add(&w, 0, "shift_opened", "B", "{\"till\":\"T1\"}");
    for (int i = 0; i < 2; i++)
        fixture_append_all(&w.f, &w.lines[i], STATUS_SETTLED);
    fixture_assert_text(&w.f,
                        "SELECT expected, counted, difference, late FROM shift_cash"
                        " WHERE shift = 'A'",
                        "5250|5320|70|70\n");
    fixture_assert_text(&w.f, "SELECT said, taken FROM shift_checks", "250|250\n");
    fixture_assert_text(&w.f,
                        "SELECT of_shift, section, amount FROM shift_totals"
                        " WHERE shift IS NULL",
                        "A|waiting|70\n");
    snprintf(close_b, sizeof close_b,
             "{\"z\":2,\"streams\":[],\"events\":[{\"event\":\"%s\"}],"
             "\"totals\":[],\"counted\":[]}",
             late);
    add(&w, 0, "shift_closed", "B", close_b);
    (void)fixture_append(&w.f, &w.lines[0], 4, STATUS_SETTLED);
    fixture_assert_text(&w.f,
                        "SELECT shift, section, of_shift, amount, first_at - 1700000000000 > 0"
                        " FROM shift_totals WHERE section <> 'own'",
                        "B|late|A|70|1\n");
    fixture_assert_verified(&w.f);
    for (int i = 0; i <= LINES; i++)
        line_fini(&w.lines[i]);
    fixture_close(&w.f);
}
