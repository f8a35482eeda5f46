// SPDX-License-Identifier: Apache-2.0
#include "cli/http_client.h"

#include "base/json.h"

#include <curl/curl.h>
#include <stdio.h>

enum { HEADER_MAX = 512, PROBLEM_DEPTH = 8 };

enum err_code http_client_open(struct http_client *ret, struct err *e)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return err_set(e, ERR_NO_MEMORY, "libcurl does not start");
    }
    CURL *curl = curl_easy_init();
    if (curl == NULL) {
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    }
    ret->curl = curl;
    return ERR_OK;
}

void http_client_close(struct http_client *c)
{
    if (c->curl != NULL) {
        curl_easy_cleanup(c->curl);
        c->curl = NULL;
    }
}

static size_t take_body(char *p, size_t size, size_t n, void *context)
{
    struct buf *body = context;
    return buf_append(body, p, size * n) == ERR_OK ? size * n : 0;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(list, text);
    if (longer == NULL) {
        curl_slist_free_all(list);
    }
    return longer;
}

static struct curl_slist *headers_of(const struct http_call *call)
{
    char text[HEADER_MAX];
    struct curl_slist *list = add_header(NULL, "Content-Type: application/json");
    if (list != NULL && call->token != NULL) {
        (void)snprintf(text, sizeof text, "Authorization: Bearer %s", call->token);
        list = add_header(list, text);
    }
    if (list != NULL) {
        list = add_header(list, "Expect:"); // curl would wait for a 100 before a large body
    }
    return list;
}

static void set_up(CURL *curl, const struct http_call *call, struct curl_slist *headers,
                   struct buf *body)
{
    curl_easy_reset(curl);
    (void)curl_easy_setopt(curl, CURLOPT_URL, call->url);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)HTTP_CLIENT_TIMEOUT_MS);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CLIENT_CONNECT_MS);
    (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "wasl/" WASL_VERSION);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (call->body.p != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body.p);
    }
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    if (call->ca_pem.n > 0) {
        // curl copies only what it is told to copy, and its struct has no const
        struct curl_blob ca = {.len = call->ca_pem.n, .flags = CURL_BLOB_COPY};
        union {
            const char *from;
            void *to;
        } cast = {.from = call->ca_pem.p};
        ca.data = cast.to;
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
        const char *none = NULL; // or the system's authorities would be trusted as well
        (void)curl_easy_setopt(curl, CURLOPT_CAPATH, none);
    } else {
        (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

static enum err_code translate(CURLcode code, const char *url, struct err *e)
{
    switch ((int)code) {
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(e, ERR_TIMEOUT, "%s does not answer in time", url);
    case CURLE_WRITE_ERROR:
        return err_set(e, ERR_LIMIT, "%s answers more than %d MiB", url,
                       HTTP_CLIENT_BODY_MAX / (1024 * 1024));
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
        return err_set(e, ERR_TLS, "%s: %s", url, curl_easy_strerror(code));
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return err_set(e, ERR_INVALID, "\"%s\" is not a URL of a node", url);
    case CURLE_OUT_OF_MEMORY:
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    default:
        return err_set(e, ERR_NETWORK, "%s cannot be reached: %s", url, curl_easy_strerror(code));
    }
}

enum err_code http_client_call(struct http_client *c, const struct http_call *call,
                               struct http_answer *ret, struct err *e)
{
    struct http_answer answer = {0};
    struct curl_slist *headers = headers_of(call);
    if (headers == NULL) {
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    }
    buf_init(&answer.body, HTTP_CLIENT_BODY_MAX);
    set_up(c->curl, call, headers, &answer.body);
    CURLcode code = curl_easy_perform(c->curl);
    (void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        buf_fini(&answer.body);
        return translate(code, call->url, e);
    }
    *ret = answer;
    return ERR_OK;
}

static enum err_code code_of_status(long status)
{
    static const struct {
        long status;
        enum err_code code;
    } rows[] = {
        {400, ERR_INVALID},  {401, ERR_UNAUTHENTICATED}, {403, ERR_DENIED}, {404, ERR_NOT_FOUND},
        {409, ERR_CONFLICT}, {410, ERR_TIMEOUT},         {413, ERR_LIMIT},  {429, ERR_BUSY},
        {503, ERR_BUSY},     {507, ERR_DISK_FULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].status == status) {
            return rows[i].code;
        }
    }
    return ERR_PROTOCOL;
}

enum err_code http_client_judge(const struct http_answer *answer, struct err *e)
{
    struct json problem = {0};
    struct str text = STR("");
    if (answer->status >= 200 && answer->status < 300) {
        return ERR_OK;
    }
    enum err_code code = code_of_status(answer->status);
    if (json_parse(buf_str(&answer->body), PROBLEM_DEPTH, &problem, NULL) == ERR_OK &&
        json_get_str(problem.root, "detail", &text, NULL) != ERR_OK &&
        json_get_str(problem.root, "title", &text, NULL) != ERR_OK) {
        text = STR("");
    }
    if (text.n > 0) {
        code = err_set(e, code, "%.*s", STR_ARG(text));
    } else {
        code = err_set(e, code, "the node answers %ld", answer->status);
    }
    json_close(&problem);
    return code;
}
