// SPDX-License-Identifier: Apache-2.0
#include "cli/friday.h"
#include "base/decimal.h"
#include "cli/ticket_event.h"
#include "test/unit/cli/cli_fixture.h"

#include <stdlib.h>
#include <string.h>

static struct friday f;

static void begin(uint64_t seed, uint32_t locations, uint32_t tills)
{
    assert_int_equal(friday_init(&f, seed, locations, tills), ERR_OK);
}

// The hash of a whole day: bodies, ids, places and times.
static struct hash hash_day(uint64_t seed, int64_t midnight_ms)
{
    struct hash_state state;
    struct ticket t;
    struct buf b;
    struct err e = {0};
    buf_init(&b, TICKET_BODY_MAX);
    hash_begin(&state);
    begin(seed, 3, 2);
    if (midnight_ms != 0) {
        friday_set_day(&f, midnight_ms);
    }
    while (friday_next(&f, &t)) {
        buf_reset(&b);
        if (ticket_event_write(&t, &b, &e) != ERR_OK) {
            fail_msg("%s", e.text);
        }
        hash_update(&state, buf_str(&b));
        hash_update(&state, t.location);
        hash_update(&state, str_make(t.event_id.b, sizeof(t.event_id.b)));
        hash_update(&state, str_make(&t.at_ms, sizeof(t.at_ms)));
    }
    friday_fini(&f);
    buf_fini(&b);
    return hash_end(&state);
}

TEST(friday__is_the_same_for_a_seed_and_another_for_another)
{
    struct hash a = hash_day(1, 0);
    struct hash again = hash_day(1, 0);
    struct hash b = hash_day(2, 0);
    struct hash next_week = hash_day(1, INT64_C(1760043600000));
    assert_true(hash_equal(&a, &again));
    assert_false(hash_equal(&a, &b));
    assert_false(hash_equal(&a, &next_week));
}

TEST(friday__never_changes_between_versions)
{
    char text[HASH_TEXT_SIZE];
    struct hash a = hash_day(1, 0);
    hash_format(&a, text);
    assert_string_equal(text, "59f9b4b4ae50401cde04d78f97b0bd2e3625175a3172dbfa2920e55bd001b6a9");
}

TEST(friday__gives_tickets_in_time_order_with_two_rushes)
{
    unsigned per_hour[26] = {0};
    struct ticket t;
    int64_t last_ms = 0;
    begin(3, 7, 3);
    int64_t midnight_ms = f.day_ms;
    while (friday_next(&f, &t)) {
        assert_true(t.at_ms >= last_ms);
        last_ms = t.at_ms;
        int64_t hour = (t.at_ms - midnight_ms) / 3600000;
        assert_in_range(hour, 7, 25);
        per_hour[hour]++;
    }
    friday_fini(&f);
    assert_true(per_hour[13] > 2 * per_hour[11] && per_hour[13] > 2 * per_hour[16]);
    assert_true(per_hour[14] > 2 * per_hour[16]);
    assert_true(per_hour[21] > 2 * per_hour[17] && per_hour[21] > 2 * per_hour[23]);
    assert_in_range(f.count, 7 * 400, 7 * 520);
}

TEST(friday__numbers_receipts_without_gap_per_till)
{
    enum { LOCATIONS = 4, TILLS = 3 };
    unsigned last[LOCATIONS][TILLS] = {0};
    struct ticket t;
    begin(4, LOCATIONS, TILLS);
    while (friday_next(&f, &t)) {
        char id[FRIDAY_TEXT_MAX];
        char no[FRIDAY_TEXT_MAX];
        unsigned location = (unsigned)(t.no.p[3] - '1');
        unsigned till = (unsigned)(t.no.p[7] - '1');
        assert_in_range(location, 0, LOCATIONS - 1);
        assert_in_range(till, 0, TILLS - 1);
        (void)snprintf(no, sizeof(no), "BR0%u-T0%u-%06u", location + 1, till + 1,
                       ++last[location][till]);
        assert_true(str_is(t.no, no));
        friday_location_id(location, id);
        assert_true(str_is(t.location, id));
        assert_int_equal(t.till.n, 3);
        assert_memory_equal(t.till.p, t.no.p + 5, 3);
    }
    friday_fini(&f);
    for (unsigned i = 0; i < LOCATIONS * TILLS; i++) {
        assert_true(last[i / TILLS][i % TILLS] > 20);
    }
}

struct mix {
    unsigned kinds[3];
    unsigned tables;
    unsigned takeaway;
    unsigned cards;
    unsigned pounds;
    unsigned both;
    unsigned lines[FRIDAY_LINES_MAX + 1];
};

static void count_mix(const struct ticket *t, struct mix *m)
{
    m->kinds[t->kind]++;
    assert_in_range(t->line_count, 1, FRIDAY_LINES_MAX);
    if (t->kind == TICKET_SALE) {
        m->lines[t->line_count]++;
        t->table.n > 0 ? m->tables++ : m->takeaway++;
        m->cards += str_is(t->payment, "card");
        m->pounds += t->payment_count == 1 && t->payments[0].tendered_currency.n > 0;
        m->both += t->payment_count == 2;
    }
    for (size_t i = 0; i < t->line_count; i++) {
        assert_true((t->lines[i].quantity < 0) == (t->kind != TICKET_SALE));
        assert_true(t->lines[i].unit_price > 0);
    }
    for (size_t i = 0; i < t->payment_count; i++) {
        if (t->payments[i].tendered_currency.n > 0) {
            assert_int_equal(t->payments[i].tendered_amount % 5000, 0);
            assert_in_range(t->payments[i].tendered_amount + 2500,
                            (uint64_t)t->payments[i].amount * 895,
                            (uint64_t)t->payments[i].amount * 895 + 5000);
        }
    }
}

TEST(friday__mixes_tables_takeaway_payments_and_a_few_undone_tickets)
{
    struct mix m = {0};
    struct ticket t;
    begin(5, 18, 2);
    friday_set_scale(&f, 300);
    while (friday_next(&f, &t)) {
        count_mix(&t, &m);
    }
    unsigned sales = m.kinds[TICKET_SALE];
    unsigned undone = m.kinds[TICKET_CANCELLATION] + m.kinds[TICKET_RETURN];
    assert_int_equal(f.count, sales + undone);
    assert_true(sales > 0 && undone > 0);
    assert_in_range(undone * 1000, f.count * 12, f.count * 18);
    assert_in_range(m.kinds[TICKET_CANCELLATION] * 100, undone * 40, undone * 60);
    assert_true(m.tables > sales / 4 && m.takeaway > sales / 4);
    assert_in_range(m.cards * 100, sales * 35, sales * 45);
    assert_in_range(m.pounds * 100, sales * 17, sales * 25);
    assert_in_range(m.both * 100, sales * 10, sales * 18);
    for (size_t i = 1; i <= FRIDAY_LINES_MAX; i++) {
        assert_true(m.lines[i] > 0);
    }
    friday_fini(&f);
}

TEST(friday__undoes_only_what_was_sold_before)
{
    // A chain of one till: every cancellation repeats an earlier ticket's lines with the sign
    // turned.
    enum { SEEN = 4000 };
    static int64_t sold[SEEN];
    size_t count = 0;
    size_t cancelled = 0;
    struct ticket t;
    begin(6, 1, 1);
    friday_set_scale(&f, 500);
    while (friday_next(&f, &t)) {
        int64_t total = 0;
        assert_int_equal(ticket_event_total(&t, &total), ERR_OK);
        if (t.kind == TICKET_SALE && count < SEEN) {
            sold[count++] = total;
        } else if (t.kind == TICKET_CANCELLATION) {
            bool found = false;
            for (size_t i = 0; i < count; i++) {
                found = found || sold[i] == -total;
            }
            assert_true(found);
            cancelled++;
        }
    }
    friday_fini(&f);
    assert_true(cancelled > 5);
}

TEST(friday__sells_everything_on_the_menu)
{
    size_t count = 0;
    const struct friday_item *menu = friday_menu(&count);
    bool *seen = calloc(count, sizeof(*seen));
    struct ticket t;
    assert_non_null(seen);
    begin(8, 5, 2);
    while (friday_next(&f, &t)) {
        for (size_t i = 0; i < t.line_count; i++) {
            for (size_t j = 0; j < count; j++) {
                seen[j] = seen[j] || str_is(t.lines[i].sku, menu[j].sku);
            }
        }
    }
    friday_fini(&f);
    for (size_t j = 0; j < count; j++) {
        if (!seen[j]) {
            fail_msg("%s was never sold", menu[j].sku);
        }
    }
    free(seen);
}

static bool is_arabic(const char *text)
{
    return (unsigned char)text[0] >= 0xd8 && (unsigned char)text[0] <= 0xdb;
}

TEST(friday__has_a_menu_and_places_in_two_languages)
{
    size_t items = 0;
    size_t places = 0;
    const struct friday_item *menu = friday_menu(&items);
    const struct friday_place *place = friday_places(&places);
    assert_in_range(items, 75, 100);
    for (size_t i = 0; i < items; i++) {
        assert_true(str_is_utf8(str_of(menu[i].name_ar)) && is_arabic(menu[i].name_ar));
        assert_true(menu[i].price > 0 && strlen(menu[i].name_en) > 0);
        assert_true(i == 0 || menu[i].category >= menu[i - 1].category);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(menu[i].sku, menu[j].sku);
            assert_string_not_equal(menu[i].name_ar, menu[j].name_ar);
        }
    }
    assert_true(menu[items - 1].category + 1 == FRIDAY_CATEGORY_COUNT);
    for (size_t i = 0; i < places; i++) {
        assert_true(is_arabic(place[i].name_ar));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(place[i].id, place[j].id);
        }
    }
}

TEST(friday__names_more_locations_than_it_has_places)
{
    char id[FRIDAY_TEXT_MAX];
    friday_location_id(0, id);
    assert_string_equal(id, "beirut-hamra");
    friday_location_id(18, id);
    assert_string_equal(id, "beirut-hamra-2");
    friday_location_id(FRIDAY_LOCATIONS_MAX - 1, id);
    assert_string_equal(id, "nabatieh-1667");
}

TEST(friday__refuses_chains_out_of_range)
{
    assert_int_equal(friday_init(&f, 1, 0, 1), ERR_INVALID);
    assert_int_equal(friday_init(&f, 1, 1, 0), ERR_INVALID);
    assert_int_equal(friday_init(&f, 1, FRIDAY_LOCATIONS_MAX + 1, 1), ERR_INVALID);
    assert_int_equal(friday_init(&f, 1, 1, FRIDAY_TILLS_MAX + 1), ERR_INVALID);
    unit_alloc_fail(0);
    enum err_code code = friday_init(&f, 1, 1, 1);
    assert_true(unit_alloc_end());
    assert_int_equal(code, ERR_NO_MEMORY);
}
