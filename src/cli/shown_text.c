// SPDX-License-Identifier: Apache-2.0
#include "cli/shown_text.h"

static bool is_one_line(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20) {
            return false;
        }
    }
    return true;
}

struct str shown_text_of(struct str text, struct arena *a)
{
    if (is_one_line(text) && str_is_plain(text)) {
        return text;
    }
    size_t most = text.n * STR_ESCAPE_MAX;
    char *to = text.n <= SIZE_MAX / STR_ESCAPE_MAX ? arena_alloc(a, most + 1) : NULL;
    return to == NULL ? STR("(?)") : str_make(to, str_escape(to, text));
}
