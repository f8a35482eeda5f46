// SPDX-License-Identifier: Apache-2.0
// The pages and the description of the API, from inside the program (node/embedded.h).
#include "node/embedded.h"
#include "node/server_private.h"

// A page may load what this node serves and nothing else, and no text in it can become a script.
#define PAGE_POLICY                                                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "                    \
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "            \
    "require-trusted-types-for 'script'"

static const struct embedded *find_file(struct str name)
{
    for (size_t i = 0; i < embedded_count; i++) {
        if (str_is(name, embedded_files[i].name))
            return &embedded_files[i];
    }
    return NULL;
}

static const struct embedded *file_of(const struct server *s, struct str path)
{
    if (path.n > 1)
        return find_file(str_make(path.p + 1, path.n - 1));
    return find_file(
        str_of(s->options.config->role == ROLE_CENTRAL ? "console.html" : "till.html"));
}

// If-None-Match is a list of tags, or '*'; W/ makes no difference to a GET (RFC 9110, 13.1.2).
static bool has_tag(struct str list, const char *etag)
{
    struct str tag;
    while (str_cut(&list, ',', &tag)) {
        tag = str_trim(tag);
        if (str_starts(tag, STR("W/")))
            tag = str_make(tag.p + 2, tag.n - 2);
        if (str_is(tag, etag) || str_is(tag, "*"))
            return true;
    }
    return false;
}

void api_page_get(struct server *s, const struct http_request *request)
{
    const struct embedded *file = file_of(s, request->path);
    if (file == NULL) {
        server_problem(s, request->id, 404, "this program was built without that page");
        return;
    }
    struct http_header headers[] = {
        {STR("ETag"), str_of(file->etag)},
        {STR("Cache-Control"), STR("no-cache")}, // kept, but asked for again: a 304 is small
        {STR("X-Content-Type-Options"), STR("nosniff")},
        {STR("Referrer-Policy"), STR("no-referrer")},
        {STR("Content-Security-Policy"), STR(PAGE_POLICY)},
    };
    bool known = has_tag(http_find_header(request, "if-none-match"), file->etag);
    struct http_response response = {
        .status = known ? 304 : 200,
        .content_type = known ? NULL : file->type,
        .headers = headers,
        .header_count = sizeof(headers) / sizeof(headers[0]),
        .body = str_make(known ? NULL : file->bytes, known ? 0 : file->size_bytes)};
    (void)!http_respond(s->http, request->id, &response);
}
