// SPDX-License-Identifier: Apache-2.0
// A till and a centre in one process, on real loopback sockets.
#include "node/downlink_service.h"
#include "node/downlink_service_private.h"
#include "node/journal_private.h"
#include "node/uplink_service.h"
#include "test/unit/node/chain_fixture.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000 };

static struct chain c;
static struct err e;

struct side {
    struct writer *writer;
    struct uplink_service *up;
    struct downlink_service *down;
};
static struct loop *loop;
static struct http_server *http;
static struct side centre, till;

static void on_committed(void *context, const struct writer_news *news)
{
    const struct side *side = context;
    if (side->up)
        uplink_service_committed(side->up, news->moved, news->moved_count);
    if (side->down)
        downlink_service_moved(side->down, news->feeds, news->feed_count);
}

static void on_request(struct http_server *server, const struct http_request *request,
                       void *context)
{
    (void)context;
    downlink_service_accept(centre.down, server, request);
}

static const struct http_callbacks http_callbacks = {.request = on_request};

static void open_writer(struct journal *j, struct side *side)
{
    struct writer_hooks hooks = {on_committed, side};
    assert_int_equal(writer_open(j, loop, &hooks, &side->writer, &e), ERR_OK);
}

static void serve_centre(void)
{
    struct http_options options = {.listener = {.address = "127.0.0.1:0"}};
    open_writer(c.centre, &centre);
    struct downlink_service_options down = {loop, centre.writer, c.centre, &c.centre_config};
    assert_int_equal(downlink_service_open(&down, &centre.down, &e), ERR_OK);
    assert_int_equal(http_server_open(loop, &options, &http_callbacks, NULL, &http, &e), ERR_OK);
}

// Upstreams are set before; port 0 stands for the centre's.
static void serve_till(void)
{
    struct config *config = &c.till_config;
    if (config->upstream_count == 0)
        config->upstream_count = 1;
    (void)snprintf(config->upstreams[config->upstream_count - 1], CONFIG_URL_MAX,
                   "ws://127.0.0.1:%u", http ? http_server_port(http) : 9U);
    c.till->config = *config;
    open_writer(c.till, &till);
    struct uplink_service_options up = {loop, till.writer, c.till, config};
    assert_int_equal(uplink_service_open(&up, &till.up, &e), ERR_OK);
}

static void begin(void)
{
    chain_open(&c);
    centre = till = (struct side){.writer = NULL};
    http = NULL;
    assert_int_equal(loop_new(&loop, &e), ERR_OK);
}

static void stop_side(struct side *side)
{
    struct side old = *side;
    *side = (struct side){.writer = NULL};
    uplink_service_close(old.up);
    if (old.writer)
        writer_end(old.writer);
    downlink_service_close(old.down);
    for (int i = 0; i < 10; i++)
        loop_run_once(loop, 5);
    writer_close(old.writer);
}

static void end(void)
{
    stop_side(&till);
    http_server_close(http);
    stop_side(&centre);
    loop_free(loop);
    chain_close(&c);
}

#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        int64_t wait_start = clock_mono_ms();                                                      \
        while (!(condition)) {                                                                     \
            loop_run_once(loop, 10);                                                               \
            if (clock_mono_ms() - wait_start > PATIENCE_MS)                                        \
                fail_msg("waited in vain for: %s", #condition);                                    \
        }                                                                                          \
    } while (0)

static void run_ms(int64_t ms)
{
    int64_t until = clock_mono_ms() + ms;
    while (clock_mono_ms() < until)
        loop_run_once(loop, 10);
}

static bool is_online(void)
{
    struct uplink_view view;
    uplink_service_view(till.up, &view);
    return view.online;
}

static bool has_pending(void)
{
    struct uplink_view view;
    uplink_service_view(till.up, &view);
    return view.pending[LANE_CRITICAL] > 0;
}

// ---- work for a writer -----------------------------------------------------------------------

struct work {
    struct job job;
    int64_t value;
    const char *sku;
    struct branch_row branch;
    bool done;
};

static enum err_code run_waste(struct job *job, struct journal *j, struct err *why)
{
    const struct work *work = (struct work *)job;
    char body[128];
    (void)why;
    (void)snprintf(body, sizeof body, "{\"sku\":\"%s\",\"quantity\":\"%d\",\"reason\":\"spilt\"}",
                   work->sku, (int)work->value);
    chain_add(j, "inventory_wasted", work->sku, body);
    return ERR_OK;
}

static void waste(struct side *side, const char *sku, int quantity)
{
    struct work work = {.job = {.run = run_waste}, .value = quantity, .sku = sku};
    assert_int_equal(writer_run(side->writer, &work.job), ERR_OK);
}

static enum err_code run_stock(struct job *job, struct journal *j, struct err *why)
{
    struct work *work = (struct work *)job;
    (void)why;
    work->value = chain_stock(j, work->sku);
    return ERR_OK;
}

static int64_t stock(struct side *side, const char *sku)
{
    struct work work = {.job = {.reads = true, .run = run_stock}, .sku = sku};
    assert_int_equal(writer_run(side->writer, &work.job), ERR_OK);
    return work.value;
}

static enum err_code run_branch(struct job *job, struct journal *j, struct err *why)
{
    struct work *work = (struct work *)job;
    struct branch_list list;
    struct arena a;
    arena_init(&a, 1024 * 1024);
    enum err_code code = store_branches(journal_store(j), &a, &list, why);
    for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
        if (str_is(list.items[i].id, "BR01"))
            work->branch = list.items[i];
    }
    arena_fini(&a);
    return code;
}

static struct branch_row branch(void)
{
    struct work work = {.job = {.reads = true, .run = run_branch}};
    assert_int_equal(writer_run(centre.writer, &work.job), ERR_OK);
    return work.branch;
}

static enum err_code run_counts(struct job *job, struct journal *j, struct err *why)
{
    struct store_counts counts;
    enum err_code code = store_counts(journal_store(j), &counts, why);
    ((struct work *)job)->value = (int64_t)counts.pending[LANE_CRITICAL];
    return code;
}

static int64_t pending_in_store(void)
{
    struct work work = {.job = {.reads = true, .run = run_counts}};
    assert_int_equal(writer_run(till.writer, &work.job), ERR_OK);
    return work.value;
}

// ---- tests -----------------------------------------------------------------------------------

TEST(service__what_a_till_sells_reaches_the_centre_and_counts_once)
{
    begin();
    serve_centre();
    serve_till();
    waste(&till, "milk", 3);
    WAIT_FOR(is_online() && stock(&centre, "milk") == -3);
    waste(&till, "milk", 4);
    WAIT_FOR(stock(&centre, "milk") == -7 && !has_pending() && pending_in_store() == 0);
    waste(&centre, "salt", 1); // a row for another place
    run_ms(200);
    assert_int_equal(stock(&till, "milk"), -7);
    end();
}

TEST(service__closes_in_any_state_of_the_session)
{
    for (int64_t ms = 0; ms < 60; ms += 4) { // connecting, greeting, live, pushing
        begin();
        serve_centre();
        serve_till();
        waste(&till, "milk", 3);
        run_ms(ms);
        waste(&till, "milk", 3);
        end();
    }
}

TEST(service__a_till_without_upstream_closes)
{
    begin();
    serve_till(); // nobody answers there
    waste(&till, "milk", 3);
    run_ms(300);
    assert_false(is_online());
    end();
}

TEST(service__the_centre_knows_since_when_events_are_pending)
{
    begin();
    chain_waste(c.till, "milk", 1);
    run_ms(50);
    int64_t before = clock_wall_ms();
    c.centre_config.window_events = 0; // no credit: it stays pending
    serve_centre();
    serve_till();
    WAIT_FOR(is_online() && branch().pending > 0);
    assert_in_range(branch().oldest_pending_at, before - 5000, before);
    end();
}

// A device tells the age of what is not settled, and may have nothing that is not held.
TEST(service__what_is_not_pending_has_no_age)
{
    static struct session session;
    struct message_hello hello = {.backlog = 2, .oldest_at = 5000};
    session_note_hello(&session, &hello);
    assert_int_equal(session.status.oldest_pending_at, 5000);
    hello.backlog = 0;
    session_note_hello(&session, &hello);
    assert_int_equal(session.status.oldest_pending_at, 0);
}

TEST(service__a_device_that_went_is_not_shown_online)
{
    begin();
    serve_centre();
    serve_till();
    WAIT_FOR(is_online() && branch().devices_online == 1);
    stop_side(&till);
    WAIT_FOR(branch().devices_online == 0);
    end();
}

TEST(service__a_device_that_went_with_the_centre_is_not_shown_online)
{
    begin();
    serve_centre();
    serve_till();
    WAIT_FOR(is_online() && branch().devices_online == 1);
    http_server_close(http);
    writer_end(centre.writer); // as the power goes: nothing more is written
    stop_side(&centre);
    stop_side(&till);
    serve_centre(); // and the till never comes again
    assert_int_equal(branch().devices_online, 0);
    end();
}

TEST(service__tries_the_next_upstream_where_the_first_is_silent)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); // takes connections, says nothing
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    begin();
    serve_centre();
    (void)snprintf(c.till_config.upstreams[0], CONFIG_URL_MAX, "ws://127.0.0.1:%u",
                   ntohs(address.sin_port));
    c.till_config.upstream_count = 2;
    serve_till();
    WAIT_FOR(is_online());
    end();
    (void)close(fd);
}

TEST(service__a_run_that_the_centre_disputes_arrives_under_a_new_one)
{
    begin();
    serve_centre();
    serve_till();
    waste(&till, "milk", 1);
    waste(&till, "milk", 2);
    WAIT_FOR(stock(&centre, "milk") == -3 && !has_pending());
    stop_side(&till);
    chain_waste(c.till, "milk", 4);
    const struct stream_key key = {c.till->runs[0].origin, LANE_CRITICAL};
    // A bit of the till's disk flips, in what the centre has not seen.
    journal_close(c.till);
    c.till = chain_journal(&c.till_config);
    struct stream_info info;
    assert_int_equal(store_stream_find(journal_store(c.till), &key, &info), ERR_OK);
    assert_int_equal(journal_begin(c.till, &e), ERR_OK);
    uint64_t after = info.settled.seq;
    assert_int_equal(journal_rehome(c.till, &key, after, &after, &e), ERR_OK);
    assert_int_equal(journal_commit(c.till, &e), ERR_OK);
    serve_till();
    WAIT_FOR(stock(&centre, "milk") == -7 && !has_pending() && pending_in_store() == 0);
    run_ms(300);
    assert_int_equal(stock(&till, "milk"), -7);
    end();
}

// A client that speaks no protocol.
struct stranger {
    struct ws *ws;
    bool opened, closed;
};

static void on_stranger_opened(struct ws *ws, void *context)
{
    (void)ws;
    ((struct stranger *)context)->opened = true;
}

static void on_stranger_message(struct ws *ws, enum ws_type type, struct str bytes, void *context)
{
    (void)ws;
    (void)type;
    (void)bytes;
    (void)context;
}

static void on_stranger_closed(struct ws *ws, int code, const struct err *why, void *context)
{
    (void)ws;
    (void)code;
    (void)why;
    ((struct stranger *)context)->closed = true;
}

static const struct ws_callbacks stranger_callbacks = {
    .opened = on_stranger_opened, .message = on_stranger_message, .closed = on_stranger_closed};

static void meet(struct stranger *stranger)
{
    char text[64];
    struct url url;
    *stranger = (struct stranger){.ws = NULL};
    (void)snprintf(text, sizeof text, "ws://127.0.0.1:%u/api/v1/sync", http_server_port(http));
    assert_int_equal(url_parse(str_of(text), &url, &e), ERR_OK);
    struct ws_target target = {.url = &url, .subprotocol = "wasl.v1"};
    struct ws_options options = {.message_max_bytes = MESSAGE_MAX_BYTES};
    assert_int_equal(ws_connect(loop, &target, &options, &stranger->ws, &e), ERR_OK);
    ws_set_owner(stranger->ws, &stranger_callbacks, stranger);
    WAIT_FOR(stranger->opened);
}

TEST(service__a_stranger_leaves_nothing_behind)
{
    static const char *const noise[] = {"", "{", "{\"m\":\"push\"}\n{\"sum\":\"00\"}\n",
                                        "{\"m\":\"hello\"}\n{\"sum\":\"0011\"}\n"};
    begin();
    serve_centre();
    for (size_t i = 0; i < COUNT_OF(noise); i++) {
        struct stranger stranger;
        meet(&stranger);
        assert_int_equal(ws_send(stranger.ws, WS_TEXT, str_of(noise[i])), ERR_OK);
        WAIT_FOR(stranger.closed);
    }
    assert_int_equal(downlink_service_sessions(centre.down), 0);
    struct stranger patient[20]; // and many that say nothing
    for (size_t i = 0; i < COUNT_OF(patient); i++)
        meet(&patient[i]);
    assert_int_equal(downlink_service_sessions(centre.down), COUNT_OF(patient));
    for (size_t i = 0; i < COUNT_OF(patient); i++)
        ws_abort(patient[i].ws);
    WAIT_FOR(downlink_service_sessions(centre.down) == 0);
    end();
}
