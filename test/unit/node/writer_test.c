// SPDX-License-Identifier: Apache-2.0
#include "node/writer.h"
#include "test/unit/node/chain_fixture.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 1500 };

static struct chain c;
static struct err e;
static struct loop *loop;
static struct writer *writer;
static size_t done_count;
static size_t places_told;
static bool hold; // atomic: the writer waits inside its first job

struct work {
    struct job job;
    int number;
    enum err_code fails;
    size_t done_as; // 1: first
    int64_t seen;
};

static void on_committed(void *context, const struct writer_news *news)
{
    (void)context;
    places_told += news->feed_count;
}

static void on_done(struct job *job)
{
    ((struct work *)job)->done_as = ++done_count;
}

static enum err_code run_wait(struct job *job, struct journal *j, struct err *why)
{
    (void)job;
    (void)j;
    (void)why;
    while (__atomic_load_n(&hold, __ATOMIC_ACQUIRE))
        clock_sleep_ms(1);
    return ERR_OK;
}

static enum err_code run_work(struct job *job, struct journal *j, struct err *why)
{
    const struct work *work = (const struct work *)job;
    if (work->fails)
        return err_set(why, work->fails, "on purpose");
    chain_add(j, "inventory_wasted", "milk",
              "{\"sku\":\"milk\",\"quantity\":\"1\",\"reason\":\"spilt\"}");
    return ERR_OK;
}

static enum err_code run_look(struct job *job, struct journal *j, struct err *why)
{
    (void)why;
    ((struct work *)job)->seen = chain_stock(j, "milk");
    return ERR_OK;
}

static enum err_code run_places(struct job *job, struct journal *j, struct err *why)
{
    (void)job;
    (void)why;
    for (int i = 0; i < PLACES; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "P%04d", i);
        chain_add_at(j, id, "inventory_wasted", "milk",
                     "{\"sku\":\"milk\",\"quantity\":\"1\",\"reason\":\"spilt\"}");
    }
    return ERR_OK;
}

static void begin(bool at_centre)
{
    struct writer_hooks hooks = {on_committed, NULL};
    chain_open(&c);
    done_count = places_told = 0;
    assert_int_equal(loop_new(&loop, &e), ERR_OK);
    struct journal *j = at_centre ? c.centre : c.till;
    assert_int_equal(writer_open(j, loop, &hooks, &writer, &e), ERR_OK);
}

static void end(void)
{
    writer_end(writer);
    while (writer_owes(writer))
        loop_run_once(loop, 5);
    loop_free(loop);
    writer_close(writer);
    chain_close(&c);
}

static void post(struct work *work)
{
    work->job.done = on_done;
    assert_int_equal(writer_post(writer, &work->job), ERR_OK);
}

// So that what is posted after it makes one batch.
static void hold_writer(struct work *first)
{
    __atomic_store_n(&hold, true, __ATOMIC_RELEASE);
    *first = (struct work){.job = {.reads = true, .run = run_wait}};
    post(first);
    while (writer_queued(writer))
        clock_sleep_ms(1);
}

static void wait_for(size_t count)
{
    __atomic_store_n(&hold, false, __ATOMIC_RELEASE);
    while (done_count < count)
        loop_run_once(loop, 10);
}

TEST(writer__a_job_that_fails_spoils_only_itself)
{
    enum { JOBS = 20 };
    struct work first, works[JOBS];
    begin(false);
    hold_writer(&first);
    for (int i = 0; i < JOBS; i++) {
        works[i] = (struct work){.job = {.run = run_work}, .number = i};
        if (i == 0 || i == 7 || i == JOBS - 1)
            works[i].fails = ERR_DISK_FULL;
        post(&works[i]);
    }
    wait_for(JOBS + 1);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(works[i].job.code, works[i].fails);
        assert_int_equal(works[i].done_as, i + 2); // in order
    }
    struct work look = {.job = {.reads = true, .run = run_look}};
    assert_int_equal(writer_run(writer, &look.job), ERR_OK);
    assert_int_equal(look.seen, -(JOBS - 3));
    end();
}

TEST(writer__reading_jobs_see_what_their_batch_wrote)
{
    struct work first, look = {.job = {.reads = true, .run = run_look}};
    struct work write = {.job = {.run = run_work}};
    begin(false);
    hold_writer(&first);
    post(&look);
    post(&write);
    wait_for(3);
    assert_int_equal(look.seen, -1);
    end();
}

TEST(writer__bulk_jobs_give_way_and_stay_in_order)
{
    enum { BULK = 12 }; // four in a batch
    struct work first, last = {.job = {.run = run_work}}, works[BULK];
    begin(false);
    hold_writer(&first);
    for (size_t i = 0; i < BULK; i++) {
        works[i] = (struct work){.job = {.bulk = WRITER_BATCH_BULK / 4, .run = run_work}};
        post(&works[i]);
    }
    post(&last);
    assert_int_equal(writer_queued(writer), BULK + 1);
    wait_for(BULK + 2);
    assert_int_equal(last.done_as, 2);
    for (size_t i = 0; i < BULK; i++)
        assert_int_equal(works[i].done_as, i + 3);
    assert_int_equal(writer_queued(writer), 0);
    end();
}

TEST(writer__refuses_beyond_its_queue_and_finishes_what_it_took)
{
    struct work first, more = {.job = {.run = run_work}};
    struct work *works = calloc(WRITER_QUEUE_MAX, sizeof *works);
    assert_non_null(works);
    begin(false);
    hold_writer(&first);
    for (int i = 0; i < WRITER_QUEUE_MAX; i++) {
        works[i] = (struct work){.job = {.reads = true, .run = run_wait}};
        post(&works[i]);
    }
    assert_int_equal(writer_post(writer, &more.job), ERR_BUSY);
    assert_int_equal(writer_queued(writer), WRITER_QUEUE_MAX);
    __atomic_store_n(&hold, false, __ATOMIC_RELEASE);
    writer_end(writer); // takes no more, but runs what is there
    assert_int_equal(writer_post(writer, &more.job), ERR_CLOSED);
    while (writer_owes(writer))
        loop_run_once(loop, 5);
    assert_int_equal(done_count, WRITER_QUEUE_MAX + 1);
    end();
    free(works);
}

TEST(writer__tells_of_every_place_that_a_batch_touched)
{
    struct work work = {.job = {.run = run_places}};
    begin(true);
    post(&work);
    wait_for(1);
    assert_int_equal(work.job.code, ERR_OK);
    assert_int_equal(places_told, PLACES + 1); // and the chain's own feed
    end();
}

TEST(writer__what_the_loop_has_not_heard_is_told_when_it_is_freed)
{
    struct work works[8];
    begin(false);
    for (size_t i = 0; i < COUNT_OF(works); i++) {
        works[i] = (struct work){.job = {.run = run_work}};
        post(&works[i]);
    }
    writer_end(writer);
    assert_int_equal(done_count, 0);
    end();
    assert_int_equal(done_count, COUNT_OF(works));
}
