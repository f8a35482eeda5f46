// SPDX-License-Identifier: Apache-2.0
#include "cli/access.h"

#include "base/zip.h"
#include "net/url.h"

#include <stdio.h>
#include <string.h>

enum { RUN_FILE_MAX = 1024, REQUEST_MAX = 64 * 1024, ANSWER_DEPTH = 8 };

// ---- the running node -------------------------------------------------------------------------

// The first line of DIR/run/NAME.
static enum err_code read_run(const struct access *a, const char *name, char *to, size_t size,
                              struct err *e)
{
    char path[CONFIG_PATH_MAX + 32];
    struct buf text;
    struct str line, rest;
    (void)snprintf(path, sizeof path, "%s/run/%s", a->config.dir, name);
    buf_init(&text, RUN_FILE_MAX);
    enum err_code code = zip_read_file(path, RUN_FILE_MAX, &text, e);
    rest = buf_str(&text);
    if (code == ERR_OK && (!str_cut(&rest, '\n', &line) ||
                           str_copy(to, size, str_trim(line)) != ERR_OK || to[0] == '\0')) {
        code = err_set(e, ERR_DAMAGED, "%s cannot be used", path);
    }
    buf_fini(&text);
    return code;
}

// The file holds ADDRESS:PORT, as it was bound. Every address means this machine, here.
static enum err_code make_base(struct access *a, const char *address, struct err *e)
{
    char host[URL_HOST_MAX];
    uint16_t port = 0;
    if (strstr(address, "://") != NULL) {
        return str_copy(a->base, sizeof a->base, str_of(address));
    }
    enum err_code code = url_split_address(str_of(address), host, sizeof host, &port, e);
    if (code != ERR_OK) {
        return code;
    }
    bool tls = !config_is_loopback(a->config.listen);
    const char *name = strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1"
                       : strcmp(host, "::") == 0    ? "::1"
                                                    : host;
    bool six = strchr(name, ':') != NULL;
    (void)snprintf(a->base, sizeof a->base, "%s://%s%s%s:%u", tls ? "https" : "http",
                   six ? "[" : "", name, six ? "]" : "", port);
    return ERR_OK;
}

enum err_code access_connect(struct access *a, struct err *e)
{
    char address[RUN_FILE_MAX], path[CONFIG_PATH_MAX];
    enum err_code code = read_run(a, "admin.token", a->token, sizeof a->token, e);
    if (code == ERR_OK) {
        code = read_run(a, "address", address, sizeof address, e);
    }
    if (code == ERR_OK) {
        code = make_base(a, address, e);
    }
    if (code == ERR_OK && strncmp(a->base, "https", 5) == 0) {
        identity_path(&a->config, "ca.pem", path);
        code = zip_read_file(path, ACCESS_CA_MAX, &a->ca, e);
    }
    if (code == ERR_OK && a->client.curl == NULL) {
        code = http_client_open(&a->client, e);
    }
    return code;
}

enum err_code access_call(struct access *a, const char *method, const char *path, struct str body,
                          struct buf *ret_body, struct err *e)
{
    char url[ACCESS_URL_MAX + 256];
    struct http_answer answer = {0};
    (void)snprintf(url, sizeof url, "%s%s", a->base, path);
    const struct http_call call = {
        .method = method, .url = url, .token = a->token, .ca_pem = buf_str(&a->ca), .body = body};
    enum err_code code = http_client_call(&a->client, &call, &answer, e);
    if (code != ERR_OK) {
        return code;
    }
    code = http_client_judge(&answer, e);
    if (code != ERR_OK) {
        buf_fini(&answer.body);
        return err_wrap(e, code, "the running node");
    }
    *ret_body = answer.body;
    return ERR_OK;
}

enum err_code access_senseless(struct err *e)
{
    return err_set(e, ERR_PROTOCOL, "the running node's answer makes no sense");
}

enum err_code access_ask(struct access *a, const char *path, struct json_out *request,
                         struct json *ret, struct err *e)
{
    struct buf body, answer;
    buf_init(&body, REQUEST_MAX);
    enum err_code code = json_out_append(request, &body);
    json_out_fini(request);
    code = code ? err_set(e, code, "%s", err_text(code))
                : access_call(a, "POST", path, buf_str(&body), &answer, e);
    buf_fini(&body);
    if (code != ERR_OK) {
        return code;
    }
    code = json_parse(buf_str(&answer), ANSWER_DEPTH, ret, e);
    buf_fini(&answer);
    return code == ERR_OK ? ERR_OK : access_senseless(e);
}

// ---- choosing ---------------------------------------------------------------------------------

static enum err_code open_journal(struct access *a, struct err *e)
{
    enum err_code code = journal_open(&a->config, &a->journal, e);
    if (code == ERR_OK) {
        a->store = journal_store(a->journal);
    }
    return code;
}

static enum err_code open_store(struct access *a, bool read_only, struct err *e)
{
    const struct store_options options = {.dir = a->config.dir,
                                          .read_only = read_only,
                                          .role = a->config.role,
                                          .max_bytes = a->config.store_max_bytes,
                                          .ballast_bytes = a->config.ballast_bytes};
    enum err_code code = store_open(&options, &a->store, e);
    return read_only && code == ERR_READ_ONLY
               ? err_set(e, code, "reading %s needs the right to write there (its log is shared)",
                         a->config.dir)
               : code;
}

static enum err_code open_local(struct access *a, enum access_want want, struct err *e)
{
    switch (want) {
    case ACCESS_READ:
        return open_store(a, true, e);
    case ACCESS_JOURNAL:
        return open_journal(a, e);
    case ACCESS_STORE:
    case ACCESS_ALONE:
        break;
    }
    return open_store(a, false, e);
}

// Somebody holds the store. It is a node that serves when it can be asked; else the first error
// says more than a second one would.
static enum err_code open_remote(struct access *a)
{
    struct err ignored;
    struct buf answer;
    if (access_connect(a, &ignored) != ERR_OK ||
        access_call(a, "GET", "/healthz", STR(""), &answer, &ignored) != ERR_OK) {
        return ERR_LOCKED;
    }
    buf_fini(&answer);
    a->remote = true;
    return ERR_OK;
}

enum err_code access_open(const char *dir, enum access_want want, struct access *ret, struct err *e)
{
    *ret = (struct access){0};
    buf_init(&ret->ca, ACCESS_CA_MAX);
    enum err_code code = config_read(dir, &ret->config, e);
    if (code == ERR_OK) {
        code = open_local(ret, want, e);
    }
    if (code == ERR_LOCKED && (want == ACCESS_STORE || want == ACCESS_JOURNAL)) {
        code = open_remote(ret);
    }
    if (code != ERR_OK) {
        access_close(ret);
    }
    return code;
}

void access_close(struct access *a)
{
    if (a->journal != NULL) {
        journal_close(a->journal); // and its store
    } else {
        store_close(a->store);
    }
    http_client_close(&a->client);
    buf_fini(&a->ca);
    *a = (struct access){0};
}

enum err_code access_need_centre(const struct access *a, const char *what, struct err *e)
{
    if (a->config.role == ROLE_CENTRAL) {
        return ERR_OK;
    }
    return err_set(e, ERR_INVALID, "%s at the centre; this is a %s node", what,
                   node_role_name(a->config.role));
}
