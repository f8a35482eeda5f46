// SPDX-License-Identifier: Apache-2.0
//
// What event_same_content compares, as one hash. Each value goes in as a letter, its length or
// count, and its bytes, so that no two different values give the same input; members of objects go
// in by their keys, since their order says nothing.
#include "model/event.h"

#include <stdlib.h>

struct member {
    struct str key;
    yyjson_val *value;
};

static void add(struct hash_state *h, char letter, uint64_t number, const void *p, size_t n)
{
    char head[9] = {letter};
    for (int i = 0; i < 8; i++)
        head[1 + i] = (char)(number >> (56 - 8 * i));
    hash_update(h, str_make(head, sizeof head));
    if (n > 0)
        hash_update(h, str_make(p, n));
}

static void add_text(struct hash_state *h, struct str text)
{
    add(h, 's', text.n, text.p, text.n);
}

static int by_key(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    return str_compare(x->key, y->key);
}

static enum err_code add_value(struct hash_state *h, yyjson_val *value, struct arena *arena);

// 'without': a member that is left out; NULL: none is.
static enum err_code add_members(struct hash_state *h, yyjson_val *object, const char *without,
                                 struct arena *arena)
{
    size_t i, all, n = 0;
    yyjson_val *key, *value;
    struct member *members = arena_alloc(arena, (yyjson_obj_size(object) + 1) * sizeof *members);
    enum err_code code = ERR_OK;
    if (members == NULL)
        return ERR_NO_MEMORY;
    yyjson_obj_foreach(object, i, all, key, value)
    {
        if (without == NULL || !yyjson_equals_str(key, without))
            members[n++] =
                (struct member){str_make(yyjson_get_str(key), yyjson_get_len(key)), value};
    }
    qsort(members, n, sizeof *members, by_key);
    add(h, 'o', n, NULL, 0);
    for (i = 0; code == ERR_OK && i < n; i++) {
        add_text(h, members[i].key);
        code = add_value(h, members[i].value, arena);
    }
    return code;
}

static enum err_code add_array(struct hash_state *h, yyjson_val *array, struct arena *arena)
{
    size_t i, n;
    yyjson_val *value;
    enum err_code code = ERR_OK;
    add(h, 'a', yyjson_arr_size(array), NULL, 0);
    yyjson_arr_foreach(array, i, n, value)
    {
        if (code == ERR_OK)
            code = add_value(h, value, arena);
    }
    return code;
}

static enum err_code add_value(struct hash_state *h, yyjson_val *value,
                               struct arena *arena) // recursion ends with the event's depth
{
    uint64_t number = yyjson_is_num(value) ? value->uni.u64 : 0;
    if (yyjson_is_obj(value))
        return add_members(h, value, NULL, arena);
    if (yyjson_is_arr(value))
        return add_array(h, value, arena);
    if (yyjson_is_str(value))
        add_text(h, str_make(yyjson_get_str(value), yyjson_get_len(value)));
    else if (yyjson_is_real(value))
        add(h, 'd', number, NULL, 0);
    else if (yyjson_is_sint(value))
        add(h, 'i', number, NULL, 0);
    else if (yyjson_is_num(value))
        add(h, 'u', number, NULL, 0);
    else
        add(h, yyjson_is_null(value) ? 'n' : yyjson_is_true(value) ? 't' : 'f', 0, NULL, 0);
    return ERR_OK;
}

enum err_code event_content(const struct event *event, struct arena *arena, struct hash *ret)
{
    static const struct uuid none;
    struct hash_state h;
    hash_begin(&h);
    add(&h, 'e', 0, event->id.b, sizeof event->id.b);
    add_text(&h, event->location);
    add_text(&h, event->type_name);
    add_text(&h, event->record_type);
    add_text(&h, event->record_id);
    add(&h, 'c', (uint64_t)event->at, event->cause.b, sizeof event->cause.b);
    add_text(&h, event->actor);
    add(&h, 'g', 0, none.b, sizeof none.b); // a grant is not content
    const char *without = event_is_stamped(event) ? EVENT_STAMP : NULL;
    enum err_code code = yyjson_is_obj(event->body) ? add_members(&h, event->body, without, arena)
                                                    : add_value(&h, event->body, arena);
    *ret = hash_end(&h);
    return code;
}
