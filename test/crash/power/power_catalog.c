// SPDX-License-Identifier: Apache-2.0
#include "test/crash/power/power_catalog.h"

#include "test/crash/power/power_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 120, PAGE_ARENA = 8 * 1024 * 1024, SMALL_PAGE = 4000, PAGE = 32 * 1024 };

void power_catalog_init(struct power_catalog *c)
{
    *c = (struct power_catalog){.versions = calloc(POWER_VERSIONS, sizeof *c->versions)};
    MUST(c->versions != NULL);
    arena_init(&c->arena, PAGE_ARENA);
}

void power_catalog_fini(struct power_catalog *c)
{
    arena_fini(&c->arena);
    free(c->versions);
}

// ---- what is shown ----------------------------------------------------------------------------

struct rows_of {
    struct buf text;
    const struct catalog_kind *kind;
    bool failed;
};

static bool add_row(void *context, const struct row *row)
{
    struct rows_of *to = context;
    to->failed = catalog_row_encode(to->kind, row, &to->text) != ERR_OK;
    return !to->failed;
}

static bool read_rows(struct power_node *node, struct hash *ret)
{
    struct rows_of rows = {.failed = false};
    struct store_catalog_page all = {STR(""), -1};
    enum err_code code = ERR_OK;
    buf_init(&rows.text, PAGE_ARENA);
    for (int i = 0; code == ERR_OK && i < CATALOG_KIND_COUNT; i++) {
        rows.kind = &catalog_kinds[i];
        code =
            store_catalog_each(journal_store(node->journal), rows.kind, &all, add_row, &rows, NULL);
    }
    *ret = hash_of(buf_str(&rows.text));
    buf_fini(&rows.text);
    return code == ERR_OK && !rows.failed;
}

// What the centre shows: a version whose commit was cut may be there all the same.
static void remember_version(struct power_world *w)
{
    struct power_catalog *c = &w->catalog;
    struct store_catalog shown;
    struct power_version there;
    if (w->centre.journal == NULL)
        return;
    if (store_catalog(journal_store(w->centre.journal), &shown, NULL) ||
        !read_rows(&w->centre, &there.rows)) {
        power_explain(w, "the centre's catalog cannot be read", NULL);
        return;
    }
    there.version = shown.version;
    if (shown.version.number == 0)
        return;
    if (shown.version.number > POWER_VERSIONS || shown.version.number > c->count + 1) {
        power_problem(w, "a version's number is not the next one", NULL);
        return;
    }
    if (shown.version.number < c->count)
        power_problem(w, "the centre lost a version", NULL);
    struct power_version *at = &c->versions[shown.version.number - 1];
    if (shown.version.number <= c->count && memcmp(at, &there, sizeof there) != 0)
        power_problem(w, "a version is another one than it was", NULL);
    *at = there;
    if (shown.version.number > c->count)
        c->count = shown.version.number;
}

// ---- publishing -------------------------------------------------------------------------------

static enum err_code draft(struct power_world *w, unsigned item, struct err *e)
{
    char json[640], id[UUID_TEXT_SIZE];
    struct json parsed = {0};
    struct event event;
    struct journal_added added = {.verdict = VERDICT_ACCEPTED};
    uint8_t random[10];
    rng_fill(&w->rng, random, sizeof random);
    struct uuid uuid = uuid_make_v7(&w->ids, UINT64_C(1760000000000) + w->sale_count, random);
    uuid_format(&uuid, id);
    (void)snprintf(json, sizeof json,
                   "{\"id\":\"%s\",\"type\":\"item_set\",\"location\":\"*\",\"record\":{\"type\":"
                   "\"item\",\"id\":\"S%u\"},\"at\":1760000000000,\"body\":{\"name\":\"Item %u as "
                   "of draft %llu\",\"category\":\"c%u\"}}",
                   id, item, item, (unsigned long long)++w->catalog.drafts, item % 7);
    enum err_code code = json_parse_in(&w->arena, str_of(json), LIMIT_EVENT_DEPTH, &parsed, e);
    if (code == ERR_OK)
        code = event_parse_draft(parsed.root, &w->arena, &event, e);
    if (code == ERR_OK)
        code = journal_add(w->centre.journal, &event, &added, e);
    if (code == ERR_OK && added.verdict != VERDICT_ACCEPTED)
        power_problem(w, added.reason, NULL);
    return code;
}

void power_catalog_publish(struct power_world *w)
{
    struct err e = {ERR_OK, ""};
    struct journal *j = w->centre.journal;
    struct journal_publish publish = {.note = STR("")};
    bool first = w->catalog.count == 0;
    unsigned from = (unsigned)rng_below(&w->rng, ITEMS);
    unsigned count = first ? ITEMS : 1 + (unsigned)rng_below(&w->rng, ITEMS);
    if (w->catalog.count + 1 >= POWER_VERSIONS)
        return;
    enum err_code code = journal_begin(j, &e);
    if (code == ERR_OK) {
        for (unsigned i = 0; code == ERR_OK && i < count; i++)
            code = draft(w, (from + i) % ITEMS, &e);
        if (code == ERR_OK)
            code = journal_publish(j, &publish, &w->arena, &e);
        if (code)
            journal_rollback(j);
        else
            code = journal_commit(j, &e);
    }
    if (code)
        power_explain(w, "a catalog cannot be published", &e);
    else
        remember_version(w);
}

// ---- pieces -----------------------------------------------------------------------------------

static bool read_page(struct power_world *w, struct err *e)
{
    struct power_catalog *c = &w->catalog;
    struct store *centre = journal_store(w->centre.journal);
    struct feed_cursor head, at = {.position = 0};
    struct downlink_page page;
    bool knows = false;
    enum err_code code = store_feed_head(centre, STR(FEED_CHAIN), &head, e);
    if (code == ERR_OK &&
        store_feed_cursor(journal_store(w->till.journal), STR(FEED_CHAIN), &at) == ERR_OK)
        code = store_feed_knows(centre, STR(FEED_CHAIN), &at, &knows, e);
    struct step step = {.location = STR(FEED_CHAIN),
                        .after = knows ? at.position : 0,
                        .max_bytes = rng_chance(&w->rng, 1, 3) ? SMALL_PAGE : PAGE};
    arena_reset(&c->arena);
    if (code == ERR_OK)
        code = journal_feed_page(w->centre.journal, &(struct journal_page_query){.step = &step},
                                 &c->arena, &page, e);
    if (code) {
        power_explain(w, "a page of the chain cannot be read", e);
        return false;
    }
    c->page = (struct message_feed){.location = STR(FEED_CHAIN),
                                    .feed = head.feed,
                                    .number = ++c->page_number,
                                    .from = step.after,
                                    .to = page.to,
                                    .hash = page.hash,
                                    .reset = !knows,
                                    .complete = page.reached_head,
                                    .rows = page.rows,
                                    .count = page.count};
    c->fed = (struct journal_fed){.next = 0};
    c->has_page = page.count > 0 || !knows;
    return c->has_page;
}

static void note_shown(struct power_world *w)
{
    struct store_catalog shown;
    if (store_catalog(journal_store(w->till.journal), &shown, NULL))
        power_explain(w, "the till's catalog cannot be read", NULL);
    else
        w->catalog.shown = shown.version.number;
}

bool power_catalog_piece(struct power_world *w)
{
    struct power_catalog *c = &w->catalog;
    struct err e = {ERR_OK, ""};
    struct journal *j = w->till.journal;
    if (!c->has_page && !read_page(w, &e))
        return false;
    struct journal_fed fed = c->fed;
    bool passes = journal_feed_passes(&c->page, fed.next);
    enum err_code code = passes ? journal_begin_passing(j, &e) : journal_begin(j, &e);
    if (code == ERR_OK) {
        code = journal_apply_feed(j, &c->page, &fed, &e);
        if (code)
            journal_rollback(j);
        else
            code = journal_commit(j, &e);
    }
    if (code) {
        power_explain(w, "a piece of a catalog cannot be stored", &e);
        return true;
    }
    if (fed.catalog == FEED_CATALOG_AFRESH || fed.catalog == FEED_CATALOG_REFUSED)
        power_problem(w, "what came is not what was published", NULL);
    c->fed = fed;
    c->pieces++;
    c->passed += passes;
    c->has_page = fed.next < c->page.count;
    note_shown(w);
    return true;
}

void power_catalog_sweep(struct power_world *w)
{
    struct err e = {ERR_OK, ""};
    enum err_code code = journal_begin_passing(w->till.journal, &e);
    if (code == ERR_OK) {
        code = store_catalog_sweep(journal_store(w->till.journal), &w->catalog.sweep, &e);
        if (code)
            journal_rollback(w->till.journal);
        else
            code = journal_commit(w->till.journal, &e);
    }
    if (code)
        power_explain(w, "old rows cannot be swept", &e);
}

// ---- checks -----------------------------------------------------------------------------------

void power_catalog_restart(struct power_world *w)
{
    w->catalog.cut_short += w->catalog.has_page && w->catalog.fed.next > 0;
    w->catalog.has_page = false;
    w->catalog.sweep = (struct catalog_walk){.kind = 0};
}

void power_catalog_check(struct power_world *w)
{
    struct power_catalog *c = &w->catalog;
    struct store_catalog shown;
    struct hash rows;
    char text[128];
    remember_version(w);
    if (store_catalog(journal_store(w->till.journal), &shown, NULL) ||
        !read_rows(&w->till, &rows)) {
        power_problem(w, "the till's catalog cannot be read", NULL);
        return;
    }
    uint64_t number = shown.version.number;
    if (number < c->shown) {
        (void)snprintf(text, sizeof text, "the till showed version %llu and shows %llu",
                       (unsigned long long)c->shown, (unsigned long long)number);
        power_problem(w, text, NULL);
    }
    if (number == 0 || number > c->count) {
        struct hash nothing = hash_of(STR(""));
        if (number > 0 || !hash_equal(&rows, &nothing))
            power_problem(w, "the till shows what was never published", NULL);
        return;
    }
    const struct power_version *right = &c->versions[number - 1];
    if (!hash_equal(&right->version.hash, &shown.version.hash) ||
        right->version.count != shown.version.count || !hash_equal(&right->rows, &rows))
        power_problem(w, "the till shows a mixture of versions", NULL);
    c->shown = number;
}

void power_catalog_drain(struct power_world *w)
{
    enum { TURNS = 4000 };
    int turns = 0;
    while (w->problem[0] == '\0' && power_catalog_piece(w) && ++turns < TURNS) {
    }
    if (turns == TURNS)
        power_problem(w, "the catalog does not come to rest", NULL);
    power_catalog_check(w);
    if (w->problem[0] == '\0' && w->catalog.shown != w->catalog.count)
        power_problem(w, "the till did not get the last version", NULL);
}
