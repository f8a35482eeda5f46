// SPDX-License-Identifier: Apache-2.0
// Publishing a version of the catalog, and what a device shows of it.
#include "node/journal_private.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

enum {
    QUESTIONS_MAX = 100,
    VERSIONS_LOST = 1000, // so many a centre published at most between its backup and its loss
};

enum err_code journal_catalog(struct journal *j, struct message_catalog *ret_shown,
                              struct message_catalog *ret_refused, struct err *e)
{
    struct store_catalog catalog;
    enum err_code code = store_catalog(j->store, &catalog, e);
    if (code == ERR_OK) {
        *ret_shown = (struct message_catalog){catalog.version.number, catalog.version.hash};
        *ret_refused = (struct message_catalog){catalog.refused.number, catalog.refused.hash};
    }
    return code;
}

static enum err_code write_body(struct journal *j, const struct journal_publish *p,
                                yyjson_val **ret, struct err *e)
{
    struct json_writer w;
    struct json json = {0};
    char hash[HASH_TEXT_SIZE];
    hash_format(&p->version.hash, hash);
    json_writer_begin(&w);
    yyjson_mut_obj_add_uint(w.doc, w.root, "version", p->version.number);
    yyjson_mut_obj_add_str(w.doc, w.root, "hash", hash);
    yyjson_mut_obj_add_uint(w.doc, w.root, "count", p->version.count);
    if (p->note.n > 0)
        yyjson_mut_obj_add_strn(w.doc, w.root, "note", p->note.p, p->note.n);
    buf_reset(&j->bytes);
    enum err_code code = json_writer_end(&w, &j->bytes);
    if (code == ERR_OK)
        code = json_parse_in(&j->arena, buf_str(&j->bytes), LIMIT_EVENT_DEPTH, &json, NULL);
    *ret = json.root;
    return code ? err_set(e, code, "a publication cannot be written") : ERR_OK;
}

static enum err_code add_event(struct journal *j, const struct journal_publish *p, struct err *e)
{
    char record[24];
    struct journal_added added;
    const struct event_type *type = event_type_find(STR("catalog_published"));
    (void)snprintf(record, sizeof(record), "%llu", (unsigned long long)p->version.number);
    struct event event = {.version = type->version,
                          .id = journal_fresh_id(j),
                          .location = STR("*"),
                          .type_name = str_of(type->name),
                          .type = type,
                          .lane = type->lane,
                          .record_type = str_of(type->record_type),
                          .record_id = str_of(record),
                          .at = clock_wall_ms(),
                          .actor = p->actor};
    enum err_code code = write_body(j, p, &event.body, e);
    if (code == ERR_OK)
        code = journal_add(j, &event, &added, e);
    if (code == ERR_OK && added.verdict != VERDICT_ACCEPTED)
        code = err_set(e, ERR_INVALID, "%s", added.reason);
    return code ? code : journal_prices_published(j, p->version.number, e);
}

// What a centre published between its backup and its loss is gone, but not from the tills that were
// told: one of them may be off, and tell it only when the number has another content. So no number
// that may be theirs is given again.
static enum err_code skip_lost(struct journal *j, struct catalog_version *version, struct err *e)
{
    int64_t published_ms = 0;
    bool restored = !uuid_is_zero(&j->restored.id);
    enum err_code code = restored ? store_catalog_published_at(j->store, &published_ms, e) : ERR_OK;
    if (code == ERR_OK && restored && published_ms < j->restored.since_ms)
        version->number += VERSIONS_LOST;
    return code;
}

// Nothing new is no new version: who publishes twice gets the same one.
static enum err_code keep_version(struct journal *j, struct journal_publish *p, struct err *e)
{
    struct store_catalog catalog;
    enum err_code code = store_catalog(j->store, &catalog, e);
    if (code == ERR_OK && catalog.version.number == 0)
        return err_set(e, ERR_CONFLICT, "there is nothing to publish: no item was ever set");
    if (code == ERR_OK)
        p->version = catalog.version;
    return code;
}

enum err_code journal_publish(struct journal *j, struct journal_publish *p, struct arena *a,
                              struct err *e)
{
    MUST(j->open);
    enum err_code code = journal_may_decide(j, e);
    if (code)
        return code;
    code = store_catalog_questions(j->store, QUESTIONS_MAX, a, &p->questions, e);
    if (code || p->questions.count > 0)
        return code;
    code = store_catalog_next(j->store, &p->version.number, e);
    if (code == ERR_OK)
        code = skip_lost(j, &p->version, e);
    if (code == ERR_OK)
        code = store_catalog_prepare(j->store, &p->version, &p->changed, e);
    if (code)
        return code;
    return p->changed ? add_event(j, p, e) : keep_version(j, p, e);
}
