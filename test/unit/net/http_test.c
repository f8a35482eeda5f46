// SPDX-License-Identifier: Apache-2.0
#include "test/unit/net/fixture.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

struct visit {
    struct loop *l;
    struct site s;
    struct raw r;
};

// s in *v may have been filled with options before.
static void visit_begin(struct visit *v)
{
    v->l = fixture_loop();
    site_open(&v->s, v->l, NULL, 0);
    raw_connect(&v->r, v->l, site_port(&v->s), NULL);
}

static void visit_end(struct visit *v)
{
    raw_end(&v->r, v->l);
    site_close(&v->s);
    loop_free(v->l);
}

// Sends text and expects the server to answer with status and to close.
static void expect_refusal(const char *text, const char *status)
{
    struct visit v = {.s = {.body_max = 100}};
    visit_begin(&v);
    raw_send(&v.r, text);
    WAIT_FOR(v.l, v.r.closed == 1);
    if (!raw_has(&v.r, status)) {
        fail_msg("\"%.40s\" was answered with %.*s", text, (int)v.r.got.len, v.r.got.data);
    }
    assert_true(raw_has(&v.r, "application/problem+json"));
    assert_true(raw_has(&v.r, "Connection: close"));
    assert_int_equal(v.s.requests, 0);
    visit_end(&v);
}

TEST(http__answers_and_keeps_the_connection)
{
    struct visit v = {0};
    visit_begin(&v);
    raw_send(&v.r, "GET /one?a=b HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(v.l, raw_has(&v.r, "/one"));
    assert_string_equal(v.s.seen, "GET /one ? a=b : ");
    assert_true(raw_has(&v.r, "HTTP/1.1 200 OK\r\n"));
    assert_true(raw_has(&v.r, "Content-Length: 4\r\n"));
    assert_true(raw_has(&v.r, "\r\nDate: "));
    raw_send(&v.r, "GET /two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    WAIT_FOR(v.l, v.r.closed == 1);
    assert_true(raw_has(&v.r, "/two"));
    visit_end(&v);
}

TEST(http__answers_pipelined_requests_in_order)
{
    struct visit v = {0};
    visit_begin(&v);
    for (int i = 0; i < 300; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "GET /n%04d- HTTP/1.1\r\nHost: x\r\n\r\n", i);
        raw_send(&v.r, text);
    }
    WAIT_FOR(v.l, raw_count(&v.r, "HTTP/1.1 200") == 300 && raw_has(&v.r, "/n0299-"));
    const char *at = v.r.got.data;
    for (int i = 0; i < 300; i++) {
        char path[16];
        (void)snprintf(path, sizeof path, "/n%04d-", i);
        at = memmem(at, v.r.got.len - (size_t)(at - v.r.got.data), path, strlen(path));
        assert_non_null(at);
    }
    visit_end(&v);
}

TEST(http__pipelined_requests_wait_for_an_answer_given_later)
{
    struct visit v = {.s = {.hold = true}};
    visit_begin(&v);
    raw_send(&v.r, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(v.l, v.s.requests == 1);
    fixture_run_ms(v.l, 30);
    assert_int_equal(v.s.requests, 1);
    struct http_id first = v.s.held;
    struct http_response answer = {.status = 204};
    assert_int_equal(http_respond(v.s.server, first, &answer), ERR_OK);
    assert_int_equal(http_respond(v.s.server, first, &answer), ERR_CLOSED); // answered
    WAIT_FOR(v.l, v.s.requests == 2);
    assert_int_equal(http_respond(v.s.server, first, &answer), ERR_CLOSED); // and never another's
    assert_int_equal(http_problem(v.s.server, v.s.held, 404, "no \"such\" thing"), ERR_OK);
    WAIT_FOR(v.l, raw_has(&v.r, "\"detail\":\"no \\\"such\\\" thing\"}"));
    assert_true(raw_has(&v.r, "HTTP/1.1 204 No Content\r\n"));
    assert_true(raw_has(&v.r, "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404"));
    visit_end(&v);
}

TEST(http__a_client_that_leaves_is_told_and_its_answer_is_refused)
{
    struct visit v = {.s = {.hold = true}};
    visit_begin(&v);
    raw_send(&v.r, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(v.l, v.s.requests == 1);
    conn_close(v.r.conn);
    WAIT_FOR(v.l, v.s.gone == 1);
    struct http_response answer = {.status = 204};
    assert_int_equal(http_respond(v.s.server, v.s.held, &answer), ERR_CLOSED);
    assert_int_equal(http_respond(v.s.server, (struct http_id){9999, 1}, &answer), ERR_CLOSED);
    visit_end(&v);
}

TEST(http__a_request_that_is_never_answered_gets_503)
{
    struct visit v = {.s = {.hold = true, .options = {.reply_timeout_ms = 50}}};
    visit_begin(&v);
    raw_send(&v.r, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(v.l, v.r.closed == 1);
    assert_true(raw_has(&v.r, "HTTP/1.1 503"));
    assert_int_equal(v.s.gone, 1);
    visit_end(&v);
}

TEST(http__closing_the_server_tells_of_unanswered_requests)
{
    struct visit v = {.s = {.hold = true}};
    visit_begin(&v);
    raw_send(&v.r, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(v.l, v.s.requests == 1);
    visit_end(&v);
    assert_int_equal(v.s.gone, 1);
}

TEST(http__head_gets_the_length_but_no_body)
{
    struct visit v = {0};
    visit_begin(&v);
    raw_send(&v.r, "HEAD /four HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    WAIT_FOR(v.l, v.r.closed == 1);
    assert_true(raw_has(&v.r, "Content-Length: 5\r\n"));
    assert_false(raw_has(&v.r, "/four"));
    visit_end(&v);
}

TEST(http__takes_bodies_with_a_length_and_in_chunks)
{
    struct visit v = {.s = {.body_max = 100}};
    visit_begin(&v);
    raw_send(&v.r, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    WAIT_FOR(v.l, v.s.requests == 1);
    assert_string_equal(v.s.seen, "POST /a ?  : hello");
    raw_send(&v.r, "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n");
    fixture_run_ms(v.l, 20);
    raw_send(&v.r, "2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\nGET /c HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(v.l, v.s.requests == 3);
    assert_string_equal(v.s.seen, "GET /c ?  : ");
    visit_end(&v);
}

TEST(http__continues_only_what_the_route_takes)
{
    struct visit v = {.s = {.body_max = 100}};
    visit_begin(&v);
    raw_send(&v.r,
             "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    WAIT_FOR(v.l, raw_has(&v.r, "HTTP/1.1 100 Continue\r\n\r\n"));
    assert_int_equal(v.s.requests, 0);
    raw_send(&v.r, "hello");
    WAIT_FOR(v.l, v.s.requests == 1);
    visit_end(&v);
    expect_refusal("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n"
                   "Expect: 100-continue\r\n\r\n",
                   "HTTP/1.1 413");
}

TEST(http__refuses_what_is_malformed_or_over_a_limit)
{
    static const struct {
        const char *text;
        const char *status;
    } CASES[] = {
        {"\x16\x03\x01\x02garbage", "HTTP/1.1 400"},
        {"SSH-2.0-OpenSSH_9\r\n", "HTTP/1.1 400"},
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP/1.1 400"},
        {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", "HTTP/1.1 505"},
        {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400"},
        {"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", "HTTP/1.1 400"},
        {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 501"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", "HTTP/1.1 413"},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xx"
         "xxxxxxxxxxxxxxxxxxxxxxxx",
         "HTTP/1.1 413"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
         "HTTP/1.1 400"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
         "HTTP/1.1 400"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        expect_refusal(CASES[i].text, CASES[i].status);
    }
}

TEST(http__refuses_heads_and_targets_that_are_too_long)
{
    char *text = malloc(40000);
    assert_non_null(text);
    int n = snprintf(text, 40000, "GET /");
    memset(text + n, 't', HTTP_TARGET_MAX);
    (void)snprintf(text + n + HTTP_TARGET_MAX, 100, " HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_refusal(text, "HTTP/1.1 414");
    n = snprintf(text, 40000, "GET / HTTP/1.1\r\nHost: x\r\nBig: ");
    memset(text + n, 'b', HTTP_HEAD_MAX);
    (void)snprintf(text + n + HTTP_HEAD_MAX, 100, "\r\n\r\n");
    expect_refusal(text, "HTTP/1.1 431");
    n = snprintf(text, 40000, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < HTTP_HEADERS_MAX; i++) {
        n += snprintf(text + n, (size_t)(40000 - n), "H%d: v\r\n", i);
    }
    (void)snprintf(text + n, (size_t)(40000 - n), "\r\n");
    expect_refusal(text, "HTTP/1.1 431");
    free(text);
}

TEST(http__a_head_that_drips_in_is_cut_off)
{
    struct visit v = {.s = {.options = {.head_timeout_ms = 150}}};
    visit_begin(&v);
    WAIT_FOR(v.l, v.r.opened == 1);
    raw_send(&v.r, "GET / HTTP/1.1\r\nHost: x\r\n");
    int64_t start = clock_mono_ms();
    while (v.r.closed == 0 && clock_mono_ms() - start < PATIENCE_MS) {
        fixture_run_ms(v.l, 10);
        if (v.r.conn != NULL && conn_write(v.r.conn, STR("X: y\r\n")) != ERR_OK) {
            break;
        }
    }
    WAIT_FOR(v.l, v.r.closed == 1);
    assert_true(raw_has(&v.r, "HTTP/1.1 408") || v.r.why.code == ERR_NETWORK);
    assert_true(clock_mono_ms() - start < 5000);
    assert_int_equal(v.s.requests, 0);
    visit_end(&v);
}

TEST(http__a_body_that_drips_in_is_cut_off)
{
    struct visit v = {.s = {.body_max = 100, .options = {.body_grace_ms = 60}}};
    visit_begin(&v);
    raw_send(&v.r, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
    WAIT_FOR(v.l, v.r.closed == 1);
    assert_true(raw_has(&v.r, "HTTP/1.1 408"));
    visit_end(&v);
}

TEST(http__an_idle_connection_is_closed_without_a_word)
{
    struct visit v = {.s = {.options = {.idle_timeout_ms = 60}}};
    visit_begin(&v);
    WAIT_FOR(v.l, v.r.closed == 1);
    assert_int_equal(v.r.got.len, 0);
    assert_int_equal(v.r.why.code, ERR_CLOSED);
    visit_end(&v);
}

TEST(http__large_answers_arrive_and_too_large_ones_become_500)
{
    struct visit v = {.s = {.big = 6U << 20}};
    v.s.options.listener.conn.send_max_bytes = 8U << 20;
    visit_begin(&v);
    raw_send(&v.r, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(v.l, v.r.got.len > (6U << 20));
    v.s.big = 9U << 20;
    buf_reset(&v.r.got);
    raw_send(&v.r, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(v.l, raw_has(&v.r, "HTTP/1.1 500"));
    visit_end(&v);
}

TEST(http__a_client_that_takes_no_answers_is_not_read_either)
{
    struct visit v = {.s = {.big = 1U << 20}};
    visit_begin(&v);
    WAIT_FOR(v.l, v.r.opened == 1);
    conn_read_pause(v.r.conn);
    for (int i = 0; i < 200; i++) {
        raw_send(&v.r, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    fixture_run_ms(v.l, 100);
    assert_true(v.s.requests < 50);
    conn_read_resume(v.r.conn);
    for (int i = 0; i < 200; i++) {
        WAIT_FOR(v.l, v.r.got.len > (1U << 20) || v.s.requests == 200);
        buf_reset(&v.r.got);
    }
    WAIT_FOR(v.l, v.s.requests == 200);
    visit_end(&v);
}

TEST(http__a_header_with_control_characters_is_never_sent)
{
    struct visit v = {.s = {.hold = true}};
    visit_begin(&v);
    raw_send(&v.r, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(v.l, v.s.requests == 1);
    struct http_header evil = {STR("Location"), STR("/\r\nSet-Cookie: a=b")};
    struct http_response answer = {.status = 302, .headers = &evil, .header_count = 1};
    assert_int_equal(http_respond(v.s.server, v.s.held, &answer), ERR_INVALID);
    WAIT_FOR(v.l, raw_has(&v.r, "HTTP/1.1 500"));
    assert_false(raw_has(&v.r, "Set-Cookie"));
    visit_end(&v);
}

TEST(http__an_upgrade_to_something_else_is_answered_as_a_plain_request)
{
    struct visit v = {0};
    visit_begin(&v);
    raw_send(&v.r, "GET /plain HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
                   "GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(v.l, raw_has(&v.r, "/next"));
    assert_true(raw_has(&v.r, "/plain"));
    visit_end(&v);
}

TEST(http__finds_headers_bearer_and_query_values)
{
    struct http_header headers[] = {
        {STR("AUTHORIZATION"), STR("bearer  abc ")},
    };
    struct http_request r = {.headers = headers, .header_count = COUNT_OF(headers)};
    assert_true(str_is(http_bearer(&r), "abc"));
    assert_null(http_find_header(&r, "host").p);
    char to[8];
    struct str query = STR("after=12&na%6De=a+b%21&flag&bad=%zz&nul=%00&long=123456789");
    assert_int_equal(http_query_get(query, "after", to, sizeof to), ERR_OK);
    assert_string_equal(to, "12");
    assert_int_equal(http_query_get(query, "name", to, sizeof to), ERR_OK);
    assert_string_equal(to, "a b!");
    assert_int_equal(http_query_get(query, "flag", to, sizeof to), ERR_OK);
    assert_string_equal(to, "");
    assert_int_equal(http_query_get(query, "bad", to, sizeof to), ERR_PARSE);
    assert_int_equal(http_query_get(query, "nul", to, sizeof to), ERR_PARSE);
    assert_int_equal(http_query_get(query, "long", to, sizeof to), ERR_LIMIT);
    assert_int_equal(http_query_get(query, "none", to, sizeof to), ERR_NOT_FOUND);
    assert_int_equal(http_decode(STR("a+%"), false, to, sizeof to), ERR_PARSE);
}

TEST(http__every_error_has_a_status)
{
    for (int i = 0; i < ERR_COUNT; i++) {
        int status = http_status_of((enum err_code)i);
        assert_true(status == 200 || (status >= 400 && status < 600));
        assert_string_not_equal(http_status_name(status), "Unknown");
    }
}
