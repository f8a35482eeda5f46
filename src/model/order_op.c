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

// What a body's texts and lists are copied with; 'full' once memory ran out.
struct reader {
    yyjson_val *body;
    struct arena *kept;
    bool full;
};

static struct str copied(struct reader *in, yyjson_val *object, const char *key)
{
    struct str text = body_text(object, key);
    if (text.n == 0)
        return STR("");
    text = arena_copy(in->kept, text);
    in->full = in->full || text.p == NULL;
    return text;
}

// A number as text, empty when it is absent.
static struct str number_text(struct reader *in, const char *key)
{
    char text[24];
    if (body_find(in->body, key) == NULL)
        return STR("");
    snprintf(text, sizeof text, "%lld", (long long)body_integer(in->body, key));
    struct str copy = arena_copy(in->kept, str_of(text));
    in->full = in->full || copy.p == NULL;
    return copy;
}

static struct uuid id_of(yyjson_val *object, const char *key)
{
    struct uuid id = {.b = {0}};
    struct str text = body_text(object, key);
    MUST(text.n == 0 || uuid_parse(text, &id) == ERR_OK); // event_type_check saw to it
    return id;
}

static void *list_room(struct reader *in, const char *key, size_t size, size_t *ret_count)
{
    size_t count = yyjson_arr_size(yyjson_obj_get(in->body, key));
    void *room = arena_alloc(in->kept, count * size + 1);
    in->full = in->full || room == NULL;
    *ret_count = room ? count : 0;
    return room;
}

// ---- one reader per verb
// -------------------------------------------------------------------------

static enum err_code read_open(struct reader *in, struct order_op *op, struct err *e)
{
    static const char *const kinds[] = {"dine_in", "takeaway", "delivery"};
    op->open.kind = copied(in, in->body, "kind");
    op->open.table = copied(in, in->body, "table");
    op->open.currency = copied(in, in->body, "currency");
    op->open.places = (int)body_integer(in->body, "places");
    op->open.covers = number_text(in, "covers");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (str_is(body_text(in->body, "kind"), kinds[i]))
            return ERR_OK;
    }
    return err_set(e, ERR_INVALID, "body: kind: must be dine_in, takeaway or delivery");
}

static void read_line_texts(struct reader *in, struct order_op *op)
{
    op->line.line = id_of(in->body, "line");
    op->line.modifiers = copied(in, in->body, "modifiers");
    op->line.note = copied(in, in->body, "note");
}

static enum err_code read_add(struct reader *in, struct order_op *op, struct err *e)
{
    read_line_texts(in, op);
    op->line.sku = copied(in, in->body, "sku");
    op->line.name = copied(in, in->body, "name");
    op->line.quantity = body_decimal(in->body, "quantity");
    op->line.unit_price = body_decimal(in->body, "unit_price");
    if (op->line.quantity <= 0)
        return err_set(e, ERR_INVALID, "body: quantity: must be above zero");
    return ERR_OK;
}

static enum err_code read_change(struct reader *in, struct order_op *op, struct err *e)
{
    (void)e;
    read_line_texts(in, op);
    op->line.quantity = body_decimal(in->body, "quantity");
    return ERR_OK;
}

static enum err_code read_remove(struct reader *in, struct order_op *op, struct err *e)
{
    (void)e;
    op->line.line = id_of(in->body, "line");
    return ERR_OK;
}

static enum err_code read_set(struct reader *in, struct order_op *op, struct err *e)
{
    struct str name = body_text(in->body, "field");
    int64_t number = 0;
    op->set.value = copied(in, in->body, "value");
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

static enum err_code read_move(struct reader *in, struct order_op *op, struct err *e)
{
    (void)e;
    op->set.field = HEADER_TABLE;
    op->set.value = copied(in, in->body, "table");
    return ERR_OK;
}

static enum err_code read_split(struct reader *in, struct order_op *op, struct err *e)
{
    size_t count;
    struct order_share *shares = list_room(in, "lines", sizeof *shares, &count);
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(in->body, "lines"));
    op->split.from = id_of(in->body, "from");
    op->split.shares = shares;
    op->split.count = count;
    if (uuid_equal(&op->split.from, &op->bill))
        return err_set(e, ERR_INVALID, "body: bill: is the one that is split");
    for (size_t i = 0; i < count; i++) {
        yyjson_val *item = yyjson_arr_iter_next(&iter);
        shares[i] = (struct order_share){id_of(item, "line"), body_decimal(item, "quantity")};
        if (shares[i].quantity <= 0)
            return err_set(e, ERR_INVALID, "body: lines: quantity: must be above zero");
    }
    return ERR_OK;
}

static enum err_code read_merge(struct reader *in, struct order_op *op, struct err *e)
{
    (void)e;
    op->into = copied(in, in->body, "into");
    return ERR_OK;
}

static enum err_code read_nothing(struct reader *in, struct order_op *op, struct err *e)
{
    (void)in;
    (void)op;
    (void)e;
    return ERR_OK;
}

static enum err_code read_complete(struct reader *in, struct order_op *op, struct err *e)
{
    (void)e;
    op->complete.total = body_integer(in->body, "total");
    op->complete.receipt = copied(in, in->body, "receipt");
    return ERR_OK;
}

static enum err_code read_money(struct reader *in, struct order_op *op, struct err *e)
{
    op->money.payment = id_of(in->body, op->verb == ORDER_PAY ? "payment" : "refund");
    op->money.of = (struct uuid){.b = {0}};
    if (op->verb != ORDER_PAY)
        op->money.of = id_of(in->body, "payment");
    op->money.method = copied(in, in->body, "method");
    op->money.currency = copied(in, in->body, "currency");
    op->money.amount = body_integer(in->body, "amount");
    op->money.value =
        body_find(in->body, "value") ? body_integer(in->body, "value") : op->money.amount;
    if (op->money.amount <= 0 || op->money.value <= 0)
        return err_set(e, ERR_INVALID, "body: amount: must be above zero");
    return ERR_OK;
}

static enum err_code read_resolve(struct reader *in, struct order_op *op, struct err *e)
{
    static const char *const decisions[] = {"accept", "reject", "edit"};
    size_t count;
    struct uuid *triggers = list_room(in, "triggers", sizeof *triggers, &count);
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(in->body, "triggers"));
    for (size_t i = 0; i < count; i++)
        triggers[i] = id_of(yyjson_arr_iter_next(&iter), "event");
    op->resolve.triggers = triggers;
    op->resolve.trigger_count = count;
    op->resolve.review = copied(in, in->body, "review");
    op->resolve.part = copied(in, in->body, "part");
    for (int i = 0; i <= DECISION_EDIT; i++) {
        if (str_is(body_text(in->body, "decision"), decisions[i])) {
            op->resolve.decision = (enum order_decision)i;
            return ERR_OK;
        }
    }
    return err_set(e, ERR_INVALID, "body: decision: must be accept, reject or edit");
}

// ---- all ---------------------------------------------------------------------------------------

static const struct verb_row {
    const char *type;
    enum order_verb verb;
    enum err_code (*read)(struct reader *in, struct order_op *op, struct err *e);
} verbs[] = {
    {"order_opened", ORDER_OPEN, read_open},
    {"line_added", ORDER_ADD, read_add},
    {"line_changed", ORDER_CHANGE, read_change},
    {"line_removed", ORDER_REMOVE, read_remove},
    {"order_set", ORDER_SET, read_set},
    {"order_moved", ORDER_MOVE, read_move},
    {"order_split", ORDER_SPLIT, read_split},
    {"order_merged", ORDER_MERGE, read_merge},
    {"order_voided", ORDER_VOID, read_nothing},
    {"ticket_fired", ORDER_FIRE, read_nothing},
    {"sale_completed", ORDER_COMPLETE, read_complete},
    {"payment_taken", ORDER_PAY, read_money},
    {"payment_refunded", ORDER_REFUND, read_money},
    {"review_resolved", ORDER_RESOLVE, read_resolve},
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
    struct reader in = {event->body, kept, false};
    struct order_op *op = arena_alloc_zero(kept, sizeof *op);
    if (op == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for an order");
    op->verb = row->verb;
    op->whole = body_text(event->body, "bill").n == 0;
    op->bill = id_of(event->body, "bill");
    enum err_code code = row->read(&in, op, e);
    if (code == ERR_OK && in.full)
        code = err_set(e, ERR_NO_MEMORY, "out of memory for an order");
    *ret_op = op;
    return code;
}
