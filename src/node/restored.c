// SPDX-License-Identifier: Apache-2.0
#include "node/restored.h"

#include "base/json.h"

enum { META_BYTES = 4096, DEPTH = 2 };

static void put_uuid(struct json_writer *w, const char *key, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    yyjson_mut_obj_add_strcpy(w->doc, w->root, key, text);
}

enum err_code restored_write(struct store *s, const struct restored *r, struct err *e)
{
    struct json_writer w;
    struct buf text;
    buf_init(&text, META_BYTES);
    json_writer_begin(&w);
    put_uuid(&w, "id", &r->id);
    yyjson_mut_obj_add_bool(w.doc, w.root, "open", r->open);
    yyjson_mut_obj_add_sint(w.doc, w.root, "since", r->since_ms);
    yyjson_mut_obj_add_sint(w.doc, w.root, "backup", r->backup_ms);
    put_uuid(&w, "device", &r->device);
    yyjson_mut_obj_add_str(w.doc, w.root, "why", r->why);
    enum err_code code = json_writer_end(&w, &text);
    code = code ? err_set(e, code, "a recovery cannot be written down")
                : store_meta_set(s, "restored", buf_str(&text), e);
    buf_fini(&text);
    return code;
}

static enum err_code parse(struct str text, struct arena *a, struct restored *ret, struct err *e)
{
    struct json json = {0};
    struct str why = STR("");
    enum err_code code = json_parse_in(a, text, DEPTH, &json, e);
    if (code == ERR_OK)
        code = json_get_uuid(json.root, "id", &ret->id, e);
    if (code == ERR_OK)
        code = json_get_i64(json.root, "since", &ret->since_ms, e);
    if (code == ERR_OK)
        code = json_get_i64(json.root, "backup", &ret->backup_ms, e);
    if (code == ERR_OK)
        code = json_get_uuid(json.root, "device", &ret->device, e);
    if (code == ERR_OK)
        code = json_get_str(json.root, "why", &why, e);
    if (code == ERR_OK)
        code = str_copy(ret->why, sizeof ret->why, why);
    ret->open = yyjson_is_true(json_find(json.root, "open"));
    return code;
}

enum err_code restored_read(struct store *s, struct restored *ret, struct err *e)
{
    struct arena a;
    struct str text = STR("");
    struct restored read = {.open = false};
    arena_init(&a, 16 * META_BYTES);
    enum err_code code = store_meta_get(s, "restored", &a, &text, e);
    if (code == ERR_OK && parse(text, &a, &read, NULL) != ERR_OK)
        code = err_set(e, ERR_DAMAGED, "what the store says of its recovery cannot be read");
    arena_fini(&a);
    if (code == ERR_OK || code == ERR_NOT_FOUND)
        *ret = read;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}
