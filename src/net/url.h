// SPDX-License-Identifier: Apache-2.0
// The four kinds of URL that a node is configured with: ws, wss, http, https.
//
// Why: an upstream is written as one line in wasl.ini; a typing error there must be named at once.
// Invariants: host is never empty; path begins with '/' and carries the query, if there is one.
// Ownership: a value; nothing to free. Threads: no shared state.
// Limits: URL_HOST_MAX and URL_PATH_MAX bytes. No user, password or fragment: refused, not dropped.
#ifndef WASL_NET_URL_H
#define WASL_NET_URL_H

#include "base/str.h"

enum { URL_HOST_MAX = 254, URL_PATH_MAX = 1024 };

struct url {
    bool tls;       // wss, https
    bool websocket; // ws, wss
    uint16_t port;  // from the text, else 80 or 443
    char host[URL_HOST_MAX];
    char path[URL_PATH_MAX]; // with "?query"; "/" when the text has none
};

// "wss://host[:port][/path][?query]"; an IPv6 address stands in brackets, which host leaves out.
// ERR_PARSE saying what is wrong, ERR_LIMIT when a part is too long.
enum err_code url_parse(struct str text, struct url *ret, struct err *e) MUST_CHECK;

// "host:port", "1.2.3.4:port" or "[::1]:port", as a listen address is written. host_size bytes are
// at host; port 0 is allowed (the system picks one). ERR_PARSE, ERR_LIMIT.
enum err_code url_split_address(struct str text, char *host, size_t host_size, uint16_t *ret_port,
                                struct err *e) MUST_CHECK;

#endif
