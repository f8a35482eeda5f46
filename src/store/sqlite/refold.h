// SPDX-License-Identifier: Apache-2.0
// A pass over the whole journal: chains, gaps, and a fresh fold of it into given tables.
#ifndef WASL_STORE_SQLITE_REFOLD_H
#define WASL_STORE_SQLITE_REFOLD_H

#include "store/sqlite/state.h"

struct refold_stream {
    bool known;
    struct base base; // mark.seq 0: nothing was pruned
    struct hash past; // the chain over what is left of pruned events, as it was read
    uint64_t past_count;
    struct stream_info info;
    int64_t since;
    struct mark at;   // the newest row seen
    bool head_seen;   // the row that info.head is
    struct mark seal; // newest seal, seq 0 when none
    struct signature signature;
    struct hash seal_chain; // the chain where the seal is
    int64_t offset;         // lsn - seq of the newest row
    uint64_t included;      // terminals: up to here the feed has it
};
struct journal_row {
    int64_t lsn;
    struct uuid id;
    bool has_id;
    int64_t stream;
    uint64_t seq;
    struct hash chain;
    struct str rest; // as it is stored
    struct str bytes;
};
struct refold {
    struct store *s;
    struct fold fold;
    struct refold_stream *streams; // by number
    int64_t stream_max;
    int64_t lsn_min; // of the journal
    int64_t lsn_max;
    uint8_t *states;    // what the fold says, by lsn
    uint8_t *stored;    // what the row says
    uint8_t *withdrawn; // not 0: it was appended again; NULL: none was
    uint8_t *chained;   // not 0: its chain was found right by refold_ahead; atomic
    int64_t at;         // the row at hand; atomic
    uint64_t span;      // from the first position to the last, 0 without any
    uint64_t done;      // rows
    uint64_t ids;       // rows that have one, up to ids_until, and pruned ones
    int64_t ids_until;  // the index of ids is whole up to this row
    uint64_t pruned;
    uint64_t extents;
    uint64_t gaps;
    uint64_t chain_errors;
    bool equal;
    char first_problem[ERR_TEXT_MAX];
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;
};
// Tables to fold into: they must be empty. The fold of r is set up with them. census: NULL, or what
// takes the rows that the fold does not ask for again; then the store's index of ids is used.
enum err_code refold_init(struct refold *r, struct store *s, struct db *tables,
                          struct census *census, struct err *e) MUST_CHECK;
void refold_fini(struct refold *r); // accepts a zeroed struct
enum err_code refold_run(struct refold *r, struct err *e) MUST_CHECK;
// In another thread beside refold_run, on a connection that sees the same: refold_ahead.c.
enum err_code refold_ahead(struct refold *r, struct db *db, struct err *e) MUST_CHECK;
// The event's bytes; p is NULL when out of memory.
struct str refold_whole(const struct journal_row *row, const struct stream_info *info,
                        struct arena *a);
void refold_problem(struct refold *r, const char *format, ...) PRINTF_LIKE(2, 3);

// refold_past.c. Part of refold_init: bases, and the ids of what was pruned.
enum err_code refold_read_past(struct refold *r, struct err *e) MUST_CHECK;
// What is kept of pruned events for their records is what was pruned.
enum err_code refold_check_told(struct refold *r, struct err *e) MUST_CHECK;

// Terminals: what the events that the feed does not include add to the stock, summed into 'to'.
enum err_code refold_overlay(struct refold *r, struct delta_map *to, struct err *e) MUST_CHECK;

#endif
