// SPDX-License-Identifier: Apache-2.0
#include "sync/message.h"
#include "test/unit/sync/sample.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;
static struct message message;
static struct err e;

static enum err_code decode(struct str text)
{
    if (arena.max == 0) {
        arena_init(&arena, 16 << 20);
    }
    arena_reset(&arena);
    memset(&e, 0, sizeof e);
    return message_decode(text, &arena, &message, &e);
}

static struct str text_of(enum message_kind kind)
{
    return sample_text(&sample()->messages[kind]);
}

// What stands before the closing line, closed with a right sum.
static struct str closed(struct str covered)
{
    static struct buf text;
    static char sum[2 * HASH_SIZE + 1];
    struct hash hash = hash_of(covered);
    str_to_hex(sum, hash.b, 16);
    buf_fini(&text);
    buf_init(&text, 4 * MESSAGE_MAX_BYTES);
    assert_int_equal(buf_append_str(&text, covered), ERR_OK);
    assert_int_equal(buf_append_format(&text, "{\"sum\":\"%s\"}\n", sum), ERR_OK);
    return buf_str(&text);
}

static enum err_code decode_closed(const char *covered)
{
    return decode(closed(str_of(covered)));
}

// The text of a kind, with the first occurrence of one piece replaced and the sum made right again.
static enum err_code decode_with(enum message_kind kind, const char *piece, const char *instead)
{
    struct str from = text_of(kind);
    struct buf text;
    char *copy = strndup(from.p, from.n - strlen("{\"sum\":\"\"}\n") - 32);
    assert_non_null(copy);
    char *at = strstr(copy, piece);
    if (at == NULL) {
        fail_msg("%s holds no %s: %s", message_kind_name(kind), piece, copy);
    }
    buf_init(&text, 4 * MESSAGE_MAX_BYTES);
    assert_int_equal(buf_append(&text, copy, (size_t)(at - copy)), ERR_OK);
    assert_int_equal(buf_append_str(&text, str_of(instead)), ERR_OK);
    assert_int_equal(buf_append_str(&text, str_of(at + strlen(piece))), ERR_OK);
    free(copy);
    enum err_code code = decode(closed(buf_str(&text)));
    buf_fini(&text);
    return code;
}

static void refused_with(enum message_kind kind, const char *piece, const char *instead,
                         enum err_code wanted)
{
    enum err_code code = decode_with(kind, piece, instead);
    if (code != wanted || e.code != wanted || e.text[0] == '\0') {
        fail_msg("%s with %s: %s '%s'", message_kind_name(kind), instead, err_name(code), e.text);
    }
}

// ---- the text form ---------------------------------------------------------------------------

TEST(message__reads_back_what_it_wrote_of_every_kind)
{
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct buf first;
        buf_init(&first, MESSAGE_MAX_BYTES);
        assert_int_equal(buf_append_str(&first, text_of((enum message_kind)kind)), ERR_OK);
        if (decode(buf_str(&first)) != ERR_OK) {
            fail_msg("%s: %s", message_kind_name((enum message_kind)kind), e.text);
        }
        assert_int_equal(message.kind, kind);
        assert_true(str_equal(sample_text(&message), buf_str(&first)));
        buf_fini(&first);
    }
}

TEST(message__keeps_every_field_of_a_hello)
{
    const struct message_hello *wrote = &sample()->messages[MESSAGE_HELLO].hello;
    assert_int_equal(decode(text_of(MESSAGE_HELLO)), ERR_OK);
    const struct message_hello *read = &message.hello;
    assert_true(uuid_equal(&read->chain, &wrote->chain));
    assert_true(uuid_equal(&read->device, &wrote->device));
    assert_true(uuid_equal(&read->run, &wrote->run));
    assert_true(str_equal(read->location, wrote->location));
    assert_int_equal(read->clock, wrote->clock);
    assert_true(str_equal(read->software, wrote->software));
    assert_true(read->zstd);
    assert_memory_equal(&read->proof, &wrote->proof, sizeof read->proof);
    assert_int_equal(read->backlog, 3);
    assert_int_equal(read->oldest_at, wrote->oldest_at);
    assert_int_equal(read->feed_count, 3);
    assert_true(str_is(read->feeds[1].location, "*"));
    assert_int_equal(read->feeds[0].position, 40);
    assert_true(hash_equal(&read->feeds[0].hash, &wrote->feeds[0].hash));
    assert_int_equal(read->count, 1);
    assert_true(stream_key_equal(&read->streams[0].key, &wrote->streams[0].key));
    assert_true(mark_equal(&read->streams[0].head, &wrote->streams[0].head));
    assert_true(
        certificate_verify(&read->streams[0].certificate, &read->chain, &sample()->key.public_key));
}

TEST(message__keeps_every_field_of_a_push_and_its_ack)
{
    const struct message_push *wrote = &sample()->messages[MESSAGE_PUSH].push;
    assert_int_equal(decode(text_of(MESSAGE_PUSH)), ERR_OK);
    assert_true(stream_key_equal(&message.push.key, &wrote->key));
    assert_int_equal(message.push.from, 1);
    assert_true(hash_equal(&message.push.head, &wrote->head));
    assert_memory_equal(&message.push.seal, &wrote->seal, SIGN_SIZE);
    assert_memory_equal(&message.push.certificate, &wrote->certificate, SIGN_SIZE);
    assert_true(uuid_equal(&message.push.device, &wrote->device));
    assert_int_equal(message.push.count, 2);
    assert_true(str_equal(message.push.events[1], wrote->events[1]));
    assert_int_equal(decode(text_of(MESSAGE_ACK)), ERR_OK);
    const struct message_ack *ack = &sample()->messages[MESSAGE_ACK].ack;
    assert_int_equal(message.ack.probe, 0);
    assert_memory_equal(&message.ack.received, &ack->received, sizeof ack->received);
    assert_memory_equal(&message.ack.credit, &ack->credit, sizeof ack->credit);
    assert_true(mark_equal(&message.ack.marks[0].held, &ack->marks[0].held));
    assert_int_equal(message.ack.marks[0].settled, 2);
    assert_int_equal(message.ack.marks[0].want, 0);
    assert_false(message.ack.marks[0].fork);
}

TEST(message__keeps_what_an_ack_asks_for)
{
    struct message m = sample()->messages[MESSAGE_ACK];
    struct message_mark mark = m.ack.marks[0];
    mark.want = 3;
    mark.fork = true;
    m.ack.marks = &mark;
    m.ack.probe = 9;
    assert_int_equal(decode(sample_text(&m)), ERR_OK);
    assert_int_equal(message.ack.probe, 9);
    assert_int_equal(message.ack.marks[0].want, 3);
    assert_true(message.ack.marks[0].fork);
}

TEST(message__keeps_every_field_of_a_feed)
{
    assert_int_equal(decode(text_of(MESSAGE_FEED)), ERR_OK);
    const struct message_feed *f = &message.feed;
    assert_true(str_is(f->location, "Hamra"));
    assert_int_equal(f->number, 1);
    assert_int_equal(f->from, 40);
    assert_int_equal(f->to, 42);
    assert_true(f->complete && !f->reset);
    assert_int_equal(f->include_count, 1);
    assert_int_equal(f->includes[0].seq, 2);
    assert_int_equal(f->count, 2);
    assert_true(str_starts(f->rows[1], STR("{\"type\":\"notice\"")));
}

TEST(message__leaves_device_and_certificate_out_behind_the_first_event)
{
    struct message m = sample()->messages[MESSAGE_PUSH];
    m.push.from = 2;
    struct str text = sample_text(&m);
    assert_null(memmem(text.p, text.n, "certificate", 11));
    assert_int_equal(decode(text), ERR_OK);
    assert_true(uuid_is_zero(&message.push.device));
}

TEST(message__refuses_every_truncated_prefix)
{
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct str text = text_of((enum message_kind)kind);
        for (size_t n = 0; n < text.n; n++) {
            assert_int_equal(decode(str_make(text.p, n)), ERR_DAMAGED);
        }
        assert_int_equal(decode(text), ERR_OK);
    }
}

TEST(message__refuses_every_single_flipped_bit)
{
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct str text = text_of((enum message_kind)kind);
        char *copy = malloc(text.n);
        assert_non_null(copy);
        memcpy(copy, text.p, text.n);
        for (size_t bit = 0; bit < 8 * text.n; bit++) {
            copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
            assert_int_equal(decode(str_make(copy, text.n)), ERR_DAMAGED);
            copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
        }
        assert_int_equal(decode(str_make(copy, text.n)), ERR_OK);
        free(copy);
    }
}

TEST(message__refuses_what_stands_behind_the_sum)
{
    struct str text = text_of(MESSAGE_PROBE);
    char more[256];
    int n = snprintf(more, sizeof more, "%.*s\n", STR_ARG(text));
    assert_int_equal(decode(str_make(more, (size_t)n)), ERR_DAMAGED);
}

TEST(message__wants_every_line_to_end)
{
    assert_int_equal(decode_closed("{\"m\":\"probe\",\"k\":1}\n"), ERR_OK);
    assert_int_equal(decode_closed("{\"m\":\"probe\",\"k\":1}"), ERR_PROTOCOL);
    assert_int_equal(decode_closed(""), ERR_PROTOCOL);
    struct str text = text_of(MESSAGE_PUSH);
    char *copy = strndup(text.p, text.n - strlen("{\"sum\":\"\"}\n") - 32);
    assert_non_null(copy);
    assert_int_equal(decode_closed(copy), ERR_OK);
    copy[strlen(copy) - 1] = '\0';
    assert_int_equal(decode_closed(copy), ERR_PROTOCOL);
    free(copy);
}

TEST(message__counts_its_record_lines)
{
    refused_with(MESSAGE_PUSH, "\"n\":2", "\"n\":1", ERR_PROTOCOL);
    refused_with(MESSAGE_PUSH, "\"n\":2", "\"n\":3", ERR_PROTOCOL);
    refused_with(MESSAGE_PUSH, "\"n\":2", "\"n\":0", ERR_PROTOCOL);
    refused_with(MESSAGE_PUSH, "\"n\":2", "\"n\":-1", ERR_PROTOCOL);
    refused_with(MESSAGE_PUSH, "\"n\":2", "\"n\":501", ERR_LIMIT);
    refused_with(MESSAGE_HELLO, "\"n\":1", "\"n\":1001", ERR_LIMIT);
    refused_with(MESSAGE_WELCOME, "\"n\":1", "\"n\":1001", ERR_LIMIT);
    refused_with(MESSAGE_ACK, "\"n\":1", "\"n\":9007199254740993", ERR_LIMIT);
    refused_with(MESSAGE_FEED, "\"n\":2", "\"n\":9223372036854775807", ERR_LIMIT);
    refused_with(MESSAGE_PUSH, "\"n\":2", "\"n\":9223372036854775808", ERR_PROTOCOL);
}

TEST(message__refuses_headers_that_are_malformed)
{
    assert_int_equal(decode_closed("\n"), ERR_PROTOCOL);
    assert_int_equal(decode_closed("[]\n"), ERR_PROTOCOL);
    assert_int_equal(decode_closed("{}\n"), ERR_PROTOCOL);
    assert_int_equal(decode_closed("{\"m\":1}\n"), ERR_PROTOCOL);
    assert_int_equal(decode_closed("{\"m\":\"pull\"}\n"), ERR_PROTOCOL);
    assert_int_equal(decode_closed("{\"m\":\"probe\"}\n"), ERR_PROTOCOL);
    assert_int_equal(decode_closed("{\"m\":\"probe\",\"k\":-1}\n"), ERR_PROTOCOL);
    assert_int_equal(decode_closed("{\"m\":\"probe\",\"k\":1.0}\n"), ERR_PROTOCOL);
    assert_int_equal(decode_closed("{\"m\":\"probe\",\"k\":1,\"k\":2}\n"), ERR_PROTOCOL);
    assert_int_equal(decode_closed("{\"m\":\"probe\",\"k\":[[[[[[[1]]]]]]]}\n"), ERR_LIMIT);
    assert_int_equal(decode_closed("{\"m\":\"probe\",\"k\":1,\"later\":true}\n"), ERR_OK);
    refused_with(MESSAGE_HELLO, "wasl.v1", "wasl.v2", ERR_PROTOCOL);
    refused_with(MESSAGE_PUSH, "\"from\":1", "\"from\":0", ERR_PROTOCOL);
    refused_with(MESSAGE_PUSH, "\"critical\"", "\"urgent\"", ERR_PROTOCOL);
    refused_with(MESSAGE_ACK, "\"settled\":2", "\"settled\":3", ERR_PROTOCOL);
    refused_with(MESSAGE_FEED, "\"to\":42", "\"to\":39", ERR_PROTOCOL);
    refused_with(MESSAGE_FEED, "\"complete\":true", "\"complete\":1", ERR_PROTOCOL);
    refused_with(MESSAGE_WELCOME, "\"credit\":[500,", "\"credit\":[-1,", ERR_PROTOCOL);
    refused_with(MESSAGE_WELCOME, "\"credit\":[500,", "\"credit\":[1,500,", ERR_PROTOCOL);
    refused_with(MESSAGE_BEAT, "[1,0,0]", "[1,0]", ERR_PROTOCOL);
    refused_with(MESSAGE_BEAT, "\"version\":17", "\"version\":-1", ERR_PROTOCOL);
    refused_with(MESSAGE_BEAT, "\"version\":18", "\"version\":\"18\"", ERR_PROTOCOL);
    refused_with(MESSAGE_HELLO, "\"catalog\":{", "\"catalog\":{\"hash\":\"00\",", ERR_PROTOCOL);
    refused_with(MESSAGE_BEAT, "[1,0,0]", "[1,0,-1]", ERR_PROTOCOL);
    refused_with(MESSAGE_ERROR, "\"final\":true", "\"final\":null", ERR_PROTOCOL);
    refused_with(MESSAGE_HELLO, "\"location\":\"Hamra\"", "\"location\":\" \"", ERR_PROTOCOL);
}

static bool is_optional(const char *key)
{
    return strcmp(key, "catalog") == 0 || strcmp(key, "refused") == 0;
}

TEST(message__misses_each_member_of_each_header)
{
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct str line = text_of((enum message_kind)kind);
        struct json header = {0};
        line.n = (size_t)((const char *)memchr(line.p, '\n', line.n) - line.p);
        assert_int_equal(json_parse(line, 8, &header, &e), ERR_OK);
        size_t at, count;
        yyjson_val *key, *value;
        yyjson_obj_foreach(header.root, at, count, key, value)
        {
            char piece[80];
            char other[80];
            (void)snprintf(piece, sizeof piece, "\"%s\":", unsafe_yyjson_get_str(key));
            (void)snprintf(other, sizeof other, "\"x%s\":", unsafe_yyjson_get_str(key));
            enum err_code wanted = is_optional(unsafe_yyjson_get_str(key)) ? ERR_OK : ERR_PROTOCOL;
            if (decode_with((enum message_kind)kind, piece, other) != wanted) {
                fail_msg("%s without %s", message_kind_name((enum message_kind)kind), piece);
            }
        }
        json_close(&header);
    }
}

TEST(message__bounds_clocks_and_times_so_that_they_can_be_subtracted)
{
    refused_with(MESSAGE_CHALLENGE, "\"clock\":1763716505000", "\"clock\":-1", ERR_PROTOCOL);
    refused_with(MESSAGE_WELCOME, "\"clock\":1763716505040", "\"clock\":9223372036854775807",
                 ERR_PROTOCOL);
    refused_with(MESSAGE_HELLO, "\"clock\":1763716504900", "\"clock\":281474976710656",
                 ERR_PROTOCOL);
    refused_with(MESSAGE_HELLO, "\"oldest_at\":1763716500000", "\"oldest_at\":-9223372036854775808",
                 ERR_PROTOCOL);
    refused_with(MESSAGE_BEAT, "\"clock\":1763716515000", "\"clock\":-1", ERR_PROTOCOL);
    refused_with(MESSAGE_BEAT, "\"oldest_at\":1763716502000", "\"oldest_at\":-1", ERR_PROTOCOL);
    refused_with(MESSAGE_BUSY, "2000", "-1", ERR_PROTOCOL);
    refused_with(MESSAGE_WELCOME, "\"jitter_ms\":250", "\"jitter_ms\":-1", ERR_PROTOCOL);
}

// ---- limits ----------------------------------------------------------------------------------

TEST(message__holds_a_hello_of_1000_streams)
{
    struct message m = sample()->messages[MESSAGE_HELLO];
    struct message_stream *streams = calloc(LIMIT_STREAMS_HELLO, sizeof *streams);
    assert_non_null(streams);
    for (uint32_t i = 0; i < LIMIT_STREAMS_HELLO; i++) {
        streams[i] = m.hello.streams[0];
        streams[i].key.origin = sample_id(4, i);
        streams[i].head.seq = 1000000 + i;
    }
    m.hello.streams = streams;
    m.hello.count = LIMIT_STREAMS_HELLO;
    assert_int_equal(decode(sample_text(&m)), ERR_OK);
    assert_int_equal(message.hello.count, LIMIT_STREAMS_HELLO);
    assert_int_equal(message.hello.streams[999].head.seq, 1000999);
    free(streams);
}

TEST(message__holds_one_event_of_256_kib)
{
    struct message m = sample()->messages[MESSAGE_PUSH];
    char *large = malloc(LIMIT_EVENT_BYTES);
    assert_non_null(large);
    memset(large, 'x', LIMIT_EVENT_BYTES);
    struct str event = {large, LIMIT_EVENT_BYTES};
    m.push.events = &event;
    m.push.count = 1;
    assert_int_equal(decode(sample_text(&m)), ERR_OK);
    assert_int_equal(message.push.events[0].n, LIMIT_EVENT_BYTES);
    free(large);
}

TEST(message__is_refused_beyond_its_maximum)
{
    char *large = calloc(1, MESSAGE_MAX_BYTES + 1);
    assert_non_null(large);
    assert_int_equal(decode(str_make(large, MESSAGE_MAX_BYTES + 1)), ERR_LIMIT);
    assert_int_equal(decode(str_make(large, MESSAGE_MAX_BYTES)), ERR_DAMAGED);
    free(large);
    struct buf small;
    buf_init(&small, 300);
    assert_int_equal(buf_append(&small, "before", 6), ERR_OK);
    assert_int_equal(message_encode(&sample()->messages[MESSAGE_HELLO], &small), ERR_LIMIT);
    assert_int_equal(small.len, 6);
    buf_fini(&small);
}

TEST(message__bounds_includes)
{
    struct message m = sample()->messages[MESSAGE_FEED];
    for (int i = 1; i < MESSAGE_MAX_INCLUDES; i++) {
        m.feed.includes[i] = m.feed.includes[0];
    }
    m.feed.include_count = MESSAGE_MAX_INCLUDES;
    assert_int_equal(decode(sample_text(&m)), ERR_OK);
    assert_int_equal(message.feed.include_count, MESSAGE_MAX_INCLUDES);
    struct str text = sample_text(&sample()->messages[MESSAGE_FEED]);
    char *many = calloc(1, 64 * 1024);
    assert_non_null(many);
    const char *list = "\"includes\":[";
    const char *at = memmem(text.p, text.n, list, strlen(list));
    assert_non_null(at);
    (void)snprintf(many, 64 * 1024, "%s", list);
    for (int i = 0; i < MESSAGE_MAX_INCLUDES; i++) {
        strcat(many, "{},");
    }
    refused_with(MESSAGE_FEED, list, many, ERR_PROTOCOL);
    free(many);
}

TEST(message__bounds_feeds_to_four)
{
    char five[1024];
    size_t n = (size_t)snprintf(five, sizeof five, "\"feeds\":[");
    for (int i = 0; i < 3; i++) {
        n += (size_t)snprintf(five + n, sizeof five - n,
                              "{\"location\":\"x\",\"feed\":\"019aa52d-5d20-7006-8000-"
                              "000000000001\",\"position\":1,\"hash\":\"%064d\"},",
                              0);
    }
    refused_with(MESSAGE_HELLO, "\"feeds\":[", five, ERR_PROTOCOL);
}

TEST(message__writes_no_record_that_would_be_read_as_two)
{
    struct message m = sample()->messages[MESSAGE_PUSH];
    struct str events[2] = {STR("{}"), STR("{\n}")};
    struct buf to;
    buf_init(&to, MESSAGE_MAX_BYTES);
    m.push.events = events;
    assert_int_equal(message_encode(&m, &to), ERR_INVALID);
    assert_int_equal(to.len, 0);
    events[1] = STR("");
    assert_int_equal(message_encode(&m, &to), ERR_INVALID);
    m = sample()->messages[MESSAGE_FEED];
    events[1] = STR("{\n}");
    m.feed.rows = events;
    assert_int_equal(message_encode(&m, &to), ERR_INVALID);
    buf_fini(&to);
}

TEST(message__refuses_an_empty_record)
{
    struct str text = text_of(MESSAGE_PUSH);
    struct str first;
    assert_true(str_cut(&text, '\n', &first));
    char covered[2048];
    (void)snprintf(covered, sizeof covered, "%.*s\n\n{}\n", STR_ARG(first));
    assert_int_equal(decode_closed(covered), ERR_PROTOCOL);
}

TEST(message__says_an_error_even_where_its_text_cannot_be_written)
{
    struct message m = {.kind = MESSAGE_ERROR};
    m.error = (struct message_error){STR("PARSE"), STR("unknown member '\xd8'"), false};
    assert_int_equal(decode(sample_text(&m)), ERR_OK);
    assert_true(str_is(message.error.code, "PARSE"));
}

TEST(message__survives_every_failing_allocation_while_writing)
{
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct buf to;
        bool failed = true;
        for (unsigned n = 0; failed; n++) {
            buf_init(&to, MESSAGE_MAX_BYTES);
            const struct message *m = &sample()->messages[kind];
            unit_alloc_fail(n);
            enum err_code code = message_encode(m, &to);
            failed = unit_alloc_end();
            assert_int_equal(code, failed ? ERR_NO_MEMORY : ERR_OK);
            assert_true(failed ? to.len == 0 : to.len > 0);
            buf_fini(&to);
        }
    }
}

TEST(message__says_when_the_arena_is_full)
{
    struct arena small;
    struct str text = text_of(MESSAGE_HELLO);
    arena_init(&small, 4096);
    enum err_code code = message_decode(text, &small, &message, &e);
    assert_true(code == ERR_NO_MEMORY || code == ERR_LIMIT);
    arena_fini(&small);
}

TEST(message__hello_and_welcome_may_speak_of_a_recovery_and_of_what_was_settled)
{
    struct message_stream stream = sample()->messages[MESSAGE_HELLO].hello.streams[0];
    const enum message_kind kinds[] = {MESSAGE_HELLO, MESSAGE_WELCOME};
    const struct uuid recovery = sample_id(8, 1);
    for (size_t i = 0; i < 2; i++) {
        struct message m = sample()->messages[kinds[i]];
        struct uuid *id = i == 0 ? &m.hello.recovery : &m.welcome.recovery;
        assert_null(strstr(sample_text(&m).p, "recovery"));
        *id = recovery;
        stream.settled = 2;
        if (i == 0)
            m.hello.streams = &stream;
        struct str text = sample_text(&m);
        assert_int_equal(decode(text), ERR_OK);
        struct uuid back = i == 0 ? message.hello.recovery : message.welcome.recovery;
        assert_true(uuid_equal(&back, &recovery));
        assert_true(i == 1 || message.hello.streams[0].settled == 2);
    }
    refused_with(MESSAGE_WELCOME, "\"feeds\"", "\"recovery\":\"soon\",\"feeds\"", ERR_PROTOCOL);
    refused_with(MESSAGE_HELLO, "\"seq\"", "\"settled\":-1,\"seq\"", ERR_PROTOCOL);
}

TEST(message__a_welcome_may_say_that_the_device_was_revoked)
{
    static const char member[] = ",\"revoked\":true";
    struct message m = sample()->messages[MESSAGE_WELCOME];
    assert_null(memmem(sample_text(&m).p, sample_text(&m).n, "revoked", 7));
    assert_int_equal(decode(sample_text(&m)), ERR_OK);
    assert_false(message.welcome.revoked);
    m.welcome.revoked = true;
    struct str text = sample_text(&m);
    assert_non_null(memmem(text.p, text.n, member, sizeof member - 1));
    assert_int_equal(decode(text), ERR_OK);
    assert_true(message.welcome.revoked);
}
