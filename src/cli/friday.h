// SPDX-License-Identifier: Apache-2.0
// A Friday of a Lebanese restaurant chain, from a seed: for demonstrations and load.
//
// Why: a chain that looks alive needs rushes, tables, takeaway, mixed payments and mistakes; all
//   names, prices and quantities are invented here.
// Invariants: the same seed, locations and tills give the same tickets, in time order; receipt
//   numbers have no gap per till ("BR01-T03-000123").
// Ownership: tickets are borrowed until the next call. Threads: one at a time.
#ifndef WASL_CLI_FRIDAY_H
#define WASL_CLI_FRIDAY_H

#include "base/err.h"
#include "base/rng.h"
#include "cli/ticket.h"

enum {
    FRIDAY_LINES_MAX = 12,
    FRIDAY_LOCATIONS_MAX = 30000,
    FRIDAY_TILLS_MAX = 99,
    FRIDAY_RECENT = 32, // tickets that may still be cancelled or returned
    FRIDAY_TEXT_MAX = 64,
};

enum friday_category {
    FRIDAY_MANAKISH,
    FRIDAY_SAJ,
    FRIDAY_MEZZE,
    FRIDAY_SALADS,
    FRIDAY_GRILLS,
    FRIDAY_SANDWICHES,
    FRIDAY_SWEETS,
    FRIDAY_DRINKS,
    FRIDAY_COFFEE,
    FRIDAY_ARAK,
    FRIDAY_CATEGORY_COUNT,
};

struct friday_item {
    const char *sku;
    enum friday_category category;
    bool by_weight; // sold by the kilogram
    int64_t price;  // decimal, USD
    const char *name_en;
    const char *name_ar;
};

struct friday_place {
    const char *id;
    const char *name_en;
    const char *name_ar;
};

struct friday_sold {
    uint32_t item;
    uint32_t quantity; // decimal
};

// What is remembered of a ticket, to undo it later.
struct friday_recent {
    uint32_t location;
    uint32_t till;
    uint32_t line_count;
    struct friday_sold lines[FRIDAY_LINES_MAX];
};

struct friday {
    struct rng rng;
    uint64_t seed;
    struct hash identity;
    uint32_t locations;
    uint32_t tills; // per location
    uint32_t scale_percent;
    int64_t day_ms;    // local midnight
    int64_t now_us;    // since local midnight
    uint64_t count;    // tickets so far
    uint32_t *numbers; // last receipt number, per till
    struct friday_recent recent[FRIDAY_RECENT];
    uint32_t recent_count;
    char no[FRIDAY_TEXT_MAX];
    char location[FRIDAY_TEXT_MAX];
    char till[FRIDAY_TEXT_MAX];
    char table[FRIDAY_TEXT_MAX];
    char customer[FRIDAY_TEXT_MAX];
    struct ticket_line lines[FRIDAY_LINES_MAX];
    struct ticket_payment payments[2];
};

// locations 1..FRIDAY_LOCATIONS_MAX, tills per location 1..FRIDAY_TILLS_MAX; else ERR_INVALID.
enum err_code friday_init(struct friday *f, uint64_t seed, uint32_t locations,
                          uint32_t tills) MUST_CHECK;
void friday_fini(struct friday *f);

// Before the first ticket: another day (local midnight, ms since 1970; the default is Friday 3
// October 2025 in Beirut), or more trade (100 is about 450 tickets a day and location).
void friday_set_day(struct friday *f, int64_t midnight_ms);
void friday_set_scale(struct friday *f, uint32_t percent);

// The next ticket in time order; false when the day is over (02:00 of the next).
bool friday_next(struct friday *f, struct ticket *ret);

// The menu (ordered by category), and the chain's places (ids repeat with a number behind once they
// are used up).
const struct friday_item *friday_menu(size_t *ret_count);
const struct friday_place *friday_places(size_t *ret_count);
void friday_location_id(uint32_t location, char to[FRIDAY_TEXT_MAX]);

#endif
