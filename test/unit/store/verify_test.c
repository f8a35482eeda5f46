// SPDX-License-Identifier: Apache-2.0
// Whoever edits the file is found; a rebuild gives back what the journal says.
#include "test/unit/store/fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct shop {
    struct fixture f;
    struct line a, b;
};

static void shop_open(struct shop *s)
{
    fixture_open(&s->f, ROLE_CENTRAL);
    line_init(&s->a, 1, "BR1");
    line_init(&s->b, 2, "BR2");
    line_ticket(&s->a, 1, 10, "T-1", "rice");
    line_ticket(&s->a, 2, 11, "T-2", "oil");
    line_ticket(&s->a, 3, 12, "T-2", "tea"); // a conflict
    line_add(&s->a, &(struct draft){4, 13, "unknown", "x", "{}"});
    line_sell(&s->a, 5, 14, "rice", "0.5");
    line_sell(&s->a, 5, 15, "rice", "0.5"); // a duplicate
    line_sell(&s->b, 6, 16, "rice", "3");
    line_add(&s->b, &(struct draft){7, 17, "location_set", "BR2", "{\"name\":\"Two\"}"});
    line_sell(&s->b, 8, 18, "salt", "1");
    fixture_append_all(&s->f, &s->a, STATUS_SETTLED);
    fixture_append_all(&s->f, &s->b, STATUS_SETTLED);
    fixture_reopen(&s->f);
}

static void shop_close(struct shop *s)
{
    line_fini(&s->a);
    line_fini(&s->b);
    fixture_close(&s->f);
}

// A ticket of many lines of one SKU and no price.
static void add_giveaway(struct line *l, unsigned id, int lines, const char *quantity)
{
    struct buf body;
    char ticket[16];
    (void)snprintf(ticket, sizeof ticket, "G-%u", id);
    buf_init(&body, LIMIT_EVENT_BYTES);
    assert_int_equal(buf_append_format(&body,
                                       "{\"ticket\":\"%s\",\"kind\":\"sale\",\"currency\":\"LBP\","
                                       "\"places\":0,\"total\":0,\"payments\":[],\"lines\":[",
                                       ticket),
                     ERR_OK);
    for (int i = 1; i <= lines; i++)
        assert_int_equal(buf_append_format(&body,
                                           "%s{\"n\":%d,\"sku\":\"X\",\"quantity\":\"%s\","
                                           "\"unit_price\":\"0\",\"amount\":0}",
                                           i > 1 ? "," : "", i, quantity),
                         ERR_OK);
    assert_int_equal(buf_append_format(&body, "]}"), ERR_OK);
    line_add(l, &(struct draft){id, 10 + id, "ticket_recorded", ticket, body.data});
    buf_fini(&body);
}

static void add_total(struct line *l, unsigned id, const char *currency, int places, int64_t total)
{
    char ticket[16], body[512];
    (void)snprintf(ticket, sizeof ticket, "V-%u", id);
    (void)snprintf(body, sizeof body,
                   "{\"ticket\":\"%s\",\"kind\":\"sale\",\"currency\":\"%s\",\"places\":%d,"
                   "\"total\":%lld,\"payments\":[],\"lines\":[{\"n\":1,\"sku\":\"Y\","
                   "\"quantity\":\"1\",\"unit_price\":\"%lld\",\"amount\":%lld}]}",
                   ticket, currency, places, (long long)total,
                   (long long)(places == 0 ? total : total / 100), (long long)total);
    line_add(l, &(struct draft){id, 10 + id, "ticket_recorded", ticket, body});
}

// SQLite's sum() fails beyond 64 bits: such rows would keep everybody from verifying. No few events
// give them, an edit does.
TEST(verify__tells_totals_beyond_64_bits)
{
    enum { TICKETS = 5 };
    struct fixture f;
    struct line l;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 1, "BR1");
    for (unsigned i = 1; i <= TICKETS; i++)
        add_giveaway(&l, i, 1, "1");
    add_giveaway(&l, TICKETS + 1, 1, "-0.5");
    fixture_append_all(&f, &l, STATUS_SETTLED);
    fixture_sql(&f, "UPDATE ticket_lines SET quantity = 9000000000000000000 WHERE quantity > 0");
    struct store_verdict v = fixture_verdict(&f);
    const __int128 wanted = (__int128)TICKETS * 9000000000000000000 - 5000;
    assert_true(v.quantity == wanted);
    assert_false(v.refold_equal);
    line_fini(&l);
    fixture_close(&f);
}

// A chain may change the places of its currency: one currency has one total all the same. Foreign
// codes, however many, hide none.
TEST(verify__tells_one_total_for_each_currency)
{
    struct fixture f;
    struct line l;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 1, "BR1");
    add_total(&l, 1, "LBP", 0, 150000);
    add_total(&l, 2, "LBP", 2, 700);
    add_total(&l, 3, "LBP", 0, -1);
    for (unsigned i = 0; i < 20; i++) {
        char code[4] = {'A', 'A', (char)('A' + i), '\0'};
        add_total(&l, 4 + i, code, 2, 100);
    }
    fixture_append_all(&f, &l, STATUS_SETTLED);
    struct store_verdict v = fixture_verdict(&f);
    assert_int_equal(v.value_count, 21);
    assert_string_equal(v.value[20].currency, "LBP");
    assert_int_equal(v.value[20].places, 2);
    assert_true(v.value[20].amount == 15000600);
    assert_int_equal(v.tickets, 23);
    line_fini(&l);
    fixture_close(&f);
}

TEST(verify__tells_an_edit_of_the_places)
{
    struct shop s;
    shop_open(&s);
    fixture_sql(&s.f, "UPDATE tickets SET places = 4000000000 WHERE number = 'T-1'");
    struct store_verdict v = fixture_verdict(&s.f);
    assert_false(v.refold_equal);
    for (size_t i = 0; i < v.value_count; i++)
        assert_in_range(v.value[i].places, 0, 4);
    shop_close(&s);
}

TEST(verify__counts_what_is_there)
{
    struct shop s;
    shop_open(&s);
    struct store_verdict v = fixture_verdict(&s.f);
    assert_int_equal(v.events, 8);
    assert_int_equal(v.duplicates, 1);
    assert_int_equal(v.tickets, 2);
    assert_int_equal(v.lines, 4);
    assert_int_equal(v.value_count, 1);
    assert_string_equal(v.value[0].currency, "USD");
    assert_int_equal(v.value[0].amount, 700);
    assert_int_equal(v.quantity, 60000);
    assert_int_equal(v.gaps, 0);
    assert_int_equal(v.chain_errors, 0);
    assert_true(v.refold_equal);
    assert_int_equal(v.first_problem.n, 0);
    shop_close(&s);
}

struct edit {
    const char *sql;
    bool chain; // shows as a wrong chain
    bool gap;
    bool fold; // shows as another fold
};
static const struct edit edits[] = {
    {"UPDATE journal SET bytes = replace(bytes, '\"0.5\"', '\"0.6\"') WHERE lsn = 5", true, false,
     true},
    {"UPDATE journal SET chain = zeroblob(32) WHERE lsn = 2", true, false, false},
    {"UPDATE journal SET chain = zeroblob(32) WHERE lsn = 9", true, false, false},
    {"UPDATE journal SET id = zeroblob(16) WHERE lsn = 7", false, false, true},
    {"DELETE FROM journal WHERE lsn = 5", false, true, true},
    {"DELETE FROM journal WHERE lsn = 1", false, true, true},
    {"DELETE FROM journal WHERE lsn = 9", false, true, true},
    {"DELETE FROM journal WHERE origin = (SELECT origin FROM journal WHERE lsn = 9)", false, true,
     true},
    {"UPDATE journal SET status = 'settled' WHERE lsn = 3", false, false, true},
    {"UPDATE journal SET status = 'duplicate' WHERE lsn = 7", false, false, true},
    {"UPDATE journal SET lsn = 77 WHERE lsn = 8", false, true, true},
    {"UPDATE stock SET quantity = quantity - 1 WHERE sku = 'rice' AND location = 'BR2'", false,
     false, true},
    {"DELETE FROM stock WHERE sku = 'salt'", false, false, true},
    {"INSERT INTO stock (location, sku, quantity) VALUES ('BR9', 'gold', 5)", false, false, true},
    {"UPDATE tickets SET total = 1 WHERE id = 'T-1'", false, false, true},
    {"UPDATE ticket_lines SET quantity = quantity + 1 WHERE number = 2", false, false, true},
    {"DELETE FROM ticket_payments", false, false, true},
    {"UPDATE ticket_payments SET method = 'card'", false, false, true},
    {"UPDATE locations SET name = 'Too'", false, false, true},
    {"DELETE FROM event_ids WHERE lsn = 6", false, false, true},
    {"UPDATE event_ids SET key = key + 1 WHERE lsn = 6", false, false, true},
    {"UPDATE event_ids SET key = key + 1 WHERE lsn = (SELECT lsn FROM journal WHERE status = "
     "'duplicate')",
     false, false, true},
    {"UPDATE event_ids SET lsn = 99 WHERE lsn = (SELECT lsn FROM journal WHERE status = "
     "'duplicate')",
     false, false, true},
    {"DELETE FROM claims", false, false, true},
    {"UPDATE streams SET head_seq = 2 WHERE number = 2", true, false, false},
    {"DELETE FROM extents WHERE stream = 2", false, false, true},
};

TEST(verify__finds_every_edit)
{
    for (size_t i = 0; i < COUNT_OF(edits); i++) {
        struct shop s;
        shop_open(&s);
        fixture_sql(&s.f, edits[i].sql);
        fixture_reopen(&s.f);
        struct store_verdict v = fixture_verdict(&s.f);
        if (v.first_problem.n == 0)
            fail_msg("not found: %s", edits[i].sql);
        if ((v.chain_errors > 0) < edits[i].chain || (v.gaps > 0) < edits[i].gap ||
            !v.refold_equal < edits[i].fold)
            fail_msg("%s: chain errors %d, gaps %d, equal %d: %s", edits[i].sql,
                     (int)v.chain_errors, (int)v.gaps, v.refold_equal, v.first_problem.p);
        shop_close(&s);
    }
}

TEST(verify__an_edit_shows_in_one_row_only)
{
    struct shop s;
    shop_open(&s);
    fixture_sql(&s.f, "UPDATE journal SET bytes = bytes || ' ' WHERE lsn = 2");
    assert_int_equal(fixture_verdict(&s.f).chain_errors, 1);
    shop_close(&s);
}

TEST(verify__checks_seals_with_the_key_of_their_device)
{
    struct fixture f;
    struct line l, admin;
    struct sign_key key, wrong;
    struct err e = {ERR_OK, ""};
    char device[UUID_TEXT_SIZE], hex[65], body[256], chain_text[UUID_TEXT_SIZE];
    uint8_t seed[SIGN_SEED_SIZE] = {7};
    struct uuid chain = fixture_uuid(5, 5);
    sign_key_from_seed(seed, &key);
    seed[0] = 8;
    sign_key_from_seed(seed, &wrong);
    fixture_open(&f, ROLE_CENTRAL);
    uuid_format(&chain, chain_text);
    assert_int_equal(store_meta_set(f.store, "chain", str_of(chain_text), &e), ERR_OK);
    line_init(&l, 1, "BR1");
    line_init(&admin, 2, "hq");
    admin.own = true;
    line_sell(&l, 1, 10, "rice", "1");
    line_sell(&l, 2, 11, "rice", "1");
    struct stream_info info = {.key = l.key, .device = l.device, .location = "BR1"};
    info.certificate = certificate_make(&key, &chain, &l.key.origin, &l.device, STR("BR1"));
    assert_int_equal(store_stream_add(f.store, &info, &e), ERR_OK);
    uuid_format(&l.device, device);
    str_to_hex(hex, key.public_key.b, sizeof key.public_key.b);
    (void)snprintf(body, sizeof body, "{\"role\":\"terminal\",\"location\":\"BR1\",\"key\":\"%s\"}",
                   hex);
    line_add(&admin, &(struct draft){9, 1, "device_enrolled", device, body});
    fixture_append_all(&f, &admin, STATUS_SETTLED);
    fixture_append_all(&f, &l, STATUS_HELD);
    fixture_assert_text(&f, "SELECT status FROM journal WHERE location = 'BR1'", "held\nheld\n");
    struct seal seal = seal_make(&key, &chain, &l.key, &l.marks[1]);
    assert_int_equal(store_seal_put(f.store, &seal, &e), ERR_OK);
    fixture_assert_text(&f, "SELECT status FROM journal WHERE location = 'BR1'",
                        "settled\nsettled\n");
    assert_int_equal(fixture_verdict(&f).chain_errors, 0);
    seal = seal_make(&wrong, &chain, &l.key, &l.marks[1]);
    assert_int_equal(store_seal_put(f.store, &seal, &e), ERR_OK);
    assert_int_equal(fixture_verdict(&f).chain_errors, 1);
    seal = seal_make(&key, &chain, &l.key, &l.marks[1]);
    assert_int_equal(store_seal_put(f.store, &seal, &e), ERR_OK);
    assert_int_equal(fixture_verdict(&f).chain_errors, 0);
    fixture_sql(&f, "UPDATE streams SET certificate = zeroblob(64) WHERE own = 0");
    assert_int_equal(fixture_verdict(&f).chain_errors, 1);
    struct device_record record;
    assert_int_equal(store_device_find(f.store, &l.device, &record), ERR_OK);
    assert_string_equal(record.location, "BR1");
    assert_false(record.revoked);
    line_fini(&l);
    line_fini(&admin);
    fixture_close(&f);
}

TEST(rebuild__gives_back_what_the_journal_says)
{
    static const char *const damage[] = {"DELETE FROM tickets",
                                         "DELETE FROM ticket_lines",
                                         "DELETE FROM ticket_payments",
                                         "UPDATE stock SET quantity = 5, moves = 9",
                                         "DELETE FROM event_ids",
                                         "DELETE FROM claims",
                                         "UPDATE locations SET name = 'x'",
                                         "DELETE FROM reviews",
                                         "UPDATE events SET state = 0 WHERE lsn IN (3, 6)"};
    struct shop s;
    struct err e = {ERR_OK, ""};
    shop_open(&s);
    char *before = fixture_canonical(&s.f);
    for (size_t i = 0; i < COUNT_OF(damage); i++)
        fixture_sql(&s.f, damage[i]);
    fixture_reopen(&s.f);
    if (store_rebuild(s.f.store, NULL, NULL, &e))
        fail_msg("%s", e.text);
    char *after = fixture_canonical(&s.f);
    assert_string_equal(before, after);
    assert_int_equal(fixture_verdict(&s.f).first_problem.n, 0);
    free(before);
    free(after);
    shop_close(&s);
}

TEST(dead_letters__are_folded_once_they_can_be)
{
    struct shop s;
    struct err e = {ERR_OK, ""};
    uint64_t folded = 0, left = 0;
    shop_open(&s);
    assert_int_equal(store_dead_letters_retry(s.f.store, &folded, &left, &e), ERR_OK);
    assert_int_equal(folded, 0);
    assert_int_equal(left, 1);
    // As if an older program had not known inventory_sold when row 9 came.
    fixture_sql(&s.f, "UPDATE events SET state = 5 WHERE lsn = 9;"
                      "INSERT INTO dead VALUES (9, 'unknown type', 1, 0);"
                      "DELETE FROM stock WHERE sku = 'salt'");
    fixture_reopen(&s.f);
    assert_int_equal(store_dead_letters_retry(s.f.store, &folded, &left, &e), ERR_OK);
    assert_int_equal(folded, 1);
    assert_int_equal(left, 1);
    fixture_assert_text(&s.f, "SELECT quantity FROM stock WHERE sku = 'salt'", "-10000\n");
    fixture_assert_text(&s.f, "SELECT status FROM journal WHERE lsn = 9", "settled\n");
    assert_int_equal(fixture_verdict(&s.f).first_problem.n, 0);
    shop_close(&s);
}

// Under the sanitizers a sum that overflows, or a lane that no table has a row for, ends the test.
TEST(verify__an_edit_of_a_position_or_a_lane_breaks_no_reader)
{
    static const char *const odd[] = {
        "UPDATE streams SET lane = 9223372036854775807 WHERE number = 1",
        "UPDATE streams SET lane = -1 WHERE number = 1",
        "UPDATE streams SET head_seq = 9223372036854775807",
        "UPDATE streams SET since = -9223372036854775807",
        "UPDATE OR IGNORE streams SET number = 9223372036854775807",
        "UPDATE OR IGNORE extents SET seq = -9223372036854775807",
        "UPDATE OR IGNORE extents SET lsn = 9223372036854775807",
        "UPDATE OR IGNORE extents SET lsn = -9223372036854775807",
    };
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        struct shop s;
        struct err e = {ERR_OK, ""};
        struct store_counts counts;
        struct store_event_list list;
        struct store_verdict verdict = {.refold_equal = false};
        enum event_status ignored;
        shop_open(&s);
        fixture_sql(&s.f, odd[i]);
        store_close(s.f.store);
        s.f.store = NULL;
        struct store_options options = fixture_options(&s.f);
        if (store_open(&options, &s.f.store, &e) != ERR_OK) {
            shop_close(&s);
            continue;
        }
        (void)!store_counts(s.f.store, &counts, &e);
        assert_int_equal(store_read_journal(s.f.store, 0,
                                            &(struct store_page){500, SIZE_MAX, &s.f.arena}, &list,
                                            &e),
                         ERR_OK);
        for (size_t n = 0; n < list.count; n++)
            assert_in_range(list.items[n].key.lane, 0, LANE_COUNT - 1);
        enum err_code code = fixture_verify(s.f.store, &s.f.arena, &verdict, &e);
        bool found = code == ERR_DAMAGED || (code == ERR_OK && verdict.first_problem.n > 0);
        assert_true(found || strstr(odd[i], "since") != NULL); // a time of arrival: only told
        line_sell(&s.b, 9, 19, "salt", "1");
        (void)!fixture_try(&s.f, &s.b, s.b.count - 1, STATUS_SETTLED, &ignored, &e);
        shop_close(&s);
    }
}

// SQLite 3.40 takes values of such a table for NULL.
TEST(verify__no_table_with_an_index_ends_with_a_column_of_its_key)
{
    struct fixture f;
    fixture_open(&f, ROLE_CENTRAL);
    fixture_assert_text(
        &f,
        "SELECT name FROM sqlite_schema AS t WHERE type = 'table' AND sql LIKE '%WITHOUT ROWID%'"
        " AND EXISTS (SELECT 1 FROM sqlite_schema AS i WHERE i.type = 'index' AND i.sql IS NOT NULL"
        " AND i.tbl_name = t.name)"
        " AND (SELECT pk FROM pragma_table_info(t.name) ORDER BY cid DESC LIMIT 1) > 0"
        " AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) WHERE pk = 0 AND \"notnull\")",
        "");
    fixture_close(&f);
}

// The fold reads tables from end to end: that an index no longer leads to a row it would not see.
TEST(verify__finds_an_index_that_leads_elsewhere)
{
    struct shop s;
    char path[128];
    shop_open(&s);
    off_t page = (off_t)fixture_number(&s.f, "SELECT page_size FROM pragma_page_size");
    off_t root = (off_t)fixture_number(
        &s.f, "SELECT rootpage FROM sqlite_schema WHERE name = 'tickets_key'");
    store_close(s.f.store); // which brings the log home
    s.f.store = NULL;
    (void)snprintf(path, sizeof path, "%s/wasl.db", s.f.dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    char last = 0; // byte of the index's oldest entry: of the row that it leads to
    assert_int_equal(pread(fd, &last, 1, root * page - 1), 1);
    last ^= 16;
    assert_int_equal(pwrite(fd, &last, 1, root * page - 1), 1);
    assert_int_equal(close(fd), 0);
    fixture_reopen(&s.f);
    struct store_verdict v = fixture_verdict(&s.f);
    assert_false(v.refold_equal);
    assert_true(str_starts(v.first_problem, STR("wasl.db: ")));
    shop_close(&s);
}
