// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/past.h"

#include <string.h>

static int64_t read_be(const uint8_t bytes[8])
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

enum err_code past_of(const struct event *event, bool counts, struct arena *a,
                      struct past_event *ret, struct err *e)
{
    struct hash content;
    if (event_content(event, a, &content))
        return err_set(e, ERR_NO_MEMORY, "out of memory for an event");
    *ret = (struct past_event){event->id, read_be(content.b), counts};
    return ERR_OK;
}

struct hash past_chain(const struct hash *before, const struct past_event *event)
{
    char bytes[sizeof event->id.b + 8 + 1];
    memcpy(bytes, event->id.b, sizeof event->id.b);
    for (int i = 0; i < 8; i++)
        bytes[sizeof event->id.b + (size_t)i] = (char)((uint64_t)event->content >> (56 - 8 * i));
    bytes[sizeof bytes - 1] = event->counts ? 1 : 0;
    return hash_chain(before, str_make(bytes, sizeof bytes));
}

enum err_code past_find(struct db *db, int64_t lsn, struct past_event *ret, bool *ret_there,
                        struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_PAST_FIND);
    query_int(&q, lsn);
    *ret_there = query_row(&q) && query_get_uuid(&q, 0, &ret->id);
    if (*ret_there) {
        ret->content = query_get_int(&q, 1);
        ret->counts = query_get_int(&q, 2) != 0;
    }
    return query_end(&q, e);
}

enum err_code past_add(struct db *db, int64_t lsn, int64_t stream, const struct past_event *event,
                       struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_PAST_ADD);
    query_int(&q, lsn);
    query_int(&q, stream);
    query_uuid(&q, &event->id);
    query_int(&q, event->content);
    query_int(&q, event->counts);
    return query_run(&q, e);
}

void past_read_base(struct query *q, struct base *ret)
{
    ret->mark.seq = query_get_u64(q, 0);
    (void)query_get_hash(q, 1, &ret->mark.hash); // what was edited is found by the signature
    (void)query_get_hash(q, 2, &ret->past);
    struct str signature = query_get_text(q, 3);
    memset(&ret->signature, 0, sizeof ret->signature);
    if (signature.n == sizeof ret->signature.b)
        memcpy(ret->signature.b, signature.p, signature.n);
}

enum err_code past_base_find(struct db *db, int64_t stream, struct base *ret, struct err *e)
{
    struct query q;
    *ret = (struct base){.mark = {.seq = 0}};
    query_begin(&q, db, Q_BASE_FIND);
    query_int(&q, stream);
    if (query_row(&q))
        past_read_base(&q, ret);
    return query_end(&q, e);
}

enum err_code past_base_put(struct db *db, int64_t stream, const struct base *base, struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_BASE_PUT);
    query_int(&q, stream);
    query_u64(&q, base->mark.seq);
    query_hash(&q, &base->mark.hash);
    query_hash(&q, &base->past);
    query_blob(&q, base->signature.b, sizeof base->signature.b);
    return query_run(&q, e);
}
