// SPDX-License-Identifier: Apache-2.0
// A record that is written to for years is read from what still matters of it, and loses nothing.
#include "store/sqlite/record_past.h"

#include "test/unit/store/till.h"

#include <stdio.h>
#include <stdlib.h>

enum { MANY = 3 * RECORD_LONG, ID_GUEST = 1000000, ID_JUDGED = 2000000 };

#define READ  "SELECT count(*) FROM record_events"
#define TABLE "SELECT id, status, sync_status FROM floor_tables"
#define TIERS "SELECT code, tier, locale FROM customers"

struct guests { // a customer's record is written to from one till, and by others at times
    struct fixture f;
    struct line l;
    unsigned written;
};

static void make_room(struct line *l)
{
    if (l->count < LINE_MAX_EVENTS)
        return;
    for (size_t i = 0; i < l->count; i++)
        free(l->bytes[i]);
    l->count = 0;
}

static void append_last(struct fixture *f, struct line *l)
{
    (void)fixture_append(f, l, l->count - 1, STATUS_SETTLED);
    arena_reset(&f->arena);
    make_room(l);
}

static void begin(struct guests *g)
{
    *g = (struct guests){.written = 0};
    fixture_open(&g->f, ROLE_CENTRAL);
    line_init(&g->l, 1, "BR1");
}

static void end(struct guests *g)
{
    line_fini(&g->l);
    fixture_close(&g->f);
}

static void writes(struct guests *g, const char *type, const char *record, const char *body)
{
    unsigned n = ++g->written;
    line_add(&g->l, &(struct draft){n, 10 * n, type, record, body});
    append_last(&g->f, &g->l);
}

static void tags(struct guests *g, const char *tier)
{
    char body[64];
    (void)snprintf(body, sizeof body, "{\"tier\":\"%s\"}", tier);
    writes(g, "customer_set", "C1", body);
}

static void speaks(struct guests *g, unsigned times)
{
    char body[64];
    for (unsigned i = 0; i < times; i++) {
        (void)snprintf(body, sizeof body, "{\"locale\":\"l%u\"}", g->written + 1);
        writes(g, "customer_set", "C1", body);
    }
}

static void holds(struct fixture *f)
{
    fixture_assert_verified(f);
    arena_reset(&f->arena);
}

static void is_short(struct fixture *f)
{
    assert_in_range(fixture_number(f, READ), RECORD_LAST, RECORD_LONG + 1);
}

// ---- what is read ------------------------------------------------------------------------------

TEST(record_past__of_a_table_only_the_last_events_are_read)
{
    struct guests g;
    begin(&g);
    for (unsigned n = 1; n <= MANY; n++)
        writes(&g, "table_set", "T5",
               n % 2 ? "{\"status\":\"occupied\"}" : "{\"status\":\"dirty\"}");
    fixture_assert_text(&g.f, TABLE, "T5|dirty|settled\n");
    is_short(&g.f);
    assert_int_equal(fixture_number(&g.f, "SELECT count(*) FROM record_past") +
                         fixture_number(&g.f, READ),
                     MANY);
    holds(&g.f);
    fixture_reopen(&g.f);
    writes(&g, "table_set", "T5", "{\"status\":\"reserved\"}");
    fixture_assert_text(&g.f, TABLE, "T5|reserved|settled\n");
    is_short(&g.f);
    holds(&g.f);
    end(&g);
}

TEST(record_past__a_check_misses_what_is_not_listed)
{
    struct guests g;
    struct store_verdict verdict;
    struct err e = {ERR_OK, ""};
    begin(&g);
    speaks(&g, RECORD_LONG + 1);
    assert_true(fixture_number(&g.f, "SELECT count(*) FROM record_past WHERE lsn = 5") == 1);
    fixture_sql(&g.f, "DELETE FROM record_past WHERE lsn = 5");
    assert_int_equal(fixture_verify(g.f.store, &g.f.arena, &verdict, &e), ERR_OK);
    assert_false(verdict.refold_equal);
    end(&g);
}

TEST(record_past__a_field_that_was_written_long_ago_stands)
{
    struct guests g;
    begin(&g);
    tags(&g, "gold");
    speaks(&g, MANY);
    is_short(&g.f);
    fixture_reopen(&g.f);
    speaks(&g, 1);
    fixture_assert_text(&g.f, TIERS, "C1|gold|l1538\n");
    holds(&g.f);
    end(&g);
}

// An order is folded from all of its events: who changed a line without having seen another is
// asked about, however long ago.
TEST(record_past__other_types_are_read_whole)
{
    struct guests g;
    begin(&g);
    writes(&g, "order_opened", "O1", "{\"kind\":\"dine_in\",\"currency\":\"USD\",\"places\":2}");
    for (unsigned n = 1; n < MANY; n++)
        writes(&g, "order_set", "O1", "{\"field\":\"note\",\"value\":\"by the door\"}");
    assert_int_equal(fixture_number(&g.f, READ), MANY);
    end(&g);
}

// ---- what reaches back -------------------------------------------------------------------------

TEST(record_past__what_a_till_wrote_that_was_offline_is_placed_where_it_belongs)
{
    struct guests g;
    struct line other;
    begin(&g);
    line_init(&other, 2, "BR1");
    tags(&g, "gold");
    tags(&g, "silver");
    speaks(&g, MANY);
    is_short(&g.f);
    line_add(&other, &(struct draft){ID_GUEST, 15, "customer_set", "C1", "{\"tier\":\"lead\"}"});
    append_last(&g.f, &other);
    fixture_assert_text(&g.f, TIERS, "C1|silver|l1538\n");
    assert_int_equal(fixture_number(&g.f, READ), MANY + 3); // until others have seen it
    line_add(&other, &(struct draft){.id = ID_GUEST + 1,
                                     .ms = 16, // its clock is behind; it has seen the second
                                     .type = "customer_set",
                                     .record = "C1",
                                     .body = "{\"tier\":\"tin\"}",
                                     .base = 2});
    append_last(&g.f, &other);
    fixture_assert_text(&g.f, TIERS, "C1|tin|l1538\n");
    holds(&g.f);
    line_fini(&other);
    end(&g);
}

TEST(record_past__gets_short_again_when_others_have_seen_what_came_late)
{
    struct guests g;
    struct line other;
    begin(&g);
    line_init(&other, 2, "BR1");
    speaks(&g, MANY);
    line_add(&other, &(struct draft){ID_GUEST, 15, "customer_set", "C1", "{\"tier\":\"lead\"}"});
    append_last(&g.f, &other);
    assert_int_equal(fixture_number(&g.f, READ), MANY + 1);
    g.written++;
    line_add(&g.l, &(struct draft){.id = g.written,
                                   .ms = 10 * g.written,
                                   .type = "customer_set",
                                   .record = "C1",
                                   .body = "{\"locale\":\"fr\"}",
                                   .base = ID_GUEST});
    append_last(&g.f, &g.l);
    speaks(&g, 3 * RECORD_LAST);
    is_short(&g.f);
    holds(&g.f);
    line_fini(&other);
    end(&g);
}

static void judges(struct guests *g, struct line *centre, unsigned target, const char *outcome)
{
    char body[256], text[UUID_TEXT_SIZE];
    struct uuid id = fixture_uuid(3, target);
    uuid_format(&id, text);
    (void)snprintf(body, sizeof body,
                   "{\"target\":\"%s\",\"outcome\":\"%s\",\"reason\":\"completed_twice\","
                   "\"term\":1}",
                   text, outcome);
    line_add(centre, &(struct draft){.id = ID_JUDGED + target,
                                     .ms = 10 * g->written + 5,
                                     .type = "event_judged",
                                     .record = "C1",
                                     .body = body,
                                     .on = "customer"});
    append_last(&g->f, centre);
}

TEST(record_past__what_a_judgement_takes_back_lets_an_older_write_stand_again)
{
    struct guests g;
    struct line centre;
    begin(&g);
    line_init(&centre, 3, "BR1");
    tags(&g, "gold");
    tags(&g, "silver");
    speaks(&g, MANY);
    fixture_reopen(&g.f);
    judges(&g, &centre, 2, "duplicate");
    fixture_assert_text(&g.f, TIERS, "C1|gold|l1538\n");
    holds(&g.f);
    line_fini(&centre);
    end(&g);
}

TEST(record_past__another_carrier_of_what_is_past_counts_once)
{
    struct guests g;
    struct line other;
    begin(&g);
    line_init(&other, 2, "BR1");
    tags(&g, "gold");
    speaks(&g, MANY);
    line_add(&other, &(struct draft){1, 5, "customer_set", "C1", "{\"tier\":\"gold\"}"});
    append_last(&g.f, &other);
    fixture_assert_text(&g.f, TIERS, "C1|gold|l1537\n");
    holds(&g.f);
    line_fini(&other);
    end(&g);
}

// ---- at a till ---------------------------------------------------------------------------------

#define ACKED_AT INT64_C(1760000100000)
#define KEPT                                                                                       \
    "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM record_past),"                    \
    " (SELECT count(*) FROM told_events) = (SELECT count(*) FROM record_events) - 1"

static void till_tags(struct till *t, unsigned n, const char *tier)
{
    char body[64];
    (void)snprintf(body, sizeof body, "{\"tier\":\"%s\",\"locale\":\"l%u\"}", tier, n);
    line_add(&t->l, &(struct draft){n, 10 * n, "customer_set", "C1", body});
    (void)fixture_append(&t->f, &t->l, t->l.count - 1, STATUS_PENDING);
    arena_reset(&t->f.arena);
    make_room(&t->l);
}

static void till_settle(struct till *t, unsigned n)
{
    assert_int_equal(fixture_ack(&t->f, &t->l, n, n, ACKED_AT), ERR_OK);
    till_include(t, &t->l, n);
}

// What is no longer read is not copied to what was told when it leaves the journal.
TEST(record_past__a_till_drops_its_own_that_are_no_longer_read)
{
    struct till t;
    till_open(&t);
    for (unsigned n = 1; n <= MANY; n++)
        till_tags(&t, n, "gold");
    till_settle(&t, MANY);
    assert_int_equal(till_prune(&t, INT64_MAX, 100), MANY - 1);
    fixture_assert_text(&t.f, KEPT, "1|0|1\n");
    is_short(&t.f);
    fixture_assert_text(&t.f, TIERS, "C1|gold|l1536\n");
    till_assert_whole(&t, MANY - 1);
    till_reopen(&t);
    till_tags(&t, MANY + 1, "tin");
    fixture_assert_text(&t.f, TIERS, "C1|tin|l1537\n");
    till_assert_whole(&t, MANY - 1);
    assert_int_equal(store_rebuild(t.f.store, NULL, NULL, NULL), ERR_OK);
    fixture_assert_text(&t.f, TIERS, "C1|tin|l1537\n");
    till_close(&t);
}

TEST(record_past__a_record_in_memory_follows_what_is_pruned)
{
    struct till t;
    struct line other;
    till_open(&t);
    line_init(&other, 2, "BR1");
    line_add(&other, &(struct draft){ID_GUEST, 5, "customer_set", "C1", "{\"tier\":\"lead\"}"});
    for (unsigned n = 1; n <= RECORD_LONG; n++)
        till_tags(&t, n, "gold");
    till_settle(&t, RECORD_LONG);
    assert_int_equal(till_prune(&t, INT64_MAX, 100), RECORD_LONG - 1);
    for (unsigned n = RECORD_LONG + 1; n <= 2 * RECORD_LONG; n++)
        till_tags(&t, n, "tin");
    is_short(&t.f);
    till_tell(&t, &other); // reaches back
    fixture_assert_text(&t.f, TIERS, "C1|tin|l1024\n");
    till_assert_whole(&t, RECORD_LONG - 1);
    line_fini(&other);
    till_close(&t);
}

TEST(record_past__a_till_drops_what_it_was_told_when_it_is_old_and_no_longer_read)
{
    struct till t;
    struct line other;
    int64_t middle = INT64_C(1760000000000) + MANY * 10 / 2;
    till_open(&t);
    line_init(&other, 2, "BR1");
    for (unsigned n = 1; n <= MANY; n++) {
        line_add(&other, &(struct draft){n, 10 * n, "customer_set", "C1", "{\"tier\":\"gold\"}"});
        if (other.count == LINE_MAX_EVENTS - 1 || n == MANY) {
            till_tell(&t, &other);
            for (size_t i = 0; i < other.count; i++)
                free(other.bytes[i]);
            other.count = 0;
            arena_reset(&t.f.arena);
        }
    }
    is_short(&t.f);
    assert_int_equal(till_prune(&t, middle, 100), 0);
    fixture_assert_text(&t.f, "SELECT min(number) FROM told_events", "768\n");
    assert_int_equal(till_prune(&t, INT64_MAX, 100), 0);
    assert_int_equal(fixture_number(&t.f, "SELECT count(*) FROM record_past"), 0);
    assert_int_equal(fixture_number(&t.f, "SELECT count(*) FROM told_events"),
                     fixture_number(&t.f, READ));
    fixture_assert_text(&t.f, TIERS, "C1|gold|NULL\n");
    till_assert_whole(&t, 0);
    line_fini(&other);
    till_close(&t);
}
