// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/effects.h"

#include "model/judgement.h"
#include "store/sqlite/catalog_publish.h"
#include "store/sqlite/claim.h"
#include "store/sqlite/feed_trim.h"
#include "store/sqlite/judgements.h"
#include "store/sqlite/runs.h"

// ---- tickets -----------------------------------------------------------------------------------

static enum err_code put_ticket(struct fold *f, const struct fold_row *row,
                                const struct effect_ticket *t, bool *ret_taken, struct err *e)
{
    struct query q;
    *ret_taken = false;
    if (f->census != NULL && census_ticket_is_alone(f->census, row->event->location, t->id)) {
        census_ticket(f->census, &(struct census_row){row->lsn, row->event, 1}, t);
        return ERR_OK;
    }
    query_begin(&q, f->tables, Q_TICKET_ADD);
    query_int(&q, row->lsn);
    query_text(&q, row->event->location);
    query_text(&q, t->id);
    query_uuid(&q, &row->event->id);
    query_text(&q, str_of(ticket_kind_name(t->kind)));
    query_text(&q, t->number);
    query_text_or_null(&q, t->till);
    query_text_or_null(&q, t->customer);
    query_text(&q, t->currency);
    query_int(&q, t->places);
    query_int(&q, t->total);
    query_int(&q, t->at);
    query_int(&q, t->line_count);
    query_text_or_null(&q, t->shift);
    query_int(&q, row->base);
    enum err_code code = query_run(&q, e);
    *ret_taken = code == ERR_OK && sqlite3_changes(f->tables->handle) == 0;
    if (code == ERR_OK && f->census != NULL && !*ret_taken)
        census_ticket(f->census, &(struct census_row){row->lsn, row->event, 1}, t);
    return code;
}

static enum err_code put_line(struct fold *f, const struct fold_row *row,
                              const struct effect_line *line, struct err *e)
{
    struct query q;
    if (f->census != NULL) {
        census_line(f->census, &(struct census_row){row->lsn, row->event, 1}, line);
        return ERR_OK;
    }
    query_begin(&q, f->tables, Q_LINE_ADD);
    query_int(&q, row->lsn);
    query_int(&q, line->number);
    query_text(&q, line->sku);
    query_text_or_null(&q, line->name);
    query_int(&q, line->quantity);
    query_int(&q, line->unit_price);
    query_int(&q, line->amount);
    if (line->catalog > 0)
        query_int(&q, line->catalog);
    else
        query_null(&q);
    return query_run(&q, e);
}

static enum err_code put_payment(struct fold *f, const struct fold_row *row,
                                 const struct effect_payment *payment, struct err *e)
{
    struct query q;
    if (f->census != NULL) {
        census_payment(f->census, &(struct census_row){row->lsn, row->event, 1}, payment);
        return ERR_OK;
    }
    query_begin(&q, f->tables, Q_PAYMENT_ADD);
    query_int(&q, row->lsn);
    query_int(&q, payment->number);
    query_text(&q, payment->method);
    query_text(&q, payment->currency);
    query_int(&q, payment->amount);
    return query_run(&q, e);
}

static enum err_code drop(struct db *db, enum db_statement statement, int64_t lsn, struct err *e)
{
    struct query q;
    query_begin(&q, db, statement);
    query_int(&q, lsn);
    return query_run(&q, e);
}

static enum err_code drop_ticket(struct fold *f, int64_t lsn, struct err *e)
{
    enum err_code code = drop(f->tables, Q_PAYMENTS_DROP, lsn, e);
    if (code == ERR_OK)
        code = drop(f->tables, Q_LINES_DROP, lsn, e);
    return code ? code : drop(f->tables, Q_TICKET_DROP, lsn, e);
}

// ---- places and devices ------------------------------------------------------------------------

static enum err_code tell(struct fold *f, struct feed_change *change, enum err_code made,
                          struct err *e)
{
    if (made == ERR_OK)
        made = feed_queue_add(&f->changes, change);
    return made ? err_set(e, made, "out of memory for feeds") : ERR_OK;
}

static enum err_code put_location(struct fold *f, const struct fold_row *row,
                                  const struct effect_location *l, struct err *e)
{
    struct query q;
    query_begin(&q, f->tables, Q_LOCATION_PUT);
    query_text(&q, l->id);
    query_text(&q, l->name);
    query_text_or_null(&q, l->region);
    query_int(&q, row->lsn);
    enum err_code code = query_run(&q, e);
    if (code || f->store == NULL)
        return code;
    struct feed_change change = {STR("*"), STR("location"), l->id, STR("")};
    return tell(f, &change, feed_row_location(&f->effects, l->name, l->region, &change.row), e);
}

static enum err_code drop_location(struct fold *f, const struct effect_location *l, struct err *e)
{
    struct query q;
    query_begin(&q, f->tables, Q_LOCATION_DROP);
    query_text(&q, l->id);
    enum err_code code = query_run(&q, e);
    struct feed_change change = {STR("*"), STR("location"), l->id, STR("")};
    return code || f->store == NULL ? code : tell(f, &change, ERR_OK, e);
}

// Brings devices.revoked in line with the revocations that are known, and says so to its place.
static enum err_code judge_device(struct fold *f, const struct uuid *id, struct err *e)
{
    struct query q;
    char text[UUID_TEXT_SIZE];
    struct feed_device device = {STR(""), STR(""), STR(""), false};
    uuid_format(id, text);
    query_begin(&q, f->tables, Q_DEVICE_REVOKED);
    query_uuid(&q, id);
    query_text(&q, str_of(text));
    bool there = query_row(&q);
    if (there) {
        device.location = arena_copy(&f->effects, query_get_text(&q, 0));
        device.revoked = query_get_int(&q, 1) != 0;
    }
    enum err_code code = query_run(&q, e);
    if (code || !there || f->store == NULL)
        return code;
    query_begin(&q, f->tables, Q_DEVICE_FIND);
    query_uuid(&q, id);
    if (query_row(&q)) {
        device.role = arena_copy(&f->effects, query_get_text(&q, 2));
        device.key = arena_copy(&f->effects, query_get_text(&q, 3));
    }
    code = query_end(&q, e);
    if (code || device.location.p == NULL || device.role.p == NULL || device.key.p == NULL)
        return code ? code : err_set(e, ERR_NO_MEMORY, "out of memory for feeds");
    struct feed_change change = {device.location, STR("device"), str_of(text), STR("")};
    return tell(f, &change, feed_row_device(&f->effects, &device, &change.row), e);
}

static enum err_code put_device(struct fold *f, const struct fold_row *row,
                                const struct effect_device *d, struct err *e)
{
    struct query q;
    query_begin(&q, f->tables, Q_DEVICE_PUT);
    query_uuid(&q, &d->id);
    query_text(&q, d->location);
    query_text(&q, d->role);
    query_text_or_null(&q, d->name);
    query_blob(&q, d->key.b, sizeof d->key.b);
    query_int(&q, row->lsn);
    enum err_code code = query_run(&q, e);
    if (code == ERR_OK && f->store != NULL && !f->confirms)
        code = feed_ensure(f->tables, d->location, e);
    return code ? code : judge_device(f, &d->id, e);
}

static enum err_code drop_device(struct fold *f, const struct effect_device *d, struct err *e)
{
    struct query q;
    char text[UUID_TEXT_SIZE];
    uuid_format(&d->id, text);
    query_begin(&q, f->tables, Q_DEVICE_DROP);
    query_uuid(&q, &d->id);
    enum err_code code = query_run(&q, e);
    struct feed_change change = {d->location, STR("device"), str_of(text), STR("")};
    return code || f->store == NULL ? code : tell(f, &change, ERR_OK, e);
}

static enum err_code revoke(struct fold *f, const struct fold_row *row,
                            const struct effect_revoke *revoked, bool on, struct err *e)
{
    struct effect effect = {.kind = EFFECT_REVOKE, .revoked = *revoked};
    struct effect_list list = {&effect, 1};
    struct claim claim;
    bool there;
    claim_of(row->event, &list, &claim);
    enum err_code code = on ? claim_add(f->tables, &claim, row->event, row->lsn, e)
                            : claim_drop(f->tables, &claim, row->event, &there, e);
    if (code == ERR_OK)
        code = judge_device(f, &revoked->device, e);
    if (code)
        return code;
    return on ? revoke_put(f, row, revoked, e) : revoke_take_back(f, row, revoked, e);
}

// ---- folded records ----------------------------------------------------------------------------

// What is of the whole chain and may wait goes down by itself.
static struct str feed_of(const struct event *event)
{
    bool waits = event->lane == LANE_DEFERRED && str_is(event->location, FEED_CHAIN);
    return waits ? STR(FEED_DEFERRED) : event->location;
}

// The other devices of the place fold the record from the same events.
static enum err_code tell_event(struct fold *f, const struct fold_row *row, bool on, struct err *e)
{
    char text[UUID_TEXT_SIZE];
    bool chain_wide = str_is(row->event->location, "*");
    if (f->store == NULL || f->confirms ||
        (chain_wide && reducer_find(row->event->record_type)->stays))
        return ERR_OK;
    uuid_format(&row->event->id, text);
    struct feed_change change = {feed_of(row->event), STR("event"), str_of(text), STR("")};
    enum err_code made = on ? feed_row_event(&f->effects, row->event->bytes, &change.row) : ERR_OK;
    enum err_code code = tell(f, &change, made, e);
    return code || chain_wide ? code : feed_trim_tell_again(f, row->event, row->lsn, e);
}

static enum err_code put_record(struct fold *f, const struct fold_row *row, struct err *e)
{
    enum err_code code = records_put(&f->records, row->event, row->lsn, &f->record_full, e);
    if (code == ERR_OK && f->record_full)
        return err_set(e, ERR_LIMIT, "its %.*s has more than %d MiB of events",
                       STR_ARG(row->event->record_type), LIMIT_RECORD_BYTES >> 20);
    if (code == ERR_OK && judgement_is(row->event))
        code = judgements_turn(f, row, true, e);
    return code ? code : tell_event(f, row, true, e);
}

static enum err_code drop_record(struct fold *f, const struct fold_row *row, struct err *e)
{
    enum err_code code = records_take_back(&f->records, row->event, row->lsn, e);
    if (code == ERR_OK && judgement_is(row->event))
        code = judgements_turn(f, row, false, e);
    return code ? code : tell_event(f, row, false, e);
}

// ---- all ---------------------------------------------------------------------------------------

// Which event took from it last, and whether goods came.
static void tell_stock(struct delta *d, const struct event *event, const struct effect_stock *stock,
                       int sign)
{
    bool takes = (stock->delta < 0) == (sign > 0);
    if (takes || uuid_is_zero(&d->event))
        d->event = event->id;
    d->brought = d->brought || (!takes && stock->flow != FLOW_DEMAND);
}

static enum err_code move_stock(struct fold *f, const struct fold_row *row,
                                const struct effect_stock *stock, int sign, struct err *e)
{
    if (delta_map_add(&f->deltas, row->event->location, stock->sku, stock->delta, sign))
        return err_set(e, ERR_NO_MEMORY, "out of memory for stock");
    if (f->asks)
        tell_stock(f->deltas.last, row->event, stock, sign);
    return ERR_OK;
}

static enum err_code put_one(struct fold *f, const struct fold_row *row,
                             const struct effect *effect, bool *taken, struct err *e)
{
    switch (effect->kind) {
    case EFFECT_TICKET:
        return put_ticket(f, row, &effect->ticket, taken, e);
    case EFFECT_LINE:
        return put_line(f, row, &effect->line, e);
    case EFFECT_PAYMENT:
        return put_payment(f, row, &effect->payment, e);
    case EFFECT_STOCK:
        return move_stock(f, row, &effect->stock, 1, e);
    case EFFECT_LOCATION:
        return put_location(f, row, &effect->location, e);
    case EFFECT_DEVICE:
        return put_device(f, row, &effect->device, e);
    case EFFECT_REVOKE:
        return revoke(f, row, &effect->revoked, true, e);
    case EFFECT_RUN:
        return runs_put(f, row, &effect->run, e);
    case EFFECT_PUBLISH:
        return catalog_publish_event(f, row, &effect->publish, e);
    case EFFECT_RECORD:
        return put_record(f, row, e);
    }
    return ERR_OK;
}

// What a census has of a ticket goes piece by piece; its row for those who contend for it, with it.
static void uncount(struct fold *f, const struct fold_row *row, const struct effect *effect)
{
    const struct census_row of = {row->lsn, row->event, -1};
    if (f->census == NULL)
        return;
    if (effect->kind == EFFECT_TICKET)
        census_ticket(f->census, &of, &effect->ticket);
    else if (effect->kind == EFFECT_LINE)
        census_line(f->census, &of, &effect->line);
    else if (effect->kind == EFFECT_PAYMENT)
        census_payment(f->census, &of, &effect->payment);
}

static enum err_code take_back_one(struct fold *f, const struct fold_row *row,
                                   const struct effect *effect, struct err *e)
{
    uncount(f, row, effect);
    switch (effect->kind) {
    case EFFECT_TICKET:
        return drop_ticket(f, row->lsn, e);
    case EFFECT_LINE:
    case EFFECT_PAYMENT:
        return ERR_OK; // went with their ticket
    case EFFECT_STOCK:
        return move_stock(f, row, &effect->stock, -1, e);
    case EFFECT_LOCATION:
        return drop_location(f, &effect->location, e);
    case EFFECT_DEVICE:
        return drop_device(f, &effect->device, e);
    case EFFECT_REVOKE:
        return revoke(f, row, &effect->revoked, false, e);
    case EFFECT_RUN:
        return runs_take_back(f, row, &effect->run, e);
    case EFFECT_PUBLISH: // by the centre, once: nothing else carries its id
        return err_set(e, ERR_DAMAGED, "a version of the catalog is never taken back");
    case EFFECT_RECORD:
        return drop_record(f, row, e);
    }
    return ERR_OK;
}

enum err_code effects_move_stock(struct fold *f, const struct fold_row *row,
                                 const struct effect_list *list, int sign, struct err *e)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < list->count && code == ERR_OK; i++) {
        if (list->items[i].kind == EFFECT_STOCK)
            code = move_stock(f, row, &list->items[i].stock, sign, e);
    }
    return code;
}

// How many of the effects count: of a part of a record that was judged a duplicate, only that.
static enum err_code judged_count(struct fold *f, const struct fold_row *row,
                                  const struct effect_list *list, size_t *ret, struct err *e)
{
    bool out = false;
    *ret = list->count;
    if (list->count < 2 || list->items[0].kind != EFFECT_RECORD)
        return ERR_OK;
    enum err_code code = judgements_drop_effects(f, row->event, &out, e);
    if (out)
        *ret = 1;
    return code;
}

enum err_code effects_put(struct fold *f, const struct fold_row *row,
                          const struct effect_list *list, bool *ret_taken, struct err *e)
{
    size_t count = 0;
    enum err_code code = judged_count(f, row, list, &count, e);
    *ret_taken = false;
    for (size_t i = 0; i < count && code == ERR_OK && !*ret_taken; i++)
        code = put_one(f, row, &list->items[i], ret_taken, e);
    return code;
}

enum err_code effects_take_back(struct fold *f, const struct fold_row *row,
                                const struct effect_list *list, struct err *e)
{
    size_t count = 0;
    enum err_code code = judged_count(f, row, list, &count, e);
    for (size_t i = 0; i < count && code == ERR_OK; i++)
        code = take_back_one(f, row, &list->items[i], e);
    return code;
}
