// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/text.h"

#include <string.h>

enum { FIXED_MAX = 192, HEAD_MAX = FIXED_MAX + LIMIT_NAME };

struct head {
    char text[HEAD_MAX];
    size_t n; // 0: there is none
};

static void put(struct head *h, struct str piece)
{
    memcpy(h->text + h->n, piece.p, piece.n);
    h->n += piece.n;
}

static void put_uuid(struct head *h, const struct uuid *id)
{
    uuid_format(id, h->text + h->n);
    h->n += UUID_TEXT_SIZE - 1;
}

static void put_number(struct head *h, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    put(h, str_make(digits + at, sizeof digits - at));
}

// As event_write begins, version 1. Of a name that JSON writes in another way than this comes a
// head that no event has, and nothing is left out.
static void make_head(const struct text_place *place, struct head *h)
{
    h->n = 0;
    if (!place->known || place->location.n > LIMIT_NAME)
        return;
    put(h, STR("{\"v\":1,\"id\":\""));
    put_uuid(h, &place->id);
    put(h, STR("\",\"origin\":\""));
    put_uuid(h, &place->origin);
    put(h, STR("\",\"lane\":\""));
    put(h, str_of(lane_name(place->lane)));
    put(h, STR("\",\"seq\":"));
    put_number(h, place->seq);
    put(h, STR(",\"location\":\""));
    put(h, place->location);
    put(h, STR("\","));
}

static bool is_rest(struct str stored)
{
    return stored.n > 0 && stored.p[0] == '"';
}

struct str text_rest(const struct text_place *place, struct str bytes)
{
    struct head head;
    make_head(place, &head);
    if (head.n == 0 || !str_starts(bytes, str_make(head.text, head.n)))
        return bytes;
    struct str rest = str_make(bytes.p + head.n, bytes.n - head.n);
    return is_rest(rest) ? rest : bytes;
}

struct str text_whole(const struct text_place *place, struct str stored, struct arena *a)
{
    struct head head = {.n = 0};
    if (is_rest(stored))
        make_head(place, &head);
    char *to = stored.n >= SIZE_MAX - HEAD_MAX ? NULL : arena_alloc(a, head.n + stored.n + 1);
    if (to == NULL)
        return (struct str){NULL, 0};
    memcpy(to, head.text, head.n);
    if (stored.n > 0)
        memcpy(to + head.n, stored.p, stored.n);
    to[head.n + stored.n] = '\0';
    return str_make(to, head.n + stored.n);
}

struct str text_get(struct query *q, int first_column, struct arena *a)
{
    struct text_place place;
    bool has_id = query_get_uuid(q, first_column, &place.id);
    bool has_stream = query_get_uuid(q, first_column + 1, &place.origin);
    place.known = has_id && has_stream;
    place.lane = query_get_lane(q, first_column + 2);
    place.seq = query_get_u64(q, first_column + 3);
    place.location = query_get_text(q, first_column + 4);
    return text_whole(&place, query_get_text(q, first_column + 5), a);
}
