// SPDX-License-Identifier: Apache-2.0
// What judgements ask people about: a whole backlog as one, anything else event by event.
#include "model/batch.h"

#include "test/unit/model/history.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

static struct history h;
static struct record *all;

static size_t part(int from, int to, int held)
{
    return history_write(&h, 0, "event_judged",
                         "{\"outcome\":\"applied\",\"reason\":\"late\",\"term\":0,\"from\":%d,"
                         "\"to\":%d,\"held\":%d,\"oldest_at\":%d}",
                         from, to, held, 1000 * from);
}

static size_t answer(const char *kind, const size_t *events, size_t count)
{
    char triggers[1024] = "", id[UUID_TEXT_SIZE];
    for (size_t i = 0, n = 0; i < count; i++) {
        uuid_format(&h.events[events[i]].id, id);
        n += (size_t)snprintf(triggers + n, sizeof triggers - n, "%s{\"event\":\"%s\"}",
                              i ? "," : "", id);
    }
    return history_write(&h, 1, "review_resolved",
                         "{\"review\":\"%s\",\"decision\":\"accept\",\"triggers\":[%s]}", kind,
                         triggers);
}

static void fold(void)
{
    record_free(all);
    all = history_all(&h);
}

static void end(void)
{
    record_free(all);
    all = NULL;
    history_fini(&h);
}

static void is(const char *table, const char *column, const char *value)
{
    const char *found = history_column(all, table, "", column);
    if (value == NULL)
        assert_null(found);
    else
        assert_string_equal(found ? found : "null", value);
}

TEST(batch__of_several_parts_is_one_question)
{
    history_init(&h, &batch_reducer);
    size_t parts[] = {part(11, 20, 2), part(5, 10, 1)};
    fold();
    is("batches", "from_seq", "5");
    is("batches", "to_seq", "20");
    is("batches", "events", "16");
    is("batches", "held", "3");
    is("batches", "oldest_at", "5000");
    is("record_reviews", "kind", "late");
    is("record_reviews", "open", "1");
    history_tell_all(&h, 1);
    answer("late", parts, 2);
    fold();
    is("record_reviews", "open", "0");
    part(21, 30, 0); // what comes later asks again
    fold();
    is("record_reviews", "open", "1");
    end();
}

TEST(batch__takes_no_part_that_makes_no_sense)
{
    static const char *const bad[] = {
        "\"outcome\":\"held\",\"from\":1,\"to\":2,\"held\":0",
        "\"outcome\":\"applied\",\"from\":0,\"to\":2,\"held\":0",
        "\"outcome\":\"applied\",\"from\":3,\"to\":2,\"held\":0",
        "\"outcome\":\"applied\",\"from\":1,\"to\":2,\"held\":3",
        "\"outcome\":\"applied\",\"from\":1,\"to\":2,\"held\":-1",
        "\"outcome\":\"applied\",\"from\":1,\"to\":2,\"held\":0,\"batch\":\"x\"",
    };
    history_init(&h, &batch_reducer);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char body[256];
        struct err e = {0};
        snprintf(body, sizeof body, "{%s,\"reason\":\"late\",\"term\":0,\"oldest_at\":1}", bad[i]);
        assert_int_equal(history_try(&h, "event_judged", body, &e), ERR_INVALID);
    }
    end();
}

static size_t judge(size_t target, const char *outcome, const char *reason, const char *more)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(&h.events[target].id, id);
    return history_write(&h, 2, "event_judged",
                         "{\"target\":\"%s\",\"outcome\":\"%s\",\"reason\":\"%s\",\"term\":0%s}",
                         id, outcome, reason, more);
}

TEST(batch__what_was_done_without_the_right_is_asked_about_by_itself)
{
    history_init(&h, reducer_find(STR("order")));
    history_write(&h, 0, "order_opened",
                  "{\"kind\":\"dine_in\",\"currency\":\"USD\",\"places\":2}");
    size_t set = history_write(&h, 0, "order_set", "{\"field\":\"note\",\"value\":\"window\"}");
    judge(set, "held", "unauthorised", "");
    fold();
    is("order_heads", "note", NULL);
    is("record_reviews", "kind", "unauthorised");
    is("record_reviews", "open", "1");
    assert_non_null(strstr(history_column(all, "record_reviews", "", "detail"), "reject"));
    history_tell_all(&h, 1);
    size_t answered = answer("unauthorised", &set, 1);
    char more[64], id[UUID_TEXT_SIZE];
    uuid_format(&h.events[answered].id, id);
    snprintf(more, sizeof more, ",\"answer\":\"%s\"", id);
    judge(set, "applied", "answered", more);
    fold();
    is("order_heads", "note", "window");
    is("record_reviews", "open", "0"); // and who asked can still read what was asked
    end();
}

TEST(batch__what_is_asked_about_in_a_batch_is_not_asked_about_alone)
{
    history_init(&h, reducer_find(STR("order")));
    size_t set = history_write(&h, 0, "order_set", "{\"field\":\"note\",\"value\":\"window\"}");
    judge(set, "held", "late", ",\"batch\":\"b\"");
    fold();
    is("record_reviews", "kind", NULL);
    end();
}
