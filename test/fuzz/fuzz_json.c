// SPDX-License-Identifier: Apache-2.0
// Strict JSON: what is accepted and written again must be accepted again, and be the same text.
#include "fuzz.h"

#include "base/json.h"

enum { DEPTH = 16, MEMORY_BYTES = 16 << 20, TEXT_BYTES = 8 << 20 };

static void write_again(struct str text, struct arena *a, struct buf *to)
{
    struct json j;
    struct err e = {0};
    arena_reset(a);
    enum err_code code = json_parse_in(a, text, DEPTH, &j, &e);
    MUST(code == ERR_OK);
    code = json_append_value(to, j.root);
    MUST(code == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct buf first, second;
    struct json j;
    struct err e = {0};
    arena_init(&a, MEMORY_BYTES);
    buf_init(&first, TEXT_BYTES);
    buf_init(&second, TEXT_BYTES);
    struct str text = str_make(data, size);
    if (json_parse_in(&a, text, DEPTH, &j, &e) == ERR_OK) {
        write_again(text, &a, &first);
        write_again(buf_str(&first), &a, &second);
        MUST(str_equal(buf_str(&first), buf_str(&second)));
    }
    buf_fini(&second);
    buf_fini(&first);
    arena_fini(&a);
    return 0;
}
