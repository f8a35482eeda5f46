// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/catalog_publish.h"

#include "store/sqlite/catalog_rows.h"
#include "store/sqlite/state.h"

enum { ROW_ARENA = 4 * LIMIT_EVENT_BYTES };

static const enum db_statement drafts[] = {[CATALOG_ITEM] = Q_DRAFT_ITEM,
                                           [CATALOG_PRICE] = Q_DRAFT_PRICE,
                                           [CATALOG_PROMOTION] = Q_DRAFT_PROMOTION,
                                           [CATALOG_TAX] = Q_DRAFT_TAX};

struct publish {
    struct fold *f;
    struct catalog_state state;
    struct arena arena; // of the row at hand
    struct buf text;
    uint64_t changed;
    uint64_t number; // of the version
    bool dated;      // its prices say since which version they are so
    bool writes;     // else it is only looked
};

// ---- one row ----------------------------------------------------------------------------------

struct candidate {
    struct catalog_place place;
    struct row before, after; // as published, as drafted
    bool was, is;
};

static enum err_code read_draft(struct publish *p, struct candidate *c, struct err *e)
{
    struct query q;
    enum err_code memory = ERR_OK;
    query_begin(&q, p->f->tables, drafts[c->place.kind - catalog_kinds]);
    query_text(&q, c->place.id);
    c->is = query_row(&q);
    if (c->is)
        memory = catalog_rows_read(q.statement, 0, c->place.kind, &p->arena, &c->after);
    enum err_code code = query_end(&q, e);
    return code == ERR_OK && memory ? err_set(e, memory, "out of memory for the catalog") : code;
}

static bool same_value(enum column_kind kind, const struct value *a, const struct value *b)
{
    if (a->null || b->null)
        return a->null && b->null;
    return kind == COLUMN_TEXT ? str_equal(a->text, b->text) : a->number == b->number;
}

static bool same_price(const struct candidate *c)
{
    static const char *const names[] = {"price", "currency", "places"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int column = catalog_column(c->place.kind, names[i]);
        if (!same_value(c->place.kind->table->columns[column].kind, &c->before.values[column],
                        &c->after.values[column]))
            return false;
    }
    return true;
}

// A price that stays is of the version that it was of.
static void date_price(const struct publish *p, struct candidate *c)
{
    bool has_price = c->place.kind == &catalog_kinds[CATALOG_ITEM] ||
                     c->place.kind == &catalog_kinds[CATALOG_PRICE];
    if (!p->dated || !has_price || !c->is)
        return;
    int priced = catalog_column(c->place.kind, CATALOG_PRICED);
    if (c->was && same_price(c))
        c->after.values[priced] = c->before.values[priced];
    else if (!c->after.values[catalog_column(c->place.kind, "price")].null)
        row_set_number(&c->after, priced, (int64_t)p->number);
}

static enum err_code differs(struct publish *p, const struct candidate *c, bool *ret)
{
    *ret = c->was != c->is;
    if (!c->was || !c->is)
        return ERR_OK;
    buf_reset(&p->text);
    enum err_code code = catalog_row_write(c->place.kind, &c->before, &p->text);
    size_t n = p->text.len;
    if (code == ERR_OK)
        code = catalog_row_write(c->place.kind, &c->after, &p->text);
    if (code)
        return code;
    struct str before = str_make(p->text.data, n);
    struct str after = str_make(p->text.data + n, p->text.len - n);
    *ret = !str_equal(before, after);
    return ERR_OK;
}

static enum err_code count(struct publish *p, const struct candidate *c)
{
    struct catalog_rows *rows = &p->f->catalog;
    enum err_code code = ERR_OK;
    p->changed++;
    if (c->was)
        code = catalog_state_remove(&p->state, rows, c->place.kind, &c->before);
    if (code == ERR_OK && c->is)
        code = catalog_state_add(&p->state, rows, c->place.kind, &c->after);
    return code;
}

static bool tells(const struct fold *f)
{
    return f->store != NULL && !f->confirms;
}

static enum err_code write(struct publish *p, const struct candidate *c, struct err *e)
{
    struct feed_change change = {STR("*"), str_of(c->place.kind->type), c->place.id, STR("")};
    enum err_code code = catalog_rows_put(&p->f->catalog, &c->place, (int64_t)p->number,
                                          c->is ? &c->after : NULL, e);
    if (code || !tells(p->f))
        return code;
    buf_reset(&p->text);
    if (c->is)
        code = catalog_row_write(c->place.kind, &c->after, &p->text);
    change.row = c->is ? buf_str(&p->text) : STR("");
    if (code == ERR_OK)
        code = feed_queue_add(&p->f->changes, &change);
    return code ? err_set(e, code, "out of memory for feeds") : ERR_OK;
}

static enum err_code consider(struct publish *p, const struct catalog_kind *kind, struct str id,
                              struct err *e)
{
    struct candidate c = {.place = {kind, id}};
    bool changed = false;
    enum err_code code =
        catalog_rows_find(&p->f->catalog, &c.place, &p->state.shown, &p->arena, &c.before, e);
    c.was = c.before.values != NULL;
    if (code == ERR_OK)
        code = read_draft(p, &c, e);
    if (code)
        return code;
    date_price(p, &c);
    code = differs(p, &c, &changed);
    if (code == ERR_OK && changed)
        code = count(p, &c);
    if (code)
        return err_set(e, code, "a row of the catalog is too large: %.*s", STR_ARG(id));
    return changed && p->writes ? write(p, &c, e) : ERR_OK;
}

// ---- all of them ------------------------------------------------------------------------------

static enum err_code walk(struct publish *p, struct err *e)
{
    struct query q;
    enum err_code code = ERR_OK;
    query_begin(&q, p->f->tables, Q_CATALOG_CHANGED);
    while (code == ERR_OK && query_row(&q)) {
        int64_t kind = query_get_int(&q, 0);
        arena_reset(&p->arena);
        struct str id = arena_copy(&p->arena, query_get_text(&q, 1));
        if (id.p == NULL)
            code = err_set(e, ERR_NO_MEMORY, "out of memory for the catalog");
        else if (kind >= 0 && kind < CATALOG_KIND_COUNT)
            code = consider(p, &catalog_kinds[kind], id, e);
    }
    enum err_code end = query_end(&q, code ? NULL : e);
    if (code == ERR_OK && end == ERR_OK && p->state.rows > LIMIT_CATALOG_ROWS)
        code = err_set(e, ERR_LIMIT, "a catalog of more than %d rows", LIMIT_CATALOG_ROWS);
    return code ? code : end;
}

static enum err_code begin(struct publish *p, struct fold *f, struct err *e)
{
    *p = (struct publish){.f = f};
    arena_init(&p->arena, ROW_ARENA);
    buf_init(&p->text, ROW_ARENA);
    enum err_code code = records_flush(&f->records, e); // the drafts as they are now
    return code ? code : catalog_state_read(f->tables, &p->state, e);
}

static void end(struct publish *p)
{
    arena_fini(&p->arena);
    buf_fini(&p->text);
}

enum err_code catalog_publish_next(struct db *db, uint64_t *ret, struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_CATALOG_VERSION_SEEN);
    *ret = 1 + (query_row(&q) ? query_get_u64(&q, 0) : 0);
    return query_end(&q, e);
}

enum err_code catalog_publish_prepare(struct fold *f, struct catalog_version *ret,
                                      uint64_t *ret_changed, struct err *e)
{
    struct publish p;
    enum err_code code = begin(&p, f, e);
    p.number = ret->number;
    p.dated = true;
    if (code == ERR_OK)
        code = walk(&p, e);
    if (code == ERR_OK) {
        ret->hash = set_hash_digest(&p.state.sum);
        ret->count = p.state.rows;
        *ret_changed = p.changed;
    }
    end(&p);
    return code;
}

// ---- the event --------------------------------------------------------------------------------

static enum err_code add_version(struct publish *p, const struct fold_row *row,
                                 const struct effect_publish *effect, struct err *e)
{
    struct query q;
    query_begin(&q, p->f->tables, Q_CATALOG_VERSION_ADD);
    query_u64(&q, effect->version);
    query_hash(&q, &effect->hash);
    query_hash(&q, &p->state.version.hash);
    query_u64(&q, p->state.rows);
    query_u64(&q, p->changed);
    query_text_or_null(&q, effect->note);
    query_int(&q, row->event->at);
    query_text_or_null(&q, row->event->actor);
    query_uuid(&q, &row->event->id);
    query_int(&q, row->lsn);
    return query_run(&q, e);
}

static enum err_code tell_version(struct publish *p, struct err *e)
{
    struct feed_change change = {STR("*"), STR(CATALOG_VERSION_TYPE), STR(CATALOG_VERSION_ID),
                                 STR("")};
    if (!tells(p->f))
        return ERR_OK;
    buf_reset(&p->text);
    enum err_code code = catalog_version_write(&p->state.version, &p->text);
    change.row = buf_str(&p->text);
    if (code == ERR_OK)
        code = feed_queue_add(&p->f->changes, &change);
    return code ? err_set(e, code, "out of memory for feeds") : ERR_OK;
}

static enum err_code forget_changed(struct db *db, struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_CATALOG_CHANGED_DROP);
    return query_run(&q, e);
}

static enum err_code publish(struct publish *p, const struct fold_row *row,
                             const struct effect_publish *effect, struct err *e)
{
    p->number = effect->version;
    p->dated = effect->dated;
    p->writes = true;
    enum err_code code = walk(p, e);
    if (code)
        return code;
    p->state.next = (struct catalog_span){0, (int64_t)p->number};
    p->state.next_version =
        (struct catalog_version){effect->version, set_hash_digest(&p->state.sum), p->state.rows};
    catalog_state_show(&p->state);
    code = catalog_state_write(p->f->tables, &p->state, e);
    if (code == ERR_OK)
        code = forget_changed(p->f->tables, e);
    if (code == ERR_OK)
        code = add_version(p, row, effect, e);
    return code ? code : tell_version(p, e);
}

// A number that was published before is not published again: nobody who holds it would notice.
enum err_code catalog_publish_event(struct fold *f, const struct fold_row *row,
                                    const struct effect_publish *effect, struct err *e)
{
    struct publish p;
    enum err_code code = begin(&p, f, e);
    if (code == ERR_OK && effect->version > p.state.version.number)
        code = publish(&p, row, effect, e);
    end(&p);
    return code;
}

// ---- a feed that is made ----------------------------------------------------------------------

static enum err_code put_row(struct feed_writer *feed, struct publish *p,
                             const struct catalog_kind *kind, const struct row *row, struct err *e)
{
    struct feed_change change = {STR("*"), str_of(kind->type), row->values[0].text, STR("")};
    buf_reset(&p->text);
    enum err_code code = catalog_row_write(kind, row, &p->text);
    change.row = buf_str(&p->text);
    return code ? err_set(e, code, "out of memory for feeds") : feed_writer_put(feed, &change, e);
}

static enum err_code fill_kind(struct publish *p, struct db *db, struct feed_writer *feed,
                               const struct catalog_kind *kind, struct err *e)
{
    sqlite3_stmt *all = NULL;
    struct catalog_page page = {kind, p->state.shown, STR(""), -1, STR("")};
    enum err_code code = catalog_rows_page(db, &page, &all, e);
    int result = SQLITE_DONE;
    while (code == ERR_OK && (result = sqlite3_step(all)) == SQLITE_ROW) {
        struct row row;
        arena_reset(&p->arena);
        code = catalog_rows_read(all, 0, kind, &p->arena, &row);
        if (code)
            code = err_set(e, code, "out of memory for the catalog");
        else
            code = put_row(feed, p, kind, &row, e);
    }
    if (code == ERR_OK)
        code = db_error(db, result, e);
    sqlite3_finalize(all);
    return code;
}

enum err_code catalog_publish_fill(struct db *db, struct feed_writer *feed, struct err *e)
{
    struct publish p = {.changed = 0};
    enum err_code code = catalog_state_read(db, &p.state, e);
    if (code || p.state.version.number == 0)
        return code;
    arena_init(&p.arena, ROW_ARENA);
    buf_init(&p.text, ROW_ARENA);
    for (int i = 0; i < CATALOG_KIND_COUNT && code == ERR_OK; i++)
        code = fill_kind(&p, db, feed, &catalog_kinds[i], e);
    struct feed_change change = {STR("*"), STR(CATALOG_VERSION_TYPE), STR(CATALOG_VERSION_ID),
                                 STR("")};
    buf_reset(&p.text);
    if (code == ERR_OK)
        code = catalog_version_write(&p.state.version, &p.text);
    change.row = buf_str(&p.text);
    if (code == ERR_OK)
        code = feed_writer_put(feed, &change, e);
    end(&p);
    return code;
}
