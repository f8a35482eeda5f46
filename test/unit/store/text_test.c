// SPDX-License-Identifier: Apache-2.0
// What is stored of an event's text, and that all of it comes back.
#include "test/unit/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// An event as another program might write it: how its text begins, what it says of its place in
// the stream, and what follows that.
struct written {
    unsigned id;
    const char *start;
    unsigned seq_off;
    const char *behind;
};

static void add_written(struct line *l, const struct written *w)
{
    char id[UUID_TEXT_SIZE], origin[UUID_TEXT_SIZE], bytes[1024];
    struct uuid of_event = fixture_uuid(3, w->id);
    uuid_format(&of_event, id);
    uuid_format(&l->key.origin, origin);
    (void)snprintf(bytes, sizeof bytes,
                   "%s\"id\":\"%s\",\"origin\":\"%s\",\"lane\":\"critical\",\"seq\":%llu,"
                   "\"location\":\"%s\"%s\"type\":\"inventory_sold\",\"record\":{\"type\":"
                   "\"stock\",\"id\":\"oil\"},\"at\":1760000000000,\"hlc\":\"0199c82cc00a0000\","
                   "\"body\":{\"sku\":\"oil\",\"quantity\":\"1\"}}",
                   w->start, id, origin, (unsigned long long)l->head.seq + 1 + w->seq_off,
                   l->location, w->behind);
    line_add_bytes(l, bytes);
}

// One of each kind of text that may reach a store.
static void add_all(struct line *l)
{
    line_sell(l, 1, 10, "rice", "1");
    line_ticket(l, 2, 11, "T-1", "tea");
    line_add(l, &(struct draft){3, 12, "unknown", "x", "{}"});
    add_written(l, &(struct written){4, "{\"v\":1,", 0, ","});
    add_written(l, &(struct written){5, "{\"v\":1, ", 0, ","});
    add_written(l, &(struct written){6, "{\"v\":1,", 0, ", "});
    add_written(l, &(struct written){7, "{\"v\":2,", 0, ","});
    line_add_bytes(l, "\"type\":\"inventory_sold\"}");
    line_add_bytes(l, "no event");
}

static void check_reading(struct fixture *f, const struct line *l)
{
    struct store_event_list list;
    struct store_page page = {100, 1 << 20, &f->arena};
    assert_int_equal(store_read_journal(f->store, 0, &page, &list, NULL), ERR_OK);
    assert_int_equal(list.count, l->count);
    for (size_t i = 0; i < list.count; i++)
        assert_true(str_is(list.items[i].bytes, l->bytes[i]));
    assert_int_equal(store_read_stream(f->store, &l->key, 0, &page, &list, NULL), ERR_OK);
    assert_int_equal(list.count, l->count);
    for (size_t i = 0; i < list.count; i++)
        assert_true(str_is(list.items[i].bytes, l->bytes[i]));
}

static void check_view(struct fixture *f, const struct line *l)
{
    for (size_t i = 0; i < l->count; i++) {
        char sql[128], wanted[1024];
        (void)snprintf(sql, sizeof sql, "SELECT bytes FROM journal WHERE lsn = %zu", i + 1);
        (void)snprintf(wanted, sizeof wanted, "%s\n", l->bytes[i]);
        fixture_assert_text(f, sql, wanted);
    }
}

TEST(text__comes_back_to_the_byte_whatever_it_is_and_wherever)
{
    static const char *const places[] = {"BR1", "B\"1\\2", "\u0645\u0642\u0647\u0649 1", "x",
                                         "a place whose name has as many bytes as a name may have"};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct fixture f;
        struct line l;
        fixture_open(&f, ROLE_CENTRAL);
        line_init(&l, 1, places[i]);
        add_all(&l);
        add_written(&l, &(struct written){8, "{\"v\":1,", 90, ","}); // of no place in the stream
        fixture_append_all(&f, &l, STATUS_SETTLED);
        check_reading(&f, &l);
        check_view(&f, &l);
        line_fini(&l);
        fixture_close(&f);
    }
}

TEST(text__is_stored_without_what_its_row_and_stream_say)
{
    struct fixture f;
    struct line l;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 1, "BR1");
    add_all(&l);
    fixture_append_all(&f, &l, STATUS_SETTLED);
    fixture_assert_text(&f,
                        "SELECT group_concat(length(j.bytes) - length(e.rest), ' ')"
                        " FROM events AS e JOIN journal AS j ON j.lsn = e.lsn",
                        "142 142 142 142 0 0 0 0 0\n");
    fixture_assert_text(&f, "SELECT type, at, hlc FROM journal WHERE lsn = 1",
                        "inventory_sold|1760000000000|0199c82cc00a0000\n");
    fixture_assert_text(&f, "SELECT type FROM journal WHERE lsn >= 8", "NULL\nNULL\n");
    line_fini(&l);
    fixture_close(&f);
}

static void check_verdict(struct fixture *f, uint64_t chain_errors)
{
    struct store_verdict verdict;
    struct err e = {ERR_OK, ""};
    if (fixture_verify(f->store, &f->arena, &verdict, &e))
        fail_msg("%s", e.text);
    assert_int_equal(verdict.chain_errors, chain_errors);
    assert_int_equal(verdict.refold_equal, chain_errors == 0);
}

// As an older version of this program left them.
TEST(text__that_is_stored_whole_counts_like_any_other)
{
    struct fixture f;
    struct line l;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 1, "BR1");
    add_all(&l);
    fixture_append_all(&f, &l, STATUS_SETTLED);
    fixture_sql(&f, "UPDATE events SET rest = (SELECT bytes FROM journal AS j"
                    " WHERE j.lsn = events.lsn) WHERE lsn <> 2");
    fixture_assert_text(&f, "SELECT sum(rest LIKE '{\"v\":1%') FROM events", "5\n");
    check_reading(&f, &l);
    check_view(&f, &l);
    check_verdict(&f, 0);
    line_fini(&l);
    fixture_close(&f);
}

TEST(text__whose_id_or_place_was_edited_no_longer_gives_its_chain)
{
    static const char *const edits[] = {
        "UPDATE events SET id = zeroblob(16) WHERE lsn = 2",
        "UPDATE events SET id = NULL WHERE lsn = 2",
        "UPDATE events SET rest = '{' || rest WHERE lsn = 2",
        "UPDATE events SET rest = replace(rest, 'tea', 'tee') WHERE lsn = 2",
        "UPDATE journal SET bytes = replace(bytes, 'tea', 'tee') WHERE lsn = 2",
    };
    for (size_t i = 0; i < COUNT_OF(edits); i++) {
        struct fixture f;
        struct line l;
        fixture_open(&f, ROLE_CENTRAL);
        line_init(&l, 1, "BR1");
        line_sell(&l, 1, 10, "rice", "1");
        line_ticket(&l, 2, 11, "T-1", "tea");
        line_sell(&l, 3, 12, "rice", "1");
        fixture_append_all(&f, &l, STATUS_SETTLED);
        check_verdict(&f, 0);
        fixture_sql(&f, edits[i]);
        check_verdict(&f, 1);
        line_fini(&l);
        fixture_close(&f);
    }
}

// Editing anything else through the view leaves the text what it was.
TEST(text__stays_when_the_view_takes_another_edit)
{
    struct fixture f;
    struct line l;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 1, "BR1");
    add_all(&l);
    fixture_append_all(&f, &l, STATUS_SETTLED);
    fixture_sql(&f, "UPDATE journal SET status = 'review', seq = seq + 100,"
                    " id = iif(id IS NULL, NULL, zeroblob(16))");
    check_view(&f, &l);
    line_fini(&l);
    fixture_close(&f);
}
