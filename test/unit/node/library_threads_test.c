// SPDX-License-Identifier: Apache-2.0
#include "test/unit/node/library_fixture.h"

#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, CALLS = 12, BATCH = 5 };

struct cashier {
    pthread_t thread;
    struct wasl *till;
    int number;
    int accepted; // -1 when a call failed
};

static int sell_batch(const struct cashier *c, int call)
{
    char numbers[BATCH][32], bodies[BATCH][SALE_BODY_MAX];
    struct wasl_event events[BATCH];
    struct wasl_result results[BATCH];
    int accepted = 0;
    for (int i = 0; i < BATCH; i++) {
        (void)snprintf(numbers[i], sizeof numbers[i], "C%d-%d-%d", c->number, call, i);
        events[i] = library_sale(numbers[i], bodies[i]);
    }
    if (wasl_append(c->till, events, BATCH, results, NULL) != WASL_OK)
        return -1;
    for (int i = 0; i < BATCH; i++)
        accepted += results[i].verdict == WASL_ACCEPTED;
    return accepted;
}

static void *sell(void *context)
{
    struct cashier *c = context;
    for (int call = 0; call < CALLS; call++) {
        struct wasl_status status;
        int accepted = sell_batch(c, call);
        if (accepted < 0 || wasl_status(c->till, &status, NULL) != WASL_OK ||
            status.pending < (uint64_t)c->accepted + (uint64_t)accepted) {
            c->accepted = -1;
            return NULL;
        }
        c->accepted += accepted;
    }
    return NULL;
}

static void sell_at_once(bool sync)
{
    struct library_folder folder;
    struct cashier cashiers[THREADS] = {0};
    library_make(&folder, ROLE_TERMINAL, "BR01");
    struct wasl *till = library_till(&folder, sync);
    for (int i = 0; i < THREADS; i++) {
        cashiers[i].till = till;
        cashiers[i].number = i;
        assert_int_equal(pthread_create(&cashiers[i].thread, NULL, sell, &cashiers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(cashiers[i].thread, NULL), 0);
        assert_int_equal(cashiers[i].accepted, CALLS * BATCH);
    }
    struct wasl_status status;
    assert_int_equal(wasl_status(till, &status, NULL), WASL_OK);
    assert_int_equal(status.pending, THREADS * CALLS * BATCH);
    wasl_close(till);
    library_remove(&folder);
}

TEST(library__lets_four_threads_append_at_once)
{
    sell_at_once(false);
}

TEST(library__lets_four_threads_append_beside_its_sync_thread)
{
    sell_at_once(true);
}
