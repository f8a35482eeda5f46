// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/tally.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 4096, KEYS_FIRST = 256 };

void tally_init(struct tally *t, const struct hash_key *key)
{
    *t = (struct tally){.key = *key};
}

void tally_fini(struct tally *t)
{
    free(t->row);
    t->row = NULL;
}

// ---- a row -------------------------------------------------------------------------------------

static unsigned char *grow(struct tally *t, size_t more)
{
    size_t room = t->room == 0 ? ROOM_FIRST : t->room;
    while (room - t->n < more && room <= SIZE_MAX / 4)
        room *= 2;
    unsigned char *wider = room - t->n < more ? NULL : realloc(t->row, room);
    t->failed = t->failed || wider == NULL;
    if (wider == NULL)
        return NULL;
    t->row = wider;
    t->room = room;
    return t->row + t->n;
}

static unsigned char *room_for(struct tally *t, size_t n)
{
    return t->room - t->n < n ? grow(t, n) : t->row + t->n;
}

// A value: of which kind, how many bytes, and those.
static void put(struct tally *t, char kind, const void *p, size_t n)
{
    uint32_t length = (uint32_t)n;
    size_t whole = n + 1 + sizeof length;
    t->failed = t->failed || n > UINT32_MAX;
    unsigned char *to = t->failed ? NULL : room_for(t, whole);
    if (to == NULL)
        return;
    *to++ = (unsigned char)kind;
    memcpy(to, &length, sizeof length);
    if (n > 0)
        memcpy(to + sizeof length, p, n);
    t->n += whole;
}

void tally_begin(struct tally *t, const char *table)
{
    t->n = 0;
    put(t, 'T', table, strlen(table));
}

void tally_int(struct tally *t, int64_t value)
{
    unsigned char *to = room_for(t, 1 + sizeof value);
    if (to == NULL)
        return;
    *to = 'i';
    memcpy(to + 1, &value, sizeof value);
    t->n += 1 + sizeof value;
}

void tally_text(struct tally *t, struct str value)
{
    put(t, 't', value.p, value.n);
}

void tally_text_or_null(struct tally *t, struct str value)
{
    if (value.n == 0)
        tally_null(t);
    else
        tally_text(t, value);
}

void tally_blob(struct tally *t, const void *p, size_t n)
{
    put(t, 'b', p, n);
}

void tally_null(struct tally *t)
{
    unsigned char *to = room_for(t, 1);
    if (to == NULL)
        return;
    *to = 'n';
    t->n++;
}

void tally_end(struct tally *t, int sign)
{
    unsigned __int128 h = hash_short(&t->key, str_make((const char *)t->row, t->n));
    t->sum += sign > 0 ? h : -h;
}

static void put_value(struct tally *t, enum column_kind kind, const struct value *v, bool key)
{
    if (v->null && key && kind == COLUMN_TEXT)
        tally_text(t, STR(""));
    else if (v->null)
        tally_null(t);
    else if (kind == COLUMN_TEXT)
        tally_text(t, v->text);
    else if (kind == COLUMN_UUID)
        tally_blob(t, v->uuid.b, sizeof v->uuid.b);
    else
        tally_int(t, v->number);
}

void tally_row(struct tally *t, struct str location, const struct row *row)
{
    int count = row_column_count(row->table);
    tally_begin(t, row->table->name);
    tally_text(t, location);
    for (int i = 0; i < count; i++)
        put_value(t, row->table->columns[i].kind, &row->values[i], i < row->table->key_count);
    tally_end(t, 1);
}

static void put_column(struct tally *t, sqlite3_stmt *statement, int i)
{
    int type = sqlite3_column_type(statement, i);
    if (type == SQLITE_INTEGER) {
        tally_int(t, sqlite3_column_int64(statement, i));
    } else if (type == SQLITE_NULL) {
        tally_null(t);
    } else { // of a float the text, which no row of ours has
        const void *p = sqlite3_column_blob(statement, i);
        put(t,
            type == SQLITE_TEXT   ? 't'
            : type == SQLITE_BLOB ? 'b'
                                  : 'f',
            p, (size_t)sqlite3_column_bytes(statement, i));
    }
}

void tally_statement(struct tally *t, const char *table, sqlite3_stmt *statement)
{
    int count = sqlite3_column_count(statement);
    tally_begin(t, table);
    for (int i = 0; i < count; i++)
        put_column(t, statement, i);
    tally_end(t, 1);
}

// ---- a set of keys -------------------------------------------------------------------------

static uint64_t *slot_of(uint64_t *slots, size_t capacity, uint64_t key)
{
    size_t at = (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (capacity - 1);
    while (slots[at] != 0 && slots[at] != key)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static enum err_code widen(struct keys *k)
{
    size_t capacity = k->capacity == 0 ? KEYS_FIRST : k->capacity * 2;
    uint64_t *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < k->capacity; i++) {
        if (k->slots[i] != 0)
            *slot_of(slots, capacity, k->slots[i]) = k->slots[i];
    }
    free(k->slots);
    k->slots = slots;
    k->capacity = capacity;
    return ERR_OK;
}

enum err_code keys_add(struct keys *k, uint64_t key)
{
    MUST(key != 0);
    if (k->count >= KEYS_MOST)
        k->all = true;
    if (k->all)
        return ERR_OK;
    if ((k->count + 1) * 2 > k->capacity && widen(k))
        return ERR_NO_MEMORY;
    uint64_t *slot = slot_of(k->slots, k->capacity, key);
    k->count += *slot == 0;
    *slot = key;
    return ERR_OK;
}

bool keys_has(const struct keys *k, uint64_t key)
{
    return k->all || (k->count > 0 && *slot_of(k->slots, k->capacity, key) == key);
}

void keys_fini(struct keys *k)
{
    free(k->slots);
    *k = (struct keys){.slots = NULL};
}
