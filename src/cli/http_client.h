// SPDX-License-Identifier: Apache-2.0
// One HTTP request at a time to a node, by libcurl.
//
// Why: a command waits for its answer, so it needs no loop. No proxy and no redirect is ever
//   followed: a node is called where its address says.
// Ownership: the client keeps one connection; an answer's body belongs to the caller.
// Limits: HTTP_CLIENT_BODY_MAX bytes of an answer, HTTP_CLIENT_TIMEOUT_MS a request.
#ifndef WASL_CLI_HTTP_CLIENT_H
#define WASL_CLI_HTTP_CLIENT_H

#include "base/buf.h"

enum {
    HTTP_CLIENT_BODY_MAX = 16 * 1024 * 1024,
    HTTP_CLIENT_TIMEOUT_MS = 60 * 1000,
    HTTP_CLIENT_CONNECT_MS = 5 * 1000,
};

struct http_client {
    void *curl;
};

struct http_call {
    const char *method; // GET or POST
    const char *url;
    const char *token; // bearer; NULL: none
    struct str ca_pem; // the only authority trusted with https; empty: nothing is verified
    struct str body;   // JSON, with POST
};

struct http_answer {
    long status;
    struct buf body; // buf_fini
};

enum err_code http_client_open(struct http_client *ret, struct err *e) MUST_CHECK;
void http_client_close(struct http_client *c); // accepts a zeroed struct

// ERR_NETWORK when nobody answers, ERR_TLS, ERR_LIMIT; ERR_OK with any status.
enum err_code http_client_call(struct http_client *c, const struct http_call *call,
                               struct http_answer *ret, struct err *e) MUST_CHECK;

// ERR_OK for 200 to 299; else the error that the status and the problem details in the body say.
enum err_code http_client_judge(const struct http_answer *answer, struct err *e) MUST_CHECK;

#endif
