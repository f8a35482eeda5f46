// SPDX-License-Identifier: Apache-2.0
#include "sync/message_private.h"

#include <string.h>

enum { HEADER_DEPTH = 6 };

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

// Of a server that was never restored there is none.
static enum err_code get_recovery(const struct reader *r, struct uuid *ret)
{
    return json_find(r->header, "recovery") ? json_get_uuid(r->header, "recovery", ret, r->e)
                                            : ERR_OK;
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

// Optional: a device that holds no catalog says nothing of one.
static enum err_code get_catalog(const struct reader *r, const char *key,
                                 struct message_catalog *ret)
{
    yyjson_val *object = json_find(r->header, key);
    *ret = (struct message_catalog){.version = 0};
    if (object == NULL || yyjson_is_null(object))
        return ERR_OK;
    if (!yyjson_is_obj(object))
        return malformed(r, "a catalog is not an object");
    enum err_code code = get_u64(r, object, "version", &ret->version);
    return code ? code : json_get_hash(object, "hash", &ret->hash, r->e);
}

static enum err_code get_catalogs(const struct reader *r, struct message_catalog *ret_catalog,
                                  struct message_catalog *ret_refused)
{
    enum err_code code = get_catalog(r, "catalog", ret_catalog);
    return code ? code : get_catalog(r, "refused", ret_refused);
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
        code = get_recovery(r, &m->recovery);
    if (code == ERR_OK)
        code = get_u64(r, r->header, "backlog", &m->backlog);
    if (code == ERR_OK)
        code = get_catalogs(r, &m->catalog, &m->refused);
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
    if (code == ERR_OK && json_find(object, "settled"))
        code = get_u64(r, object, "settled", &s->settled);
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
    if (code == ERR_OK && json_find(r->header, "revoked"))
        code = get_bool(r, r->header, "revoked", &m->revoked);
    if (code == ERR_OK)
        code = get_recovery(r, &m->recovery);
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
    if (code == ERR_OK)
        code = get_catalogs(r, &m->catalog, &m->refused);
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

static enum err_code read_kind(const struct reader *r, enum message_kind *ret)
{
    struct str name;
    enum err_code code = json_get_str(r->header, "m", &name, r->e);
    if (code)
        return code;
    for (int i = 0; i < MESSAGE_KIND_COUNT; i++) {
        if (str_is(name, message_kind_name((enum message_kind)i))) {
            *ret = (enum message_kind)i;
            return ERR_OK;
        }
    }
    return malformed(r, "unknown kind");
}

enum err_code message_read(struct str text, struct arena *arena, struct message *ret, struct err *e)
{
    struct reader r = {.arena = arena, .rest = text, .e = e};
    if (text.n == 0 || text.p[text.n - 1] != '\n')
        return malformed(&r, "its last line does not end");
    memset(ret, 0, sizeof(*ret));
    enum err_code code = next_object(&r, &r.header);
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
