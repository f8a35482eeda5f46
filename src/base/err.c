// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef err_set // macros around these, for the analyser only
#undef err_wrap

static const struct {
    const char *name;
    const char *text;
    bool retriable;
} codes[ERR_COUNT] = {
#define ERR_ROW(name, retriable, text) {#name, text, retriable},
    ERR_LIST(ERR_ROW)
#undef ERR_ROW
};

static bool known(enum err_code code)
{
    return (unsigned)code < ERR_COUNT;
}

// A message cut in the middle of a character would not be valid UTF-8 in a log or a reply.
static void cut_to_whole_characters(char text[ERR_TEXT_MAX])
{
    size_t n = ERR_TEXT_MAX - 1;
    size_t start = n;
    while (start > 0 && n - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) {
        start--;
    }
    if (start == 0) {
        return;
    }
    unsigned char lead = (unsigned char)text[start - 1];
    size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (wanted > n - start + 1) {
        text[start - 1] = '\0';
    }
}

// The result is built beside e->text, since an argument may point into it.
static void fill(struct err *e, enum err_code code, const char *text, int written)
{
    e->code = code;
    memcpy(e->text, text, ERR_TEXT_MAX);
    if (written >= ERR_TEXT_MAX) {
        cut_to_whole_characters(e->text);
    }
}

enum err_code err_set(struct err *e, enum err_code code, const char *format, ...)
{
    if (e == NULL) {
        return code;
    }
    char text[ERR_TEXT_MAX] = "";
    va_list args;
    va_start(args, format);
    int written = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fill(e, code, text, written);
    return code;
}

enum err_code err_wrap(struct err *e, enum err_code code, const char *format, ...)
{
    if (e == NULL) {
        return code;
    }
    char context[ERR_TEXT_MAX] = "";
    va_list args;
    va_start(args, format);
    (void)vsnprintf(context, sizeof context, format, args);
    va_end(args);
    char text[ERR_TEXT_MAX] = "";
    const char *cause = e->text[0] != '\0' ? e->text : err_text(code);
    int written = snprintf(text, sizeof text, "%s: %s", context, cause);
    fill(e, code, text, written);
    return code;
}

bool err_retriable(enum err_code code)
{
    return known(code) && codes[code].retriable;
}

const char *err_name(enum err_code code)
{
    return known(code) ? codes[code].name : "UNKNOWN";
}

const char *err_text(enum err_code code)
{
    return known(code) ? codes[code].text : "unknown error";
}

const char *err_message(const struct err *e)
{
    if (e == NULL) {
        return "unknown error";
    }
    return e->text[0] != '\0' ? e->text : err_text(e->code);
}

_Noreturn void err_bug(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "wasl: bug at %s:%d: %s\n", file, line, condition);
    (void)fflush(stderr);
    abort();
}
