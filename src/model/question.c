// SPDX-License-Identifier: Apache-2.0
#include "model/question.h"

#include "model/body.h"
#include "model/mutant.h"

#include <stdlib.h>
#include <string.h>

static const struct column columns[] = {
    {"record", COLUMN_TEXT, "the record's id"},
    {"type", COLUMN_TEXT, "and its type"},
    {"kind", COLUMN_TEXT, "what is asked"},
    {"part", COLUMN_TEXT, "the line, bill or field; null: the whole"},
    {"triggers", COLUMN_TEXT,
     "ids of the events that are asked about, in order of id: what is settled is not, while the "
     "question is open"},
    {"open", COLUMN_INTEGER, "0 once all of them are settled"},
    {"detail", COLUMN_TEXT,
     "JSON: both sides, what both had seen, what is suggested, and what was answered"},
    {NULL, COLUMN_TEXT, NULL}};
const struct row_table question_table = {"record_reviews", 4, columns, .typed = true};
enum { Q_RECORD, Q_TYPE, Q_KIND, Q_PART, Q_TRIGGERS, Q_OPEN, Q_DETAIL };

const struct question_kind question_none[] = {{NULL, NULL}};

static const char *const decisions[] = {"accept", "reject", "edit"};

const char *decision_name(enum decision decision)
{
    return decisions[decision];
}

// ---- answers ----------------------------------------------------------------------------------

static enum err_code read_decision(yyjson_val *body, struct answer_op *op, struct err *e)
{
    for (int i = 0; i <= DECISION_EDIT; i++) {
        if (str_is(body_text(body, "decision"), decisions[i])) {
            op->decision = (enum decision)i;
            return ERR_OK;
        }
    }
    return err_set(e, ERR_INVALID, "body: decision: must be accept, reject or edit");
}

bool answer_is(const struct event *event)
{
    return event->type != NULL && strcmp(event->type->name, "review_resolved") == 0;
}

enum err_code answer_decode(const struct event *event, struct arena *kept, struct answer_op *ret,
                            struct err *e)
{
    struct body_reader in = {event->body, kept, false};
    struct uuid *triggers = body_room(&in, "triggers", sizeof *triggers, &ret->trigger_count);
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(event->body, "triggers"));
    for (size_t i = 0; i < ret->trigger_count; i++)
        triggers[i] = body_uuid(yyjson_arr_iter_next(&iter), "event");
    ret->triggers = triggers;
    ret->review = body_copy(&in, event->body, "review");
    ret->part = body_copy(&in, event->body, "part");
    ret->value = body_copy(&in, event->body, "value");
    ret->outcome = body_copy(&in, event->body, "outcome");
    ret->note = body_copy(&in, event->body, "note");
    ret->name = body_copy(&in, event->body, "by");
    enum err_code code = read_decision(event->body, ret, e);
    return code == ERR_OK && in.full ? err_set(e, ERR_NO_MEMORY, "out of memory for an answer")
                                     : code;
}

enum err_code question_answer(struct questions *q, const struct record_entry *by,
                              const struct answer_op *op, struct arena *a)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < op->trigger_count && code == ERR_OK; i++) {
        struct answer *one = arena_alloc(a, sizeof *one);
        if (one == NULL)
            return ERR_NO_MEMORY;
        *one = (struct answer){op->triggers[i], by, op, id_map_find(&q->answers, &op->triggers[i])};
        code = id_map_put(&q->answers, one, a);
    }
    return code;
}

const struct answer *question_answered(const struct questions *q, const char *kind,
                                       const struct record_entry *by)
{
    const struct answer *x = id_map_find(&q->answers, &by->id);
    while (x != NULL && kind != NULL && !str_is(x->op->review, kind))
        x = x->next;
    return x;
}

bool question_rejected(const struct questions *q, const char *kind, const struct record_entry *by)
{
    const struct answer *answer = question_answered(q, kind, by);
    return answer != NULL && answer->op->decision == DECISION_REJECT;
}

bool question_counts(const struct questions *q, const struct record_entry *by)
{
    const struct answer *answer = question_answered(q, NULL, by);
    return record_counts(by) && (answer == NULL || answer->op->decision == DECISION_ACCEPT);
}

// ---- asking -----------------------------------------------------------------------------------

enum err_code question_ask(struct question **list, const struct question *question, struct arena *a)
{
    struct question *copy = arena_alloc(a, sizeof *copy);
    MUST(question->sides[0].by != NULL);
    if (copy == NULL)
        return ERR_NO_MEMORY;
    *copy = *question;
    copy->next = *list;
    *list = copy;
    return ERR_OK;
}

// The last answer to questions of this kind and part that names the event; NULL: none.
static const struct answer *answer_to(const struct questions *q, const char *kind, struct str part,
                                      const struct record_entry *trigger)
{
    const struct answer *x = id_map_find(&q->answers, &trigger->id);
    while (x != NULL && !(str_is(x->op->review, kind) && str_equal(x->op->part, part)))
        x = x->next;
    return x;
}

bool question_part_rejected(const struct questions *q, const char *kind, struct str part,
                            const struct record_entry *by)
{
    const struct answer *answer = answer_to(q, kind, part, by);
    return answer != NULL && answer->op->decision == DECISION_REJECT;
}

bool question_settled(const struct questions *q, const char *kind, struct str part,
                      const struct record_entry *trigger)
{
    return answer_to(q, kind, part, trigger) != NULL;
}

bool question_open(const struct questions *q, const struct question *question)
{
    for (int i = 0; i < 2 && question->sides[i].by != NULL; i++) {
        if (!question_settled(q, question->kind, question->part, question->sides[i].by))
            return true;
    }
    return false;
}

// ---- rows -------------------------------------------------------------------------------------

// Questions of one kind and part, which make one row.
struct group {
    const struct questions *answers;
    const struct question **asked; // the one asked first comes first
    size_t count;
    struct question_side *sides; // each event once, in the record's order
    size_t side_count;
};

static int by_name(const struct question *a, const struct question *b)
{
    int order = strcmp(a->kind, b->kind);
    return order ? order : str_compare(a->part, b->part);
}

// Of one name: as they came up, which the places of their events say.
static int by_question(const void *a, const void *b)
{
    const struct question *x = *(const struct question *const *)a;
    const struct question *y = *(const struct question *const *)b;
    int order = by_name(x, y);
    for (int i = 1; i >= 0 && order == 0; i--) {
        size_t p = x->sides[i].by ? x->sides[i].by->place + 1 : 0;
        size_t q = y->sides[i].by ? y->sides[i].by->place + 1 : 0;
        order = (p > q) - (p < q);
    }
    return order;
}

static int by_place(const void *a, const void *b)
{
    const struct question_side *x = a, *y = b;
    return (x->by->place > y->by->place) - (x->by->place < y->by->place);
}

static int by_id(const void *a, const void *b)
{
    return uuid_compare(a, b);
}

static enum err_code gather_sides(struct group *g, struct arena *a)
{
    size_t n = 0;
    g->sides = arena_alloc(a, 2 * g->count * sizeof *g->sides);
    if (g->sides == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < g->count; i++) {
        for (int s = 0; s < 2 && g->asked[i]->sides[s].by != NULL; s++)
            g->sides[n++] = g->asked[i]->sides[s];
    }
    qsort(g->sides, n, sizeof *g->sides, by_place);
    g->side_count = 0;
    for (size_t i = 0; i < n; i++) {
        if (g->side_count == 0 || g->sides[g->side_count - 1].by != g->sides[i].by)
            g->sides[g->side_count++] = g->sides[i];
    }
    return ERR_OK;
}

// So that an answer to what came later decides nothing anew that was settled.
static enum err_code write_triggers(const struct group *g, bool open, struct arena *a,
                                    struct row *row)
{
    size_t n = 0;
    struct uuid *ids = arena_alloc(a, g->side_count * sizeof *ids);
    char *text = arena_alloc(a, g->side_count * UUID_TEXT_SIZE);
    if (ids == NULL || text == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < g->side_count; i++) {
        if (!open || MUTANT(answered_again) ||
            !question_settled(g->answers, g->asked[0]->kind, g->asked[0]->part, g->sides[i].by))
            ids[n++] = g->sides[i].by->id;
    }
    qsort(ids, n, sizeof *ids, by_id);
    for (size_t i = 0; i < n; i++) {
        uuid_format(&ids[i], text + i * UUID_TEXT_SIZE);
        text[(i + 1) * UUID_TEXT_SIZE - 1] = ' ';
    }
    row_set_text(row, Q_TRIGGERS, str_make(text, n * UUID_TEXT_SIZE - 1));
    return ERR_OK;
}

static void write_text(struct json_writer *w, yyjson_mut_val *to, const char *key, struct str text)
{
    if (text.n != 0)
        yyjson_mut_obj_add_strn(w->doc, to, key, text.p, text.n);
}

static void write_side(struct json_writer *w, yyjson_mut_val *list,
                       const struct question_side *side)
{
    char id[UUID_TEXT_SIZE];
    yyjson_mut_val *to = yyjson_mut_arr_add_obj(w->doc, list);
    uuid_format(&side->by->id, id);
    yyjson_mut_obj_add_strcpy(w->doc, to, "event", id);
    yyjson_mut_obj_add_str(w->doc, to, "type", side->by->type->name);
    yyjson_mut_obj_add_sint(w->doc, to, "at", side->by->at);
    write_text(w, to, "actor", side->by->actor);
    write_text(w, to, "value", side->value);
}

static int by_answer(const void *a, const void *b)
{
    const struct answer *x = *(const struct answer *const *)a;
    const struct answer *y = *(const struct answer *const *)b;
    return (x->by->place > y->by->place) - (x->by->place < y->by->place);
}

// One answer may settle many sides. What came since may have answered too, as the authority says.
static enum err_code write_answers(struct json_writer *w, const struct group *g, struct arena *a)
{
    size_t n = 0;
    const struct answer **answers = arena_alloc(a, g->side_count * sizeof(struct answer *));
    if (answers == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < g->side_count; i++) {
        answers[n] = answer_to(g->answers, g->asked[0]->kind, g->asked[0]->part, g->sides[i].by);
        n += answers[n] != NULL;
    }
    if (n == 0)
        return ERR_OK;
    qsort(answers, n, sizeof(struct answer *), by_answer);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(w->doc, w->root, "answers");
    for (size_t i = n > QUESTION_SIDES ? n - QUESTION_SIDES : 0; i < n; i++) {
        const struct answer *one = answers[i];
        if (i > 0 && answers[i - 1]->by == one->by)
            continue;
        yyjson_mut_val *to = yyjson_mut_arr_add_obj(w->doc, list);
        bool person = one->by->answers != NULL;
        yyjson_mut_obj_add_str(w->doc, to, "decision",
                               person ? decisions[one->op->decision] : "explained");
        yyjson_mut_obj_add_sint(w->doc, to, "at", one->by->at);
        write_text(w, to, "by", one->by->actor.n != 0 ? one->by->actor : one->op->name);
        write_text(w, to, "value", one->op->value);
        write_text(w, to, "outcome", one->op->outcome);
        write_text(w, to, "note", one->op->note);
    }
    return ERR_OK;
}

// The base is that of the question asked first, the suggestion that of the last.
static enum err_code write_detail(const struct group *g, struct arena *a, struct row *row)
{
    struct json_writer w;
    struct buf text;
    const struct question *last = g->asked[g->count - 1];
    size_t from = g->side_count > QUESTION_SIDES ? g->side_count - QUESTION_SIDES : 0;
    json_writer_begin(&w);
    write_text(&w, w.root, "base", g->asked[0]->base);
    yyjson_mut_val *sides = yyjson_mut_obj_add_arr(w.doc, w.root, "sides");
    for (size_t i = from; i < g->side_count; i++)
        write_side(&w, sides, &g->sides[i]);
    if (last->why != NULL) {
        yyjson_mut_val *to = yyjson_mut_obj_add_obj(w.doc, w.root, "suggested");
        yyjson_mut_obj_add_str(w.doc, to, "decision", decisions[last->suggested]);
        write_text(&w, to, "value", last->value);
        yyjson_mut_obj_add_str(w.doc, to, "why", last->why);
    }
    enum err_code told = write_answers(&w, g, a);
    buf_init(&text, LIMIT_MESSAGE_BYTES);
    enum err_code code = json_writer_end(&w, &text);
    code = told ? told : code;
    struct str copy = code ? STR("") : arena_copy(a, buf_str(&text));
    buf_fini(&text);
    if (code || copy.p == NULL)
        return code ? code : ERR_NO_MEMORY;
    row_set_text(row, Q_DETAIL, copy);
    return ERR_OK;
}

static enum err_code write_group(struct group *g, const struct record_name *record,
                                 struct row_list *to)
{
    struct row *row = row_list_add(to, &question_table);
    struct str part = arena_copy(to->arena, g->asked[0]->part);
    bool open = false;
    if (row == NULL || part.p == NULL)
        return ERR_NO_MEMORY;
    enum err_code code = gather_sides(g, to->arena);
    for (size_t i = 0; i < g->count; i++)
        open = open || question_open(g->answers, g->asked[i]);
    row_set_text(row, Q_RECORD, record->id);
    row_set_text(row, Q_TYPE, record->type);
    row_set_text(row, Q_KIND, str_of(g->asked[0]->kind));
    row_set_text(row, Q_PART, part);
    row_set_number(row, Q_OPEN, open);
    if (code == ERR_OK)
        code = write_triggers(g, open, to->arena, row);
    return code ? code : write_detail(g, to->arena, row);
}

enum err_code questions_write(const struct questions *q, const struct question *found,
                              const struct record_name *record, struct row_list *to)
{
    size_t n = 0, i = 0;
    for (const struct question *x = q->asked; x != NULL; x = x->next)
        n++;
    for (const struct question *x = found; x != NULL; x = x->next)
        n++;
    const struct question **all = arena_alloc(to->arena, (n + 1) * sizeof(struct question *));
    if (all == NULL)
        return ERR_NO_MEMORY;
    for (const struct question *x = q->asked; x != NULL; x = x->next)
        all[i++] = x;
    for (const struct question *x = found; x != NULL; x = x->next)
        all[i++] = x;
    qsort(all, n, sizeof(struct question *), by_question);
    enum err_code code = ERR_OK;
    for (size_t from = 0, end; from < n && code == ERR_OK; from = end) {
        for (end = from + 1; end < n && by_name(all[from], all[end]) == 0; end++)
            ;
        struct group g = {.answers = q, .asked = all + from, .count = end - from};
        code = write_group(&g, record, to);
    }
    return code;
}
