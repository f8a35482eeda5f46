// SPDX-License-Identifier: Apache-2.0
//
//   reviewing_answer ── number ──► the question: open?
//        ├── of a folded record ──► review_resolved of that record ──► held triggers: event_judged
//        │                                └── of a batch: everything that it holds
//        └── of no record ────────► review_resolved of the question itself
#include "node/reviewing.h"

#include "base/clock.h"
#include "base/decimal.h"
#include "model/batch.h"
#include "model/body.h"
#include "model/review.h"
#include "node/journal_private.h"

#include <string.h>

// What is asked, taken apart.
struct asked {
    struct review review;
    struct record_name record; // that the answer is an event of
    struct str kind, part;
    struct str triggers; // ids, a blank between them
};

// ---- the question -----------------------------------------------------------------------------

static enum err_code read_asked(struct journal *j, const struct review *review, struct asked *ret,
                                struct err *e)
{
    struct json detail = {0};
    char id[LIMIT_NAME + 1];
    *ret = (struct asked){.review = *review, .kind = review->kind, .triggers = STR("")};
    enum err_code code = json_parse_in(&j->arena, review->detail, LIMIT_EVENT_DEPTH, &detail, e);
    if (code)
        return code;
    struct str type = body_text(detail.root, "type"), record = body_text(detail.root, "record");
    ret->part = body_text(detail.root, "part");
    ret->triggers = body_text(detail.root, "triggers");
    if (type.n != 0 && reducer_find(type) != NULL) {
        ret->record = (struct record_name){review->location, type, record};
        ret->kind = str_make(review->kind.p + type.n + 1, review->kind.n - type.n - 1);
        return ERR_OK;
    }
    review_id(review->kind, review->record, id);
    struct str copy = arena_copy(&j->arena, str_of(id));
    ret->record = (struct record_name){review->location, STR(REVIEW), copy};
    return copy.p ? ERR_OK : err_set(e, ERR_NO_MEMORY, "out of memory for a review");
}

static enum err_code refuse(struct reviewing_refusal *ret, enum err_code code)
{
    ret->code = code;
    return ERR_OK;
}

static enum err_code find_asked(struct journal *j, const struct reviewing_answer *answer,
                                struct asked *ret, struct reviewing_refusal *refusal, struct err *e)
{
    struct review review = {.open = false};
    int64_t number = answer->review;
    enum err_code code = store_review_find(journal_store(j), number, &j->arena, &review, e);
    if (code == ERR_NOT_FOUND)
        return refuse(refusal,
                      err_set(&refusal->why, code, "there is no review %lld", (long long)number));
    if (code == ERR_OK && !review.open)
        return refuse(refusal, err_set(&refusal->why, ERR_CONFLICT,
                                       "review %lld is settled already", (long long)number));
    return code ? code : read_asked(j, &review, ret, e);
}

// ---- the answer -------------------------------------------------------------------------------

static void add_text(struct json_writer *w, const char *key, struct str text)
{
    if (text.n != 0)
        yyjson_mut_obj_add_strncpy(w->doc, w->root, key, text.p, text.n);
}

static void write_answer(struct json_writer *w, const struct asked *asked,
                         const struct reviewing_answer *answer)
{
    struct str triggers = asked->triggers, id;
    add_text(w, "review", asked->kind);
    add_text(w, "part", asked->part);
    yyjson_mut_obj_add_str(w->doc, w->root, "decision", decision_name(answer->decision));
    add_text(w, "value", answer->value);
    add_text(w, "outcome", answer->outcome);
    add_text(w, "note", answer->note);
    add_text(w, "by", answer->by);
    if (str_is(asked->record.type, REVIEW))
        add_text(w, "record", asked->review.record);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(w->doc, w->root, "triggers");
    while (str_cut(&triggers, ' ', &id)) {
        yyjson_mut_val *item = yyjson_mut_arr_add_obj(w->doc, list);
        yyjson_mut_obj_add_strncpy(w->doc, item, "event", id.p, id.n);
    }
}

static enum err_code say_answer(struct journal *j, const struct asked *asked,
                                const struct reviewing_answer *answer, struct uuid *ret_id,
                                struct reviewing_refusal *refusal, struct err *e)
{
    struct json_writer w;
    struct journal_added added;
    const struct event_type *type = event_type_find(STR("review_resolved"));
    struct event draft = {.id = journal_fresh_id(j),
                          .location = asked->record.location,
                          .type_name = str_of(type->name),
                          .type = type,
                          .version = type->version,
                          .lane = type->lane,
                          .record_type = asked->record.type,
                          .record_id = asked->record.id,
                          .at = clock_wall_ms()};
    json_writer_begin(&w);
    write_answer(&w, asked, answer);
    enum err_code code = journal_read_back(j, &w, &draft.body, e);
    if (code == ERR_OK)
        code = journal_add(j, &draft, &added, e);
    if (code == ERR_OK && added.verdict != VERDICT_ACCEPTED)
        return refuse(refusal, err_set(&refusal->why, ERR_INVALID, "%s", added.reason));
    *ret_id = draft.id;
    return code;
}

// ---- what was held ----------------------------------------------------------------------------

struct answered {
    struct journal *j;
    struct verdict verdict;
};

static enum err_code judge_held(struct answered *a, struct str location, const struct uuid *target,
                                struct err *e)
{
    struct store_event_list list = {.count = 0};
    struct event event;
    enum err_code code = store_find_event(a->j->store, target, &a->j->arena, &list, e);
    for (size_t i = 0; i < list.count && code == ERR_OK; i++) {
        code = event_parse(list.items[i].bytes, &a->j->arena, &event, e);
        if (code || !str_equal(event.location, location))
            continue;
        struct record_name record = {location, event.record_type, event.record_id};
        struct judgement judgement = {.target = *target, .verdict = a->verdict};
        code = journal_reservation_verdict(a->j, &event, &judgement.verdict, e);
        return code ? code : journal_say(a->j, &record, &judgement, e);
    }
    return code;
}

static enum err_code judge_triggers(struct answered *a, const struct asked *asked, struct err *e)
{
    struct str triggers = asked->triggers, text;
    enum err_code code = ERR_OK;
    while (code == ERR_OK && str_cut(&triggers, ' ', &text)) {
        struct uuid id;
        bool held = false;
        if (uuid_parse(text, &id))
            continue;
        code = store_is_held(a->j->store, asked->record.location, &id, &held, e);
        if (code == ERR_OK && held)
            code = judge_held(a, asked->record.location, &id, e);
    }
    return code;
}

static enum err_code judge_batch(struct answered *a, const struct asked *asked, struct err *e)
{
    struct uuid held[LIMIT_BASE];
    size_t count = 0;
    enum err_code code;
    do { // what is judged here is not held any more
        code = store_flush(a->j->store, e);
        if (code == ERR_OK)
            code = store_held_of(a->j->store, &asked->record, held, &count, e);
        for (size_t i = 0; i < count && code == ERR_OK; i++)
            code = judge_held(a, asked->record.location, &held[i], e);
    } while (code == ERR_OK && count > 0);
    return code;
}

// ---- quantities -------------------------------------------------------------------------------

// The adjustment that an answer asks for.
struct adjustment {
    bool wanted;
    struct str sku;
    int64_t stock, value; // decimals
};

static bool is_quantity(const struct asked *asked)
{
    enum verdict_reason reason;
    return str_is(asked->record.type, "stock") &&
           verdict_reason_parse(asked->kind, &reason) == ERR_OK && quantity_is_asked(reason);
}

// The SKU that the event which was asked about names.
static enum err_code asked_sku(struct journal *j, const struct asked *asked, struct str *ret,
                               struct err *e)
{
    struct store_event_list list = {.count = 0};
    struct event event;
    struct uuid id;
    *ret = asked->part.n == 0 ? asked->record.id : STR(""); // of a SKU as a whole
    if (uuid_parse(asked->part, &id))
        return ERR_OK;
    enum err_code code = store_find_event(j->store, &id, &j->arena, &list, e);
    for (size_t i = 0; i < list.count && code == ERR_OK && ret->n == 0; i++) {
        code = event_parse(list.items[i].bytes, &j->arena, &event, e);
        if (code == ERR_OK && str_equal(event.location, asked->record.location))
            *ret = body_text(event.body, "sku");
    }
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static bool is_decimal(int64_t value)
{
    return value >= -LIMIT_DECIMAL && value <= LIMIT_DECIMAL;
}

static enum err_code read_adjustment(struct journal *j, const struct asked *asked,
                                     const struct reviewing_answer *answer, struct adjustment *ret,
                                     struct reviewing_refusal *refusal, struct err *e)
{
    int64_t sum = 0;
    *ret = (struct adjustment){.wanted = is_quantity(asked) && answer->decision == DECISION_EDIT};
    if (str_is(asked->record.type, "stock") && answer->decision == DECISION_EDIT && !ret->wanted)
        return refuse(refusal, err_set(&refusal->why, ERR_INVALID,
                                       "decision: there is no value to edit; accept or reject"));
    if (!ret->wanted)
        return ERR_OK;
    if (decimal_parse(answer->value, &ret->value) || !is_decimal(ret->value))
        return refuse(refusal, err_set(&refusal->why, ERR_INVALID,
                                       "value: must be the adjustment, a decimal string"));
    enum err_code code = asked_sku(j, asked, &ret->sku, e);
    if (code == ERR_OK)
        code = store_stock_of(j->store, asked->record.location, ret->sku, &ret->stock, e);
    bool fits = decimal_add(ret->stock, ret->value, &sum) == ERR_OK && is_decimal(sum) &&
                is_decimal(ret->stock) && ret->sku.n != 0;
    return code || fits ? code
                        : refuse(refusal, err_set(&refusal->why, ERR_INVALID,
                                                  "value: the stock cannot be adjusted so"));
}

static void write_adjustment(struct json_writer *w, const struct adjustment *a)
{
    char text[3][DECIMAL_TEXT_MAX];
    decimal_format((__int128)a->stock + a->value, text[0]);
    decimal_format(a->stock, text[1]);
    decimal_format(a->value, text[2]);
    add_text(w, "sku", a->sku);
    yyjson_mut_obj_add_strcpy(w->doc, w->root, "counted", text[0]);
    yyjson_mut_obj_add_strcpy(w->doc, w->root, "system", text[1]);
    yyjson_mut_obj_add_strcpy(w->doc, w->root, "variance", text[2]);
    yyjson_mut_obj_add_str(w->doc, w->root, "reason", "the answer to a question");
}

// An event of its own, which names the answer as its cause: stock moves by nothing else.
static enum err_code adjust(struct journal *j, const struct asked *asked,
                            const struct adjustment *adjustment, const struct uuid *answer,
                            struct err *e)
{
    struct json_writer w;
    struct journal_added added;
    const struct event_type *type = event_type_find(STR("inventory_adjusted"));
    struct event draft = {.id = journal_fresh_id(j),
                          .location = asked->record.location,
                          .type_name = str_of(type->name),
                          .type = type,
                          .version = type->version,
                          .lane = type->lane,
                          .record_type = asked->record.type,
                          .record_id = adjustment->sku,
                          .cause = *answer,
                          .at = clock_wall_ms()};
    if (!adjustment->wanted)
        return ERR_OK;
    json_writer_begin(&w);
    write_adjustment(&w, adjustment);
    enum err_code code = journal_read_back(j, &w, &draft.body, e);
    j->answered = *answer;
    if (code == ERR_OK)
        code = journal_add(j, &draft, &added, e);
    j->answered = (struct uuid){{0}};
    if (code == ERR_OK && added.verdict != VERDICT_ACCEPTED)
        code = err_set(e, ERR_INVALID, "the adjustment was refused: %s", added.reason);
    return code;
}

// ---- what a revoked device delivered ----------------------------------------------------------

static bool lets_in(const struct asked *asked, const struct reviewing_answer *answer)
{
    return answer->decision == DECISION_ACCEPT && str_is(asked->review.kind, "revoked");
}

// What is here counts, which ends the question. It is no answer on its record: that would settle
// what the device may still bring, too.
static enum err_code let_in(struct journal *j, const struct asked *asked,
                            const struct reviewing_answer *answer,
                            struct reviewing_refusal *refusal, struct err *e)
{
    struct json_writer w;
    struct journal_added added;
    struct event draft = {.id = journal_fresh_id(j),
                          .location = asked->review.location,
                          .record_id = asked->review.record,
                          .at = clock_wall_ms()};
    json_writer_begin(&w);
    add_text(&w, "reason", answer->note);
    add_text(&w, "by", answer->by);
    enum err_code code = journal_read_back(j, &w, &draft.body, e);
    if (code == ERR_OK)
        code = journal_accept_revoked(j, &draft, &added, e);
    if (code == ERR_OK && added.verdict != VERDICT_ACCEPTED)
        return refuse(refusal, err_set(&refusal->why, ERR_INVALID, "%s", added.reason));
    return code;
}

// ---- all --------------------------------------------------------------------------------------

static enum err_code check(struct journal *j, const struct reviewing_answer *answer, struct err *e)
{
    static const char *const outcomes[] = {"missing_event", "data_entry_error", "theft", "damage",
                                           "other"};
    bool known = answer->outcome.n == 0;
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        known = known || str_is(answer->outcome, outcomes[i]);
    if (journal_identity(j)->role != ROLE_CENTRAL)
        return err_set(e, ERR_INVALID, "questions are answered at the centre");
    if (!known)
        return err_set(e, ERR_INVALID,
                       "outcome: must be missing_event, data_entry_error, theft, damage or other");
    if ((answer->decision == DECISION_EDIT) != (answer->value.n != 0))
        return err_set(e, ERR_INVALID,
                       answer->value.n ? "value: goes with the decision edit"
                                       : "value: missing, with the decision edit");
    return journal_may_decide(j, e);
}

static enum err_code judge_all_held(struct journal *j, const struct asked *asked,
                                    const struct reviewing_answer *answer, const struct uuid *id,
                                    struct err *e)
{
    bool accepted = answer->decision == DECISION_ACCEPT;
    struct answered answered = {.j = j,
                                .verdict = {.outcome = accepted ? JUDGED_APPLIED : JUDGED_DENIED,
                                            .reason = REASON_ANSWERED,
                                            .answer = *id}};
    return str_is(asked->record.type, BATCH) ? judge_batch(&answered, asked, e)
                                             : judge_triggers(&answered, asked, e);
}

enum err_code reviewing_answer(struct journal *j, const struct reviewing_answer *answer,
                               struct reviewing_refusal *ret, struct err *e)
{
    struct asked asked = {.kind = STR("")};
    struct adjustment adjustment = {.wanted = false};
    struct uuid id = {.b = {0}};
    *ret = (struct reviewing_refusal){.code = ERR_OK};
    ret->code = check(j, answer, &ret->why);
    enum err_code code = ret->code ? ERR_OK : store_flush(j->store, e);
    if (code == ERR_OK && ret->code == ERR_OK)
        code = find_asked(j, answer, &asked, ret, e);
    if (code == ERR_OK && ret->code == ERR_OK && lets_in(&asked, answer))
        return let_in(j, &asked, answer, ret, e);
    if (code == ERR_OK && ret->code == ERR_OK)
        code = read_adjustment(j, &asked, answer, &adjustment, ret, e);
    if (code == ERR_OK && ret->code == ERR_OK)
        code = say_answer(j, &asked, answer, &id, ret, e);
    if (code == ERR_OK && ret->code == ERR_OK)
        code = judge_all_held(j, &asked, answer, &id, e);
    if (code == ERR_OK && ret->code == ERR_OK)
        code = adjust(j, &asked, &adjustment, &id, e);
    return code;
}

enum err_code reviewing_parse(struct str text, enum decision *ret, struct err *e)
{
    for (int i = DECISION_ACCEPT; i <= DECISION_EDIT; i++) {
        if (str_is(text, decision_name((enum decision)i))) {
            *ret = (enum decision)i;
            return ERR_OK;
        }
    }
    return err_set(e, ERR_INVALID, "decision: must be accept, reject or edit");
}
