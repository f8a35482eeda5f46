// SPDX-License-Identifier: Apache-2.0
//
// One turn of the loop: timers, what sockets have ready, closures posted by other threads (one
// uv_async wakes for any number of them), close callbacks; then on_prepare, the last thing before
// the thread blocks: deferred tasks (flushing what everybody queued during the turn). A task put
// off while tasks run waits for the next turn, which then does not block: that is what the idle
// handle is for.

#include "net/loop_internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct posted {
    loop_fn fn;
    void *context;
};

struct post_queue {
    struct posted *items;
    size_t count;
    size_t room;
};

struct loop_signal {
    uv_signal_t handle;
    loop_signal_fn fn;
    void *context;
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_prepare_t prepare;
    uv_idle_t idle;
    uv_timer_t nap;
    atomic_bool stop;
    pthread_mutex_t lock; // guards posts
    struct post_queue posts;
    struct post_queue running; // the array being run; kept to be used again
    struct loop_task tasks;    // head of a ring
    struct loop_signal signals[LOOP_SIGNAL_MAX];
    size_t signal_count;
    struct loop_slot framer;
    char read_buffer[LOOP_READ_SIZE];
    char plain_buffer[LOOP_PLAIN_SIZE];
};

struct loop_timer {
    uv_timer_t handle;
    loop_fn fn;
    void *context;
};

enum { FREE_PATIENCE_MS = 30000 };

enum err_code loop_uv_error(struct err *e, int uv_code, const char *what)
{
    enum err_code code = ERR_NETWORK;
    if (uv_code == UV_ENOMEM) {
        code = ERR_NO_MEMORY;
    } else if (uv_code == UV_EACCES || uv_code == UV_EPERM) {
        code = ERR_DENIED;
    } else if (uv_code == UV_ETIMEDOUT) {
        code = ERR_TIMEOUT;
    } else if (uv_code == UV_EMFILE || uv_code == UV_ENFILE || uv_code == UV_EADDRINUSE) {
        code = ERR_BUSY;
    } else if (uv_code == UV_EINVAL || uv_code == UV_EADDRNOTAVAIL) {
        code = ERR_INVALID;
    } else if (uv_code == UV_ENOENT || uv_code == UV_EAI_NONAME || uv_code == UV_EAI_NODATA) {
        code = ERR_NOT_FOUND;
    }
    return err_set(e, code, "%s: %s", what, uv_strerror(uv_code));
}

static void run_posts(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    struct post_queue full = l->posts;
    l->posts = l->running;
    pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < full.count; i++) {
        full.items[i].fn(full.items[i].context);
    }
    full.count = 0;
    l->running = full;
}

static void on_wake(uv_async_t *handle)
{
    struct loop *l = handle->data;
    run_posts(l);
    if (atomic_exchange(&l->stop, false)) {
        uv_stop(&l->uv);
    }
}

static void on_idle(uv_idle_t *handle)
{
    (void)handle;
}

static void run_tasks(struct loop *l)
{
    struct loop_task now = {.next = &now, .previous = &now};
    if (l->tasks.next != &l->tasks) {
        now.next = l->tasks.next;
        now.previous = l->tasks.previous;
        now.next->previous = &now;
        now.previous->next = &now;
        l->tasks.next = l->tasks.previous = &l->tasks;
    }
    while (now.next != &now) {
        struct loop_task *task = now.next;
        loop_undefer(task);
        task->fn(task);
    }
}

static void on_prepare(uv_prepare_t *handle)
{
    struct loop *l = handle->data;
    run_tasks(l);
    if (l->tasks.next != &l->tasks) {
        uv_idle_start(&l->idle, on_idle);
    } else {
        uv_idle_stop(&l->idle);
    }
}

enum err_code loop_new(struct loop **ret, struct err *e)
{
    struct loop *l = calloc(1, sizeof(*l));
    if (l == NULL) {
        return err_set(e, ERR_NO_MEMORY, "an event loop: %s", err_text(ERR_NO_MEMORY));
    }
    int r = uv_loop_init(&l->uv);
    if (r != 0) {
        free(l);
        return loop_uv_error(e, r, "an event loop");
    }
    r = uv_async_init(&l->uv, &l->wake, on_wake);
    if (r != 0) {
        MUST(uv_loop_close(&l->uv) == 0);
        free(l);
        return loop_uv_error(e, r, "an event loop");
    }
    uv_prepare_init(&l->uv, &l->prepare);
    uv_idle_init(&l->uv, &l->idle);
    uv_timer_init(&l->uv, &l->nap);
    l->wake.data = l->prepare.data = l->idle.data = l->nap.data = l;
    l->tasks.next = l->tasks.previous = &l->tasks;
    uv_prepare_start(&l->prepare, on_prepare);
    uv_unref((uv_handle_t *)&l->prepare);
    uv_unref((uv_handle_t *)&l->idle);
    MUST(pthread_mutex_init(&l->lock, NULL) == 0);
    *ret = l;
    return ERR_OK;
}

static void on_nap(uv_timer_t *handle)
{
    (void)handle;
}

// Lets connections that their owners closed finish; nothing may be left that never ends.
static void wait_for_handles(struct loop *l)
{
    uv_unref((uv_handle_t *)&l->nap);
    uv_unref((uv_handle_t *)&l->wake);
    uv_timer_start(&l->nap, on_nap, 1000, 1000);
    uv_update_time(&l->uv);
    uint64_t start = uv_now(&l->uv);
    while (uv_loop_alive(&l->uv)) {
        uv_run(&l->uv, UV_RUN_ONCE);
        MUST(uv_now(&l->uv) - start < FREE_PATIENCE_MS);
    }
}

// Writing to a peer that is gone must be an error of that connection, not a signal to the process.
static void block_pipe_signal(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    MUST(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

void loop_free(struct loop *l)
{
    if (l == NULL) {
        return;
    }
    block_pipe_signal();
    run_posts(l);
    for (size_t i = 0; i < l->signal_count; i++) {
        uv_close((uv_handle_t *)&l->signals[i].handle, NULL);
    }
    wait_for_handles(l);
    run_posts(l);
    uv_close((uv_handle_t *)&l->wake, NULL);
    uv_close((uv_handle_t *)&l->prepare, NULL);
    uv_close((uv_handle_t *)&l->idle, NULL);
    uv_close((uv_handle_t *)&l->nap, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    MUST(uv_loop_close(&l->uv) == 0);
    if (l->framer.free != NULL) {
        l->framer.free(l->framer.value);
    }
    MUST(pthread_mutex_destroy(&l->lock) == 0);
    free(l->posts.items);
    free(l->running.items);
    free(l);
}

void loop_run(struct loop *l)
{
    block_pipe_signal();
    uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_run_once(struct loop *l, int64_t timeout_ms)
{
    block_pipe_signal();
    if (timeout_ms <= 0) {
        uv_run(&l->uv, UV_RUN_NOWAIT);
        return;
    }
    uv_update_time(&l->uv);
    // It repeats: a run begins with the timers that are due, and a nap that ended before the run
    // began would leave nothing that ends the waiting.
    uv_timer_start(&l->nap, on_nap, (uint64_t)timeout_ms, (uint64_t)timeout_ms);
    uv_run(&l->uv, UV_RUN_ONCE);
    uv_timer_stop(&l->nap);
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stop, true);
    uv_async_send(&l->wake);
}

static enum err_code queue_push(struct post_queue *q, struct posted item)
{
    if (q->count == LOOP_POST_MAX) {
        return ERR_BUSY;
    }
    if (q->count == q->room) {
        size_t room = q->room == 0 ? 16 : q->room * 2;
        struct posted *items = realloc(q->items, room * sizeof(*items));
        if (items == NULL) {
            return ERR_NO_MEMORY;
        }
        q->items = items;
        q->room = room;
    }
    q->items[q->count++] = item;
    return ERR_OK;
}

enum err_code loop_post(struct loop *l, loop_fn fn, void *context)
{
    pthread_mutex_lock(&l->lock);
    enum err_code code = queue_push(&l->posts, (struct posted){fn, context});
    pthread_mutex_unlock(&l->lock);
    if (code == ERR_OK) {
        uv_async_send(&l->wake);
    }
    return code;
}

int64_t loop_now_ms(const struct loop *l)
{
    return (int64_t)uv_now(&l->uv);
}

static void on_timer(uv_timer_t *handle)
{
    struct loop_timer *t = handle->data;
    t->fn(t->context);
}

enum err_code loop_timer_new(struct loop *l, loop_fn fn, void *context, struct loop_timer **ret)
{
    struct loop_timer *t = calloc(1, sizeof(*t));
    if (t == NULL) {
        return ERR_NO_MEMORY;
    }
    uv_timer_init(&l->uv, &t->handle);
    t->handle.data = t;
    t->fn = fn;
    t->context = context;
    *ret = t;
    return ERR_OK;
}

void loop_timer_start(struct loop_timer *t, int64_t after_ms, int64_t repeat_ms)
{
    MUST(!uv_is_closing((uv_handle_t *)&t->handle));
    uv_timer_start(&t->handle, on_timer, after_ms < 0 ? 0 : (uint64_t)after_ms,
                   repeat_ms < 0 ? 0 : (uint64_t)repeat_ms);
}

void loop_timer_stop(struct loop_timer *t)
{
    uv_timer_stop(&t->handle);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void loop_timer_free(struct loop_timer *t)
{
    if (t != NULL) {
        uv_close((uv_handle_t *)&t->handle, on_timer_closed);
    }
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct loop_signal *s = handle->data;
    s->fn(signal_number, s->context);
}

enum err_code loop_on_signal(struct loop *l, int signal_number, loop_signal_fn fn, void *context,
                             struct err *e)
{
    if (l->signal_count == LOOP_SIGNAL_MAX) {
        return err_set(e, ERR_LIMIT, "a loop takes %d signals", LOOP_SIGNAL_MAX);
    }
    struct loop_signal *s = &l->signals[l->signal_count];
    int r = uv_signal_init(&l->uv, &s->handle);
    if (r != 0) {
        return loop_uv_error(e, r, "a signal");
    }
    l->signal_count++;
    s->fn = fn;
    s->context = context;
    s->handle.data = s;
    r = uv_signal_start(&s->handle, on_signal, signal_number);
    if (r != 0) {
        return loop_uv_error(e, r, "a signal");
    }
    uv_unref((uv_handle_t *)&s->handle);
    return ERR_OK;
}

struct uv_loop_s *loop_uv(struct loop *l)
{
    return &l->uv;
}

void loop_defer(struct loop *l, struct loop_task *task)
{
    if (task->previous != NULL) {
        return;
    }
    task->next = &l->tasks;
    task->previous = l->tasks.previous;
    task->previous->next = task;
    l->tasks.previous = task;
}

void loop_undefer(struct loop_task *task)
{
    if (task->previous == NULL) {
        return;
    }
    task->previous->next = task->next;
    task->next->previous = task->previous;
    task->next = task->previous = NULL;
}

char *loop_read_buffer(struct loop *l)
{
    return l->read_buffer;
}

char *loop_plain_buffer(struct loop *l)
{
    return l->plain_buffer;
}

struct loop_slot *loop_framer_slot(struct loop *l)
{
    return &l->framer;
}
