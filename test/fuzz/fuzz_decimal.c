// SPDX-License-Identifier: Apache-2.0
// Decimals: an accepted text gives a value whose shortest form gives the same value.
#include "fuzz.h"

#include "base/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t value = 0;
    if (decimal_parse(str_make(data, size), &value) != ERR_OK)
        return 0;
    char text[DECIMAL_TEXT_MAX];
    decimal_format(value, text);
    int64_t again = 0;
    enum err_code code = decimal_parse(str_of(text), &again);
    MUST(code == ERR_OK && again == value);
    return 0;
}
