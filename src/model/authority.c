// SPDX-License-Identifier: Apache-2.0
#include "model/authority.h"

#include "model/body.h"

#include <stdlib.h>

static const struct column head_columns[] = {
    {"id", COLUMN_TEXT, "the place"},
    {"term", COLUMN_INTEGER, "the number of the reign"},
    {"holder", COLUMN_UUID, "the device that decides"},
    {"set_in", COLUMN_UUID, "the event that says so"},
    {"released", COLUMN_INTEGER, "1: it decides no more"},
    {"changed_at", COLUMN_INTEGER, "ms since 1970: when it was set, by its author's clock"},
    {"changed_by", COLUMN_TEXT, "who set it"},
    {NULL, COLUMN_TEXT, NULL}};
static const struct row_table authorities = {"authorities", 1, head_columns};
enum { A_ID, A_TERM, A_HOLDER, A_SET_IN, A_RELEASED, A_CHANGED_AT, A_CHANGED_BY };

static const struct column voter_columns[] = {
    {"id", COLUMN_TEXT, "the place"},
    {"device", COLUMN_UUID, "may vote for the next holder"},
    {NULL, COLUMN_TEXT, NULL}};
static const struct row_table authority_voters = {"authority_voters", 2, voter_columns};

static const struct column stream_columns[] = {
    {"id", COLUMN_TEXT, "the place"},
    {"origin", COLUMN_UUID, "a stream that the holder had decided on"},
    {"lane", COLUMN_TEXT, "its lane"},
    {"seq", COLUMN_INTEGER, "up to there"},
    {"hash", COLUMN_TEXT, "the chain hash there"},
    {NULL, COLUMN_TEXT, NULL}};
static const struct row_table authority_heads = {"authority_heads", 3, stream_columns};

static const struct row_table *const tables[] = {&authorities, &authority_voters, &authority_heads,
                                                 &question_table, NULL};
static const struct question_kind kinds[] = {
    {"same_term", "Two devices were named to decide for one place in one term; the first counts."},
    {NULL, NULL}};

struct head {
    struct uuid origin;
    struct str lane, hash;
    int64_t seq;
};
struct op {
    bool answers, releases;
    int64_t term;
    struct uuid holder;
    const struct uuid *voters; // each once, in order
    const struct head *heads;  // each stream once, in order
    size_t voter_count, head_count;
    struct answer_op answer;
};
struct link {
    const struct record_entry *by;
    struct link *next; // the one before
};
struct state {
    struct link *sets, *releases;
    struct questions questions;
};

// ---- reading ----------------------------------------------------------------------------------

static int by_id(const void *a, const void *b)
{
    return uuid_compare(a, b);
}

static int by_stream(const void *a, const void *b)
{
    const struct head *x = a, *y = b;
    int order = uuid_compare(&x->origin, &y->origin);
    return order ? order : str_compare(x->lane, y->lane);
}

static void read_voters(struct body_reader *in, struct op *op)
{
    size_t count, n = 0;
    struct uuid *voters = body_room(in, "voters", sizeof *voters, &count);
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(in->body, "voters"));
    for (size_t i = 0; i < count; i++)
        voters[i] = body_uuid(yyjson_arr_iter_next(&iter), "device");
    if (count > 0)
        qsort(voters, count, sizeof *voters, by_id);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !uuid_equal(&voters[i], &voters[n - 1]))
            voters[n++] = voters[i];
    }
    op->voters = voters;
    op->voter_count = n;
}

static enum err_code read_heads(struct body_reader *in, struct op *op, struct err *e)
{
    size_t count;
    struct head *heads = body_room(in, "heads", sizeof *heads, &count);
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(in->body, "heads"));
    for (size_t i = 0; i < count; i++) {
        enum lane lane;
        yyjson_val *item = yyjson_arr_iter_next(&iter);
        heads[i] = (struct head){body_uuid(item, "origin"), body_copy(in, item, "lane"),
                                 body_copy(in, item, "hash"), body_integer(item, "seq")};
        if (lane_parse(body_text(item, "lane"), &lane))
            return err_set(e, ERR_INVALID, "body: heads: lane: unknown");
        if (heads[i].seq < 1)
            return err_set(e, ERR_INVALID, "body: heads: seq: must be above zero");
    }
    if (count > 0)
        qsort(heads, count, sizeof *heads, by_stream);
    for (size_t i = 1; i < count; i++) {
        if (by_stream(&heads[i - 1], &heads[i]) == 0)
            return err_set(e, ERR_INVALID, "body: heads: a stream is named twice");
    }
    op->heads = heads;
    op->head_count = count;
    return ERR_OK;
}

static enum err_code decode(const struct event *event, struct arena *kept, const void **ret_op,
                            struct err *e)
{
    struct body_reader in = {event->body, kept, false};
    struct op *op = arena_alloc_zero(kept, sizeof *op);
    *ret_op = op;
    if (op == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a record");
    if (!str_equal(event->record_id, event->location))
        return err_set(e, ERR_INVALID, "record: an authority is named by its place, '%.*s'",
                       STR_ARG(event->location));
    op->answers = answer_is(event);
    if (op->answers)
        return answer_decode(event, kept, &op->answer, e);
    op->releases = str_is(event->type_name, "authority_released");
    op->term = body_integer(event->body, "term");
    op->holder = body_uuid(event->body, "holder");
    if (op->term < 1)
        return err_set(e, ERR_INVALID, "body: term: must be above zero");
    read_voters(&in, op);
    enum err_code code = read_heads(&in, op, e);
    return code == ERR_OK && in.full ? err_set(e, ERR_NO_MEMORY, "out of memory for a record")
                                     : code;
}

// ---- folding ----------------------------------------------------------------------------------

static const struct op *op_of(const struct link *link)
{
    return link->by->op;
}

static enum err_code ask(struct state *s, const struct link *other,
                         const struct record_entry *entry, struct arena *a)
{
    struct question question = {.kind = "same_term",
                                .sides = {{.by = other->by}, {.by = entry}},
                                .suggested = DECISION_REJECT,
                                .why = "the first was told to others already"};
    return question_ask(&s->questions.asked, &question, a);
}

// Of one term there can be one holder.
static enum err_code look_for_rivals(struct state *s, const struct record_entry *entry,
                                     struct arena *a)
{
    const struct op *op = entry->op;
    for (const struct link *x = s->sets; x != NULL; x = x->next) {
        if (op_of(x)->term == op->term && !uuid_equal(&op_of(x)->holder, &op->holder))
            return ask(s, x, entry, a);
    }
    return ERR_OK;
}

static enum err_code apply(void *state, const struct record_entry *entry, struct arena *folded)
{
    struct state *s = state;
    const struct op *op = entry->op;
    if (op->answers)
        return question_answer(&s->questions, entry, &op->answer, folded);
    enum err_code code = op->releases ? ERR_OK : look_for_rivals(s, entry, folded);
    struct link **list = op->releases ? &s->releases : &s->sets;
    struct link *link = arena_alloc(folded, sizeof *link);
    if (code || link == NULL)
        return code ? code : ERR_NO_MEMORY;
    *link = (struct link){entry, *list};
    *list = link;
    return ERR_OK;
}

// The set that stands: lists begin with the last, and of one term the first counts. So it does
// where a person rejected all of the term, for a place is not left without one who decides.
static const struct link *standing(const struct state *s)
{
    const struct link *best = NULL;
    bool best_counts = false;
    for (const struct link *x = s->sets; x != NULL; x = x->next) {
        bool counts = question_counts(&s->questions, x->by);
        int64_t above = best ? op_of(x)->term - op_of(best)->term : 1;
        if (record_counts(x->by) && (above > 0 || (above == 0 && counts >= best_counts))) {
            best = x;
            best_counts = counts;
        }
    }
    return best;
}

static const struct link *release_of(const struct state *s, int64_t term)
{
    const struct link *best = NULL;
    for (const struct link *x = s->releases; x != NULL; x = x->next) {
        if (op_of(x)->term == term && question_counts(&s->questions, x->by))
            best = x;
    }
    return best;
}

static enum err_code write_voters(const struct op *op, struct str record_id, struct row_list *to)
{
    for (size_t i = 0; i < op->voter_count; i++) {
        struct row *row = row_list_add(to, &authority_voters);
        if (row == NULL)
            return ERR_NO_MEMORY;
        row_set_text(row, 0, record_id);
        row_set_uuid(row, 1, &op->voters[i]);
    }
    return ERR_OK;
}

static enum err_code write_heads(const struct op *op, struct str record_id, struct row_list *to)
{
    for (size_t i = 0; i < op->head_count; i++) {
        struct row *row = row_list_add(to, &authority_heads);
        if (row == NULL)
            return ERR_NO_MEMORY;
        row_set_text(row, 0, record_id);
        row_set_uuid(row, 1, &op->heads[i].origin);
        row_set_text(row, 2, op->heads[i].lane);
        row_set_number(row, 3, op->heads[i].seq);
        row_set_text(row, 4, op->heads[i].hash);
    }
    return ERR_OK;
}

static enum err_code write_authority(const struct state *s, const struct link *set,
                                     struct str record_id, struct row_list *to)
{
    const struct op *op = op_of(set);
    const struct link *release = release_of(s, op->term);
    struct row *row = row_list_add(to, &authorities);
    if (row == NULL)
        return ERR_NO_MEMORY;
    row_set_text(row, A_ID, record_id);
    row_set_number(row, A_TERM, op->term);
    row_set_uuid(row, A_HOLDER, &op->holder);
    row_set_uuid(row, A_SET_IN, &set->by->id);
    row_set_number(row, A_RELEASED, release != NULL);
    row_set_number(row, A_CHANGED_AT, set->by->at);
    row_set_text(row, A_CHANGED_BY, set->by->actor);
    enum err_code code = write_voters(op, record_id, to);
    return code || release == NULL ? code : write_heads(op_of(release), record_id, to);
}

static enum err_code rows(const void *state, struct str record_id, struct row_list *to)
{
    const struct state *s = state;
    const struct link *set = standing(s);
    struct record_name name = {.type = STR("authority"), .id = record_id};
    enum err_code code = set ? write_authority(s, set, record_id, to) : ERR_OK;
    return code ? code : questions_write(&s->questions, NULL, &name, to);
}

const struct reducer authority_reducer = {.record_type = "authority",
                                          .tables = tables,
                                          .questions = kinds,
                                          .state_bytes = sizeof(struct state),
                                          .decode = decode,
                                          .apply = apply,
                                          .rows = rows};
