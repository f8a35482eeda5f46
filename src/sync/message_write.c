// SPDX-License-Identifier: Apache-2.0
#include "sync/message_private.h"

#include <string.h>

static void line_begin(struct json_writer *l, enum message_kind kind)
{
    json_writer_begin(l);
    yyjson_mut_obj_add_str(l->doc, l->root, "m", message_kind_name(kind));
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

static void put_recovery(struct json_writer *l, const struct uuid *id)
{
    if (!uuid_is_zero(id))
        put_uuid(l, l->root, "recovery", id);
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

static void put_catalog(struct json_writer *l, const char *key, const struct message_catalog *m)
{
    if (m->version == 0)
        return;
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(l->doc, l->root, key);
    yyjson_mut_obj_add_uint(l->doc, object, "version", m->version);
    put_hex(l, object, "hash", m->hash.b, HASH_SIZE);
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
    put_recovery(&l, &m->recovery);
    yyjson_mut_obj_add_uint(l.doc, l.root, "backlog", m->backlog);
    yyjson_mut_obj_add_sint(l.doc, l.root, "oldest_at", m->oldest_at);
    put_catalog(&l, "catalog", &m->catalog);
    put_catalog(&l, "refused", &m->refused);
    put_cursors(&l, m->feeds, m->feed_count);
    yyjson_mut_obj_add_uint(l.doc, l.root, "n", m->count);
    enum err_code code = line_end(&l, to);
    for (size_t i = 0; code == ERR_OK && i < m->count; i++) {
        const struct message_stream *s = &m->streams[i];
        json_writer_begin(&l);
        put_key(&l, l.root, &s->key);
        yyjson_mut_obj_add_uint(l.doc, l.root, "seq", s->head.seq);
        put_hex(&l, l.root, "hash", s->head.hash.b, HASH_SIZE);
        if (s->settled)
            yyjson_mut_obj_add_uint(l.doc, l.root, "settled", s->settled);
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
    if (m->revoked)
        yyjson_mut_obj_add_true(l.doc, l.root, "revoked");
    put_recovery(&l, &m->recovery);
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
    put_catalog(&l, "catalog", &m->catalog);
    put_catalog(&l, "refused", &m->refused);
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

enum err_code message_write(const struct message *m, struct buf *to)
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
