// SPDX-License-Identifier: Apache-2.0
// What it costs when very many disagree in one record: about as much as there are of them, not the
// square of it. Measured in the processor's time, of one number of rivals and of four times as
// many.
#include "model/judgement.h"
#include "model/order.h"
#include "test/unit/model/history.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <time.h>

// Four times as many take four times as long, and a little for sorting; the square is sixteen.
enum { FEW = 2500, MANY = 4 * FEW, MOST = 10, TRIES = 8 };

enum streams { ONE_STREAM, OWN_STREAMS };
struct rivals {
    const char *name, *record_type;
    enum streams streams;
    // The i-th event: what it is and says; its base, or NULL for none.
    void (*write)(size_t i, char *type, char *body, char *base);
};

enum { TEXT = 1024 };

static const char *id(uint64_t number)
{
    return history_id_text(number);
}

static void name_first(char *base)
{
    snprintf(base, TEXT, "\"%s\"", id(0));
}

static void set_price(size_t i, char *type, char *body, char *base)
{
    snprintf(type, TEXT, "price_set");
    snprintf(body, TEXT, "{\"sku\":\"R1\",\"price\":\"%zu\",\"currency\":\"USD\",\"places\":2}", i);
    if (i > 0)
        name_first(base);
}

static void set_one_price(size_t i, char *type, char *body, char *base)
{
    set_price(i, type, body, base);
    snprintf(body, TEXT, "{\"sku\":\"R1\",\"price\":\"%d\",\"currency\":\"USD\",\"places\":2}",
             i == 1);
}

// Half of them disagree, and then each of the others has seen one more of them.
static void settle_price(size_t i, char *type, char *body, char *base)
{
    set_price(i, type, body, base);
    if (i % 2 == 1 && i > 2)
        snprintf(base, TEXT, "\"%s\",\"%s\"", id(i - 1), id(i - 2));
}

static void set_promotion(size_t i, char *type, char *body, char *base)
{
    snprintf(type, TEXT, "promotion_set");
    snprintf(
        body, TEXT,
        "{\"name\":\"n%zu\",\"kind\":\"%s\",\"value\":\"%zu\",\"sku\":\"s%zu\",\"buy\":\"%zu\","
        "\"priority\":%zu,\"category\":\"c%zu\",\"place\":\"p%zu\"}",
        i, i % 2 ? "price" : "amount", i, i, i, i, i, i);
    if (i > 0)
        name_first(base);
}

static void set_item(size_t i, char *type, char *body, char *base)
{
    (void)base;
    snprintf(type, TEXT, "item_set");
    snprintf(body, TEXT, "{\"name\":\"n%zu\",\"category\":\"c%zu\",\"barcode\":\"b%zu\"}", i, i, i);
}

static void answer_price(size_t i, char *type, char *body, char *base)
{
    set_price(i, type, body, base);
    if (i % 2 == 0 || i < 2)
        return;
    snprintf(type, TEXT, "review_resolved");
    snprintf(body, TEXT,
             "{\"review\":\"same_rank\",\"part\":\"price\",\"decision\":\"%s\","
             "\"triggers\":[{\"event\":\"%s\"}]}",
             i % 3 ? "accept" : "reject", id(i - 1));
}

static void judge_count(size_t i, char *type, char *body, char *base)
{
    (void)base;
    snprintf(type, TEXT, "event_judged");
    snprintf(body, TEXT,
             "{\"target\":\"%s\",\"outcome\":\"applied\",\"reason\":\"difference\",\"term\":1,"
             "\"shown\":\"9\",\"expected\":\"8\",\"correction\":\"1\"}",
             id(0x200000 + i));
}

static void judge_one_count(size_t i, char *type, char *body, char *base)
{
    judge_count(i, type, body, base);
    snprintf(body, TEXT,
             "{\"target\":\"%s\",\"outcome\":\"applied\",\"reason\":\"difference\",\"term\":1,"
             "\"shown\":\"9\",\"expected\":\"8\",\"correction\":\"1\"}",
             id(0x200000));
}

static void open_order(char *type, char *body)
{
    snprintf(type, TEXT, "order_opened");
    snprintf(body, TEXT, "{\"kind\":\"dine_in\",\"currency\":\"USD\",\"places\":2}");
}

static void change_line(size_t i, char *type, char *body, char *base)
{
    if (i == 0) {
        open_order(type, body);
        return;
    }
    snprintf(type, TEXT, i == 1 ? "line_added" : "line_changed");
    snprintf(body, TEXT, "{\"line\":\"%s\",\"quantity\":\"1\"%s}", id(1),
             i == 1 ? ",\"sku\":\"A\",\"unit_price\":\"1\"" : "");
    name_first(base);
}

// Of each line, an adding and a change that do not know of each other, beside a completed bill.
static void many_lines(size_t i, char *type, char *body, char *base)
{
    if (i == 0) {
        open_order(type, body);
        return;
    }
    name_first(base);
    if (i == 1) {
        snprintf(type, TEXT, "sale_completed");
        snprintf(body, TEXT, "{\"total\":1,\"receipt\":\"R\",\"uses\":[]}");
        return;
    }
    snprintf(type, TEXT, i % 2 ? "line_changed" : "line_added");
    snprintf(body, TEXT, "{\"line\":\"%s\",\"quantity\":\"1\"%s}", id(i / 2),
             i % 2 ? "" : ",\"sku\":\"A\",\"unit_price\":\"1\"");
}

static void complete_again(size_t i, char *type, char *body, char *base)
{
    if (i == 0) {
        open_order(type, body);
        return;
    }
    name_first(base);
    snprintf(type, TEXT, "sale_completed");
    snprintf(body, TEXT, "{\"total\":%zu,\"receipt\":\"R\",\"uses\":[]}", i);
}

static void pay(size_t i, char *type, char *body, char *base)
{
    if (i == 0) {
        open_order(type, body);
        return;
    }
    name_first(base);
    snprintf(type, TEXT, "payment_taken");
    snprintf(body, TEXT,
             "{\"payment\":\"%s\",\"method\":\"cash\",\"amount\":5,\"currency\":\"USD\"}", id(i));
}

static const struct rivals all[] = {
    {"prices by one node", "price", ONE_STREAM, set_price},
    {"prices by as many nodes", "price", OWN_STREAMS, set_price},
    {"prices that are mostly alike", "price", OWN_STREAMS, set_one_price},
    {"prices that settle others", "price", OWN_STREAMS, settle_price},
    {"prices, and answers to them", "price", OWN_STREAMS, answer_price},
    {"fields of a promotion", "promotion", OWN_STREAMS, set_promotion},
    {"fields of an item", "item", OWN_STREAMS, set_item},
    {"counts", "stock", ONE_STREAM, judge_count},
    {"judgements of one count", "stock", ONE_STREAM, judge_one_count},
    {"changes of a line", "order", OWN_STREAMS, change_line},
    {"lines beside a payment", "order", OWN_STREAMS, many_lines},
    {"completions of a bill", "order", OWN_STREAMS, complete_again},
    {"payments of a bill", "order", OWN_STREAMS, pay},
};

static struct event events[MANY];
static struct arena arena;

static void read_events(const struct rivals *r)
{
    static char text[6 * TEXT];
    char type[TEXT], body[TEXT], base[TEXT];
    struct err e = {0};
    arena_reset(&arena);
    for (size_t i = 0; i < MANY; i++) {
        base[0] = '\0';
        r->write(i, type, body, base);
        char clock[HLC_TEXT_SIZE];
        hlc_format(hlc_next(0, 1700000000000 + (int64_t)i), clock);
        snprintf(text, sizeof text,
                 "{\"v\":1,\"id\":\"%s\",\"origin\":\"%s\",\"lane\":\"critical\",\"seq\":%zu,"
                 "\"location\":\"B1\",\"type\":\"%s\",\"record\":{\"type\":\"%s\",\"id\":\"R1\"},"
                 "\"base\":[%s],\"at\":1700000000000,\"hlc\":\"%s\",\"body\":%s}",
                 id(i), id(0x300000 + (r->streams == ONE_STREAM ? 0 : i)),
                 r->streams == ONE_STREAM ? i + 1 : 1, type, r->record_type, base, clock, body);
        if (event_parse(arena_copy(&arena, str_of(text)), &arena, &events[i], &e) ||
            events[i].type == NULL ||
            event_type_check(events[i].type, events[i].version, events[i].body, &e))
            fail_msg("%s: %s", text, e.text);
    }
}

static double cpu_ms(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

// From the first event to rows.
static double fold(const struct rivals *rivals, size_t count)
{
    struct record *r = NULL;
    struct arena rows;
    struct row_list list;
    arena_init(&rows, (size_t)1 << 28);
    double from = cpu_ms();
    assert_int_equal(
        record_new(reducer_find(str_of(rivals->record_type)), STR("R1"), (size_t)1 << 28, &r),
        ERR_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(record_add(r, &events[i], NULL), ERR_OK);
    assert_int_equal(record_fold(r), ERR_OK);
    assert_int_equal(record_rows(r, &rows, &list), ERR_OK);
    double took = cpu_ms() - from;
    assert_true(list.count > 0);
    record_free(r);
    arena_fini(&rows);
    return took;
}

TEST(rivals__cost_as_much_as_there_are_and_not_the_square_of_it)
{
    arena_init(&arena, (size_t)1 << 28);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        double ratio = 0, few = 1e9, many = 1e9;
        read_events(&all[i]);
        for (int try = 0; try < TRIES && (try == 0 || ratio >= MOST); try++) {
            double again[] = {fold(&all[i], FEW), fold(&all[i], MANY)};
            few = again[0] < few ? again[0] : few; // a busy machine only adds
            many = again[1] < many ? again[1] : many;
            ratio = many / (few > 0 ? few : 1);
        }
        if (ratio >= MOST)
            fail_msg("%s: %d cost %.1f times as much as %d", all[i].name, MANY, ratio, FEW);
    }
    arena_fini(&arena);
}

// ---- an order of very many lines --------------------------------------------------------------

static void add_line(size_t i, char *type, char *body, char *base)
{
    (void)base;
    snprintf(type, TEXT, "line_added");
    snprintf(body, TEXT, "{\"line\":\"%s\",\"quantity\":\"1\",\"sku\":\"A\",\"unit_price\":\"1\"}",
             id(i));
}

// Of the first 'count' events, taken from the i-th on: the triggers of the first question.
static const char *asked_of(size_t count, size_t first)
{
    enum { TRIGGERS = 4 }; // of the columns of question_table
    static char text[TEXT];
    struct record *r = NULL;
    struct arena rows;
    struct row_list list;
    arena_init(&rows, (size_t)1 << 28);
    assert_int_equal(record_new(&order_reducer, STR("R1"), (size_t)1 << 28, &r), ERR_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(record_add(r, &events[(first + i) % count], NULL), ERR_OK);
    assert_int_equal(record_fold(r), ERR_OK);
    assert_int_equal(record_rows(r, &rows, &list), ERR_OK);
    snprintf(text, sizeof text, "nothing");
    for (size_t i = 0; i < list.count; i++) {
        const struct row *row = &list.items[i];
        if (row->table == &question_table)
            snprintf(text, sizeof text, "%.*s", STR_ARG(row->values[TRIGGERS].text));
    }
    record_free(r);
    arena_fini(&rows);
    return text;
}

TEST(rivals__the_first_line_too_many_is_asked_about_whatever_came_first)
{
    static const struct rivals lines = {"lines", "order", OWN_STREAMS, add_line};
    arena_init(&arena, (size_t)1 << 28);
    read_events(&lines);
    assert_string_equal(asked_of(LIMIT_TICKET_LINES, 0), "nothing");
    for (size_t more = 1; more < 5; more += 3) {
        size_t count = LIMIT_TICKET_LINES + more;
        for (size_t first = 0; first < count; first += 667)
            assert_string_equal(asked_of(count, first), id(LIMIT_TICKET_LINES));
    }
    arena_fini(&arena);
}
