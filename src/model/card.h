// SPDX-License-Identifier: Apache-2.0
// A card: a record of fields that the last writer wins, each by itself.
//
// Why: tables, customers, sold-out dishes, settings and the like differ in their columns only; a
//   type of them is declared, not programmed.
// Invariants: one row a record. Its columns after the key, but for the last two, are members of the
//   event's body by the same names: a member that is there writes its field, null clears it, and
//   what is absent stays as it was, or is cleared where the body is one statement
//   (card_decode_whole). The last two say when (changed_at) and by whom (changed_by) the newest
//   write that stands was made.
//
// How to use it: CARD_REDUCER with the type's tables (question_table too), and CARD_CHANGED at the
// end of its columns. A 'review_resolved' with the decision 'edit' writes the field that it names
// as its part.
#ifndef WASL_MODEL_CARD_H
#define WASL_MODEL_CARD_H

#include "model/cell.h"

#define CARD_CHANGED                                                                               \
    {"changed_at", COLUMN_INTEGER, "ms since 1970: the newest write, by its author's clock"},      \
        {"changed_by", COLUMN_TEXT, "who made it"},                                                \
    {                                                                                              \
        NULL, COLUMN_TEXT, NULL                                                                    \
    }

struct card_set {
    int column;
    struct value value;
};
struct card_op {
    const struct row_table *table;
    const struct card_set *sets;
    size_t count;
    bool answers;
    struct answer_op answer;
};
struct card {
    const struct row_table *table; // NULL: nothing yet
    struct cell cells[ROW_COLUMNS_MAX];
    struct cell changes; // of any of them
    struct questions questions;
};

// Parts of a reducer; its first table is the card's, its second question_table.
enum err_code card_decode(const struct event *event, struct arena *kept, const void **ret_op,
                          struct err *e) MUST_CHECK;
// Every event writes every field.
enum err_code card_decode_whole(const struct event *event, struct arena *kept, const void **ret_op,
                                struct err *e) MUST_CHECK;
enum err_code card_apply(void *state, const struct record_entry *entry,
                         struct arena *folded) MUST_CHECK;
enum err_code card_rows(const void *state, struct str record_id, struct row_list *to) MUST_CHECK;
void card_stands(const void *state, bool *matters);

#define CARD_REDUCER(type_, tables_, decode_)                                                      \
    {                                                                                              \
        .record_type = type_, .tables = tables_, .questions = question_none, .edits = true,        \
        .state_bytes = sizeof(struct card), .decode = decode_, .apply = card_apply,                \
        .rows = card_rows, .stands = card_stands                                                   \
    }

#endif
