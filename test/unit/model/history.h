// SPDX-License-Identifier: Apache-2.0
// Devices that write events on one record, each knowing what it wrote and what it was told.
//
// Why: what merges must be shown on histories as they come about: an author names as its base what
//   it has seen, and sees what has reached it.
#ifndef WASL_TEST_HISTORY_H
#define WASL_TEST_HISTORY_H

#include "model/record.h"

enum { DEVICES_MAX = 6, HISTORY_MAX = 400, RECORD_BYTES = 16 << 20 };

struct history {
    struct arena arena;
    const struct reducer *reducer;
    struct event events[HISTORY_MAX];
    size_t count;
    struct device {
        struct record *record; // what it holds
        bool known[HISTORY_MAX];
        uint64_t seq;
        hlc hlc;
        int64_t clock_off_ms;
    } devices[DEVICES_MAX];
    int64_t now_ms;
};

void history_init(struct history *h, const struct reducer *reducer);
void history_fini(struct history *h);
struct uuid history_id(uint64_t number); // for lines, bills, payments
const char *history_id_text(uint64_t number);

// The device writes an event: body in printf style. Returns its number in events.
size_t history_write(struct history *h, int device, const char *type, const char *format, ...)
    PRINTF_LIKE(4, 5);
// What a fresh record says to an event with this body; nobody else hears of it.
enum err_code history_try(struct history *h, const char *type, const char *body, struct err *e);
// The device is told of an event.
void history_tell(struct history *h, int device, size_t event);
void history_tell_all(struct history *h, int device);

// The rows of a record as text, one row a line, "table|column=value|..." without null columns.
// The text is good until the next call but three.
const char *history_rows(const struct record *r);
const char *history_view(struct history *h, int device);
// One row's column, of the first row whose text holds all of 'where' ("" for the first of the
// table).
const char *history_column(const struct record *r, const char *table, const char *where,
                           const char *column);

// A record of all events, in the order of 'turn' (indexes), folded after each with chance 1 in
// 'every' (0: only at the end).
struct record *history_fold(struct history *h, const size_t *turn, size_t count, unsigned every,
                            uint64_t seed);
// The same, of all events in the order of their writing.
struct record *history_all(struct history *h);
// Fails unless all events give this in a column of the table's first row; "(none)": no such row.
void history_assert(struct history *h, const char *table, const char *column, const char *wanted);

#endif
