// SPDX-License-Identifier: Apache-2.0
#include "model/reservation.h"

#include "base/decimal.h"
#include "model/body.h"
#include "model/mutant.h"
#include "model/question.h"

#include <stdio.h>
#include <string.h>

static const struct column columns[] = {
    {"id", COLUMN_TEXT, "the reservation"},
    {"state", COLUMN_TEXT, "pending, held, confirmed, denied, expired or released"},
    {"sku", COLUMN_TEXT, "what is kept"},
    {"quantity", COLUMN_DECIMAL, "units"},
    {"until_at", COLUMN_INTEGER, "ms since 1970, by the corrected clock: kept so long"},
    {"order_id", COLUMN_TEXT, "the order that it is for"},
    {"station", COLUMN_TEXT, "where it is cooked"},
    {"requested_at", COLUMN_INTEGER, "ms since 1970"},
    {"requested_by", COLUMN_TEXT, "who asked for it, and is told"},
    {"request", COLUMN_UUID, "the event"},
    {NULL, COLUMN_TEXT, NULL}};
static const struct row_table table = {"reservation_heads", 1, columns};
enum { R_ID, R_STATE, R_SKU, R_QUANTITY, R_UNTIL, R_ORDER, R_STATION, R_AT, R_BY, R_REQUEST };

enum verb { RESERVE, RELEASE, ANSWER };

struct op {
    enum verb verb;
    struct str sku, order, station;
    int64_t quantity; // decimal
    int64_t until_at; // by its author's clock
    struct answer_op answer;
};

struct state {
    const struct record_entry *requested; // the first
    const struct record_entry *released;
    struct questions questions;
};

// ---- reading ----------------------------------------------------------------------------------

static enum err_code read_request(struct body_reader *in, const struct event *event, struct op *op,
                                  struct err *e)
{
    op->verb = RESERVE;
    op->sku = body_copy(in, in->body, "sku");
    op->order = body_copy(in, in->body, "order_id");
    op->station = body_copy(in, in->body, "station");
    op->quantity = body_decimal(in->body, "quantity");
    op->until_at = event->at + LIMIT_RESERVATION_MS;
    if (body_find(in->body, "until_at") != NULL)
        op->until_at = body_integer(in->body, "until_at");
    if (op->quantity <= 0)
        return err_set(e, ERR_INVALID, "body: quantity: must be above zero");
    if (op->until_at < event->at || op->until_at > LIMIT_CLOCK_MS)
        return err_set(e, ERR_INVALID, "body: until_at: is before the request");
    return ERR_OK;
}

static enum err_code decode(const struct event *event, struct arena *kept, const void **ret_op,
                            struct err *e)
{
    struct body_reader in = {event->body, kept, false};
    struct op *op = arena_alloc_zero(kept, sizeof *op);
    enum err_code code = ERR_OK;
    if (op == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a reservation");
    *ret_op = op;
    op->verb = RELEASE;
    if (str_is(event->type_name, "reservation_requested")) {
        code = read_request(&in, event, op, e);
    } else if (str_is(event->type_name, "review_resolved")) {
        op->verb = ANSWER;
        code = answer_decode(event, kept, &op->answer, e);
    }
    return code == ERR_OK && in.full ? err_set(e, ERR_NO_MEMORY, "out of memory for a reservation")
                                     : code;
}

// ---- its end ----------------------------------------------------------------------------------

// What its author's clock said, told by the one that counts where they are apart.
static int64_t correct(int64_t until_at, int64_t at, hlc clock)
{
    int64_t off = hlc_ms(clock) - at;
    bool apart = off > LIMIT_CLOCK_SKEW_MS || off < -LIMIT_CLOCK_SKEW_MS;
    return apart ? until_at + off : until_at;
}

bool reservation_claim_of(const struct event *event, hlc clock, struct reservation_claim *ret)
{
    int64_t until_at = event->at + LIMIT_RESERVATION_MS;
    if (!str_is(event->type_name, "reservation_requested"))
        return false;
    if (body_find(event->body, "until_at") != NULL)
        until_at = body_integer(event->body, "until_at");
    *ret = (struct reservation_claim){.sku = body_text(event->body, "sku"),
                                      .quantity = body_decimal(event->body, "quantity"),
                                      .until_ms = correct(until_at, event->at, clock)};
    return true;
}

void reservation_judge(const struct reservation_claim *claim, const struct reservation_view *view,
                       struct verdict *verdict)
{
    int64_t kept = MUTANT(promised_beyond) ? 0 : view->kept;
    __int128 there = (__int128)view->stock - kept + view->tolerance;
    bool expired = !view->over && claim->until_ms <= view->now_ms;
    bool fits = view->over || claim->quantity <= there;
    verdict->outcome = fits && !expired ? JUDGED_APPLIED : JUDGED_DENIED;
    verdict->reason = expired ? REASON_DEADLINE : REASON_STOCK;
}

// ---- folding ----------------------------------------------------------------------------------

// What was wanted, and for whom.
static struct str say(const struct op *op, struct arena *a)
{
    char quantity[DECIMAL_TEXT_MAX], text[DECIMAL_TEXT_MAX + 4 * LIMIT_NAME];
    decimal_format(op->quantity, quantity);
    snprintf(text, sizeof text, "%s %.*s%s%.*s%s%.*s", quantity, STR_ARG(op->sku),
             op->order.n ? ", order " : "", STR_ARG(op->order), op->station.n ? ", station " : "",
             STR_ARG(op->station));
    return arena_copy(a, str_of(text));
}

static enum err_code ask(struct question **list, const char *kind, const char *why,
                         const struct record_entry *first, const struct record_entry *second,
                         struct arena *a)
{
    struct question question = {.kind = kind,
                                .sides = {{first, say(first->op, a)}, {second, STR("")}},
                                .suggested = DECISION_ACCEPT,
                                .why = why};
    if (second != NULL)
        question.sides[1].value = say(second->op, a);
    bool full = question.sides[0].value.p == NULL || question.sides[1].value.p == NULL;
    return full ? ERR_NO_MEMORY : question_ask(list, &question, a);
}

static enum err_code apply(void *state, const struct record_entry *entry, struct arena *folded)
{
    struct state *s = state;
    const struct op *op = entry->op;
    switch (op->verb) {
    case RESERVE:
        if (s->requested != NULL)
            return ask(&s->questions.asked, "requested_twice",
                       "one record is one reservation; ask again under another id", s->requested,
                       entry, folded);
        s->requested = entry;
        return ERR_OK;
    case RELEASE:
        s->released = s->released ? s->released : entry;
        return ERR_OK;
    case ANSWER:
        return question_answer(&s->questions, entry, &op->answer, folded);
    }
    return ERR_OK;
}

// ---- looking ----------------------------------------------------------------------------------

static const char *state_of(const struct state *s)
{
    const struct verdict *verdict = &s->requested->verdict;
    if (verdict->outcome == JUDGED_DENIED)
        return verdict->reason == REASON_DEADLINE ? "expired" : "denied";
    if (s->released != NULL)
        return "released";
    if (verdict->outcome == JUDGED_HELD)
        return "held";
    bool found = verdict->outcome == JUDGED_APPLIED && verdict->reason == REASON_STOCK;
    return found ? "confirmed" : "pending";
}

static enum err_code write_row(const struct state *s, struct str id, struct row_list *to)
{
    const struct record_entry *requested = s->requested;
    const struct op *op = requested->op;
    hlc clock = requested->moved ? requested->moved->effective : requested->order.hlc;
    struct row *row = row_list_add(to, &table);
    if (row == NULL)
        return ERR_NO_MEMORY;
    row_set_text(row, R_ID, id);
    row_set_text(row, R_STATE, str_of(state_of(s)));
    row_set_text(row, R_SKU, op->sku);
    row_set_number(row, R_QUANTITY, op->quantity);
    row_set_number(row, R_UNTIL, correct(op->until_at, requested->at, clock));
    row_set_text(row, R_ORDER, op->order);
    row_set_text(row, R_STATION, op->station);
    row_set_number(row, R_AT, requested->at);
    row_set_text(row, R_BY, requested->actor);
    row_set_uuid(row, R_REQUEST, &requested->id);
    return ERR_OK;
}

static enum err_code rows(const void *state, struct str id, struct row_list *to)
{
    const struct state *s = state;
    struct question *found = NULL;
    struct record_name name = {.type = STR("reservation"), .id = id};
    enum err_code code = ERR_OK;
    if (s->requested != NULL) { // a release alone says nothing yet
        code = write_row(s, id, to);
        if (code == ERR_OK && s->requested->verdict.outcome == JUDGED_DENIED)
            code =
                ask(&found, "denied", "tell the waiter and the kitchen, and offer something else",
                    s->requested, NULL, to->arena);
    }
    return code ? code : questions_write(&s->questions, found, &name, to);
}

static const struct row_table *const tables[] = {&table, &question_table, NULL};

static const struct question_kind questions[] = {
    {"denied", "Goods were asked for that are not there; kitchen and waiter must be told."},
    {"requested_twice", "Two requests have one id; the first is the reservation."},
    {NULL, NULL}};

const struct reducer reservation_reducer = {.record_type = "reservation",
                                            .tables = tables,
                                            .questions = questions,
                                            .state_bytes = sizeof(struct state),
                                            .decode = decode,
                                            .apply = apply,
                                            .rows = rows};
