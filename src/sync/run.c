// SPDX-License-Identifier: Apache-2.0
#include "sync/run.h"

#include "model/event_type.h"
#include "model/mutant.h"

static bool too_far_ahead(hlc value, int64_t corrected_ms)
{
    return hlc_ms(value) > corrected_ms + LIMIT_CLOCK_SKEW_MS;
}

void run_begin(struct run *run, const struct run_identity *who, const struct uuid *id,
               const struct uuid *origin, hlc last, int64_t corrected_ms)
{
    *run = (struct run){.id = *id, .chain = who->chain, .device = who->device, .origin = *origin};
    if (MUTANT(seq_reused)) // the same origin at every start: a till restored from a copy counts on
        run->origin = who->device;
    MUST(str_copy(run->location, sizeof(run->location), who->location) == ERR_OK);
    run->certificate =
        certificate_make(who->key, &who->chain, &run->origin, &who->device, who->location);
    run->last = too_far_ahead(last, corrected_ms) ? 0 : last;
}

bool run_clock_was_off(const struct run *run, int64_t corrected_ms)
{
    return too_far_ahead(run->last, corrected_ms);
}

enum err_code run_stamp(struct run *run, struct event *draft, int64_t now_ms, struct buf *to,
                        struct mark *ret_mark, struct err *e)
{
    struct mark *head = &run->heads[draft->lane];
    size_t start = to->len;
    size_t limit = draft->seq ? LIMIT_EVENT_BYTES : LIMIT_DRAFT_BYTES;
    hlc stamp = hlc_next(run->last, now_ms + run->clock_offset_ms);
    draft->origin = run->origin;
    draft->seq = head->seq + 1;
    draft->hlc = stamp;
    enum err_code code = event_write(draft, to);
    if (code == ERR_OK && to->len - start > limit)
        code = ERR_LIMIT;
    if (code)
        to->len = start;
    if (code == ERR_LIMIT)
        return err_set(e, code, "event: its text is over %zu bytes", limit);
    if (code)
        return err_set(e, code, "event: writing it: %s", err_text(code));
    run->last = stamp;
    *head = mark_next(head, str_make(to->data + start, to->len - start));
    *ret_mark = *head;
    return ERR_OK;
}

static size_t digits(uint64_t n)
{
    size_t count = 1;
    for (; n > 9; n /= 10)
        count++;
    return count;
}

bool run_has_room(const struct run *run, const struct event *event)
{
    size_t rest = event->bytes.n - digits(event->seq); // all else keeps its length
    return rest + digits(run->heads[event->lane].seq + 1) <= LIMIT_EVENT_BYTES;
}

static yyjson_mut_val *previous_list(yyjson_mut_doc *doc, const struct run_previous *previous,
                                     size_t count)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    for (size_t i = 0; i < count; i++) {
        char origin[UUID_TEXT_SIZE];
        char hash[HASH_TEXT_SIZE];
        yyjson_mut_val *head = yyjson_mut_arr_add_obj(doc, list);
        uuid_format(&previous[i].key.origin, origin);
        hash_format(&previous[i].head.hash, hash);
        yyjson_mut_obj_add_strcpy(doc, head, "origin", origin);
        yyjson_mut_obj_add_str(doc, head, "lane", lane_name(previous[i].key.lane));
        yyjson_mut_obj_add_uint(doc, head, "seq", previous[i].head.seq);
        yyjson_mut_obj_add_strcpy(doc, head, "hash", hash);
    }
    return list;
}

static enum err_code first_body(const struct run *run, const struct run_first *first,
                                struct buf *to)
{
    char text[UUID_TEXT_SIZE];
    struct json_writer body;
    json_writer_begin(&body);
    uuid_format(&run->device, text);
    yyjson_mut_obj_add_strcpy(body.doc, body.root, "device", text);
    uuid_format(&run->id, text);
    yyjson_mut_obj_add_strcpy(body.doc, body.root, "run", text);
    yyjson_mut_obj_add_strncpy(body.doc, body.root, "software", first->software.p,
                               first->software.n);
    yyjson_mut_obj_add_val(body.doc, body.root, "previous",
                           previous_list(body.doc, first->previous, first->previous_count));
    return json_writer_end(&body, to);
}

enum err_code run_first_event(const struct run *run, const struct run_first *first,
                              struct arena *arena, struct event *ret)
{
    struct buf text;
    buf_init(&text, LIMIT_EVENT_BYTES);
    enum err_code code = first_body(run, first, &text);
    struct json json = {0};
    if (code == ERR_OK)
        code = json_parse_in(arena, buf_str(&text), LIMIT_EVENT_DEPTH, &json, NULL);
    buf_fini(&text);
    char device[UUID_TEXT_SIZE];
    uuid_format(&run->device, device);
    struct str record = arena_copy(arena, str_of(device));
    struct str location = arena_copy(arena, str_of(run->location));
    if (code || record.p == NULL || location.p == NULL)
        return code ? code : ERR_NO_MEMORY;
    *ret = (struct event){.id = first->event_id,
                          .location = location,
                          .type_name = STR("run_started"),
                          .type = event_type_find(STR("run_started")),
                          .record_type = STR("device"),
                          .record_id = record,
                          .at = first->now_ms,
                          .body = json.root};
    ret->version = ret->type->version;
    ret->lane = ret->type->lane;
    return ERR_OK;
}
