// SPDX-License-Identifier: Apache-2.0
#include "model/draft.h"

#include "base/decimal.h"
#include "model/body.h"

// ---- tables -----------------------------------------------------------------------------------

static const struct column item_columns[] = {
    {"id", COLUMN_TEXT, "the stock-keeping unit"},
    {"name", COLUMN_TEXT, "as printed"},
    {"name_ar", COLUMN_TEXT, "in Arabic"},
    {"name_en", COLUMN_TEXT, "in English"},
    {"name_fr", COLUMN_TEXT, "in French"},
    {"category", COLUMN_TEXT, "a code"},
    {"unit", COLUMN_TEXT, "piece, kg, ..."},
    {"barcode", COLUMN_TEXT, "as scanned"},
    {"shelf_life_days", COLUMN_INTEGER, "from receipt to expiry"},
    {"tax", COLUMN_TEXT, "the tax's code"},
    {"active", COLUMN_INTEGER, "0: not sold any more; null: never said, so it is"},
    CARD_CHANGED};
static const struct column price_columns[] = {
    {"id", COLUMN_TEXT, "sku, or sku/list"},
    {"sku", COLUMN_TEXT, "the stock-keeping unit"},
    {"list", COLUMN_TEXT, "the price list; null: the main one"},
    {"price", COLUMN_DECIMAL, "of one unit in major units"},
    {"currency", COLUMN_TEXT, "of the price"},
    {"places", COLUMN_INTEGER, "decimal places of the currency"},
    CARD_CHANGED};
enum { P_SKU = 1, P_LIST, P_PRICE, P_CURRENCY, P_PLACES };
static const struct column own_columns[] = {
    {"id", COLUMN_TEXT, "sku, or sku/list"},
    {"event", COLUMN_UUID, "that set it"},
    {"nth", COLUMN_INTEGER, "0: it stands; 1: it would without that one, and so on"},
    {"sku", COLUMN_TEXT, "the stock-keeping unit"},
    {"list", COLUMN_TEXT, "the price list; null: the main one"},
    {"price", COLUMN_DECIMAL, "of one unit in major units; null: none any more"},
    {"currency", COLUMN_TEXT, "of the price"},
    {"places", COLUMN_INTEGER, "decimal places of the currency"},
    {"catalog", COLUMN_INTEGER, "the catalog's version that its author had before him"},
    {"set_at", COLUMN_INTEGER, "ms since 1970, by its author's clock"},
    {"set_by", COLUMN_TEXT, "its author"},
    {NULL, COLUMN_TEXT, NULL}};
enum {
    OWN_EVENT = 1,
    OWN_NTH,
    OWN_SKU,
    OWN_LIST,
    OWN_PRICE,
    OWN_CURRENCY,
    OWN_PLACES,
    OWN_CATALOG,
    OWN_AT,
    OWN_BY
};
static const struct column tax_columns[] = {
    {"id", COLUMN_TEXT, "its code"},
    {"name", COLUMN_TEXT, "as printed"},
    {"percent", COLUMN_DECIMAL, "of the net price"},
    {"included", COLUMN_INTEGER, "1: prices contain it"},
    {"since", COLUMN_TEXT, "the first day of this percentage"},
    {"before", COLUMN_DECIMAL, "the percentage until then"},
    CARD_CHANGED};
static const struct column promotion_columns[] = {
    {"id", COLUMN_TEXT, "the promotion"},
    {"name", COLUMN_TEXT, "as printed"},
    {"kind", COLUMN_TEXT, "percent, amount, price or free"},
    {"value", COLUMN_DECIMAL, "percent, or major units"},
    {"currency", COLUMN_TEXT, "of an amount or price"},
    {"sku", COLUMN_TEXT, "of this item"},
    {"category", COLUMN_TEXT, "of every item in it"},
    {"buy", COLUMN_DECIMAL, "units to be bought"},
    {"free", COLUMN_DECIMAL, "units that are then free"},
    {"weekdays", COLUMN_TEXT, "digits, 1 is Monday"},
    {"since", COLUMN_TEXT, "the first day"},
    {"until", COLUMN_TEXT, "the last day"},
    {"from_time", COLUMN_TEXT, "HH:MM"},
    {"until_time", COLUMN_TEXT, "HH:MM"},
    {"place", COLUMN_TEXT, "the one location"},
    {"priority", COLUMN_INTEGER, "the higher goes first"},
    {"active", COLUMN_INTEGER, "0: over; null: never said, so it is on"},
    CARD_CHANGED};
static const struct column recipe_columns[] = {
    {"id", COLUMN_TEXT, "the stock-keeping unit that is made"},
    {"uses", COLUMN_TEXT, "JSON: what one unit takes, [{sku, quantity}]"},
    CARD_CHANGED};

static const struct row_table items = {"items", 1, item_columns};
static const struct row_table prices = {"prices", 1, price_columns};
static const struct row_table own_prices = {"own_prices", 2, own_columns};
static const struct row_table taxes = {"taxes", 1, tax_columns};
static const struct row_table promotions = {"promotions", 1, promotion_columns};
static const struct row_table recipes = {"recipes", 1, recipe_columns};
static const struct row_table *const item_tables[] = {&items, &question_table, NULL};
static const struct row_table *const price_tables[] = {&prices, &question_table, &own_prices, NULL};
static const struct row_table *const tax_tables[] = {&taxes, &question_table, NULL};
static const struct row_table *const promotion_tables[] = {&promotions, &question_table, NULL};
static const struct row_table *const recipe_tables[] = {&recipes, &question_table, NULL};

// ---- reading ----------------------------------------------------------------------------------

static bool is_answer(const struct event *event)
{
    return str_is(event->type_name, "review_resolved");
}

// sku, or sku/list.
static bool names_price(struct str id, struct str sku, struct str list)
{
    if (!str_starts(id, sku))
        return false;
    struct str rest = str_make(id.p + sku.n, id.n - sku.n);
    if (list.n == 0)
        return rest.n == 0;
    return rest.n == list.n + 1 && rest.p[0] == '/' &&
           str_equal(str_make(rest.p + 1, list.n), list);
}

// What of a price is said beside its fields.
struct price_op {
    struct card_op card; // the first member: cards' own functions take the op as one
    bool own;            // it is a place's
    int64_t saw;         // the catalog's version that its author had before him; 0: none
};

static enum err_code price_decode(const struct event *event, struct arena *kept,
                                  const void **ret_op, struct err *e)
{
    if (!is_answer(event) && !names_price(event->record_id, body_text(event->body, "sku"),
                                          body_text(event->body, "list")))
        return err_set(e, ERR_INVALID, "record: a price's id is its sku, or sku/list");
    if (!is_answer(event) && body_decimal(event->body, "price") < 0)
        return err_set(e, ERR_INVALID, "body: price: below zero");
    if (body_integer(event->body, "catalog") < 0)
        return err_set(e, ERR_INVALID, "body: catalog: there is no such version");
    const void *card;
    struct price_op *op = arena_alloc_zero(kept, sizeof *op);
    enum err_code code = op ? card_decode(event, kept, &card, e) : ERR_NO_MEMORY;
    if (op == NULL)
        return err_set(e, code, "out of memory for a record");
    if (code)
        return code;
    *op = (struct price_op){.card = *(const struct card_op *)card,
                            .own = !str_is(event->location, FEED_CHAIN),
                            .saw = body_integer(event->body, "catalog")};
    *ret_op = op;
    return ERR_OK;
}

static bool is_percent(int64_t value)
{
    return value >= 0 && value <= 100 * DECIMAL_ONE;
}

static enum err_code tax_decode(const struct event *event, struct arena *kept, const void **ret_op,
                                struct err *e)
{
    if (!is_answer(event) && (!is_percent(body_decimal(event->body, "percent")) ||
                              !is_percent(body_decimal(event->body, "before"))))
        return err_set(e, ERR_INVALID, "body: percent: is not 0 to 100");
    return card_decode(event, kept, ret_op, e);
}

static bool is_time(struct str text)
{
    uint64_t hour = 0, minute = 0;
    return text.n == 0 ||
           (text.n == 5 && text.p[2] == ':' && str_to_u64(str_make(text.p, 2), &hour) == ERR_OK &&
            str_to_u64(str_make(text.p + 3, 2), &minute) == ERR_OK && hour < 24 && minute < 60);
}

static bool are_weekdays(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '1' || text.p[i] > '7')
            return false;
    }
    return text.n <= 7;
}

static enum err_code promotion_decode(const struct event *event, struct arena *kept,
                                      const void **ret_op, struct err *e)
{
    yyjson_val *body = event->body;
    int64_t value = body_decimal(body, "value");
    if (is_answer(event))
        return card_decode(event, kept, ret_op, e);
    if (value < 0 || (str_is(body_text(body, "kind"), "percent") && !is_percent(value)))
        return err_set(e, ERR_INVALID, "body: value: below zero, or more than all of it");
    if (!is_time(body_text(body, "from_time")) || !is_time(body_text(body, "until_time")))
        return err_set(e, ERR_INVALID, "body: from_time, until_time: must be HH:MM");
    if (!are_weekdays(body_text(body, "weekdays")))
        return err_set(e, ERR_INVALID, "body: weekdays: must be digits from 1 (Monday) to 7");
    if (body_decimal(body, "buy") < 0 || body_decimal(body, "free") < 0)
        return err_set(e, ERR_INVALID, "body: buy, free: below zero");
    return card_decode(event, kept, ret_op, e);
}

// The list as its row keeps it: the same text for the same list, whatever else its author said.
static enum err_code write_uses(yyjson_val *list, struct buf *to, struct err *e)
{
    char quantity[DECIMAL_TEXT_MAX];
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    yyjson_val *use;
    enum err_code code = buf_append(to, "[", 1);
    while (code == ERR_OK && (use = yyjson_arr_iter_next(&iter)) != NULL) {
        if (body_decimal(use, "quantity") <= 0)
            return err_set(e, ERR_INVALID, "body: uses: quantity: must be above zero");
        decimal_format(body_decimal(use, "quantity"), quantity);
        code = buf_append_str(to, to->len > 1 ? STR(",{\"sku\":") : STR("{\"sku\":"));
        if (code == ERR_OK)
            code = json_append_string(to, body_text(use, "sku"));
        if (code == ERR_OK)
            code = buf_append_format(to, ",\"quantity\":\"%s\"}", quantity);
    }
    if (code == ERR_OK)
        code = buf_append(to, "]", 1);
    return code ? err_set(e, code, "body: uses: too many") : ERR_OK;
}

static enum err_code recipe_decode(const struct event *event, struct arena *kept,
                                   const void **ret_op, struct err *e)
{
    struct buf text;
    struct card_set *set = arena_alloc_zero(kept, sizeof *set);
    struct card_op *op = arena_alloc_zero(kept, sizeof *op);
    if (is_answer(event))
        return card_decode(event, kept, ret_op, e);
    if (set == NULL || op == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a record");
    buf_init(&text, LIMIT_EVENT_BYTES);
    enum err_code code = write_uses(yyjson_obj_get(event->body, "uses"), &text, e);
    if (code == ERR_OK) {
        *set = (struct card_set){.column = 1, .value.text = arena_copy(kept, buf_str(&text))};
        *op = (struct card_op){.table = &recipes, .sets = set, .count = 1};
        *ret_op = op;
        if (set->value.text.p == NULL)
            code = err_set(e, ERR_NO_MEMORY, "out of memory for a record");
    }
    buf_fini(&text);
    return code;
}

// ---- two of the same rank ---------------------------------------------------------------------
// The head office writes through one node, so its events lie in one stream whoever made them. What
// an author there had seen is what his event names as its base, and what that had seen; only one
// that names nothing has seen what came before it in the stream.

struct ranked_write {
    const struct cell_write *write;
    bool asked;
    struct ranked_write *newer, *older;
};
struct ranked_list { // in the record's order
    struct ranked_write *oldest, *newest;
};
struct ranked_field {
    struct ranked_list heads;    // writes that no later one had seen
    size_t unasked;              // of them, that no question names
    bool uniform;                // all of them say the same
    struct ranked_write *rival;  // of them, one that another was held against; NULL: not known
    struct ranked_list disputed; // writes that a question names and no later one had seen
    struct str base;             // what both sides of the first question had seen
};
struct ranked {
    struct card card; // the first member: cards' own functions take the state as one
    struct ranked_field fields[ROW_COLUMNS_MAX];
};

static const struct question_kind ranked_questions[] = {
    {"same_rank",
     "Two people set this without having seen each other; the later one stands until somebody "
     "decides. Of the whole chain's nothing is published meanwhile."},
    {NULL, NULL}};

static struct ranked_write *list_add(struct ranked_list *list, const struct cell_write *write,
                                     struct arena *a)
{
    struct ranked_write *one = arena_alloc(a, sizeof *one);
    if (one == NULL)
        return NULL;
    *one = (struct ranked_write){.write = write, .older = list->newest};
    *(list->newest ? &list->newest->newer : &list->oldest) = one;
    return list->newest = one;
}

static void list_drop(struct ranked_list *list, struct ranked_write *one)
{
    *(one->older ? &one->older->newer : &list->oldest) = one->newer;
    *(one->newer ? &one->newer->older : &list->newest) = one->older;
}

// The first from there on that the author of 'by' had seen; NULL: none. It had seen nothing that is
// newer than what it names, so that who had seen little is quickly done.
static struct ranked_write *next_seen(struct ranked_write *from, const struct record_entry *by)
{
    while (from != NULL && from->write->by->place < by->named_end) {
        if (record_names(by, from->write->by))
            return from;
        from = from->newer;
    }
    return NULL;
}

static bool same_value(enum column_kind kind, const struct value *a, const struct value *b)
{
    if (a->null || b->null)
        return a->null && b->null;
    return kind == COLUMN_TEXT ? str_equal(a->text, b->text) : a->number == b->number;
}

// Each write is asked about once, alone: with all that disagree it is one question.
static enum err_code ask(struct ranked *r, int column, const struct cell_write *write,
                         struct arena *a)
{
    const struct column *c = &r->card.table->columns[column];
    struct str says = cell_say(write, c->kind, a);
    struct question question = {.kind = "same_rank",
                                .part = str_of(c->name),
                                .sides = {{write->by, says}},
                                .base = r->fields[column].base,
                                .suggested = DECISION_ACCEPT,
                                .value = says,
                                .why = "it is the later one"};
    if (says.p == NULL || list_add(&r->fields[column].disputed, write, a) == NULL)
        return ERR_NO_MEMORY;
    return question_ask(&r->card.questions.asked, &question, a);
}

// A write whose author had seen what is asked about is an answer to that.
static enum err_code settle(struct ranked *r, int column, const struct record_entry *by,
                            struct arena *a)
{
    struct ranked_list *disputed = &r->fields[column].disputed;
    size_t count = 0;
    struct ranked_write *w = next_seen(disputed->oldest, by);
    for (; w != NULL; w = next_seen(w->newer, by))
        count++;
    if (count == 0)
        return ERR_OK;
    struct uuid *triggers = arena_alloc(a, count * sizeof *triggers);
    struct answer_op *op = arena_alloc_zero(a, sizeof *op);
    if (triggers == NULL || op == NULL)
        return ERR_NO_MEMORY;
    *op = (struct answer_op){.review = STR("same_rank"),
                             .part = str_of(r->card.table->columns[column].name),
                             .decision = DECISION_ACCEPT,
                             .triggers = triggers,
                             .trigger_count = count};
    for (w = next_seen(disputed->oldest, by); w != NULL; w = next_seen(w->newer, by)) {
        triggers[--count] = w->write->by->id;
        list_drop(disputed, w);
    }
    return question_answer(&r->card.questions, by, op, a);
}

static void drop_head(struct ranked_field *field, struct ranked_write *head)
{
    list_drop(&field->heads, head);
    field->unasked -= !head->asked;
    if (field->rival == head)
        field->rival = NULL;
}

static bool is_rival(const struct ranked *r, int column, const struct ranked_write *head,
                     const struct cell_write *own)
{
    return !same_value(r->card.table->columns[column].kind, &head->write->value, &own->value) &&
           question_counts(&r->card.questions, head->write->by);
}

// A head that says something else; NULL: none does. Those that do not count any more are dropped.
static struct ranked_write *find_rival(struct ranked *r, int column, const struct cell_write *own)
{
    struct ranked_field *field = &r->fields[column];
    if (field->rival != NULL && is_rival(r, column, field->rival, own))
        return field->rival;
    for (struct ranked_write *head = field->heads.newest, *older; head != NULL; head = older) {
        older = head->older;
        if (!question_counts(&r->card.questions, head->write->by))
            drop_head(field, head);
        else if (is_rival(r, column, head, own))
            return field->rival = head;
        else if (field->uniform)
            return NULL;
    }
    field->uniform = true; // as all that are left say the same as it does
    return NULL;
}

// Asks about the heads that say something else, as far as nobody was asked about them.
static enum err_code ask_heads(struct ranked *r, int column, const struct cell_write *own,
                               struct arena *a)
{
    struct ranked_field *field = &r->fields[column];
    enum err_code code = ERR_OK;
    struct ranked_write *head = field->unasked > 0 ? field->heads.oldest : NULL, *newer;
    for (; head != NULL && code == ERR_OK; head = newer) {
        newer = head->newer;
        if (head->asked || !is_rival(r, column, head, own))
            continue;
        if (field->base.p == NULL) {
            const struct cell *cell = &r->card.cells[column];
            field->base = cell_say(cell_base(cell, &r->card.questions, head->write->by, own->by),
                                   r->card.table->columns[column].kind, a);
            code = field->base.p ? ERR_OK : ERR_NO_MEMORY;
        }
        head->asked = true;
        field->unasked--;
        if (code == ERR_OK)
            code = ask(r, column, head->write, a);
    }
    return code;
}

// The write against those that nobody had seen before it: seen now, or asked about.
static enum err_code contest(struct ranked *r, int column, const struct cell_write *own,
                             struct arena *a)
{
    struct ranked_field *field = &r->fields[column];
    enum err_code code = ERR_OK;
    struct ranked_write *head = next_seen(field->heads.oldest, own->by);
    for (; head != NULL; head = next_seen(head->newer, own->by))
        drop_head(field, head);
    bool disputed = find_rival(r, column, own) != NULL;
    if (disputed) {
        code = ask_heads(r, column, own, a);
        if (code == ERR_OK)
            code = ask(r, column, own, a);
    }
    field->uniform = !disputed && (field->uniform || field->heads.newest == NULL);
    head = code ? NULL : list_add(&field->heads, own, a);
    if (head == NULL)
        return code ? code : ERR_NO_MEMORY;
    head->asked = disputed;
    field->unasked += !disputed;
    return ERR_OK;
}

static enum err_code ranked_apply(void *state, const struct record_entry *entry,
                                  struct arena *folded)
{
    struct ranked *r = state;
    const struct card_op *op = entry->op;
    enum err_code code = card_apply(state, entry, folded);
    for (size_t i = 0; i < op->count && record_counts(entry) && code == ERR_OK; i++) {
        int column = op->sets[i].column;
        if (!op->answers)
            code = settle(r, column, entry, folded);
        if (code == ERR_OK)
            code = contest(r, column, r->card.cells[column].newest, folded);
    }
    return code;
}

static enum err_code ranked_rows(const void *state, const char *type, struct str record_id,
                                 struct row_list *to)
{
    const struct ranked *r = state;
    struct record_name name = {.type = str_of(type), .id = record_id};
    enum err_code code = card_rows(&r->card, record_id, to);
    return code ? code : questions_write(&r->card.questions, NULL, &name, to);
}

// A person who let it stand had that version before him.
static int64_t price_saw(const struct questions *q, const struct record_entry *by)
{
    const struct answer *answer = question_answered(q, NULL, by);
    const struct price_op *own = by->op;
    const struct price_op *said =
        answer != NULL && answer->by->answers != NULL ? answer->by->op : own;
    return said->saw > 0 ? said->saw : own->saw;
}

static const struct value *price_value(const struct cell_write *write, int column)
{
    const struct card_op *op = write->by->op;
    for (size_t i = 0; i < op->count; i++) {
        if (op->sets[i].column == column)
            return &op->sets[i].value;
    }
    return NULL;
}

// What of a write says less than all, an answer's, is as it stands.
static void add_price_value(const struct ranked *r, const struct cell_write *write, int column,
                            struct value *to)
{
    const struct value *value = price_value(write, column);
    const struct cell_write *stands = cell_read(&r->card.cells[column], &r->card.questions);
    if (value != NULL)
        *to = *value;
    else if (stands != NULL)
        *to = stands->value;
}

// A place's prices, the newest first: what is sold by the one before comes after it was replaced.
static enum err_code own_rows(const struct ranked *r, struct str record_id, struct row_list *to)
{
    const struct questions *q = &r->card.questions;
    const struct cell_write *write = r->card.cells[P_PRICE].newest;
    int nth = 0;
    for (; write != NULL && nth < LIMIT_OWN_PRICES; write = write->next) {
        const struct price_op *op = write->by->op;
        if (!op->own || !question_counts(q, write->by))
            continue;
        struct row *row = row_list_add(to, &own_prices);
        if (row == NULL)
            return ERR_NO_MEMORY;
        row_set_text(row, 0, record_id);
        row_set_uuid(row, OWN_EVENT, &write->by->id);
        row_set_number(row, OWN_NTH, nth++);
        add_price_value(r, write, P_SKU, &row->values[OWN_SKU]);
        add_price_value(r, write, P_LIST, &row->values[OWN_LIST]);
        add_price_value(r, write, P_PRICE, &row->values[OWN_PRICE]);
        add_price_value(r, write, P_CURRENCY, &row->values[OWN_CURRENCY]);
        add_price_value(r, write, P_PLACES, &row->values[OWN_PLACES]);
        row_set_number(row, OWN_CATALOG, price_saw(q, write->by));
        row_set_number(row, OWN_AT, write->by->at);
        row_set_text(row, OWN_BY, write->by->actor);
    }
    return ERR_OK;
}

static enum err_code price_rows(const void *state, struct str record_id, struct row_list *to)
{
    enum err_code code = ranked_rows(state, "price", record_id, to);
    return code ? code : own_rows(state, record_id, to);
}

static enum err_code tax_rows(const void *state, struct str record_id, struct row_list *to)
{
    return ranked_rows(state, "tax", record_id, to);
}

static enum err_code promotion_rows(const void *state, struct str record_id, struct row_list *to)
{
    return ranked_rows(state, "promotion", record_id, to);
}

// ---- all --------------------------------------------------------------------------------------

// What is published of them goes down as rows.
#define DRAFT_REDUCER(type_, decode_)                                                              \
    {                                                                                              \
        .record_type = #type_, .tables = type_##_tables, .questions = question_none,               \
        .edits = true, .stays = true, .state_bytes = sizeof(struct card), .decode = decode_,       \
        .apply = card_apply, .rows = card_rows                                                     \
    }
#define RANKED_REDUCER(type_)                                                                      \
    {                                                                                              \
        .record_type = #type_, .tables = type_##_tables, .questions = ranked_questions,            \
        .edits = true, .by_base = true, .stays = true, .state_bytes = sizeof(struct ranked),       \
        .decode = type_##_decode, .apply = ranked_apply, .rows = type_##_rows                      \
    }
const struct reducer item_reducer = DRAFT_REDUCER(item, card_decode);
const struct reducer recipe_reducer = DRAFT_REDUCER(recipe, recipe_decode);
const struct reducer price_reducer = RANKED_REDUCER(price);
const struct reducer tax_reducer = RANKED_REDUCER(tax);
const struct reducer promotion_reducer = RANKED_REDUCER(promotion);
