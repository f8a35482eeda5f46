// SPDX-License-Identifier: Apache-2.0
// Bodies of order events, read once: see model/event_body.c for their fields.
#include "base/decimal.h"
#include "model/body.h"
#include "model/order.h"

#include <stdio.h>

static const char *const header_names[] = {"table",    "covers",   "waiter",
                                           "customer", "discount", "note"};

const char *order_header_name(enum order_header field)
{
    return header_names[field];
}

// ---- one reader per verb ----------------------------------------------------------------------

static enum err_code read_open(struct body_reader *in, struct order_op *op, struct err *e)
{
    static const char *const kinds[] = {"dine_in", "takeaway", "delivery"};
    op->open.kind = body_copy(in, in->body, "kind");
    op->open.table = body_copy(in, in->body, "table");
    op->open.currency = body_copy(in, in->body, "currency");
    op->open.places = (int)body_integer(in->body, "places");
    op->open.covers = body_copy_number(in, "covers");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (str_is(body_text(in->body, "kind"), kinds[i]))
            return ERR_OK;
    }
    return err_set(e, ERR_INVALID, "body: kind: must be dine_in, takeaway or delivery");
}

static void read_line_texts(struct body_reader *in, struct order_op *op)
{
    op->line.line = body_uuid(in->body, "line");
    op->line.modifiers = body_copy(in, in->body, "modifiers");
    op->line.note = body_copy(in, in->body, "note");
}

static enum err_code read_add(struct body_reader *in, struct order_op *op, struct err *e)
{
    read_line_texts(in, op);
    op->line.sku = body_copy(in, in->body, "sku");
    op->line.name = body_copy(in, in->body, "name");
    op->line.quantity = body_decimal(in->body, "quantity");
    op->line.unit_price = body_decimal(in->body, "unit_price");
    op->line.catalog = body_integer(in->body, "catalog");
    if (op->line.quantity <= 0)
        return err_set(e, ERR_INVALID, "body: quantity: must be above zero");
    return ERR_OK;
}

static enum err_code read_change(struct body_reader *in, struct order_op *op, struct err *e)
{
    (void)e;
    read_line_texts(in, op);
    op->line.quantity = body_decimal(in->body, "quantity");
    return ERR_OK;
}

static enum err_code read_price(struct body_reader *in, struct order_op *op, struct err *e)
{
    op->line.line = body_uuid(in->body, "line");
    op->line.unit_price = body_decimal(in->body, "unit_price");
    op->line.by = body_copy(in, in->body, "by");
    return op->line.unit_price < 0 ? err_set(e, ERR_INVALID, "body: unit_price: below zero")
                                   : ERR_OK;
}

static enum err_code read_remove(struct body_reader *in, struct order_op *op, struct err *e)
{
    (void)e;
    op->line.line = body_uuid(in->body, "line");
    return ERR_OK;
}

static enum err_code read_set(struct body_reader *in, struct order_op *op, struct err *e)
{
    struct str name = body_text(in->body, "field");
    int64_t number = 0;
    op->set.value = body_copy(in, in->body, "value");
    for (int i = 0; i < HEADER_COUNT; i++) {
        if (str_is(name, header_names[i])) {
            op->set.field = (enum order_header)i;
            bool percent = i == HEADER_DISCOUNT && op->set.value.n != 0;
            if (percent &&
                (decimal_parse(op->set.value, &number) || number < 0 || number > 100 * DECIMAL_ONE))
                return err_set(e, ERR_INVALID, "body: value: a discount is 0 to 100 percent");
            return ERR_OK;
        }
    }
    return err_set(e, ERR_INVALID, "body: field: an order has no field '%.*s'", STR_ARG(name));
}

static enum err_code read_move(struct body_reader *in, struct order_op *op, struct err *e)
{
    (void)e;
    op->set.field = HEADER_TABLE;
    op->set.value = body_copy(in, in->body, "table");
    return ERR_OK;
}

static enum err_code read_split(struct body_reader *in, struct order_op *op, struct err *e)
{
    size_t count;
    struct order_share *shares = body_room(in, "lines", sizeof *shares, &count);
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(in->body, "lines"));
    op->split.from = body_uuid(in->body, "from");
    op->split.shares = shares;
    op->split.count = count;
    if (uuid_equal(&op->split.from, &op->bill))
        return err_set(e, ERR_INVALID, "body: bill: is the one that is split");
    for (size_t i = 0; i < count; i++) {
        yyjson_val *item = yyjson_arr_iter_next(&iter);
        shares[i] = (struct order_share){body_uuid(item, "line"), body_decimal(item, "quantity")};
        if (shares[i].quantity <= 0)
            return err_set(e, ERR_INVALID, "body: lines: quantity: must be above zero");
    }
    return ERR_OK;
}

static enum err_code read_merge(struct body_reader *in, struct order_op *op, struct err *e)
{
    (void)e;
    op->into = body_copy(in, in->body, "into");
    return ERR_OK;
}

static enum err_code read_nothing(struct body_reader *in, struct order_op *op, struct err *e)
{
    (void)in;
    (void)op;
    (void)e;
    return ERR_OK;
}

static enum err_code read_bump(struct body_reader *in, struct order_op *op, struct err *e)
{
    (void)e;
    op->bump.line = body_uuid(in->body, "line");
    op->bump.station = body_copy(in, in->body, "station");
    return ERR_OK;
}

static enum err_code read_complete(struct body_reader *in, struct order_op *op, struct err *e)
{
    (void)e;
    op->complete.total = body_integer(in->body, "total");
    op->complete.receipt = body_copy(in, in->body, "receipt");
    return ERR_OK;
}

static enum err_code read_money(struct body_reader *in, struct order_op *op, struct err *e)
{
    op->money.payment = body_uuid(in->body, op->verb == ORDER_PAY ? "payment" : "refund");
    op->money.of = (struct uuid){.b = {0}};
    if (op->verb != ORDER_PAY)
        op->money.of = body_uuid(in->body, "payment");
    op->money.method = body_copy(in, in->body, "method");
    op->money.currency = body_copy(in, in->body, "currency");
    op->money.amount = body_integer(in->body, "amount");
    op->money.valued = body_find(in->body, "value") != NULL;
    op->money.value = op->money.valued ? body_integer(in->body, "value") : op->money.amount;
    if (op->money.amount <= 0 || op->money.value <= 0)
        return err_set(e, ERR_INVALID, "body: amount: must be above zero");
    return ERR_OK;
}

// ---- all ---------------------------------------------------------------------------------------

static const struct verb_row {
    const char *type;
    enum order_verb verb;
    enum err_code (*read)(struct body_reader *in, struct order_op *op, struct err *e);
} verbs[] = {
    {"order_opened", ORDER_OPEN, read_open},
    {"line_added", ORDER_ADD, read_add},
    {"line_changed", ORDER_CHANGE, read_change},
    {"line_removed", ORDER_REMOVE, read_remove},
    {"price_overridden", ORDER_PRICE, read_price},
    {"order_set", ORDER_SET, read_set},
    {"order_moved", ORDER_MOVE, read_move},
    {"order_split", ORDER_SPLIT, read_split},
    {"order_merged", ORDER_MERGE, read_merge},
    {"order_voided", ORDER_VOID, read_nothing},
    {"ticket_fired", ORDER_FIRE, read_nothing},
    {"ticket_bumped", ORDER_BUMP, read_bump},
    {"sale_completed", ORDER_COMPLETE, read_complete},
    {"payment_taken", ORDER_PAY, read_money},
    {"payment_refunded", ORDER_REFUND, read_money},
    {"review_resolved", ORDER_RESOLVE, read_nothing},
};

enum err_code order_decode(const struct event *event, struct arena *kept, const void **ret_op,
                           struct err *e)
{
    const struct verb_row *row = NULL;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0] && row == NULL; i++) {
        if (str_is(event->type_name, verbs[i].type))
            row = &verbs[i];
    }
    if (row == NULL)
        return err_set(e, ERR_INVALID, "event: type: does not change an order");
    struct body_reader in = {event->body, kept, false};
    struct order_op *op = arena_alloc_zero(kept, sizeof *op);
    if (op == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for an order");
    op->verb = row->verb;
    op->whole = body_text(event->body, "bill").n == 0;
    op->bill = body_uuid(event->body, "bill");
    if (op->verb == ORDER_COMPLETE || op->verb == ORDER_PAY || op->verb == ORDER_REFUND)
        op->shift = body_copy(&in, event->body, "shift");
    enum err_code code = op->verb == ORDER_RESOLVE ? answer_decode(event, kept, &op->answer, e)
                                                   : row->read(&in, op, e);
    if (code == ERR_OK && in.full)
        code = err_set(e, ERR_NO_MEMORY, "out of memory for an order");
    *ret_op = op;
    return code;
}

// ---- for people -------------------------------------------------------------------------------

static void say_line(const struct order_op *op, char *to, size_t size)
{
    char quantity[DECIMAL_TEXT_MAX];
    const char *sign = op->line.quantity > 0 ? "+" : "";
    decimal_format(op->line.quantity, quantity);
    if (op->line.quantity == 0)
        snprintf(to, size, "%.*s%s%.*s", STR_ARG(op->line.modifiers),
                 op->line.modifiers.n && op->line.note.n ? ", " : "", STR_ARG(op->line.note));
    else
        snprintf(to, size, "%s%s %.*s", sign, quantity, STR_ARG(op->line.sku));
}

static void say_price(const struct order_op *op, char *to, size_t size)
{
    char price[DECIMAL_TEXT_MAX];
    decimal_format(op->line.unit_price, price);
    snprintf(to, size, "at %s, allowed by %.*s", price, STR_ARG(op->line.by));
}

static void say_money(const struct order_op *op, char *to, size_t size)
{
    snprintf(to, size, "%lld %.*s by %.*s", (long long)op->money.amount,
             STR_ARG(op->money.currency), STR_ARG(op->money.method));
}

struct str order_say(const struct order_op *op, struct arena *a)
{
    char text[2 * LIMIT_TEXT + 16] = "";
    switch (op->verb) {
    case ORDER_OPEN:
        snprintf(text, sizeof text, "%.*s %.*s", STR_ARG(op->open.kind), STR_ARG(op->open.table));
        break;
    case ORDER_ADD:
    case ORDER_CHANGE:
        say_line(op, text, sizeof text);
        break;
    case ORDER_PRICE:
        say_price(op, text, sizeof text);
        break;
    case ORDER_REMOVE:
        snprintf(text, sizeof text, "removed");
        break;
    case ORDER_MERGE:
        snprintf(text, sizeof text, "into %.*s", STR_ARG(op->into));
        break;
    case ORDER_SPLIT:
        snprintf(text, sizeof text, "split");
        break;
    case ORDER_VOID:
        snprintf(text, sizeof text, "voided");
        break;
    case ORDER_COMPLETE:
        snprintf(text, sizeof text, "%lld, receipt %.*s", (long long)op->complete.total,
                 STR_ARG(op->complete.receipt));
        break;
    case ORDER_PAY:
    case ORDER_REFUND:
        say_money(op, text, sizeof text);
        break;
    case ORDER_SET:
    case ORDER_MOVE:
    case ORDER_FIRE:
    case ORDER_BUMP:
    case ORDER_RESOLVE:
        break;
    }
    return arena_copy(a, str_trim(str_of(text)));
}
