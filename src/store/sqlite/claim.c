// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/claim.h"

#include <string.h>

enum { RANK_SIZE = 8 + 16 + 1 + 8 };

static void put_be(uint8_t *to, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(value >> (56 - 8 * i));
}

// The total order as bytes that compare like event_order_compare.
static void rank_of(const struct event *event, uint8_t to[RANK_SIZE])
{
    put_be(to, event->hlc);
    memcpy(to + 8, event->origin.b, 16);
    to[24] = (uint8_t)event->lane;
    put_be(to + 25, event->seq);
}

static void device_claim(struct claim *c, enum claim_kind kind, const struct uuid *id)
{
    c->kind = kind;
    c->device = *id;
    uuid_format(id, c->text);
    c->record = str_of(c->text);
}

void claim_of(const struct event *event, const struct effect_list *list, struct claim *ret)
{
    *ret = (struct claim){.kind = CLAIM_NONE, .rule = OWNER_ALL, .location = STR("")};
    if (list->count == 0)
        return;
    const struct effect *first = &list->items[0];
    ret->rule = effect_owner_rule(first->kind);
    if (first->kind == EFFECT_TICKET) {
        ret->kind = CLAIM_TICKET;
        ret->location = event->location;
        ret->record = first->ticket.id;
    } else if (first->kind == EFFECT_LOCATION) {
        ret->kind = CLAIM_LOCATION;
        ret->record = first->location.id;
    } else if (first->kind == EFFECT_DEVICE) {
        device_claim(ret, CLAIM_DEVICE, &first->device.id);
    } else if (first->kind == EFFECT_REVOKE) {
        device_claim(ret, CLAIM_REVOKE, &first->revoked.device);
    }
}

enum err_code claim_add(struct db *db, const struct claim *claim, const struct event *event,
                        int64_t lsn, struct err *e)
{
    struct query q;
    uint8_t rank[RANK_SIZE];
    rank_of(event, rank);
    query_begin(&q, db, Q_CLAIM_ADD);
    query_int(&q, claim->kind);
    query_text(&q, claim->location);
    query_text(&q, claim->record);
    query_blob(&q, rank, sizeof rank);
    query_int(&q, lsn);
    return query_run(&q, e);
}

enum err_code claim_drop(struct db *db, const struct claim *claim, const struct event *event,
                         bool *ret_there, struct err *e)
{
    struct query q;
    uint8_t rank[RANK_SIZE];
    rank_of(event, rank);
    query_begin(&q, db, Q_CLAIM_DROP);
    query_int(&q, claim->kind);
    query_text(&q, claim->location);
    query_text(&q, claim->record);
    query_blob(&q, rank, sizeof rank);
    enum err_code code = query_run(&q, e);
    *ret_there = code == ERR_OK && sqlite3_changes(db->handle) > 0;
    return code;
}

enum err_code claim_next(struct db *db, const struct claim *claim, int64_t *ret_lsn, struct err *e)
{
    struct query q;
    *ret_lsn = 0;
    query_begin(&q, db, claim->rule == OWNER_FIRST ? Q_CLAIM_FIRST : Q_CLAIM_LAST);
    query_int(&q, claim->kind);
    query_text(&q, claim->location);
    query_text(&q, claim->record);
    if (query_row(&q))
        *ret_lsn = query_get_int(&q, 0);
    return query_end(&q, e);
}

enum err_code claim_holder(struct db *db, const struct claim *claim, int64_t *ret_lsn,
                           struct err *e)
{
    struct query q;
    int column = 0;
    *ret_lsn = 0;
    if (claim->kind == CLAIM_TICKET) {
        query_begin(&q, db, Q_TICKET_HOLDER);
        query_text(&q, claim->location);
        query_text(&q, claim->record);
    } else if (claim->kind == CLAIM_LOCATION) {
        query_begin(&q, db, Q_LOCATION_HOLDER);
        query_text(&q, claim->record);
    } else {
        query_begin(&q, db, Q_DEVICE_FIND);
        query_uuid(&q, &claim->device);
        column = 5;
    }
    if (query_row(&q))
        *ret_lsn = query_get_int(&q, column); // 0 for what a feed brought
    return query_end(&q, e);
}
