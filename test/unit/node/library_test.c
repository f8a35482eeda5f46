// SPDX-License-Identifier: Apache-2.0
#include "test/unit/node/library_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID_1 "01890000-0000-7000-8000-000000000001"
#define ID_2 "01890000-0000-7000-8000-000000000002"

struct shop {
    struct library_folder folder;
    struct wasl *till;
};

static void open_shop(struct shop *s)
{
    library_make(&s->folder, ROLE_TERMINAL, "BR01");
    s->till = library_till(&s->folder, false);
}

static void reopen_shop(struct shop *s)
{
    wasl_close(s->till);
    s->till = library_till(&s->folder, false);
}

static void close_shop(struct shop *s)
{
    wasl_close(s->till);
    library_remove(&s->folder);
}

static uint64_t pending(const struct shop *s)
{
    struct wasl_status status;
    assert_int_equal(wasl_status(s->till, &status, NULL), WASL_OK);
    assert_false(status.online);
    return status.pending;
}

static bool add_up(void *context, const char *sku, int64_t quantity)
{
    assert_string_equal(sku, "COFFEE");
    *(int64_t *)context += quantity;
    return true;
}

static int64_t coffee(const struct shop *s)
{
    int64_t sum = 0;
    assert_int_equal(wasl_stock(s->till, "COFFEE", add_up, &sum, NULL), WASL_OK);
    return sum;
}

// One event alone; its verdict.
static enum wasl_verdict append_one(struct shop *s, const struct wasl_event *event)
{
    struct wasl_result result;
    struct wasl_error error;
    if (wasl_append(s->till, event, 1, &result, &error))
        fail_msg("%s", error.text);
    if (result.verdict == WASL_REJECTED) {
        assert_string_not_equal(result.reason, "");
    } else {
        assert_string_equal(result.reason, "");
    }
    return result.verdict;
}

TEST(library__takes_five_hundred_events_at_once)
{
    enum { N = 500 };
    struct shop s;
    open_shop(&s);
    char(*bodies)[SALE_BODY_MAX] = calloc(N + 1, sizeof *bodies);
    char(*numbers)[16] = calloc(N + 1, sizeof *numbers);
    struct wasl_event *events = calloc(N + 1, sizeof *events);
    struct wasl_result *results = calloc(N + 1, sizeof *results);
    assert_true(bodies && numbers && events && results);
    for (int i = 0; i <= N; i++) {
        (void)snprintf(numbers[i], sizeof numbers[i], "T-%d", i);
        events[i] = library_sale(numbers[i], bodies[i]);
    }
    struct wasl_error error;
    assert_int_equal(wasl_append(s.till, events, N + 1, results, &error), WASL_INVALID);
    assert_int_equal(error.code, WASL_INVALID);
    assert_non_null(strstr(error.text, "500"));
    assert_int_equal(wasl_append(s.till, events, 0, results, &error), WASL_INVALID);
    assert_int_equal(pending(&s), 0);
    assert_int_equal(wasl_append(s.till, events, N, results, &error), WASL_OK);
    for (int i = 0; i < N; i++) {
        assert_int_equal(results[i].verdict, WASL_ACCEPTED);
        assert_int_equal(strlen(results[i].id), 36);
    }
    reopen_shop(&s);
    assert_int_equal(pending(&s), N);
    assert_int_equal(coffee(&s), -N * 10000);
    free(bodies);
    free(numbers);
    free(events);
    free(results);
    close_shop(&s);
}

TEST(library__rejects_what_is_no_event_and_takes_the_rest)
{
    struct shop s;
    char bodies[3][SALE_BODY_MAX];
    open_shop(&s);
    struct wasl_event good = library_sale("T-1", bodies[0]);
    const struct {
        const char *what;
        struct wasl_event event;
    } cases[] = {
#define SALE_BUT(...) {.type = good.type, .record_type = "ticket", .record_id = "T", __VA_ARGS__}
        {"no body", SALE_BUT(.body = NULL)},
        {"no type", {.record_type = "ticket", .record_id = "T", .body = good.body}},
        {"no record", {.type = "ticket_recorded", .body = good.body}},
        {"unknown type", {.type = "no", .record_type = "no", .record_id = "T", .body = "{}"}},
        {"another record's type", {.type = good.type, .record_type = "stock", .record_id = "T"}},
        {"half a body", SALE_BUT(.body = "{\"ticket\":")},
        {"a body that is a list", SALE_BUT(.body = "[]")},
        {"an empty body", SALE_BUT(.body = "{}")},
        {"a bad id", SALE_BUT(.body = good.body, .id = "7")},
        {"a bad cause", SALE_BUT(.body = good.body, .cause = "x")},
        {"an empty actor", SALE_BUT(.body = good.body, .actor = "")},
        {"a time before 1970", SALE_BUT(.body = good.body, .at = -1)},
        {"a time no clock has", SALE_BUT(.body = good.body, .at = INT64_MAX)},
        {"another place", SALE_BUT(.body = good.body, .location = "BR02")},
#undef SALE_BUT
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (append_one(&s, &cases[i].event) != WASL_REJECTED)
            fail_msg("%s was not rejected", cases[i].what);
    }
    assert_int_equal(pending(&s), 0);
    struct wasl_event three[] = {good, cases[0].event, library_sale("T-3", bodies[2])};
    struct wasl_result results[3];
    assert_int_equal(wasl_append(s.till, three, 3, results, NULL), WASL_OK);
    assert_int_equal(results[0].verdict, WASL_ACCEPTED);
    assert_int_equal(results[1].verdict, WASL_REJECTED);
    assert_int_equal(results[2].verdict, WASL_ACCEPTED);
    assert_int_equal(pending(&s), 2);
    close_shop(&s);
}

TEST(library__refuses_a_body_too_deep_for_its_readers)
{
    struct shop s;
    char deep[256], sale[SALE_BODY_MAX];
    open_shop(&s);
    (void)library_sale("T-1", sale);
    int n = snprintf(deep, sizeof deep, "{\"x\":%.*s%.*s}", 15, "[[[[[[[[[[[[[[[", 15,
                     "]]]]]]]]]]]]]]]");
    assert_true(n > 0);
    struct wasl_event event = {
        .type = "ticket_recorded", .record_type = "ticket", .record_id = "T", .body = deep};
    struct wasl_result result;
    assert_int_equal(wasl_append(s.till, &event, 1, &result, NULL), WASL_OK);
    assert_int_equal(result.verdict, WASL_REJECTED);
    assert_non_null(strstr(result.reason, "deep"));
    close_shop(&s);
}

TEST(library__counts_a_used_id_once)
{
    struct shop s;
    char bodies[2][SALE_BODY_MAX];
    open_shop(&s);
    struct wasl_event sale = library_sale("T-1", bodies[0]);
    sale.id = ID_1;
    sale.at = 1760000000000;
    struct wasl_event other = library_sale("T-2", bodies[1]);
    other.id = ID_1;
    other.at = sale.at;
    struct wasl_event twice[] = {sale, sale, other};
    struct wasl_result results[3];
    assert_int_equal(wasl_append(s.till, twice, 3, results, NULL), WASL_OK);
    assert_int_equal(results[0].verdict, WASL_ACCEPTED);
    assert_int_equal(results[1].verdict, WASL_DUPLICATE);
    assert_int_equal(results[2].verdict, WASL_REJECTED);
    assert_string_equal(results[2].id, ID_1);
    reopen_shop(&s);
    assert_int_equal(append_one(&s, &sale), WASL_DUPLICATE);
    assert_int_equal(append_one(&s, &other), WASL_REJECTED);
    other.id = ID_2;
    assert_int_equal(append_one(&s, &other), WASL_ACCEPTED);
    assert_int_equal(pending(&s), 2);
    assert_int_equal(coffee(&s), -20000);
    close_shop(&s);
}

TEST(library__says_what_is_missing_instead_of_crashing)
{
    struct shop s;
    char body[SALE_BODY_MAX];
    struct wasl_result result;
    struct wasl_status status;
    struct wasl_error error;
    struct wasl *none = NULL;
    open_shop(&s);
    struct wasl_event sale = library_sale("T-1", body);
    assert_int_equal(wasl_open(NULL, false, &none, &error), WASL_INVALID);
    assert_int_equal(wasl_open(s.folder.config.dir, false, NULL, NULL), WASL_INVALID);
    assert_int_equal(wasl_append(NULL, &sale, 1, &result, &error), WASL_INVALID);
    assert_int_equal(wasl_append(s.till, NULL, 1, &result, &error), WASL_INVALID);
    assert_int_equal(wasl_append(s.till, &sale, 1, NULL, &error), WASL_INVALID);
    assert_string_not_equal(error.text, "");
    assert_int_equal(wasl_stock(s.till, NULL, NULL, NULL, NULL), WASL_INVALID);
    assert_int_equal(wasl_stock(NULL, NULL, add_up, NULL, NULL), WASL_INVALID);
    assert_int_equal(wasl_status(s.till, NULL, NULL), WASL_INVALID);
    assert_int_equal(wasl_status(NULL, &status, NULL), WASL_INVALID);
    wasl_close(NULL);
    assert_string_equal(wasl_version(), WASL_VERSION);
    assert_int_equal(pending(&s), 0);
    close_shop(&s);
}

static bool stop_at_once(void *context, const char *sku, int64_t quantity)
{
    (void)sku;
    (void)quantity;
    ++*(int *)context;
    return false;
}

TEST(library__shows_stock_of_all_or_one_and_stops_when_told)
{
    struct shop s;
    char body[SALE_BODY_MAX];
    open_shop(&s);
    struct wasl_event sale = library_sale("T-1", body);
    struct wasl_event loss = {.type = "inventory_wasted",
                              .record_type = "stock",
                              .record_id = "MILK",
                              .body = "{\"sku\":\"MILK\",\"quantity\":\"0.25\","
                                      "\"reason\":\"spoiled\"}"};
    assert_int_equal(append_one(&s, &sale), WASL_ACCEPTED);
    assert_int_equal(append_one(&s, &loss), WASL_ACCEPTED);
    assert_int_equal(coffee(&s), -10000);
    int rows = 0;
    assert_int_equal(wasl_stock(s.till, NULL, stop_at_once, &rows, NULL), WASL_OK);
    assert_int_equal(rows, 1);
    assert_int_equal(wasl_stock(s.till, "TEA", stop_at_once, &rows, NULL), WASL_OK);
    assert_int_equal(rows, 1);
    close_shop(&s);
}

TEST(library__opens_a_tills_folder_once_and_nothing_else)
{
    struct shop s;
    struct library_folder centre;
    struct wasl_error error;
    struct wasl *second = NULL;
    open_shop(&s);
    library_make(&centre, ROLE_CENTRAL, "hq");
    assert_int_equal(wasl_open(s.folder.config.dir, false, &second, &error), WASL_LOCKED);
    assert_int_equal(error.code, WASL_LOCKED);
    assert_int_equal(wasl_open(centre.config.dir, false, &second, &error), WASL_FAILED);
    assert_non_null(strstr(error.text, "terminal"));
    assert_int_equal(wasl_open("/nowhere", true, &second, &error), WASL_NOT_FOUND);
    assert_null(second);
    library_remove(&centre);
    close_shop(&s);
}

TEST(library__runs_and_stops_with_its_own_thread)
{
    struct shop s;
    char body[SALE_BODY_MAX];
    open_shop(&s);
    wasl_close(s.till);
    s.till = library_till(&s.folder, true);
    struct wasl_event sale = library_sale("T-1", body);
    assert_int_equal(append_one(&s, &sale), WASL_ACCEPTED);
    assert_int_equal(pending(&s), 1);
    reopen_shop(&s);
    assert_int_equal(pending(&s), 1);
    close_shop(&s);
}

static bool stop(void *context, const char *sku, int64_t quantity)
{
    (void)sku;
    (void)quantity;
    *(bool *)context = true;
    return false;
}

// What a forked child gets to do with its parent's till: 0 when nothing.
static int try_as_child(struct wasl *till)
{
    enum { PATIENCE_S = 20 };
    char body[SALE_BODY_MAX];
    struct wasl_event event = library_sale("child", body);
    struct wasl_result result;
    struct wasl_status status;
    bool told = false;
    (void)alarm(PATIENCE_S); // else a lock that another thread of the parent held
    int done = wasl_append(till, &event, 1, &result, NULL) != WASL_INVALID;
    done += wasl_stock(till, NULL, stop, &told, NULL) != WASL_INVALID || told;
    done += wasl_status(till, &status, NULL) != WASL_INVALID;
    wasl_close(till);
    return done;
}

// Its write would take the position that the parent takes next: no sale of the parent's after it.
TEST(library__a_forked_child_leaves_the_till_to_its_parent)
{
    struct shop s;
    char body[SALE_BODY_MAX];
    open_shop(&s);
    struct wasl_event before = library_sale("before", body);
    assert_int_equal(append_one(&s, &before), WASL_ACCEPTED);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(try_as_child(s.till));
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    struct wasl_event after = library_sale("after", body);
    assert_int_equal(append_one(&s, &after), WASL_ACCEPTED);
    assert_int_equal(pending(&s), 2);
    close_shop(&s);
}
