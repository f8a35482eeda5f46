// SPDX-License-Identifier: Apache-2.0
// The rules of authorities, one worked example each.
#include "model/authority.h"

#include "test/unit/model/history.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static struct history h;

static void begin(void)
{
    history_init(&h, &authority_reducer);
}

static void end(void)
{
    history_fini(&h);
}

static const char *value(const char *table, const char *where, const char *column)
{
    struct record *all = history_all(&h);
    const char *is = history_column(all, table, where, column);
    record_free(all);
    return is ? is : "(none)";
}

static size_t set(int device, uint64_t holder, int term)
{
    return history_write(&h, device, "authority_set",
                         "{\"holder\":\"%s\",\"term\":%d,\"voters\":[{\"device\":\"%s\"}]}",
                         history_id_text(holder), term, history_id_text(holder + 10));
}

static void release(int device, int term, int seq)
{
    history_write(&h, device, "authority_released",
                  "{\"term\":%d,\"heads\":[{\"origin\":\"%s\",\"lane\":\"critical\",\"seq\":%d,"
                  "\"hash\":\"%064d\"}]}",
                  term, history_id_text(5), seq, 7);
}

TEST(authority__is_whom_the_highest_term_names)
{
    begin();
    set(0, 1, 2);
    set(1, 2, 3);
    set(2, 3, 1);
    assert_string_equal(value("authorities", "", "holder"), history_id_text(2));
    assert_string_equal(value("authorities", "", "term"), "3");
    assert_string_equal(value("authority_voters", "", "device"), history_id_text(12));
    assert_string_equal(value("record_reviews", "", "kind"), "(none)");
    end();
}

TEST(authority__of_two_in_one_term_the_first_counts_and_a_person_is_asked)
{
    char answer[UUID_TEXT_SIZE];
    begin();
    size_t first = set(0, 1, 1);
    set(1, 2, 1);
    assert_string_equal(value("authorities", "", "holder"), history_id_text(1));
    assert_string_equal(value("record_reviews", "|kind=same_term|", "open"), "1");
    history_tell_all(&h, 2);
    uuid_format(&h.events[first].id, answer);
    history_write(&h, 2, "review_resolved",
                  "{\"review\":\"same_term\",\"decision\":\"reject\","
                  "\"triggers\":[{\"event\":\"%s\"}]}",
                  answer);
    assert_string_equal(value("authorities", "", "holder"), history_id_text(2));
    end();
}

TEST(authority__of_a_term_that_a_person_rejected_as_a_whole_is_the_first)
{
    char one[UUID_TEXT_SIZE], two[UUID_TEXT_SIZE];
    begin();
    size_t named = set(0, 9, 1);
    history_tell(&h, 1, named);
    size_t first = set(0, 1, 2), second = set(1, 2, 2);
    history_tell_all(&h, 2);
    uuid_format(&h.events[first].id, one);
    uuid_format(&h.events[second].id, two);
    history_write(&h, 2, "review_resolved",
                  "{\"review\":\"same_term\",\"decision\":\"reject\","
                  "\"triggers\":[{\"event\":\"%s\"},{\"event\":\"%s\"}]}",
                  one, two);
    assert_string_equal(value("authorities", "", "term"), "2");
    assert_string_equal(value("authorities", "", "holder"), history_id_text(1));
    assert_string_equal(value("record_reviews", "|kind=same_term|", "open"), "0");
    end();
}

TEST(authority__that_named_the_same_holder_again_asks_nobody)
{
    begin();
    set(0, 1, 1);
    set(1, 1, 1);
    assert_string_equal(value("record_reviews", "", "kind"), "(none)");
    end();
}

TEST(authority__is_over_when_its_holder_released_it_and_says_how_far_it_had_decided)
{
    begin();
    set(0, 1, 1);
    release(1, 1, 40);
    assert_string_equal(value("authorities", "", "released"), "1");
    assert_string_equal(value("authority_heads", "", "seq"), "40");
    set(0, 2, 2); // the next reign
    assert_string_equal(value("authorities", "", "released"), "0");
    assert_string_equal(value("authority_heads", "", "seq"), "(none)");
    end();
}

TEST(authority__that_makes_no_sense_is_refused)
{
    struct err e = {0};
    begin();
    assert_int_equal(history_try(&h, "authority_set",
                                 "{\"holder\":\"01890a5d-0000-7000-8000-000000000001\",\"term\":0}",
                                 &e),
                     ERR_INVALID);
    assert_non_null(strstr(e.text, "term"));
    assert_int_equal(history_try(&h, "authority_released",
                                 "{\"term\":1,\"heads\":[{\"origin\":"
                                 "\"01890a5d-0000-7000-8000-000000000001\",\"lane\":\"fast\","
                                 "\"seq\":1,\"hash\":\"" ZEROS "\"}]}",
                                 &e),
                     ERR_INVALID);
    assert_non_null(strstr(e.text, "lane"));
    end();
}

TEST(authority__is_named_by_its_own_place)
{
    static const struct {
        const char *location, *record;
        enum err_code code;
    } cases[] = {{"B1", "B1", ERR_OK}, {"B1", "B2", ERR_INVALID}};
    struct json json = {0};
    struct err e = {0};
    assert_int_equal(json_parse(STR("{\"term\":1,\"holder\":"
                                    "\"01890a5d-0000-7000-8000-000000000001\"}"),
                                LIMIT_EVENT_DEPTH, &json, &e),
                     ERR_OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct event event = {.location = str_of(cases[i].location),
                              .type_name = STR("authority_set"),
                              .type = event_type_find(STR("authority_set")),
                              .record_type = STR("authority"),
                              .record_id = str_of(cases[i].record),
                              .body = json.root};
        assert_int_equal(record_check(&event, &e), cases[i].code);
    }
    assert_non_null(strstr(e.text, "by its place"));
    json_close(&json);
}
