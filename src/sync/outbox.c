// SPDX-License-Identifier: Apache-2.0
#include "sync/outbox.h"

#include "model/mutant.h"

#include <stdlib.h>

void outbox_fini(struct outbox *o)
{
    free(o->streams);
    *o = (struct outbox){0};
}

struct outbox_stream *outbox_find(const struct outbox *o, const struct stream_key *key)
{
    for (size_t i = o->count; i > 0; i--) { // the newest is the likeliest
        if (stream_key_equal(&o->streams[i - 1].key, key))
            return &o->streams[i - 1];
    }
    return NULL;
}

static enum err_code add_stream(struct outbox *o, const struct outbox_head *head)
{
    if (o->count == LIMIT_STREAMS_HELLO) {
        o->overflowed = true;
        return ERR_LIMIT;
    }
    if (o->streams == NULL || o->count == o->capacity) {
        size_t capacity = o->capacity ? o->capacity * 2 : 4;
        struct outbox_stream *streams = realloc(o->streams, capacity * sizeof(*streams));
        if (streams == NULL)
            return ERR_NO_MEMORY;
        o->streams = streams;
        o->capacity = capacity;
    }
    o->streams[o->count++] = (struct outbox_stream){
        .key = head->key, .certificate = head->certificate, .carried = head->carried};
    return ERR_OK;
}

enum err_code outbox_committed(struct outbox *o, const struct outbox_head *head)
{
    struct outbox_stream *s = outbox_find(o, &head->key);
    if (s == NULL) {
        enum err_code code = add_stream(o, head);
        if (code)
            return code;
        s = &o->streams[o->count - 1];
    }
    if (head->head.seq > s->head.seq)
        s->head = head->head;
    return ERR_OK;
}

// A stream as the journal has it, unless it is there already.
static enum err_code take_stream(struct outbox *o, const struct outbox_stream *from)
{
    bool known = outbox_find(o, &from->key) != NULL;
    struct outbox_head head = {from->key, from->certificate, from->head, from->carried};
    enum err_code code = outbox_committed(o, &head);
    if (code || known)
        return code;
    struct outbox_stream *s = outbox_find(o, &from->key);
    MUST(s != NULL);
    s->held = s->sent = from->held;
    s->settled = from->settled;
    s->claimed = from->claimed;
    s->included = from->included;
    return ERR_OK;
}

void outbox_refill(struct outbox *o, const struct outbox_stream *streams, size_t count,
                   bool overflowed)
{
    o->overflowed = overflowed;
    for (size_t i = 0; i < count; i++)
        (void)!take_stream(o, &streams[i]);
}

enum err_code outbox_offer(struct outbox *o, const struct outbox_stream *streams, size_t count)
{
    if (o->count + count > LIMIT_STREAMS_HELLO)
        return ERR_LIMIT;
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        code = take_stream(o, &streams[i]);
        if (code == ERR_OK)
            outbox_find(o, &streams[i].key)->offered = true;
    }
    return code;
}

bool outbox_has_room(const struct outbox *o)
{
    return o->count <= LIMIT_STREAMS_HELLO / 2;
}

bool outbox_wants_refill(const struct outbox *o)
{
    return o->overflowed && outbox_has_room(o);
}

void outbox_session_begin(struct outbox *o)
{
    for (size_t i = 0; i < o->count; i++) {
        struct outbox_stream *s = &o->streams[i];
        s->sent = (struct mark){0};
        s->checked = false;
        s->resending = s->unreadable = false;
        s->lacks_since_ms = 0;
        s->backlog = s->head.seq;
    }
}

enum outbox_news outbox_told(struct outbox_stream *s, const struct message_mark *mark,
                             int64_t now_ms)
{
    struct mark held = mark->held;
    uint64_t settled = mark->settled;
    if (held.seq >= s->head.seq && held.seq > 0 && held.seq != s->head.seq) {
        held = s->head; // it knows more of this stream than we do: we were restored from a backup
        settled = settled < held.seq ? settled : held.seq;
    }
    enum outbox_news news = OUTBOX_SAME;
    if (held.seq < s->held.seq || settled < s->settled)
        news = OUTBOX_DOWN;
    else if (held.seq > s->held.seq || settled > s->settled)
        news = OUTBOX_UP;
    s->held = held;
    s->settled = s->claimed = settled;
    if (settled >= held.seq)
        s->held_since_ms = 0;
    else if (s->held_since_ms == 0 || news == OUTBOX_UP)
        s->held_since_ms = now_ms;
    if (s->resending && s->sent.seq < settled) // settled meanwhile, and perhaps pruned
        s->sent = settled == held.seq ? held : (struct mark){.seq = settled};
    if (s->sent.seq >= held.seq || news == OUTBOX_DOWN)
        s->resending = false;
    if ((s->sent.seq < held.seq && !s->resending) || news == OUTBOX_DOWN)
        s->sent = held;
    return news;
}

void outbox_rewind(struct outbox_stream *s)
{
    s->sent = s->held;
    s->resending = false;
}

static bool better(const struct outbox_stream *a, const struct outbox_stream *b)
{
    if (b == NULL || a->key.lane != b->key.lane)
        return b == NULL || a->key.lane < b->key.lane;
    if (a->carried != b->carried)
        return b->carried;
    return a->carried && a->turn < b->turn;
}

struct outbox_stream *outbox_next(struct outbox *o, bool hold_backlog)
{
    struct outbox_stream *best = NULL;
    for (size_t i = 0; i < o->count; i++) {
        struct outbox_stream *s = &o->streams[i];
        bool has_more = s->sent.seq < s->head.seq && !s->forked && !s->unreadable;
        if (hold_backlog && s->sent.seq < s->backlog)
            has_more = false;
        if (o->deferred_waits && s->key.lane == LANE_DEFERRED)
            has_more = false;
        if (has_more && better(s, best))
            best = s;
    }
    return best;
}

void outbox_had_turn(struct outbox *o, struct outbox_stream *s)
{
    s->turn = ++o->turns;
}

size_t outbox_resend_unsettled(struct outbox *o, int64_t now_ms, int64_t timeout_ms)
{
    size_t count = 0;
    for (size_t i = 0; i < o->count; i++) {
        struct outbox_stream *s = &o->streams[i];
        if (s->held_since_ms == 0 || now_ms - s->held_since_ms < timeout_ms)
            continue;
        s->sent = (struct mark){.seq = s->settled};
        s->checked = false; // the hash there is read again with the events
        s->resending = true;
        s->held_since_ms = now_ms;
        count++;
    }
    return count;
}

void outbox_reread(struct outbox *o)
{
    for (size_t i = 0; i < o->count; i++)
        o->streams[i].unreadable = false;
}

uint64_t outbox_prunable(const struct outbox_stream *s, uint64_t included)
{
    if (MUTANT(prune_at_held))
        return s->held.seq;
    return s->settled < included ? s->settled : included;
}

void outbox_compact(struct outbox *o, const struct uuid *keep)
{
    size_t kept = 0;
    for (size_t i = 0; i < o->count; i++) {
        struct outbox_stream *s = &o->streams[i];
        bool done = s->settled >= s->head.seq && (o->unfed || s->included >= s->head.seq) &&
                    !s->offered && !uuid_equal(&s->key.origin, keep);
        if (!done)
            o->streams[kept++] = *s;
    }
    o->count = kept;
}

struct outbox_totals outbox_count(const struct outbox *o)
{
    struct outbox_totals totals = {0};
    for (size_t i = 0; i < o->count; i++) {
        const struct outbox_stream *s = &o->streams[i];
        if (s->head.seq > s->held.seq)
            totals.pending[s->key.lane] += s->head.seq - s->held.seq;
        if (s->head.seq > s->settled)
            totals.unsettled[s->key.lane] += s->head.seq - s->settled;
    }
    return totals;
}
