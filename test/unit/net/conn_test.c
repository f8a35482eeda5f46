// SPDX-License-Identifier: Apache-2.0
#include "test/unit/net/fixture.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

struct pair {
    struct loop *l;
    struct canned s;
    struct raw client;
    struct raw *server;
    struct tls_context *server_tls;
    struct tls_context *client_tls;
};

static void pair_open(struct pair *p, const struct conn_options *options, bool tls)
{
    struct listener_options listener = {.conn = *options};
    *p = (struct pair){.l = fixture_loop()};
    if (tls) {
        const struct fixture_pki *pki = fixture_pki();
        p->server_tls = fixture_server_tls(pki->good, pki->good_key);
        p->client_tls = fixture_client_tls(pki->ca);
        listener.conn.tls = p->server_tls;
    }
    canned_open(&p->s, p->l, &listener, 1);
    raw_connect(&p->client, p->l, listener_port(p->s.listener), p->client_tls);
    WAIT_FOR(p->l, p->client.opened == 1 && p->s.count == 1);
    p->server = &p->s.conns[0];
}

static void pair_close(struct pair *p)
{
    raw_end(&p->client, p->l);
    canned_close(&p->s, p->l);
    loop_free(p->l);
    tls_context_drop(p->server_tls);
    tls_context_drop(p->client_tls);
}

TEST(conn__a_port_in_use_is_named)
{
    struct loop *l = fixture_loop();
    struct canned s = {0};
    struct listener_options options = {0};
    canned_open(&s, l, &options, 1);
    char address[64];
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)listener_port(s.listener));
    options.address = address;
    static const struct listener_callbacks NONE = {0};
    struct listener *second = NULL;
    struct err e = {0};
    assert_int_equal(listener_open(l, &options, &NONE, NULL, &second, &e), ERR_BUSY);
    assert_non_null(strstr(e.text, address));
    assert_non_null(strstr(e.text, "in use"));
    options.address = "10.255.255.1:0";
    assert_int_equal(listener_open(l, &options, &NONE, NULL, &second, &e), ERR_INVALID);
    options.address = "hub:80";
    assert_int_equal(listener_open(l, &options, &NONE, NULL, &second, &e), ERR_PARSE);
    canned_close(&s, l);
    loop_free(l);
}

TEST(conn__a_shared_port_is_taken_twice)
{
    struct loop *l = fixture_loop();
    static const struct listener_callbacks NONE = {0};
    struct listener_options options = {.address = "127.0.0.1:0", .share_port = true};
    struct listener *first = NULL;
    struct listener *second = NULL;
    assert_int_equal(listener_open(l, &options, &NONE, NULL, &first, NULL), ERR_OK);
    char address[64];
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)listener_port(first));
    options.address = address;
    assert_int_equal(listener_open(l, &options, &NONE, NULL, &second, NULL), ERR_OK);
    listener_close(first);
    listener_close(second);
    loop_free(l);
}

TEST(conn__a_refused_connection_names_host_and_port)
{
    struct loop *l = fixture_loop();
    struct canned s = {0};
    struct listener_options options = {0};
    canned_open(&s, l, &options, 1);
    uint16_t port = listener_port(s.listener);
    canned_close(&s, l);
    struct raw r;
    raw_connect(&r, l, port, NULL);
    WAIT_FOR(l, r.closed == 1);
    assert_int_equal(r.why.code, ERR_NETWORK);
    assert_non_null(strstr(r.why.text, "127.0.0.1"));
    raw_end(&r, l);
    loop_free(l);
}

TEST(conn__a_name_is_resolved_and_closing_meanwhile_is_safe)
{
    struct loop *l = fixture_loop();
    struct canned s = {0};
    struct listener_options options = {0};
    canned_open(&s, l, &options, 2);
    for (int i = 0; i < 2; i++) {
        struct raw r = {0};
        struct conn_options none = {0};
        uint16_t port = listener_port(s.listener);
        assert_int_equal(conn_connect(l, "localhost", port, &none, &r.conn, NULL), ERR_OK);
        struct conn *c = r.conn;
        static const struct conn_callbacks SILENT = {0};
        conn_set_owner(c, &SILENT, NULL);
        if (i == 0) {
            WAIT_FOR(l, s.count == 1);
        }
        conn_close(c);
    }
    canned_close(&s, l);
    loop_free(l);
}

TEST(conn__a_connection_that_never_comes_times_out)
{
    struct loop *l = fixture_loop();
    struct raw r = {0};
    struct conn_options options = {.connect_timeout_ms = 60};
    // A test network (RFC 5737): nobody answers; some machines say at once that it is unreachable.
    raw_connect(&r, l, 9, NULL);
    raw_end(&r, l);
    struct conn *c = NULL;
    assert_int_equal(conn_connect(l, "192.0.2.1", 9, &options, &c, NULL), ERR_OK);
    static const struct conn_callbacks SILENT = {0};
    conn_set_owner(c, &SILENT, NULL);
    int64_t start = clock_mono_ms();
    loop_free(l); // waits for its end
    assert_true(clock_mono_ms() - start < 5000);
    struct err e = {0};
    l = fixture_loop();
    assert_int_equal(conn_connect(l, "", 9, &options, &c, &e), ERR_INVALID);
    assert_int_equal(conn_connect(l, "h", 0, &options, &c, &e), ERR_INVALID);
    loop_free(l);
}

static void slow_reader(bool tls)
{
    struct pair p;
    pair_open(&p, &(struct conn_options){.send_max_bytes = 1U << 20, .send_low_bytes = 1000}, tls);
    conn_read_pause(p.client.conn);
    char block[10000];
    memset(block, 'b', sizeof block);
    size_t sent = 0;
    enum err_code code = ERR_OK;
    int64_t start = clock_mono_ms();
    while (code == ERR_OK) {
        code = conn_write(p.server->conn, str_make(block, sizeof block));
        sent += code == ERR_OK ? sizeof block : 0;
        if (sent % 500000 == 0) {
            loop_run_once(p.l, 1);
        }
        assert_true(clock_mono_ms() - start < PATIENCE_MS);
    }
    assert_int_equal(code, ERR_BUSY);
    assert_true(conn_queued(p.server->conn) <= (1U << 20) + 100000);
    int drained = p.server->drained;
    fixture_run_ms(p.l, 50);
    size_t got = p.client.got.len;
    assert_true(got < sent); // held back: what the kernel keeps does not count as read
    fixture_run_ms(p.l, 50);
    assert_int_equal(p.client.got.len, got);
    conn_read_resume(p.client.conn);
    WAIT_FOR(p.l, p.client.got.len == sent);
    WAIT_FOR(p.l, p.server->drained == drained + 1);
    assert_int_equal(conn_queued(p.server->conn), 0);
    assert_int_equal(conn_write(p.server->conn, (struct str){block, 2U << 20}), ERR_LIMIT);
    pair_close(&p);
}

TEST(conn__a_slow_reader_holds_the_writer_back)
{
    slow_reader(false);
}

TEST(conn__a_slow_reader_holds_the_writer_back_over_tls)
{
    slow_reader(true);
}

TEST(conn__a_peer_that_takes_nothing_is_closed)
{
    struct pair p;
    pair_open(&p, &(struct conn_options){.stall_timeout_ms = 100, .send_max_bytes = 64U << 20},
              false);
    conn_read_pause(p.client.conn);
    char *much = calloc(1, 32U << 20);
    assert_non_null(much);
    assert_int_equal(conn_write(p.server->conn, str_make(much, 32U << 20)), ERR_OK);
    free(much);
    WAIT_FOR(p.l, p.server->closed == 1);
    assert_int_equal(p.server->why.code, ERR_TIMEOUT);
    pair_close(&p);
}

TEST(conn__an_idle_connection_is_closed)
{
    struct pair p;
    pair_open(&p, &(struct conn_options){.idle_timeout_ms = 80}, false);
    for (int i = 0; i < 5; i++) {
        raw_send(&p.client, "still here");
        fixture_run_ms(p.l, 40);
        assert_int_equal(p.server->closed, 0);
    }
    WAIT_FOR(p.l, p.server->closed == 1);
    assert_int_equal(p.server->why.code, ERR_TIMEOUT);
    WAIT_FOR(p.l, p.client.closed == 1);
    assert_int_equal(p.client.why.code, ERR_CLOSED);
    pair_close(&p);
}

static void finish_after_much(bool tls)
{
    struct pair p;
    pair_open(&p, &(struct conn_options){0}, tls);
    char *much = malloc(5U << 20);
    assert_non_null(much);
    memset(much, 'm', 5U << 20);
    assert_int_equal(conn_write(p.server->conn, str_make(much, 5U << 20)), ERR_OK);
    free(much);
    conn_finish(p.server->conn);
    assert_int_equal(conn_write(p.server->conn, STR("x")), ERR_CLOSED);
    WAIT_FOR(p.l, p.client.closed == 1 && p.server->closed == 1);
    assert_int_equal(p.client.got.len, 5U << 20);
    assert_int_equal(p.client.why.code, ERR_CLOSED);
    assert_int_equal(p.server->why.code, ERR_OK);
    pair_close(&p);
}

TEST(conn__finish_sends_what_is_queued)
{
    finish_after_much(false);
}

TEST(conn__finish_sends_what_is_queued_over_tls)
{
    finish_after_much(true);
}

TEST(conn__a_half_closed_peer_still_gets_what_was_queued)
{
    struct pair p;
    pair_open(&p, &(struct conn_options){0}, false);
    char *much = calloc(1, 5U << 20);
    assert_non_null(much);
    conn_read_pause(p.client.conn);
    assert_int_equal(conn_write(p.server->conn, str_make(much, 5U << 20)), ERR_OK);
    free(much);
    conn_finish(p.client.conn); // its FIN arrives while the server's queue is full
    WAIT_FOR(p.l, p.client.closed == 1 && p.server->closed == 1);
    assert_int_equal(p.server->why.code, ERR_CLOSED);
    pair_close(&p);
}

TEST(conn__connections_beyond_the_maximum_are_turned_away)
{
    struct loop *l = fixture_loop();
    struct canned s = {0};
    struct listener_options options = {.max_conns = 2};
    canned_open(&s, l, &options, 2);
    struct raw r[3];
    for (size_t i = 0; i < 3; i++) {
        raw_connect(&r[i], l, listener_port(s.listener), NULL);
        WAIT_FOR(l, r[i].opened == 1);
    }
    WAIT_FOR(l, r[2].closed == 1 && s.refused == 1);
    assert_int_equal(s.refusal.code, ERR_LIMIT);
    assert_int_equal(listener_conns(s.listener), 2);
    for (size_t i = 0; i < 3; i++) {
        raw_end(&r[i], l);
    }
    canned_close(&s, l);
    loop_free(l);
}

// Both ends close at every possible moment, in every order; ASan watches.
static void race(bool tls)
{
    for (int i = 0; i < 40; i++) {
        struct pair p;
        pair_open(&p, &(struct conn_options){0}, tls);
        raw_send(&p.client, "ping");
        assert_int_equal(conn_write(p.server->conn, STR("pong")), ERR_OK);
        for (int turns = 0; turns < i % 5; turns++) {
            loop_run_once(p.l, 0);
        }
        struct conn *first = i & 1 ? p.client.conn : p.server->conn;
        struct conn *second = i & 1 ? p.server->conn : p.client.conn;
        if (i & 2) {
            conn_finish(first);
        }
        if (i & 4) {
            conn_close(first);
        }
        if ((i & 6) == 0) {
            conn_read_pause(second);
        }
        conn_close(second);
        conn_close(second);
        conn_finish(second);
        conn_read_resume(second);
        pair_close(&p);
        assert_int_equal(p.client.closed, 1);
    }
}

TEST(conn__closing_races_end_in_one_closed_each)
{
    race(false);
}

TEST(conn__closing_races_end_in_one_closed_each_over_tls)
{
    race(true);
}

TEST(conn__without_memory_nothing_is_left_behind)
{
    const struct fixture_pki *pki = fixture_pki();
    struct tls_context *tls = fixture_client_tls(pki->ca);
    struct loop *l = fixture_loop();
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        struct conn_options options = {.tls = tls};
        struct conn *c = NULL;
        unit_alloc_fail(n);
        enum err_code code = conn_connect(l, "127.0.0.1", 9, &options, &c, NULL);
        failed = unit_alloc_end();
        assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
        assert_true(failed || code == ERR_OK);
        if (code == ERR_OK) {
            static const struct conn_callbacks SILENT = {0};
            conn_set_owner(c, &SILENT, NULL);
            conn_close(c);
        }
    }
    loop_free(l);
    tls_context_drop(tls);
}
