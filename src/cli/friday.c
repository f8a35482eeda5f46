// SPDX-License-Identifier: Apache-2.0
// Tickets arrive over the whole chain with uniformly drawn gaps whose mean follows the hour; each
// then chooses its place, till and guests. Only integers: the same on every machine.
#include "cli/friday.h"

#include "base/decimal.h"
#include "cli/ticket_event.h"

#include <stdio.h>
#include <stdlib.h>

enum { DAY_HOURS = 26, PER_MILLE_UNDONE = 15 };
#define HOUR_US     (INT64_C(3600) * 1000 * 1000)
#define DEFAULT_DAY (INT64_C(1759438800) * 1000) // 2025-10-03 00:00 in Beirut (UTC+3)

#define RATE      (89500 * DECIMAL_ONE)
#define RATE_CENT 895  // LBP for a cent
#define LBP_STEP  5000 // what change can be given in

// Tickets an hour in one place, from midnight to two hours past the next.
static const uint16_t tickets_per_hour[DAY_HOURS] = {
    0,  0,  0,  0,  0,  0,  0,  8,  20, 26, 20, 14, 26, // to noon: breakfast from 7
    52, 48, 22, 12, 12, 18, 28, 46, 50, 34, 14, 6,  2,  // lunch 13 to 15, dinner 20 to 23
};

enum part { BREAKFAST, LUNCH, DINNER, PART_COUNT };

// How often each category is ordered, by part of the day, and how many guests sit down (percent).
static const struct {
    uint16_t weights[FRIDAY_CATEGORY_COUNT];
    uint16_t seated_percent;
} habits[PART_COUNT] = {
    [BREAKFAST] = {{38, 12, 8, 2, 0, 2, 3, 13, 22, 0}, 25},
    [LUNCH] = {{6, 10, 20, 11, 15, 16, 4, 13, 4, 1}, 50},
    [DINNER] = {{2, 3, 31, 11, 19, 8, 8, 8, 3, 7}, 75},
};

void friday_location_id(uint32_t location, char to[FRIDAY_TEXT_MAX])
{
    size_t count = 0;
    const struct friday_place *places = friday_places(&count);
    uint32_t round = location / (uint32_t)count;
    const char *id = places[location % count].id;
    if (round == 0) {
        (void)snprintf(to, FRIDAY_TEXT_MAX, "%s", id);
    } else {
        (void)snprintf(to, FRIDAY_TEXT_MAX, "%s-%u", id, (unsigned)round + 1);
    }
}

// ---- set-up ----------------------------------------------------------------------------------

// Ids depend on all that tickets depend on.
static void identify(struct friday *f)
{
    char text[128];
    int n = snprintf(text, sizeof(text), "wasl friday %llu %u %u %u %lld",
                     (unsigned long long)f->seed, (unsigned)f->locations, (unsigned)f->tills,
                     (unsigned)f->scale_percent, (long long)f->day_ms);
    f->identity = hash_of(str_make(text, (size_t)n));
}

enum err_code friday_init(struct friday *f, uint64_t seed, uint32_t locations, uint32_t tills)
{
    if (locations == 0 || locations > FRIDAY_LOCATIONS_MAX || tills == 0 ||
        tills > FRIDAY_TILLS_MAX) {
        return ERR_INVALID;
    }
    *f = (struct friday){.seed = seed,
                         .locations = locations,
                         .tills = tills,
                         .scale_percent = 100,
                         .day_ms = DEFAULT_DAY};
    f->numbers = calloc((size_t)locations * tills, sizeof(*f->numbers));
    if (f->numbers == NULL) {
        return ERR_NO_MEMORY;
    }
    rng_init(&f->rng, seed);
    identify(f);
    return ERR_OK;
}

void friday_fini(struct friday *f)
{
    free(f->numbers);
    f->numbers = NULL;
}

void friday_set_day(struct friday *f, int64_t midnight_ms)
{
    MUST(f->count == 0);
    f->day_ms = midnight_ms;
    identify(f);
}

void friday_set_scale(struct friday *f, uint32_t percent)
{
    MUST(f->count == 0 && percent > 0);
    f->scale_percent = percent;
    identify(f);
}

// ---- when and where --------------------------------------------------------------------------

static uint32_t pick(struct friday *f, uint32_t bound)
{
    return (uint32_t)rng_below(&f->rng, bound);
}

static bool chance(struct friday *f, uint32_t percent)
{
    return rng_chance(&f->rng, percent, 100);
}

// Moves on to the next arrival; false when the day is over.
static bool advance(struct friday *f)
{
    while (f->now_us < DAY_HOURS * HOUR_US) {
        int64_t hour = f->now_us / HOUR_US;
        int64_t rate = (int64_t)tickets_per_hour[hour] * f->locations * f->scale_percent;
        int64_t end = (hour + 1) * HOUR_US;
        if (rate == 0) {
            f->now_us = end;
            continue;
        }
        int64_t mean_us = HOUR_US * 100 / rate;
        f->now_us += rng_between(&f->rng, 1, 2 * mean_us + 1);
        if (f->now_us < end) {
            return true;
        }
        f->now_us = end; // the next hour has its own rate
    }
    return false;
}

static enum part part_of_day(const struct friday *f)
{
    int64_t hour = f->now_us / HOUR_US;
    if (hour < 11) {
        return BREAKFAST;
    }
    return hour < 17 ? LUNCH : DINNER;
}

// Half of the trade prefers the older places, which come first.
static uint32_t pick_location(struct friday *f)
{
    uint32_t a = pick(f, f->locations);
    uint32_t b = pick(f, f->locations);
    return chance(f, 50) || a < b ? a : b;
}

// ---- what ------------------------------------------------------------------------------------

static enum friday_category pick_category(struct friday *f, enum part part)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < FRIDAY_CATEGORY_COUNT; i++) {
        sum += habits[part].weights[i];
    }
    uint32_t left = pick(f, sum);
    size_t category = 0;
    while (left >= habits[part].weights[category]) {
        left -= habits[part].weights[category++];
    }
    return (enum friday_category)category;
}

static uint32_t pick_item(struct friday *f, enum friday_category category)
{
    size_t count = 0;
    const struct friday_item *menu = friday_menu(&count);
    uint32_t first = 0;
    while (menu[first].category != category) {
        first++;
    }
    uint32_t end = first;
    while (end < count && menu[end].category == category) {
        end++;
    }
    return first + pick(f, end - first);
}

static uint32_t pick_quantity(struct friday *f, uint32_t item)
{
    size_t count = 0;
    if (friday_menu(&count)[item].by_weight) {
        return 2500 + 500 * pick(f, 26); // 0.25 to 1.5 kg
    }
    uint32_t roll = pick(f, 100);
    uint32_t units = roll < 70 ? 1 : roll < 90 ? 2 : 3 + pick(f, 2);
    return units * (uint32_t)DECIMAL_ONE;
}

static void set_line(struct friday *f, uint32_t i, struct friday_sold sold, int sign)
{
    size_t count = 0;
    const struct friday_item *item = &friday_menu(&count)[sold.item];
    f->lines[i] = (struct ticket_line){
        .row = (uint64_t)i + 1,
        .sku = str_of(item->sku),
        .name = str_of(item->name_en),
        .quantity = sign * (int64_t)sold.quantity,
        .unit_price = item->price,
    };
}

static void choose_order(struct friday *f, enum part part, bool seated, struct friday_recent *ret)
{
    uint32_t lines = seated ? 3 + pick(f, 6) + pick(f, 5) : 1 + pick(f, 3) + pick(f, 3);
    ret->line_count = lines < FRIDAY_LINES_MAX ? lines : FRIDAY_LINES_MAX;
    for (uint32_t i = 0; i < ret->line_count; i++) {
        uint32_t item = pick_item(f, pick_category(f, part));
        ret->lines[i] = (struct friday_sold){.item = item, .quantity = pick_quantity(f, item)};
    }
}

static void remember(struct friday *f, const struct friday_recent *sale)
{
    if (f->recent_count < FRIDAY_RECENT) {
        f->recent[f->recent_count++] = *sale;
    } else {
        f->recent[pick(f, FRIDAY_RECENT)] = *sale;
    }
}

// ---- payment ---------------------------------------------------------------------------------

static void pay_in_usd(struct friday *f, struct ticket *t, struct str method, int64_t amount)
{
    f->payments[t->payment_count++] = (struct ticket_payment){.method = method, .amount = amount};
}

static void pay_in_lbp(struct friday *f, struct ticket *t, int64_t amount)
{
    int64_t steps = (amount * RATE_CENT + LBP_STEP / 2) / LBP_STEP;
    f->payments[t->payment_count++] = (struct ticket_payment){
        .method = STR("cash"),
        .amount = amount,
        .tendered_currency = STR("LBP"),
        .tendered_places = 0,
        .tendered_amount = steps * LBP_STEP,
        .rate = RATE,
    };
}

static void pay(struct friday *f, struct ticket *t)
{
    int64_t total = 0;
    MUST(ticket_event_total(t, &total) == ERR_OK);
    uint32_t roll = pick(f, 100);
    if (total <= 0 || roll < 25) { // given back in dollars
        pay_in_usd(f, t, STR("cash"), total);
    } else if (roll < 65) {
        pay_in_usd(f, t, STR("card"), total);
    } else if (roll < 85 || total < 200) {
        pay_in_lbp(f, t, total);
    } else { // whole dollars, and the rest in pounds
        int64_t dollars = rng_between(&f->rng, 1, (total - 1) / 100) * 100;
        pay_in_usd(f, t, STR("cash"), dollars);
        pay_in_lbp(f, t, total - dollars);
    }
    t->payments = f->payments;
    t->payment = f->payments[0].method;
}

// ---- tickets ---------------------------------------------------------------------------------

static void fill_header(struct friday *f, uint32_t location, uint32_t till, struct ticket *t)
{
    uint32_t number = ++f->numbers[(size_t)location * f->tills + till];
    f->count++;
    friday_location_id(location, f->location);
    (void)snprintf(f->till, sizeof(f->till), "T%02u", (unsigned)till + 1);
    (void)snprintf(f->no, sizeof(f->no), "BR%02u-T%02u-%06u", (unsigned)location + 1,
                   (unsigned)till + 1, (unsigned)number);
    *t = (struct ticket){
        .event_id = uuid_make_v8(&f->identity, f->count),
        .no = str_of(f->no),
        .at_ms = f->day_ms + f->now_us / 1000,
        .location = str_of(f->location),
        .till = str_of(f->till),
        .currency = STR("USD"),
        .places = 2,
        .lines = f->lines,
    };
}

static void make_sale(struct friday *f, struct ticket *t)
{
    enum part part = part_of_day(f);
    bool seated = chance(f, habits[part].seated_percent);
    struct friday_recent sale = {.location = pick_location(f), .till = pick(f, f->tills)};
    choose_order(f, part, seated, &sale);
    fill_header(f, sale.location, sale.till, t);
    t->kind = TICKET_SALE;
    if (seated) {
        (void)snprintf(f->table, sizeof(f->table), "%u", (unsigned)pick(f, 24) + 1);
        t->table = str_of(f->table);
    }
    if (chance(f, 10)) {
        (void)snprintf(f->customer, sizeof(f->customer), "K%05u", (unsigned)pick(f, 40000));
        t->customer = str_of(f->customer);
    }
    for (uint32_t i = 0; i < sale.line_count; i++) {
        set_line(f, i, sale.lines[i], 1);
    }
    t->line_count = sale.line_count;
    remember(f, &sale);
}

// Undoes an earlier ticket, or takes back one of its lines.
static void make_undo(struct friday *f, struct ticket *t)
{
    uint32_t at = pick(f, f->recent_count);
    struct friday_recent sale = f->recent[at];
    f->recent[at] = f->recent[--f->recent_count];
    fill_header(f, sale.location, sale.till, t);
    if (chance(f, 50)) {
        t->kind = TICKET_CANCELLATION;
        for (uint32_t i = 0; i < sale.line_count; i++) {
            set_line(f, i, sale.lines[i], -1);
        }
        t->line_count = sale.line_count;
    } else {
        t->kind = TICKET_RETURN;
        set_line(f, 0, sale.lines[pick(f, sale.line_count)], -1);
        t->line_count = 1;
    }
}

bool friday_next(struct friday *f, struct ticket *ret)
{
    if (!advance(f)) {
        return false;
    }
    if (f->recent_count > 0 && rng_chance(&f->rng, PER_MILLE_UNDONE, 1000)) {
        make_undo(f, ret);
    } else {
        make_sale(f, ret);
    }
    pay(f, ret);
    return true;
}
