// SPDX-License-Identifier: Apache-2.0
// Events: one that is read, written and read again says the same, and so does its text; one of a
// known type whose body is valid has effects or a clear error.
#include "fuzz.h"

#include "model/effect.h"

enum { MEMORY_BYTES = 16 << 20 };

static void write_again(const struct event *event, struct arena *a)
{
    struct buf text, again;
    struct event read;
    struct err e = {0};
    buf_init(&text, 4 * LIMIT_EVENT_BYTES);
    buf_init(&again, 4 * LIMIT_EVENT_BYTES);
    enum err_code code = event_write(event, &text);
    MUST(code == ERR_OK);
    code = event_parse(buf_str(&text), a, &read, &e);
    MUST(code == ERR_OK && event_same_content(event, &read));
    struct event_order first = event_order_of(event), second = event_order_of(&read);
    MUST(event_order_compare(&first, &second) == 0);
    code = event_write(&read, &again);
    MUST(code == ERR_OK && str_equal(buf_str(&text), buf_str(&again)));
    buf_fini(&again);
    buf_fini(&text);
}

static void apply(const struct event *event, struct arena *a)
{
    struct effect_list effects = {0};
    struct err e = {0};
    if (effect_list_of(event, a, &effects, &e) == ERR_OK)
        MUST(effects.count > 0);
    else
        MUST(e.text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct event event;
    struct err e = {0};
    arena_init(&a, MEMORY_BYTES);
    if (event_parse(str_make(data, size), &a, &event, &e) == ERR_OK) {
        write_again(&event, &a);
        if (event.type && event_type_check(event.type, event.version, event.body, &e) == ERR_OK)
            apply(&event, &a);
    }
    arena_fini(&a);
    return 0;
}
