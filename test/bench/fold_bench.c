// SPDX-License-Identifier: Apache-2.0
// How fast records are folded: random histories of each record type, events of one record as they
// come (some out of order), folded after each delivery and turned into rows.
//
// Two figures: with the events' text read first, and from the text on. Baseline: reading the same
// texts, and nothing else. Seconds are the processor's.
#include "test/unit/model/generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 7, DELIVERY = 8 };

struct corpus {
    const struct reducer *reducer;
    struct history *items;
    size_t count, events;
};

static void make(struct corpus *c, const struct reducer *reducer, size_t count)
{
    *c = (struct corpus){.reducer = reducer, .items = calloc(count, sizeof *c->items)};
    MUST(c->items != NULL);
    for (size_t i = 0; i < count; i++) {
        struct rng rng;
        rng_init(&rng, i + 1);
        history_init(&c->items[i], reducer);
        generate_history(&c->items[i], &rng);
        c->events += c->items[i].count;
    }
    c->count = count;
}

static void fini(struct corpus *c)
{
    for (size_t i = 0; i < c->count; i++)
        history_fini(&c->items[i]);
    free(c->items);
}

static void read_texts(const struct corpus *c, struct arena *a)
{
    for (size_t i = 0; i < c->count; i++) {
        for (size_t n = 0; n < c->items[i].count; n++) {
            struct event event;
            arena_reset(a);
            MUST(event_parse(c->items[i].events[n].bytes, a, &event, NULL) == ERR_OK);
        }
    }
}

// 'a' not NULL: the texts are read again first.
static void fold_one(const struct history *h, struct arena *rows, struct arena *a)
{
    struct record *r = NULL;
    MUST(record_new(h->reducer, STR("R1"), RECORD_BYTES, &r) == ERR_OK);
    for (size_t n = 0; n < h->count; n++) {
        struct event event = h->events[n];
        if (a != NULL) {
            arena_reset(a);
            MUST(event_parse(h->events[n].bytes, a, &event, NULL) == ERR_OK);
            MUST(event_type_check(event.type, event.version, event.body, NULL) == ERR_OK);
        }
        MUST(record_add(r, &event, NULL) == ERR_OK);
        if (n % DELIVERY == DELIVERY - 1 || n + 1 == h->count) {
            struct row_list list;
            MUST(record_fold(r) == ERR_OK);
            arena_reset(rows);
            MUST(record_rows(r, rows, &list) == ERR_OK);
        }
    }
    record_free(r);
}

static void fold(const struct corpus *c, struct arena *rows, struct arena *a)
{
    for (size_t i = 0; i < c->count; i++)
        fold_one(&c->items[i], rows, a);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double values[RUNS])
{
    qsort(values, RUNS, sizeof values[0], by_value);
    return values[RUNS / 2];
}

// Of this process: folding waits for nothing, and what else the machine does is no part of it.
static int64_t cpu_us(void)
{
    struct timespec t;
    MUST(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static double per_second(const struct corpus *list, size_t count, int64_t from_us)
{
    size_t events = 0;
    for (size_t i = 0; i < count; i++)
        events += list[i].events;
    int64_t took = cpu_us() - from_us;
    return (double)events * 1e6 / (double)(took > 0 ? took : 1);
}

static void report(const char *name, double value, double baseline)
{
    printf("{\"name\":\"%s\",\"value\":%.0f,\"unit\":\"events/s\",\"baseline\":%.0f,"
           "\"ratio\":%.3f}\n",
           name, value, baseline, value / baseline);
}

static void measure(const char *what, const struct corpus *list, size_t count)
{
    double folded[RUNS], whole[RUNS], read[RUNS];
    struct arena a, rows;
    char name[128];
    arena_init(&a, RECORD_BYTES);
    arena_init(&rows, RECORD_BYTES);
    for (int run = 0; run < RUNS; run++) {
        int64_t from = cpu_us();
        for (size_t i = 0; i < count; i++)
            fold(&list[i], &rows, NULL);
        folded[run] = per_second(list, count, from);
        from = cpu_us();
        for (size_t i = 0; i < count; i++)
            fold(&list[i], &rows, &a);
        whole[run] = per_second(list, count, from);
        from = cpu_us();
        for (size_t i = 0; i < count; i++)
            read_texts(&list[i], &a);
        read[run] = per_second(list, count, from);
    }
    snprintf(name, sizeof name, "fold of %s, events read before", what);
    report(name, median(folded), median(read));
    snprintf(name, sizeof name, "fold of %s, from their text", what);
    report(name, median(whole), median(read));
    arena_fini(&a);
    arena_fini(&rows);
}

int main(int argc, char **argv)
{
    size_t each = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 20 : 200;
    struct corpus *list = calloc(reducer_count, sizeof *list);
    MUST(list != NULL);
    for (size_t i = 0; i < reducer_count; i++)
        make(&list[i], reducers[i], each);
    measure("mixed records", list, reducer_count);
    for (size_t i = 0; i < reducer_count; i++)
        measure(reducers[i]->record_type, &list[i], 1);
    for (size_t i = 0; i < reducer_count; i++)
        fini(&list[i]);
    free(list);
    return 0;
}
