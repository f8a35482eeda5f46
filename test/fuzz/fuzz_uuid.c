// SPDX-License-Identifier: Apache-2.0
// UUIDs: an accepted text, formatted, reads as the same id.
#include "fuzz.h"

#include "base/uuid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct uuid id, again;
    if (uuid_parse(str_make(data, size), &id) != ERR_OK)
        return 0;
    char text[UUID_TEXT_SIZE];
    uuid_format(&id, text);
    enum err_code code = uuid_parse(str_of(text), &again);
    MUST(code == ERR_OK && uuid_equal(&id, &again));
    return 0;
}
