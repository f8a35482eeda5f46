// SPDX-License-Identifier: Apache-2.0
#include "model/order.h"
#include "sim/shop_end.h"

#include <inttypes.h>
#include <string.h>

static void bill_text(const struct uuid *bill, char to[UUID_TEXT_SIZE])
{
    if (uuid_is_zero(bill))
        memcpy(to, "main", sizeof("main"));
    else
        uuid_format(bill, to);
}

static const struct row *row_of_bill(const struct shop_end *end, const struct uuid *bill)
{
    char name[UUID_TEXT_SIZE];
    const struct row *row;
    bill_text(bill, name);
    for (size_t at = 0; (row = shop_next_row(end, "order_bills", &at)) != NULL;) {
        if (shop_text_is(row, "bill", name))
            return row;
    }
    return NULL;
}

// ---- lines ------------------------------------------------------------------------------------

static bool is_of_line(const struct shop_item *item, const struct uuid *line)
{
    bool touches = item && (item->verb == SHOP_ADD || item->verb == SHOP_CHANGE ||
                            item->verb == SHOP_REMOVE || item->verb == SHOP_OVERRIDE);
    return touches && uuid_equal(&item->line, line);
}

static bool is_removed(const struct shop_end *end, int i, const struct uuid *line)
{
    for (int r = 0; r < end->of->count; r++) {
        const struct shop_item *item = shop_end_item(end, r);
        if (item && item->verb == SHOP_REMOVE && uuid_equal(&item->line, line) &&
            shop_end_saw(end, r, i))
            return true;
    }
    return false;
}

// What adds and changes make of the line, but for those that a remove's author had seen.
static int64_t line_sum(const struct shop_end *end, const struct uuid *line, struct uuid *ret_bill)
{
    int64_t sum = 0;
    *ret_bill = (struct uuid){.b = {0}};
    for (int i = 0; i < end->of->count; i++) {
        const struct shop_item *item = shop_end_item(end, i);
        if (!is_of_line(item, line))
            continue;
        if (item->verb == SHOP_ADD)
            *ret_bill = item->bill;
        if (item->verb != SHOP_REMOVE && !is_removed(end, i, line))
            sum += item->quantity;
    }
    return sum;
}

// What splits brought to the bill, less what they took from it.
static int64_t split_sum(const struct shop_end *end, const struct uuid *line,
                         const struct uuid *bill)
{
    int64_t sum = 0;
    for (int i = 0; i < end->of->count; i++) {
        const struct shop_item *item = shop_end_item(end, i);
        if (item == NULL || item->verb != SHOP_SPLIT || is_removed(end, i, line))
            continue;
        int sign = uuid_equal(&item->bill, bill) - uuid_equal(&item->from, bill);
        for (int k = 0; k < item->share_count; k++) {
            if (uuid_equal(&item->shares[k].line, line))
                sum += sign * item->shares[k].quantity;
        }
    }
    return sum;
}

// What it was added at, or what was allowed last instead: nothing else ever changes it.
static int64_t line_price(const struct shop_end *end, const struct uuid *line)
{
    int64_t price = 0;
    bool added = false, overridden = false;
    for (int k = 0; k < end->ordered; k++) {
        const struct shop_item *item = shop_end_item(end, end->order[k]);
        if (!is_of_line(item, line))
            continue;
        bool allowed = item->verb == SHOP_OVERRIDE && !end->rejected[end->order[k]];
        if (allowed || (item->verb == SHOP_ADD && !added && !overridden))
            price = item->price;
        added = added || item->verb == SHOP_ADD;
        overridden = overridden || allowed;
    }
    return price;
}

static void check_line(const struct shop_end *end, int i)
{
    const struct uuid *line = &shop_end_item(end, i)->line;
    struct uuid home;
    const struct row *row;
    int64_t sum = line_sum(end, line, &home), found = 0, price = line_price(end, line);
    for (size_t at = 0; (row = shop_next_row(end, "order_lines", &at)) != NULL;) {
        const struct value *of = shop_value(row, "line"), *bill = shop_value(row, "bill");
        struct uuid id = {.b = {0}};
        if (!uuid_equal(&of->uuid, line))
            continue;
        if (!str_is(bill->text, "main"))
            MUST(uuid_parse(bill->text, &id) == ERR_OK);
        int64_t is = shop_number(row, "quantity");
        if (is != (uuid_equal(&id, &home) ? sum : 0) + split_sum(end, line, &id))
            shop_end_wrong(end, i,
                           "a bill has another quantity of its line than was ordered and split");
        if (shop_number(row, "unit_price") != price)
            shop_end_wrong(end, i, "its line is sold at another price than was said");
        found += is;
    }
    if (found != sum)
        shop_end_wrong(end, i, "the bills have not together what the line has");
}

// Neither author had seen the other's edit: both are there, and a person is asked.
static void check_edits(const struct shop_end *end, int i)
{
    const struct uuid *line = &shop_end_item(end, i)->line;
    for (int k = 0; k < i; k++) {
        if (is_of_line(shop_end_item(end, k), line) && !shop_end_saw(end, i, k) &&
            !shop_end_saw(end, k, i) && !shop_is_asked(end, "line", i, k))
            shop_end_wrong(end, i, "nobody is asked about two edits of one line");
    }
}

static void check_lines(const struct shop_end *end)
{
    for (int i = 0; i < end->of->count; i++) {
        const struct shop_item *item = shop_end_item(end, i);
        if (item == NULL || !is_of_line(item, &item->line))
            continue;
        check_line(end, i);
        check_edits(end, i);
    }
}

// ---- money and statuses -----------------------------------------------------------------------

static void check_money(const struct shop_end *end, int i)
{
    const struct shop_item *item = shop_end_item(end, i);
    int64_t amount = item->verb == SHOP_PAY ? item->amount : -item->amount;
    const struct row *row;
    int found = 0;
    for (size_t at = 0; (row = shop_next_row(end, "order_payments", &at)) != NULL;) {
        if (!uuid_equal(&shop_value(row, "payment")->uuid, &item->line))
            continue;
        found++;
        if (shop_number(row, "value") != amount)
            shop_end_wrong(end, i, "money is there with another amount");
    }
    if (found != 1)
        shop_end_wrong(end, i, found ? "money counts twice" : "money is lost");
}

struct bill_sum {
    int64_t paid, refunded;
    int completion, last_completion, voided; // events; -1: none
    bool void_asked;
};

static struct bill_sum sum_bill(const struct shop_end *end, const struct uuid *bill)
{
    struct bill_sum sum = {.completion = -1, .last_completion = -1, .voided = -1};
    for (int i = 0; i < end->of->count; i++) {
        const struct shop_item *item = shop_end_item(end, i);
        bool of_it = item && uuid_equal(&item->bill, bill);
        if (item && item->verb == SHOP_VOID && (of_it || item->whole)) {
            sum.voided = i;
            sum.void_asked = sum.void_asked || shop_is_asked(end, "void_lost", i, i);
        }
        if (!of_it)
            continue;
        sum.paid += item->verb == SHOP_PAY ? item->amount : 0;
        sum.refunded += item->verb == SHOP_REFUND ? item->amount : 0;
        if (item->verb == SHOP_COMPLETE) {
            sum.completion = sum.completion < 0 ? i : sum.completion;
            sum.last_completion = i;
        }
    }
    return sum;
}

static void check_bill(const struct shop_end *end, int i)
{
    const struct shop_item *item = shop_end_item(end, i);
    struct bill_sum sum = sum_bill(end, &item->bill);
    const struct row *row = row_of_bill(end, &item->bill);
    if (row == NULL) {
        shop_end_wrong(end, i, "its bill is not there");
        return;
    }
    if (shop_number(row, "paid") != sum.paid || shop_number(row, "refunded") != sum.refunded)
        shop_end_wrong(end, i, "its bill has not the money that was taken and given back");
    bool is_voided = shop_text_is(row, "status", "voided");
    bool is_paid = shop_text_is(row, "status", "paid") || shop_text_is(row, "status", "refunded");
    if (is_paid != (sum.completion >= 0))
        shop_end_wrong(end, i, "its bill is paid and was not completed, or the other way round");
    if (is_voided && sum.paid > sum.refunded)
        shop_end_wrong(end, i, "its bill is voided beside money that was taken");
    if (sum.voided >= 0 && !is_voided && sum.completion < 0 && sum.paid <= sum.refunded)
        shop_end_wrong(end, i, "its bill was voided and is not");
    if (sum.voided >= 0 && sum.completion >= 0 && !sum.void_asked)
        shop_end_wrong(end, i, "a void lost to a completion, and nobody is asked");
    if (sum.completion != sum.last_completion)
        shop_end_wrong(end, i, "a bill was completed twice, and both count");
}

// ---- header -----------------------------------------------------------------------------------

static bool sets_field(const struct shop_item *item, int field)
{
    return item && (item->verb == SHOP_SET || item->verb == SHOP_MOVE) && item->field == field;
}

// The last by the declared order; what else was said at the same time is a decision of the policy.
static void check_field(const struct shop_end *end, int field, const char *column)
{
    struct shop_set writes = {.words = {0}};
    size_t at = 0;
    int last = -1;
    const struct row *head = shop_next_row(end, "order_heads", &at);
    for (int k = 0; head && k < end->ordered; k++) {
        int i = end->order[k];
        if (!sets_field(shop_end_item(end, i), field))
            continue; // a move happened, whatever a person thinks of it
        shop_set_add(&writes, i);
        last = i;
    }
    if (last < 0)
        return;
    if (!shop_text_is(head, column, end->of->items[last]->shop->value))
        shop_end_wrong(end, last, "its header does not show what was said last");
    shop_end_check_losers(end, &writes, last, "order header");
}

void shop_order_check(const struct shop_end *end)
{
    check_lines(end);
    for (int i = 0; i < end->of->count; i++) {
        const struct shop_item *item = shop_end_item(end, i);
        if (item == NULL)
            continue;
        if (item->verb == SHOP_PAY || item->verb == SHOP_REFUND)
            check_money(end, i);
        if (item->verb == SHOP_PAY || item->verb == SHOP_REFUND || item->verb == SHOP_COMPLETE)
            check_bill(end, i);
    }
    check_field(end, HEADER_TABLE, "table_name");
    check_field(end, HEADER_COVERS, "covers");
    check_field(end, HEADER_WAITER, "waiter");
    check_field(end, HEADER_NOTE, "note");
}
