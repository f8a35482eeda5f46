// SPDX-License-Identifier: Apache-2.0
#include "model/review.h"

#include "model/body.h"
#include "model/question.h"

#include <string.h>

void review_id(struct str kind, struct str record, char to[LIMIT_NAME + 1])
{
    struct buf text;
    buf_init(&text, LIMIT_MESSAGE_BYTES);
    enum err_code code = buf_append_format(&text, "%.*s/%.*s", STR_ARG(kind), STR_ARG(record));
    struct str both = code ? kind : buf_str(&text);
    if (str_copy(to, LIMIT_NAME + 1, both)) {
        struct hash hash = hash_of(both);
        str_to_hex(to, hash.b, LIMIT_NAME / 2);
    }
    buf_fini(&text);
}

static const struct column columns[] = {
    {"id", COLUMN_TEXT, "kind and record, or a hash of them"},
    {"kind", COLUMN_TEXT, "what was asked"},
    {"record", COLUMN_TEXT, "and of what"},
    {"decision", COLUMN_TEXT, "accept, reject or edit"},
    {"outcome", COLUMN_TEXT, "of a quantity: where the difference came from"},
    {"note", COLUMN_TEXT, "why"},
    {"answered_by", COLUMN_TEXT, "who"},
    {"event", COLUMN_UUID, "the answer"},
    {"at", COLUMN_INTEGER, "ms since 1970"},
    {NULL, COLUMN_TEXT, NULL}};
enum { A_ID, A_KIND, A_RECORD, A_DECISION, A_OUTCOME, A_NOTE, A_BY, A_EVENT, A_AT };
static const struct row_table table = {"review_answers", 1, columns};

struct review_op {
    struct answer_op answer;
    struct str record, note, by;
};
struct review_state {
    const struct record_entry *first; // NULL: not answered
};

static enum err_code decode(const struct event *event, struct arena *kept, const void **ret_op,
                            struct err *e)
{
    struct body_reader in = {event->body, kept, false};
    struct review_op *op = arena_alloc_zero(kept, sizeof *op);
    if (op == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for an answer");
    op->record = body_copy(&in, event->body, "record");
    op->note = body_copy(&in, event->body, "note");
    op->by = body_copy(&in, event->body, "by");
    *ret_op = op;
    enum err_code code = answer_decode(event, kept, &op->answer, e);
    return code == ERR_OK && in.full ? err_set(e, ERR_NO_MEMORY, "out of memory for an answer")
                                     : code;
}

static enum err_code apply(void *state, const struct record_entry *entry, struct arena *folded)
{
    struct review_state *s = state;
    (void)folded;
    if (s->first == NULL && entry->op != NULL)
        s->first = entry;
    return ERR_OK;
}

static enum err_code rows(const void *state, struct str record_id, struct row_list *to)
{
    const struct review_state *s = state;
    if (s->first == NULL)
        return ERR_OK;
    const struct review_op *op = s->first->op;
    struct row *row = row_list_add(to, &table);
    if (row == NULL)
        return ERR_NO_MEMORY;
    row_set_text(row, A_ID, record_id);
    row_set_text(row, A_KIND, op->answer.review);
    row_set_text(row, A_RECORD, op->record);
    row_set_text(row, A_DECISION, str_of(decision_name(op->answer.decision)));
    row_set_text(row, A_OUTCOME, op->answer.outcome);
    row_set_text(row, A_NOTE, op->note);
    row_set_text(row, A_BY, op->by.n ? op->by : s->first->actor);
    row_set_uuid(row, A_EVENT, &s->first->id);
    row_set_number(row, A_AT, s->first->at);
    return ERR_OK;
}

static const struct row_table *const tables[] = {&table, &question_table, NULL};

const struct reducer review_reducer = {.record_type = REVIEW,
                                       .tables = tables,
                                       .questions = question_none,
                                       .state_bytes = sizeof(struct review_state),
                                       .decode = decode,
                                       .apply = apply,
                                       .rows = rows};
