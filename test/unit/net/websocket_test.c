// SPDX-License-Identifier: Apache-2.0
#include "test/unit/net/fixture.h"

#include "base/clock.h"
#include "net/ws_internal.h"

#include <stdlib.h>
#include <string.h>

static void url_of(char to[128], const struct site *s, const char *scheme, const char *path)
{
    (void)snprintf(to, 128, "%s://127.0.0.1:%u%s", scheme, (unsigned)site_port(s), path);
}

static void echo_over(struct tls_context *server, struct tls_context *client)
{
    struct loop *l = fixture_loop();
    struct site s = {0};
    site_open(&s, l, server, 1);
    char url[128];
    url_of(url, &s, client != NULL ? "wss" : "ws", "/ws");
    struct peer p;
    peer_connect(&p, l, url, client);
    WAIT_FOR(l, p.opened == 1);
    static const size_t SIZES[] = {0, 1, 125, 126, 4000, 65535, 65536, 300000, 3U << 20};
    char *bytes = malloc(3U << 20);
    assert_non_null(bytes);
    for (size_t i = 0; i < 3U << 20; i++) {
        bytes[i] = (char)(i * 31 + i / 251);
    }
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        assert_int_equal(ws_send(p.ws, WS_BINARY, str_make(bytes, SIZES[i])), ERR_OK);
        WAIT_FOR(l, p.messages == i + 1);
        assert_int_equal(p.last.len, SIZES[i]);
        assert_true(SIZES[i] == 0 || memcmp(p.last.data, bytes, SIZES[i]) == 0);
    }
    free(bytes);
    ws_close(p.ws, WS_NORMAL, "done");
    WAIT_FOR(l, p.closed == 1 && s.peers[0].closed == 1);
    assert_int_equal(p.code, WS_NORMAL);
    assert_int_equal(p.why.code, ERR_OK);
    assert_int_equal(s.peers[0].code, WS_NORMAL);
    assert_int_equal(s.peers[0].why.code, ERR_CLOSED);
    assert_non_null(strstr(s.peers[0].why.text, "done"));
    site_close(&s);
    loop_free(l);
}

TEST(websocket__echoes_messages_of_every_size)
{
    echo_over(NULL, NULL);
}

TEST(websocket__echoes_messages_of_every_size_over_tls)
{
    const struct fixture_pki *pki = fixture_pki();
    struct tls_context *server = fixture_server_tls(pki->good, pki->good_key);
    struct tls_context *client = fixture_client_tls(pki->ca);
    echo_over(server, client);
    tls_context_drop(server);
    tls_context_drop(client);
}

// --- What is not a WebSocket server ----------------------------------------------------------

static struct err answered_with(const char *answer)
{
    struct loop *l = fixture_loop();
    struct canned s = {.answer = answer};
    struct listener_options options = {0};
    canned_open(&s, l, &options, 1);
    char url[128];
    (void)snprintf(url, sizeof url, "ws://127.0.0.1:%u/ws", (unsigned)listener_port(s.listener));
    struct peer p;
    peer_connect(&p, l, url, NULL);
    WAIT_FOR(l, p.closed == 1);
    assert_int_equal(p.opened, 0);
    assert_int_equal(p.code, WS_ABNORMAL);
    assert_true(raw_has(&s.conns[0], "Authorization: Bearer token\r\n"));
    assert_true(raw_has(&s.conns[0], "Sec-WebSocket-Protocol: wasl.v1\r\n"));
    canned_close(&s, l);
    loop_free(l);
    return p.why;
}

TEST(websocket__a_captive_portal_is_called_one)
{
    struct err why = answered_with("HTTP/1.1 302 Found\r\nLocation: http://portal.example/login\r\n"
                                   "Content-Length: 0\r\n\r\n");
    assert_int_equal(why.code, ERR_NETWORK);
    assert_non_null(strstr(why.text, "http://portal.example/login"));
    assert_non_null(strstr(why.text, "captive portal"));
    why = answered_with("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html>");
    assert_int_equal(why.code, ERR_NETWORK);
    assert_non_null(strstr(why.text, "web page"));
}

TEST(websocket__a_refusal_becomes_its_own_error)
{
    static const struct {
        const char *answer;
        enum err_code code;
    } CASES[] = {
        {"HTTP/1.1 401 U\r\n\r\n", ERR_UNAUTHENTICATED},
        {"HTTP/1.1 403 F\r\n\r\n", ERR_DENIED},
        {"HTTP/1.1 404 N\r\n\r\n", ERR_NOT_FOUND},
        {"HTTP/1.1 503 S\r\n\r\n", ERR_BUSY},
        {"HTTP/1.1 200 OK\r\n\r\n", ERR_PROTOCOL},
        {"SSH-2.0-OpenSSH_9\r\n", ERR_PROTOCOL},
        {"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"
         "Sec-WebSocket-Protocol: wasl.v1\r\n\r\n",
         ERR_PROTOCOL},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct err why = answered_with(CASES[i].answer);
        assert_int_equal(why.code, CASES[i].code);
        assert_true(strlen(why.text) > 0);
    }
}

TEST(websocket__a_server_that_says_nothing_times_out)
{
    struct loop *l = fixture_loop();
    struct canned s = {0};
    struct listener_options options = {0};
    canned_open(&s, l, &options, 1);
    struct url u = {.websocket = true, .port = listener_port(s.listener), .path = "/"};
    (void)snprintf(u.host, sizeof u.host, "127.0.0.1");
    struct ws_target target = {.url = &u, .open_timeout_ms = 60};
    struct peer p = {0};
    struct ws_options none = {0};
    assert_int_equal(ws_connect(l, &target, &none, &p.ws, NULL), ERR_OK);
    ws_set_owner(p.ws, &PEER_CALLBACKS, &p);
    WAIT_FOR(l, p.closed == 1);
    assert_int_equal(p.why.code, ERR_TIMEOUT);
    struct err e = {0};
    u.tls = true;
    assert_int_equal(ws_connect(l, &target, &none, &p.ws, &e), ERR_INVALID);
    u.tls = false;
    target.bearer = "a\r\nb";
    assert_int_equal(ws_connect(l, &target, &none, &p.ws, &e), ERR_INVALID);
    canned_close(&s, l);
    loop_free(l);
}

// --- A server before clients that break the rules --------------------------------------------

#define UPGRADE(version, key, protocol)                                                            \
    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"                 \
    "Sec-WebSocket-Version: " version "\r\nSec-WebSocket-Key: " key "\r\n"                         \
    "Sec-WebSocket-Protocol: " protocol "\r\n\r\n"
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

struct breach {
    struct loop *l;
    struct site s;
    struct raw r;
};

static void breach_begin(struct breach *b)
{
    b->l = fixture_loop();
    site_open(&b->s, b->l, NULL, 1);
    raw_connect(&b->r, b->l, site_port(&b->s), NULL);
    raw_send(&b->r, UPGRADE("13", KEY, "other, wasl.v1"));
    WAIT_FOR(b->l, raw_has(&b->r, "\r\n\r\n"));
    assert_true(raw_has(&b->r, "HTTP/1.1 101 "));
    // The example of RFC 6455, section 1.3.
    assert_true(raw_has(&b->r, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_true(raw_has(&b->r, "Sec-WebSocket-Protocol: wasl.v1\r\n"));
    buf_reset(&b->r.got);
}

static void breach_end(struct breach *b)
{
    raw_end(&b->r, b->l);
    site_close(&b->s);
    loop_free(b->l);
}

static void breach_send(struct breach *b, const char *bytes, size_t n)
{
    assert_int_equal(conn_write(b->r.conn, str_make(bytes, n)), ERR_OK);
}

TEST(websocket__a_server_checks_version_key_and_subprotocol)
{
    static const struct {
        const char *text;
        const char *status;
    } CASES[] = {
        {UPGRADE("8", KEY, "wasl.v1"), "HTTP/1.1 426"},
        {UPGRADE("13", "short", "wasl.v1"), "HTTP/1.1 400"},
        {UPGRADE("13", KEY, "wasl.v10"), "HTTP/1.1 400"},
        {"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct loop *l = fixture_loop();
        struct site s = {0};
        site_open(&s, l, NULL, 1);
        struct raw r;
        raw_connect(&r, l, site_port(&s), NULL);
        raw_send(&r, CASES[i].text);
        WAIT_FOR(l, raw_has(&r, CASES[i].status));
        assert_int_equal(s.peer_count, 0);
        raw_end(&r, l);
        site_close(&s);
        loop_free(l);
    }
}

// Frames with a mask of zeros are what they look like.
TEST(websocket__joins_fragments_and_answers_a_ping_between_them)
{
    struct breach b = {0};
    breach_begin(&b);
    breach_send(&b,
                "\x01\x82\0\0\0\0he"
                "\x89\x81\0\0\0\0p"
                "\x00\x80\0\0\0\0"
                "\x80\x83\0\0\0\0llo",
                8 + 7 + 6 + 9);
    WAIT_FOR(b.l, raw_has(&b.r, "\x81\x05hello"));
    assert_true(raw_has(&b.r, "\x8a\x01p"));
    // One byte at a time.
    static const char SLOW[] = "\x82\x83\x01\x02\x03\x04"
                               "`````";
    for (size_t i = 0; i < 9; i++) {
        breach_send(&b, SLOW + i, 1);
        fixture_run_ms(b.l, 2);
    }
    WAIT_FOR(b.l, b.s.peers[0].messages == 2);
    breach_end(&b);
}

static void expect_close(const char *bytes, size_t n, int code)
{
    struct breach b = {.s = {.ws_options = {.message_max_bytes = 1000}}};
    breach_begin(&b);
    breach_send(&b, bytes, n);
    WAIT_FOR(b.l, b.s.peers[0].closed == 1 && b.r.closed == 1);
    assert_int_equal(b.s.peers[0].code, code);
    assert_int_not_equal(b.s.peers[0].why.code, ERR_OK);
    assert_int_equal(b.s.peers[0].messages, 0);
    assert_true(b.r.got.len >= 4);
    assert_int_equal((unsigned char)b.r.got.data[0], 0x88);
    assert_int_equal((unsigned char)b.r.got.data[2] * 256 + (unsigned char)b.r.got.data[3], code);
    breach_end(&b);
}

TEST(websocket__breaches_are_answered_with_their_close_code)
{
    expect_close("\x82\x03"
                 "abc",
                 5, WS_PROTOCOL);                                        // not masked
    expect_close("\x83\x80\0\0\0\0", 6, WS_PROTOCOL);                    // unknown opcode
    expect_close("\xc2\x80\0\0\0\0", 6, WS_PROTOCOL);                    // extension bit
    expect_close("\x80\x80\0\0\0\0", 6, WS_PROTOCOL);                    // continues nothing
    expect_close("\x09\x80\0\0\0\0", 6, WS_PROTOCOL);                    // a ping in fragments
    expect_close("\x81\x82\0\0\0\0\xc3\x28", 8, WS_BAD_TEXT);            // not UTF-8
    expect_close("\x88\x82\0\0\0\0\x03\xee", 8, WS_PROTOCOL);            // 1006 is never sent
    expect_close("\x82\xfe\x03\xe9\0\0\0\0x", 9, WS_TOO_BIG);            // 1001 bytes announced
    expect_close("\x82\xff\0\0\x10\0\0\0\0\0\0\0\0\0x", 15, WS_TOO_BIG); // 16 TiB announced
}

TEST(websocket__fragments_that_add_up_to_too_much_are_refused)
{
    char bytes[8 + 1000 + 7] = "\x02\xfe\x03\xe8";
    memcpy(bytes + 1008, "\x80\x81\0\0\0\0x", 7);
    expect_close(bytes, sizeof bytes, WS_TOO_BIG);
}

TEST(websocket__a_frame_right_behind_the_request_is_not_lost)
{
    struct loop *l = fixture_loop();
    struct site s = {0};
    site_open(&s, l, NULL, 1);
    struct raw r;
    raw_connect(&r, l, site_port(&s), NULL);
    raw_send(&r, UPGRADE("13", KEY, "wasl.v1") "\x81\x82zzzz\x12\x13");
    WAIT_FOR(l, raw_has(&r, "\x81\x02hi"));
    raw_end(&r, l);
    site_close(&s);
    loop_free(l);
}

TEST(websocket__a_client_that_vanishes_ends_abnormally)
{
    struct breach b = {0};
    breach_begin(&b);
    conn_close(b.r.conn);
    WAIT_FOR(b.l, b.s.peers[0].closed == 1);
    assert_int_equal(b.s.peers[0].code, WS_ABNORMAL);
    assert_true(b.s.peers[0].why.code == ERR_CLOSED || b.s.peers[0].why.code == ERR_NETWORK);
    breach_end(&b);
}

TEST(websocket__a_half_open_peer_is_closed_for_silence)
{
    struct breach b = {.s = {.ws_options = {.silence_ms = 150}}};
    breach_begin(&b);
    int64_t start = clock_mono_ms();
    WAIT_FOR(b.l, b.s.peers[0].closed == 1);
    assert_int_equal(b.s.peers[0].code, WS_ABNORMAL);
    assert_int_equal(b.s.peers[0].why.code, ERR_TIMEOUT);
    assert_true(clock_mono_ms() - start >= 100);
    assert_true(raw_has(&b.r, "\x89")); // it was asked first
    breach_end(&b);
}

TEST(websocket__an_unanswered_close_times_out)
{
    struct breach b = {.s = {.ws_options = {.close_timeout_ms = 60}}};
    breach_begin(&b);
    ws_close(b.s.peers[0].ws, WS_GOING_AWAY, "bye");
    ws_close(b.s.peers[0].ws, WS_NORMAL, "again");
    assert_int_equal(ws_send(b.s.peers[0].ws, WS_TEXT, STR("x")), ERR_CLOSED);
    WAIT_FOR(b.l, b.s.peers[0].closed == 1);
    assert_int_equal(b.s.peers[0].why.code, ERR_TIMEOUT);
    assert_int_equal(raw_count(&b.r, "\x88\x05\x03\xe9"
                                     "bye"),
                     1);
    breach_end(&b);
}

// --- Two of ours -----------------------------------------------------------------------------

struct couple {
    struct loop *l;
    struct site s;
    struct peer p;
};

static void couple_begin(struct couple *c)
{
    c->l = fixture_loop();
    site_open(&c->s, c->l, NULL, 1);
    char url[128];
    url_of(url, &c->s, "ws", "/ws");
    peer_connect(&c->p, c->l, url, NULL);
    WAIT_FOR(c->l, c->p.opened == 1 && c->s.peer_count == 1);
}

static void couple_end(struct couple *c)
{
    peer_end(&c->p, c->l);
    site_close(&c->s);
    loop_free(c->l);
}

TEST(websocket__pings_keep_a_quiet_connection_alive)
{
    struct couple c = {.s = {.ws_options = {.silence_ms = 120}}};
    couple_begin(&c);
    fixture_run_ms(c.l, 500);
    assert_int_equal(c.s.peers[0].closed, 0);
    assert_int_equal(c.p.closed, 0);
    couple_end(&c);
}

TEST(websocket__a_full_queue_refuses_and_tells_when_there_is_room)
{
    struct couple c = {.s = {.ws_options = {.send_max_bytes = 1U << 20}}};
    couple_begin(&c);
    struct ws *w = c.s.peers[0].ws;
    conn_read_pause(c.p.ws->conn);
    char *block = calloc(1, 900000);
    assert_non_null(block);
    size_t sent = 0;
    enum err_code code = ERR_OK;
    while (code == ERR_OK) {
        code = ws_send(w, WS_BINARY, str_make(block, 900000));
        sent += code == ERR_OK ? 1 : 0;
        loop_run_once(c.l, 1);
    }
    assert_int_equal(code, ERR_BUSY);
    assert_true(ws_queued(w) <= (1U << 20));
    int drained = c.s.peers[0].drained;
    fixture_run_ms(c.l, 50);
    assert_true(c.p.messages < sent);
    conn_read_resume(c.p.ws->conn);
    WAIT_FOR(c.l, c.s.peers[0].drained > drained);
    assert_int_equal(ws_send(w, WS_BINARY, str_make(block, 900000)), ERR_OK); // now it fits
    WAIT_FOR(c.l, c.p.messages == sent + 1);
    assert_int_equal(ws_send(w, WS_BINARY, str_make(block, (1U << 20) + 1)), ERR_LIMIT);
    free(block);
    couple_end(&c);
}

TEST(websocket__both_ends_may_close_at_any_moment)
{
    for (int i = 0; i < 40; i++) {
        struct couple c = {0};
        couple_begin(&c);
        assert_int_equal(ws_send(c.p.ws, WS_TEXT, STR("x")), ERR_OK);
        for (int turns = 0; turns < i % 4; turns++) {
            loop_run_once(c.l, 0);
        }
        if (i & 4) {
            ws_close(c.p.ws, WS_NORMAL, NULL);
        }
        if (i & 8) {
            ws_close(c.s.peers[0].ws, 4000, "over");
        }
        if (i & 16) {
            ws_abort(c.s.peers[0].ws);
        } else if ((i & 12) == 0) {
            ws_abort(c.p.ws);
            ws_abort(c.p.ws);
        }
        WAIT_FOR(c.l, c.p.closed == 1 && c.s.peers[0].closed == 1);
        couple_end(&c);
    }
}

static void refuse_in_callback(struct ws *w, enum ws_type type, struct str bytes, void *context)
{
    (void)type;
    (void)bytes;
    ++*(int *)context;
    ws_abort(w);
}

TEST(websocket__may_be_aborted_from_its_own_message)
{
    struct couple c = {0};
    couple_begin(&c);
    static const struct ws_callbacks CALLBACKS = {.message = refuse_in_callback};
    int messages = 0;
    ws_set_owner(c.s.peers[0].ws, &CALLBACKS, &messages);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(ws_send(c.p.ws, WS_TEXT, STR("x")), ERR_OK);
    }
    WAIT_FOR(c.l, c.p.closed == 1);
    assert_int_equal(messages, 1);
    c.s.peers[0].ws = NULL;
    c.s.peers[0].closed = 1;
    couple_end(&c);
}

TEST(websocket__a_thousand_connections_echo)
{
    enum { MANY = 1000, ROUNDS = 3 };
    struct loop *l = fixture_loop();
    struct site s = {0};
    site_open(&s, l, NULL, MANY);
    char url[128];
    url_of(url, &s, "ws", "/ws");
    struct peer *peers = calloc(MANY, sizeof *peers);
    assert_non_null(peers);
    for (size_t i = 0; i < MANY; i++) {
        peer_connect(&peers[i], l, url, NULL);
    }
    for (size_t i = 0; i < MANY; i++) {
        WAIT_FOR(l, peers[i].opened == 1);
    }
    for (size_t round = 1; round <= ROUNDS; round++) {
        for (size_t i = 0; i < MANY; i++) {
            assert_int_equal(ws_send(peers[i].ws, WS_BINARY, str_make(&i, sizeof i)), ERR_OK);
        }
        for (size_t i = 0; i < MANY; i++) {
            WAIT_FOR(l, peers[i].messages == round);
            assert_memory_equal(peers[i].last.data, &i, sizeof i);
        }
    }
    assert_int_equal(http_server_conns(s.server), 0);
    for (size_t i = 0; i < MANY; i++) {
        peer_end(&peers[i], l);
    }
    free(peers);
    site_close(&s);
    loop_free(l);
}

TEST(websocket__without_memory_a_message_is_lost_but_nothing_else)
{
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        struct couple c = {0};
        couple_begin(&c);
        unit_alloc_fail(n);
        enum err_code code = ws_send(c.p.ws, WS_BINARY, STR("once"));
        for (int i = 0; i < 20 && c.p.messages == 0 && c.p.closed == 0; i++) {
            loop_run_once(c.l, 5);
        }
        failed = unit_alloc_end();
        assert_true(failed || (code == ERR_OK && c.p.messages == 1));
        couple_end(&c);
    }
}
