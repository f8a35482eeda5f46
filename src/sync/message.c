// SPDX-License-Identifier: Apache-2.0
#include "sync/message.h"

#include <string.h>

enum { SUM_HEX = 32, HEADER_DEPTH = 6 };

static const char *const kind_names[MESSAGE_KIND_COUNT] = {
    "challenge", "hello", "welcome", "push", "ack",  "feed",
    "feed_ack",  "probe", "busy",    "beat", "error"};

const char *message_kind_name(enum message_kind kind)
{
    return kind_names[kind];
}

// ---- writing ---------------------------------------------------------------------------------

static void line_begin(struct json_writer *l, enum message_kind kind)
{
    json_writer_begin(l);
    yyjson_mut_obj_add_str(l->doc, l->root, "m", kind_names[kind]);
}

static enum err_code line_end(struct json_writer *l, struct buf *to)
{
    enum err_code code = json_writer_end(l, to);
    return code ? code : buf_append(to, "\n", 1);
}

static void put_hex(struct json_writer *l, yyjson_mut_val *object, const char *key,
                    const void *bytes, size_t n)
{
    char text[2 * SIGN_SIZE + 1];
    MUST(n <= SIGN_SIZE);
    str_to_hex(text, bytes, n);
    yyjson_mut_obj_add_strcpy(l->doc, object, key, text);
}

static void put_uuid(struct json_writer *l, yyjson_mut_val *object, const char *key,
                     const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    yyjson_mut_obj_add_strcpy(l->doc, object, key, text);
}

static void put_str(struct json_writer *l, yyjson_mut_val *object, const char *key, struct str text)
{
    yyjson_mut_obj_add_strncpy(l->doc, object, key, text.p ? text.p : "", text.n);
}

static void put_key(struct json_writer *l, yyjson_mut_val *object, const struct stream_key *key)
{
    put_uuid(l, object, "origin", &key->origin);
    yyjson_mut_obj_add_str(l->doc, object, "lane", lane_name(key->lane));
}

static void put_credit(struct json_writer *l, const char *key, const struct credit *credit)
{
    yyjson_mut_val *pair = yyjson_mut_obj_add_arr(l->doc, l->root, key);
    yyjson_mut_arr_add_uint(l->doc, pair, credit->events);
    yyjson_mut_arr_add_uint(l->doc, pair, credit->bytes);
}

static void put_cursors(struct json_writer *l, const struct message_cursor *cursors, size_t count)
{
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(l->doc, l->root, "feeds");
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(l->doc, list);
        put_str(l, object, "location", cursors[i].location);
        put_uuid(l, object, "feed", &cursors[i].feed);
        yyjson_mut_obj_add_uint(l->doc, object, "position", cursors[i].position);
        put_hex(l, object, "hash", cursors[i].hash.b, HASH_SIZE);
    }
}

static enum err_code write_challenge(const struct message_challenge *m, struct buf *to)
{
    struct json_writer l;
    line_begin(&l, MESSAGE_CHALLENGE);
    put_hex(&l, l.root, "nonce", m->nonce, CHALLENGE_SIZE);
    yyjson_mut_obj_add_sint(l.doc, l.root, "clock", m->clock);
    yyjson_mut_obj_add_bool(l.doc, l.root, "zstd", m->zstd);
    return line_end(&l, to);
}

static enum err_code write_hello(const struct message_hello *m, struct buf *to)
{
    struct json_writer l;
    line_begin(&l, MESSAGE_HELLO);
    yyjson_mut_obj_add_str(l.doc, l.root, "protocol", "wasl.v1");
    put_uuid(&l, l.root, "chain", &m->chain);
    put_uuid(&l, l.root, "device", &m->device);
    put_uuid(&l, l.root, "run", &m->run);
    put_str(&l, l.root, "location", m->location);
    yyjson_mut_obj_add_sint(l.doc, l.root, "clock", m->clock);
    put_str(&l, l.root, "software", m->software);
    yyjson_mut_obj_add_bool(l.doc, l.root, "zstd", m->zstd);
    put_hex(&l, l.root, "proof", m->proof.b, SIGN_SIZE);
    yyjson_mut_obj_add_uint(l.doc, l.root, "backlog", m->backlog);
    yyjson_mut_obj_add_sint(l.doc, l.root, "oldest_at", m->oldest_at);
    put_cursors(&l, m->feeds, m->feed_count);
    yyjson_mut_obj_add_uint(l.doc, l.root, "n", m->count);
    enum err_code code = line_end(&l, to);
    for (size_t i = 0; code == ERR_OK && i < m->count; i++) {
        const struct message_stream *s = &m->streams[i];
        json_writer_begin(&l);
        put_key(&l, l.root, &s->key);
        yyjson_mut_obj_add_uint(l.doc, l.root, "seq", s->head.seq);
        put_hex(&l, l.root, "hash", s->head.hash.b, HASH_SIZE);
        put_hex(&l, l.root, "certificate", s->certificate.signature.b, SIGN_SIZE);
        code = line_end(&l, to);
    }
    return code;
}

static enum err_code write_marks(const struct message_mark *marks, size_t count, struct buf *to)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        struct json_writer l;
        json_writer_begin(&l);
        put_key(&l, l.root, &marks[i].key);
        yyjson_mut_obj_add_uint(l.doc, l.root, "held", marks[i].held.seq);
        put_hex(&l, l.root, "hash", marks[i].held.hash.b, HASH_SIZE);
        yyjson_mut_obj_add_uint(l.doc, l.root, "settled", marks[i].settled);
        if (marks[i].want)
            yyjson_mut_obj_add_uint(l.doc, l.root, "want", marks[i].want);
        if (marks[i].fork)
            yyjson_mut_obj_add_bool(l.doc, l.root, "fork", true);
        code = line_end(&l, to);
    }
    return code;
}

static enum err_code write_welcome(const struct message_welcome *m, struct buf *to)
{
    struct json_writer l;
    line_begin(&l, MESSAGE_WELCOME);
    yyjson_mut_obj_add_sint(l.doc, l.root, "clock", m->clock);
    put_credit(&l, "credit", &m->credit);
    yyjson_mut_obj_add_sint(l.doc, l.root, "jitter_ms", m->jitter_ms);
    put_cursors(&l, m->feeds, m->feed_count);
    yyjson_mut_obj_add_uint(l.doc, l.root, "n", m->count);
    enum err_code code = line_end(&l, to);
    return code ? code : write_marks(m->marks, m->count, to);
}

static enum err_code write_lines(const struct str *lines, size_t count, struct buf *to)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        bool one_line = lines[i].n && memchr(lines[i].p, '\n', lines[i].n) == NULL;
        code = one_line ? buf_append_str(to, lines[i]) : ERR_INVALID;
        if (code == ERR_OK)
            code = buf_append(to, "\n", 1);
    }
    return code;
}

static enum err_code write_push(const struct message_push *m, struct buf *to)
{
    struct json_writer l;
    line_begin(&l, MESSAGE_PUSH);
    put_key(&l, l.root, &m->key);
    yyjson_mut_obj_add_uint(l.doc, l.root, "from", m->from);
    put_hex(&l, l.root, "head", m->head.b, HASH_SIZE);
    put_hex(&l, l.root, "seal", m->seal.b, SIGN_SIZE);
    if (m->from == 1) { // the receiver may not know the origin yet
        put_uuid(&l, l.root, "device", &m->device);
        put_hex(&l, l.root, "certificate", m->certificate.b, SIGN_SIZE);
    }
    yyjson_mut_obj_add_uint(l.doc, l.root, "n", m->count);
    enum err_code code = line_end(&l, to);
    return code ? code : write_lines(m->events, m->count, to);
}

static enum err_code write_ack(const struct message_ack *m, struct buf *to)
{
    struct json_writer l;
    line_begin(&l, MESSAGE_ACK);
    if (m->probe)
        yyjson_mut_obj_add_uint(l.doc, l.root, "probe", m->probe);
    put_credit(&l, "received", &m->received);
    put_credit(&l, "credit", &m->credit);
    yyjson_mut_obj_add_uint(l.doc, l.root, "n", m->count);
    enum err_code code = line_end(&l, to);
    return code ? code : write_marks(m->marks, m->count, to);
}

static void put_includes(struct json_writer *l, const struct message_feed *m)
{
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(l->doc, l->root, "includes");
    for (size_t i = 0; i < m->include_count; i++) {
        const struct message_include *include = &m->includes[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(l->doc, list);
        put_key(l, object, &include->key);
        yyjson_mut_obj_add_uint(l->doc, object, "seq", include->seq);
        if (include->except_count == 0)
            continue;
        yyjson_mut_val *except = yyjson_mut_obj_add_arr(l->doc, object, "except");
        for (size_t j = 0; j < include->except_count; j++) {
            char text[UUID_TEXT_SIZE];
            uuid_format(&include->except[j], text);
            yyjson_mut_arr_add_strcpy(l->doc, except, text);
        }
    }
}

static enum err_code write_feed(const struct message_feed *m, struct buf *to)
{
    struct json_writer l;
    line_begin(&l, MESSAGE_FEED);
    put_str(&l, l.root, "location", m->location);
    put_uuid(&l, l.root, "feed", &m->feed);
    yyjson_mut_obj_add_uint(l.doc, l.root, "k", m->number);
    yyjson_mut_obj_add_uint(l.doc, l.root, "from", m->from);
    yyjson_mut_obj_add_uint(l.doc, l.root, "to", m->to);
    put_hex(&l, l.root, "hash", m->hash.b, HASH_SIZE);
    yyjson_mut_obj_add_bool(l.doc, l.root, "reset", m->reset);
    yyjson_mut_obj_add_bool(l.doc, l.root, "complete", m->complete);
    put_includes(&l, m);
    yyjson_mut_obj_add_uint(l.doc, l.root, "n", m->count);
    enum err_code code = line_end(&l, to);
    return code ? code : write_lines(m->rows, m->count, to);
}

static enum err_code write_feed_ack(const struct message_feed_ack *m, struct buf *to)
{
    struct json_writer l;
    line_begin(&l, MESSAGE_FEED_ACK);
    put_str(&l, l.root, "location", m->location);
    put_uuid(&l, l.root, "feed", &m->feed);
    yyjson_mut_obj_add_uint(l.doc, l.root, "k", m->number);
    yyjson_mut_obj_add_uint(l.doc, l.root, "position", m->position);
    yyjson_mut_obj_add_bool(l.doc, l.root, "resend", m->resend);
    return line_end(&l, to);
}

static enum err_code write_beat(const struct message_beat *m, struct buf *to)
{
    struct json_writer l;
    line_begin(&l, MESSAGE_BEAT);
    yyjson_mut_obj_add_sint(l.doc, l.root, "clock", m->clock);
    yyjson_mut_val *pending = yyjson_mut_obj_add_arr(l.doc, l.root, "pending");
    for (int i = 0; i < LANE_COUNT; i++)
        yyjson_mut_arr_add_uint(l.doc, pending, m->pending[i]);
    yyjson_mut_obj_add_sint(l.doc, l.root, "oldest_at", m->oldest_at);
    yyjson_mut_obj_add_sint(l.doc, l.root, "disk_free", m->disk_free);
    put_str(&l, l.root, "software", m->software);
    return line_end(&l, to);
}

static enum err_code write_error(const struct message_error *m, struct buf *to)
{
    struct json_writer l;
    line_begin(&l, MESSAGE_ERROR);
    put_str(&l, l.root, "code", m->code);
    // A text that was cut within a character must not keep the peer from hearing of the error.
    put_str(&l, l.root, "text", str_is_utf8(m->text) ? m->text : STR("(not UTF-8)"));
    yyjson_mut_obj_add_bool(l.doc, l.root, "final", m->final);
    return line_end(&l, to);
}

static enum err_code write_number(enum message_kind kind, const char *key, int64_t value,
                                  struct buf *to)
{
    struct json_writer l;
    line_begin(&l, kind);
    yyjson_mut_obj_add_sint(l.doc, l.root, key, value);
    return line_end(&l, to);
}

static enum err_code write_message(const struct message *m, struct buf *to)
{
    switch (m->kind) {
    case MESSAGE_CHALLENGE:
        return write_challenge(&m->challenge, to);
    case MESSAGE_HELLO:
        return write_hello(&m->hello, to);
    case MESSAGE_WELCOME:
        return write_welcome(&m->welcome, to);
    case MESSAGE_PUSH:
        return write_push(&m->push, to);
    case MESSAGE_ACK:
        return write_ack(&m->ack, to);
    case MESSAGE_FEED:
        return write_feed(&m->feed, to);
    case MESSAGE_FEED_ACK:
        return write_feed_ack(&m->feed_ack, to);
    case MESSAGE_PROBE:
        return write_number(MESSAGE_PROBE, "k", (int64_t)m->probe, to);
    case MESSAGE_BUSY:
        return write_number(MESSAGE_BUSY, "retry_ms", m->busy_ms, to);
    case MESSAGE_BEAT:
        return write_beat(&m->beat, to);
    case MESSAGE_ERROR:
        return write_error(&m->error, to);
    case MESSAGE_KIND_COUNT:
        break;
    }
    return ERR_INVALID;
}

static void sum_of(struct str text, char to[SUM_HEX + 1])
{
    struct hash hash = hash_of(text);
    str_to_hex(to, hash.b, SUM_HEX / 2);
}

enum err_code message_encode(const struct message *m, struct buf *to)
{
    size_t start = to->len;
    enum err_code code = write_message(m, to);
    if (code == ERR_OK) {
        char sum[SUM_HEX + 1];
        sum_of(str_make(to->data + start, to->len - start), sum);
        code = buf_append_format(to, "{\"sum\":\"%s\"}\n", sum);
    }
    if (code)
        to->len = start;
    return code;
}

// ---- reading ---------------------------------------------------------------------------------

struct reader {
    struct arena *arena;
    yyjson_val *header;
    struct str rest; // lines not read yet
    struct err *e;
};

static enum err_code malformed(const struct reader *r, const char *what)
{
    return err_set(r->e, ERR_PROTOCOL, "message: %s", what);
}

static enum err_code get_u64(const struct reader *r, yyjson_val *object, const char *key,
                             uint64_t *ret)
{
    int64_t value = 0;
    enum err_code code = json_get_i64(object, key, &value, r->e);
    if (code)
        return code;
    if (value < 0)
        return malformed(r, "a negative count");
    *ret = (uint64_t)value;
    return ERR_OK;
}

// A clock reading or a duration: bounded, so that two of them can be subtracted and added.
static enum err_code get_ms(const struct reader *r, yyjson_val *object, const char *key,
                            int64_t *ret)
{
    enum err_code code = json_get_i64(object, key, ret, r->e);
    if (code == ERR_OK && (*ret < 0 || *ret > LIMIT_CLOCK_MS))
        code = err_set(r->e, ERR_PROTOCOL, "message: %s: out of range", key);
    return code;
}

static enum err_code get_bool(const struct reader *r, yyjson_val *object, const char *key,
                              bool *ret)
{
    yyjson_val *value = json_find(object, key);
    if (!yyjson_is_bool(value))
        return err_set(r->e, ERR_PROTOCOL, "message: %s: not true or false", key);
    *ret = yyjson_get_bool(value);
    return ERR_OK;
}

static enum err_code get_key(const struct reader *r, yyjson_val *object, struct stream_key *ret)
{
    struct str lane;
    enum err_code code = json_get_uuid(object, "origin", &ret->origin, r->e);
    if (code == ERR_OK)
        code = json_get_str(object, "lane", &lane, r->e);
    if (code == ERR_OK && lane_parse(lane, &ret->lane))
        code = malformed(r, "unknown lane");
    return code;
}

static enum err_code get_credit(const struct reader *r, const char *key, struct credit *ret)
{
    yyjson_val *pair = json_find(r->header, key);
    if (!yyjson_is_arr(pair) || yyjson_arr_size(pair) != 2 ||
        !yyjson_is_uint(yyjson_arr_get(pair, 0)) || !yyjson_is_uint(yyjson_arr_get(pair, 1)))
        return malformed(r, "credit is not two counts");
    ret->events = yyjson_get_uint(yyjson_arr_get(pair, 0));
    ret->bytes = yyjson_get_uint(yyjson_arr_get(pair, 1));
    return ERR_OK;
}

static enum err_code get_name(const struct reader *r, yyjson_val *object, const char *key,
                              struct str *ret)
{
    enum err_code code = json_get_str(object, key, ret, r->e);
    if (code == ERR_OK && !event_name_valid(*ret))
        code = err_set(r->e, ERR_PROTOCOL, "message: %s: not a valid name", key);
    return code;
}

// The number of record lines, within max.
static enum err_code get_count(const struct reader *r, size_t max, size_t *ret)
{
    uint64_t n = 0;
    enum err_code code = get_u64(r, r->header, "n", &n);
    if (code == ERR_OK && n > max)
        code = err_set(r->e, ERR_LIMIT, "message: %llu records, the limit is %zu",
                       (unsigned long long)n, max);
    *ret = (size_t)n;
    return code;
}

static enum err_code next_line(struct reader *r, struct str *ret)
{
    if (!str_cut(&r->rest, '\n', ret))
        return malformed(r, "fewer records than announced");
    if (ret->n == 0)
        return malformed(r, "an empty line");
    return ERR_OK;
}

static enum err_code next_object(struct reader *r, yyjson_val **ret)
{
    struct str line;
    struct json json = {0};
    enum err_code code = next_line(r, &line);
    if (code == ERR_OK)
        code = json_parse_in(r->arena, line, HEADER_DEPTH, &json, r->e);
    *ret = json.root;
    return code;
}

static enum err_code read_lines(struct reader *r, size_t count, struct str **ret)
{
    struct str *lines = arena_alloc(r->arena, (count + 1) * sizeof(*lines));
    if (lines == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        enum err_code code = next_line(r, &lines[i]);
        if (code)
            return code;
    }
    *ret = lines;
    return ERR_OK;
}

static enum err_code read_challenge(struct reader *r, struct message_challenge *m)
{
    enum err_code code = json_get_hex(r->header, "nonce", m->nonce, CHALLENGE_SIZE, r->e);
    if (code == ERR_OK)
        code = get_ms(r, r->header, "clock", &m->clock);
    if (code == ERR_OK)
        code = get_bool(r, r->header, "zstd", &m->zstd);
    return code;
}

static enum err_code read_cursors(struct reader *r, struct message_cursor *to, size_t *ret_count)
{
    yyjson_val *list = json_find(r->header, "feeds");
    if (!yyjson_is_arr(list) || yyjson_arr_size(list) > MESSAGE_MAX_FEEDS)
        return malformed(r, "feeds is not a short list");
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    yyjson_val *object;
    size_t count = 0;
    while ((object = yyjson_arr_iter_next(&iter)) != NULL) {
        struct message_cursor *cursor = &to[count++];
        enum err_code code = get_name(r, object, "location", &cursor->location);
        if (code == ERR_OK)
            code = json_get_uuid(object, "feed", &cursor->feed, r->e);
        if (code == ERR_OK)
            code = get_u64(r, object, "position", &cursor->position);
        if (code == ERR_OK)
            code = json_get_hash(object, "hash", &cursor->hash, r->e);
        if (code)
            return code;
    }
    *ret_count = count;
    return ERR_OK;
}

static enum err_code read_hello_header(struct reader *r, struct message_hello *m)
{
    struct str protocol;
    enum err_code code = json_get_str(r->header, "protocol", &protocol, r->e);
    if (code == ERR_OK && !str_is(protocol, "wasl.v1"))
        code = malformed(r, "the protocol is not wasl.v1");
    if (code == ERR_OK)
        code = json_get_uuid(r->header, "chain", &m->chain, r->e);
    if (code == ERR_OK)
        code = json_get_uuid(r->header, "device", &m->device, r->e);
    if (code == ERR_OK)
        code = json_get_uuid(r->header, "run", &m->run, r->e);
    if (code == ERR_OK)
        code = get_name(r, r->header, "location", &m->location);
    if (code == ERR_OK)
        code = get_ms(r, r->header, "clock", &m->clock);
    if (code == ERR_OK)
        code = get_name(r, r->header, "software", &m->software);
    if (code == ERR_OK)
        code = get_bool(r, r->header, "zstd", &m->zstd);
    if (code == ERR_OK)
        code = json_get_hex(r->header, "proof", m->proof.b, SIGN_SIZE, r->e);
    if (code == ERR_OK)
        code = get_u64(r, r->header, "backlog", &m->backlog);
    return code ? code : get_ms(r, r->header, "oldest_at", &m->oldest_at);
}

static enum err_code read_hello_stream(struct reader *r, const struct message_hello *m,
                                       struct message_stream *s)
{
    yyjson_val *object;
    enum err_code code = next_object(r, &object);
    if (code == ERR_OK)
        code = get_key(r, object, &s->key);
    if (code == ERR_OK)
        code = get_u64(r, object, "seq", &s->head.seq);
    if (code == ERR_OK)
        code = json_get_hash(object, "hash", &s->head.hash, r->e);
    if (code == ERR_OK)
        code = json_get_hex(object, "certificate", s->certificate.signature.b, SIGN_SIZE, r->e);
    s->certificate.origin = s->key.origin;
    s->certificate.device = m->device;
    return code ? code
                : str_copy(s->certificate.location, sizeof(s->certificate.location), m->location);
}

static enum err_code read_hello(struct reader *r, struct message_hello *m)
{
    enum err_code code = read_hello_header(r, m);
    if (code == ERR_OK)
        code = read_cursors(r, m->feeds, &m->feed_count);
    if (code == ERR_OK)
        code = get_count(r, LIMIT_STREAMS_HELLO, &m->count);
    if (code)
        return code;
    m->streams = arena_alloc_zero(r->arena, (m->count + 1) * sizeof(*m->streams));
    if (m->streams == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; code == ERR_OK && i < m->count; i++)
        code = read_hello_stream(r, m, &m->streams[i]);
    return code;
}

static enum err_code read_mark(struct reader *r, struct message_mark *m)
{
    yyjson_val *object;
    enum err_code code = next_object(r, &object);
    if (code == ERR_OK)
        code = get_key(r, object, &m->key);
    if (code == ERR_OK)
        code = get_u64(r, object, "held", &m->held.seq);
    if (code == ERR_OK)
        code = json_get_hash(object, "hash", &m->held.hash, r->e);
    if (code == ERR_OK)
        code = get_u64(r, object, "settled", &m->settled);
    if (code == ERR_OK && json_find(object, "want"))
        code = get_u64(r, object, "want", &m->want);
    if (code == ERR_OK && json_find(object, "fork"))
        code = get_bool(r, object, "fork", &m->fork);
    if (code == ERR_OK && m->settled > m->held.seq)
        code = malformed(r, "settled beyond held");
    return code;
}

static enum err_code read_marks(struct reader *r, struct message_mark **ret, size_t *ret_count)
{
    enum err_code code = get_count(r, LIMIT_STREAMS_HELLO, ret_count);
    if (code)
        return code;
    *ret = arena_alloc_zero(r->arena, (*ret_count + 1) * sizeof(**ret));
    if (*ret == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; code == ERR_OK && i < *ret_count; i++)
        code = read_mark(r, &(*ret)[i]);
    return code;
}

static enum err_code read_welcome(struct reader *r, struct message_welcome *m)
{
    enum err_code code = get_ms(r, r->header, "clock", &m->clock);
    if (code == ERR_OK)
        code = get_credit(r, "credit", &m->credit);
    if (code == ERR_OK)
        code = get_ms(r, r->header, "jitter_ms", &m->jitter_ms);
    if (code == ERR_OK)
        code = read_cursors(r, m->feeds, &m->feed_count);
    return code ? code : read_marks(r, &m->marks, &m->count);
}

static enum err_code read_push(struct reader *r, struct message_push *m)
{
    enum err_code code = get_key(r, r->header, &m->key);
    if (code == ERR_OK)
        code = get_u64(r, r->header, "from", &m->from);
    if (code == ERR_OK && m->from == 0)
        code = malformed(r, "from begins at 1");
    if (code == ERR_OK)
        code = json_get_hash(r->header, "head", &m->head, r->e);
    if (code == ERR_OK)
        code = json_get_hex(r->header, "seal", m->seal.b, SIGN_SIZE, r->e);
    if (code == ERR_OK && m->from == 1)
        code = json_get_uuid(r->header, "device", &m->device, r->e);
    if (code == ERR_OK && m->from == 1)
        code = json_get_hex(r->header, "certificate", m->certificate.b, SIGN_SIZE, r->e);
    if (code == ERR_OK)
        code = get_count(r, LIMIT_BATCH_EVENTS, &m->count);
    if (code == ERR_OK && m->count == 0)
        code = malformed(r, "a push without events");
    return code ? code : read_lines(r, m->count, &m->events);
}

static enum err_code read_ack(struct reader *r, struct message_ack *m)
{
    enum err_code code = ERR_OK;
    if (json_find(r->header, "probe"))
        code = get_u64(r, r->header, "probe", &m->probe);
    if (code == ERR_OK)
        code = get_credit(r, "received", &m->received);
    if (code == ERR_OK)
        code = get_credit(r, "credit", &m->credit);
    return code ? code : read_marks(r, &m->marks, &m->count);
}

static enum err_code read_except(struct reader *r, yyjson_val *list, struct message_include *to)
{
    if (list == NULL)
        return ERR_OK;
    if (!yyjson_is_arr(list) || yyjson_arr_size(list) > MESSAGE_MAX_EXCEPT)
        return malformed(r, "except is not a short list");
    to->except = arena_alloc(r->arena, (yyjson_arr_size(list) + 1) * sizeof(*to->except));
    if (to->except == NULL)
        return ERR_NO_MEMORY;
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    yyjson_val *id;
    while ((id = yyjson_arr_iter_next(&iter)) != NULL) {
        if (!yyjson_is_str(id) || uuid_parse(str_make(yyjson_get_str(id), yyjson_get_len(id)),
                                             &to->except[to->except_count]))
            return malformed(r, "except holds no UUID");
        to->except_count++;
    }
    return ERR_OK;
}

static enum err_code read_includes(struct reader *r, struct message_feed *m)
{
    yyjson_val *list = json_find(r->header, "includes");
    if (!yyjson_is_arr(list) || yyjson_arr_size(list) > MESSAGE_MAX_INCLUDES)
        return malformed(r, "includes is not a short list");
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    yyjson_val *object;
    while ((object = yyjson_arr_iter_next(&iter)) != NULL) {
        struct message_include *include = &m->includes[m->include_count++];
        enum err_code code = get_key(r, object, &include->key);
        if (code == ERR_OK)
            code = get_u64(r, object, "seq", &include->seq);
        if (code == ERR_OK)
            code = read_except(r, json_find(object, "except"), include);
        if (code)
            return code;
    }
    return ERR_OK;
}

static enum err_code read_feed(struct reader *r, struct message_feed *m)
{
    enum err_code code = get_name(r, r->header, "location", &m->location);
    if (code == ERR_OK)
        code = json_get_uuid(r->header, "feed", &m->feed, r->e);
    if (code == ERR_OK)
        code = get_u64(r, r->header, "k", &m->number);
    if (code == ERR_OK)
        code = get_u64(r, r->header, "from", &m->from);
    if (code == ERR_OK)
        code = get_u64(r, r->header, "to", &m->to);
    if (code == ERR_OK && m->to < m->from)
        code = malformed(r, "a feed that runs backwards");
    if (code == ERR_OK)
        code = json_get_hash(r->header, "hash", &m->hash, r->e);
    if (code == ERR_OK)
        code = get_bool(r, r->header, "reset", &m->reset);
    if (code == ERR_OK)
        code = get_bool(r, r->header, "complete", &m->complete);
    if (code == ERR_OK)
        code = read_includes(r, m);
    if (code == ERR_OK)
        code = get_count(r, MESSAGE_MAX_BYTES, &m->count);
    return code ? code : read_lines(r, m->count, &m->rows);
}

static enum err_code read_feed_ack(struct reader *r, struct message_feed_ack *m)
{
    enum err_code code = get_name(r, r->header, "location", &m->location);
    if (code == ERR_OK)
        code = json_get_uuid(r->header, "feed", &m->feed, r->e);
    if (code == ERR_OK)
        code = get_u64(r, r->header, "k", &m->number);
    if (code == ERR_OK)
        code = get_u64(r, r->header, "position", &m->position);
    return code ? code : get_bool(r, r->header, "resend", &m->resend);
}

static enum err_code read_beat(struct reader *r, struct message_beat *m)
{
    yyjson_val *pending = json_find(r->header, "pending");
    if (!yyjson_is_arr(pending) || yyjson_arr_size(pending) != LANE_COUNT)
        return malformed(r, "pending is not a count per lane");
    for (size_t i = 0; i < LANE_COUNT; i++) {
        if (!yyjson_is_uint(yyjson_arr_get(pending, i)))
            return malformed(r, "pending is not a count per lane");
        m->pending[i] = yyjson_get_uint(yyjson_arr_get(pending, i));
    }
    enum err_code code = get_ms(r, r->header, "clock", &m->clock);
    if (code == ERR_OK)
        code = get_ms(r, r->header, "oldest_at", &m->oldest_at);
    if (code == ERR_OK)
        code = json_get_i64(r->header, "disk_free", &m->disk_free, r->e);
    return code ? code : get_name(r, r->header, "software", &m->software);
}

static enum err_code read_error(struct reader *r, struct message_error *m)
{
    enum err_code code = json_get_str(r->header, "code", &m->code, r->e);
    if (code == ERR_OK)
        code = json_get_str(r->header, "text", &m->text, r->e);
    return code ? code : get_bool(r, r->header, "final", &m->final);
}

static enum err_code read_body(struct reader *r, struct message *m)
{
    switch (m->kind) {
    case MESSAGE_CHALLENGE:
        return read_challenge(r, &m->challenge);
    case MESSAGE_HELLO:
        return read_hello(r, &m->hello);
    case MESSAGE_WELCOME:
        return read_welcome(r, &m->welcome);
    case MESSAGE_PUSH:
        return read_push(r, &m->push);
    case MESSAGE_ACK:
        return read_ack(r, &m->ack);
    case MESSAGE_FEED:
        return read_feed(r, &m->feed);
    case MESSAGE_FEED_ACK:
        return read_feed_ack(r, &m->feed_ack);
    case MESSAGE_PROBE:
        return get_u64(r, r->header, "k", &m->probe);
    case MESSAGE_BUSY:
        return get_ms(r, r->header, "retry_ms", &m->busy_ms);
    case MESSAGE_BEAT:
        return read_beat(r, &m->beat);
    case MESSAGE_ERROR:
        return read_error(r, &m->error);
    case MESSAGE_KIND_COUNT:
        break;
    }
    return malformed(r, "unknown kind");
}

// {"sum":"<32 hex>"} and a newline; the text before it is what it covers.
static enum err_code check_sum(struct str text, struct str *ret_covered, struct err *e)
{
    static const char opening[] = "{\"sum\":\"";
    enum { OPENING = sizeof(opening) - 1, TAIL = OPENING + SUM_HEX + 3 };
    if (text.n < TAIL || memcmp(text.p + text.n - TAIL, opening, OPENING) != 0 ||
        memcmp(text.p + text.n - 3, "\"}\n", 3) != 0)
        return err_set(e, ERR_DAMAGED, "message: no closing sum");
    struct str covered = str_make(text.p, text.n - TAIL);
    char sum[SUM_HEX + 1];
    sum_of(covered, sum);
    if (memcmp(sum, text.p + covered.n + OPENING, SUM_HEX) != 0)
        return err_set(e, ERR_DAMAGED, "message: the closing sum is wrong");
    *ret_covered = covered;
    return ERR_OK;
}

static enum err_code read_kind(const struct reader *r, enum message_kind *ret)
{
    struct str name;
    enum err_code code = json_get_str(r->header, "m", &name, r->e);
    if (code)
        return code;
    for (int i = 0; i < MESSAGE_KIND_COUNT; i++) {
        if (str_is(name, kind_names[i])) {
            *ret = (enum message_kind)i;
            return ERR_OK;
        }
    }
    return malformed(r, "unknown kind");
}

enum err_code message_decode(struct str text, struct arena *arena, struct message *ret,
                             struct err *e)
{
    struct reader r = {.arena = arena, .e = e};
    if (text.n > MESSAGE_MAX_BYTES)
        return err_set(e, ERR_LIMIT, "message: %zu bytes, the limit is %d", text.n,
                       MESSAGE_MAX_BYTES);
    enum err_code code = check_sum(text, &r.rest, e);
    if (code)
        return code;
    if (r.rest.n == 0 || r.rest.p[r.rest.n - 1] != '\n')
        return malformed(&r, "its last line does not end");
    memset(ret, 0, sizeof(*ret));
    code = next_object(&r, &r.header);
    if (code == ERR_OK)
        code = read_kind(&r, &ret->kind);
    if (code == ERR_OK)
        code = read_body(&r, ret);
    if (code == ERR_OK && r.rest.n != 0)
        code = malformed(&r, "more records than announced");
    if (code == ERR_PARSE || code == ERR_INVALID)
        return err_wrap(e, ERR_PROTOCOL, "message");
    return code;
}
