// SPDX-License-Identifier: Apache-2.0
#include "sync/downlink.h"

#include "model/mutant.h"

#include <stdlib.h>
#include <string.h>

// The life of a session, server end:
//
//   OPEN --opened--> CHALLENGED --hello--> IDENTIFYING --known--> LIVE
//                        |                      |                   |
//                        +---- shut ------------+------ shut -------+--> SHUT
//
//   downlink_opened: -> CHALLENGED.  on_hello: -> IDENTIFYING.  downlink_identified: -> LIVE.
//   refuse, shut: -> SHUT, after which every input is ignored.
enum state { OPEN, CHALLENGED, IDENTIFYING, LIVE, SHUT };
enum input { IN_OPENED, IN_HELLO, IN_KNOWN, IN_SHUT };

static const char *const state_names[] = {"open", "challenged", "identifying", "live", "shut"};
static const char *const input_names[] = {"opened", "hello", "known", "shut"};
static const struct sm_row rows[] = {
    {OPEN, IN_OPENED, CHALLENGED, "the server speaks first"},
    {CHALLENGED, IN_HELLO, IDENTIFYING, "look the device up"},
    {IDENTIFYING, IN_KNOWN, LIVE, "it proved its key"},
    {OPEN, IN_SHUT, SHUT, "never came up"},
    {CHALLENGED, IN_SHUT, SHUT, "silent or malformed"},
    {IDENTIFYING, IN_SHUT, SHUT, "refused"},
    {LIVE, IN_SHUT, SHUT, "ended"},
    {SHUT, IN_SHUT, SHUT, "already over"},
};
static const struct sm_table table = {"downlink", rows, sizeof(rows) / sizeof(rows[0]), state_names,
                                      input_names};

static bool in(const struct downlink *d, enum state state)
{
    return d->state.state == (int)state;
}

bool downlink_is_live(const struct downlink *d)
{
    return in(d, LIVE);
}

void downlink_init(struct downlink *d, const struct downlink_config *config)
{
    *d = (struct downlink){.config = *config};
    if (d->config.window_bytes < LIMIT_EVENT_BYTES + 1)
        d->config.window_bytes = LIMIT_EVENT_BYTES + 1;
    sm_init(&d->state, &table, OPEN);
}

void downlink_fini(struct downlink *d)
{
    free(d->streams);
    d->streams = NULL;
}

static void shut(struct downlink *d, enum err_code code, const char *text, bool final,
                 struct steps *out)
{
    struct message m = {.kind = MESSAGE_ERROR};
    m.error = (struct message_error){str_of(err_name(code)), str_of(text), final};
    steps_send(out, &m);
    steps_close(out, "%s", text);
    sm_move(&d->state, IN_SHUT);
}

void downlink_opened(struct downlink *d, const uint8_t nonce[CHALLENGE_SIZE], int64_t mono_ms,
                     int64_t wall_ms, struct steps *out)
{
    sm_move(&d->state, IN_OPENED);
    d->opened_ms = d->heard_ms = mono_ms;
    memcpy(d->nonce, nonce, CHALLENGE_SIZE);
    struct message m = {.kind = MESSAGE_CHALLENGE};
    m.challenge.clock = wall_ms;
    m.challenge.zstd = d->config.zstd;
    memcpy(m.challenge.nonce, nonce, CHALLENGE_SIZE);
    steps_send(out, &m);
}

// ---- streams and credit ----------------------------------------------------------------------

static struct downlink_stream *find_stream(struct downlink *d, const struct stream_key *key)
{
    for (size_t i = d->stream_count; i > 0; i--) {
        if (stream_key_equal(&d->streams[i - 1].key, key))
            return &d->streams[i - 1];
    }
    return NULL;
}

static struct downlink_stream *find_or_add_stream(struct downlink *d, const struct stream_key *key)
{
    struct downlink_stream *s = find_stream(d, key);
    if (s)
        return s;
    if (d->streams == NULL || d->stream_count == d->stream_capacity) {
        size_t capacity = d->stream_capacity ? d->stream_capacity * 2 : 2;
        if (capacity > 4 * LIMIT_STREAMS_HELLO)
            return NULL;
        struct downlink_stream *streams = realloc(d->streams, capacity * sizeof(*streams));
        if (streams == NULL)
            return NULL;
        d->streams = streams;
        d->stream_capacity = capacity;
    }
    d->streams[d->stream_count] = (struct downlink_stream){.key = *key};
    return &d->streams[d->stream_count++];
}

static struct credit credit_of(const struct downlink *d)
{
    return (struct credit){d->received.events + d->config.window_events,
                           d->received.bytes + d->config.window_bytes};
}

static void send_ack(struct downlink *d, uint64_t probe, struct message_mark *marks, size_t count,
                     struct steps *out)
{
    struct message m = {.kind = MESSAGE_ACK};
    m.ack = (struct message_ack){probe, d->received, credit_of(d), marks, count};
    steps_send(out, &m);
}

static void answer_probe(struct downlink *d, struct steps *out)
{
    if (d->probe == 0 || d->storing)
        return;
    uint64_t probe = d->probe;
    d->probe = 0;
    send_ack(d, probe, NULL, 0, out);
}

// ---- feed ------------------------------------------------------------------------------------

static bool includes_due(const struct downlink *d)
{
    for (size_t i = 0; i < d->stream_count; i++) {
        if (d->streams[i].owed || d->streams[i].include_sent < d->streams[i].held)
            return true;
    }
    return false;
}

static void read_feed(struct downlink *d, struct downlink_feed *f, bool with_includes,
                      struct steps *out)
{
    bool more = f->sent < f->head || f->reset || (with_includes && includes_due(d));
    if (f->waits)
        more = f->asked && f->unacked_bytes == 0 && f->pages_acked == f->pages;
    if (f->reading || !more || f->unacked_bytes >= DOWNLINK_FEED_WINDOW)
        return;
    struct step *step = steps_add(out, STEP_READ_FEED);
    step->location = str_of(f->location);
    step->after = f->sent;
    step->max_bytes = f->waits ? DOWNLINK_DEFERRED_PAGE : DOWNLINK_FEED_PAGE;
    f->reading = true;
}

static bool is_busy(const struct downlink_feed *f)
{
    return f->reading || f->sent < f->head || f->pages_acked < f->pages;
}

// What was asked for and may wait, unless something waits that may not.
static void pump_waiting(struct downlink *d, struct steps *out)
{
    bool busy = !in(d, LIVE);
    for (size_t i = 0; !busy && i < d->feed_count; i++) {
        struct downlink_feed *f = &d->feeds[i];
        if (f->waits)
            read_feed(d, f, false, out);
        else
            busy = is_busy(f);
    }
}

static void pump_feeds(struct downlink *d, struct steps *out)
{
    for (size_t i = 0; in(d, LIVE) && i < d->feed_count; i++) {
        if (!d->feeds[i].waits)
            read_feed(d, &d->feeds[i], i == 0, out);
    }
    pump_waiting(d, out);
}

static struct downlink_feed *find_feed(struct downlink *d, struct str location)
{
    for (size_t i = 0; i < d->feed_count; i++) {
        if (str_is(location, d->feeds[i].location))
            return &d->feeds[i];
    }
    return NULL;
}

void downlink_feed_moved(struct downlink *d, struct str location, uint64_t head, int64_t mono_ms,
                         struct steps *out)
{
    (void)mono_ms;
    struct downlink_feed *f = in(d, LIVE) ? find_feed(d, location) : NULL;
    if (f == NULL)
        return;
    if (head > f->head)
        f->head = head;
    pump_feeds(d, out);
}

static bool add_include(struct downlink_stream *s, uint64_t seq, struct message_feed *m)
{
    if (m->include_count == MESSAGE_MAX_INCLUDES)
        return false;
    m->includes[m->include_count++] = (struct message_include){s->key, seq};
    s->include_sent = seq;
    s->owed = false;
    if (s->held < seq)
        s->held = seq;
    return true;
}

// Includes travel with pages that end at the head: the rows they speak of are then all out. False:
// there are more, and the page does not complete the copy.
static bool add_includes(struct downlink *d, const struct downlink_page *page,
                         struct message_feed *m)
{
    bool all = true;
    for (size_t i = 0; all && i < page->include_count; i++) {
        const struct message_include *include = &page->includes[i];
        struct downlink_stream *s = find_or_add_stream(d, &include->key);
        if (s && (s->owed || include->seq > s->include_sent))
            all = add_include(s, include->seq, m);
    }
    for (size_t i = 0; all && i < d->stream_count; i++) { // what the store knows nothing of
        if (d->streams[i].owed)
            all = add_include(&d->streams[i], 0, m);
    }
    return all;
}

static void write_page(struct downlink *d, const struct downlink_feed *f,
                       const struct downlink_page *page, struct message *to)
{
    to->kind = MESSAGE_FEED;
    to->feed = (struct message_feed){.location = page->location,
                                     .feed = f->feed,
                                     .number = f->pages + 1,
                                     .from = f->sent,
                                     .to = page->to,
                                     .hash = page->hash,
                                     .reset = f->reset,
                                     .complete = page->reached_head,
                                     .rows = page->rows,
                                     .count = page->count};
    if (f == &d->feeds[0] && page->reached_head) // of the place's rows, not the chain's
        to->feed.complete = add_includes(d, page, &to->feed);
}

static void note_page(struct downlink_feed *f, const struct message_feed *page, int64_t mono_ms)
{
    for (size_t i = 0; i < page->count; i++)
        f->unacked_bytes += page->rows[i].n;
    f->pages++;
    f->sent = page->to;
    f->progress_ms = mono_ms;
    if (f->reset && f->fresh == 0)
        f->fresh = f->pages;
    f->reset = false;
    f->partial = !page->complete;
    f->asked = f->asked && !page->complete;
    if (f->head < page->to) // the news of it may still come; the device will have so much
        f->head = page->to;
}

void downlink_feed_page(struct downlink *d, const struct downlink_page *page, int64_t mono_ms,
                        struct steps *out)
{
    struct downlink_feed *f = in(d, LIVE) ? find_feed(d, page->location) : NULL;
    if (f == NULL)
        return;
    f->reading = false;
    if (page->failed || page->after != f->sent) { // went back meanwhile: read again from there
        if (!page->failed)
            pump_feeds(d, out);
        return;
    }
    struct message *m = arena_alloc_zero(&out->arena, sizeof(*m));
    if (m == NULL) {
        out->failed = true;
        return;
    }
    write_page(d, f, page, m);
    bool says_nothing = page->count == 0 && !f->asked && m->feed.include_count == 0 && !f->reset &&
                        !(f->partial && m->feed.complete) && page->to == f->sent;
    if (says_nothing) {
        if (page->reached_head && f->head > page->to)
            f->head = page->to;
        pump_waiting(d, out);
        return;
    }
    steps_send(out, m);
    note_page(f, &m->feed, mono_ms);
    pump_feeds(d, out);
}

static void go_back(struct downlink *d, struct downlink_feed *f, uint64_t position)
{
    f->sent = position;
    f->unacked_bytes = 0;
    f->pages_acked = f->pages;
    f->partial = true;
    f->asked = f->waits;
    if (position == 0)
        f->reset = true;
    bool with_includes = f == &d->feeds[0]; // they may have been lost with their page
    for (size_t i = 0; with_includes && i < d->stream_count; i++)
        d->streams[i].owed = true;
}

static void on_feed_ack(struct downlink *d, const struct message_feed_ack *m, int64_t mono_ms,
                        struct steps *out)
{
    struct downlink_feed *f = find_feed(d, m->location);
    if (f == NULL || (!uuid_equal(&m->feed, &f->feed) && !m->resend))
        return;
    bool another_copy = !uuid_equal(&m->feed, &f->feed) || m->position > f->head;
    if (!another_copy && f->fresh && m->number >= f->fresh && m->number <= f->pages)
        f->fresh_there = true;
    // It asks from where it stood before: it does not know that a fresh copy has begun.
    bool missed_it = m->resend && f->fresh && !f->fresh_there;
    if (another_copy || missed_it) { // than the one we send: afresh
        go_back(d, f, 0);
    } else if (m->resend && m->position <= f->sent) {
        go_back(d, f, m->position);
    } else if (m->resend && f->waits) { // its copy is not one that can go on: afresh
        go_back(d, f, f->sent);
    } else if (m->position >= f->acked && m->position <= f->sent) {
        f->acked = m->position;
        if (m->number <= f->pages && m->number > f->pages_acked) {
            f->pages_acked = m->number;
            f->progress_ms = mono_ms;
        }
        if (f->pages_acked == f->pages)
            f->unacked_bytes = 0;
    }
    pump_feeds(d, out);
}

// ---- hello -----------------------------------------------------------------------------------

static void on_hello(struct downlink *d, const struct message_hello *m, struct steps *out)
{
    if (!in(d, CHALLENGED)) {
        shut(d, ERR_PROTOCOL, "a second hello in one session", false, out);
        return;
    }
    if (!uuid_equal(&m->chain, &d->config.chain)) {
        shut(d, ERR_DENIED, "this is another chain", true, out);
        return;
    }
    d->run = m->run;
    d->proof = m->proof;
    d->sender.chain = m->chain;
    d->sender.device = m->device;
    d->peer_zstd = m->zstd && d->config.zstd;
    if (str_copy(d->location, sizeof(d->location), m->location) != ERR_OK) {
        shut(d, ERR_LIMIT, "the location's name is too long", true, out);
        return;
    }
    sm_move(&d->state, IN_HELLO);
    steps_add(out, STEP_IDENTIFY)->hello = m;
}

static void set_feed(struct downlink_feed *f, const struct message_cursor *head,
                     const struct message_cursor *cursor, bool knows)
{
    *f = (struct downlink_feed){.feed = head->feed, .head = head->position};
    MUST(str_copy(f->location, sizeof(f->location), head->location) == ERR_OK);
    f->sent = f->acked = knows ? cursor->position : 0;
    f->reset = !knows;
    f->partial = true;
    f->waits = str_is(head->location, FEED_DEFERRED);
}

static void welcome(struct downlink *d, const struct downlink_identity *identity, struct steps *out)
{
    struct message m = {.kind = MESSAGE_WELCOME};
    m.welcome = (struct message_welcome){.clock = identity->wall_ms,
                                         .credit = credit_of(d),
                                         .jitter_ms = identity->jitter_ms,
                                         .revoked = d->revoked,
                                         .recovery = identity->recovery,
                                         .feed_count = d->feed_count,
                                         .marks = identity->marks,
                                         .count = identity->count};
    for (size_t i = 0; i < m.welcome.feed_count; i++) {
        set_feed(&d->feeds[i], &identity->feeds[i], &identity->cursors[i], identity->knows[i]);
        m.welcome.feeds[i] = identity->feeds[i];
    }
    for (size_t i = 0; i < identity->count; i++) {
        struct downlink_stream *s = find_or_add_stream(d, &identity->marks[i].key);
        if (s) {
            s->held = identity->marks[i].held.seq;
            s->owed = true;
        }
    }
    steps_send(out, &m);
    pump_feeds(d, out);
}

void downlink_identified(struct downlink *d, const struct downlink_identity *identity,
                         struct steps *out)
{
    if (!in(d, IDENTIFYING))
        return;
    if (identity->refused) {
        shut(d, ERR_DENIED, identity->text, identity->final, out);
        return;
    }
    d->sender.key = identity->key;
    if (!stream_proof_verify(&d->proof, &d->config.chain, &d->sender.device, &d->run, d->nonce,
                             &identity->key)) {
        shut(d, ERR_UNAUTHENTICATED, "the proof does not fit the device's key", true, out);
        return;
    }
    if (!str_is(identity->location, d->location)) {
        shut(d, ERR_DENIED, "the device belongs to another location", true, out);
        return;
    }
    d->sender.location = str_of(d->location);
    d->revoked = identity->revoked;
    d->feed_count = d->revoked ? 0 : identity->recovering ? 1 : DOWNLINK_FEEDS;
    sm_move(&d->state, IN_KNOWN);
    welcome(d, identity, out);
}

// ---- push ------------------------------------------------------------------------------------

// What came in and was not worked off is bounded whatever a device does. Twice its credit is for
// messages that arrive doubled, one event more for the one that may overdraw.
static bool within_credit(struct downlink *d, const struct message_push *m)
{
    if (d->storing == 0)
        d->waiting = (struct credit){0};
    d->waiting.events += m->count;
    for (size_t i = 0; i < m->count; i++)
        d->waiting.bytes += m->events[i].n + 1;
    return d->waiting.events <= 2 * d->config.window_events &&
           d->waiting.bytes <= 2 * d->config.window_bytes + LIMIT_EVENT_BYTES;
}

static void on_push(struct downlink *d, const struct message_push *m, struct str text,
                    struct steps *out)
{
    if (!within_credit(d, m)) {
        shut(d, ERR_LIMIT, "the device pushed beyond its credit", false, out);
        return;
    }
    struct str copy = arena_copy(&out->arena, text);
    if (copy.p == NULL) {
        out->failed = true;
        return;
    }
    // Known from now on: its events may be folded, and a page read, before this push is answered.
    if (find_or_add_stream(d, &m->key) == NULL) {
        shut(d, ERR_LIMIT, "too many streams in one session", false, out);
        return;
    }
    struct step *step = steps_add(out, STEP_STORE);
    step->text = copy;
    step->key = m->key;
    d->storing++;
    if (MUTANT(ack_before_fsync)) {
        struct message_mark mark = {
            .key = m->key, .held = {m->from + m->count - 1, m->head}, .settled = 0};
        mark.settled = mark.held.seq;
        send_ack(d, 0, &mark, 1, out);
    }
}

void downlink_stored(struct downlink *d, const struct downlink_stored *stored, struct steps *out)
{
    if (d->storing)
        d->storing--;
    if (!in(d, LIVE))
        return;
    if (stored->denied) {
        shut(d, ERR_DENIED, stored->reason, false, out);
        return;
    }
    if (stored->failed) {
        struct message m = {.kind = MESSAGE_BUSY, .busy_ms = stored->retry_ms};
        steps_send(out, &m);
    }
    d->received.events += stored->events;
    d->received.bytes += stored->bytes;
    d->waiting.events -= stored->events < d->waiting.events ? stored->events : d->waiting.events;
    d->waiting.bytes -= stored->bytes < d->waiting.bytes ? stored->bytes : d->waiting.bytes;
    struct message_mark mark = stored->mark;
    struct downlink_stream *s = find_or_add_stream(d, &mark.key);
    if (s && s->held < mark.held.seq)
        s->held = mark.held.seq;
    send_ack(d, 0, &mark, stored->failed ? 0 : 1, out);
    answer_probe(d, out);
    pump_feeds(d, out);
}

void downlink_settled(struct downlink *d, const struct message_mark *mark, struct steps *out)
{
    if (!in(d, LIVE) || find_stream(d, &mark->key) == NULL)
        return;
    struct message_mark copy = *mark;
    send_ack(d, 0, &copy, 1, out);
    pump_feeds(d, out);
}

// ---- everything that comes in ----------------------------------------------------------------

static void on_beat(struct downlink *d, const struct message_beat *m, int64_t mono_ms,
                    struct steps *out)
{
    (void)mono_ms;
    struct message_beat *copy = arena_alloc(&out->arena, sizeof(*copy));
    if (copy) {
        *copy = *m;
        steps_add(out, STEP_REPORT)->beat = copy;
    }
    struct message answer = {.kind = MESSAGE_BEAT};
    answer.beat = (struct message_beat){.clock = m->clock, .software = m->software};
    (void)d;
    steps_send(out, &answer);
}

static void dispatch_live(struct downlink *d, const struct message *m, struct str text,
                          int64_t mono_ms, struct steps *out)
{
    switch (m->kind) {
    case MESSAGE_PUSH:
        on_push(d, &m->push, text, out);
        break;
    case MESSAGE_FEED_ACK:
        on_feed_ack(d, &m->feed_ack, mono_ms, out);
        break;
    case MESSAGE_PROBE:
        d->probe = m->probe;
        answer_probe(d, out);
        break;
    case MESSAGE_BEAT:
        on_beat(d, &m->beat, mono_ms, out);
        break;
    case MESSAGE_ERROR:
        steps_close(out, "the device closed: %.*s", STR_ARG(m->error.text));
        sm_move(&d->state, IN_SHUT);
        break;
    case MESSAGE_CHALLENGE:
    case MESSAGE_HELLO:
    case MESSAGE_WELCOME:
    case MESSAGE_ACK:
    case MESSAGE_FEED:
    case MESSAGE_BUSY:
    case MESSAGE_KIND_COUNT:
        shut(d, ERR_PROTOCOL, "not a message for a server", false, out);
        break;
    }
}

void downlink_message(struct downlink *d, struct str text, int64_t mono_ms, struct steps *out)
{
    if (in(d, SHUT) || in(d, OPEN))
        return;
    struct message *m = arena_alloc(&out->arena, sizeof(*m));
    struct err e = {0};
    enum err_code code = m ? message_decode(text, &out->arena, m, &e) : ERR_NO_MEMORY;
    if (code) {
        if (code == ERR_DAMAGED)
            steps_add(out, STEP_EVIDENCE)->text = text;
        shut(d, code, err_message(&e), false, out);
        return;
    }
    d->heard_ms = mono_ms;
    if (m->kind == MESSAGE_HELLO)
        on_hello(d, &m->hello, out);
    else if (in(d, LIVE))
        dispatch_live(d, m, text, mono_ms, out);
    else
        shut(d, ERR_PROTOCOL, "the first message must be a hello", false, out);
}

// A slow link is no lost page: sent again, its pages would pile up before it. The slowest link that
// is worth having passes so many bytes a ms (uplink's patience is the same).
enum { SLOW_BYTES_MS = 4 };

static void resend_feeds(struct downlink *d, int64_t mono_ms, struct steps *out)
{
    for (size_t i = 0; i < d->feed_count; i++) {
        struct downlink_feed *f = &d->feeds[i];
        int64_t patience = DOWNLINK_FEED_RESEND_MS + (int64_t)(f->unacked_bytes / SLOW_BYTES_MS);
        if (f->pages_acked == f->pages || mono_ms - f->progress_ms < patience)
            continue;
        f->progress_ms = mono_ms;
        go_back(d, f, f->acked);
    }
    pump_feeds(d, out);
}

void downlink_tick(struct downlink *d, int64_t mono_ms, struct steps *out)
{
    if (in(d, SHUT))
        return;
    if (!in(d, LIVE)) {
        if (mono_ms - d->opened_ms > DOWNLINK_HELLO_MS)
            shut(d, ERR_TIMEOUT, "no hello came", false, out);
        return;
    }
    if (mono_ms - d->heard_ms > DOWNLINK_SILENCE_MS) {
        shut(d, ERR_TIMEOUT, "the device has been silent", false, out);
        return;
    }
    resend_feeds(d, mono_ms, out);
}
