// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/ids.h"

#include "store/sqlite/census.h"

#include <string.h>

enum { KEY_BITS = 55, COUNTER_BITS = 12, CARRIERS_FIRST = 4, ADD_AT_ONCE = 16 };
#define KEY_MASK ((UINT64_C(1) << KEY_BITS) - 1)
_Static_assert(IDS_KEY_FIRST == (INT64_C(1) << KEY_BITS) - 1, "one bit above the others");

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

// ---- late ids ----------------------------------------------------------------------------------

void ids_init(struct ids *ids, struct db *table, struct db *journal)
{
    *ids = (struct ids){.table = table, .journal = journal, .last = IDS_KEY_FIRST};
}

void ids_forget(struct ids *ids)
{
    ids->loaded = false;
    ids->late_count = 0;
}

// Where a late id with this key is, or would be.
static size_t place_of(const struct ids *ids, int64_t key)
{
    size_t from = 0, to = ids->late_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (ids->late[middle].key < key)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static const struct ids_late *find_late(const struct ids *ids, int64_t key)
{
    size_t at = place_of(ids, key);
    return at < ids->late_count && ids->late[at].key == key ? &ids->late[at] : NULL;
}

static enum err_code write_some(struct ids *ids, enum db_statement statement, size_t from,
                                size_t count, struct err *e)
{
    struct query q;
    query_begin(&q, ids->table, statement);
    for (size_t i = from; i < from + count; i++) {
        query_int(&q, ids->late[i].key);
        query_int(&q, ids->late[i].lsn);
    }
    return query_run(&q, e);
}

static enum err_code write_late(struct ids *ids, struct err *e)
{
    enum err_code code = ERR_OK;
    size_t at = 0;
    for (; ids->late_count - at >= ADD_AT_ONCE && code == ERR_OK; at += ADD_AT_ONCE)
        code = write_some(ids, Q_ID_ADD_MANY, at, ADD_AT_ONCE, e);
    for (; at < ids->late_count && code == ERR_OK; at++)
        code = write_some(ids, Q_ID_ADD, at, 1, e);
    if (code == ERR_OK)
        ids->late_count = 0;
    return code;
}

enum err_code ids_read_until(struct db *db, int64_t *ret, struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_IDS_UNTIL);
    *ret = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q, e);
}

// A row behind the mark whose first key is free was late when the process before this one ended, or
// the transaction that was rolled back began; any other was written at once.
static enum err_code load_row(struct ids *ids, int64_t lsn, const struct uuid *id, struct err *e)
{
    int64_t taken_by = 0, key = ids_key(ids, id, 0);
    enum err_code code = key > IDS_KEY_FIRST ? find_key(ids, key, &taken_by, e) : ERR_OK;
    if (code || key <= IDS_KEY_FIRST || taken_by != 0 || find_late(ids, key) != NULL)
        return code;
    if (ids->late_count == IDS_LATE_MAX)
        return err_set(e, ERR_DAMAGED, "the index of ids lacks more rows than it may");
    size_t at = place_of(ids, key);
    memmove(&ids->late[at + 1], &ids->late[at], (ids->late_count - at) * sizeof ids->late[0]);
    ids->late[at] = (struct ids_late){key, lsn};
    ids->late_count++;
    return ERR_OK;
}

static enum err_code load_behind(struct ids *ids, struct err *e)
{
    struct query q;
    struct uuid id;
    enum err_code code = ERR_OK;
    ids->late_count = 0;
    query_begin(&q, ids->journal, Q_IDS_BEHIND);
    query_int(&q, ids->until);
    while (code == ERR_OK && query_row(&q)) {
        if (query_get_uuid(&q, 1, &id))
            code = load_row(ids, query_get_int(&q, 0), &id, e);
    }
    enum err_code end = query_end(&q, code ? NULL : e);
    return code ? code : end;
}

static enum err_code load(struct ids *ids, struct err *e)
{
    struct query q;
    if (ids->loaded && !ids->shared)
        return ERR_OK;
    enum err_code code = ids_read_until(ids->table, &ids->until, e);
    if (code == ERR_OK)
        code = load_behind(ids, e);
    if (code)
        return code;
    ids->last = IDS_KEY_FIRST;
    query_begin(&q, ids->table, Q_ID_LAST);
    if (query_row(&q) && query_get_int(&q, 0) > ids->last)
        ids->last = query_get_int(&q, 0);
    if (ids->late_count > 0 && ids->late[ids->late_count - 1].key > ids->last)
        ids->last = ids->late[ids->late_count - 1].key;
    code = query_end(&q, e);
    ids->loaded = code == ERR_OK;
    return code;
}

// A row up to the mark would not be found again: it is written at once.
static bool may_be_late(const struct ids *ids, int64_t key, int64_t lsn)
{
    return key > ids->last && lsn > ids->until;
}

static enum err_code remember(struct ids *ids, int64_t key, int64_t lsn, struct err *e)
{
    enum err_code code = ids->late_count < IDS_LATE_MAX ? ERR_OK : write_late(ids, e);
    if (code)
        return code;
    ids->late[ids->late_count++] = (struct ids_late){key, lsn};
    ids->last = key;
    return ERR_OK;
}

enum err_code ids_flush(struct ids *ids, int64_t last_lsn, struct err *e)
{
    struct query q;
    enum err_code code = load(ids, e);
    if (code == ERR_OK)
        code = write_late(ids, e);
    if (code || ids->until == last_lsn)
        return code;
    query_begin(&q, ids->table, Q_IDS_UNTIL_SET);
    query_int(&q, last_lsn);
    code = query_run(&q, e);
    ids->until = last_lsn;
    return code;
}

enum err_code ids_settle(struct ids *ids, int64_t last_lsn, struct err *e)
{
    enum err_code code = load(ids, e);
    return code || last_lsn - ids->until < IDS_LATE ? code : ids_flush(ids, last_lsn, e);
}

// ---- carriers ----------------------------------------------------------------------------------

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

// The row that has the key was pruned.
static enum err_code look_back(struct ids *ids, const struct uuid *id, int64_t lsn,
                               struct ids_carriers *to, struct err *e)
{
    struct past_event past;
    bool there = false;
    enum err_code code = past_find(ids->journal, lsn, &past, &there, e);
    if (code || !there || !uuid_equal(&past.id, id))
        return code;
    if (!to->gone || past.counts)
        to->past = past;
    to->gone = true;
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
    bool there = query_row(&q);
    bool same = there && query_get_uuid(&q, 0, &other) && uuid_equal(&other, id);
    enum err_code code = query_end(&q, e);
    if (code == ERR_OK && !there)
        return look_back(ids, id, lsn, to, e);
    if (code == ERR_OK && same && keep(to, lsn, a))
        code = err_set(e, ERR_NO_MEMORY, "out of memory for the carriers of an id");
    return code;
}

enum err_code ids_add(struct ids *ids, const struct uuid *id, int64_t lsn, struct arena *a,
                      struct ids_carriers *ret, struct err *e)
{
    if (ids->census != NULL)
        return census_id(ids, id, lsn, a, ret, e);
    *ret = (struct ids_carriers){.count = 0};
    int64_t first = ids_key(ids, id, 0);
    enum err_code loaded = load(ids, e);
    if (loaded == ERR_OK && may_be_late(ids, first, lsn))
        return remember(ids, first, lsn, e);
    if (loaded == ERR_OK && find_late(ids, first) != NULL)
        loaded = write_late(ids, e);
    if (loaded)
        return loaded;
    for (int probe = 0; probe < IDS_PROBES; probe++) {
        bool added = false;
        int64_t taken_by = 0, key = probe == 0 ? first : ids_key(ids, id, probe);
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
    int64_t first = ids_key(ids, id, 0);
    enum err_code loaded = load(ids, e);
    const struct ids_late *late = loaded ? NULL : find_late(ids, first);
    if (late != NULL)
        return look(ids, id, late->lsn, a, ret, e);
    if (loaded || first > ids->last)
        return loaded;
    for (int probe = 0; probe < IDS_PROBES; probe++) {
        int64_t lsn = 0, key = probe == 0 ? first : ids_key(ids, id, probe);
        enum err_code code = find_key(ids, key, &lsn, e);
        if (code || lsn == 0)
            return code;
        code = look(ids, id, lsn, a, ret, e);
        if (code)
            return code;
    }
    return ERR_OK;
}
