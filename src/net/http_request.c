// SPDX-License-Identifier: Apache-2.0
// Questions about a request: headers, query, percent-encoding.

#include "net/http.h"

#include <string.h>
#include <strings.h>

struct str http_find_header(const struct http_request *request, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *h = &request->headers[i];
        if (h->name.n == n && strncasecmp(h->name.p, name, n) == 0) {
            return h->value;
        }
    }
    return (struct str){0};
}

struct str http_bearer(const struct http_request *request)
{
    static const char SCHEME[] = "Bearer ";
    enum { SCHEME_SIZE = sizeof(SCHEME) - 1 };
    struct str value = http_find_header(request, "authorization");
    if (value.n <= SCHEME_SIZE || strncasecmp(value.p, SCHEME, SCHEME_SIZE) != 0) {
        return (struct str){0};
    }
    return str_trim(str_make(value.p + SCHEME_SIZE, value.n - SCHEME_SIZE));
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum err_code http_decode(struct str from, bool form, char *to, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < from.n; i++) {
        char c = from.p[i];
        if (c == '%') {
            int high = from.n - i > 2 ? hex_digit(from.p[i + 1]) : -1;
            int low = from.n - i > 2 ? hex_digit(from.p[i + 2]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0)) {
                return ERR_PARSE;
            }
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && form) {
            c = ' ';
        }
        if (c == '\0') {
            return ERR_PARSE;
        }
        if (n + 1 >= size) {
            return ERR_LIMIT;
        }
        to[n++] = c;
    }
    if (size == 0) {
        return ERR_LIMIT;
    }
    to[n] = '\0';
    return ERR_OK;
}

enum err_code http_query_get(struct str query, const char *key, char *to, size_t size)
{
    enum { KEY_MAX = 128 };
    struct str pair;
    while (query.p != NULL && str_cut(&query, '&', &pair)) {
        const char *mark = pair.n > 0 ? memchr(pair.p, '=', pair.n) : NULL;
        size_t key_n = mark == NULL ? pair.n : (size_t)(mark - pair.p);
        char name[KEY_MAX];
        if (http_decode(str_make(pair.p, key_n), true, name, sizeof(name)) == ERR_OK &&
            strcmp(name, key) == 0) {
            struct str value =
                mark == NULL ? str_make("", 0) : str_make(mark + 1, pair.n - key_n - 1);
            return http_decode(value, true, to, size);
        }
    }
    return ERR_NOT_FOUND;
}
