// SPDX-License-Identifier: Apache-2.0
#include "test/unit/net/fixture.h"

#include "base/clock.h"

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
