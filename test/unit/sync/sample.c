// SPDX-License-Identifier: Apache-2.0
#include "test/unit/sync/sample.h"

#include "model/event_type.h"

#include <stdio.h>
#include <string.h>

enum { FAMILY_CHAIN = 1, FAMILY_DEVICE, FAMILY_RUN, FAMILY_ORIGIN, FAMILY_EVENT, FAMILY_FEED };

struct uuid sample_id(uint8_t family, uint32_t n)
{
    struct uuid id = {{0x01, 0x9a, 0xa5, 0x2d, 0x5d, 0x20, 0x70, family, 0x80}};
    for (int i = 0; i < 4; i++)
        id.b[12 + i] = (uint8_t)(n >> (24 - 8 * i));
    return id;
}

static struct sample it;
static struct arena arena;
static struct buf text;

// Gives the draft its place in the run and keeps its bytes.
static void record(int i, struct event *draft)
{
    struct err e = {0};
    buf_reset(&text);
    enum err_code code = run_stamp(&it.run, draft, SAMPLE_NOW + 1000 * i, &text, &it.marks[i], &e);
    MUST(code == ERR_OK);
    it.events[i] = arena_copy(&arena, buf_str(&text));
}

static void record_draft(int i, const char *type, const char *record_id, const char *body)
{
    char id[UUID_TEXT_SIZE];
    char json[1024];
    struct json parsed = {0};
    struct event draft;
    struct err e = {0};
    struct uuid event_id = sample_id(FAMILY_EVENT, (uint32_t)i + 1);
    uuid_format(&event_id, id);
    int n = snprintf(json, sizeof json,
                     "{\"id\":\"%s\",\"location\":\"Hamra\",\"type\":\"%s\","
                     "\"record\":{\"type\":\"%s\",\"id\":\"%s\"},\"at\":%lld,\"body\":%s}",
                     id, type, event_type_find(str_of(type))->record_type, record_id,
                     (long long)(SAMPLE_NOW + 1000 * i), body);
    enum err_code code =
        json_parse_in(&arena, str_make(json, (size_t)n), LIMIT_EVENT_DEPTH, &parsed, &e);
    if (code == ERR_OK)
        code = event_parse_draft(parsed.root, &arena, &draft, &e);
    MUST(code == ERR_OK);
    record(i, &draft);
}

static void make_events(void)
{
    struct run_identity who = {&it.key, it.chain, it.device, STR("Hamra")};
    struct uuid run = sample_id(FAMILY_RUN, 1);
    struct uuid origin = sample_id(FAMILY_ORIGIN, 1);
    struct run_first first = {.event_id = sample_id(FAMILY_EVENT, 1),
                              .software = STR("wasl 0.1.0"),
                              .now_ms = SAMPLE_NOW};
    struct event started;
    run_begin(&it.run, &who, &run, &origin, 0, SAMPLE_NOW);
    enum err_code code = run_first_event(&it.run, &first, &arena, &started);
    MUST(code == ERR_OK);
    record(0, &started);
    record_draft(1, "ticket_recorded", "T-1001",
                 "{\"ticket\":\"1001\",\"kind\":\"sale\",\"currency\":\"USD\",\"places\":2,"
                 "\"lines\":[{\"n\":1,\"sku\":\"COFFEE\",\"quantity\":\"2\","
                 "\"unit_price\":\"2.5\",\"amount\":500}],\"total\":500,"
                 "\"payments\":[{\"method\":\"cash\",\"currency\":\"USD\",\"amount\":500}]}");
    record_draft(2, "inventory_wasted", "CAKE",
                 "{\"sku\":\"CAKE\",\"quantity\":\"1\",\"reason\":\"expired\"}");
}

static struct stream_key stream(void)
{
    return (struct stream_key){it.run.origin, LANE_CRITICAL};
}

static struct message_mark *mark_of(int held)
{
    static struct message_mark marks[SAMPLE_EVENTS + 1];
    struct message_mark *m = &marks[held];
    *m = (struct message_mark){.key = stream()};
    if (held) {
        m->held = it.marks[held - 1];
        m->settled = m->held.seq;
    }
    return m;
}

static void make_greeting(void)
{
    static struct message_stream streams[1];
    struct message_cursor place = {STR("Hamra"), sample_id(FAMILY_FEED, 1), 40, it.marks[1].hash};
    struct message_cursor all = {STR(FEED_CHAIN), sample_id(FAMILY_FEED, 2), 7, it.marks[0].hash};
    struct message_cursor later = {STR(FEED_DEFERRED), sample_id(FAMILY_FEED, 3), 2,
                                   it.marks[0].hash};
    struct message_challenge *c = &it.messages[MESSAGE_CHALLENGE].challenge;
    struct message_hello *h = &it.messages[MESSAGE_HELLO].hello;
    struct message_welcome *w = &it.messages[MESSAGE_WELCOME].welcome;
    memcpy(c->nonce, it.nonce, CHALLENGE_SIZE);
    c->clock = SAMPLE_NOW + 5000;
    c->zstd = true;
    streams[0] = (struct message_stream){stream(), it.marks[2], 0, it.run.certificate};
    *h = (struct message_hello){.chain = it.chain,
                                .device = it.device,
                                .run = it.run.id,
                                .location = STR("Hamra"),
                                .clock = SAMPLE_NOW + 4900,
                                .software = STR("wasl 0.1.0"),
                                .zstd = true,
                                .backlog = 3,
                                .oldest_at = SAMPLE_NOW,
                                .catalog = {17, it.marks[1].hash},
                                .feeds = {place, all, later},
                                .feed_count = 3,
                                .streams = streams,
                                .count = 1};
    h->proof = stream_proof_make(&it.key, &it.chain, &it.device, &it.run.id, it.nonce);
    place.position = 42;
    *w = (struct message_welcome){.clock = SAMPLE_NOW + 5040,
                                  .credit = {500, LIMIT_BATCH_BYTES},
                                  .jitter_ms = 250,
                                  .feeds = {place, all, later},
                                  .feed_count = 3,
                                  .marks = mark_of(0),
                                  .count = 1};
}

static void make_push(void)
{
    struct message_push *p = &it.messages[MESSAGE_PUSH].push;
    struct message_ack *a = &it.messages[MESSAGE_ACK].ack;
    struct stream_key key = stream();
    *p = (struct message_push){.key = key,
                               .from = 1,
                               .head = it.marks[1].hash,
                               .seal = seal_make(&it.key, &it.chain, &key, &it.marks[1]).signature,
                               .certificate = it.run.certificate.signature,
                               .device = it.device,
                               .events = it.events,
                               .count = 2};
    uint64_t bytes = it.events[0].n + it.events[1].n + 2;
    *a = (struct message_ack){.received = {2, bytes},
                              .credit = {502, LIMIT_BATCH_BYTES + bytes},
                              .marks = mark_of(2),
                              .count = 1};
}

static void make_feed(void)
{
    static struct str rows[] = {{NULL, 0}, {NULL, 0}}; // string literals below
    struct message_feed *f = &it.messages[MESSAGE_FEED].feed;
    rows[0] = STR("{\"type\":\"stock\",\"id\":\"COFFEE\",\"row\":{\"quantity\":\"98\"}}");
    rows[1] = STR("{\"type\":\"notice\",\"id\":\"019aa52d-5d20-7005-8000-000000000002\",\"row\":"
                  "{\"status\":\"conflict\"}}");
    *f = (struct message_feed){.location = STR("Hamra"),
                               .feed = sample_id(FAMILY_FEED, 1),
                               .number = 1,
                               .from = 40,
                               .to = 42,
                               .hash = it.marks[2].hash,
                               .complete = true,
                               .includes = {{stream(), 2}},
                               .include_count = 1,
                               .rows = rows,
                               .count = 2};
    it.messages[MESSAGE_FEED_ACK].feed_ack =
        (struct message_feed_ack){STR("Hamra"), sample_id(FAMILY_FEED, 1), 1, 42, false};
}

static void make_rest(void)
{
    it.messages[MESSAGE_PROBE].probe = 3;
    it.messages[MESSAGE_BUSY].busy_ms = 2000;
    it.messages[MESSAGE_BEAT].beat = (struct message_beat){.clock = SAMPLE_NOW + 15000,
                                                           .pending = {1, 0, 0},
                                                           .oldest_at = SAMPLE_NOW + 2000,
                                                           .disk_free = INT64_C(41000000000),
                                                           .software = STR("wasl 0.1.0"),
                                                           .catalog = {17, it.marks[1].hash},
                                                           .refused = {18, it.marks[2].hash}};
    it.messages[MESSAGE_ERROR].error =
        (struct message_error){STR("DENIED"), STR("this is another chain"), true};
}

const struct sample *sample(void)
{
    if (it.events[0].p)
        return &it;
    arena_init(&arena, 1 << 20);
    buf_init(&text, MESSAGE_MAX_BYTES);
    it.chain = sample_id(FAMILY_CHAIN, 1);
    it.device = sample_id(FAMILY_DEVICE, 1);
    for (int i = 0; i < SIGN_SEED_SIZE; i++) {
        it.seed[i] = (uint8_t)i;
        it.nonce[i] = (uint8_t)(0xa0 + i);
    }
    sign_key_from_seed(it.seed, &it.key);
    make_events();
    for (int i = 0; i < MESSAGE_KIND_COUNT; i++)
        it.messages[i].kind = (enum message_kind)i;
    make_greeting();
    make_push();
    make_feed();
    make_rest();
    return &it;
}

struct str sample_text(const struct message *m)
{
    buf_reset(&text);
    enum err_code code = message_encode(m, &text);
    MUST(code == ERR_OK);
    return buf_str(&text);
}
