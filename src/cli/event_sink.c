// SPDX-License-Identifier: Apache-2.0
#include "cli/event_sink.h"

#include <string.h>

enum { ARENA_BYTES = 64 * 1024 * 1024, ANSWER_DEPTH = 8 };

#define OPENING STR("{\"events\":[")
#define CLOSING STR("]}")

void event_sink_open(struct event_sink *s, struct access *access)
{
    *s = (struct event_sink){.access = access};
    buf_init(&s->drafts, LIMIT_BATCH_BYTES);
    arena_init(&s->arena, ARENA_BYTES);
}

void event_sink_close(struct event_sink *s)
{
    buf_fini(&s->drafts);
    arena_fini(&s->arena);
}

// With what a request needs around the drafts.
static size_t size_with(const struct event_sink *s, size_t draft_bytes)
{
    return OPENING.n + s->drafts.len + 1 + draft_bytes + CLOSING.n;
}

bool event_sink_is_full(const struct event_sink *s, size_t draft_bytes)
{
    return s->count == LIMIT_BATCH_EVENTS ||
           (s->count > 0 && size_with(s, draft_bytes) > LIMIT_BATCH_BYTES);
}

enum err_code event_sink_add(struct event_sink *s, struct str draft, struct err *e)
{
    MUST(!event_sink_is_full(s, draft.n));
    if (draft.n > LIMIT_EVENT_BYTES) {
        return err_set(e, ERR_LIMIT, "an event of %zu bytes, the limit is %d", draft.n,
                       LIMIT_EVENT_BYTES);
    }
    enum err_code code = s->count > 0 ? buf_append(&s->drafts, ",", 1) : ERR_OK;
    size_t start = s->drafts.len;
    if (code == ERR_OK) {
        code = buf_append_str(&s->drafts, draft);
    }
    if (code != ERR_OK) {
        return err_set(e, code, "%s", err_text(code));
    }
    s->starts[s->count] = start;
    s->sizes[s->count] = draft.n;
    s->count++;
    return ERR_OK;
}

// ---- into the journal -------------------------------------------------------------------------

// A draft that is not an event is a rejected one; only what the store cannot do is an error.
static enum err_code add_one(struct event_sink *s, size_t i, struct err *e)
{
    struct json json;
    struct event event;
    struct err cause = {0};
    struct str draft = str_make(s->drafts.data + s->starts[i], s->sizes[i]);
    enum err_code code = json_parse_in(&s->arena, draft, LIMIT_EVENT_DEPTH, &json, &cause);
    if (code == ERR_OK) {
        code = event_parse_draft(json.root, &s->arena, &event, &cause);
    }
    if (code != ERR_OK) {
        s->added[i] = (struct journal_added){.verdict = VERDICT_REJECTED};
        memcpy(s->added[i].reason, cause.text, sizeof s->added[i].reason);
        return ERR_OK;
    }
    return journal_add(s->access->journal, &event, &s->added[i], e);
}

static enum err_code write_journal(struct event_sink *s, struct err *e)
{
    arena_reset(&s->arena);
    enum err_code code = journal_begin(s->access->journal, e);
    if (code != ERR_OK) {
        return code;
    }
    for (size_t i = 0; i < s->count; i++) {
        code = add_one(s, i, e);
        if (code != ERR_OK) {
            journal_rollback(s->access->journal);
            return code;
        }
    }
    return journal_commit(s->access->journal, e);
}

// ---- to the running node ----------------------------------------------------------------------

static enum err_code read_result(yyjson_val *row, struct journal_added *ret)
{
    static const char *const names[] = {"accepted", "duplicate", "rejected"};
    struct str status, reason = STR("");
    if (json_get_str(row, "status", &status, NULL) != ERR_OK) {
        return ERR_PROTOCOL;
    }
    if (json_get_str(row, "reason", &reason, NULL) != ERR_OK) {
        reason = STR("");
    }
    reason.n = reason.n < sizeof ret->reason ? reason.n : sizeof ret->reason - 1;
    MUST(str_copy(ret->reason, sizeof ret->reason, reason) == ERR_OK);
    for (int i = 0; i <= VERDICT_REJECTED; i++) {
        if (str_is(status, names[i])) {
            ret->verdict = (enum journal_verdict)i;
            return ERR_OK;
        }
    }
    return ERR_PROTOCOL;
}

static enum err_code read_results(struct event_sink *s, struct str answer)
{
    struct json json = {0};
    enum err_code code = json_parse(answer, ANSWER_DEPTH, &json, NULL);
    yyjson_val *results = code == ERR_OK ? json_find(json.root, "results") : NULL;
    if (!yyjson_is_arr(results) || yyjson_arr_size(results) != s->count) {
        code = ERR_PROTOCOL;
    }
    size_t i, n;
    yyjson_val *row;
    yyjson_arr_foreach(results, i, n, row)
    {
        if (code == ERR_OK) {
            code = read_result(row, &s->added[i]);
        }
    }
    json_close(&json);
    return code;
}

static enum err_code write_remote(struct event_sink *s, struct err *e)
{
    struct buf request, answer;
    buf_init(&request, LIMIT_BATCH_BYTES + OPENING.n + CLOSING.n);
    enum err_code code = buf_append_str(&request, OPENING);
    if (code == ERR_OK) {
        code = buf_append_str(&request, buf_str(&s->drafts));
    }
    if (code == ERR_OK) {
        code = buf_append_str(&request, CLOSING);
    }
    if (code == ERR_OK) {
        code = access_call(s->access, "POST", "/api/v1/events", buf_str(&request), &answer, e);
    } else {
        err_set(e, code, "%s", err_text(code));
    }
    buf_fini(&request);
    if (code != ERR_OK) {
        return code;
    }
    code = read_results(s, buf_str(&answer));
    buf_fini(&answer);
    return code == ERR_OK ? ERR_OK
                          : err_set(e, ERR_PROTOCOL, "the running node's answer makes no sense");
}

enum err_code event_sink_flush(struct event_sink *s, struct err *e)
{
    if (s->count == 0) {
        return ERR_OK;
    }
    enum err_code code = s->access->remote ? write_remote(s, e) : write_journal(s, e);
    size_t count = s->count;
    s->count = 0;
    buf_reset(&s->drafts);
    for (size_t i = 0; code == ERR_OK && i < count && s->told != NULL; i++) {
        const struct event_sink_verdict verdict = {.verdict = s->added[i].verdict,
                                                   .reason = s->added[i].reason};
        s->told(s->context, i, &verdict);
    }
    return code;
}
