// SPDX-License-Identifier: Apache-2.0
// What a till was told, after a fresh copy of the feed that says less: of a place whose centre was
// restored and judged anew, or of records that are over.
#include "test/unit/store/till.h"

#include <stdio.h>

#define REQUESTED  "{\"sku\":\"ARAK\",\"quantity\":\"4\",\"until_at\":1760003600000}"
#define OF_REQUEST "{\"target\":\"%s\",\"outcome\":\"applied\",\"reason\":\"stock\",\"term\":0}"
#define STATE      "SELECT state FROM reservation_heads"
#define TOLD       "SELECT count(*) FROM told_events"

struct place {
    struct till t;
    struct line before, after; // what was told until the centre was restored, and since
};

static void judges(struct line *l, unsigned id)
{
    char target[UUID_TEXT_SIZE], body[256];
    struct uuid request = fixture_uuid(3, 1);
    uuid_format(&request, target);
    (void)snprintf(body, sizeof body, OF_REQUEST, target);
    line_add(l, &(struct draft){id, 10 + id, "event_judged", "R1", body, "reservation"});
}

static void open_place(struct place *p)
{
    till_open(&p->t);
    line_init(&p->before, 2, "BR1");
    line_init(&p->after, 3, "BR1");
    judges(&p->before, 2);
    line_add(&p->before, &(struct draft){4, 14, "reservation_released", "R1", "{}"});
    judges(&p->after, 3);
}

static void close_place(struct place *p)
{
    line_fini(&p->before);
    line_fini(&p->after);
    till_close(&p->t);
}

// By this till, and all that the centre said of it until it was restored.
static void request(struct place *p)
{
    struct till *t = &p->t;
    line_add(&t->l, &(struct draft){1, 11, "reservation_requested", "R1", REQUESTED});
    (void)fixture_append(&t->f, &t->l, 0, STATUS_PENDING);
    till_tell(t, &p->before);
    fixture_assert_text(&t->f, STATE, "released\n");
}

TEST(told__a_copy_that_repeats_only_an_own_event_takes_back_the_others)
{
    struct place p;
    open_place(&p);
    request(&p);
    till_tell_copy(&p.t, &p.t.l);
    fixture_assert_text(&p.t.f, STATE, "pending\n");
    till_tell(&p.t, &p.after);
    fixture_assert_text(&p.t.f, STATE, "confirmed\n");
    close_place(&p);
}

// It is over, for all that is known: a copy leaves that out. But who was told anew of a record was
// told all of it.
TEST(told__what_a_copy_left_out_goes_when_its_record_is_told_of_again)
{
    struct place p;
    struct line none;
    open_place(&p);
    line_init(&none, 9, "BR1");
    request(&p);
    till_tell_copy(&p.t, &none);
    fixture_assert_text(&p.t.f, STATE, "released\n");
    till_tell(&p.t, &p.after);
    fixture_assert_text(&p.t.f, STATE, "confirmed\n");
    assert_int_equal(fixture_number(&p.t.f, TOLD), 1);
    till_tell(&p.t, &none);
    fixture_assert_text(&p.t.f, STATE, "confirmed\n");
    close_place(&p);
}

TEST(told__a_record_that_is_told_again_as_a_whole_stays)
{
    struct place p;
    open_place(&p);
    request(&p);
    till_tell_copy(&p.t, &p.before);
    fixture_assert_text(&p.t.f, STATE, "released\n");
    assert_int_equal(fixture_number(&p.t.f, TOLD), 2);
    close_place(&p);
}
