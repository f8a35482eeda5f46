// SPDX-License-Identifier: Apache-2.0
#include "node/node.h"

#include "base/clock.h"
#include "base/log.h"
#include "node/downlink_service.h"
#include "node/server.h"
#include "node/catalog_keeper.h"
#include "node/upkeep.h"
#include "node/uplink_service.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

struct node {
    const struct config *config;
    struct loop *loop;
    struct journal *journal;
    struct writer *writer;
    struct uplink_service *uplink;
    struct downlink_service *downlink;
    struct server *server;
    struct upkeep *upkeep;
    struct catalog_keeper *catalog;
    int64_t fsync_us;
};

static void on_committed(void *context, const struct writer_news *news)
{
    struct node *n = context;
    if (n->uplink)
        uplink_service_committed(n->uplink, news->moved, news->moved_count);
    if (n->downlink && news->sessions_over)
        downlink_service_end_sessions(n->downlink);
    if (n->downlink)
        downlink_service_moved(n->downlink, news->feeds, news->feed_count);
    if (n->server)
        server_committed(n->server);
}

static void on_live(void *context, struct server_live *ret)
{
    const struct node *n = context;
    *ret = (struct server_live){.online = n->config->role == ROLE_CENTRAL, .fsync_us = n->fsync_us};
    if (n->uplink) {
        struct uplink_view view;
        uplink_service_view(n->uplink, &view);
        ret->online = view.online;
        ret->revoked = view.revoked;
        ret->clock_offset_ms = view.clock_offset_ms;
        ret->last_sync_at = view.last_sync_at;
        snprintf(ret->upstream, sizeof(ret->upstream), "%s", view.upstream);
    }
    if (n->downlink)
        ret->sessions = downlink_service_sessions(n->downlink);
}

static void on_sync(void *context, struct http_server *http, const struct http_request *request)
{
    downlink_service_accept(((struct node *)context)->downlink, http, request);
}

static void on_push(void *context)
{
    uplink_service_push_deferred(((struct node *)context)->uplink);
}

static void on_signal(int signal_number, void *context)
{
    struct node *n = context;
    log_line(LOG_INFO, "node", "signal %d: stopping", signal_number);
    loop_stop(n->loop);
}

// Each device is an open file, and the system's usual soft limit is 1,024.
static void raise_file_limit(void)
{
    static const rlim_t wanted = LIMIT_CONNECTIONS + 1024;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static enum err_code open_base(struct node *n, struct err *e)
{
    raise_file_limit();
    enum err_code code = journal_open(n->config, &n->journal, e);
    if (code == ERR_OK)
        code = loop_new(&n->loop, e);
    if (code == ERR_OK)
        code = loop_on_signal(n->loop, SIGTERM, on_signal, n, e);
    if (code == ERR_OK)
        code = loop_on_signal(n->loop, SIGINT, on_signal, n, e);
    if (code == ERR_OK)
        code = store_fsync_us(journal_store(n->journal), &n->fsync_us, e);
    if (code == ERR_OK)
        store_lengthen_log(journal_store(n->journal));
    struct writer_hooks hooks = {on_committed, n};
    return code ? code : writer_open(n->journal, n->loop, &hooks, &n->writer, e);
}

static enum err_code open_services(struct node *n, struct err *e)
{
    struct uplink_service_options up = {n->loop, n->writer, n->journal, n->config};
    struct downlink_service_options down = {n->loop, n->writer, n->journal, n->config};
    struct server_options http = {.loop = n->loop,
                                  .writer = n->writer,
                                  .journal = n->journal,
                                  .config = n->config,
                                  .context = n,
                                  .live = on_live,
                                  .sync = n->config->role == ROLE_CENTRAL ? on_sync : NULL,
                                  .push = on_push};
    enum err_code code = n->config->role == ROLE_CENTRAL
                             ? downlink_service_open(&down, &n->downlink, e)
                             : uplink_service_open(&up, &n->uplink, e);
    if (code == ERR_OK)
        code = server_open(&http, &n->server, e);
    struct upkeep_options upkeep = {n->loop, n->writer, n->config};
    struct catalog_keeper_options catalog = {n->loop, n->writer, n->config, n->uplink};
    if (code == ERR_OK)
        code = upkeep_open(&upkeep, &n->upkeep, e);
    return code || n->uplink == NULL ? code : catalog_keeper_open(&catalog, &n->catalog, e);
}

// First the writer finishes what was accepted and every answer goes out; then the doors close; at
// last the loop runs on until the sockets have said goodbye.
static void close_all(struct node *n)
{
    writer_end(n->writer);
    while (n->loop && n->writer && writer_owes(n->writer)) // all are on their way: it is a turn
        loop_run_once(n->loop, 10);
    upkeep_close(n->upkeep);
    catalog_keeper_close(n->catalog);
    server_close(n->server);
    uplink_service_close(n->uplink);
    downlink_service_close(n->downlink);
    n->server = NULL;
    n->uplink = NULL;
    n->downlink = NULL;
    for (int i = 0; n->loop && i < 20; i++)
        loop_run_once(n->loop, 5);
    loop_free(n->loop); // what is still posted to it knows the writer
    writer_close(n->writer);
    journal_close(n->journal);
}

// Nothing else would say why such a till's sales stay where they are.
static void tell_if_alone(const struct node *n)
{
    const char *dir = n->config->dir;
    if (n->config->role == ROLE_CENTRAL)
        return;
    if (uuid_is_zero(&journal_identity(n->journal)->chain))
        log_line(LOG_WARN, "node", "works alone: it has joined no chain (wasl enroll join %s CODE)",
                 dir);
    else if (n->config->upstream_count == 0)
        log_line(LOG_WARN, "node", "works alone: %s/wasl.ini names no upstream", dir);
}

enum err_code node_serve(const struct config *config, struct err *e)
{
    if (config->role == ROLE_BRANCH)
        return err_set(e, ERR_UNSUPPORTED,
                       "a branch hub is not built yet: tills go straight to "
                       "the centre");
    struct node n = {.config = config};
    log_set_level(config->log_debug ? LOG_DEBUG : LOG_INFO);
    signal(SIGPIPE, SIG_IGN);
    enum err_code code = open_base(&n, e);
    if (code == ERR_OK)
        code = open_services(&n, e);
    if (code == ERR_OK) {
        log_line(LOG_INFO, "node", "%s serves %s (listen = %s), fsync takes %lld us",
                 node_role_name(config->role), server_url(n.server), config->listen,
                 (long long)n.fsync_us);
        tell_if_alone(&n);
        loop_run(n.loop);
    }
    close_all(&n);
    return code;
}
