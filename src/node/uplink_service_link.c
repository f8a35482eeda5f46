// SPDX-License-Identifier: Apache-2.0
#include "node/uplink_service_private.h"

#include "base/log.h"
#include "base/zip.h"

#include <stdio.h>

enum {
    PACK_FROM = 200,   // shorter messages are not worth compressing
    ATTEMPTS_EACH = 4, // at one upstream, before the next in order is tried
    OPEN_TIMEOUT_MS = 15 * 1000,
};

// What a socket says after it was let go: the service may be gone by then.
static void on_stray_message(struct ws *ws, enum ws_type type, struct str bytes, void *context)
{
    (void)ws;
    (void)type;
    (void)bytes;
    (void)context;
}

static void on_stray_closed(struct ws *ws, int code, const struct err *why, void *context)
{
    (void)ws;
    (void)code;
    (void)why;
    (void)context;
}

static const struct ws_callbacks stray_callbacks = {.message = on_stray_message,
                                                    .closed = on_stray_closed};

void uplink_service_drop_link(struct uplink_service *s)
{
    struct ws *ws = s->ws;
    s->ws = NULL;
    if (ws == NULL)
        return;
    ws_set_owner(ws, &stray_callbacks, NULL);
    ws_abort(ws);
}

// After a few in vain the next upstream in order is tried.
void uplink_service_note_attempt(struct uplink_service *s)
{
    if (++s->attempts % ATTEMPTS_EACH == 0 && s->options.config->upstream_count > 1)
        s->upstream = (s->upstream + 1) % s->options.config->upstream_count;
}

void uplink_service_link_lost(struct uplink_service *s, const char *why)
{
    snprintf(s->last_error, sizeof(s->last_error), "%s", why);
    s->ws = NULL;
    uplink_service_note_attempt(s);
    uplink_disconnected(&s->uplink, uplink_service_now(), &s->steps);
    uplink_service_perform(s);
}

static void on_opened(struct ws *ws, void *context)
{
    struct uplink_service *s = context;
    if (ws != s->ws)
        return;
    uplink_connected(&s->uplink, uplink_service_now(), &s->steps);
    uplink_service_perform(s);
}

static void on_message(struct ws *ws, enum ws_type type, struct str bytes, void *context)
{
    struct uplink_service *s = context;
    if (ws != s->ws)
        return;
    s->attempts = 0;
    if (type == WS_BINARY) {
        buf_reset(&s->pack);
        if (zip_unpack(s->zip, bytes, MESSAGE_MAX_BYTES, &s->pack)) {
            uplink_service_drop_link(s);
            uplink_service_link_lost(s, "the upstream sent what is not zstd");
            return;
        }
        bytes = buf_str(&s->pack);
    }
    uplink_message(&s->uplink, bytes, uplink_service_now(), &s->steps);
    uplink_service_perform(s);
}

static void on_closed(struct ws *ws, int code, const struct err *why, void *context)
{
    (void)code;
    struct uplink_service *s = context;
    if (ws != s->ws || s->closing)
        return;
    uplink_service_link_lost(s, why && why->code ? err_message(why)
                                                 : "the upstream closed the session");
}

static const struct ws_callbacks link_callbacks = {
    .opened = on_opened, .message = on_message, .closed = on_closed};

static enum err_code aim(struct uplink_service *s, struct err *e)
{
    enum err_code code = url_parse(str_of(s->options.config->upstreams[s->upstream]), &s->url, e);
    if (code == ERR_OK)
        snprintf(s->url.path, sizeof(s->url.path), "/api/v1/sync");
    return code;
}

void uplink_service_open_link(struct uplink_service *s)
{
    struct err e = {0};
    uplink_service_drop_link(s);
    enum err_code code = aim(s, &e);
    struct ws_target target = {.url = &s->url,
                               .tls = s->url.tls ? s->tls : NULL,
                               .subprotocol = "wasl.v1",
                               .open_timeout_ms = OPEN_TIMEOUT_MS};
    struct ws_options options = {.message_max_bytes = MESSAGE_MAX_BYTES};
    if (code == ERR_OK && s->url.tls && s->tls == NULL)
        code = err_set(&e, ERR_TLS, "no CA to trust: enrol this device first");
    if (code == ERR_OK)
        code = ws_connect(s->options.loop, &target, &options, &s->ws, &e);
    if (code) {
        uplink_service_link_lost(s, err_message(&e));
        return;
    }
    ws_set_owner(s->ws, &link_callbacks, s);
}

void uplink_service_send_text(struct uplink_service *s, struct str text)
{
    if (s->ws == NULL)
        return;
    enum err_code code = ERR_OK;
    if (s->uplink.peer_zstd && text.n >= PACK_FROM) {
        buf_reset(&s->pack);
        code = zip_pack(s->zip, text, &s->pack);
        if (code == ERR_OK)
            code = ws_send(s->ws, WS_BINARY, buf_str(&s->pack));
    } else {
        code = ws_send(s->ws, WS_TEXT, text);
    }
    if (code)
        log_line(LOG_WARN, "uplink", "a message could not be sent: %s", err_text(code));
}

enum err_code uplink_service_open_tls(struct uplink_service *s, struct err *e)
{
    char path[CONFIG_PATH_MAX];
    identity_path(s->options.config, "ca.pem", path);
    for (size_t i = 0; i < s->options.config->upstream_count; i++) {
        struct url url;
        enum err_code code = url_parse(str_of(s->options.config->upstreams[i]), &url, e);
        if (code)
            return err_wrap(e, code, "upstream");
        if (url.tls && s->tls == NULL)
            return tls_client_new(path, &s->tls, e);
    }
    return ERR_OK;
}
