// SPDX-License-Identifier: Apache-2.0
//
// yyjson parses without recursion into one array of values in document order, each container
// knowing where it ends. So the limits that yyjson does not have are checked afterwards in one pass
// over that array, with a stack of at most JSON_DEPTH_MAX ends.
#include "base/json.h"

#include "base/decimal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL_OBJECT = 32, NAMED_KEY_MAX = 64 };

// An allocator for yyjson over an arena, which remembers why it said no.
struct arena_source {
    struct arena *arena;
    bool at_limit;
};

static void *take(void *ctx, size_t n)
{
    struct arena_source *source = ctx;
    void *p = arena_alloc(source->arena, n);
    size_t left = (source->arena->max - source->arena->used) & ~(size_t)15; // pieces of 16 bytes
    if (p == NULL && n > left) {
        source->at_limit = true;
    }
    return p;
}

static void *take_again(void *ctx, void *old, size_t old_n, size_t n)
{
    void *p = n <= old_n ? old : take(ctx, n);
    if (p != NULL && p != old) {
        memcpy(p, old, old_n);
    }
    return p;
}

static void give_back(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
}

// True where the text holds the escape of U+0000: an odd number of backslashes, then u0000. A raw
// U+0000 is no JSON at all, and outside of strings yyjson accepts no backslash.
static bool has_escaped_nul(const char *text, size_t n)
{
    static const char escape[] = "\\u0000";
    const char *end = text + n;
    const char *p = n == 0 ? NULL : memchr(text, '\\', n);
    while (p != NULL) {
        const char *at = memmem(p, (size_t)(end - p), escape, sizeof escape - 1);
        if (at == NULL) {
            return false;
        }
        size_t slashes = 1;
        while (at - slashes >= text && *(at - slashes) == '\\') {
            slashes++;
        }
        if (slashes % 2 == 1) {
            return true;
        }
        p = at + sizeof escape - 1;
    }
    return false;
}

static struct str str_of_val(yyjson_val *v)
{
    return (struct str){unsafe_yyjson_get_str(v), unsafe_yyjson_get_len(v)};
}

static int compare_keys(const void *a, const void *b)
{
    const struct str *x = a;
    const struct str *y = b;
    return str_compare(*x, *y);
}

static enum err_code refuse(struct err *e, struct str key)
{
    if (key.n > NAMED_KEY_MAX) { // a cut might fall within a character
        return err_set(e, ERR_PARSE, "JSON object with the same long member twice");
    }
    return err_set(e, ERR_PARSE, "JSON object with two members '%.*s'", STR_ARG(key));
}

static enum err_code check_large_object(yyjson_val *object, struct err *e)
{
    size_t count = unsafe_yyjson_get_len(object);
    struct str *keys = malloc(count * sizeof *keys);
    if (keys == NULL) {
        return err_set(e, ERR_NO_MEMORY, "out of memory reading JSON");
    }
    yyjson_val *key = unsafe_yyjson_get_first(object);
    for (size_t i = 0; i < count; i++) {
        keys[i] = str_of_val(key);
        key = unsafe_yyjson_get_next(key + 1);
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    enum err_code rc = ERR_OK;
    for (size_t i = 1; i < count && rc == ERR_OK; i++) {
        if (str_equal(keys[i - 1], keys[i])) {
            rc = refuse(e, keys[i]);
        }
    }
    free(keys);
    return rc;
}

// Two readers may take different members of the same name, so there must be only one. Most keys
// differ from the earlier ones in the bit that their length and ends give, and need no comparison.
static enum err_code check_object(yyjson_val *object, struct err *e)
{
    size_t count = unsafe_yyjson_get_len(object);
    if (count > SMALL_OBJECT) {
        return check_large_object(object, e);
    }
    struct str keys[SMALL_OBJECT];
    uint64_t seen = 0;
    yyjson_val *key = unsafe_yyjson_get_first(object);
    for (size_t i = 0; i < count; i++) {
        struct str k = str_of_val(key);
        unsigned ends = k.n == 0 ? 0 : (unsigned char)k.p[0] * 3U + (unsigned char)k.p[k.n - 1];
        uint64_t bit = UINT64_C(1) << ((ends + k.n * 11) & 63);
        for (size_t j = 0; (seen & bit) != 0 && j < i; j++) {
            if (str_equal(keys[j], k)) {
                return refuse(e, k);
            }
        }
        seen |= bit;
        keys[i] = k;
        key = unsafe_yyjson_get_next(key + 1);
    }
    return ERR_OK;
}

static enum err_code check_values(yyjson_doc *doc, int max_depth, struct err *e)
{
    yyjson_val *ends[JSON_DEPTH_MAX];
    int depth = 0;
    yyjson_val *v = doc->root;
    for (yyjson_val *end = v + doc->val_read; v < end; v++) {
        if (!unsafe_yyjson_is_ctn(v)) {
            continue;
        }
        while (depth > 0 && v >= ends[depth - 1]) {
            depth--;
        }
        if (depth == max_depth) {
            return err_set(e, ERR_LIMIT, "JSON deeper than %d levels", max_depth);
        }
        ends[depth++] = unsafe_yyjson_get_next(v);
        if (unsafe_yyjson_is_obj(v)) {
            enum err_code rc = check_object(v, e);
            if (rc != ERR_OK) {
                return rc;
            }
        }
    }
    return ERR_OK;
}

static enum err_code parse(struct str text, int max_depth, const yyjson_alc *from, struct json *ret,
                           struct err *e)
{
    MUST(max_depth >= 0 && max_depth <= JSON_DEPTH_MAX);
    yyjson_read_err why = {0};
    union {
        const char *in;
        char *out;
    } p = {text.p}; // not written to without YYJSON_READ_INSITU
    yyjson_doc *doc = yyjson_read_opts(p.out, text.n, YYJSON_READ_NOFLAG, from, &why);
    if (doc == NULL && why.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION) {
        return err_set(e, ERR_NO_MEMORY, "out of memory reading JSON");
    }
    if (doc == NULL) {
        return err_set(e, ERR_PARSE, "not valid JSON at byte %zu: %s", why.pos, why.msg);
    }
    enum err_code rc = ERR_OK;
    if (has_escaped_nul(text.p, text.n)) {
        rc = err_set(e, ERR_PARSE, "not valid JSON here: U+0000 in a string");
    } else {
        rc = check_values(doc, max_depth, e);
    }
    if (rc != ERR_OK) {
        yyjson_doc_free(doc);
        return rc;
    }
    doc->alc.ctx = NULL; // an arena_source ends now; no way of freeing looks at it
    *ret = (struct json){.doc = doc, .root = doc->root};
    return ERR_OK;
}

enum err_code json_parse(struct str text, int max_depth, struct json *ret, struct err *e)
{
    return parse(text, max_depth, NULL, ret, e);
}

enum err_code json_parse_in(struct arena *a, struct str text, int max_depth, struct json *ret,
                            struct err *e)
{
    struct arena_source source = {.arena = a};
    yyjson_alc alc = {take, take_again, give_back, &source};
    enum err_code rc = parse(text, max_depth, &alc, ret, e);
    if (rc == ERR_NO_MEMORY && source.at_limit) {
        return err_set(e, ERR_LIMIT, "JSON larger than the %zu bytes for it", a->max);
    }
    return rc;
}

void json_close(struct json *j)
{
    yyjson_doc_free(j->doc);
    *j = (struct json){0};
}

yyjson_val *json_find(yyjson_val *object, const char *key)
{
    return yyjson_obj_get(object, key);
}

static enum err_code wrong(struct err *e, yyjson_val *v, const char *key, const char *wanted)
{
    if (v == NULL) {
        return err_set(e, ERR_INVALID, "'%s' is missing", key);
    }
    return err_set(e, ERR_INVALID, "'%s' must be %s", key, wanted);
}

enum err_code json_get_str(yyjson_val *object, const char *key, struct str *ret, struct err *e)
{
    yyjson_val *v = json_find(object, key);
    if (!yyjson_is_str(v)) {
        return wrong(e, v, key, "a string");
    }
    *ret = str_of_val(v);
    return ERR_OK;
}

enum err_code json_get_i64(yyjson_val *object, const char *key, int64_t *ret, struct err *e)
{
    yyjson_val *v = json_find(object, key);
    if (yyjson_is_sint(v)) {
        *ret = unsafe_yyjson_get_sint(v);
        return ERR_OK;
    }
    if (!yyjson_is_uint(v) || unsafe_yyjson_get_uint(v) > INT64_MAX) {
        return wrong(e, v, key, "an integer of 64 bits");
    }
    *ret = (int64_t)unsafe_yyjson_get_uint(v);
    return ERR_OK;
}

enum err_code json_get_uuid(yyjson_val *object, const char *key, struct uuid *ret, struct err *e)
{
    yyjson_val *v = json_find(object, key);
    if (!yyjson_is_str(v) || uuid_parse(str_of_val(v), ret) != ERR_OK) {
        return wrong(e, v, key, "a UUID");
    }
    return ERR_OK;
}

enum err_code json_get_hash(yyjson_val *object, const char *key, struct hash *ret, struct err *e)
{
    return json_get_hex(object, key, ret->b, sizeof ret->b, e);
}

enum err_code json_get_hex(yyjson_val *object, const char *key, void *to, size_t n, struct err *e)
{
    yyjson_val *v = json_find(object, key);
    if (!yyjson_is_str(v) || str_from_hex(str_of_val(v), to, n) != ERR_OK) {
        char wanted[64];
        (void)snprintf(wanted, sizeof wanted, "%zu lower-case hexadecimal digits", 2 * n);
        return wrong(e, v, key, wanted);
    }
    return ERR_OK;
}

enum err_code json_get_decimal(yyjson_val *object, const char *key, int64_t *ret, struct err *e)
{
    yyjson_val *v = json_find(object, key);
    if (!yyjson_is_str(v)) {
        return wrong(e, v, key, "a decimal in a string");
    }
    enum err_code rc = decimal_parse(str_of_val(v), ret);
    if (rc == ERR_LIMIT) {
        return err_set(e, ERR_INVALID, "'%s' is too large", key);
    }
    return rc == ERR_OK ? ERR_OK : wrong(e, v, key, "a decimal of at most four places");
}

// Takes text, which yyjson allocated, into the buffer.
static enum err_code append_text(struct buf *b, char *text, size_t n, yyjson_write_err why)
{
    if (text == NULL) {
        return why.code == YYJSON_WRITE_ERROR_MEMORY_ALLOCATION ? ERR_NO_MEMORY : ERR_INVALID;
    }
    enum err_code rc = ERR_INVALID; // what json_parse would refuse must not be written either
    if (!has_escaped_nul(text, n)) {
        rc = buf_append(b, text, n);
    }
    free(text);
    return rc;
}

enum err_code json_append_string(struct buf *b, struct str text)
{
    yyjson_val v = {0};
    unsafe_yyjson_set_strn(&v, text.p == NULL ? "" : text.p, text.n);
    return json_append_value(b, &v);
}

enum err_code json_append_value(struct buf *b, yyjson_val *value)
{
    size_t n = 0;
    yyjson_write_err why = {0};
    char *text = yyjson_val_write_opts(value, YYJSON_WRITE_NOFLAG, NULL, &n, &why);
    return append_text(b, text, n, why);
}

enum err_code json_append_doc(struct buf *b, yyjson_mut_doc *doc)
{
    size_t n = 0;
    yyjson_write_err why = {0};
    char *text = yyjson_mut_write_opts(doc, YYJSON_WRITE_NOFLAG, NULL, &n, &why);
    return append_text(b, text, n, why);
}

static void *writer_take(void *ctx, size_t n)
{
    struct json_writer *w = ctx;
    void *p = malloc(n);
    w->failed = w->failed || p == NULL;
    return p;
}

static void *writer_take_again(void *ctx, void *old, size_t old_n, size_t n)
{
    struct json_writer *w = ctx;
    (void)old_n;
    void *p = realloc(old, n);
    w->failed = w->failed || p == NULL;
    return p;
}

static void writer_give_back(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

void json_writer_begin(struct json_writer *w)
{
    *w = (struct json_writer){.source = {writer_take, writer_take_again, writer_give_back, w}};
    w->doc = yyjson_mut_doc_new(&w->source);
    w->root = yyjson_mut_obj(w->doc);
    yyjson_mut_doc_set_root(w->doc, w->root);
}

void json_writer_add(struct json_writer *w, const char *key, yyjson_val *value)
{
    size_t n = 0;
    MUST(w->text == NULL);
    w->text = yyjson_val_write_opts(value, YYJSON_WRITE_NOFLAG, &w->source, &n, NULL);
    yyjson_mut_obj_add_val(w->doc, w->root, key, yyjson_mut_rawn(w->doc, w->text, n));
    w->no_value = w->text == NULL;
}

enum err_code json_writer_end(struct json_writer *w, struct buf *to)
{
    enum err_code rc = w->failed ? ERR_NO_MEMORY : w->no_value ? ERR_INVALID : ERR_OK;
    if (rc == ERR_OK)
        rc = json_append_doc(to, w->doc);
    free(w->text);
    w->text = NULL;
    yyjson_mut_doc_free(w->doc);
    w->doc = NULL;
    w->root = NULL;
    return rc;
}
