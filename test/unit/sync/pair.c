// SPDX-License-Identifier: Apache-2.0
#include "test/unit/sync/pair.h"

#include "model/mutant.h"
#include "sync/recovery.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 10, MEMORY = 512 << 20, CENTRE_FEED = 2, LATER_FEED = 3 };

// ---- the pipe --------------------------------------------------------------------------------

static enum message_kind kind_of(struct str text)
{
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        char opening[32];
        int n = snprintf(opening, sizeof opening, "{\"m\":\"%s\"",
                         message_kind_name((enum message_kind)kind));
        if (str_starts(text, str_make(opening, (size_t)n))) {
            return (enum message_kind)kind;
        }
    }
    return MESSAGE_KIND_COUNT;
}

static void note(struct pair *p, enum pair_way way, enum message_kind kind)
{
    size_t n = strlen(p->trace);
    (void)snprintf(p->trace + n, sizeof p->trace - n, "%s%c%s", n ? " " : "",
                   way == TO_SERVER ? '>' : '<', message_kind_name(kind));
}

static void put(struct pair *p, enum pair_way way, struct str text)
{
    struct pair_queue *q = &p->queues[way];
    enum message_kind kind = kind_of(text);
    note(p, way, kind);
    if (!p->linked || (p->lose && kind == p->lose_kind && p->lose-- > 0)) {
        return;
    }
    struct str copy = arena_copy(&p->arena, text);
    assert_non_null(copy.p);
    if (p->flip && kind == p->flip_kind && p->flip-- > 0) {
        union {
            const char *in;
            char *out;
        } at = {copy.p + copy.n / 2};
        *at.out = (char)(*at.out ^ 4);
    }
    int64_t start = p->free_ms[way] > p->now.mono_ms ? p->free_ms[way] : p->now.mono_ms;
    int64_t wire_ms = p->bytes_per_s ? (int64_t)text.n * 1000 / p->bytes_per_s : 0;
    p->free_ms[way] = start + wire_ms;
    assert_true(q->count < PAIR_QUEUE);
    q->items[(q->first + q->count++) % PAIR_QUEUE] =
        (struct pair_text){copy, p->free_ms[way] + p->delay_ms};
}

void pair_say(struct pair *p, enum pair_way way, const struct message *m)
{
    put(p, way, sample_text(m));
}

static void unlink_pair(struct pair *p)
{
    p->linked = false;
    for (int way = 0; way < 2; way++) {
        p->queues[way].first = p->queues[way].count = 0;
        p->free_ms[way] = 0;
    }
    downlink_fini(&p->down);
    memset(&p->down, 0, sizeof p->down);
    p->waiting_pushes = 0;
}

static void link_pair(struct pair *p)
{
    struct downlink_config config = {p->up.config.chain, p->window_events, p->window_bytes, false};
    p->linked = true;
    p->connects++;
    downlink_init(&p->down, &config);
    downlink_opened(&p->down, sample()->nonce, p->now.mono_ms, p->now.wall_ms, &p->down_steps);
    pair_down(p);
    uplink_connected(&p->up, p->now, &p->up_steps);
}

void pair_cut(struct pair *p)
{
    unlink_pair(p);
    uplink_disconnected(&p->up, p->now, &p->up_steps);
    pair_up(p);
}

// ---- the device ------------------------------------------------------------------------------

static size_t run_of(const struct pair *p, const struct stream_key *key)
{
    for (size_t i = 0; i < p->run_count; i++) {
        if (uuid_equal(&p->runs[i].origin, &key->origin)) {
            return i;
        }
    }
    fail_msg("no such run");
    return 0;
}

static void append(struct pair *p, struct pair_stream *s, struct str bytes)
{
    assert_true(s->count < PAIR_EVENTS);
    s->events[s->count] = arena_copy(&p->arena, bytes);
    s->chain[s->count + 1] = hash_chain(&s->chain[s->count], bytes);
    s->count++;
}

static void commit(struct pair *p, struct event *draft)
{
    struct run *run = &p->runs[p->run_count - 1];
    struct buf text;
    struct mark mark;
    struct err e = {0};
    buf_init(&text, LIMIT_EVENT_BYTES);
    assert_int_equal(run_stamp(run, draft, p->now.wall_ms, &text, &mark, &e), ERR_OK);
    append(p, &p->own[p->run_count - 1], buf_str(&text));
    buf_fini(&text);
    struct outbox_head head = {{run->origin, LANE_CRITICAL}, run->certificate, mark, false};
    uplink_committed(&p->up, &head, p->now, &p->up_steps);
    pair_up(p);
}

static void sell(struct pair *p, size_t padding)
{
    static uint32_t number = 1000;
    struct event draft;
    struct err e = {0};
    struct json json = {0};
    assert_int_equal(event_parse(sample()->events[2], &p->arena, &draft, &e), ERR_OK);
    char *body = calloc(1, padding + 64);
    assert_non_null(body);
    (void)snprintf(body, padding + 64, "{\"sku\":\"CAKE\",\"quantity\":\"1\",\"reason\":\"%0*d\"}",
                   (int)padding + 1, 1);
    assert_int_equal(json_parse_in(&p->arena, str_of(body), 4, &json, &e), ERR_OK);
    free(body);
    draft.body = json.root;
    draft.id = sample_id(5, number++);
    commit(p, &draft);
}

void pair_sell(struct pair *p, int n)
{
    for (int i = 0; i < n; i++) {
        sell(p, 0);
    }
}

void pair_sell_large(struct pair *p, size_t bytes)
{
    sell(p, bytes);
}

void pair_new_run(struct pair *p)
{
    const struct sample *s = sample();
    struct run_identity who = {&s->key, s->chain, s->device, STR("Hamra")};
    uint32_t n = (uint32_t)p->run_count + 1;
    struct uuid id = sample_id(3, n);
    struct uuid origin = sample_id(4, n);
    struct run_first first = {
        .event_id = sample_id(5, n), .software = STR("test"), .now_ms = p->now.wall_ms};
    struct event started;
    run_begin(&p->runs[p->run_count++], &who, &id, &origin, 0, p->now.wall_ms);
    p->up.config.origin = origin;
    assert_int_equal(run_first_event(&p->runs[n - 1], &first, &p->arena, &started), ERR_OK);
    commit(p, &started);
}

static void load(struct pair *p, const struct step *step)
{
    const struct pair_stream *s = &p->own[run_of(p, &step->key)];
    struct uplink_loaded loaded = {.key = step->key, .after = step->after};
    size_t bytes = 0;
    loaded.base = s->chain[step->after];
    loaded.events = &s->events[step->after];
    while (step->after + loaded.count < s->count && loaded.count < step->max_events) {
        bytes += loaded.events[loaded.count].n + 1;
        if (bytes > step->max_bytes && loaded.count > 0) {
            break;
        }
        loaded.count++;
    }
    loaded.head = s->chain[step->after + loaded.count];
    p->loads++;
    uplink_loaded(&p->up, &loaded, p->now, &p->up_steps);
}

static void rehome(struct pair *p, const struct step *step)
{
    struct stream_key key = step->key;
    struct pair_stream *s = &p->own[run_of(p, &key)];
    uint64_t after = step->after;
    uint64_t count = s->count;
    pair_new_run(p);
    for (uint64_t seq = after + 1; seq <= count; seq++) {
        struct event again;
        struct err e = {0};
        assert_int_equal(event_parse(s->events[seq - 1], &p->arena, &again, &e), ERR_OK);
        if (!str_is(again.type_name, "run_started")) {
            commit(p, &again);
        }
    }
    p->rehomed++;
    uplink_rehomed(&p->up, &key, &(struct mark){after, p->own[run_of(p, &key)].chain[after]},
                   p->now, &p->up_steps);
}

static void take_feed(struct pair *p, const struct message_feed *page)
{
    if (str_is(page->location, "Hamra")) {
        p->own_feed = page->feed;
        p->own_position = page->to;
        p->own_hash = page->hash;
        p->rows_taken += page->count;
        p->includes_taken += page->include_count;
    }
    if (str_is(page->location, FEED_DEFERRED))
        p->later_taken += page->count;
    uplink_feed_stored(&p->up, page, p->now, &p->up_steps);
}

static struct outbox_stream kept_of(struct pair *p, size_t i)
{
    const struct pair_stream *s = &p->own[i];
    struct stream_key key = {p->runs[i].origin, LANE_CRITICAL};
    const struct outbox_stream *known = outbox_find(&p->up.outbox, &key);
    struct outbox_stream all = {.key = key,
                                .certificate = p->runs[i].certificate,
                                .head = {s->count, s->chain[s->count]},
                                .held = {s->count, s->chain[s->count]},
                                .settled = s->count,
                                .claimed = s->count,
                                .included = s->count};
    return known ? *known : all;
}

static void offer(struct pair *p, uint64_t after)
{
    struct outbox_stream streams[PAIR_RUNS];
    struct uplink_kept kept = {.after = after, .streams = streams, .next = after};
    for (; kept.next < p->run_count && kept.count < p->offer_page; kept.next++) {
        streams[kept.count++] = kept_of(p, kept.next);
    }
    kept.more = kept.next < p->run_count;
    kept.failed = p->offer_page == 0;
    p->offers++;
    uplink_offered(&p->up, &kept, p->now, &p->up_steps);
}

static void perform_up(struct pair *p, const struct step *step)
{
    if (step->kind == STEP_CONNECT && p->reachable) {
        link_pair(p);
    } else if (step->kind == STEP_SEND) {
        put(p, TO_SERVER, step->text);
    } else if (step->kind == STEP_CLOSE) {
        assert_int_equal(str_copy(p->closed, sizeof p->closed, step->text), ERR_OK);
        unlink_pair(p);
    } else if (step->kind == STEP_LOAD) {
        load(p, step);
    } else if (step->kind == STEP_REHOME) {
        rehome(p, step);
    } else if (step->kind == STEP_FEED) {
        take_feed(p, step->feed);
    } else if (step->kind == STEP_REVOKED) {
        p->told_revoked = step->number;
        p->told_revoked_count++;
    } else if (step->kind == STEP_OFFER) {
        offer(p, step->after);
    } else if (step->kind == STEP_LOST) {
        p->marks_lost++;
    } else if (step->kind == STEP_DOUBTED) {
        assert_true(p->marks_lost == 0 || !uuid_is_zero(&p->doubted));
        p->doubted = step->id;
    } else if (step->kind == STEP_RECOVERED) {
        p->told_recovery = step->id;
    } else if (step->kind == STEP_REFUSED) {
        assert_int_equal(str_copy(p->refused, sizeof p->refused, step->text), ERR_OK);
    }
}

// Performing may add steps behind the ones that are there.
void pair_up(struct pair *p)
{
    static bool performing;
    if (performing) {
        return;
    }
    performing = true;
    for (size_t i = 0; i < p->up_steps.count; i++) {
        struct step step = p->up_steps.items[i];
        perform_up(p, &step);
        assert_false(p->up_steps.failed);
    }
    steps_reset(&p->up_steps);
    performing = false;
}

// ---- the server ------------------------------------------------------------------------------

static enum err_code find_held(void *context, const struct stream_key *key,
                               struct intake_stream *ret)
{
    struct pair *p = context;
    const struct pair_stream *s = &p->held[run_of(p, key)];
    *ret = (struct intake_stream){.known = s->count > 0,
                                  .held = {s->count, s->chain[s->count]},
                                  .settled = s->settled,
                                  .location = "Hamra",
                                  .device = sample()->device};
    return ERR_OK;
}

static enum err_code chain_held(void *context, const struct stream_key *key, uint64_t seq,
                                struct hash *ret)
{
    struct pair *p = context;
    const struct pair_stream *s = &p->held[run_of(p, key)];
    *ret = s->chain[seq];
    return seq <= s->count ? ERR_OK : ERR_NOT_FOUND;
}

static enum err_code nobody(void *context, const struct uuid *device, struct sign_public *ret)
{
    (void)context, (void)device, (void)ret;
    return ERR_NOT_FOUND;
}

static void store(struct pair *p, struct str text)
{
    struct message *m = arena_alloc(&p->arena, sizeof *m);
    struct intake_result *result = arena_alloc(&p->arena, sizeof *result);
    struct intake_io io = {p, find_held, chain_held, nobody, true};
    struct err e = {0};
    struct downlink_stored stored = {.failed = true, .retry_ms = 700};
    assert_int_equal(message_decode(text, &p->arena, m, &e), ERR_OK);
    if (!p->failing_store) {
        assert_int_equal(intake_check(&io, &p->down.sender, &m->push, &p->arena, result, &e),
                         ERR_OK);
        struct pair_stream *s = &p->held[run_of(p, &m->push.key)];
        for (size_t i = 0; i < result->count; i++) {
            append(p, s, result->events[i].bytes);
        }
        s->settled = result->settled;
        stored = (struct downlink_stored){.mark = intake_mark(&m->push, result),
                                          .denied = result->outcome == INTAKE_DENIED,
                                          .reason = result->reason};
        stored.events = m->push.count;
        for (size_t i = 0; i < m->push.count; i++) {
            stored.bytes += m->push.events[i].n + 1;
        }
    }
    downlink_stored(&p->down, &stored, &p->down_steps);
}

void pair_store(struct pair *p)
{
    assert_true(p->waiting_pushes > 0);
    struct str text = p->waiting[0];
    memmove(p->waiting, p->waiting + 1, --p->waiting_pushes * sizeof *p->waiting);
    store(p, text);
    pair_down(p);
}

static bool finds_out(struct pair *p, const struct message_hello *hello,
                      const struct downlink_identity *id)
{
    enum feed_standing standing[DOWNLINK_FEEDS];
    struct recovery_view view = {&p->recovery, id->marks, standing, DOWNLINK_FEEDS,
                                 (uint64_t)p->now.wall_ms};
    for (size_t i = 0; i < DOWNLINK_FEEDS; i++) {
        bool same = uuid_equal(&id->cursors[i].feed, &id->feeds[i].feed);
        standing[i] = id->knows[i] ? FEED_KNOWN : same ? FEED_LOST : FEED_FOREIGN;
    }
    const char *why = p->restored && !p->revoked ? recovery_found(&view, hello) : NULL;
    if (why == NULL) {
        return false;
    }
    p->recovery = recovery_next(&view, hello, (const uint8_t[10]){1, 2, 3});
    p->recovering = true;
    p->recoveries++;
    p->feed.b[0] ^= 0x80;
    assert_int_equal(str_copy(p->why, sizeof p->why, str_of(why)), ERR_OK);
    return true;
}

void pair_restore_server(struct pair *p, uint64_t held, uint64_t rows)
{
    pair_cut(p);
    for (size_t i = 0; i < p->run_count; i++) {
        struct pair_stream *s = &p->held[i];
        s->count = s->count < held ? s->count : held;
        s->settled = s->settled < s->count ? s->settled : s->count;
    }
    p->row_count = rows;
    p->restored = true;
}

static void identify(struct pair *p, const struct message_hello *hello)
{
    struct downlink_identity id = {.key = sample()->key.public_key,
                                   .location = STR("Hamra"),
                                   .jitter_ms = p->jitter_ms,
                                   .wall_ms = p->now.wall_ms,
                                   .refused = p->unknown,
                                   .final = p->unknown,
                                   .text = "the device is not enrolled",
                                   .recovery = p->recovery,
                                   .recovering = p->recovering,
                                   .revoked = p->revoked};
    id.marks = arena_alloc_zero(&p->arena, (hello->count + 1) * sizeof *id.marks);
    id.count = hello->count;
    for (size_t i = 0; i < hello->count; i++) {
        const struct pair_stream *s = &p->held[run_of(p, &hello->streams[i].key)];
        id.marks[i] = (struct message_mark){.key = hello->streams[i].key,
                                            .held = {s->count, s->chain[s->count]},
                                            .settled = s->settled};
    }
    id.feeds[0] =
        (struct message_cursor){STR("Hamra"), p->feed, p->row_count, p->row_hash[p->row_count]};
    id.feeds[1] = (struct message_cursor){STR(FEED_CHAIN), sample_id(6, CENTRE_FEED), 0, {{0}}};
    id.feeds[2] = (struct message_cursor){STR(FEED_DEFERRED), sample_id(6, LATER_FEED),
                                          p->later_count, p->row_hash[p->later_count]};
    for (size_t i = 0; i < DOWNLINK_FEEDS; i++) {
        const struct message_cursor *c = &hello->feeds[i];
        id.cursors[i] = *c;
        id.knows[i] = uuid_equal(&c->feed, &id.feeds[i].feed) &&
                      c->position <= id.feeds[i].position &&
                      (i == 1 || hash_equal(&c->hash, &p->row_hash[c->position]));
    }
    p->over = finds_out(p, hello, &id);
    if (!p->over) {
        downlink_identified(&p->down, &id, &p->down_steps);
    }
}

static void read_feed(struct pair *p, const struct step *step)
{
    bool later = str_is(step->location, FEED_DEFERRED), own = str_is(step->location, "Hamra");
    p->feed_reads++;
    uint64_t head = own ? p->row_count : later ? p->later_count : 0;
    struct downlink_page page = {
        .location = step->location, .after = step->after, .to = step->after};
    struct message_include includes[PAIR_RUNS];
    size_t bytes = 0;
    page.rows = &p->rows[step->after];
    page.includes = includes;
    while (page.to < head && (bytes += p->rows[page.to].n) <= step->max_bytes) {
        page.to++;
    }
    page.count = (size_t)(page.to - step->after);
    page.reached_head = page.to == head;
    page.hash = p->row_hash[page.to];
    for (size_t i = 0; i < p->run_count && !p->no_includes; i++) {
        struct message_include *include = &includes[page.include_count];
        *include = (struct message_include){{p->runs[i].origin, LANE_CRITICAL}, p->held[i].count};
        page.include_count += include->seq > 0;
    }
    downlink_feed_page(&p->down, &page, p->now.mono_ms, &p->down_steps);
}

static void perform_down(struct pair *p, const struct step *step)
{
    if (step->kind == STEP_SEND) {
        put(p, TO_DEVICE, step->text);
    } else if (step->kind == STEP_IDENTIFY) {
        identify(p, step->hello);
    } else if (step->kind == STEP_STORE) {
        assert_true(p->waiting_pushes < COUNT_OF(p->waiting));
        p->waiting[p->waiting_pushes++] = arena_copy(&p->arena, step->text);
        if (!p->slow_store) {
            struct str text = p->waiting[--p->waiting_pushes];
            store(p, text);
        }
    } else if (step->kind == STEP_READ_FEED) {
        read_feed(p, step);
    } else if (step->kind == STEP_EVIDENCE) {
        p->evidence++;
    } else if (step->kind == STEP_REPORT) {
        p->reports++;
    }
}

void pair_down(struct pair *p)
{
    for (size_t i = 0; i < p->down_steps.count; i++) {
        struct step step = p->down_steps.items[i];
        perform_down(p, &step);
        assert_false(p->down_steps.failed);
    }
    steps_reset(&p->down_steps);
    if (p->over) {
        p->over = false;
        pair_cut(p);
    }
}

void pair_publish(struct pair *p, int n)
{
    for (int i = 0; i < n; i++) {
        char row[1200];
        (void)snprintf(row, sizeof row,
                       "{\"type\":\"stock\",\"id\":\"SKU-%d\",\"row\":{\"quantity\":\"%01000d\"}}",
                       i, i);
        assert_true(p->row_count < PAIR_ROWS);
        p->rows[p->row_count] = arena_copy(&p->arena, str_of(row));
        p->row_hash[p->row_count + 1] = hash_chain(&p->row_hash[p->row_count], str_of(row));
        p->row_count++;
    }
    if (p->linked) {
        downlink_feed_moved(&p->down, STR("Hamra"), p->row_count, p->now.mono_ms, &p->down_steps);
        pair_down(p);
    }
}

void pair_publish_later(struct pair *p, int n)
{
    p->later_count += (uint64_t)n;
    assert_true(p->later_count <= p->row_count);
}

// ---- time ------------------------------------------------------------------------------------

static bool take(struct pair *p, enum pair_way way, struct str *ret)
{
    struct pair_queue *q = &p->queues[way];
    if (q->count == 0 || q->items[q->first].due_ms > p->now.mono_ms) {
        return false;
    }
    *ret = q->items[q->first].text;
    q->first = (q->first + 1) % PAIR_QUEUE;
    q->count--;
    return true;
}

static void deliver(struct pair *p)
{
    struct str text;
    bool more = true;
    while (more) {
        more = false;
        if (p->linked && take(p, TO_SERVER, &text)) {
            downlink_message(&p->down, text, p->now.mono_ms, &p->down_steps);
            pair_down(p);
            more = true;
        }
        if (p->linked && take(p, TO_DEVICE, &text)) {
            uplink_message(&p->up, text, p->now, &p->up_steps);
            pair_up(p);
            more = true;
        }
    }
}

void pair_pass(struct pair *p, int64_t ms)
{
    for (int64_t passed = 0; passed < ms; passed += TICK_MS) {
        deliver(p);
        uplink_tick(&p->up, p->now, &p->up_steps);
        pair_up(p);
        if (p->linked && p->now.mono_ms % 500 == 0) {
            downlink_tick(&p->down, p->now.mono_ms, &p->down_steps);
            pair_down(p);
        }
        p->now.mono_ms += TICK_MS;
        p->now.wall_ms += TICK_MS;
    }
    deliver(p);
}

struct pair *pair_begin(void)
{
    const struct sample *s = sample();
    struct pair *p = calloc(1, sizeof *p);
    assert_non_null(p);
    struct uplink_config config = {.chain = s->chain,
                                   .device = s->device,
                                   .run = sample_id(3, 1),
                                   .origin = sample_id(4, 1),
                                   .location = "Hamra",
                                   .key = &s->key,
                                   .software = "test",
                                   .seed = 1};
    arena_init(&p->arena, MEMORY);
    steps_init(&p->up_steps);
    steps_init(&p->down_steps);
    for (size_t i = 0; i < PAIR_RUNS; i++) {
        struct pair_stream *streams[2] = {&p->own[i], &p->held[i]};
        for (size_t j = 0; j < 2; j++) {
            streams[j]->events = calloc(PAIR_EVENTS, sizeof(struct str));
            streams[j]->chain = calloc(PAIR_EVENTS + 1, sizeof(struct hash));
            assert_true(streams[j]->events && streams[j]->chain);
        }
    }
    p->now = (struct moment){1000, SAMPLE_NOW};
    p->delay_ms = 20;
    p->reachable = true;
    p->feed = sample_id(6, 1);
    p->offer_page = PAIR_RUNS;
    p->window_events = 500;
    p->window_bytes = LIMIT_BATCH_BYTES;
    uplink_init(&p->up, &config);
    struct uuid later = sample_id(6, LATER_FEED);
    uplink_set_feed(&p->up, STR(FEED_DEFERRED), &later, 0, &p->row_hash[0]); // a copy of nothing
    pair_new_run(p);
    return p;
}

void pair_end(struct pair *p)
{
    unlink_pair(p);
    uplink_fini(&p->up);
    steps_fini(&p->up_steps);
    steps_fini(&p->down_steps);
    arena_fini(&p->arena);
    for (size_t i = 0; i < PAIR_RUNS; i++) {
        free(p->own[i].events);
        free(p->own[i].chain);
        free(p->held[i].events);
        free(p->held[i].chain);
    }
    free(p);
}

void pair_start(struct pair *p)
{
    uplink_start(&p->up, p->now, &p->up_steps);
    pair_up(p);
    for (int i = 0; i < 1000 && !uplink_is_live(&p->up); i++) {
        pair_pass(p, TICK_MS);
    }
    assert_true(uplink_is_live(&p->up));
}

bool pair_agree(const struct pair *p)
{
    for (size_t i = 0; i < p->run_count; i++) {
        struct stream_key key = {p->runs[i].origin, LANE_CRITICAL};
        const struct outbox_stream *s = outbox_find(&p->up.outbox, &key);
        uint64_t n = p->own[i].count;
        bool told = s == NULL || (s->settled == s->head.seq && s->held.seq == s->head.seq);
        if (!told || p->held[i].count != n || p->held[i].settled != n ||
            !hash_equal(&p->held[i].chain[n], &p->own[i].chain[n])) {
            return false;
        }
    }
    return true;
}

size_t pair_said(const struct pair *p, const char *what)
{
    size_t count = 0;
    size_t n = strlen(what);
    for (const char *at = strstr(p->trace, what); at; at = strstr(at + n, what)) {
        count += at[n] == ' ' || at[n] == '\0';
    }
    return count;
}

void pair_forget(struct pair *p)
{
    p->trace[0] = '\0';
}
