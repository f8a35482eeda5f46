// SPDX-License-Identifier: Apache-2.0
#include "sync/step.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_MAX = 16 * 1024 * 1024, FIRST_CAPACITY = 8 };

void steps_init(struct steps *s)
{
    *s = (struct steps){0};
    arena_init(&s->arena, ARENA_MAX);
    buf_init(&s->buf, MESSAGE_MAX_BYTES);
}

void steps_fini(struct steps *s)
{
    free(s->items);
    arena_fini(&s->arena);
    buf_fini(&s->buf);
    *s = (struct steps){0};
}

void steps_reset(struct steps *s)
{
    s->count = 0;
    s->failed = false;
    arena_reset(&s->arena);
}

static bool grow(struct steps *s)
{
    size_t capacity = s->capacity ? s->capacity * 2 : FIRST_CAPACITY;
    struct step *items =
        capacity <= STEPS_MAX ? realloc(s->items, capacity * sizeof(*items)) : NULL;
    if (items == NULL)
        return false;
    s->items = items;
    s->capacity = capacity;
    return true;
}

struct step *steps_add(struct steps *s, enum step_kind kind)
{
    static _Thread_local struct step nowhere;
    if (s->count == s->capacity && !grow(s)) {
        s->failed = true;
        nowhere = (struct step){.kind = kind};
        return &nowhere;
    }
    s->items[s->count] = (struct step){.kind = kind};
    return &s->items[s->count++];
}

void steps_send(struct steps *s, const struct message *m)
{
    buf_reset(&s->buf);
    enum err_code code = message_encode(m, &s->buf);
    struct str text = code ? str_of(NULL) : arena_copy(&s->arena, buf_str(&s->buf));
    if (text.p == NULL) {
        s->failed = true;
        return;
    }
    steps_add(s, STEP_SEND)->text = text;
}

void steps_close(struct steps *s, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    steps_add(s, STEP_CLOSE)->text = arena_copy(&s->arena, str_of(text));
}
