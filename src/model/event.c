// SPDX-License-Identifier: Apache-2.0
#include "model/event.h"

#include "model/event_type.h"

#include <string.h>

static const char *const lane_names[LANE_COUNT] = {"critical", "normal", "deferred"};

const char *lane_name(enum lane lane)
{
    return lane_names[lane];
}

enum err_code lane_parse(struct str text, enum lane *ret)
{
    for (int i = 0; i < LANE_COUNT; i++) {
        if (str_is(text, lane_names[i])) {
            *ret = (enum lane)i;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}

bool event_name_valid(struct str name)
{
    if (name.n == 0 || name.n > LIMIT_NAME || !str_is_utf8(name))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return name.p[0] != ' ' && name.p[name.n - 1] != ' ';
}

bool event_location_valid(struct str name)
{
    return event_name_valid(name) && name.p[0] != '*';
}

// Only one variant has versions. The nil id is what a broken client repeats: it counts for nobody.
bool event_code_valid(struct str code)
{
    size_t digits = 0, letters = 0;
    for (size_t i = 0; i < code.n; i++) {
        char c = code.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        if (!letter && !digit && c != '.' && c != '_' && c != '-')
            return false;
        digits += digit;
        letters += letter;
    }
    return code.n >= 1 && code.n <= LIMIT_CODE && (letters > 0 || digits <= 6);
}

bool event_id_valid(const struct uuid *id)
{
    int version = uuid_version(id);
    return (version == 7 || version == 4 || version == 8) && (id->b[8] & 0xc0) == 0x80;
}

// ---- reading ----------------------------------------------------------------------------------
// One pass over the members; each key has a bit, so that a missing or repeated one is noticed.

enum member {
    MEMBER_V,
    MEMBER_ID,
    MEMBER_ORIGIN,
    MEMBER_LANE,
    MEMBER_SEQ,
    MEMBER_LOCATION,
    MEMBER_TYPE,
    MEMBER_RECORD,
    MEMBER_BASE,
    MEMBER_SEEN,
    MEMBER_CAUSE,
    MEMBER_AT,
    MEMBER_HLC,
    MEMBER_ACTOR,
    MEMBER_GRANT,
    MEMBER_BODY,
    MEMBER_COUNT
};

static const char *const member_keys[MEMBER_COUNT] = {
    "v",    "id",   "origin", "lane", "seq", "location", "type",  "record",
    "base", "seen", "cause",  "at",   "hlc", "actor",    "grant", "body"};

#define BIT(member) (1u << (member))
static const unsigned optional_members =
    BIT(MEMBER_BASE) | BIT(MEMBER_SEEN) | BIT(MEMBER_CAUSE) | BIT(MEMBER_ACTOR) | BIT(MEMBER_GRANT);
static const unsigned node_members =
    BIT(MEMBER_V) | BIT(MEMBER_ORIGIN) | BIT(MEMBER_LANE) | BIT(MEMBER_SEQ) | BIT(MEMBER_HLC);

static enum err_code bad(enum member member, const char *what, struct err *e)
{
    return err_set(e, ERR_INVALID, "event: %s: %s", member_keys[member], what);
}

static struct str val_str(yyjson_val *value)
{
    return str_make(yyjson_get_str(value), yyjson_get_len(value));
}

static enum err_code read_uuid(enum member member, yyjson_val *value, struct uuid *to,
                               struct err *e)
{
    if (!yyjson_is_str(value) || uuid_parse(val_str(value), to) != ERR_OK)
        return bad(member, "not a UUID", e);
    return ERR_OK;
}

static enum err_code read_integer(enum member member, yyjson_val *value, int64_t *to, struct err *e)
{
    if (!yyjson_is_int(value) || (yyjson_is_uint(value) && yyjson_get_uint(value) > INT64_MAX))
        return bad(member, "not an integer", e);
    *to = yyjson_get_sint(value);
    return ERR_OK;
}

static enum err_code read_name(enum member member, yyjson_val *value, struct str *to, struct err *e)
{
    struct str name = val_str(value);
    if (!yyjson_is_str(value) || !event_name_valid(name))
        return bad(member, "not a name of 1 to 64 bytes", e);
    *to = name;
    return ERR_OK;
}

static enum err_code read_id(yyjson_val *value, struct event *event, struct err *e)
{
    enum err_code code = read_uuid(MEMBER_ID, value, &event->id, e);
    if (code == ERR_OK && !event_id_valid(&event->id))
        return bad(MEMBER_ID, "must be a UUID of version 7, 4 or 8", e);
    return code;
}

static enum err_code read_record(yyjson_val *value, struct event *event, struct err *e)
{
    yyjson_val *type = yyjson_obj_get(value, "type");
    yyjson_val *id = yyjson_obj_get(value, "id");
    if (!yyjson_is_obj(value) || yyjson_obj_size(value) != 2 || !type || !id)
        return bad(MEMBER_RECORD, "must be {type, id}", e);
    enum err_code code = read_name(MEMBER_RECORD, type, &event->record_type, e);
    return code ? code : read_name(MEMBER_RECORD, id, &event->record_id, e);
}

static enum err_code read_base(yyjson_val *value, struct event *event, struct err *e)
{
    if (!yyjson_is_arr(value))
        return bad(MEMBER_BASE, "not a list of UUIDs", e);
    if (yyjson_arr_size(value) > LIMIT_BASE)
        return err_set(e, ERR_LIMIT, "event: base: more than %d entries", LIMIT_BASE);
    yyjson_arr_iter iter = yyjson_arr_iter_with(value);
    yyjson_val *item;
    while ((item = yyjson_arr_iter_next(&iter)) != NULL) {
        enum err_code code = read_uuid(MEMBER_BASE, item, &event->base[event->base_count], e);
        if (code)
            return code;
        event->base_count++;
    }
    return ERR_OK;
}

static enum err_code read_seen(yyjson_val *value, struct event_seen *to, struct err *e)
{
    yyjson_val *feed = yyjson_obj_get(value, "feed");
    yyjson_val *position = yyjson_obj_get(value, "position");
    int64_t number = 0;
    if (yyjson_is_null(value))
        return ERR_OK;
    if (!yyjson_is_obj(value) || yyjson_obj_size(value) != 2 || !feed || !position)
        return bad(MEMBER_SEEN, "must be {feed, position}", e);
    enum err_code code = read_uuid(MEMBER_SEEN, feed, &to->feed, e);
    if (code == ERR_OK)
        code = read_integer(MEMBER_SEEN, position, &number, e);
    if (code == ERR_OK && number < 0)
        code = bad(MEMBER_SEEN, "out of range", e);
    to->position = (uint64_t)number;
    return code;
}

static enum err_code read_number(enum member member, yyjson_val *value, struct event *event,
                                 struct err *e)
{
    int64_t number = 0;
    enum err_code code = read_integer(member, value, &number, e);
    if (code)
        return code;
    if (member == MEMBER_AT) {
        event->at = number;
        return number < 0 || number > LIMIT_CLOCK_MS ? bad(member, "out of range", e) : ERR_OK;
    }
    if (number < 1 || (member == MEMBER_V && number > 1000))
        return bad(member, "out of range", e);
    if (member == MEMBER_V)
        event->version = (int)number;
    else
        event->seq = (uint64_t)number;
    return ERR_OK;
}

static enum err_code read_text(enum member member, yyjson_val *value, struct event *event,
                               struct err *e)
{
    if (member == MEMBER_LOCATION)
        return read_name(member, value, &event->location, e);
    if (member == MEMBER_ACTOR)
        return yyjson_is_null(value) ? ERR_OK : read_name(member, value, &event->actor, e);
    if (member == MEMBER_TYPE) {
        enum err_code code = read_name(member, value, &event->type_name, e);
        if (code == ERR_OK)
            event->type = event_type_find(event->type_name);
        return code;
    }
    if (!yyjson_is_str(value))
        return bad(member, "not a string", e);
    if (member == MEMBER_LANE)
        return lane_parse(val_str(value), &event->lane) ? bad(member, "unknown lane", e) : ERR_OK;
    return hlc_parse(val_str(value), &event->hlc) ? bad(member, "not 16 hex digits", e) : ERR_OK;
}

static enum err_code read_member(enum member member, yyjson_val *value, struct event *event,
                                 struct err *e)
{
    switch (member) {
    case MEMBER_V:
    case MEMBER_SEQ:
    case MEMBER_AT:
        return read_number(member, value, event, e);
    case MEMBER_ID:
        return read_id(value, event, e);
    case MEMBER_ORIGIN:
        return read_uuid(member, value, &event->origin, e);
    case MEMBER_CAUSE:
        return yyjson_is_null(value) ? ERR_OK : read_uuid(member, value, &event->cause, e);
    case MEMBER_GRANT:
        return yyjson_is_null(value) ? ERR_OK : read_uuid(member, value, &event->grant, e);
    case MEMBER_LANE:
    case MEMBER_LOCATION:
    case MEMBER_TYPE:
    case MEMBER_HLC:
    case MEMBER_ACTOR:
        return read_text(member, value, event, e);
    case MEMBER_RECORD:
        return read_record(value, event, e);
    case MEMBER_BASE:
        return read_base(value, event, e);
    case MEMBER_SEEN:
        return read_seen(value, &event->seen, e);
    case MEMBER_BODY:
        if (!yyjson_is_obj(value))
            return bad(member, "not an object", e);
        event->body = value;
        return ERR_OK;
    case MEMBER_COUNT:
        break;
    }
    return ERR_INVALID;
}

// Our own writer's order makes the member after the last one the likely next.
static int find_member(yyjson_val *key, int after)
{
    struct str text = val_str(key);
    for (int i = 1; i <= MEMBER_COUNT; i++) {
        int member = (after + i) % MEMBER_COUNT;
        if (str_is(text, member_keys[member]))
            return member;
    }
    return -1;
}

// 'forbidden': members the author may not give (a draft's node_members).
static enum err_code read_members(yyjson_val *object, unsigned forbidden, struct event *event,
                                  struct err *e)
{
    if (!yyjson_is_obj(object))
        return err_set(e, ERR_INVALID, "event: not a JSON object");
    unsigned seen = 0;
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    yyjson_val *key;
    int member = -1;
    while ((key = yyjson_obj_iter_next(&iter)) != NULL) {
        member = find_member(key, member);
        if (member < 0)
            return err_set(e, ERR_INVALID, "event: unknown member '%.40s'", yyjson_get_str(key));
        if (seen & BIT(member))
            return bad((enum member)member, "given twice", e);
        if (forbidden & BIT(member))
            return bad((enum member)member, "is assigned by the node", e);
        seen |= BIT(member);
        enum err_code code =
            read_member((enum member)member, yyjson_obj_iter_get_val(key), event, e);
        if (code)
            return code;
    }
    unsigned missing = (BIT(MEMBER_COUNT) - 1) & ~seen & ~optional_members & ~forbidden;
    for (int i = 0; missing && i < MEMBER_COUNT; i++) {
        if (missing & BIT(i))
            return bad((enum member)i, "missing", e);
    }
    return ERR_OK;
}

enum err_code event_parse(struct str bytes, struct arena *arena, struct event *ret, struct err *e)
{
    if (bytes.n > LIMIT_EVENT_BYTES)
        return err_set(e, ERR_LIMIT, "event: %zu bytes, the limit is %d", bytes.n,
                       LIMIT_EVENT_BYTES);
    if (bytes.n && memchr(bytes.p, '\n', bytes.n))
        return err_set(e, ERR_INVALID, "event: its text is more than one line");
    struct json json = {0};
    enum err_code code = json_parse_in(arena, bytes, LIMIT_EVENT_DEPTH, &json, e);
    if (code)
        return err_wrap(e, code, "event");
    struct event event = {.bytes = bytes};
    code = read_members(json.root, 0, &event, e);
    if (code == ERR_OK)
        *ret = event;
    return code;
}

// A container of n values is followed by them; each knows where the next one stands.
static bool is_deeper(yyjson_val *value, int depth) // recursion ends with the depth
{
    size_t count = yyjson_is_arr(value) ? yyjson_arr_size(value) : 2 * yyjson_obj_size(value);
    bool deeper = depth == 0 && yyjson_is_ctn(value);
    yyjson_val *item = count ? unsafe_yyjson_get_first(value) : NULL;
    for (size_t i = 0; i < count && !deeper; i++) {
        deeper = is_deeper(item, depth - 1);
        item = unsafe_yyjson_get_next(item);
    }
    return deeper;
}

bool event_is_plain(yyjson_val *value) // recursion ends with the depth, which was looked at
{
    if (yyjson_is_str(value))
        return str_is_plain(val_str(value));
    size_t count = yyjson_is_arr(value) ? yyjson_arr_size(value) : 2 * yyjson_obj_size(value);
    yyjson_val *item = count ? unsafe_yyjson_get_first(value) : NULL;
    bool plain = true;
    for (size_t i = 0; i < count && plain; i++) {
        plain = event_is_plain(item);
        item = unsafe_yyjson_get_next(item);
    }
    return plain;
}

enum err_code event_parse_draft(yyjson_val *object, struct arena *arena, struct event *ret,
                                struct err *e)
{
    (void)arena;
    struct event event = {0};
    if (is_deeper(object, LIMIT_EVENT_DEPTH))
        return err_set(e, ERR_LIMIT, "event: deeper than %d levels", LIMIT_EVENT_DEPTH);
    enum err_code code = read_members(object, node_members, &event, e);
    if (code)
        return code;
    if (!event_is_plain(object)) // of what was stored nothing is asked any more
        return err_set(e, ERR_INVALID, "event: a text with control characters");
    if (event.type == NULL)
        return err_set(e, ERR_NOT_FOUND, "event: type: '%.*s' is unknown",
                       STR_ARG(event.type_name));
    code = event_type_check_record(event.type, event.record_type, e);
    event.version = event.type->version;
    event.lane = event.type->lane;
    if (code == ERR_OK)
        code = event_type_check_place(event.type, event.location, e);
    if (code == ERR_OK)
        code = event_type_check(event.type, event.version, event.body, e);
    if (code == ERR_OK)
        *ret = event;
    return code;
}

// ---- writing ----------------------------------------------------------------------------------

static void add_str(struct json_writer *w, const char *key, struct str text)
{
    yyjson_mut_obj_add_strncpy(w->doc, w->root, key, text.p, text.n);
}

static void add_uuid(struct json_writer *w, const char *key, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    yyjson_mut_obj_add_strcpy(w->doc, w->root, key, text);
}

static void add_record(struct json_writer *w, const struct event *event)
{
    yyjson_mut_val *record = yyjson_mut_obj(w->doc);
    yyjson_mut_obj_add_strncpy(w->doc, record, "type", event->record_type.p, event->record_type.n);
    yyjson_mut_obj_add_strncpy(w->doc, record, "id", event->record_id.p, event->record_id.n);
    yyjson_mut_obj_add_val(w->doc, w->root, "record", record);
}

static void add_base(struct json_writer *w, const struct event *event)
{
    if (event->base_count == 0)
        return;
    yyjson_mut_val *base = yyjson_mut_arr(w->doc);
    for (int i = 0; i < event->base_count; i++) {
        char text[UUID_TEXT_SIZE];
        uuid_format(&event->base[i], text);
        yyjson_mut_arr_add_strcpy(w->doc, base, text);
    }
    yyjson_mut_obj_add_val(w->doc, w->root, "base", base);
}

static void add_seen(struct json_writer *w, const struct event_seen *seen)
{
    char text[UUID_TEXT_SIZE];
    if (uuid_is_zero(&seen->feed))
        return;
    uuid_format(&seen->feed, text);
    yyjson_mut_val *to = yyjson_mut_obj_add_obj(w->doc, w->root, "seen");
    yyjson_mut_obj_add_strcpy(w->doc, to, "feed", text);
    yyjson_mut_obj_add_uint(w->doc, to, "position", seen->position);
}

static void add_all(struct json_writer *w, const struct event *event)
{
    char text[HLC_TEXT_SIZE];
    yyjson_mut_obj_add_int(w->doc, w->root, "v", event->version);
    add_uuid(w, "id", &event->id);
    add_uuid(w, "origin", &event->origin);
    yyjson_mut_obj_add_str(w->doc, w->root, "lane", lane_name(event->lane));
    yyjson_mut_obj_add_uint(w->doc, w->root, "seq", event->seq);
    add_str(w, "location", event->location);
    add_str(w, "type", event->type_name);
    add_record(w, event);
    add_base(w, event);
    add_seen(w, &event->seen);
    if (!uuid_is_zero(&event->cause))
        add_uuid(w, "cause", &event->cause);
    yyjson_mut_obj_add_sint(w->doc, w->root, "at", event->at);
    hlc_format(event->hlc, text);
    yyjson_mut_obj_add_strcpy(w->doc, w->root, "hlc", text);
    if (event->actor.n)
        add_str(w, "actor", event->actor);
    if (!uuid_is_zero(&event->grant))
        add_uuid(w, "grant", &event->grant);
    json_writer_add(w, "body", event->body);
}

enum err_code event_write(const struct event *event, struct buf *to)
{
    struct json_writer w;
    json_writer_begin(&w);
    add_all(&w, event);
    return json_writer_end(&w, to);
}

// ---- comparing --------------------------------------------------------------------------------

bool event_is_stamped(const struct event *event)
{
    return str_is(event->type_name, "price_set") || str_is(event->type_name, "review_resolved");
}

static size_t size_but_stamp(yyjson_val *body)
{
    return yyjson_obj_size(body) - (yyjson_obj_get(body, EVENT_STAMP) != NULL);
}

static bool same_but_stamp(yyjson_val *a, yyjson_val *b)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(a);
    yyjson_val *key;
    bool same = size_but_stamp(a) == size_but_stamp(b);
    while (same && (key = yyjson_obj_iter_next(&iter)) != NULL)
        same = yyjson_equals_str(key, EVENT_STAMP) ||
               yyjson_equals(yyjson_obj_iter_get_val(key),
                             yyjson_obj_getn(b, yyjson_get_str(key), yyjson_get_len(key)));
    return same;
}

bool event_same_content(const struct event *a, const struct event *b)
{
    return uuid_equal(&a->id, &b->id) && str_equal(a->location, b->location) &&
           str_equal(a->type_name, b->type_name) && str_equal(a->record_type, b->record_type) &&
           str_equal(a->record_id, b->record_id) && uuid_equal(&a->cause, &b->cause) &&
           a->at == b->at && str_equal(a->actor, b->actor) &&
           (event_is_stamped(a) ? same_but_stamp(a->body, b->body)
                                : yyjson_equals(a->body, b->body));
}

struct event_order event_order_of(const struct event *event)
{
    return (struct event_order){event->hlc, event->origin, event->lane, event->seq};
}

int event_order_compare(const struct event_order *a, const struct event_order *b)
{
    if (a->hlc != b->hlc)
        return a->hlc < b->hlc ? -1 : 1;
    int by_origin = uuid_compare(&a->origin, &b->origin);
    if (by_origin != 0)
        return by_origin;
    if (a->lane != b->lane)
        return a->lane < b->lane ? -1 : 1;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return 0;
}
