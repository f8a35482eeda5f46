// SPDX-License-Identifier: Apache-2.0
#include "cli/ticket_event.h"

#include "base/decimal.h"
#include "base/json.h"

#include <yyjson.h>

// What is written into: the document, and whether anything could not be allocated.
struct body {
    yyjson_mut_doc *doc;
    bool failed;
};

static void add_text(struct body *b, yyjson_mut_val *to, const char *key, struct str text)
{
    if (!yyjson_mut_obj_add_strncpy(b->doc, to, key, text.n > 0 ? text.p : "", text.n)) {
        b->failed = true;
    }
}

static void add_text_if_any(struct body *b, yyjson_mut_val *to, const char *key, struct str text)
{
    if (text.n > 0) {
        add_text(b, to, key, text);
    }
}

static void add_integer(struct body *b, yyjson_mut_val *to, const char *key, int64_t value)
{
    if (!yyjson_mut_obj_add_sint(b->doc, to, key, value)) {
        b->failed = true;
    }
}

static void add_decimal(struct body *b, yyjson_mut_val *to, const char *key, int64_t value)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_format(value, text);
    add_text(b, to, key, str_of(text));
}

static yyjson_mut_val *add_object(struct body *b, yyjson_mut_val *list)
{
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(b->doc, list);
    b->failed = b->failed || object == NULL;
    return object;
}

static enum err_code line_amount(const struct ticket *t, size_t i, int64_t *ret, struct err *e)
{
    const struct ticket_line *line = &t->lines[i];
    if (decimal_amount(line->unit_price, line->quantity, t->places, ret) != ERR_OK) {
        return err_set(e, ERR_LIMIT, "ticket %.*s: the amount of line %zu is too large",
                       STR_ARG(t->no), i + 1);
    }
    return ERR_OK;
}

static enum err_code sum_lines(const struct ticket *t, int64_t *ret, struct err *e)
{
    int64_t total = 0;
    for (size_t i = 0; i < t->line_count; i++) {
        int64_t amount = 0;
        enum err_code code = line_amount(t, i, &amount, e);
        if (code != ERR_OK) {
            return code;
        }
        if (decimal_add(total, amount, &total) != ERR_OK || total > MONEY_MAX ||
            total < -MONEY_MAX) {
            return err_set(e, ERR_LIMIT, "ticket %.*s: the total is too large", STR_ARG(t->no));
        }
    }
    *ret = total;
    return ERR_OK;
}

enum err_code ticket_event_total(const struct ticket *t, int64_t *ret)
{
    return sum_lines(t, ret, NULL);
}

static void add_lines(struct body *b, yyjson_mut_val *root, const struct ticket *t)
{
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(b->doc, root, "lines");
    b->failed = b->failed || list == NULL;
    for (size_t i = 0; i < t->line_count && !b->failed; i++) {
        const struct ticket_line *line = &t->lines[i];
        yyjson_mut_val *object = add_object(b, list);
        int64_t amount = 0;
        MUST(line_amount(t, i, &amount, NULL) == ERR_OK); // sum_lines has been here
        add_integer(b, object, "n", (int64_t)i + 1);
        add_text(b, object, "sku", line->sku);
        add_text_if_any(b, object, "name", line->name);
        add_decimal(b, object, "quantity", line->quantity);
        add_decimal(b, object, "unit_price", line->unit_price);
        add_integer(b, object, "amount", amount);
    }
}

static void add_payment(struct body *b, yyjson_mut_val *list, const struct ticket *t,
                        const struct ticket_payment *payment)
{
    yyjson_mut_val *object = add_object(b, list);
    add_text(b, object, "method", payment->method.n > 0 ? payment->method : STR("unknown"));
    add_integer(b, object, "amount", payment->amount);
    add_text(b, object, "currency", t->currency);
    if (payment->tendered_currency.n == 0) {
        return;
    }
    yyjson_mut_val *tendered = yyjson_mut_obj_add_obj(b->doc, object, "tendered");
    b->failed = b->failed || tendered == NULL;
    add_text(b, tendered, "currency", payment->tendered_currency);
    add_integer(b, tendered, "places", payment->tendered_places);
    add_integer(b, tendered, "amount", payment->tendered_amount);
    add_decimal(b, tendered, "rate", payment->rate);
}

static void add_payments(struct body *b, yyjson_mut_val *root, const struct ticket *t,
                         int64_t total)
{
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(b->doc, root, "payments");
    b->failed = b->failed || list == NULL;
    if (t->payment_count == 0) {
        struct ticket_payment whole = {.method = t->payment, .amount = total};
        add_payment(b, list, t, &whole);
    }
    for (size_t i = 0; i < t->payment_count; i++) {
        add_payment(b, list, t, &t->payments[i]);
    }
}

static enum err_code check_payments(const struct ticket *t, int64_t total, struct err *e)
{
    int64_t paid = 0;
    for (size_t i = 0; i < t->payment_count; i++) {
        if (decimal_add(paid, t->payments[i].amount, &paid) != ERR_OK) {
            return err_set(e, ERR_LIMIT, "ticket %.*s: the payments are too large", STR_ARG(t->no));
        }
    }
    if (t->payment_count > 0 && paid != total) {
        return err_set(e, ERR_INVALID, "ticket %.*s: the payments do not add up to the total",
                       STR_ARG(t->no));
    }
    return ERR_OK;
}

static void fill_body(struct body *b, const struct ticket *t, int64_t total)
{
    yyjson_mut_val *root = yyjson_mut_obj(b->doc);
    yyjson_mut_doc_set_root(b->doc, root);
    add_text(b, root, "ticket", t->no);
    add_text(b, root, "kind", str_of(ticket_kind_name(t->kind)));
    add_text_if_any(b, root, "till", t->till);
    add_text_if_any(b, root, "table", t->table);
    add_text(b, root, "currency", t->currency);
    add_integer(b, root, "places", t->places);
    add_lines(b, root, t);
    add_integer(b, root, "total", total);
    add_payments(b, root, t, total);
    add_text_if_any(b, root, "customer", t->customer);
}

static enum err_code append(const struct ticket *t, yyjson_mut_doc *doc, struct buf *to,
                            struct err *e)
{
    size_t before = to->len;
    enum err_code code = json_append_doc(to, doc);
    if (code == ERR_OK && to->len - before > TICKET_BODY_MAX) {
        to->len = before;
        code = ERR_LIMIT;
    }
    if (code == ERR_LIMIT) {
        return err_set(e, code, "ticket %.*s: its event would be larger than %d KiB",
                       STR_ARG(t->no), TICKET_BODY_MAX / 1024);
    }
    return code == ERR_OK ? ERR_OK
                          : err_set(e, code, "ticket %.*s: %s", STR_ARG(t->no), err_text(code));
}

enum err_code ticket_event_write(const struct ticket *t, struct buf *to, struct err *e)
{
    int64_t total = 0;
    enum err_code code = sum_lines(t, &total, e);
    if (code == ERR_OK) {
        code = check_payments(t, total, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    struct body b = {.doc = yyjson_mut_doc_new(NULL)};
    if (b.doc == NULL) {
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    }
    fill_body(&b, t, total);
    code = b.failed ? err_set(e, ERR_NO_MEMORY, "out of memory") : append(t, b.doc, to, e);
    yyjson_mut_doc_free(b.doc);
    return code;
}
