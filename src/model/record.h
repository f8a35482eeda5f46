// SPDX-License-Identifier: Apache-2.0
// A folded record: its events in the one declared order, and the rows that follow from them.
//
// Why: merging is decided here and nowhere else. Whoever holds the same events of a record, a till,
//   a hub, the centre, the simulator, has the same rows, whatever came first and by which way.
// Invariants:
//   1. An event comes after every event of the record that its author had seen: what 'base' names,
//      what those had seen, and what came before it in its own stream.
//   2. Apart from that, by (effective hlc, origin, lane, seq). Exactly: of the events whose seen
//      ones are placed, the least comes next; where a circle leaves none, the least of all.
//   3. Each id counts once. What 'base' names and is not here is as if it were not named.
//   4. The rows depend on the set of events alone, judgements among them: a judgement gives its
//      target a verdict wherever in the order it stands, and has no other effect. A later verdict
//      that says nothing of the clock leaves the effective hlc of the one before.
// Ownership: a record owns what it was given of the events. Rows live in the caller's arena; their
//   texts may point into the record, to what it keeps as long as itself, never to what was folded.
// Limits: the memory given to record_new; ERR_LIMIT beyond it leaves the record unusable.
//
// A new event that comes last is applied to the state at hand; any other makes record_fold begin
// again from the first. The order is a topological sort with a heap (Kahn 1962).
#ifndef WASL_MODEL_RECORD_H
#define WASL_MODEL_RECORD_H

#include "model/event_type.h"
#include "model/judgement.h"
#include "model/row.h"
#include "model/vector.h"

struct record;
struct reducer;
struct question_kind; // model/question.h
struct answer_op;     // model/question.h

struct record_name {
    struct str location, type, id;
};

// What the caller knows of an event in its record (record_note).
struct record_note {
    int64_t number; // the caller's own
    // Of a record that is not whole (model/standing.h): its events keep their order by a rank, from
    // 1 on, and what was placed before the cut was seen by it. 0: the event came later.
    uint32_t rank;
    bool cut;
};

// One event as its record keeps it.
struct record_entry {
    struct uuid id;
    const struct event_type *type;
    struct event_order order; // its own; see also 'moved'
    int64_t at;
    struct str actor;
    struct verdict verdict;
    const struct verdict
        *moved;     // whose effective hlc counts instead of its own; NULL: none has one
    const void *op; // what the reducer made of the body; NULL for a judgement
    const struct judgement *judges;  // NULL: it is no judgement
    const struct answer_op *answers; // NULL: it is no answer of a person
    const struct uuid *base;         // frontier that its author saw
    int base_count;
    struct record_entry **bases; // the same, as far as they are here; NULL: is not
    size_t place;                // in the record's order, from 0
    int stream;                  // which of the record's streams it is from
    bool placed;                 // it has its place, and what its author saw
    struct vector seen;          // per stream of the record
    struct record_note note;
    // Of records that many write through one node, by place: what its author had seen by what its
    // base names, and how far that reaches (0: nothing).
    struct vector named;
    size_t named_end;
};

struct reducer {
    const char *record_type;
    bool only_asked; // of its events only judgements and answers are folded (model/asked.h)
    const struct row_table *const *tables; // ends with NULL
    const struct question_kind *questions; // the kinds it asks; ends with a NULL kind
    bool edits;   // an answer may put another value in the stead of what is asked about
    bool by_base; // authors share a stream: only an event without a base has seen what is before it
    bool stays;   // of the whole chain: its events stay at the centre, what comes of them travels
    size_t state_bytes; // zeroed, it is the record without any event
    // Reads the body, which event_type_check has found sound. ERR_INVALID: a dead letter.
    enum err_code (*decode)(const struct event *event, struct arena *kept, const void **ret_op,
                            struct err *e);
    // One event more. What it allocates lives in 'folded', until the fold begins again.
    enum err_code (*apply)(void *state, const struct record_entry *entry, struct arena *folded);
    // Rows of the record, in any order.
    enum err_code (*rows)(const void *state, struct str record_id, struct row_list *to);
    // By place: the events that the rows come from, or may when others are judged or rejected.
    // NULL: all events of such a record matter (model/standing.h).
    void (*stands)(const void *state, bool *matters);
};

extern const struct reducer *const reducers[];
extern const size_t reducer_count;
// NULL for records of which nothing is folded (devices, locations).
const struct reducer *reducer_find(struct str record_type);
// Whether one of reducers[0] to reducers[reducer - 1] declares the table too: several types of
// records have some in common.
bool reducer_declared_before(size_t reducer, const struct row_table *table);
// True when an event of this type is folded with its record of that type.
bool record_takes(const struct event_type *type, struct str record_type);

enum err_code record_new(const struct reducer *reducer, struct str id, size_t max_bytes,
                         struct record **ret) MUST_CHECK;
void record_free(struct record *r); // accepts NULL

// Whether an event's body can be read, by the reducer of its record or as a judgement: ERR_INVALID,
// a dead letter.
enum err_code record_check(const struct event *event, struct err *e) MUST_CHECK;

// Adds an event. ERR_INVALID where the reducer cannot read its body: it is not added.
// ERR_EXISTS: the id is here. ERR_LIMIT, ERR_NO_MEMORY.
enum err_code record_add(struct record *r, const struct event *event, struct err *e) MUST_CHECK;
void record_note(struct record *r, const struct record_note *note); // of the event added last
// An event that turned out not to count (another carrier of its id does). ERR_NOT_FOUND.
enum err_code record_remove(struct record *r, const struct uuid *id) MUST_CHECK;

// Brings the state up to date with what was added. ERR_LIMIT, ERR_NO_MEMORY.
enum err_code record_fold(struct record *r) MUST_CHECK;

// After record_fold: the record's rows, sorted by table and key; with what judgements ask people
// about, which no reducer has to know of.
enum err_code record_rows(const struct record *r, struct arena *arena,
                          struct row_list *ret) MUST_CHECK;
// After record_fold: the rows as they were when the record ended there, without what its judgements
// ask; NULL: as they are.
enum err_code record_rows_until(const struct record *r, const struct event_order *until,
                                struct arena *arena, struct row_list *ret) MUST_CHECK;
// After record_fold: the events that no other has seen, at most LIMIT_BASE, the last ones in the
// order: what a new event gives as its base.
size_t record_frontier(const struct record *r, struct uuid ret[LIMIT_BASE]);
// After record_fold: the i-th event in the order.
const struct record_entry *record_entry_at(const struct record *r, size_t i);
size_t record_count(const struct record *r);
const struct record_entry *record_find(const struct record *r, const struct uuid *id); // or NULL
const struct record_entry *record_cut(const struct record *r); // NULL: the record is whole
// Whether it was before the cut.
bool record_covered(const struct record *r, const struct record_entry *entry);
// After record_fold: whether the author of an event that is not added had seen an entry.
bool record_would_see(const struct record *r, const struct event *event,
                      const struct record_entry *earlier);
const struct reducer *record_reducer(const struct record *r);
size_t record_refolds(const struct record *r); // how often the fold began again

// For reducers: true when the author of 'later' had seen 'earlier'.
bool record_saw(const struct record_entry *later, const struct record_entry *earlier);
// The same where the reducer is 'by_base': what the base of 'later' names, and what that had seen.
bool record_names(const struct record_entry *later, const struct record_entry *earlier);
// For reducers: true when the event has its effect, as far as it was judged. A fact has it unless
// the same was done already; an intent also not while it is held or denied.
bool record_counts(const struct record_entry *entry);

#endif
