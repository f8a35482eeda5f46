// SPDX-License-Identifier: Apache-2.0
#include "sync/message_private.h"

#include <string.h>

enum { SUM_HEX = 32 };

static const char *const kind_names[MESSAGE_KIND_COUNT] = {
    "challenge", "hello", "welcome", "push", "ack",  "feed",
    "feed_ack",  "probe", "busy",    "beat", "error"};

const char *message_kind_name(enum message_kind kind)
{
    return kind_names[kind];
}

static void sum_of(struct str text, char to[SUM_HEX + 1])
{
    struct hash hash = hash_of(text);
    str_to_hex(to, hash.b, SUM_HEX / 2);
}

enum err_code message_encode(const struct message *m, struct buf *to)
{
    size_t start = to->len;
    enum err_code code = message_write(m, to);
    if (code == ERR_OK) {
        char sum[SUM_HEX + 1];
        sum_of(str_make(to->data + start, to->len - start), sum);
        code = buf_append_format(to, "{\"sum\":\"%s\"}\n", sum);
    }
    if (code)
        to->len = start;
    return code;
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

enum err_code message_decode(struct str text, struct arena *arena, struct message *ret,
                             struct err *e)
{
    struct str covered;
    if (text.n > MESSAGE_MAX_BYTES)
        return err_set(e, ERR_LIMIT, "message: %zu bytes, the limit is %d", text.n,
                       MESSAGE_MAX_BYTES);
    enum err_code code = check_sum(text, &covered, e);
    return code ? code : message_read(covered, arena, ret, e);
}
