// SPDX-License-Identifier: Apache-2.0
// What an order looks like once all of its events are in: totals, statuses, and the questions that
// only the whole can raise (a void that lost, money that does not match, a bill split too far).
#include "base/decimal.h"
#include "model/mutant.h"
#include "model/order.h"
#include "model/shift_money.h"

#include <string.h>

// ---- tables -----------------------------------------------------------------------------------

static const struct column order_columns[] = {
    {"id", COLUMN_TEXT, "the order"},
    {"status", COLUMN_TEXT, "the lowest of its bills', voided ones aside"},
    {"kind", COLUMN_TEXT, "dine_in, takeaway or delivery"},
    {"table_name", COLUMN_TEXT, "where it sits"},
    {"covers", COLUMN_TEXT, "guests"},
    {"waiter", COLUMN_TEXT, "a code"},
    {"customer", COLUMN_TEXT, "a code"},
    {"discount", COLUMN_TEXT, "percent"},
    {"note", COLUMN_TEXT, "for people"},
    {"currency", COLUMN_TEXT, "of all amounts"},
    {"places", COLUMN_INTEGER, "decimal places of the currency"},
    {"opened_at", COLUMN_INTEGER, "ms since 1970"},
    {"merged_into", COLUMN_TEXT, "the order that took it in"},
    {"total", COLUMN_INTEGER, "minor units, over its bills that are not voided"},
    {NULL, COLUMN_TEXT, NULL}};
static const struct row_table orders = {"order_heads", 1, order_columns};
enum {
    O_ID,
    O_STATUS,
    O_KIND,
    O_TABLE,
    O_COVERS,
    O_WAITER,
    O_CUSTOMER,
    O_DISCOUNT,
    O_NOTE,
    O_CURRENCY,
    O_PLACES,
    O_OPENED_AT,
    O_MERGED_INTO,
    O_TOTAL
};

static const struct column bill_columns[] = {
    {"order_id", COLUMN_TEXT, "the order"},
    {"bill", COLUMN_TEXT, "main, or the id that a split gave"},
    {"status", COLUMN_TEXT, "draft, fired, voided, paid or refunded"},
    {"total", COLUMN_INTEGER, "minor units: its lines less the discount, or as completed"},
    {"paid", COLUMN_INTEGER, "minor units, refunds not taken off"},
    {"refunded", COLUMN_INTEGER, "minor units"},
    {"receipt", COLUMN_TEXT, "number as printed"},
    {"completed_by", COLUMN_UUID, "the completion that counts"},
    {NULL, COLUMN_TEXT, NULL}};
static const struct row_table bills = {"order_bills", 2, bill_columns};
enum { B_ORDER, B_BILL, B_STATUS, B_TOTAL, B_PAID, B_REFUNDED, B_RECEIPT, B_COMPLETED_BY };

static const struct column line_columns[] = {
    {"order_id", COLUMN_TEXT, "the order"},
    {"line", COLUMN_UUID, "the line"},
    {"bill", COLUMN_TEXT, "on which bill these units are"},
    {"sku", COLUMN_TEXT, "the stock-keeping unit"},
    {"name", COLUMN_TEXT, "as printed"},
    {"quantity", COLUMN_DECIMAL, "units on this bill"},
    {"unit_price", COLUMN_DECIMAL, "price of one in major units"},
    {"amount", COLUMN_INTEGER, "minor units"},
    {"modifiers", COLUMN_TEXT, "as ordered"},
    {"note", COLUMN_TEXT, "for the kitchen"},
    {"flagged", COLUMN_INTEGER, "1 while a person is asked about it"},
    {"catalog", COLUMN_INTEGER, "the catalog's version that its author had before him"},
    {"overridden_by", COLUMN_TEXT, "who allowed another price"},
    {NULL, COLUMN_TEXT, NULL}};
static const struct row_table lines = {"order_lines", 3, line_columns};
enum {
    L_ORDER,
    L_LINE,
    L_BILL,
    L_SKU,
    L_NAME,
    L_QUANTITY,
    L_UNIT_PRICE,
    L_AMOUNT,
    L_MODIFIERS,
    L_NOTE,
    L_FLAGGED,
    L_CATALOG,
    L_OVERRIDDEN_BY
};

static const struct column payment_columns[] = {
    {"order_id", COLUMN_TEXT, "the order"},
    {"payment", COLUMN_UUID, "the payment or refund"},
    {"event", COLUMN_UUID, "that says so"},
    {"bill", COLUMN_TEXT, "of which bill"},
    {"method", COLUMN_TEXT, "cash, card, ..."},
    {"currency", COLUMN_TEXT, "of the amount"},
    {"amount", COLUMN_INTEGER, "minor units, negative when given back"},
    {"value", COLUMN_INTEGER, "the same in the order's currency"},
    {"refund_of", COLUMN_UUID, "the payment given back"},
    {"at", COLUMN_INTEGER, "ms since 1970"},
    {NULL, COLUMN_TEXT, NULL}};
static const struct row_table payments = {"order_payments", 3, payment_columns};
enum {
    P_ORDER,
    P_PAYMENT,
    P_EVENT,
    P_BILL,
    P_METHOD,
    P_CURRENCY,
    P_AMOUNT,
    P_VALUE,
    P_REFUND_OF,
    P_AT
};

static const struct column bump_columns[] = {
    {"order_id", COLUMN_TEXT, "the order"},
    {"line", COLUMN_TEXT, "the line; all: what the station had"},
    {"station", COLUMN_TEXT, "where it was cooked"},
    {"event", COLUMN_UUID, "that said so first"},
    {"at", COLUMN_INTEGER, "ms since 1970"},
    {NULL, COLUMN_TEXT, NULL}};
static const struct row_table bumps = {"order_bumps", 3, bump_columns};
enum { K_ORDER, K_LINE, K_STATION, K_EVENT, K_AT };

static const struct row_table *const order_tables[] = {
    &orders, &bills, &lines, &payments, &bumps, &shift_money_table, &question_table, NULL};

static const struct question_kind order_questions[] = {
    {"line", "Two tills changed one line without having seen each other; both changes count."},
    {"lines", "An order has more than 2,000 lines; all of them count."},
    {"split", "More of a line was moved to other bills than it had."},
    {"void_lost", "An order was voided beside a payment; the payment stands."},
    {"completed_twice", "One bill was completed twice; the first completion counts."},
    {"payment", "What was paid is not what was to be paid."},
    {"after_payment", "A line was changed beside the payment of its bill."},
    {"opened_twice", "One order was opened twice; the first opening counts."},
    {"merged_twice", "One order was merged into two others; the later one has it."},
    {NULL, NULL}};

const struct reducer order_reducer = {.record_type = "order",
                                      .tables = order_tables,
                                      .questions = order_questions,
                                      .state_bytes = sizeof(struct order_state),
                                      .decode = order_decode,
                                      .apply = order_apply,
                                      .rows = order_rows};

// ---- sums -------------------------------------------------------------------------------------

enum bill_status { BILL_DRAFT, BILL_FIRED, BILL_VOIDED, BILL_PAID, BILL_REFUNDED };
static const char *const status_names[] = {"draft", "fired", "voided", "paid", "refunded"};

// An order on its way into rows. Sums that pass int64 stick at its ends: limits keep honest ones
// far below.
struct view {
    const struct order_state *state;
    struct str id;
    struct row_list *to;
    int places;
    struct question *found; // asked by the whole
    int64_t total;
    int lowest; // status, -1 none yet
};

static int64_t sum(int64_t a, int64_t b)
{
    int64_t total;
    if (!__builtin_add_overflow(a, b, &total))
        return total;
    return a < 0 ? INT64_MIN : INT64_MAX;
}

static bool rejected(const struct order_state *s, const struct record_entry *by)
{
    return question_rejected(&s->questions, "line", by);
}

static int64_t line_quantity(const struct order_state *s, const struct order_line *line)
{
    int64_t quantity = 0;
    for (const struct order_touch *t = line->touches; t != NULL; t = t->next) {
        if (!t->cancelled && t->quantity != 0 && !rejected(s, t->by))
            quantity = sum(quantity, t->quantity);
    }
    return quantity;
}

// A person said that it did not happen, of this line.
static bool moved_back(const struct order_state *s, const struct order_line *line,
                       const struct order_assignment *x)
{
    char part[UUID_TEXT_SIZE];
    if (question_answered(&s->questions, "split", x->by) == NULL)
        return false;
    uuid_format(&line->id, part);
    return question_part_rejected(&s->questions, "split", str_of(part), x->by);
}

static int64_t quantity_on(const struct order_state *s, const struct order_line *line,
                           const struct uuid *bill)
{
    int64_t quantity = uuid_equal(&line->bill, bill) ? line_quantity(s, line) : 0;
    for (const struct order_assignment *x = line->moves; x != NULL; x = x->next) {
        if (!x->cancelled && uuid_equal(&x->bill, bill) && !moved_back(s, line, x))
            quantity = sum(quantity, x->quantity);
    }
    return quantity;
}

// What money is in the order's currency. Of another one nothing, unless its author says how much:
// nobody here knows a rate, and a bill that is not paid so is asked about.
static int64_t value_of(const struct order_state *s, const struct order_op *op)
{
    bool same = s->opening == NULL || str_equal(op->money.currency, s->opening->open.currency);
    return same ? op->money.amount : op->money.valued ? op->money.value : 0;
}

static int64_t money_on(const struct order_state *s, const struct order_money *list,
                        const struct uuid *bill)
{
    int64_t total = 0;
    for (; list != NULL; list = list->next) {
        if (uuid_equal(&list->op->bill, bill))
            total = sum(total, value_of(s, list->op));
    }
    return total;
}

static const struct record_entry *last_money(const struct order_money *list,
                                             const struct uuid *bill)
{
    const struct record_entry *last = NULL;
    for (; list != NULL; list = list->next) {
        if (uuid_equal(&list->op->bill, bill))
            last = list->by;
    }
    return last;
}

// ---- lines ------------------------------------------------------------------------------------

static bool is_flagged(const struct order_state *s, const struct order_line *line)
{
    char part[UUID_TEXT_SIZE];
    uuid_format(&line->id, part);
    for (const struct order_touch *t = line->touches; t != NULL; t = t->next) {
        if (t->asked && !question_settled(&s->questions, "line", str_of(part), t->by))
            return true;
    }
    return false;
}

static struct str bill_name(struct view *v, const struct uuid *bill)
{
    if (uuid_is_zero(bill))
        return STR("main");
    char *text = arena_alloc(v->to->arena, UUID_TEXT_SIZE);
    if (text == NULL)
        return STR("");
    uuid_format(bill, text);
    return str_make(text, UUID_TEXT_SIZE - 1);
}

// The newest that nobody rejected; NULL: the price it was added at.
static const struct order_price *other_price(const struct view *v, const struct order_line *line)
{
    const struct order_price *price = line->prices;
    while (price != NULL && question_rejected(&v->state->questions, NULL, price->by))
        price = price->next;
    return price;
}

static enum err_code write_line(struct view *v, const struct order_line *line,
                                const struct order_bill *bill, int64_t quantity, int64_t *subtotal)
{
    struct row *row = row_list_add(v->to, &lines);
    struct str name = bill_name(v, &bill->id);
    int64_t amount = 0;
    if (row == NULL || name.n == 0)
        return ERR_NO_MEMORY;
    row_set_text(row, L_ORDER, v->id);
    row_set_uuid(row, L_LINE, &line->id);
    row_set_text(row, L_BILL, name);
    row_set_text(row, L_SKU, line->sku);
    row_set_text(row, L_NAME, line->name);
    row_set_number(row, L_QUANTITY, quantity);
    const struct order_price *other = other_price(v, line);
    int64_t unit_price = other ? other->op->line.unit_price : line->unit_price;
    row_set_number(row, L_UNIT_PRICE, unit_price);
    if (line->catalog > 0)
        row_set_number(row, L_CATALOG, line->catalog);
    if (other != NULL)
        row_set_text(row, L_OVERRIDDEN_BY, other->op->line.by);
    if (v->state->opened && decimal_amount(unit_price, quantity, v->places, &amount) == ERR_OK)
        row_set_number(row, L_AMOUNT, amount);
    *subtotal = sum(*subtotal, amount);
    row_set_text(row, L_MODIFIERS, line->modifiers);
    row_set_text(row, L_NOTE, line->note);
    row_set_number(row, L_FLAGGED, is_flagged(v->state, line));
    return ERR_OK;
}

static enum err_code ask(struct view *v, const struct order_ask *ask)
{
    return order_ask(&v->found, ask, v->to->arena);
}

static enum err_code ask_moves(struct view *v, const struct order_line *line,
                               const struct record_entry *one, const struct record_entry *other)
{
    struct order_ask split = {.kind = "split",
                              .part = &line->id,
                              .earlier = one,
                              .later = other,
                              .suggested = DECISION_ACCEPT,
                              .why = "no unit is billed twice: give the missing ones back"};
    return ask(v, &split);
}

// A bill that gave away more of a line than it had: two splits, or a split and a remove, whose
// authors had not seen each other. What a person rejected stays asked about, and is settled.
static enum err_code ask_split(struct view *v, const struct order_line *line,
                               const struct order_bill *bill, bool beyond)
{
    const struct record_entry *last = NULL, *unseen = NULL;
    enum err_code code = ERR_OK;
    for (const struct order_assignment *x = line->moves; x != NULL && code == ERR_OK; x = x->next) {
        if (x->cancelled || x->quantity > 0 || !uuid_equal(&x->bill, &bill->id))
            continue;
        if (moved_back(v->state, line, x))
            code = ask_moves(v, line, x->by, NULL);
        else if (last == NULL)
            last = x->by;
        else if (unseen == NULL && !record_saw(last, x->by))
            unseen = x->by;
    }
    return code || !beyond || last == NULL ? code : ask_moves(v, line, last, unseen);
}

static enum err_code write_lines(struct view *v, const struct order_bill *bill, int64_t *subtotal)
{
    enum err_code code = ERR_OK;
    for (const struct order_line *l = v->state->lines; l != NULL && code == ERR_OK; l = l->next) {
        int64_t quantity = l->touches ? quantity_on(v->state, l, &bill->id) : 0;
        if (quantity != 0)
            code = write_line(v, l, bill, quantity, subtotal);
        if (l->touches != NULL && code == ERR_OK)
            code = ask_split(v, l, bill, quantity < 0);
    }
    return code;
}

// ---- bills ------------------------------------------------------------------------------------

struct bill_sums {
    int64_t total, paid, refunded;
    enum bill_status status;
};

// Money decides: a void stands only where none was taken, or all of it was given back.
static enum bill_status status_of(const struct order_state *s, const struct order_bill *bill,
                                  const struct bill_sums *sums)
{
    if (MUTANT(void_beats_payment) && (bill->voided || s->voided))
        return BILL_VOIDED;
    if (bill->completions != NULL)
        return sums->refunded > 0 && sums->refunded >= sums->paid ? BILL_REFUNDED : BILL_PAID;
    if ((bill->voided || s->voided) && sums->paid <= sums->refunded)
        return BILL_VOIDED;
    return s->fired ? BILL_FIRED : BILL_DRAFT;
}

// Lines that were touched beside the completion, which its author did not see.
static enum err_code ask_late(struct view *v, const struct order_bill *bill)
{
    const struct record_entry *by = bill->completions->by;
    enum err_code code = ERR_OK;
    for (const struct order_line *l = v->state->lines; l != NULL; l = l->next) {
        if (!uuid_equal(&l->bill, &bill->id))
            continue;
        for (const struct order_touch *t = l->touches; t != NULL && code == ERR_OK; t = t->next) {
            if (!record_saw(by, t->by) && !rejected(v->state, t->by))
                code = ask(v, &(struct order_ask){.kind = "after_payment",
                                                  .part = &l->id,
                                                  .earlier = by,
                                                  .later = t->by,
                                                  .suggested = DECISION_ACCEPT,
                                                  .why = "it was ordered; take the rest, or give "
                                                         "it back"});
        }
    }
    return code;
}

static enum err_code ask_bill(struct view *v, const struct order_bill *bill,
                              const struct bill_sums *sums)
{
    const struct order_state *s = v->state;
    const struct record_entry *voided = bill->voided ? bill->voided : s->voided;
    const struct record_entry *paid = last_money(s->payments.first, &bill->id);
    enum err_code code = ERR_OK;
    if (voided != NULL && sums->status != BILL_VOIDED)
        code = ask(v, &(struct order_ask){.kind = "void_lost",
                                          .part = &bill->id,
                                          .earlier = voided,
                                          .later = bill->completions ? bill->completions->by : paid,
                                          .suggested = DECISION_ACCEPT,
                                          .why = "money was taken; only a refund undoes it"});
    if (code || bill->completions == NULL)
        return code;
    if (sums->paid != bill->completions->op->complete.total)
        code = ask(v, &(struct order_ask){.kind = "payment",
                                          .part = &bill->id,
                                          .earlier = bill->completions->by,
                                          .later = paid,
                                          .suggested = DECISION_ACCEPT,
                                          .why = "money that was taken is a fact; give back or "
                                                 "take what differs"});
    return code ? code : ask_late(v, bill);
}

static enum err_code write_bill(struct view *v, const struct order_bill *bill,
                                const struct bill_sums *sums)
{
    struct row *row = row_list_add(v->to, &bills);
    struct str name = bill_name(v, &bill->id);
    if (row == NULL || name.n == 0)
        return ERR_NO_MEMORY;
    row_set_text(row, B_ORDER, v->id);
    row_set_text(row, B_BILL, name);
    row_set_text(row, B_STATUS, str_of(status_names[sums->status]));
    row_set_number(row, B_TOTAL, sums->total);
    row_set_number(row, B_PAID, sums->paid);
    row_set_number(row, B_REFUNDED, sums->refunded);
    if (bill->completions != NULL) {
        row_set_text(row, B_RECEIPT, bill->completions->op->complete.receipt);
        row_set_uuid(row, B_COMPLETED_BY, &bill->completions->by->id);
    }
    return ERR_OK;
}

static int64_t after_discount(const struct order_state *s, int64_t subtotal)
{
    int64_t percent = 0, off = 0;
    struct str text = s->headers[HEADER_DISCOUNT];
    if (text.n == 0 || decimal_parse(text, &percent) || decimal_percent(subtotal, percent, &off))
        return subtotal;
    return sum(subtotal, -off);
}

static enum err_code view_bill(struct view *v, const struct order_bill *bill)
{
    const struct order_state *s = v->state;
    struct bill_sums sums = {.paid = money_on(s, s->payments.first, &bill->id),
                             .refunded = money_on(s, s->refunds.first, &bill->id)};
    int64_t subtotal = 0;
    enum err_code code = write_lines(v, bill, &subtotal);
    sums.total =
        bill->completions ? bill->completions->op->complete.total : after_discount(s, subtotal);
    sums.status = status_of(s, bill, &sums);
    if (code == ERR_OK)
        code = write_bill(v, bill, &sums);
    if (code == ERR_OK)
        code = ask_bill(v, bill, &sums);
    if (sums.status == BILL_VOIDED)
        return code;
    v->total = sum(v->total, sums.total);
    v->lowest = v->lowest < 0 || (int)sums.status < v->lowest ? (int)sums.status : v->lowest;
    return code;
}

// ---- the order --------------------------------------------------------------------------------

static enum err_code write_money(struct view *v, const struct order_money *list, int sign)
{
    for (; list != NULL; list = list->next) {
        const struct order_op *op = list->op;
        struct row *row = row_list_add(v->to, &payments);
        struct str bill = bill_name(v, &op->bill);
        if (row == NULL || bill.n == 0)
            return ERR_NO_MEMORY;
        row_set_text(row, P_ORDER, v->id);
        row_set_uuid(row, P_PAYMENT, &op->money.payment);
        row_set_uuid(row, P_EVENT, &list->by->id);
        row_set_text(row, P_BILL, bill);
        row_set_text(row, P_METHOD, op->money.method);
        row_set_text(row, P_CURRENCY, op->money.currency);
        row_set_number(row, P_AMOUNT, sign * op->money.amount);
        row_set_number(row, P_VALUE, sign * value_of(v->state, op));
        row_set_uuid(row, P_REFUND_OF, &op->money.of);
        row_set_number(row, P_AT, list->by->at);
    }
    return ERR_OK;
}

static enum err_code write_shift(struct view *v, const struct record_entry *by,
                                 enum shift_kind kind)
{
    const struct order_op *op = by->op;
    struct record_name name = {.type = STR("order"), .id = v->id};
    struct shift_money money = {.shift = op->shift, .by = by, .number = 1, .kind = kind};
    if (kind == SHIFT_SALE) {
        money.currency = v->state->opening ? v->state->opening->open.currency : STR("");
        money.amount = op->complete.total;
    } else {
        money.method = op->money.method;
        money.currency = op->money.currency;
        money.amount = kind == SHIFT_REFUND ? -op->money.amount : op->money.amount;
    }
    return shift_money_write(v->to, &name, &money);
}

static enum err_code write_shifts(struct view *v)
{
    enum err_code code = ERR_OK;
    for (const struct order_bill *b = v->state->bills; b != NULL && code == ERR_OK; b = b->next) {
        if (b->completions != NULL)
            code = write_shift(v, b->completions->by, SHIFT_SALE);
    }
    for (const struct order_money *m = v->state->payments.first; m && code == ERR_OK; m = m->next)
        code = write_shift(v, m->by, SHIFT_PAYMENT);
    for (const struct order_money *m = v->state->refunds.first; m && code == ERR_OK; m = m->next)
        code = write_shift(v, m->by, SHIFT_REFUND);
    return code;
}

static enum err_code write_bumps(struct view *v)
{
    for (const struct order_bump *b = v->state->bumps; b != NULL; b = b->next) {
        struct row *row = row_list_add(v->to, &bumps);
        char *line = arena_alloc(v->to->arena, UUID_TEXT_SIZE);
        if (row == NULL || line == NULL)
            return ERR_NO_MEMORY;
        uuid_format(&b->op->bump.line, line);
        row_set_text(row, K_ORDER, v->id);
        row_set_text(row, K_LINE, uuid_is_zero(&b->op->bump.line) ? STR("all") : str_of(line));
        row_set_text(row, K_STATION, b->op->bump.station);
        row_set_uuid(row, K_EVENT, &b->by->id);
        row_set_number(row, K_AT, b->by->at);
    }
    return ERR_OK;
}

// Where the newest merge that nobody rejected says; empty: nowhere.
static struct str merged_into(const struct order_state *s)
{
    const struct order_merge *merge = s->merges;
    while (merge != NULL && question_rejected(&s->questions, "merged_twice", merge->by))
        merge = merge->next;
    return merge ? merge->into : STR("");
}

static enum err_code write_order(struct view *v)
{
    const struct order_state *s = v->state;
    struct row *row = row_list_add(v->to, &orders);
    if (row == NULL)
        return ERR_NO_MEMORY;
    int status = v->lowest < 0 ? (s->bills ? BILL_VOIDED : BILL_DRAFT) : v->lowest;
    row_set_text(row, O_ID, v->id);
    row_set_text(row, O_STATUS, str_of(status_names[status]));
    for (int i = 0; i < HEADER_COUNT; i++)
        row_set_text(row, O_TABLE + i, s->headers[i]);
    row_set_text(row, O_MERGED_INTO, merged_into(s));
    row_set_number(row, O_TOTAL, v->total);
    if (s->opened != NULL) {
        row_set_text(row, O_KIND, s->opening->open.kind);
        row_set_text(row, O_CURRENCY, s->opening->open.currency);
        row_set_number(row, O_PLACES, v->places);
        row_set_number(row, O_OPENED_AT, s->opened->at);
    }
    return ERR_OK;
}

enum err_code order_rows(const void *state, struct str record_id, struct row_list *to)
{
    const struct order_state *s = state;
    struct view v = {.state = s, .id = record_id, .to = to, .lowest = -1};
    v.places = s->opening ? s->opening->open.places : 0;
    enum err_code code = ERR_OK;
    for (const struct order_bill *b = s->bills; b != NULL && code == ERR_OK; b = b->next)
        code = view_bill(&v, b);
    if (code == ERR_OK)
        code = write_order(&v);
    if (code == ERR_OK)
        code = write_money(&v, s->payments.first, 1);
    if (code == ERR_OK)
        code = write_money(&v, s->refunds.first, -1);
    if (code == ERR_OK)
        code = write_shifts(&v);
    if (code == ERR_OK)
        code = write_bumps(&v);
    struct record_name name = {.type = STR("order"), .id = record_id};
    return code ? code : questions_write(&s->questions, v.found, &name, to);
}
