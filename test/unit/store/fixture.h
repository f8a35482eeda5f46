// SPDX-License-Identifier: Apache-2.0
// A store in a scratch folder, streams of events made by hand, and tables as text.
#ifndef WASL_UNIT_STORE_FIXTURE_H
#define WASL_UNIT_STORE_FIXTURE_H

#include "store/store.h"
#include "test/unit/unit.h"

// ---- stores -----------------------------------------------------------------------------------

struct fixture {
    char dir[64];
    struct store *store;
    struct arena arena;
};
// In memory where the machine has room there; on disk when WASL_ON_DISK is in the environment.
void fixture_open(struct fixture *f, enum node_role role);
void fixture_close(struct fixture *f); // and removes the folder
void fixture_reopen(struct fixture *f);
// Another folder with what a process that dies now leaves behind.
void fixture_kill(const struct fixture *f, struct fixture *ret);
struct store_options fixture_options(const struct fixture *f);

// SQL on the file itself, as another program would run it.
void fixture_sql(const struct fixture *f, const char *sql);
int64_t fixture_number(const struct fixture *f, const char *sql);
// All rows of a query, columns by '|', rows by newline; from malloc.
char *fixture_text(const struct fixture *f, const char *sql);
// Everything folded that may not depend on the order of arrival; from malloc.
char *fixture_canonical(const struct fixture *f);
void fixture_assert_text(const struct fixture *f, const char *sql, const char *wanted);
// Fails where verify finds anything wrong.
struct store_verdict fixture_verdict(struct fixture *f);
void fixture_assert_verified(struct fixture *f);

// As store_verify; fails where the journal was read a second time although nothing is the matter,
// or where the progress told went back or beyond what there is.
enum err_code fixture_verify(struct store *s, struct arena *a, struct store_verdict *ret,
                             struct err *e);

// ---- events ------------------------------------------------------------------------------------

enum { LINE_MAX_EVENTS = 64 };

// One stream as its device wrote it.
struct line {
    struct stream_key key;
    struct uuid device;
    const char *location;
    bool own;
    bool is_device; // as intake takes it: what only the centre may write is a dead letter
    struct mark head;
    char *bytes[LINE_MAX_EVENTS];
    struct mark marks[LINE_MAX_EVENTS];
    size_t count;
};
struct uuid fixture_uuid(unsigned kind, unsigned n); // version 7, the same each time
void line_init(struct line *l, unsigned origin, const char *location);
void line_fini(struct line *l);
struct draft {
    unsigned id; // number of the event's id
    unsigned ms; // hlc
    const char *type;
    const char *record; // id of the record
    const char *body;
    const char *on; // type of the record; NULL: as the event's type says
    unsigned base;  // number of an event's id that the author had seen; 0: none is named
    int version;    // of the event; 0: its type's
};
void line_add(struct line *l, const struct draft *draft);
void line_add_bytes(struct line *l, const char *bytes);
// Common ones.
void line_sell(struct line *l, unsigned id, unsigned ms, const char *sku, const char *quantity);
void line_ticket(struct line *l, unsigned id, unsigned ms, const char *ticket, const char *sku);

// Appends the event at index of a line; adds the stream when it is the first.
enum event_status fixture_append(struct fixture *f, const struct line *l, size_t index,
                                 enum event_status status);
// The same without a transaction around it.
enum err_code fixture_try(struct fixture *f, const struct line *l, size_t index,
                          enum event_status status, enum event_status *ret, struct err *e);
// Both clocks say at_ms.
enum err_code fixture_ack(struct fixture *f, const struct line *l, uint64_t held, uint64_t settled,
                          int64_t at_ms);
void fixture_append_all(struct fixture *f, const struct line *l, enum event_status status);

#endif
