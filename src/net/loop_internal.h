// SPDX-License-Identifier: Apache-2.0
// What the modules of this layer share of a loop and no other layer sees.
//
// A task is work put off to the end of a turn: it runs before the thread sleeps. It lives inside
// its owner, is in the list at most once, and its owner takes it out before it goes.
#ifndef WASL_NET_LOOP_INTERNAL_H
#define WASL_NET_LOOP_INTERNAL_H

#include "net/loop.h"

#include <stddef.h>
#include <uv.h>

struct loop_task {
    struct loop_task *next;
    struct loop_task *previous; // NULL: not in the list
    void (*fn)(struct loop_task *task);
};

void loop_defer(struct loop *l, struct loop_task *task);
void loop_undefer(struct loop_task *task); // fine when it is not in the list

// One buffer for what a socket gives and one for what TLS makes of it: every callback consumes its
// bytes before it returns, so a loop needs no more than one of each.
enum { LOOP_READ_SIZE = 64 * 1024, LOOP_PLAIN_SIZE = 16 * 1024 };
char *loop_read_buffer(struct loop *l);
char *loop_plain_buffer(struct loop *l);

// A place for what one module wants once per loop; freed with the loop.
struct loop_slot {
    void *value;
    void (*free)(void *value);
};
struct loop_slot *loop_framer_slot(struct loop *l); // net/websocket.c

// libuv's error in our terms; the text is "what: libuv's text".
enum err_code loop_uv_error(struct err *e, int uv_code, const char *what);

#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
