// SPDX-License-Identifier: Apache-2.0
#include "cli/csv_out.h"

#include <string.h>

static bool needs_quotes(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (strchr(",\"\r\n", text.p[i]) != NULL) {
            return true;
        }
    }
    return text.n > 0 && (text.p[0] == ' ' || text.p[text.n - 1] == ' ');
}

void csv_out_text(FILE *to, struct str text)
{
    if (!needs_quotes(text)) {
        (void)fwrite(text.p, 1, text.n, to);
        return;
    }
    (void)fputc('"', to);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"') {
            (void)fputc('"', to);
        }
        (void)fputc(text.p[i], to);
    }
    (void)fputc('"', to);
}

void csv_out_integer(FILE *to, int64_t value)
{
    (void)fprintf(to, "%lld", (long long)value);
}

void csv_out_next(FILE *to)
{
    (void)fputc(',', to);
}

void csv_out_end(FILE *to)
{
    (void)fputc('\n', to);
}
