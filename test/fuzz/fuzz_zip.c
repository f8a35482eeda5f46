// SPDX-License-Identifier: Apache-2.0
// zstd from a peer: never more than the given maximum, and packed again it unpacks to the same.
#include "fuzz.h"

#include "base/zip.h"

enum { MAX_BYTES = 1 << 20 };

static void pack_and_unpack(struct zip *z, struct str content)
{
    struct buf packed, again;
    buf_init(&packed, 2 * MAX_BYTES);
    buf_init(&again, MAX_BYTES);
    enum err_code code = zip_pack(z, content, &packed);
    MUST(code == ERR_OK);
    code = zip_unpack(z, buf_str(&packed), MAX_BYTES, &again);
    MUST(code == ERR_OK && str_equal(buf_str(&again), content));
    buf_fini(&again);
    buf_fini(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zip *z;
    if (z == NULL && zip_new(3, &z) != ERR_OK)
        return 0;
    struct buf content;
    buf_init(&content, MAX_BYTES);
    if (zip_unpack(z, str_make(data, size), MAX_BYTES, &content) == ERR_OK) {
        MUST(content.len <= MAX_BYTES);
        pack_and_unpack(z, buf_str(&content));
    }
    buf_fini(&content);
    return 0;
}
