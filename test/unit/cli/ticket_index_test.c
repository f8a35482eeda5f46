// SPDX-License-Identifier: Apache-2.0
#include "cli/ticket_index.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

static struct str key_of(unsigned i, char *to, size_t size)
{
    return str_make(to, (size_t)snprintf(to, size, "ticket %u", i));
}

TEST(ticket_index__keeps_the_order_of_first_appearance_and_counts_rows)
{
    enum { TICKETS = 5000, ROUNDS = 3 };
    struct ticket_index x;
    char text[32];
    ticket_index_init(&x);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < TICKETS; i++) {
            assert_int_equal(ticket_index_add(&x, key_of(i, text, sizeof(text))), ERR_OK);
        }
    }
    assert_int_equal(x.count, TICKETS);
    for (unsigned i = 0; i < TICKETS; i++) {
        struct ticket_entry *entry = ticket_index_find(&x, key_of(i, text, sizeof(text)));
        assert_ptr_equal(entry, &x.entries[i]);
        assert_int_equal(entry->rows, ROUNDS);
    }
    assert_null(ticket_index_find(&x, STR("ticket 5000")));
    assert_null(ticket_index_find(&x, STR("ticket 499\0")));
    ticket_index_fini(&x);
}

TEST(ticket_index__finds_nothing_while_empty)
{
    struct ticket_index x;
    ticket_index_init(&x);
    assert_null(ticket_index_find(&x, STR("a")));
    ticket_index_fini(&x);
}

TEST(ticket_index__stays_whole_when_an_allocation_fails)
{
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        struct ticket_index x;
        ticket_index_init(&x);
        unit_alloc_fail(n);
        enum err_code code = ticket_index_add(&x, STR("a"));
        failed = unit_alloc_end();
        assert_int_equal(code, failed ? ERR_NO_MEMORY : ERR_OK);
        assert_int_equal(x.count, failed ? 0 : 1);
        assert_int_equal(ticket_index_add(&x, STR("a")), ERR_OK);
        assert_non_null(ticket_index_find(&x, STR("a")));
        assert_int_equal(x.entries[0].rows, failed ? 1 : 2);
        ticket_index_fini(&x);
    }
}
