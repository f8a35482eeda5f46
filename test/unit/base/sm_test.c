// SPDX-License-Identifier: Apache-2.0
#include "base/sm.h"
#include "test/unit/unit.h"

#include <string.h>

enum { SHUT, OPEN, STATES };
enum { KNOCK, ENTER, EVENTS };

static const struct sm_row rows[] = {
    {SHUT, KNOCK, OPEN, "somebody is in"},
    {OPEN, KNOCK, OPEN, "knocking at an open door changes nothing"},
    {OPEN, ENTER, SHUT, "the door falls shut"},
};
static const char *const states[] = {"shut", "open"};
static const char *const events[] = {"knock", "enter"};
static const struct sm_table door = {"door", rows, COUNT_OF(rows), states, events};

TEST(sm__moves_as_the_table_says_for_every_state_and_event)
{
    static const int next[STATES][EVENTS] = {{OPEN, -1}, {OPEN, SHUT}};
    for (int state = 0; state < STATES; state++) {
        for (int event = 0; event < EVENTS; event++) {
            struct sm m;
            sm_init(&m, &door, state);
            assert_int_equal(sm_may(&m, event), next[state][event] >= 0);
            assert_int_equal(m.state, state);
            if (next[state][event] >= 0) {
                sm_move(&m, event);
                assert_int_equal(m.state, next[state][event]);
            }
        }
    }
}

TEST(sm__tells_the_name_of_its_state)
{
    struct sm m;
    sm_init(&m, &door, SHUT);
    assert_string_equal(sm_state_name(&m), "shut");
    sm_move(&m, KNOCK);
    assert_string_equal(sm_state_name(&m), "open");
}

static void enter_through_a_shut_door(void *arg)
{
    (void)arg;
    struct sm m;
    sm_init(&m, &door, SHUT);
    sm_move(&m, ENTER);
}

TEST(sm__aborts_at_a_forbidden_move_naming_machine_state_and_event)
{
    char text[256];
    assert_true(unit_aborts(enter_through_a_shut_door, NULL, text, sizeof text));
    assert_non_null(strstr(text, "door"));
    assert_non_null(strstr(text, "shut"));
    assert_non_null(strstr(text, "enter"));
}
