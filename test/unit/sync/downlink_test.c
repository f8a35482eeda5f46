// SPDX-License-Identifier: Apache-2.0
#include "sync/downlink.h"
#include "test/unit/sync/sample.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct downlink d;
static struct steps out;
static struct arena arena;

static void begin(void)
{
    struct downlink_config config = {sample()->chain, 500, LIMIT_BATCH_BYTES, false};
    if (arena.max == 0) {
        arena_init(&arena, 64 << 20);
        steps_init(&out);
    }
    downlink_fini(&d);
    steps_reset(&out);
    arena_reset(&arena);
    downlink_init(&d, &config);
}

static struct downlink_identity identity(void)
{
    const struct message_hello *hello = &sample()->messages[MESSAGE_HELLO].hello;
    struct downlink_identity id = {.key = sample()->key.public_key,
                                   .location = STR("Hamra"),
                                   .text = "unknown device",
                                   .wall_ms = SAMPLE_NOW};
    for (size_t i = 0; i < DOWNLINK_FEEDS; i++) {
        id.feeds[i] = id.cursors[i] = hello->feeds[i];
        id.knows[i] = true;
    }
    return id;
}

static int fail_at = -1; // which allocation of the next input is to fail

static void arm(void)
{
    if (fail_at >= 0) {
        unit_alloc_fail((unsigned)fail_at);
    }
    fail_at = -1;
}

static void say(enum message_kind kind)
{
    struct str text = sample_text(&sample()->messages[kind]);
    arm();
    downlink_message(&d, text, 100, &out);
}

// That the device has the place's feed up to there; its head was at 40.
static void say_position(uint64_t position)
{
    struct message m = sample()->messages[MESSAGE_FEED_ACK];
    m.feed_ack.position = position;
    struct str text = sample_text(&m);
    arm();
    downlink_message(&d, text, 100, &out);
}

enum { OPEN, CHALLENGED, IDENTIFYING, LIVE, SHUT, STATES };
static const char *const state_names[] = {"open", "challenged", "identifying", "live", "shut"};

static void bring_to(int state)
{
    begin();
    if (state >= CHALLENGED) {
        downlink_opened(&d, sample()->nonce, 0, SAMPLE_NOW, &out);
    }
    if (state == IDENTIFYING || state == LIVE) {
        say(MESSAGE_HELLO);
    }
    if (state == LIVE) {
        struct downlink_identity id = identity();
        downlink_identified(&d, &id, &out);
    }
    if (state == SHUT) {
        say(MESSAGE_PROBE);
    }
    assert_string_equal(sm_state_name(&d.state), state_names[state]);
    steps_reset(&out);
}

// ---- every state, every input ----------------------------------------------------------------

enum {
    IN_HELLO,
    IN_PUSH,
    IN_FEED_ACK,
    IN_PROBE,
    IN_BEAT,
    IN_ERROR,
    IN_SERVERS, // what only a server says
    IN_GARBAGE,
    IN_KNOWN,
    IN_REFUSED,
    IN_OTHER_KEY,
    IN_OTHER_PLACE,
    IN_STORED,
    IN_SETTLED,
    IN_MOVED,
    IN_PAGE,
    IN_TICK,
    IN_LATE, // a tick long after the last word
    INPUTS
};
static const char *const input_names[] = {
    "hello",      "push",    "feed_ack", "probe",   "beat",      "error",
    "a server's", "garbage", "known",    "refused", "other key", "other place",
    "stored",     "settled", "moved",    "page",    "tick",      "late tick"};

static void give_stored(void)
{
    const struct message_mark *mark = &sample()->messages[MESSAGE_ACK].ack.marks[0];
    struct downlink_stored stored = {.mark = *mark, .events = 2, .bytes = 100};
    downlink_stored(&d, &stored, &out);
}

static void give_page(void)
{
    static struct str row = {"{}", 2};
    struct downlink_page page = {.location = STR("Hamra"),
                                 .after = 40,
                                 .to = 41,
                                 .rows = &row,
                                 .count = 1,
                                 .reached_head = true};
    downlink_feed_page(&d, &page, 100, &out);
}

static void give(int input)
{
    static const enum message_kind kinds[] = {MESSAGE_HELLO, MESSAGE_PUSH, MESSAGE_FEED_ACK,
                                              MESSAGE_PROBE, MESSAGE_BEAT, MESSAGE_ERROR,
                                              MESSAGE_ACK};
    struct downlink_identity id = identity();
    if (input > IN_SERVERS) {
        arm();
    }
    if (input == IN_FEED_ACK) {
        say_position(40);
    } else if (input <= IN_SERVERS) {
        say(kinds[input]);
    } else if (input == IN_GARBAGE) {
        downlink_message(&d, STR("what?\n"), 100, &out);
    } else if (input <= IN_OTHER_PLACE) {
        id.refused = input == IN_REFUSED;
        id.key.b[0] ^= input == IN_OTHER_KEY;
        id.location = input == IN_OTHER_PLACE ? STR("Tripoli") : id.location;
        downlink_identified(&d, &id, &out);
    } else if (input == IN_STORED) {
        give_stored();
    } else if (input == IN_SETTLED) {
        downlink_settled(&d, &sample()->messages[MESSAGE_ACK].ack.marks[0], &out);
    } else if (input == IN_MOVED) {
        downlink_feed_moved(&d, STR("Hamra"), 50, 100, &out);
    } else if (input == IN_PAGE) {
        give_page();
    } else {
        downlink_tick(&d, input == IN_LATE ? 50000 : 200, &out);
    }
}

static const char *const step_names[] = {[STEP_SEND] = "",
                                         [STEP_CLOSE] = "close",
                                         [STEP_IDENTIFY] = "identify",
                                         [STEP_STORE] = "store",
                                         [STEP_READ_FEED] = "read",
                                         [STEP_REPORT] = "report",
                                         [STEP_EVIDENCE] = "evidence"};

// The effects as words: a message's kind, or the name of the step.
static const char *effects(void)
{
    static char text[256];
    text[0] = '\0';
    for (size_t i = 0; i < out.count; i++) {
        const struct step *step = &out.items[i];
        char word[32];
        (void)snprintf(word, sizeof word, "%s", step_names[step->kind]);
        if (step->kind == STEP_SEND) {
            struct message m;
            assert_int_equal(message_decode(step->text, &arena, &m, NULL), ERR_OK);
            (void)snprintf(word, sizeof word, "%s", message_kind_name(m.kind));
        }
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", word);
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
#define SHUTS                                                                                      \
    {                                                                                              \
        SHUT, "error close"                                                                        \
    }

// By input, then state: open, challenged, identifying, live, shut.
static const struct cell cells[INPUTS][STATES] = {
    [IN_HELLO] = {STAYS(OPEN), {IDENTIFYING, "identify"}, SHUTS, SHUTS, STAYS(SHUT)},
    [IN_PUSH] = {STAYS(OPEN), SHUTS, SHUTS, {LIVE, "store"}, STAYS(SHUT)},
    [IN_FEED_ACK] = {STAYS(OPEN), SHUTS, SHUTS, STAYS(LIVE), STAYS(SHUT)},
    [IN_PROBE] = {STAYS(OPEN), SHUTS, SHUTS, {LIVE, "ack"}, STAYS(SHUT)},
    [IN_BEAT] = {STAYS(OPEN), SHUTS, SHUTS, {LIVE, "report beat"}, STAYS(SHUT)},
    [IN_ERROR] = {STAYS(OPEN), SHUTS, SHUTS, {SHUT, "close"}, STAYS(SHUT)},
    [IN_SERVERS] = {STAYS(OPEN), SHUTS, SHUTS, SHUTS, STAYS(SHUT)},
    [IN_GARBAGE] = {STAYS(OPEN),
                    {SHUT, "evidence error close"},
                    {SHUT, "evidence error close"},
                    {SHUT, "evidence error close"},
                    STAYS(SHUT)},
    [IN_KNOWN] = {STAYS(OPEN), STAYS(CHALLENGED), {LIVE, "welcome"}, STAYS(LIVE), STAYS(SHUT)},
    [IN_REFUSED] = {STAYS(OPEN), STAYS(CHALLENGED), SHUTS, STAYS(LIVE), STAYS(SHUT)},
    [IN_OTHER_KEY] = {STAYS(OPEN), STAYS(CHALLENGED), SHUTS, STAYS(LIVE), STAYS(SHUT)},
    [IN_OTHER_PLACE] = {STAYS(OPEN), STAYS(CHALLENGED), SHUTS, STAYS(LIVE), STAYS(SHUT)},
    [IN_STORED] =
        {STAYS(OPEN), STAYS(CHALLENGED), STAYS(IDENTIFYING), {LIVE, "ack read"}, STAYS(SHUT)},
    [IN_SETTLED] = {STAYS(OPEN), STAYS(CHALLENGED), STAYS(IDENTIFYING), STAYS(LIVE), STAYS(SHUT)},
    [IN_MOVED] = {STAYS(OPEN), STAYS(CHALLENGED), STAYS(IDENTIFYING), {LIVE, "read"}, STAYS(SHUT)},
    [IN_PAGE] = {STAYS(OPEN), STAYS(CHALLENGED), STAYS(IDENTIFYING), {LIVE, "feed"}, STAYS(SHUT)},
    [IN_TICK] = {STAYS(OPEN), STAYS(CHALLENGED), STAYS(IDENTIFYING), STAYS(LIVE), STAYS(SHUT)},
    [IN_LATE] = {SHUTS, SHUTS, SHUTS, SHUTS, STAYS(SHUT)},
};

TEST(downlink__answers_every_input_in_every_state)
{
    for (int input = 0; input < INPUTS; input++) {
        for (int state = 0; state < STATES; state++) {
            bring_to(state);
            give(input);
            const struct cell *cell = &cells[input][state];
            if (strcmp(sm_state_name(&d.state), state_names[cell->next]) != 0 ||
                strcmp(effects(), cell->effects) != 0) {
                fail_msg("%s in %s: %s, '%s'", input_names[input], state_names[state],
                         sm_state_name(&d.state), effects());
            }
        }
    }
}

// ---- single rules ----------------------------------------------------------------------------

static struct message_error last_error(void)
{
    struct message m = {.kind = MESSAGE_KIND_COUNT};
    for (size_t i = 0; i < out.count; i++) {
        if (out.items[i].kind == STEP_SEND) {
            assert_int_equal(message_decode(out.items[i].text, &arena, &m, NULL), ERR_OK);
        }
    }
    assert_int_equal(m.kind, MESSAGE_ERROR);
    return m.error;
}

TEST(downlink__says_nothing_but_a_challenge_before_the_proof)
{
    bring_to(OPEN);
    downlink_opened(&d, sample()->nonce, 0, SAMPLE_NOW, &out);
    assert_string_equal(effects(), "challenge");
    steps_reset(&out);
    say(MESSAGE_HELLO);
    assert_string_equal(effects(), "identify");
}

TEST(downlink__says_which_refusals_are_final)
{
    bring_to(CHALLENGED);
    struct message m = sample()->messages[MESSAGE_HELLO];
    m.hello.chain = sample_id(1, 9);
    downlink_message(&d, sample_text(&m), 0, &out);
    assert_true(last_error().final);
    static const struct {
        int input;
        bool final;
        const char *code;
    } rows[] = {{IN_REFUSED, false, "DENIED"},
                {IN_OTHER_KEY, true, "UNAUTHENTICATED"},
                {IN_OTHER_PLACE, true, "DENIED"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bring_to(IDENTIFYING);
        give(rows[i].input);
        assert_int_equal(last_error().final, rows[i].final);
        assert_true(str_is(last_error().code, rows[i].code));
    }
    bring_to(LIVE);
    struct downlink_stored denied = {.denied = true, .reason = "not yours"};
    downlink_stored(&d, &denied, &out);
    assert_true(str_is(last_error().text, "not yours"));
    assert_false(last_error().final);
}

TEST(downlink__tells_what_settles_without_a_push)
{
    bring_to(LIVE);
    give(IN_PUSH);
    steps_reset(&out);
    downlink_settled(&d, &sample()->messages[MESSAGE_ACK].ack.marks[0], &out);
    struct message m;
    assert_int_equal(message_decode(out.items[0].text, &arena, &m, NULL), ERR_OK);
    assert_int_equal(m.kind, MESSAGE_ACK);
    assert_int_equal(m.ack.marks[0].settled, 2);
    assert_int_equal(m.ack.received.events, 0);
}

TEST(downlink__fails_on_every_failing_allocation)
{
    static const struct {
        int state;
        int input;
    } rows[] = {{CHALLENGED, IN_HELLO}, {IDENTIFYING, IN_KNOWN}, {LIVE, IN_PUSH},
                {LIVE, IN_PAGE},        {LIVE, IN_STORED},       {LIVE, IN_BEAT}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool failed = true;
        for (int n = 0; failed; n++) {
            bring_to(rows[i].state);
            steps_fini(&out);
            steps_init(&out); // so that its memory is asked for anew
            fail_at = n;
            give(rows[i].input);
            failed = unit_alloc_end();
            bool noticed = out.failed || strcmp(sm_state_name(&d.state), "shut") == 0;
            bool harmless = rows[i].input == IN_STORED || rows[i].input == IN_BEAT;
            assert_true(noticed || !failed || harmless);
        }
    }
}

TEST(downlink__grants_at_least_one_largest_event)
{
    struct downlink_config config = {sample()->chain, 1, 1, false};
    downlink_fini(&d);
    downlink_init(&d, &config);
    assert_int_equal(d.config.window_bytes, LIMIT_EVENT_BYTES + 1);
}

TEST(downlink__times_out_at_its_limits)
{
    bring_to(CHALLENGED);
    downlink_tick(&d, DOWNLINK_HELLO_MS, &out);
    assert_string_equal(effects(), "");
    downlink_tick(&d, DOWNLINK_HELLO_MS + 1, &out);
    assert_string_equal(effects(), "error close");
    bring_to(LIVE);
    downlink_tick(&d, 100 + DOWNLINK_SILENCE_MS, &out);
    assert_string_equal(effects(), "");
    downlink_tick(&d, 100 + DOWNLINK_SILENCE_MS + 1, &out);
    assert_string_equal(effects(), "error close");
}

TEST(downlink__uses_zstd_only_where_both_said_so)
{
    bring_to(LIVE);
    assert_false(d.peer_zstd);
    struct downlink_config config = {sample()->chain, 500, LIMIT_BATCH_BYTES, true};
    begin();
    downlink_init(&d, &config);
    downlink_opened(&d, sample()->nonce, 0, SAMPLE_NOW, &out);
    say(MESSAGE_HELLO);
    assert_true(d.peer_zstd);
}

TEST(downlink__reads_a_page_that_failed_again)
{
    bring_to(LIVE);
    give(IN_MOVED);
    assert_string_equal(effects(), "read");
    steps_reset(&out);
    struct downlink_page failed = {.location = STR("Hamra"), .after = 40, .failed = true};
    downlink_feed_page(&d, &failed, 100, &out);
    assert_string_equal(effects(), "");
    downlink_tick(&d, 600, &out);
    assert_string_equal(effects(), "read");
}

TEST(downlink__reads_again_where_the_device_went_back_meanwhile)
{
    bring_to(LIVE);
    give(IN_MOVED);
    struct message m = sample()->messages[MESSAGE_FEED_ACK];
    m.feed_ack.position = 30;
    m.feed_ack.resend = true;
    downlink_message(&d, sample_text(&m), 100, &out);
    steps_reset(&out);
    give_page(); // of what was asked before
    assert_string_equal(effects(), "read");
    assert_int_equal(out.items[0].after, 30);
}

TEST(downlink__ignores_acks_of_what_it_never_sent)
{
    bring_to(LIVE);
    struct message m = sample()->messages[MESSAGE_FEED_ACK];
    m.feed_ack.position = 40;
    m.feed_ack.number = 99;
    downlink_message(&d, sample_text(&m), 100, &out);
    assert_int_equal(d.feeds[0].acked, 40);
    assert_int_equal(d.feeds[0].pages_acked, 0);
    m.feed_ack.location = STR("Tripoli");
    downlink_message(&d, sample_text(&m), 100, &out);
    assert_true(downlink_is_live(&d));
}

TEST(downlink__completes_a_copy_when_all_its_includes_are_out)
{
    bring_to(LIVE);
    struct message_include includes[3 * MESSAGE_MAX_INCLUDES - 1];
    for (uint32_t i = 0; i < COUNT_OF(includes); i++) {
        struct message_mark mark = {.key = {sample_id(4, i + 1), LANE_CRITICAL}};
        mark.held.seq = 5;
        struct downlink_stored stored = {.mark = mark};
        downlink_stored(&d, &stored, &out);
        includes[i] = (struct message_include){mark.key, 5};
    }
    size_t pages = 0, included = 0;
    bool complete = false;
    struct downlink_page page = {.location = STR("Hamra"),
                                 .after = 40,
                                 .to = 40,
                                 .reached_head = true,
                                 .includes = includes,
                                 .include_count = COUNT_OF(includes)};
    do { // as long as it asks for a page
        steps_reset(&out);
        downlink_feed_page(&d, &page, 100, &out);
        assert_false(out.failed);
        if (out.count) {
            struct message m;
            assert_false(complete);
            arena_reset(&arena);
            assert_int_equal(message_decode(out.items[0].text, &arena, &m, NULL), ERR_OK);
            included += m.feed.include_count;
            complete = m.feed.complete;
            pages++;
        }
    } while (out.count == 2 && pages < 1000);
    assert_int_equal(included, COUNT_OF(includes));
    assert_int_equal(pages, 3);
    assert_true(complete);
}

static struct message_feed feed_said(size_t step)
{
    struct message m;
    assert_true(out.count > step && out.items[step].kind == STEP_SEND);
    assert_int_equal(message_decode(out.items[step].text, &arena, &m, NULL), ERR_OK);
    assert_int_equal(m.kind, MESSAGE_FEED);
    return m.feed;
}

TEST(downlink__feeds_a_device_afresh_that_is_beyond_its_head)
{
    bring_to(LIVE);
    say_position(41);
    assert_string_equal(effects(), "read");
    assert_int_equal(out.items[0].after, 0);
    steps_reset(&out);
    struct downlink_page page = {.location = STR("Hamra"), .to = 40, .reached_head = true};
    downlink_feed_page(&d, &page, 100, &out);
    assert_true(feed_said(0).reset);
}

static void say_lost(uint64_t position, uint64_t number)
{
    struct message m = sample()->messages[MESSAGE_FEED_ACK];
    m.feed_ack.position = position;
    m.feed_ack.number = number;
    m.feed_ack.resend = true;
    steps_reset(&out);
    downlink_message(&d, sample_text(&m), 100, &out);
}

// The device stands in the same feed, but behind what was trimmed. Where the first page of its
// fresh copy is lost it asks from where it stood, and would never learn that its rows are stale.
TEST(downlink__begins_afresh_again_where_the_first_page_was_lost)
{
    bring_to(IDENTIFYING);
    struct downlink_identity id = identity();
    id.knows[0] = false;
    downlink_identified(&d, &id, &out);
    struct downlink_page page = {.location = STR("Hamra"), .to = 30};
    steps_reset(&out);
    downlink_feed_page(&d, &page, 100, &out);
    assert_true(feed_said(0).reset);
    uint64_t number = feed_said(0).number;
    say_lost(20, 0);
    assert_string_equal(effects(), "");
    downlink_feed_page(&d, &(struct downlink_page){.location = STR("Hamra"), .after = 30, .to = 40},
                       100, &out); // it was being read
    assert_string_equal(effects(), "read");
    assert_int_equal(out.items[0].after, 0);
    steps_reset(&out);
    downlink_feed_page(&d, &page, 100, &out);
    assert_true(feed_said(0).reset);
    say_lost(20, number); // now it has it
    downlink_feed_page(&d, &(struct downlink_page){.location = STR("Hamra"), .after = 30, .to = 40},
                       100, &out);
    assert_string_equal(effects(), "read");
    assert_int_equal(out.items[0].after, 20);
}

// It may believe in more: of what a server had before it was restored.
TEST(downlink__says_what_its_feed_includes_of_each_stream_of_the_hello_and_where_it_is_nothing)
{
    struct message_mark mark = {.key = sample()->messages[MESSAGE_ACK].ack.marks[0].key};
    bring_to(IDENTIFYING);
    struct downlink_identity id = identity();
    id.marks = &mark;
    id.count = 1;
    downlink_identified(&d, &id, &out);
    assert_string_equal(effects(), "welcome read");
    for (int times = 0; times < 2; times++) {
        steps_reset(&out);
        struct downlink_page page = {
            .location = STR("Hamra"), .after = 40, .to = 40, .reached_head = true};
        downlink_feed_page(&d, &page, 100, &out);
        struct message_feed said = feed_said(0);
        assert_int_equal(said.include_count, 1);
        assert_int_equal(said.includes[0].seq, 0);
        assert_true(said.complete);
        assert_string_equal(effects(), "feed"); // and no more
        steps_reset(&out);
        struct message m = sample()->messages[MESSAGE_FEED_ACK];
        m.feed_ack.position = 40;
        m.feed_ack.resend = true; // it was lost
        downlink_message(&d, sample_text(&m), 100, &out);
        assert_string_equal(effects(), "read");
    }
}
