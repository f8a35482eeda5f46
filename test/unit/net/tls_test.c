// SPDX-License-Identifier: Apache-2.0
#include "test/unit/net/fixture.h"

#include "base/clock.h"

#include <string.h>
#include <sys/stat.h>

// One handshake; what the client says about it is in *ret.
static void shake(struct tls_context *server, struct tls_context *client, struct err *ret,
                  bool *ret_resumed)
{
    struct loop *l = fixture_loop();
    struct canned s = {.answer = "hello"};
    struct listener_options options = {.conn = {.tls = server}};
    canned_open(&s, l, &options, 1);
    struct raw r;
    raw_connect(&r, l, listener_port(s.listener), client);
    WAIT_FOR(l, r.opened == 1 || r.closed == 1);
    if (r.opened == 1) {
        *ret_resumed = conn_tls_resumed(r.conn);
        raw_send(&r, "x");
        WAIT_FOR(l, raw_has(&r, "hello"));
    } else {
        WAIT_FOR(l, s.refused == 1);
        assert_int_equal(s.count, 0);
    }
    raw_end(&r, l);
    *ret = r.why;
    canned_close(&s, l);
    loop_free(l);
}

static struct err shake_with(const char *chain, const char *key, const char *ca)
{
    struct tls_context *server = fixture_server_tls(chain, key);
    struct tls_context *client = fixture_client_tls(ca);
    struct err why;
    bool resumed = false;
    shake(server, client, &why, &resumed);
    tls_context_drop(server);
    tls_context_drop(client);
    return why;
}

TEST(tls__accepts_a_server_of_the_chains_own_ca)
{
    const struct fixture_pki *p = fixture_pki();
    assert_int_equal(shake_with(p->good, p->good_key, p->ca).code, ERR_OK);
}

TEST(tls__refuses_a_server_of_another_ca)
{
    const struct fixture_pki *p = fixture_pki();
    struct err why = shake_with(p->good, p->good_key, p->other_ca);
    assert_int_equal(why.code, ERR_TLS);
    assert_non_null(strstr(why.text, "not signed by the CA"));
}

TEST(tls__refuses_an_expired_certificate)
{
    const struct fixture_pki *p = fixture_pki();
    struct err why = shake_with(p->expired, p->expired_key, p->ca);
    assert_int_equal(why.code, ERR_TLS);
    assert_non_null(strstr(why.text, "expired"));
}

TEST(tls__refuses_a_certificate_of_another_host)
{
    const struct fixture_pki *p = fixture_pki();
    struct err why = shake_with(p->foreign, p->foreign_key, p->ca);
    assert_int_equal(why.code, ERR_TLS);
    assert_non_null(strstr(why.text, "another host"));
}

TEST(tls__resumes_a_session_with_the_same_server)
{
    const struct fixture_pki *p = fixture_pki();
    struct tls_context *server = fixture_server_tls(p->good, p->good_key);
    struct tls_context *client = fixture_client_tls(p->ca);
    struct loop *l = fixture_loop();
    struct canned s = {.answer = "hello"};
    struct listener_options options = {.conn = {.tls = server}};
    canned_open(&s, l, &options, 3);
    for (int i = 0; i < 3; i++) {
        struct raw r;
        raw_connect(&r, l, listener_port(s.listener), client);
        WAIT_FOR(l, r.opened == 1);
        raw_send(&r, "x");
        WAIT_FOR(l, raw_has(&r, "hello"));
        assert_int_equal(conn_tls_resumed(r.conn), i > 0);
        raw_end(&r, l);
    }
    canned_close(&s, l);
    loop_free(l);
    tls_context_drop(server);
    tls_context_drop(client);
}

TEST(tls__a_server_turns_away_what_is_not_tls)
{
    const struct fixture_pki *p = fixture_pki();
    struct tls_context *server = fixture_server_tls(p->good, p->good_key);
    struct loop *l = fixture_loop();
    struct canned s = {0};
    struct listener_options options = {.conn = {.tls = server}};
    canned_open(&s, l, &options, 1);
    struct raw r;
    raw_connect(&r, l, listener_port(s.listener), NULL);
    raw_send(&r, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(l, r.closed == 1 && s.refused == 1);
    assert_int_equal(s.refusal.code, ERR_TLS);
    assert_non_null(strstr(s.refusal.text, "does not speak TLS"));
    raw_end(&r, l);
    canned_close(&s, l);
    loop_free(l);
    tls_context_drop(server);
}

TEST(tls__a_client_turns_away_what_is_not_tls)
{
    const struct fixture_pki *p = fixture_pki();
    struct tls_context *client = fixture_client_tls(p->ca);
    struct loop *l = fixture_loop();
    struct canned s = {.answer = "HTTP/1.1 302 Found\r\n\r\n"};
    struct listener_options options = {0};
    canned_open(&s, l, &options, 1);
    struct raw r;
    raw_connect(&r, l, listener_port(s.listener), client);
    WAIT_FOR(l, r.closed == 1);
    assert_int_equal(r.why.code, ERR_TLS);
    raw_end(&r, l);
    canned_close(&s, l);
    loop_free(l);
    tls_context_drop(client);
}

TEST(tls__closes_a_handshake_that_takes_too_long)
{
    const struct fixture_pki *p = fixture_pki();
    struct tls_context *server = fixture_server_tls(p->good, p->good_key);
    struct loop *l = fixture_loop();
    struct canned s = {0};
    struct listener_options options = {.conn = {.tls = server, .handshake_timeout_ms = 50}};
    canned_open(&s, l, &options, 1);
    struct raw r;
    raw_connect(&r, l, listener_port(s.listener), NULL);
    WAIT_FOR(l, s.refused == 1);
    assert_int_equal(s.refusal.code, ERR_TIMEOUT);
    raw_end(&r, l);
    canned_close(&s, l);
    loop_free(l);
    tls_context_drop(server);
}

TEST(tls__keys_are_private_from_their_first_byte_and_never_overwritten)
{
    const struct fixture_pki *p = fixture_pki();
    struct stat status;
    assert_int_equal(stat(p->ca_key, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    struct tls_subject s = {"x", TLS_KEY_P256, 0, clock_wall_ms() / 1000 + 60, NULL, 0};
    struct tls_files again = {p->ca, p->ca_key};
    assert_int_equal(tls_make_ca(&s, &again, NULL), ERR_EXISTS);
    char key[FIXTURE_PATH];
    fixture_path(key, "left-over.key");
    again = (struct tls_files){p->ca, key}; // the certificate is there, the key is not
    assert_int_equal(tls_make_ca(&s, &again, NULL), ERR_EXISTS);
    assert_int_not_equal(stat(key, &status), 0);
}

TEST(tls__makes_ed25519_authorities_too)
{
    char ca[FIXTURE_PATH], ca_key[FIXTURE_PATH], leaf[FIXTURE_PATH], leaf_key[FIXTURE_PATH];
    fixture_path(ca, "ed.pem");
    fixture_path(ca_key, "ed.key");
    fixture_path(leaf, "ed-leaf.pem");
    fixture_path(leaf_key, "ed-leaf.key");
    static const char *const NAMES[] = {"127.0.0.1", "::1", "hub.local"};
    int64_t now = clock_wall_ms() / 1000;
    struct tls_subject s = {"Ed CA", TLS_KEY_ED25519, now - 60, now + 600, NULL, 0};
    assert_int_equal(tls_make_ca(&s, &(struct tls_files){ca, ca_key}, NULL), ERR_OK);
    s = (struct tls_subject){"hub", TLS_KEY_ED25519, now - 60, now + 600, NAMES, COUNT_OF(NAMES)};
    assert_int_equal(tls_make_certificate(&s, &(struct tls_files){ca, ca_key},
                                          &(struct tls_files){leaf, leaf_key}, NULL),
                     ERR_OK);
    assert_int_equal(shake_with(leaf, leaf_key, ca).code, ERR_OK);
}

TEST(tls__refuses_a_bad_subject_and_files_that_do_not_fit)
{
    const struct fixture_pki *p = fixture_pki();
    struct tls_context *t = NULL;
    struct err e = {0};
    assert_int_equal(tls_server_new(p->good, p->foreign_key, &t, &e), ERR_INVALID);
    assert_int_equal(tls_server_new("/nowhere/x.pem", p->good_key, &t, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "/nowhere/x.pem"));
    assert_int_equal(tls_server_new(p->good_key, p->good_key, &t, &e), ERR_PARSE);
    assert_int_equal(tls_client_new(p->good_key, &t, &e), ERR_PARSE);
    struct tls_subject s = {"", TLS_KEY_P256, 0, 1, NULL, 0};
    struct tls_files to = {"/nowhere/a", "/nowhere/b"};
    assert_int_equal(tls_make_ca(&s, &to, &e), ERR_INVALID);
    s.common_name = "x";
    assert_int_equal(tls_make_ca(&s, &to, &e), ERR_IO);
    struct tls_files mixed = {p->ca, p->other_ca_key};
    static const char *const NAME[] = {"a"};
    s.names = NAME;
    s.name_count = 1;
    assert_int_equal(tls_make_certificate(&s, &mixed, &to, &e), ERR_INVALID);
    struct tls_fingerprint f;
    assert_int_equal(tls_fingerprint_of_pem(STR("nothing"), &f, &e), ERR_PARSE);
}
