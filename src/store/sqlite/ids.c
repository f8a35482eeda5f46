// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/ids.h"

#include <string.h>

enum { KEY_BITS = 55, COUNTER_BITS = 12, CARRIERS_FIRST = 4 };
#define KEY_MASK ((UINT64_C(1) << KEY_BITS) - 1)

static uint64_t read_be(const uint8_t *p, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | p[i];
    return value;
}

int64_t ids_key(const struct ids *ids, const struct uuid *id, int probe)
{
    if (probe == 0 && uuid_version(id) == 7) {
        uint64_t counter = read_be(id->b + 6, 2) & ((1u << COUNTER_BITS) - 1);
        uint64_t key = (read_be(id->b, 6) << COUNTER_BITS | counter) & KEY_MASK;
        return (int64_t)(key | UINT64_C(1) << KEY_BITS);
    }
    if (probe == 0)
        return (int64_t)(read_be(id->b, 8) >> (64 - KEY_BITS));
    uint8_t number[4] = {(uint8_t)(probe >> 24), (uint8_t)(probe >> 16), (uint8_t)(probe >> 8),
                         (uint8_t)probe};
    struct str parts[] = {str_make(ids->salt.b, sizeof ids->salt.b), str_make(id->b, sizeof id->b),
                          str_make(number, sizeof number)};
    struct hash h = hash_of_parts(parts, 3);
    return (int64_t)(read_be(h.b, 8) >> (64 - KEY_BITS));
}

static enum err_code try_add(struct ids *ids, int64_t key, int64_t lsn, bool *ret, struct err *e)
{
    struct query q;
    query_begin(&q, ids->table, Q_ID_ADD);
    query_int(&q, key);
    query_int(&q, lsn);
    enum err_code code = query_run(&q, e);
    *ret = code == ERR_OK && sqlite3_changes(ids->table->handle) == 1;
    return code;
}

static enum err_code find_key(struct ids *ids, int64_t key, int64_t *ret_lsn, struct err *e)
{
    struct query q;
    *ret_lsn = 0;
    query_begin(&q, ids->table, Q_ID_FIND);
    query_int(&q, key);
    if (query_row(&q))
        *ret_lsn = query_get_int(&q, 0);
    return query_end(&q, e);
}

static enum err_code keep(struct ids_carriers *to, int64_t lsn, struct arena *a)
{
    bool full =
        to->count == 0 || (to->count >= CARRIERS_FIRST && (to->count & (to->count - 1)) == 0);
    if (full) {
        size_t room = to->count == 0 ? CARRIERS_FIRST : to->count * 2;
        int64_t *wider = arena_alloc(a, room * sizeof *wider);
        if (wider == NULL)
            return ERR_NO_MEMORY;
        if (to->count > 0)
            memcpy(wider, to->lsns, to->count * sizeof *wider);
        to->lsns = wider;
    }
    to->lsns[to->count++] = lsn;
    return ERR_OK;
}

// The row that has the key: kept when it carries this very id.
static enum err_code look(struct ids *ids, const struct uuid *id, int64_t lsn, struct arena *a,
                          struct ids_carriers *to, struct err *e)
{
    struct query q;
    struct uuid other;
    query_begin(&q, ids->journal, Q_EVENT_ID_STATE);
    query_int(&q, lsn);
    bool same = query_row(&q) && query_get_uuid(&q, 0, &other) && uuid_equal(&other, id);
    enum err_code code = query_end(&q, e);
    if (code == ERR_OK && same && keep(to, lsn, a))
        code = err_set(e, ERR_NO_MEMORY, "out of memory for the carriers of an id");
    return code;
}

enum err_code ids_add(struct ids *ids, const struct uuid *id, int64_t lsn, struct arena *a,
                      struct ids_carriers *ret, struct err *e)
{
    *ret = (struct ids_carriers){.count = 0};
    for (int probe = 0; probe < IDS_PROBES; probe++) {
        bool added = false;
        int64_t taken_by = 0, key = ids_key(ids, id, probe);
        enum err_code code = try_add(ids, key, lsn, &added, e);
        if (code || added)
            return code;
        code = find_key(ids, key, &taken_by, e);
        if (code == ERR_OK)
            code = look(ids, id, taken_by, a, ret, e);
        if (code)
            return code;
    }
    return err_set(e, ERR_LIMIT, "one event id was carried more than %d times", IDS_PROBES);
}

enum err_code ids_find(struct ids *ids, const struct uuid *id, struct arena *a,
                       struct ids_carriers *ret, struct err *e)
{
    *ret = (struct ids_carriers){.count = 0};
    for (int probe = 0; probe < IDS_PROBES; probe++) {
        int64_t lsn = 0;
        enum err_code code = find_key(ids, ids_key(ids, id, probe), &lsn, e);
        if (code || lsn == 0)
            return code;
        code = look(ids, id, lsn, a, ret, e);
        if (code)
            return code;
    }
    return ERR_OK;
}
