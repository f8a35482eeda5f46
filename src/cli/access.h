// SPDX-License-Identifier: Apache-2.0
// How a command reaches a node's data: directly, or through the node that is running.
//
// Why: one process writes a store at a time. Where nobody serves the folder a command takes the
//   store itself; where a node does, reads go to a read-only store beside it and writes through
//   its HTTP API. That choice is made here and nowhere else.
// How a running node is found: while it serves it keeps DIR/run/address (where its API listens) and
//   DIR/run/admin.token (0600), which only who may read the folder can show.
// Ownership: the caller's struct; access_close. Threads: one.
#ifndef WASL_CLI_ACCESS_H
#define WASL_CLI_ACCESS_H

#include "cli/http_client.h"
#include "cli/json_out.h"
#include "node/journal.h"

enum { ACCESS_URL_MAX = 1024, ACCESS_TOKEN_MAX = 256, ACCESS_CA_MAX = 64 * 1024 };

enum access_want {
    ACCESS_READ,    // a read-only store, whoever runs
    ACCESS_STORE,   // to write what is no event: the store, or the running node
    ACCESS_JOURNAL, // to add events: the journal, or the running node
    ACCESS_ALONE,   // the store for ourselves: ERR_LOCKED when a node runs
};

struct access {
    struct config config;
    struct store *store;     // NULL when remote
    struct journal *journal; // with ACCESS_JOURNAL, unless remote
    bool remote;             // a running node does it: access_call
    struct http_client client;
    char base[ACCESS_URL_MAX]; // "http://127.0.0.1:7400"
    char token[ACCESS_TOKEN_MAX];
    struct buf ca;
};

// ERR_NOT_FOUND (no node there), ERR_LOCKED (held by another command), and what config_read,
// store_open and journal_open say.
enum err_code access_open(const char *dir, enum access_want want, struct access *ret,
                          struct err *e) MUST_CHECK;
void access_close(struct access *a); // accepts a zeroed struct

// ERR_INVALID where the node is no centre; what: "codes are made".
enum err_code access_need_centre(const struct access *a, const char *what,
                                 struct err *e) MUST_CHECK;

// Finds the running node of an access that reads. ERR_NOT_FOUND when none runs.
enum err_code access_connect(struct access *a, struct err *e) MUST_CHECK;

// Asks the running node; body is empty with GET. An answer beyond 299 is an error with its detail.
enum err_code access_call(struct access *a, const char *method, const char *path, struct str body,
                          struct buf *ret_body, struct err *e) MUST_CHECK;

// The same with an object as the request, which is freed, and one as the answer: json_close.
enum err_code access_ask(struct access *a, const char *path, struct json_out *request,
                         struct json *ret, struct err *e) MUST_CHECK;
// What an answer lacks: ERR_PROTOCOL.
enum err_code access_senseless(struct err *e) MUST_CHECK;

#endif
