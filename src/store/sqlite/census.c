// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/census.h"

#include "base/clock.h"
#include "store/sqlite/claim.h"

// ---- what does not stand alone -----------------------------------------------------------------

static enum err_code read_shared(struct census *c, struct db *journal, const struct ids *ids,
                                 struct err *e)
{
    struct query q;
    struct uuid id;
    enum err_code full = ERR_OK;
    query_begin(&q, journal, Q_IDS_FURTHER);
    query_int(&q, IDS_KEY_FIRST);
    while (full == ERR_OK && query_row(&q)) {
        int64_t key = query_get_uuid(&q, 0, &id) ? ids_key(ids, &id, 0) : 0;
        if (key > IDS_KEY_FIRST) // others are looked up anyhow
            full = keys_add(&c->shared, (uint64_t)key);
    }
    enum err_code code = query_end(&q, e);
    return code == ERR_OK && full ? err_set(e, full, "out of memory for a check") : code;
}

// Not zero.
static uint64_t ticket_key(const struct census *c, struct str location, struct str id)
{
    uint64_t place = (uint64_t)hash_short(&c->tally.key, location);
    return (place ^ (uint64_t)(hash_short(&c->tally.key, id) >> 64)) | 1;
}

static enum err_code read_contested(struct census *c, struct db *journal, struct err *e)
{
    struct query q;
    enum err_code full = ERR_OK;
    query_begin(&q, journal, Q_CLAIMED);
    query_int(&q, CLAIM_TICKET);
    while (full == ERR_OK && query_row(&q))
        full = keys_add(&c->contested, ticket_key(c, query_get_text(&q, 0), query_get_text(&q, 1)));
    enum err_code code = query_end(&q, e);
    return code == ERR_OK && full ? err_set(e, full, "out of memory for a check") : code;
}

enum err_code census_init(struct census *c, struct db *journal, const struct ids *ids,
                          struct err *e)
{
    struct hash_key key;
    clock_random(key.b, sizeof key.b);
    *c = (struct census){.lacking = false};
    tally_init(&c->tally, &key);
    enum err_code code = ids_read_until(journal, &c->ids_until, e);
    if (code == ERR_OK)
        code = read_shared(c, journal, ids, e);
    return code ? code : read_contested(c, journal, e);
}

void census_fini(struct census *c)
{
    tally_fini(&c->tally);
    keys_fini(&c->shared);
    keys_fini(&c->contested);
}

// ---- ids ---------------------------------------------------------------------------------------

bool census_is_alone(const struct census *c, int64_t key, int64_t lsn)
{
    return lsn <= c->ids_until && key > IDS_KEY_FIRST && !keys_has(&c->shared, (uint64_t)key);
}

void census_put_id(struct tally *t, int64_t key, int64_t lsn)
{
    tally_begin(t, "event_ids");
    tally_int(t, key);
    tally_int(t, lsn);
    tally_end(t, 1);
}

// Only what came before counts; *ret_there: the row itself is in the index.
static void keep_earlier(struct ids_carriers *carriers, int64_t lsn, bool *ret_there)
{
    size_t kept = 0;
    *ret_there = carriers->gone;
    for (size_t i = 0; i < carriers->count; i++) {
        *ret_there = *ret_there || carriers->lsns[i] == lsn;
        if (carriers->lsns[i] < lsn)
            carriers->lsns[kept++] = carriers->lsns[i];
    }
    carriers->count = kept;
}

enum err_code census_id(struct ids *ids, const struct uuid *id, int64_t lsn, struct arena *a,
                        struct ids_carriers *ret, struct err *e)
{
    struct census *c = ids->census;
    int64_t key = ids_key(ids, id, 0);
    bool there = false;
    *ret = (struct ids_carriers){.count = 0};
    if (census_is_alone(c, key, lsn)) {
        census_put_id(&c->tally, key, lsn);
        return ERR_OK;
    }
    enum err_code code = ids_find(ids, id, a, ret, e);
    if (code)
        return code;
    keep_earlier(ret, lsn, &there);
    c->lacking = c->lacking || !there;
    c->looked_up += lsn <= c->ids_until; // beyond it the index need not have them
    return ERR_OK;
}

// ---- tickets -----------------------------------------------------------------------------------

bool census_ticket_is_alone(const struct census *c, struct str location, struct str id)
{
    return c->contested.count == 0 || !keys_has(&c->contested, ticket_key(c, location, id));
}

void census_ticket(struct census *c, const struct census_row *row, const struct effect_ticket *t)
{
    struct tally *to = &c->tally;
    tally_begin(to, "tickets");
    tally_int(to, row->lsn);
    tally_text(to, row->event->location);
    tally_text(to, t->id);
    tally_blob(to, row->event->id.b, sizeof row->event->id.b);
    tally_text(to, str_of(ticket_kind_name(t->kind)));
    tally_text(to, t->number);
    tally_text_or_null(to, t->till);
    tally_text_or_null(to, t->customer);
    tally_text(to, t->currency);
    tally_int(to, t->places);
    tally_int(to, t->total);
    tally_int(to, t->at);
    tally_int(to, t->line_count);
    tally_text_or_null(to, t->shift);
    tally_end(to, row->sign);
}

void census_line(struct census *c, const struct census_row *row, const struct effect_line *line)
{
    struct tally *to = &c->tally;
    tally_begin(to, "ticket_lines");
    tally_int(to, row->lsn);
    tally_int(to, line->number);
    tally_text(to, line->sku);
    tally_text_or_null(to, line->name);
    tally_int(to, line->quantity);
    tally_int(to, line->unit_price);
    tally_int(to, line->amount);
    if (line->catalog > 0)
        tally_int(to, line->catalog);
    else
        tally_null(to);
    tally_end(to, row->sign);
}

void census_payment(struct census *c, const struct census_row *row,
                    const struct effect_payment *payment)
{
    struct tally *to = &c->tally;
    tally_begin(to, "ticket_payments");
    tally_int(to, row->lsn);
    tally_int(to, payment->number);
    tally_text(to, payment->method);
    tally_text(to, payment->currency);
    tally_int(to, payment->amount);
    tally_end(to, row->sign);
}

// ---- the rest ----------------------------------------------------------------------------------

void census_listed(struct tally *t, const struct record_name *record, int64_t lsn, int sign)
{
    tally_begin(t, "record_events");
    tally_text(t, record->location);
    tally_text(t, record->type);
    tally_text(t, record->id);
    tally_int(t, lsn);
    tally_end(t, sign);
}

void census_apart(struct tally *t, int64_t stream, int64_t seq, int64_t lsn)
{
    tally_begin(t, "events_apart");
    tally_int(t, stream);
    tally_int(t, seq);
    tally_int(t, lsn);
    tally_end(t, 1);
}
