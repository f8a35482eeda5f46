// SPDX-License-Identifier: Apache-2.0
#include "model/mutant.h"
#include "sync/uplink_private.h"

struct uplink_feed *uplink_find_feed(struct uplink *u, struct str location)
{
    for (size_t i = 0; i < UPLINK_FEEDS; i++) {
        if (str_is(location, u->feeds[i].location))
            return &u->feeds[i];
    }
    return NULL;
}

void uplink_set_feed(struct uplink *u, struct str location, const struct uuid *feed,
                     uint64_t position, const struct hash *hash)
{
    struct uplink_feed *f = uplink_find_feed(u, location);
    MUST(f != NULL);
    f->feed = *feed;
    f->stored = f->received = position;
    f->hash = *hash;
}

// More of a feed is on its way: what else the upstream says stands behind it. What waits for its
// time comes behind all else.
bool uplink_expects_pages(const struct uplink *u)
{
    for (size_t i = 0; i < FEED_THAT_WAITS; i++) {
        const struct uplink_feed *f = &u->feeds[i];
        if (f->more || f->received < f->head)
            return true;
    }
    return false;
}

// When the place's feed is to be asked for includes again; INT64_MAX: none is missing. A page that
// brings includes and no rows leaves no gap when it is lost.
int64_t uplink_includes_due(const struct uplink *u)
{
    int64_t due = INT64_MAX;
    // Includes come with the last page, or never, or are of no use yet.
    if (uplink_expects_pages(u) || u->outbox.unfed || uplink_is_offering(u))
        return due;
    for (size_t i = 0; i < u->outbox.count; i++) {
        const struct outbox_stream *s = &u->outbox.streams[i];
        if (s->lacks_since_ms && s->lacks_since_ms + INCLUDE_AFTER_MS < due)
            due = s->lacks_since_ms + INCLUDE_AFTER_MS;
    }
    return due;
}

void uplink_check_pulled(struct uplink *u, struct moment now)
{
    bool reached = true;
    for (size_t i = 0; i < FEED_THAT_WAITS; i++) {
        const struct uplink_feed *f = &u->feeds[i];
        bool deaf = now.mono_ms < f->deaf_until_ms; // waiting for what is not taken helps nobody
        bool there = uuid_equal(&f->feed, &f->head_feed) && f->received >= f->head;
        reached = reached && (deaf || there);
    }
    if (reached || u->pulled_bytes >= PULL_BYTES || now.mono_ms - u->since_ms >= PULL_MS)
        u->pulling = false;
}

static void answer_feed(struct uplink_feed *f, uint64_t position, bool resend, struct steps *out)
{
    struct message m = {.kind = MESSAGE_FEED_ACK};
    m.feed_ack =
        (struct message_feed_ack){str_of(f->location), f->feed, f->number, position, resend};
    steps_send(out, &m);
}

void uplink_ask_feed(struct uplink_feed *f, struct steps *out)
{
    answer_feed(f, f->received, true, out);
}

void uplink_on_feed(struct uplink *u, const struct message_feed *m, size_t bytes, struct moment now,
                    struct steps *out)
{
    struct uplink_feed *f = uplink_find_feed(u, m->location);
    if (!uplink_in(u, LIVE) || f == NULL || now.mono_ms < f->deaf_until_ms)
        return;
    if (uplink_is_offering(u) && f == &u->feeds[0])
        return; // it cannot say of each own stream what it includes: this session did not name all
    u->pulled_bytes += bytes;
    if (m->reset && !f->reset_seen && m->from == 0) {
        f->reset_seen = true;
        f->feed = m->feed;
        f->received = f->stored = 0;
    }
    if (m->number <= f->taken)
        return; // late or double: its rows are older than those taken since
    if (!uuid_equal(&m->feed, &f->feed) || m->from != f->received) {
        bool old = uuid_equal(&m->feed, &f->feed) && m->to <= f->received;
        answer_feed(f, old ? f->stored : f->received, !old, out);
        return;
    }
    f->received = m->to;
    f->taken = m->number;
    f->more = !m->complete;
    struct message_feed *copy = arena_alloc(&out->arena, sizeof(*copy));
    if (copy == NULL) {
        uplink_drop(u, now, out, "out of memory for a feed");
        return;
    }
    *copy = *m;
    u->storing++;
    steps_add(out, STEP_FEED)->feed = copy;
    uplink_deferred_page(u, m, now);
    uplink_check_pulled(u, now);
}

static void take_includes(struct uplink *u, const struct message_feed *m, struct moment now)
{
    for (size_t i = 0; i < m->include_count; i++) {
        struct outbox_stream *s = outbox_find(&u->outbox, &m->includes[i].key);
        if (s == NULL)
            continue;
        s->included = m->includes[i].seq;
        s->lacks_since_ms = s->included < s->settled ? now.mono_ms : 0;
    }
    outbox_compact(&u->outbox, &u->config.origin);
}

void uplink_feed_stored(struct uplink *u, const struct message_feed *page, struct moment now,
                        struct steps *out)
{
    take_includes(u, page, now);
    struct uplink_feed *f = uplink_find_feed(u, page->location);
    MUST(u->storing > 0);
    u->storing--;
    if (f && uuid_equal(&f->feed, &page->feed) && page->number > f->number) {
        f->stored = page->to;
        f->hash = page->hash;
        f->number = page->number;
        if (uplink_in(u, LIVE))
            answer_feed(f, f->stored, false, out);
    }
    uplink_say_hello(u, now, out);
    uplink_pump(u, now, out);
}

void uplink_feed_failed(struct uplink *u, const struct message_feed *page, struct moment now,
                        struct steps *out)
{
    struct uplink_feed *f = uplink_find_feed(u, page->location);
    MUST(u->storing > 0);
    u->storing--;
    if (f && uuid_equal(&f->feed, &page->feed)) {
        f->received = f->stored;
        f->deaf_until_ms = now.mono_ms + FEED_PAUSE_MS;
    }
    uplink_say_hello(u, now, out);
}

void uplink_feed_afresh(struct uplink *u, struct str location, struct moment now, struct steps *out)
{
    static const struct hash zero;
    static const struct uuid none = {.b = {0}};
    struct uplink_feed *f = uplink_find_feed(u, location);
    if (f == NULL || MUTANT(afresh_forgotten))
        return;
    uplink_set_feed(u, location, &none, 0, &zero);
    if (!uplink_in(u, IDLE))
        uplink_drop(u, now, out, "the catalog is not what it should be: it is asked for again");
}

void uplink_ask_includes(struct uplink *u, struct moment now, struct steps *out)
{
    if (now.mono_ms < uplink_includes_due(u))
        return;
    for (size_t i = 0; i < u->outbox.count; i++) {
        struct outbox_stream *s = &u->outbox.streams[i];
        if (s->lacks_since_ms)
            s->lacks_since_ms = now.mono_ms;
    }
    uplink_ask_feed(&u->feeds[FEED_OF_PLACE], out);
}
