// SPDX-License-Identifier: Apache-2.0
#include "test/unit/net/fixture.h"

#include "base/clock.h"

#include <pthread.h>
#include <signal.h>

enum { POSTS = 10000 };

struct log {
    struct loop *loop;
    int values[POSTS];
    int count;
    int stop_at;
};
struct entry {
    struct log *log;
    int value;
};

static void append(void *context)
{
    struct entry *x = context;
    x->log->values[x->log->count++] = x->value;
    if (x->log->count == x->log->stop_at) {
        loop_stop(x->log->loop);
    }
}

static struct entry entries[POSTS];

static void *post_all(void *context)
{
    struct log *log = context;
    for (int i = 0; i < POSTS; i++) {
        entries[i] = (struct entry){log, i};
        while (loop_post(log->loop, append, &entries[i]) == ERR_BUSY) {
            clock_sleep_ms(1);
        }
    }
    return NULL;
}

TEST(loop__runs_what_another_thread_posts_in_order)
{
    static struct log log;
    log = (struct log){.loop = fixture_loop(), .stop_at = POSTS};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, post_all, &log), 0);
    loop_run(log.loop);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(log.count, POSTS);
    for (int i = 0; i < POSTS; i++) {
        assert_int_equal(log.values[i], i);
    }
    loop_free(log.loop);
}

static void count_up(void *context)
{
    ++*(int *)context;
}

TEST(loop__refuses_a_post_beyond_its_bound_and_runs_the_rest_when_freed)
{
    struct loop *l = fixture_loop();
    int count = 0;
    for (int i = 0; i < LOOP_POST_MAX; i++) {
        assert_int_equal(loop_post(l, count_up, &count), ERR_OK);
    }
    assert_int_equal(loop_post(l, count_up, &count), ERR_BUSY);
    assert_int_equal(count, 0);
    loop_free(l);
    assert_int_equal(count, LOOP_POST_MAX);
}

TEST(loop__stop_before_run_ends_the_run)
{
    struct loop *l = fixture_loop();
    loop_stop(l);
    loop_run(l);
    loop_free(l);
}

TEST(loop__timer_fires_once_or_repeats_and_not_after_it_is_freed)
{
    struct loop *l = fixture_loop();
    int once = 0;
    int many = 0;
    struct loop_timer *a = NULL;
    struct loop_timer *b = NULL;
    assert_int_equal(loop_timer_new(l, count_up, &once, &a), ERR_OK);
    assert_int_equal(loop_timer_new(l, count_up, &many, &b), ERR_OK);
    loop_timer_start(a, 5, 0);
    loop_timer_start(b, 5, 5);
    WAIT_FOR(l, many >= 3);
    assert_int_equal(once, 1);
    loop_timer_start(a, 5, 0);
    loop_timer_free(a);
    loop_timer_stop(b);
    int before = many;
    fixture_run_ms(l, 30);
    assert_int_equal(once, 1);
    assert_int_equal(many, before);
    loop_timer_free(b);
    loop_timer_free(NULL);
    loop_free(l);
}

static void on_signal(int number, void *context)
{
    *(int *)context = number;
}

TEST(loop__tells_of_a_signal)
{
    struct loop *l = fixture_loop();
    int number = 0;
    assert_int_equal(loop_on_signal(l, SIGUSR1, on_signal, &number, NULL), ERR_OK);
    assert_int_equal(raise(SIGUSR1), 0);
    WAIT_FOR(l, number == SIGUSR1);
    loop_free(l);
}
