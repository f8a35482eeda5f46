// SPDX-License-Identifier: Apache-2.0
#include "model/judgement.h"

#include "base/decimal.h"
#include "model/batch.h"
#include "model/body.h"
#include "model/event_type.h"
#include "model/quantity.h"

#include <string.h>

bool judgement_is(const struct event *event)
{
    return event->type != NULL && strcmp(event->type->name, "event_judged") == 0;
}

static enum err_code read_outcome(yyjson_val *body, struct verdict *ret, struct err *e)
{
    struct str effective = body_text(body, "effective");
    int64_t term = body_integer(body, "term");
    if (verdict_parse(body_text(body, "outcome"), &ret->outcome))
        return err_set(e, ERR_INVALID, "body: outcome: unknown");
    if (verdict_reason_parse(body_text(body, "reason"), &ret->reason) || ret->reason == REASON_NONE)
        return err_set(e, ERR_INVALID, "body: reason: unknown");
    if (effective.n != 0 && hlc_parse(effective, &ret->effective))
        return err_set(e, ERR_INVALID, "body: effective: not 16 hex digits");
    if (term < 0)
        return err_set(e, ERR_INVALID, "body: term: below zero");
    ret->term = (uint64_t)term;
    return ERR_OK;
}

static void read_id(yyjson_val *body, const char *key, struct uuid *ret)
{
    struct str text = body_text(body, key);
    *ret = (struct uuid){.b = {0}};
    if (text.n != 0)
        MUST(uuid_parse(text, ret) == ERR_OK);
}

static enum err_code read_part(const struct event *event, struct judgement *ret, struct err *e)
{
    int64_t from = body_integer(event->body, "from"), to = body_integer(event->body, "to");
    ret->held = body_integer(event->body, "held");
    ret->oldest_at = body_integer(event->body, "oldest_at");
    if (!str_is(event->record_type, BATCH))
        return err_set(e, ERR_INVALID, "body: target: missing");
    if (ret->verdict.outcome != JUDGED_APPLIED || ret->batch.n != 0 || from < 1 || to < from ||
        ret->held < 0 || ret->held > to - from + 1)
        return err_set(e, ERR_INVALID, "body: not the judgement of a part of a batch");
    ret->from = (uint64_t)from;
    ret->to = (uint64_t)to;
    return ERR_OK;
}

enum err_code judgement_decode(const struct event *event, struct judgement *ret, struct err *e)
{
    *ret = (struct judgement){.batch = body_text(event->body, "batch"),
                              .sold = body_text(event->body, "sold"),
                              .published = body_text(event->body, "published"),
                              .review = body_text(event->body, "review"),
                              .quantity = {.shown = body_decimal(event->body, "shown"),
                                           .expected = body_decimal(event->body, "expected"),
                                           .correction = body_decimal(event->body, "correction")}};
    enum err_code code = read_outcome(event->body, &ret->verdict, e);
    if (code)
        return code;
    read_id(event->body, "target", &ret->target);
    read_id(event->body, "answer", &ret->verdict.answer);
    ret->verdict.batched = ret->batch.n != 0;
    ret->verdict.by = event_order_of(event);
    ret->verdict.id = event->id;
    if ((ret->verdict.reason == REASON_EXPLAINED) != (ret->review.n != 0))
        return err_set(e, ERR_INVALID, "body: review: goes with the reason explained");
    return uuid_is_zero(&ret->target) ? read_part(event, ret, e) : ERR_OK;
}

// ---- writing ----------------------------------------------------------------------------------

static void add_id(struct json_writer *w, const char *key, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];
    if (uuid_is_zero(id))
        return;
    uuid_format(id, text);
    yyjson_mut_obj_add_strcpy(w->doc, w->root, key, text);
}

static void add_decimal(struct json_writer *w, const char *key, int64_t value)
{
    char text[DECIMAL_TEXT_MAX + 1];
    decimal_format(value, text);
    yyjson_mut_obj_add_strcpy(w->doc, w->root, key, text);
}

static void add_quantity(struct json_writer *w, const struct judgement *j)
{
    if (!quantity_is_asked(j->verdict.reason))
        return;
    add_decimal(w, "shown", j->quantity.shown);
    if (j->verdict.reason == REASON_BELOW_ZERO)
        return;
    add_decimal(w, "expected", j->quantity.expected);
    add_decimal(w, "correction", j->quantity.correction);
}

static void add_text(struct json_writer *w, const char *key, struct str text)
{
    if (text.n != 0)
        yyjson_mut_obj_add_strncpy(w->doc, w->root, key, text.p, text.n);
}

void judgement_write(const struct judgement *j, struct json_writer *w)
{
    char effective[HLC_TEXT_SIZE];
    const struct verdict *v = &j->verdict;
    yyjson_mut_obj_add_str(w->doc, w->root, "outcome", verdict_name(v->outcome));
    yyjson_mut_obj_add_str(w->doc, w->root, "reason", verdict_reason_name(v->reason));
    yyjson_mut_obj_add_uint(w->doc, w->root, "term", v->term);
    add_id(w, "target", &j->target);
    add_id(w, "answer", &v->answer);
    if (v->effective != 0) {
        hlc_format(v->effective, effective);
        yyjson_mut_obj_add_strcpy(w->doc, w->root, "effective", effective);
    }
    add_text(w, "batch", j->batch);
    add_text(w, "sold", j->sold);
    add_text(w, "published", j->published);
    add_text(w, "review", j->review);
    add_quantity(w, j);
    if (!uuid_is_zero(&j->target))
        return;
    yyjson_mut_obj_add_uint(w->doc, w->root, "from", j->from);
    yyjson_mut_obj_add_uint(w->doc, w->root, "to", j->to);
    yyjson_mut_obj_add_int(w->doc, w->root, "held", j->held);
    yyjson_mut_obj_add_int(w->doc, w->root, "oldest_at", j->oldest_at);
}
