// SPDX-License-Identifier: Apache-2.0
// Messages of the protocol: decoded, encoded and decoded again, the text is the same.
//
// No input guesses a hash, so the closing line is written here: an input is all before it.
#include "fuzz.h"

#include "sync/message.h"

enum { MEMORY_BYTES = 32 << 20, SUM_BYTES = 16 };

static void close_with_sum(struct str covered, struct buf *to)
{
    struct hash hash = hash_of(covered);
    char sum[2 * SUM_BYTES + 1];
    str_to_hex(sum, hash.b, SUM_BYTES);
    enum err_code code = buf_append_str(to, covered);
    MUST(code == ERR_OK);
    code = buf_append_format(to, "{\"sum\":\"%s\"}\n", sum);
    MUST(code == ERR_OK);
}

static void encode_again(const struct message *m, struct arena *a)
{
    struct buf text, again;
    struct message read;
    struct err e = {0};
    buf_init(&text, 8 * MESSAGE_MAX_BYTES);
    buf_init(&again, 8 * MESSAGE_MAX_BYTES);
    enum err_code code = message_encode(m, &text);
    MUST(code == ERR_OK);
    code = message_decode(buf_str(&text), a, &read, &e);
    MUST(code == ERR_OK && read.kind == m->kind);
    code = message_encode(&read, &again);
    MUST(code == ERR_OK && str_equal(buf_str(&text), buf_str(&again)));
    buf_fini(&again);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct buf text;
    struct message m;
    struct err e = {0};
    arena_init(&a, MEMORY_BYTES);
    buf_init(&text, 2 * MESSAGE_MAX_BYTES);
    close_with_sum(str_make(data, size), &text);
    if (message_decode(buf_str(&text), &a, &m, &e) == ERR_OK)
        encode_again(&m, &a);
    buf_fini(&text);
    arena_fini(&a);
    return 0;
}
