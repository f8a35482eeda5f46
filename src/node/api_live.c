// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/live: tells pages that something changed; what changed they ask for.
//
// Why so little is said: one small message to each page costs the same with five branches and with
//   five thousand, and a page that is hidden or slow asks less often, or not at all.
// A message is {"changed":bool,"as_of":ms}: changed after a commit, at most every LIVE_EVERY_MS;
// every LIVE_TICK_MS one comes in any case, since ages grow and devices fall silent without one.
// Ownership: a listener belongs to its socket and is freed in its last callback; after
// api_live_close it no longer looks at the struct api_live.
#include "node/server_private.h"

#include "base/clock.h"
#include "net/websocket.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LIVE_EVERY_MS = 250,
    LIVE_TICK_MS = 2000,
    LIVE_MAX = 256, // pages at once
    LIVE_SEND_MAX = 16 * 1024,
    LIVE_MESSAGE_MAX = 1024,
    LIVE_CLOSE_MS = 500,
};

struct listener_page {
    struct listener_page *next, **at;
    struct api_live *live; // NULL: the server is gone
    struct ws *ws;
};

struct api_live {
    struct server *server;
    struct loop_timer *timer;
    struct listener_page *pages;
    size_t count;
    int64_t sent_ms; // monotonic
    bool changed;    // since then
};

static void send_all(struct api_live *live)
{
    char text[96];
    int n = snprintf(text, sizeof(text), "{\"changed\":%s,\"as_of\":%lld}",
                     live->changed ? "true" : "false", (long long)clock_wall_ms());
    for (struct listener_page *page = live->pages; page; page = page->next)
        (void)!ws_send(page->ws, WS_TEXT, str_make(text, (size_t)n)); // a slow page misses one
    live->changed = false;
    live->sent_ms = clock_mono_ms();
}

static void on_tick(void *context)
{
    struct api_live *live = context;
    int64_t quiet = clock_mono_ms() - live->sent_ms;
    if (live->count && (quiet >= LIVE_TICK_MS || (live->changed && quiet >= LIVE_EVERY_MS)))
        send_all(live);
}

void api_live_changed(struct api_live *live)
{
    live->changed = true;
    on_tick(live);
}

size_t api_live_count(const struct api_live *live)
{
    return live->count;
}

// ---- one page ----------------------------------------------------------------------------------

static void unlink_page(struct listener_page *page)
{
    if (page->live == NULL)
        return;
    *page->at = page->next;
    if (page->next)
        page->next->at = page->at;
    if (--page->live->count == 0)
        loop_timer_stop(page->live->timer);
    page->live = NULL;
}

static void on_message(struct ws *ws, enum ws_type type, struct str bytes, void *context)
{
    (void)type;
    (void)bytes;
    (void)context;
    ws_close(ws, WS_POLICY, "nothing is expected here");
}

static void on_closed(struct ws *ws, int code, const struct err *why, void *context)
{
    (void)ws;
    (void)code;
    (void)why;
    unlink_page(context);
    free(context);
}

static const struct ws_callbacks page_callbacks = {.message = on_message, .closed = on_closed};

void api_live_get(struct server *s, const struct http_request *request)
{
    struct api_live *live = s->live;
    struct ws_options options = {.message_max_bytes = LIVE_MESSAGE_MAX,
                                 .send_max_bytes = LIVE_SEND_MAX,
                                 .close_timeout_ms = LIVE_CLOSE_MS};
    if (!request->upgrade) {
        server_problem(s, request->id, 426, "pages connect here by WebSocket");
        return;
    }
    if (!server_origin_ours(request)) {
        server_problem(s, request->id, 403, "a page of another site may not listen here");
        return;
    }
    struct listener_page *page = live->count < LIVE_MAX ? calloc(1, sizeof(*page)) : NULL;
    if (page == NULL) {
        server_problem(s, request->id, 503, "too many pages listen");
        return;
    }
    struct err e = {0};
    if (ws_accept(s->http, request, NULL, &options, &page->ws, &e)) {
        free(page); // ws_accept has answered
        return;
    }
    *page = (struct listener_page){
        .next = live->pages, .at = &live->pages, .live = live, .ws = page->ws};
    if (live->pages)
        live->pages->at = &page->next;
    live->pages = page;
    if (live->count++ == 0)
        loop_timer_start(live->timer, LIVE_EVERY_MS, LIVE_EVERY_MS);
    ws_set_owner(page->ws, &page_callbacks, page);
    live->changed = true; // the first word comes soon, so that the page knows the line is good
}

// ---- opening -----------------------------------------------------------------------------------

enum err_code api_live_open(struct server *s, struct err *e)
{
    struct api_live *live = calloc(1, sizeof(*live));
    if (live == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    live->server = s;
    if (loop_timer_new(s->options.loop, on_tick, live, &live->timer)) {
        free(live);
        return err_set(e, ERR_NO_MEMORY, "a timer for pages cannot be made");
    }
    s->live = live;
    return ERR_OK;
}

void api_live_close(struct api_live *live)
{
    if (live == NULL)
        return;
    while (live->pages) {
        struct ws *ws = live->pages->ws;
        unlink_page(live->pages);
        ws_close(ws, WS_GOING_AWAY, "the node is stopping");
    }
    loop_timer_free(live->timer);
    free(live);
}
