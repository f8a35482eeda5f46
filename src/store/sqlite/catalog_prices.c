// SPDX-License-Identifier: Apache-2.0
//
// Sold prices against what was published: found afterwards, never refused.
#include "store/sqlite/rows.h"
#include "store/sqlite/state.h"

#include <string.h>

enum { FACTS_ARENA = 1024 * 1024, PRICE_ID_MAX = 2 * LIMIT_NAME + 2 };

// ---- one price --------------------------------------------------------------------------------

static bool read_price(struct query *q, struct arena *a, struct price *ret)
{
    *ret = (struct price){.there = !query_is_null(q, 0)};
    if (!ret->there)
        return true;
    ret->amount = query_get_int(q, 0);
    ret->currency = arena_copy(a, query_get_text(q, 1));
    ret->places = (int)query_get_int(q, 2);
    ret->since = query_get_u64(q, 3);
    return ret->currency.p != NULL;
}

static enum err_code one_price(struct query *q, struct arena *a, struct price *ret, struct err *e)
{
    bool read = true;
    *ret = (struct price){.there = false};
    if (query_row(q))
        read = read_price(q, a, ret);
    enum err_code code = query_end(q, e);
    return code == ERR_OK && !read ? err_set(e, ERR_NO_MEMORY, "out of memory for a price") : code;
}

enum err_code store_catalog_price(struct store *s, uint64_t version, const struct price_name *name,
                                  struct arena *a, struct price *ret, struct err *e)
{
    struct query q;
    char id[PRICE_ID_MAX];
    bool main = name->list.n == 0;
    *ret = (struct price){.there = false};
    if (name->sku.n > LIMIT_NAME || name->list.n > LIMIT_NAME || version > INT64_MAX)
        return ERR_OK; // nothing has such a name, or such a number
    memcpy(id, name->sku.p, name->sku.n);
    id[name->sku.n] = '/';
    if (!main)
        memcpy(id + name->sku.n + 1, name->list.p, name->list.n);
    query_begin(&q, &s->db, main ? Q_CATALOG_PRICE_AT : Q_CATALOG_LIST_PRICE_AT);
    query_text(&q, str_make(id, main ? name->sku.n : name->sku.n + 1 + name->list.n));
    query_u64(&q, version);
    return one_price(&q, a, ret, e);
}

enum err_code store_price_draft(struct store *s, struct str location, struct str id,
                                struct arena *a, struct price *ret, struct err *e)
{
    struct query q;
    *ret = (struct price){.there = false};
    enum err_code code = s->read_only ? ERR_OK : fold_flush(&s->fold, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_PRICE_DRAFT);
    query_text(&q, location);
    query_text(&q, id);
    return one_price(&q, a, ret, e);
}

enum err_code store_price_authority(struct store *s, enum price_authority *ret, struct err *e)
{
    struct store_setting value;
    struct store_setting_name setting = {STR(FEED_CHAIN), PRICE_SETTING, STR("")};
    enum err_code code = store_setting_get(s, &setting, &value, e);
    return code ? code : price_authority_parse(str_of(value.value), ret);
}

enum err_code store_own_price(struct store *s, struct str location, struct str id, struct arena *a,
                              struct store_own_price *ret, struct err *e)
{
    struct query q;
    bool read = true;
    *ret = (struct store_own_price){.set_at = 0};
    enum err_code code = s->read_only ? ERR_OK : fold_flush(&s->fold, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_OWN_PRICE);
    query_text(&q, location);
    query_text(&q, id);
    if (query_row(&q)) {
        read = read_price(&q, a, &ret->own.price);
        ret->own.saw = query_get_u64(&q, 4);
        ret->own.judged = s->role != ROLE_TERMINAL || query_get_int(&q, 5) == 0;
        (void)query_get_uuid(&q, 6, &ret->event);
        ret->set_at = query_get_int(&q, 7);
        ret->set_by = arena_copy(a, query_get_text(&q, 8));
    }
    code = query_end(&q, e);
    return code == ERR_OK && !read ? err_set(e, ERR_NO_MEMORY, "out of memory for a price") : code;
}

// The item's own price in a version: which has no such item, where it never had or has no more.
static enum err_code find_item(struct store *s, const struct price_line *line, struct arena *a,
                               struct price_facts *facts, struct err *e)
{
    struct query q;
    bool read = true;
    facts->price = (struct price){.there = false};
    facts->no_item = true;
    query_begin(&q, &s->db, Q_CATALOG_PRICE_AT);
    query_text(&q, line->sku);
    query_u64(&q, line->version);
    if (query_row(&q) && query_get_int(&q, 4) == 0) {
        facts->no_item = false;
        read = read_price(&q, a, &facts->price);
    }
    enum err_code code = query_end(&q, e);
    return code == ERR_OK && !read ? err_set(e, ERR_NO_MEMORY, "out of memory for a price") : code;
}

// ---- what explains a price --------------------------------------------------------------------

// Prices that explain one: they grow as they are found.
struct other_prices {
    struct arena *arena;
    struct price *items;
    size_t count, room;
};

static bool add_other(struct other_prices *to, struct query *q)
{
    struct price *wider = rows_grow(to->arena, to->items, to->count, &to->room, sizeof *to->items);
    if (wider == NULL || !read_price(q, to->arena, &wider[to->count]))
        return false;
    to->items = wider;
    to->count++;
    return true;
}

static enum err_code find_lists(struct store *s, const struct price_line *line,
                                struct other_prices *to, struct err *e)
{
    struct query q;
    bool full = false;
    query_begin(&q, &s->db, Q_CATALOG_OTHER_PRICES);
    query_text(&q, line->sku);
    query_u64(&q, line->version);
    while (!full && query_row(&q))
        full = !add_other(to, &q);
    enum err_code code = query_end(&q, e);
    return code == ERR_OK && full ? err_set(e, ERR_NO_MEMORY, "out of memory for prices") : code;
}

static bool is_doubted(const struct price_line *line, const struct uuid *event)
{
    for (const struct price_doubt *doubt = line->doubted; doubt != NULL; doubt = doubt->next) {
        if (uuid_equal(&doubt->event, event))
            return true;
    }
    return false;
}

// Of the list that the price's id names, in the line's version.
static enum err_code published_for(struct store *s, const struct price_line *line, struct str id,
                                   struct arena *a, struct price *ret, struct err *e)
{
    struct price_name name = {.list = STR("")};
    struct str rest = id;
    if (str_cut(&rest, '/', &name.sku))
        name.list = rest;
    return store_catalog_price(s, line->version, &name, a, ret, e);
}

// The last of the place's own prices on top of the list, if it counts beside what that version says
// of it.
static enum err_code weigh_own(struct store *s, const struct price_line *line, struct query *q,
                               struct other_prices *to, struct err *e)
{
    struct price_own own = {.saw = query_get_u64(q, 4), .judged = true};
    struct price published;
    struct uuid event;
    struct str id = arena_copy(to->arena, query_get_text(q, 6));
    (void)query_get_uuid(q, 5, &event);
    if (is_doubted(line, &event))
        return ERR_OK;
    if (id.p == NULL || !add_other(to, q))
        return err_set(e, ERR_NO_MEMORY, "out of memory for prices");
    own.price = to->items[to->count - 1];
    enum err_code code = published_for(s, line, id, to->arena, &published, e);
    if (code == ERR_OK && price_stands(PRICE_CENTRE, &published, &own) != PRICE_OWN_COUNTS)
        to->count--;
    return code;
}

// Also those that were replaced: a till of the place may not have heard of it.
static enum err_code find_own(struct store *s, const struct price_line *line,
                              struct other_prices *to, struct err *e)
{
    struct query q;
    enum err_code code = ERR_OK;
    query_begin(&q, &s->db, Q_OWN_PRICES_OF);
    query_text(&q, line->location);
    query_text(&q, line->sku);
    while (code == ERR_OK && query_row(&q))
        code = weigh_own(s, line, &q, to, e);
    enum err_code end = query_end(&q, code ? NULL : e);
    return code ? code : end;
}

// Prices of the version's other lists, and what the place set for itself.
static enum err_code find_others(struct store *s, const struct price_line *line, struct arena *a,
                                 struct price_facts *facts, struct err *e)
{
    struct other_prices others = {.arena = a};
    enum err_code code = find_lists(s, line, &others, e);
    if (code == ERR_OK)
        code = find_own(s, line, &others, e);
    facts->others = others.items;
    facts->other_count = others.count;
    return code;
}

// Of the version, on the item or on its category as it was then.
static enum err_code find_promotions(struct store *s, const struct price_line *line,
                                     struct arena *a, struct price_facts *facts, struct err *e)
{
    struct query q;
    struct price_promotion *list = NULL;
    size_t count = 0, room = 0;
    bool full = false;
    query_begin(&q, &s->db, Q_CATALOG_PROMOTIONS_AT);
    query_text(&q, line->sku);
    query_u64(&q, line->version);
    while (!full && query_row(&q)) {
        struct price_promotion one = {.kind = arena_copy(a, query_get_text(&q, 0)),
                                      .value = query_get_int(&q, 1),
                                      .currency = arena_copy(a, query_get_text(&q, 2))};
        struct price_promotion *wider = rows_grow(a, list, count, &room, sizeof one);
        full = wider == NULL || one.kind.p == NULL || one.currency.p == NULL;
        if (!full) {
            list = wider;
            list[count++] = one;
        }
    }
    facts->promotions = list;
    facts->promotion_count = count;
    enum err_code code = query_end(&q, e);
    return code == ERR_OK && full ? err_set(e, ERR_NO_MEMORY, "out of memory for prices") : code;
}

enum err_code store_price_check(struct store *s, const struct price_line *line, struct arena *a,
                                enum price_finding *ret, struct price *ret_price, struct err *e)
{
    struct price_facts facts = {.other_count = 0};
    struct catalog_version version;
    *ret_price = (struct price){.there = false};
    *ret = PRICE_UNKNOWN;
    if (line->version == 0 || line->version > INT64_MAX)
        return ERR_OK;
    enum err_code code = find_item(s, line, a, &facts, e);
    *ret = price_check(&line->sold, &facts);
    if (code || *ret == PRICE_SAME) // as nearly all are
        return code;
    code = store_catalog_known(s, line->version, &version, NULL);
    if (code == ERR_NOT_FOUND) // a centre that was restored lost it, and what it said
        *ret = PRICE_UNKNOWN;
    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : err_set(e, code, "reading a version's number");
    code = find_others(s, line, a, &facts, e);
    if (code == ERR_OK)
        code = find_promotions(s, line, a, &facts, e);
    if (code)
        return code;
    *ret = price_check(&line->sold, &facts);
    *ret_price = facts.price;
    return ERR_OK;
}

// ---- all that were sold -----------------------------------------------------------------------

static enum err_code read_line(struct query *q, struct arena *a, struct price_line *ret)
{
    *ret = (struct price_line){.location = arena_copy(a, query_get_text(q, 0)),
                               .record_type = arena_copy(a, query_get_text(q, 1)),
                               .record = arena_copy(a, query_get_text(q, 2)),
                               .sku = arena_copy(a, query_get_text(q, 4)),
                               .version = query_get_u64(q, 5)};
    (void)query_get_uuid(q, 3, &ret->event);
    ret->sold = (struct price_sold){.amount = query_get_int(q, 6),
                                    .currency = arena_copy(a, query_get_text(q, 7)),
                                    .overridden = query_get_int(q, 8) != 0};
    bool full = ret->location.p == NULL || ret->record_type.p == NULL || ret->record.p == NULL ||
                ret->sku.p == NULL || ret->sold.currency.p == NULL;
    return full ? ERR_NO_MEMORY : ERR_OK;
}

static void begin_look(struct query *q, struct store *s, const struct price_look *look)
{
    if (look->order != NULL) {
        query_begin(q, &s->db, Q_PRICED_ORDER);
        query_text(q, look->order->location);
        query_text(q, look->order->id);
        return;
    }
    query_begin(q, &s->db, Q_PRICED_LINES);
    query_u64(q, look->from_version);
}

static bool is_known(struct price_look *look, const struct price_line *line)
{
    bool known = line->version <= look->published;
    if (!known && (look->ret_unknown == 0 || line->version < look->ret_unknown))
        look->ret_unknown = line->version;
    return known;
}

enum err_code store_prices_differ(struct store *s, struct price_look *look, price_found *each,
                                  void *context, struct err *e)
{
    struct query q;
    struct arena a;
    bool more = true;
    enum err_code code = s->read_only ? ERR_OK : fold_flush(&s->fold, e);
    if (code)
        return code;
    arena_init(&a, FACTS_ARENA);
    begin_look(&q, s, look);
    while (code == ERR_OK && more && query_row(&q)) {
        struct price_line line;
        struct price published;
        enum price_finding finding = PRICE_UNKNOWN;
        arena_reset(&a);
        code = read_line(&q, &a, &line);
        if (code)
            code = err_set(e, code, "out of memory for prices");
        else if (is_known(look, &line))
            code = store_price_check(s, &line, &a, &finding, &published, e);
        if (code == ERR_OK && price_is_asked(finding))
            more = each(context, &line, &published);
    }
    enum err_code end = query_end(&q, code ? NULL : e);
    arena_fini(&a);
    return code ? code : end;
}

// ---- what was asked of them -------------------------------------------------------------------

enum err_code store_judged_for(struct store *s, struct str location, const struct uuid *target,
                               enum verdict_reason reason, bool *ret, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_JUDGED_FOR);
    query_text(&q, location);
    query_uuid(&q, target);
    query_text(&q, str_of(verdict_reason_name(reason)));
    *ret = query_row(&q);
    return query_end(&q, e);
}

enum err_code store_question_open(struct store *s, const struct record_name *record,
                                  const char *kind, struct arena *a, struct str *ret_triggers,
                                  struct err *e)
{
    struct query q;
    *ret_triggers = STR("");
    query_begin(&q, &s->db, Q_QUESTION_OPEN);
    query_text(&q, record->location);
    query_text(&q, record->id);
    query_text(&q, record->type);
    query_text(&q, str_of(kind));
    if (query_row(&q))
        *ret_triggers = arena_copy(a, query_get_text(&q, 0));
    enum err_code code = query_end(&q, e);
    return code == ERR_OK && ret_triggers->p == NULL
               ? err_set(e, ERR_NO_MEMORY, "out of memory for a question")
               : code;
}
