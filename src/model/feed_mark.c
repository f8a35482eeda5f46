// SPDX-License-Identifier: Apache-2.0
#include "model/feed_mark.h"

#include "model/mutant.h"

#include <string.h>

enum { HEAD_BYTES = 8 };

struct hash feed_mark_of(const struct feed_mark *at, const struct feed_mark *head)
{
    char both[HEAD_BYTES + 2 * HASH_SIZE];
    if (at->position >= head->position || MUTANT(copy_goes_on))
        return at->hash;
    for (int i = 0; i < HEAD_BYTES; i++)
        both[i] = (char)(uint8_t)(head->position >> (8 * (HEAD_BYTES - 1 - i)));
    memcpy(both + HEAD_BYTES, at->hash.b, HASH_SIZE);
    memcpy(both + HEAD_BYTES + HASH_SIZE, head->hash.b, HASH_SIZE);
    struct hash mark = hash_of(str_make(both, sizeof both));
    memcpy(mark.b, both, HEAD_BYTES);
    return mark;
}

uint64_t feed_mark_head(const struct hash *mark)
{
    uint64_t position = 0;
    for (int i = 0; i < HEAD_BYTES; i++)
        position = position << 8 | mark->b[i];
    return position;
}
