// SPDX-License-Identifier: Apache-2.0
// One event more in an order. Events come in the record's order (model/record.h), so each finds
// the state that all before it left; what its author had seen of them, record_saw tells.
#include "model/order.h"

#include "model/mutant.h"

#include "base/decimal.h"

#include <string.h>

// ---- parts, made where first named ------------------------------------------------------------

static struct order_line *line_of(struct order_state *s, const struct uuid *id, struct arena *a)
{
    struct order_line *line = id_map_find(&s->by_id, id);
    if (line != NULL)
        return line;
    line = arena_alloc_zero(a, sizeof *line);
    if (line == NULL)
        return NULL;
    *line = (struct order_line){.id = *id, .next = s->lines};
    if (id_map_put(&s->by_id, line, a))
        return NULL;
    return s->lines = line;
}

static struct order_bill *bill_of(struct order_state *s, const struct uuid *id, struct arena *a)
{
    struct order_bill **at = &s->bills;
    while (*at != NULL && !uuid_equal(&(*at)->id, id))
        at = &(*at)->next;
    if (*at == NULL) {
        *at = arena_alloc_zero(a, sizeof **at);
        if (*at != NULL)
            (*at)->id = *id;
    }
    return *at;
}

enum err_code order_ask(struct question **list, const struct order_ask *ask, struct arena *a)
{
    struct question question = {.kind = ask->kind,
                                .sides = {{ask->earlier, order_say(ask->earlier->op, a)}},
                                .base = ask->base,
                                .suggested = ask->suggested,
                                .why = ask->why};
    bool full = question.sides[0].value.p == NULL;
    if (ask->later != NULL) {
        question.sides[1] = (struct question_side){ask->later, order_say(ask->later->op, a)};
        full = full || question.sides[1].value.p == NULL;
    }
    if (ask->part != NULL && !uuid_is_zero(ask->part)) {
        char *text = arena_alloc(a, UUID_TEXT_SIZE);
        full = full || text == NULL;
        if (!full) {
            uuid_format(ask->part, text);
            question.part = str_of(text);
        }
    }
    return full ? ERR_NO_MEMORY : question_ask(list, &question, a);
}

// ---- lines ------------------------------------------------------------------------------------

// The units on a line that both authors had seen, as text.
static struct str seen_by_both(const struct order_line *line, const struct record_entry *earlier,
                               const struct record_entry *later, struct arena *a)
{
    int64_t quantity = 0;
    for (const struct order_touch *t = line->touches; t != NULL; t = t->next) {
        if (record_saw(earlier, t->by) && record_saw(later, t->by) &&
            decimal_add(quantity, t->cancelled ? 0 : t->quantity, &quantity))
            return STR("");
    }
    char text[DECIMAL_TEXT_MAX];
    decimal_format(quantity, text);
    return arena_copy(a, str_of(text));
}

static enum err_code ask_line(struct order_state *s, const struct order_line *line,
                              const struct record_entry *by, struct arena *a)
{
    struct order_ask ask = {.kind = "line",
                            .part = &line->id,
                            .earlier = by,
                            .base = line->base,
                            .suggested = DECISION_ACCEPT,
                            .why = "both were said; to take one out is for who knows the table"};
    return order_ask(&s->questions.asked, &ask, a);
}

// One that its author had not seen, the newest or the oldest of them; NULL: none. It need not look
// further back than one that it had seen, whose author had seen all before it.
static const struct order_touch *find_unseen(const struct order_touch *touches,
                                             const struct record_entry *entry, bool oldest)
{
    const struct order_touch *unseen = NULL;
    for (const struct order_touch *t = touches; t != NULL && (oldest || !unseen); t = t->next) {
        if (!record_saw(entry, t->by))
            unseen = t;
        else if (t->saw_all)
            break;
    }
    return unseen;
}

// The event and all that its author had not seen, as far as none asks about them yet.
static enum err_code contest(struct order_state *s, struct order_line *line,
                             struct order_touch *own, struct arena *a)
{
    enum err_code code = ERR_OK;
    struct order_touch **at = &line->unasked;
    while (*at != NULL && code == ERR_OK) {
        struct order_touch *t = *at;
        bool seen = record_saw(own->by, t->by);
        if (seen && t->saw_all)
            break;
        if (!seen) {
            t->asked = true;
            code = ask_line(s, line, t->by, a);
            *at = t->next_unasked;
        } else {
            at = &t->next_unasked;
        }
    }
    own->asked = true;
    return code ? code : ask_line(s, line, own->by, a);
}

// Notes the event's part in the line, and asks where its author had not seen another's.
static enum err_code touch(struct order_state *s, struct order_line *line,
                           const struct record_entry *entry, int64_t quantity, struct arena *a)
{
    const struct order_touch *unseen = find_unseen(line->touches, entry, line->base.p == NULL);
    struct order_touch *own = arena_alloc(a, sizeof *own);
    enum err_code code = ERR_OK;
    if (own == NULL)
        return ERR_NO_MEMORY;
    *own = (struct order_touch){
        .by = entry, .quantity = quantity, .saw_all = unseen == NULL, .next = line->touches};
    if (unseen != NULL && line->base.p == NULL)
        line->base = seen_by_both(line, unseen->by, entry, a);
    if (unseen != NULL)
        code = line->base.p ? contest(s, line, own, a) : ERR_NO_MEMORY;
    line->touches = own;
    if (!own->asked) {
        own->next_unasked = line->unasked;
        line->unasked = own;
    }
    return code;
}

static void set_texts(struct order_line *line, const struct order_op *op)
{
    if (op->line.modifiers.n != 0)
        line->modifiers = op->line.modifiers;
    if (op->line.note.n != 0)
        line->note = op->line.note;
}

// Only where that bug is planted: what was sold follows the price list.
static void reprice_others(struct order_state *s, const struct order_line *newest)
{
    for (struct order_line *l = s->lines; l != NULL; l = l->next)
        l->unit_price = str_equal(l->sku, newest->sku) ? newest->unit_price : l->unit_price;
}

// Where a line is added it is refused; two who had not seen each other's may add too many.
static enum err_code ask_lines(struct order_state *s, const struct record_entry *entry,
                               struct arena *a)
{
    struct order_ask ask = {.kind = "lines",
                            .earlier = entry,
                            .suggested = DECISION_ACCEPT,
                            .why = "what was ordered counts; look whether a till repeats itself"};
    return order_ask(&s->questions.asked, &ask, a);
}

static enum err_code add(struct order_state *s, const struct record_entry *entry,
                         const struct order_op *op, struct arena *a)
{
    struct order_line *line = line_of(s, &op->line.line, a);
    if (line == NULL || bill_of(s, &op->bill, a) == NULL)
        return ERR_NO_MEMORY;
    if (line->added == NULL) { // two adds of one line: the first says what it is
        line->added = entry;
        s->added++;
        line->sku = op->line.sku;
        line->name = op->line.name;
        line->unit_price = op->line.unit_price;
        line->catalog = op->line.catalog;
        line->bill = op->bill;
        if (MUTANT(sale_repriced))
            reprice_others(s, line);
    }
    set_texts(line, op);
    enum err_code code = touch(s, line, entry, op->line.quantity, a);
    bool beyond = line->added == entry && s->added == LIMIT_TICKET_LINES + 1;
    return code || !beyond ? code : ask_lines(s, entry, a);
}

static enum err_code change(struct order_state *s, const struct record_entry *entry,
                            const struct order_op *op, struct arena *a)
{
    struct order_line *line = line_of(s, &op->line.line, a);
    if (line == NULL || bill_of(s, &line->bill, a) == NULL) // its adding may not be here
        return ERR_NO_MEMORY;
    set_texts(line, op);
    return touch(s, line, entry, op->line.quantity, a);
}

static enum err_code set_price(struct order_state *s, const struct record_entry *entry,
                               const struct order_op *op, struct arena *a)
{
    struct order_line *line = line_of(s, &op->line.line, a);
    struct order_price *price = arena_alloc_zero(a, sizeof *price);
    if (line == NULL || price == NULL)
        return ERR_NO_MEMORY;
    *price = (struct order_price){entry, op, line->prices};
    line->prices = price;
    return touch(s, line, entry, 0, a);
}

// Takes out exactly what its author had seen: of the line, and of its way from bill to bill.
static enum err_code remove_line(struct order_state *s, const struct record_entry *entry,
                                 const struct order_op *op, struct arena *a)
{
    struct order_line *line = line_of(s, &op->line.line, a);
    if (line == NULL)
        return ERR_NO_MEMORY;
    for (struct order_touch *t = line->touches; t != NULL; t = t->next)
        t->cancelled = t->cancelled || record_saw(entry, t->by) || MUTANT(concurrent_line_lost);
    for (struct order_assignment *x = line->moves; x != NULL; x = x->next)
        x->cancelled = x->cancelled || record_saw(entry, x->by);
    return touch(s, line, entry, 0, a);
}

// ---- bills ------------------------------------------------------------------------------------

static enum err_code assign(struct order_state *s, const struct record_entry *entry,
                            const struct uuid *bill, const struct uuid *id, int64_t quantity,
                            struct arena *a)
{
    struct order_line *line = line_of(s, id, a); // its adding may not be here
    struct order_assignment *x = arena_alloc_zero(a, sizeof *x);
    if (line == NULL || x == NULL || bill_of(s, bill, a) == NULL)
        return ERR_NO_MEMORY;
    *x = (struct order_assignment){
        .bill = *bill, .quantity = quantity, .by = entry, .next = line->moves};
    line->moves = x;
    s->split = true;
    return ERR_OK;
}

static enum err_code split(struct order_state *s, const struct record_entry *entry,
                           const struct order_op *op, struct arena *a)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < op->split.count && code == ERR_OK; i++) {
        const struct order_share *share = &op->split.shares[i];
        if (!MUTANT(split_billed_twice) || !s->split)
            code = assign(s, entry, &op->split.from, &share->line, -share->quantity, a);
        if (code == ERR_OK)
            code = assign(s, entry, &op->bill, &share->line, share->quantity, a);
    }
    return code;
}

// Two receipts were printed for one bill, whether or not the second was judged a duplicate.
static enum err_code ask_twice(struct order_state *s, const struct order_bill *bill,
                               const struct record_entry *entry, struct arena *a)
{
    struct order_ask ask = {.kind = "completed_twice",
                            .part = &bill->id,
                            .earlier = bill->completions->by,
                            .later = entry,
                            .suggested = DECISION_ACCEPT,
                            .why = "one bill is one sale; look whether both were paid"};
    return order_ask(&s->questions.asked, &ask, a);
}

static enum err_code complete(struct order_state *s, const struct record_entry *entry,
                              const struct order_op *op, struct arena *a)
{
    struct order_bill *bill = bill_of(s, &op->bill, a);
    struct order_completion *completion = arena_alloc_zero(a, sizeof *completion);
    if (bill == NULL || completion == NULL)
        return ERR_NO_MEMORY;
    *completion = (struct order_completion){.by = entry, .op = op};
    *(bill->last ? &bill->last->next : &bill->completions) = completion;
    bill->last = completion;
    return completion == bill->completions ? ERR_OK : ask_twice(s, bill, entry, a);
}

// A completion that was judged a duplicate has no effect but that it is asked about.
static enum err_code complete_again(struct order_state *s, const struct record_entry *entry,
                                    const struct order_op *op, struct arena *a)
{
    const struct order_bill *bill = s->bills;
    if (op->verb != ORDER_COMPLETE || entry->verdict.outcome != JUDGED_DUPLICATE)
        return ERR_OK;
    while (bill != NULL && !uuid_equal(&bill->id, &op->bill))
        bill = bill->next;
    return bill == NULL || bill->completions == NULL ? ERR_OK : ask_twice(s, bill, entry, a);
}

static enum err_code add_money(struct order_moneys *list, const struct record_entry *entry,
                               const struct order_op *op, struct arena *a)
{
    struct order_money *money = arena_alloc_zero(a, sizeof *money);
    if (money == NULL)
        return ERR_NO_MEMORY;
    *money = (struct order_money){.by = entry, .op = op};
    *(list->last ? &list->last->next : &list->first) = money;
    list->last = money;
    return ERR_OK;
}

static enum err_code pay(struct order_state *s, const struct record_entry *entry,
                         const struct order_op *op, struct arena *a)
{
    if (bill_of(s, &op->bill, a) == NULL)
        return ERR_NO_MEMORY;
    return add_money(op->verb == ORDER_PAY ? &s->payments : &s->refunds, entry, op, a);
}

static enum err_code void_bill(struct order_state *s, const struct record_entry *entry,
                               const struct order_op *op, struct arena *a)
{
    struct order_bill *bill = bill_of(s, &op->bill, a);
    if (bill == NULL)
        return ERR_NO_MEMORY;
    if (op->whole)
        s->voided = s->voided ? s->voided : entry;
    else
        bill->voided = bill->voided ? bill->voided : entry;
    return ERR_OK;
}

// ---- the kitchen ------------------------------------------------------------------------------

static enum err_code bump(struct order_state *s, const struct record_entry *entry,
                          const struct order_op *op, struct arena *a)
{
    struct order_bump **at = &s->bumps;
    while (*at != NULL && !(uuid_equal(&(*at)->op->bump.line, &op->bump.line) &&
                            str_equal((*at)->op->bump.station, op->bump.station)))
        at = &(*at)->next;
    if (*at != NULL)
        return ERR_OK;
    *at = arena_alloc_zero(a, sizeof **at);
    if (*at == NULL)
        return ERR_NO_MEMORY;
    **at = (struct order_bump){.by = entry, .op = op};
    return ERR_OK;
}

// ---- the order as a whole ---------------------------------------------------------------------

static enum err_code open_order(struct order_state *s, const struct record_entry *entry,
                                const struct order_op *op, struct arena *a)
{
    if (s->opened != NULL) {
        struct order_ask ask = {.kind = "opened_twice",
                                .earlier = s->opened,
                                .later = entry,
                                .suggested = DECISION_ACCEPT,
                                .why = "the guests sit where it was opened first"};
        return order_ask(&s->questions.asked, &ask, a);
    }
    s->opened = entry;
    s->opening = op;
    if (s->headers[HEADER_TABLE].n == 0)
        s->headers[HEADER_TABLE] = op->open.table;
    if (s->headers[HEADER_COVERS].n == 0)
        s->headers[HEADER_COVERS] = op->open.covers;
    return bill_of(s, &op->bill, a) ? ERR_OK : ERR_NO_MEMORY;
}

static enum err_code merge_order(struct order_state *s, const struct record_entry *entry,
                                 const struct order_op *op, struct arena *a)
{
    const struct order_merge *last = s->merges;
    struct order_merge *merge = arena_alloc(a, sizeof *merge);
    if (merge == NULL)
        return ERR_NO_MEMORY;
    *merge = (struct order_merge){entry, op->into, s->merges};
    s->merges = merge;
    if (last == NULL || str_equal(last->into, op->into) || record_saw(entry, last->by))
        return ERR_OK;
    struct order_ask ask = {.kind = "merged_twice",
                            .earlier = last->by,
                            .later = entry,
                            .suggested = DECISION_ACCEPT,
                            .why = "the later one knows where the guests went last"};
    return order_ask(&s->questions.asked, &ask, a);
}

enum err_code order_apply(void *state, const struct record_entry *entry, struct arena *folded)
{
    struct order_state *s = state;
    const struct order_op *op = entry->op;
    if (!record_counts(entry))
        return complete_again(s, entry, op, folded);
    switch (op->verb) {
    case ORDER_OPEN:
        return open_order(s, entry, op, folded);
    case ORDER_ADD:
        return add(s, entry, op, folded);
    case ORDER_CHANGE:
        return change(s, entry, op, folded);
    case ORDER_PRICE:
        return set_price(s, entry, op, folded);
    case ORDER_REMOVE:
        return remove_line(s, entry, op, folded);
    case ORDER_SET:
    case ORDER_MOVE:
        s->headers[op->set.field] = op->set.value;
        return ERR_OK;
    case ORDER_SPLIT:
        return split(s, entry, op, folded);
    case ORDER_MERGE:
        return merge_order(s, entry, op, folded);
    case ORDER_VOID:
        return void_bill(s, entry, op, folded);
    case ORDER_FIRE:
        s->fired = s->fired ? s->fired : entry;
        return ERR_OK;
    case ORDER_BUMP:
        return bump(s, entry, op, folded);
    case ORDER_COMPLETE:
        return complete(s, entry, op, folded);
    case ORDER_PAY:
    case ORDER_REFUND:
        return pay(s, entry, op, folded);
    case ORDER_RESOLVE:
        return question_answer(&s->questions, entry, &op->answer, folded);
    }
    return ERR_OK;
}

static bool completes(const struct record_entry *entry)
{
    const struct order_op *op = entry->op;
    return op != NULL && op->verb == ORDER_COMPLETE && entry->verdict.outcome != JUDGED_DUPLICATE;
}

static bool is_second(const struct record *order, size_t i)
{
    const struct order_op *op = record_entry_at(order, i)->op;
    for (size_t k = 0; k < i; k++) {
        const struct record_entry *earlier = record_entry_at(order, k);
        const struct order_op *its = earlier->op;
        if (completes(earlier) && uuid_equal(&its->bill, &op->bill))
            return true;
    }
    return false;
}

size_t order_second_completions(const struct record *order, struct uuid ret[LIMIT_BASE])
{
    size_t n = 0;
    for (size_t i = 0; i < record_count(order) && n < LIMIT_BASE; i++) {
        const struct record_entry *entry = record_entry_at(order, i);
        if (completes(entry) && uuid_is_zero(&entry->verdict.answer) && is_second(order, i))
            ret[n++] = entry->id;
    }
    return n;
}

bool order_takes_line(const struct record *order, const struct uuid *line)
{
    struct id_map added = {.count = 0};
    struct arena a;
    size_t count = record_count(order);
    bool takes = true;
    if (count < LIMIT_TICKET_LINES)
        return true;
    arena_init(&a, LIMIT_RECORD_BYTES);
    for (size_t i = 0; i < count && takes; i++) {
        const struct order_op *op = record_entry_at(order, i)->op;
        if (op == NULL || op->verb != ORDER_ADD)
            continue;
        struct uuid *id = arena_alloc(&a, sizeof *id);
        if (id == NULL)
            break;
        *id = op->line.line;
        if (id_map_put(&added, id, &a))
            break;
        takes = added.count < LIMIT_TICKET_LINES;
    }
    takes = takes || id_map_find(&added, line) != NULL;
    arena_fini(&a);
    return takes;
}
