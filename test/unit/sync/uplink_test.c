// SPDX-License-Identifier: Apache-2.0
#include "sync/uplink.h"
#include "test/unit/sync/sample.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

static struct uplink u;
static struct steps out;
static struct arena arena;
static struct moment now;

static struct stream_key stream(void)
{
    return (struct stream_key){sample()->run.origin, LANE_CRITICAL};
}

static void begin(void)
{
    const struct sample *s = sample();
    struct uplink_config config = {.chain = s->chain,
                                   .device = s->device,
                                   .run = s->run.id,
                                   .origin = s->run.origin,
                                   .location = "Hamra",
                                   .key = &s->key,
                                   .software = "test",
                                   .zstd = true,
                                   .seed = 1};
    if (arena.max == 0) {
        arena_init(&arena, 64 << 20);
        steps_init(&out);
    }
    uplink_fini(&u);
    steps_reset(&out);
    arena_reset(&arena);
    now = (struct moment){1000, SAMPLE_NOW};
    uplink_init(&u, &config);
    struct uuid later = sample_id(6, 3);
    uplink_set_feed(&u, STR(FEED_DEFERRED), &later, 2, &sample()->marks[0].hash);
}

static int fail_at = -1; // which allocation of the next input is to fail

static void arm(void)
{
    if (fail_at >= 0) {
        unit_alloc_fail((unsigned)fail_at);
    }
    fail_at = -1;
}

static void hear(const struct message *m)
{
    struct str text = sample_text(m);
    arm();
    uplink_message(&u, text, now, &out);
}

static void pass(int64_t ms)
{
    now.mono_ms += ms;
    now.wall_ms += ms;
}

// The stream's first event, which was not sent yet.
static void commit(int count)
{
    struct outbox_head head = {stream(), sample()->run.certificate, sample()->marks[count - 1],
                               false};
    uplink_committed(&u, &head, now, &out);
}

// A welcome that knows nothing of the stream, and whose feeds have nothing new.
static struct message welcome(void)
{
    struct message m = sample()->messages[MESSAGE_WELCOME];
    m.welcome.feed_count = 0;
    m.welcome.jitter_ms = 0;
    return m;
}

enum { IDLE, CONNECTING, GREETING, HELLO, LIVE, STATES };
static const char *const state_names[] = {"idle", "connecting", "greeting", "hello", "live"};

// LIVE has asked for the stream's first event and not got it yet.
static void bring_to(int state)
{
    begin();
    commit(1);
    uplink_start(&u, now, &out);
    if (state >= CONNECTING) {
        uplink_tick(&u, now, &out);
    }
    if (state >= GREETING) {
        uplink_connected(&u, now, &out);
    }
    if (state >= HELLO) {
        hear(&sample()->messages[MESSAGE_CHALLENGE]);
    }
    if (state == LIVE) {
        struct message m = welcome();
        hear(&m);
    }
    assert_string_equal(uplink_state_name(&u), state_names[state]);
    assert_int_equal(uplink_is_live(&u), state == LIVE);
    steps_reset(&out);
}

static void load(int from, int count)
{
    struct uplink_loaded loaded = {.key = stream(), .after = (uint64_t)from - 1};
    if (from > 1)
        loaded.base = sample()->marks[from - 2].hash;
    loaded.events = &sample()->events[from - 1];
    loaded.count = (size_t)count;
    loaded.head = count ? sample()->marks[from + count - 2].hash : loaded.base;
    uplink_loaded(&u, &loaded, now, &out);
}

static struct message ack_of(int held)
{
    static struct message_mark mark;
    struct message m = {.kind = MESSAGE_ACK};
    mark = (struct message_mark){.key = stream()};
    mark.held = held ? sample()->marks[held - 1] : (struct mark){0};
    mark.settled = (uint64_t)held;
    m.ack = (struct message_ack){.credit = {500, LIMIT_BATCH_BYTES}, .marks = &mark, .count = 1};
    return m;
}

static struct message page_of(uint64_t from, uint64_t to)
{
    struct message m = sample()->messages[MESSAGE_FEED];
    m.feed.feed = (struct uuid){{0}}; // the device was never fed
    m.feed.from = from;
    m.feed.to = to;
    m.feed.include_count = 0;
    return m;
}

// ---- every state, every input ----------------------------------------------------------------

enum {
    IN_CONNECTED,
    IN_DISCONNECTED,
    IN_CHALLENGE,
    IN_WELCOME,
    IN_ACK,
    IN_FEED,
    IN_BUSY,
    IN_BEAT,
    IN_ERROR,
    IN_FINAL,
    IN_DEVICES, // what only a device says
    IN_GARBAGE,
    IN_COMMITTED,
    IN_LOADED,
    IN_NOT_LOADED,
    IN_FEED_STORED,
    IN_REHOMED,
    IN_TICK,
    IN_LATE,
    INPUTS
};
static const char *const input_names[] = {
    "connected", "disconnected", "challenge",   "welcome",  "ack",       "feed",   "busy",
    "beat",      "error",        "final error", "device's", "garbage",   "commit", "loaded",
    "no load",   "feed stored",  "rehomed",     "tick",     "late tick",
};

static void give_message(int input)
{
    static const enum message_kind kinds[] = {
        [IN_CHALLENGE] = MESSAGE_CHALLENGE, [IN_BUSY] = MESSAGE_BUSY,
        [IN_BEAT] = MESSAGE_BEAT,           [IN_ERROR] = MESSAGE_ERROR,
        [IN_FINAL] = MESSAGE_ERROR,         [IN_DEVICES] = MESSAGE_PUSH};
    struct message m;
    if (input == IN_WELCOME) {
        m = welcome();
    } else if (input == IN_ACK) {
        m = ack_of(1);
    } else if (input == IN_FEED) {
        m = page_of(0, 2);
    } else {
        m = sample()->messages[kinds[input]];
    }
    if (input == IN_ERROR) {
        m.error.final = false;
    }
    hear(&m);
}

static void give(int input)
{
    struct stream_key key = stream();
    if (input > IN_DEVICES) {
        arm();
    }
    if (input == IN_CONNECTED) {
        uplink_connected(&u, now, &out);
    } else if (input == IN_DISCONNECTED) {
        uplink_disconnected(&u, now, &out);
    } else if (input <= IN_DEVICES) {
        give_message(input);
    } else if (input == IN_GARBAGE) {
        uplink_message(&u, STR("what?\n"), now, &out);
    } else if (input == IN_COMMITTED) {
        commit(2);
    } else if (input == IN_LOADED || input == IN_NOT_LOADED) {
        load(1, input == IN_LOADED);
    } else if (input == IN_FEED_STORED) {
        struct message m = page_of(0, 2);
        u.storing = 1; // it was handed on before
        uplink_feed_stored(&u, &m.feed, now, &out);
    } else if (input == IN_REHOMED) {
        uplink_rehomed(&u, &key, &(struct mark){0}, now, &out);
    } else {
        pass(input == IN_LATE ? 30000 : 0);
        uplink_tick(&u, now, &out);
    }
}

static const char *const step_names[] = {
    [STEP_CLOSE] = "close", [STEP_CONNECT] = "connect", [STEP_LOAD] = "load",
    [STEP_ACKED] = "acked", [STEP_LOST] = "lost",       [STEP_REHOME] = "rehome",
    [STEP_FEED] = "feed",   [STEP_CLOCK] = "clock",     [STEP_REFUSED] = "refused"};

// The effects as words: '>' and a message's kind, or the name of the step.
static const char *effects(void)
{
    static char text[256];
    text[0] = '\0';
    for (size_t i = 0; i < out.count; i++) {
        const struct step *step = &out.items[i];
        struct message m = {0};
        if (step->kind == STEP_SEND) {
            assert_int_equal(message_decode(step->text, &arena, &m, NULL), ERR_OK);
        }
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s%s", i ? " " : "",
                       step->kind == STEP_SEND ? ">" : "",
                       step->kind == STEP_SEND ? message_kind_name(m.kind)
                                               : step_names[step->kind]);
    }
    return text;
}

struct cell {
    int next;
    const char *effects;
};
#define STAYS(state)                                                                               \
    {                                                                                              \
        state, ""                                                                                  \
    }
#define DROPS                                                                                      \
    {                                                                                              \
        IDLE, "close"                                                                              \
    }
#define GOES                                                                                       \
    {                                                                                              \
        IDLE, ""                                                                                   \
    }

// By input, then state: idle, connecting, greeting, hello, live.
static const struct cell cells[INPUTS][STATES] = {
    [IN_CONNECTED] = {STAYS(IDLE), {GREETING, ""}, STAYS(GREETING), STAYS(HELLO), STAYS(LIVE)},
    [IN_DISCONNECTED] = {STAYS(IDLE), GOES, GOES, GOES, GOES},
    [IN_CHALLENGE] = {STAYS(IDLE), STAYS(CONNECTING), {HELLO, ">hello"}, STAYS(HELLO), STAYS(LIVE)},
    [IN_WELCOME] =
        {STAYS(IDLE), STAYS(CONNECTING), STAYS(GREETING), {LIVE, "clock load"}, STAYS(LIVE)},
    [IN_ACK] = {STAYS(IDLE), STAYS(CONNECTING), STAYS(GREETING), STAYS(HELLO), {LIVE, "acked"}},
    [IN_FEED] = {STAYS(IDLE), STAYS(CONNECTING), STAYS(GREETING), STAYS(HELLO), {LIVE, "feed"}},
    [IN_BUSY] = {STAYS(IDLE), STAYS(CONNECTING), STAYS(GREETING), STAYS(HELLO), STAYS(LIVE)},
    [IN_BEAT] = {STAYS(IDLE), STAYS(CONNECTING), STAYS(GREETING), STAYS(HELLO), STAYS(LIVE)},
    [IN_ERROR] = {STAYS(IDLE), STAYS(CONNECTING), DROPS, DROPS, DROPS},
    [IN_FINAL] = {STAYS(IDLE),
                  STAYS(CONNECTING),
                  {IDLE, "refused close"},
                  {IDLE, "refused close"},
                  {IDLE, "refused close"}},
    [IN_DEVICES] = {STAYS(IDLE), STAYS(CONNECTING), DROPS, DROPS, DROPS},
    [IN_GARBAGE] = {STAYS(IDLE), STAYS(CONNECTING), DROPS, DROPS, DROPS},
    [IN_COMMITTED] = {STAYS(IDLE), STAYS(CONNECTING), STAYS(GREETING), STAYS(HELLO),
                      STAYS(LIVE)}, // a load is under way already
    [IN_LOADED] = {STAYS(IDLE), STAYS(CONNECTING), STAYS(GREETING), STAYS(HELLO), {LIVE, ">push"}},
    [IN_NOT_LOADED] = {STAYS(IDLE), STAYS(CONNECTING), STAYS(GREETING), STAYS(HELLO), STAYS(LIVE)},
    [IN_FEED_STORED] =
        {STAYS(IDLE), STAYS(CONNECTING), STAYS(GREETING), STAYS(HELLO), {LIVE, ">feed_ack"}},
    [IN_REHOMED] = {STAYS(IDLE), STAYS(CONNECTING), STAYS(GREETING), STAYS(HELLO), STAYS(LIVE)},
    [IN_TICK] =
        {{CONNECTING, "connect"}, STAYS(CONNECTING), STAYS(GREETING), STAYS(HELLO), STAYS(LIVE)},
    [IN_LATE] = {{CONNECTING, "connect"}, DROPS, DROPS, DROPS, DROPS},
};

TEST(uplink__answers_every_input_in_every_state)
{
    for (int input = 0; input < INPUTS; input++) {
        for (int state = 0; state < STATES; state++) {
            bring_to(state);
            give(input);
            const struct cell *cell = &cells[input][state];
            if (strcmp(uplink_state_name(&u), state_names[cell->next]) != 0 ||
                strcmp(effects(), cell->effects) != 0) {
                fail_msg("%s in %s: %s, '%s'", input_names[input], state_names[state],
                         uplink_state_name(&u), effects());
            }
        }
    }
}

// ---- single rules ----------------------------------------------------------------------------

TEST(uplink__says_where_it_stands_in_its_hello)
{
    begin();
    struct uuid feed = sample_id(6, 1);
    uplink_set_feed(&u, STR("Hamra"), &feed, 40, &sample()->marks[1].hash);
    u.oldest_at = SAMPLE_NOW - 5000;
    commit(3);
    uplink_start(&u, now, &out);
    uplink_tick(&u, now, &out);
    uplink_connected(&u, now, &out);
    steps_reset(&out);
    hear(&sample()->messages[MESSAGE_CHALLENGE]);
    struct message m;
    assert_int_equal(message_decode(out.items[0].text, &arena, &m, NULL), ERR_OK);
    const struct message_hello *h = &m.hello;
    assert_true(stream_proof_verify(&h->proof, &h->chain, &h->device, &h->run, sample()->nonce,
                                    &sample()->key.public_key));
    assert_int_equal(h->backlog, 3);
    assert_int_equal(h->oldest_at, SAMPLE_NOW - 5000);
    assert_int_equal(h->feeds[0].position, 40);
    assert_true(hash_equal(&h->feeds[0].hash, &sample()->marks[1].hash));
    assert_int_equal(h->feeds[1].position, 0);
    assert_int_equal(h->count, 1);
    assert_true(mark_equal(&h->streams[0].head, &sample()->marks[2]));
}

TEST(uplink__compresses_nothing_before_both_said_that_they_can)
{
    bring_to(HELLO);
    assert_false(u.peer_zstd);
    struct message m = welcome();
    hear(&m);
    assert_true(u.peer_zstd);
    uplink_disconnected(&u, now, &out);
    pass(1000);
    uplink_tick(&u, now, &out);
    uplink_connected(&u, now, &out);
    m = sample()->messages[MESSAGE_CHALLENGE];
    m.challenge.zstd = false;
    hear(&m);
    m = welcome();
    hear(&m);
    assert_true(uplink_is_live(&u));
    assert_false(u.peer_zstd);
}

TEST(uplink__seals_what_it_pushes)
{
    bring_to(LIVE);
    commit(3);
    load(1, 3);
    struct message m;
    assert_int_equal(message_decode(out.items[0].text, &arena, &m, NULL), ERR_OK);
    struct seal seal = {m.push.key, {3, m.push.head}, m.push.seal};
    assert_true(seal_verify(&seal, &sample()->chain, &sample()->key.public_key));
    assert_true(hash_equal(&m.push.head, &sample()->marks[2].hash));
    for (size_t i = 0; i < 3; i++) {
        assert_true(str_equal(m.push.events[i], sample()->events[i]));
    }
}

TEST(uplink__sends_no_bit_that_flipped_on_its_own_disk)
{
    bring_to(LIVE);
    struct str events[1] = {STR("{}")};
    struct uplink_loaded loaded = {
        .key = stream(), .events = events, .count = 1, .head = sample()->marks[0].hash};
    uplink_loaded(&u, &loaded, now, &out);
    assert_string_equal(effects(), "rehome");
    assert_int_equal(out.items[0].after, 0);
}

TEST(uplink__finds_that_the_upstream_holds_another_history)
{
    bring_to(HELLO);
    struct message m = welcome();
    struct message_mark mark = {.key = stream(), .held = {1, {{9}}}, .settled = 1};
    m.welcome.marks = &mark;
    hear(&m);
    assert_string_equal(effects(), "clock rehome");
}

TEST(uplink__compares_the_hash_below_its_head_when_it_reads_on)
{
    bring_to(HELLO);
    commit(3);
    struct message m = welcome();
    struct message_mark mark = {.key = stream(), .held = {1, {{9}}}, .settled = 1};
    m.welcome.marks = &mark;
    hear(&m);
    steps_reset(&out);
    load(2, 2);
    assert_string_equal(effects(), "rehome");
    assert_int_equal(out.items[0].after, 1);
}

TEST(uplink__rehomes_where_an_ack_says_fork)
{
    bring_to(LIVE);
    load(1, 1);
    steps_reset(&out);
    struct message m = ack_of(0);
    m.ack.marks[0].fork = true;
    hear(&m);
    assert_string_equal(effects(), "rehome");
    steps_reset(&out);
    hear(&m); // once
    assert_string_equal(effects(), "");
}

// The feed does not include it yet, so it is still here; then the upstream becomes its own backup.
TEST(uplink__sends_what_stays_of_a_rehomed_stream_to_an_upstream_that_lost_it)
{
    struct stream_key key = stream();
    struct message m = ack_of(2);
    bring_to(LIVE);
    commit(3);
    load(1, 2);
    hear(&m);
    m.ack.marks[0].fork = true;
    hear(&m);
    uplink_rehomed(&u, &key, &sample()->marks[1], now, &out);
    steps_reset(&out);
    hear(&m); // an answer from before: its fork was dealt with
    assert_string_equal(effects(), "");
    uplink_disconnected(&u, now, &out);
    pass(60000);
    uplink_tick(&u, now, &out);
    uplink_connected(&u, now, &out);
    steps_reset(&out);
    hear(&sample()->messages[MESSAGE_CHALLENGE]);
    assert_string_equal(effects(), ">hello");
    assert_int_equal(message_decode(out.items[0].text, &arena, &m, NULL), ERR_OK);
    assert_int_equal(m.hello.count, 1);
    assert_int_equal(m.hello.streams[0].head.seq, 2);
    assert_true(hash_equal(&m.hello.streams[0].head.hash, &sample()->marks[1].hash));
    steps_reset(&out);
    m = welcome();
    struct message_mark mark = {.key = key};
    m.welcome.marks = &mark;
    m.welcome.count = 1;
    hear(&m);
    assert_string_equal(effects(), "clock lost load");
    assert_int_equal(out.items[2].after, 0);
}

TEST(uplink__ignores_marks_of_streams_it_does_not_have)
{
    bring_to(LIVE);
    struct message m = ack_of(1);
    m.ack.marks[0].key.origin = sample_id(4, 99);
    hear(&m);
    assert_string_equal(effects(), "");
}

TEST(uplink__takes_no_credit_back)
{
    bring_to(LIVE);
    struct message m = ack_of(0);
    m.ack.credit = (struct credit){1, 1};
    hear(&m);
    assert_int_equal(u.allowed.events, 500);
}

TEST(uplink__takes_a_late_ack_for_late)
{
    bring_to(LIVE);
    commit(3);
    load(1, 3);
    struct message m = ack_of(3);
    hear(&m);
    steps_reset(&out);
    m = ack_of(2);
    hear(&m);
    m = ack_of(3);
    m.ack.marks[0].settled = 1;
    hear(&m);
    assert_string_equal(effects(), "");
    assert_int_equal(u.outbox.streams[0].held.seq, 3);
    assert_int_equal(u.outbox.streams[0].settled, 3);
}

TEST(uplink__sends_streams_that_waited_for_room)
{
    bring_to(LIVE);
    load(1, 1);
    steps_reset(&out);
    struct outbox_stream waiting = {.key = {sample_id(4, 70), LANE_CRITICAL}, .head = {5, {{1}}}};
    uplink_refill(&u, &waiting, 1, false, now, &out);
    assert_string_equal(effects(), "load");
    assert_true(stream_key_equal(&out.items[0].key, &waiting.key));
}

TEST(uplink__fails_on_every_failing_allocation)
{
    static const struct {
        int state;
        int input;
    } rows[] = {{GREETING, IN_CHALLENGE}, {HELLO, IN_WELCOME}, {LIVE, IN_FEED},
                {LIVE, IN_LOADED},        {LIVE, IN_ACK},      {LIVE, IN_LATE}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool failed = true;
        for (int n = 0; failed; n++) {
            bring_to(rows[i].state);
            steps_fini(&out);
            steps_init(&out); // so that its memory is asked for anew
            fail_at = n;
            give(rows[i].input);
            failed = unit_alloc_end();
            bool dropped = strcmp(uplink_state_name(&u), "idle") == 0;
            assert_true(out.failed || dropped || !failed);
        }
    }
}

TEST(uplink__survives_clocks_at_their_ends)
{
    static const int64_t clocks[] = {0, LIMIT_CLOCK_MS};
    for (size_t i = 0; i < COUNT_OF(clocks); i++) {
        bring_to(HELLO);
        struct message m = welcome();
        m.welcome.clock = clocks[i];
        hear(&m);
        assert_int_equal(out.items[0].kind, STEP_CLOCK);
        assert_int_equal(out.items[0].number, clocks[i] - now.wall_ms);
    }
}

TEST(uplink__asks_for_the_page_that_is_missing)
{
    bring_to(LIVE);
    struct message m = page_of(0, 2);
    m.feed.number = 1;
    hear(&m);
    m = page_of(5, 6);
    m.feed.number = 3;
    steps_reset(&out);
    hear(&m);
    assert_string_equal(effects(), ">feed_ack");
    struct message ack;
    assert_int_equal(message_decode(out.items[0].text, &arena, &ack, NULL), ERR_OK);
    assert_true(ack.feed_ack.resend);
    assert_int_equal(ack.feed_ack.position, 2);
}

TEST(uplink__takes_a_page_once)
{
    bring_to(LIVE);
    struct message m = page_of(0, 2);
    hear(&m);
    assert_string_equal(effects(), "feed");
    steps_reset(&out);
    hear(&m); // doubled on the way
    assert_string_equal(effects(), "");
    m.feed.number = 2; // sent again, since its answer was lost
    hear(&m);
    assert_string_equal(effects(), ">feed_ack");
}

TEST(uplink__acknowledges_a_page_when_it_is_durable)
{
    bring_to(LIVE);
    struct message m = page_of(0, 2);
    hear(&m);
    assert_string_equal(effects(), "feed");
    steps_reset(&out);
    uplink_feed_stored(&u, &m.feed, now, &out);
    struct message ack;
    assert_int_equal(message_decode(out.items[0].text, &arena, &ack, NULL), ERR_OK);
    assert_false(ack.feed_ack.resend);
    assert_int_equal(ack.feed_ack.position, 2);
    assert_int_equal(ack.feed_ack.number, 1);
}

TEST(uplink__ignores_a_feed_of_another_place)
{
    bring_to(LIVE);
    struct message m = page_of(0, 2);
    m.feed.location = STR("Tripoli");
    hear(&m);
    assert_string_equal(effects(), "");
    assert_true(uplink_is_live(&u));
}

TEST(uplink__asks_again_for_a_rehoming_that_failed)
{
    bring_to(LIVE);
    load(1, 1);
    struct message m = ack_of(0);
    m.ack.marks[0].fork = true;
    hear(&m);
    struct stream_key key = stream();
    uplink_rehome_failed(&u, &key, now);
    steps_reset(&out);
    assert_in_range(uplink_deadline(&u), now.mono_ms + 1, now.mono_ms + 1000);
    hear(&m); // the upstream says it again
    assert_string_equal(effects(), "rehome");
}

TEST(uplink__takes_a_page_again_that_could_not_be_stored)
{
    bring_to(LIVE);
    struct message m = page_of(0, 2);
    hear(&m);
    steps_reset(&out);
    uplink_feed_failed(&u, &m.feed, now, &out);
    m.feed.number = 2;
    hear(&m); // at once: the disk is as full as it was
    assert_string_equal(effects(), "");
    pass(FEED_PAUSE_MS);
    m.feed.number = 3;
    hear(&m);
    assert_string_equal(effects(), "feed");
}

TEST(uplink__tries_a_stream_again_that_could_not_be_read)
{
    bring_to(LIVE);
    load(1, 0);
    assert_string_equal(effects(), "");
    assert_in_range(uplink_deadline(&u), now.mono_ms + 1, now.mono_ms + 1000);
    pass(uplink_deadline(&u) - now.mono_ms);
    uplink_tick(&u, now, &out);
    assert_string_equal(effects(), "load");
}

TEST(uplink__sleeps_until_something_is_due)
{
    bring_to(IDLE);
    uplink_disconnected(&u, now, &out);
    bring_to(LIVE);
    load(1, 1);
    u.outbox.streams[0].included = 1;
    struct message m = ack_of(1);
    hear(&m);
    assert_in_range(uplink_deadline(&u), now.mono_ms + 5000, now.mono_ms + BEAT_EVERY_MS);
    int ticks = 0;
    for (int64_t until = now.mono_ms + 9000; now.mono_ms < until; ticks++) {
        pass(uplink_deadline(&u) - now.mono_ms);
        uplink_tick(&u, now, &out);
    }
    assert_in_range(ticks, 1, 3);
}

// A hello of what is stored would be wrong a moment later, and of a centre that was restored
// meanwhile it would speak of what that never had.
static void comes_back_while_a_page_is_being_stored(struct message *page)
{
    bring_to(LIVE);
    *page = page_of(0, 2);
    hear(page);
    assert_string_equal(effects(), "feed");
    uplink_disconnected(&u, now, &out);
    pass(1000);
    uplink_tick(&u, now, &out);
    uplink_connected(&u, now, &out);
    steps_reset(&out);
    hear(&sample()->messages[MESSAGE_CHALLENGE]);
    assert_string_equal(effects(), "");
    assert_string_equal(uplink_state_name(&u), "greeting");
}

static uint64_t position_said(void)
{
    struct message m;
    assert_string_equal(effects(), ">hello");
    assert_int_equal(message_decode(out.items[0].text, &arena, &m, NULL), ERR_OK);
    return m.hello.feeds[0].position;
}

TEST(uplink__says_hello_when_no_page_is_being_stored_any_more)
{
    struct message page;
    comes_back_while_a_page_is_being_stored(&page);
    uplink_feed_stored(&u, &page.feed, now, &out);
    assert_int_equal(position_said(), 2);
    comes_back_while_a_page_is_being_stored(&page);
    uplink_feed_failed(&u, &page.feed, now, &out);
    assert_int_equal(position_said(), 0);
    comes_back_while_a_page_is_being_stored(&page);
    pass(GREETING_TIMEOUT_MS + 100); // the disk does not answer
    uplink_tick(&u, now, &out);
    assert_string_equal(effects(), "close");
    uplink_feed_stored(&u, &page.feed, now, &out);
    assert_string_equal(effects(), "close"); // there is nobody to say it to
}

TEST(uplink__believes_a_page_that_includes_less_than_one_before)
{
    bring_to(LIVE);
    load(1, 1);
    struct message m = ack_of(1);
    hear(&m);
    u.config.origin = sample_id(4, 99); // another run goes on
    m = page_of(0, 2);
    m.feed.include_count = 1;
    m.feed.includes[0] = (struct message_include){stream(), 1};
    struct stream_key key = stream();
    commit(2);
    hear(&m);
    uplink_feed_stored(&u, &m.feed, now, &out);
    assert_int_equal(outbox_find(&u.outbox, &key)->included, 1);
    m.feed.from = 2;
    m.feed.to = 3;
    m.feed.number = 2;
    m.feed.includes[0].seq = 0;
    hear(&m);
    uplink_feed_stored(&u, &m.feed, now, &out);
    assert_int_equal(outbox_find(&u.outbox, &key)->included, 0);
}

TEST(uplink__does_not_wait_for_a_feed_that_it_cannot_store)
{
    struct message page;
    comes_back_while_a_page_is_being_stored(&page);
    uplink_feed_failed(&u, &page.feed, now, &out);
    steps_reset(&out);
    struct message m = sample()->messages[MESSAGE_WELCOME];
    m.welcome.jitter_ms = 0;
    m.welcome.feed_count = 1;
    hear(&m); // its feed has gone on
    assert_string_equal(effects(), "clock load");
}

// ---- carried streams --------------------------------------------------------------------------

TEST(uplink__sends_what_it_carries_under_its_author_s_seal)
{
    const struct sample *sam = sample();
    struct message m = welcome();
    struct signature seal = {{1, 2, 3}};
    bring_to(HELLO);
    outbox_find(&u.outbox, &(struct stream_key){sam->run.origin, LANE_CRITICAL})->carried = true;
    hear(&m);
    steps_reset(&out);
    struct uplink_loaded loaded = {.key = stream(),
                                   .events = sam->events,
                                   .count = 1,
                                   .head = sam->marks[0].hash,
                                   .seal = seal};
    uplink_loaded(&u, &loaded, now, &out);
    assert_int_equal(out.items[0].kind, STEP_SEND);
    assert_int_equal(message_decode(out.items[0].text, &arena, &m, NULL), ERR_OK);
    assert_int_equal(m.kind, MESSAGE_PUSH);
    assert_memory_equal(m.push.seal.b, seal.b, sizeof seal.b);
    assert_true(uuid_equal(&m.push.device, &sam->run.certificate.device));
}
