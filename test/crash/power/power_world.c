// SPDX-License-Identifier: Apache-2.0
#include "test/crash/power/power_world.h"

#include "base/clock.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE "BR01"
enum { ARENA_BYTES = 64 * 1024 * 1024, PUSH_EVENTS = 60, PAGE_BYTES = 32 * 1024, SKUS = 7 };

void power_problem(struct power_world *w, const char *what, const struct err *e)
{
    if (w->problem[0] == '\0')
        (void)snprintf(w->problem, sizeof w->problem, "%s%s%s", what, e ? ": " : "",
                       e ? err_message(e) : "");
}

void power_explain(struct power_world *w, const char *what, const struct err *e)
{
    if (!power_is_off())
        power_problem(w, what, e);
}

// ---- making -----------------------------------------------------------------------------------

static void make_node(struct power_node *node, enum node_role role, struct str place)
{
    struct err e = {ERR_OK, ""};
    config_defaults(role, &node->config);
    memcpy(node->config.dir, "/tmp/wasl_power_XXXXXX", sizeof "/tmp/wasl_power_XXXXXX");
    MUST(mkdtemp(node->config.dir) != NULL);
    MUST(str_copy(node->config.location, sizeof node->config.location, place) == ERR_OK);
    if (identity_create(&node->config, &e)) {
        (void)fprintf(stderr, "%s\n", err_message(&e));
        exit(2);
    }
}

static void open_node(struct power_world *w, struct power_node *node)
{
    struct err e = {ERR_OK, ""};
    if (journal_open(&node->config, &node->journal, &e))
        power_explain(w, "it does not start", &e);
    else if (node->config.role == ROLE_TERMINAL && journal_set_clock(node->journal, 0, &e))
        power_explain(w, "the clock cannot be stored", &e); // it is told at each hello
    if (node->journal != NULL && rng_chance(&w->rng, 3, 4))
        power_checkpoint_after(1 + (int)rng_below(&w->rng, 12));
    if (node->journal != NULL && rng_chance(&w->rng, 1, 8)) // a cut may come in between
        store_lengthen_log(journal_store(node->journal));
}

static struct str read_ca(struct power_world *w)
{
    char path[CONFIG_PATH_MAX];
    static char pem[64 * 1024];
    identity_path(&w->centre.config, "ca.pem", path);
    FILE *f = fopen(path, "rb");
    MUST(f != NULL);
    size_t n = fread(pem, 1, sizeof pem, f);
    (void)fclose(f);
    return str_make(pem, n);
}

// The centre knows the till, as after an enrolment.
static void enrol(struct power_world *w)
{
    char json[512], key[HASH_TEXT_SIZE], device[UUID_TEXT_SIZE];
    struct json draft = {0};
    struct event event;
    struct journal_added added = {.verdict = VERDICT_REJECTED};
    struct err e = {ERR_OK, ""};
    struct journal *j = w->centre.journal;
    const struct identity *till = journal_identity(w->till.journal);
    str_to_hex(key, till->key.public_key.b, sizeof till->key.public_key.b);
    uuid_format(&till->device, device);
    (void)snprintf(json, sizeof json,
                   "{\"id\":\"019aa52d-5d20-7005-8000-000000000001\",\"type\":\"device_enrolled\","
                   "\"location\":\"hq\",\"record\":{\"type\":\"device\",\"id\":\"%s\"},"
                   "\"at\":1760000000000,\"body\":{\"role\":\"terminal\",\"location\":\"" PLACE
                   "\",\"key\":\"%s\"}}",
                   device, key);
    if (journal_begin(j, &e) ||
        json_parse_in(&w->arena, str_of(json), LIMIT_EVENT_DEPTH, &draft, &e) ||
        event_parse_draft(draft.root, &w->arena, &event, &e) ||
        journal_add(j, &event, &added, &e) || journal_commit(j, &e))
        power_problem(w, "the till cannot be enrolled", &e);
    if (added.verdict != VERDICT_ACCEPTED)
        power_problem(w, added.reason, NULL);
}

void power_world_make(struct power_world *w, uint64_t seed)
{
    struct err e = {ERR_OK, ""};
    *w = (struct power_world){.problem = ""};
    rng_init(&w->rng, seed);
    arena_init(&w->arena, ARENA_BYTES);
    power_catalog_init(&w->catalog);
    w->sales = calloc(POWER_SALES, sizeof *w->sales);
    MUST(w->sales != NULL);
    make_node(&w->centre, ROLE_CENTRAL, STR("hq"));
    make_node(&w->till, ROLE_TERMINAL, STR(PLACE));
    w->till.config.keep_ms = -1000; // what was acknowledged just now is old
    open_node(w, &w->centre);
    open_node(w, &w->till);
    MUST(w->centre.journal && w->till.journal);
    const struct identity *centre = journal_identity(w->centre.journal);
    if (identity_join(&w->till.config, journal_store(w->till.journal), &centre->chain, read_ca(w),
                      &e))
        power_problem(w, "the till cannot join", &e);
    journal_close(w->till.journal); // it reads who it is as it starts
    w->till.journal = NULL;
    open_node(w, &w->till);
    MUST(w->till.journal);
    enrol(w);
    power_catalog_publish(w);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

void power_world_remove(struct power_world *w)
{
    journal_close(w->till.journal);
    journal_close(w->centre.journal);
    (void)nftw(w->till.config.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    (void)nftw(w->centre.config.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    arena_fini(&w->arena);
    power_catalog_fini(&w->catalog);
    free(w->sales);
}

// ---- what was promised ------------------------------------------------------------------------

static void remember(struct power_world *w, struct power_marks *marks, const struct message_mark *m)
{
    struct power_mark *at = marks->items;
    while (at < marks->items + marks->count && !stream_key_equal(&at->key, &m->key))
        at++;
    if (at == marks->items + POWER_MARKS) {
        power_problem(w, "more streams than this test has room for", NULL);
        return;
    }
    if (at == marks->items + marks->count) {
        *at = (struct power_mark){.key = m->key};
        marks->count++;
    }
    if (m->held.seq > at->held.seq)
        at->held = m->held;
    if (m->settled > at->settled)
        at->settled = m->settled;
}

// ---- selling ----------------------------------------------------------------------------------

static void write_sale(struct power_world *w, struct power_sale *sale, size_t number)
{
    char id[UUID_TEXT_SIZE];
    unsigned sku = (unsigned)rng_below(&w->rng, SKUS);
    uuid_format(&sale->id, id);
    if (sale->delivery)
        (void)snprintf(sale->json, sizeof sale->json,
                       "{\"id\":\"%s\",\"type\":\"inventory_received\",\"location\":\"" PLACE
                       "\",\"record\":{\"type\":\"stock\",\"id\":\"S%u\"},\"at\":1760000000000,"
                       "\"body\":{\"sku\":\"S%u\",\"quantity\":\"%u.5\"}}",
                       id, sku, sku, 1 + (unsigned)rng_below(&w->rng, 9));
    else
        (void)snprintf(sale->json, sizeof sale->json,
                       "{\"id\":\"%s\",\"type\":\"ticket_recorded\",\"location\":\"" PLACE
                       "\",\"record\":{\"type\":\"ticket\",\"id\":\"T%zu\"},\"at\":1760000000000,"
                       "\"body\":{\"ticket\":\"T%zu\",\"kind\":\"sale\",\"currency\":\"USD\","
                       "\"places\":2,\"lines\":[{\"n\":1,\"sku\":\"S%u\",\"quantity\":\"1\","
                       "\"unit_price\":\"2.50\",\"amount\":250}],\"total\":250,"
                       "\"payments\":[{\"method\":\"cash\",\"currency\":\"USD\",\"amount\":250}]}}",
                       id, number, number, sku);
}

static struct power_sale *new_sale(struct power_world *w, bool delivery)
{
    MUST(w->sale_count < POWER_SALES);
    struct power_sale *sale = &w->sales[w->sale_count];
    uint8_t random[10];
    rng_fill(&w->rng, random, sizeof random);
    *sale = (struct power_sale){.delivery = delivery};
    sale->id = uuid_make_v7(&w->ids, UINT64_C(1760000000000) + w->sale_count, random);
    write_sale(w, sale, w->sale_count++);
    return sale;
}

// A client that got no answer asks again, and now and then one whose answer was lost on the way;
// else something new is sold.
static struct power_sale *next_sale(struct power_world *w, bool delivery)
{
    enum { RECENT = 100 };
    for (size_t i = 0; i < w->sale_count; i++) {
        if (!w->sales[i].confirmed && w->sales[i].delivery == delivery)
            return &w->sales[i];
    }
    size_t recent = w->sale_count < RECENT ? w->sale_count : RECENT;
    if (recent > 0 && rng_chance(&w->rng, 1, 4)) {
        struct power_sale *again = &w->sales[w->sale_count - 1 - rng_below(&w->rng, recent)];
        if (again->delivery == delivery)
            return again;
    }
    return new_sale(w, delivery);
}

static enum err_code read_sale(struct power_world *w, const struct power_sale *sale,
                               struct event *ret, struct err *e)
{
    struct json json = {0};
    enum err_code code = json_parse_in(&w->arena, str_of(sale->json), LIMIT_EVENT_DEPTH, &json, e);
    return code ? code : event_parse_draft(json.root, &w->arena, ret, e);
}

static enum err_code read_and_add(struct power_world *w, struct journal *j,
                                  const struct power_sale *sale, struct journal_added *ret,
                                  struct err *e)
{
    struct event event;
    enum err_code code = read_sale(w, sale, &event, e);
    return code ? code : journal_add(j, &event, ret, e);
}

static enum err_code add_sale(struct power_world *w, struct journal *j, struct power_sale *sale,
                              struct err *e)
{
    struct journal_added added = {.verdict = VERDICT_ACCEPTED};
    enum err_code code = read_and_add(w, j, sale, &added, e);
    if (code == ERR_OK && added.verdict == VERDICT_REJECTED)
        power_problem(w, added.reason, NULL);
    if (code == ERR_OK && added.verdict == VERDICT_ACCEPTED && sale->confirmed)
        power_problem(w, "what was confirmed was taken once more", NULL);
    return code;
}

// The same again, whatever became of it here: it must be known.
static void repeat(struct power_world *w)
{
    struct err e = {ERR_OK, ""};
    struct journal_added added = {.verdict = VERDICT_DUPLICATE};
    struct power_sale *sale = w->sale_count ? &w->sales[rng_below(&w->rng, w->sale_count)] : NULL;
    if (sale == NULL || !sale->confirmed || sale->delivery)
        return;
    enum err_code code = journal_begin(w->till.journal, &e);
    if (code == ERR_OK) {
        code = read_and_add(w, w->till.journal, sale, &added, &e);
        journal_rollback(w->till.journal);
    }
    if (code)
        power_explain(w, "a repeat is not answered", &e);
    else if (added.verdict != VERDICT_DUPLICATE)
        power_problem(w, "a repeat is taken for something new", NULL);
}

// One to four events in one transaction; confirmed once its commit is.
static void append(struct power_world *w, struct power_node *node, bool delivery)
{
    struct power_sale *sales[4];
    struct err e = {ERR_OK, ""};
    size_t count = 1 + rng_below(&w->rng, 4);
    for (size_t i = 0; i < count; i++)
        sales[i] = i ? new_sale(w, delivery) : next_sale(w, delivery);
    if (journal_begin(node->journal, &e)) {
        power_explain(w, "a transaction cannot begin", &e);
        return;
    }
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        code = add_sale(w, node->journal, sales[i], &e);
    if (code)
        journal_rollback(node->journal);
    else
        code = journal_commit(node->journal, &e);
    if (code)
        power_explain(w, "a sale is not taken", &e);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        sales[i]->confirmed = true;
}

// ---- pushing ----------------------------------------------------------------------------------

static bool encode_push(struct power_world *w, const struct stream_info *info, uint64_t after,
                        struct buf *to)
{
    const struct identity *who = journal_identity(w->till.journal);
    struct step step = {
        .key = info->key, .after = after, .max_events = PUSH_EVENTS, .max_bytes = PAGE_BYTES};
    struct uplink_loaded loaded;
    journal_load(w->till.journal, &step, &w->arena, &loaded);
    if (loaded.count == 0)
        return false;
    struct mark last = {after + loaded.count, loaded.head};
    struct certificate certificate = certificate_make(&who->key, &who->chain, &info->key.origin,
                                                      &who->device, str_of(info->location));
    struct message m = {
        .kind = MESSAGE_PUSH,
        .push = {.key = info->key,
                 .from = after + 1,
                 .head = loaded.head,
                 .seal = seal_make(&who->key, &who->chain, &info->key, &last).signature,
                 .certificate = certificate.signature,
                 .device = who->device,
                 .count = loaded.count}};
    m.push.events = arena_alloc(&w->arena, loaded.count * sizeof *m.push.events);
    MUST(m.push.events != NULL);
    memcpy(m.push.events, loaded.events, loaded.count * sizeof *m.push.events);
    return message_encode(&m, to) == ERR_OK;
}

// At the centre: checked, appended and confirmed.
static bool receive(struct power_world *w, struct str text, struct message_mark *ret)
{
    const struct identity *who = journal_identity(w->till.journal);
    struct journal *j = w->centre.journal;
    struct intake_sender sender = {who->chain, who->device, STR(PLACE), who->key.public_key};
    struct downlink_stored stored;
    struct err e = {ERR_OK, ""};
    enum err_code code = journal_begin(j, &e);
    if (code == ERR_OK) {
        code = journal_receive(j, &sender, text, &w->arena, &stored, &e);
        if (code)
            journal_rollback(j);
        else
            code = journal_commit(j, &e);
    }
    if (code) {
        power_explain(w, "a push cannot be stored", &e);
        return false;
    }
    if (stored.denied || stored.mark.fork || stored.mark.want)
        power_problem(w, stored.reason && stored.reason[0] ? stored.reason : "a push was refused",
                      NULL);
    remember(w, &w->stored, &stored.mark);
    *ret = stored.mark;
    return true;
}

static void take_ack(struct power_world *w, const struct message_mark *mark)
{
    struct err e = {ERR_OK, ""};
    enum err_code code = journal_begin(w->till.journal, &e);
    if (code == ERR_OK) {
        code = journal_acked(w->till.journal, mark, false, &e);
        if (code)
            journal_rollback(w->till.journal);
        else
            code = journal_commit(w->till.journal, &e);
    }
    if (code)
        power_explain(w, "an ack cannot be stored", &e);
    else
        remember(w, &w->acknowledged, mark);
}

// One push of one stream; its ack may be lost. False when nothing is left to send.
static bool push(struct power_world *w, bool lossless)
{
    enum { MANY = 128 };
    static struct stream_info streams[MANY];
    size_t count = 0;
    struct err e = {ERR_OK, ""};
    struct buf text;
    struct message_mark mark;
    if (store_streams_unsettled(journal_store(w->till.journal), streams, MANY, &count, &e))
        power_explain(w, "the outbox cannot be read", &e);
    if (count == 0)
        return false;
    const struct stream_info *info = &streams[lossless ? 0 : rng_below(&w->rng, count)];
    struct mark base = {.seq = 0};
    uint64_t after = info->held.seq;
    if (store_base(journal_store(w->till.journal), &info->key, &base, &e))
        power_explain(w, "a base cannot be read", &e);
    if (after && !lossless && rng_chance(&w->rng, 1, 5))
        after -= rng_below(&w->rng, after - base.seq + 1); // again from further back
    buf_init(&text, MESSAGE_MAX_BYTES);
    if (!encode_push(w, info, after, &text))
        power_explain(w, "events of an unsettled stream cannot be read", NULL);
    else if (receive(w, buf_str(&text), &mark) && (lossless || rng_chance(&w->rng, 7, 10)))
        take_ack(w, &mark);
    buf_fini(&text);
    return true;
}

// ---- the feed ---------------------------------------------------------------------------------

struct key_list {
    struct stream_key keys[MESSAGE_MAX_INCLUDES];
    size_t count;
    struct store *store;
};

static bool add_key(void *context, const struct stream_info *info)
{
    struct key_list *list = context;
    uint64_t included = 0;
    bool wanted = info->own &&
                  store_include_get(list->store, &info->key, &included, NULL) == ERR_OK &&
                  included < info->head.seq;
    if (wanted && list->count < MESSAGE_MAX_INCLUDES)
        list->keys[list->count++] = info->key;
    return true;
}

static enum err_code read_page(struct power_world *w, struct downlink_page *page,
                               struct message_feed *feed, struct err *e)
{
    struct store *centre = journal_store(w->centre.journal);
    struct feed_cursor head, at = {.position = 0};
    struct key_list list = {.store = journal_store(w->till.journal)};
    bool knows = false;
    enum err_code code = store_feed_head(centre, STR(PLACE), &head, e);
    if (code == ERR_OK && store_feed_cursor(list.store, STR(PLACE), &at) == ERR_OK &&
        uuid_equal(&at.feed, &head.feed))
        code = store_feed_knows(centre, STR(PLACE), &at, &knows, e);
    if (code == ERR_OK)
        code = store_streams_each(list.store, add_key, &list, e);
    struct step step = {.location = STR(PLACE),
                        .after = knows ? at.position : 0,
                        .max_bytes = rng_chance(&w->rng, 1, 3) ? 600 : PAGE_BYTES};
    struct journal_page_query query = {&step, list.keys, list.count};
    if (code == ERR_OK)
        code = journal_feed_page(w->centre.journal, &query, &w->arena, page, e);
    if (code)
        return code;
    *feed = (struct message_feed){.location = STR(PLACE),
                                  .feed = head.feed,
                                  .number = ++w->page_number,
                                  .from = step.after,
                                  .to = page->to,
                                  .hash = page->hash,
                                  .reset = !knows,
                                  .complete = page->reached_head,
                                  .rows = page->rows,
                                  .count = page->count,
                                  .include_count = page->include_count};
    for (size_t i = 0; i < page->include_count; i++)
        feed->includes[i] = page->includes[i];
    return ERR_OK;
}

// One page from the centre to the till. True when it reached the feed's head.
static bool feed(struct power_world *w)
{
    static struct message_feed message;
    struct downlink_page page;
    struct err e = {ERR_OK, ""};
    if (read_page(w, &page, &message, &e)) {
        power_explain(w, "a feed page cannot be read", &e);
        return false;
    }
    enum err_code code = journal_begin(w->till.journal, &e);
    if (code == ERR_OK) {
        code = journal_apply_feed(w->till.journal, &message, &(struct journal_fed){0}, &e);
        if (code)
            journal_rollback(w->till.journal);
        else
            code = journal_commit(w->till.journal, &e);
    }
    if (code) {
        power_explain(w, "a feed page cannot be applied", &e);
        return false;
    }
    w->cursor = (struct feed_cursor){message.feed, message.to, message.hash};
    w->has_cursor = true;
    return message.complete;
}

// ---- pruning ----------------------------------------------------------------------------------

static void prune(struct power_world *w)
{
    struct err e = {ERR_OK, ""};
    size_t pruned = 0;
    enum err_code code = journal_begin(w->till.journal, &e);
    if (code == ERR_OK) {
        code = journal_prune(w->till.journal, &w->prune_from, &pruned, &e);
        if (code)
            journal_rollback(w->till.journal);
        else
            code = journal_commit(w->till.journal, &e);
    }
    if (code)
        power_explain(w, "old events cannot be dropped", &e);
    else
        w->pruned += pruned;
}

// ---- acts -------------------------------------------------------------------------------------

static void restart_cleanly(struct power_world *w, struct power_node *node)
{
    journal_close(node->journal); // also writes the log home, which a cut may interrupt
    node->journal = NULL;
    if (node == &w->till)
        power_catalog_restart(w);
    if (!power_is_off())
        open_node(w, node);
}

void power_world_act(struct power_world *w)
{
    uint64_t what = rng_below(&w->rng, 100);
    arena_reset(&w->arena);
    if (what < 26)
        append(w, &w->till, false);
    else if (what < 38)
        (void)push(w, false);
    else if (what < 48)
        (void)feed(w);
    else if (what < 56)
        prune(w);
    else if (what < 59)
        repeat(w);
    else if (what < 64)
        append(w, &w->centre, true);
    else if (what < 68)
        power_catalog_publish(w);
    else if (what < 92)
        (void)power_catalog_piece(w);
    else if (what < 95)
        power_catalog_sweep(w);
    else
        restart_cleanly(w, what < 98 ? &w->till : &w->centre);
}

void power_world_restart(struct power_world *w, struct power_node *node)
{
    journal_close(node->journal);
    node->journal = NULL;
    if (node == &w->till)
        power_catalog_restart(w);
    power_restore(&w->rng);
    open_node(w, node);
}

// ---- checks -----------------------------------------------------------------------------------

static void check_journal(struct power_world *w, struct power_node *node, const char *who)
{
    struct store_verdict v;
    struct err e = {ERR_OK, ""};
    char text[256];
    arena_reset(&w->arena);
    if (store_verify(journal_store(node->journal), &w->arena, NULL, NULL, &v, &e)) {
        power_problem(w, who, &e);
    } else if (v.gaps || v.chain_errors || v.duplicates || !v.refold_equal) {
        (void)snprintf(text, sizeof text,
                       "%s: gaps %llu, chain errors %llu, twice %llu, refold %s, %.100s", who,
                       (unsigned long long)v.gaps, (unsigned long long)v.chain_errors,
                       (unsigned long long)v.duplicates, v.refold_equal ? "equal" : "differs",
                       v.first_problem.n ? v.first_problem.p : "");
        power_problem(w, text, NULL);
    }
}

static size_t count_carriers(struct power_world *w, struct power_node *node,
                             const struct power_sale *sale)
{
    struct store_event_list list = {.count = 0};
    enum err_code code =
        store_find_event(journal_store(node->journal), &sale->id, &w->arena, &list, NULL);
    return code ? 0 : list.count;
}

static bool is_pruned(struct power_world *w, struct power_node *node, const struct power_sale *sale)
{
    struct event event;
    enum store_past past = PAST_NONE;
    struct err e = {ERR_OK, ""};
    if (read_sale(w, sale, &event, &e) ||
        store_past_find(journal_store(node->journal), &event, &w->arena, &past, &e))
        power_problem(w, "what was pruned cannot be read", &e);
    if (past == PAST_OTHER)
        power_problem(w, "a pruned event is remembered wrongly", NULL);
    return past != PAST_NONE;
}

static void check_sales(struct power_world *w, struct power_node *node, bool deliveries)
{
    for (size_t i = 0; i < w->sale_count; i++) {
        const struct power_sale *sale = &w->sales[i];
        if (!sale->confirmed || sale->delivery != deliveries)
            continue;
        arena_reset(&w->arena);
        bool pruned = is_pruned(w, node, sale);
        size_t count = count_carriers(w, node, sale);
        if (pruned && count_carriers(w, &w->centre, sale) != 1)
            power_problem(w, "what the till dropped is not at the centre", NULL);
        if (count + pruned != 1) {
            char text[96];
            (void)snprintf(text, sizeof text, "confirmed event %zu is there %zu times%s", i, count,
                           pruned ? " and pruned" : "");
            power_problem(w, text, NULL);
        }
    }
}

// What the centre confirmed: those very events, by their hash.
static void check_stored(struct power_world *w)
{
    struct store *s = journal_store(w->centre.journal);
    for (size_t i = 0; i < w->stored.count; i++) {
        const struct power_mark *mark = &w->stored.items[i];
        struct hash there;
        struct stream_info info;
        if (mark->held.seq == 0)
            continue;
        if (store_stream_find(s, &mark->key, &info) || info.head.seq < mark->held.seq ||
            store_chain_at(s, &mark->key, mark->held.seq, &there, NULL) ||
            !hash_equal(&there, &mark->held.hash))
            power_problem(w, "the centre lost what it had acknowledged", NULL);
        else if (info.settled.seq < mark->settled)
            power_problem(w, "the centre's settled mark moved down", NULL);
    }
}

static void check_acknowledged(struct power_world *w)
{
    struct store *s = journal_store(w->till.journal);
    for (size_t i = 0; i < w->acknowledged.count; i++) {
        const struct power_mark *mark = &w->acknowledged.items[i];
        struct stream_info info;
        if (store_stream_find(s, &mark->key, &info) || info.held.seq < mark->held.seq ||
            info.settled.seq < mark->settled)
            power_problem(w, "the till forgot an ack it had stored", NULL);
    }
    struct feed_cursor at;
    if (w->has_cursor &&
        (store_feed_cursor(s, STR(PLACE), &at) || at.position < w->cursor.position ||
         !uuid_equal(&at.feed, &w->cursor.feed)))
        power_problem(w, "the till forgot a feed page it had stored", NULL);
}

void power_world_check(struct power_world *w)
{
    if (w->problem[0] || w->till.journal == NULL || w->centre.journal == NULL)
        return;
    check_sales(w, &w->till, false);
    check_sales(w, &w->centre, true);
    check_stored(w);
    check_acknowledged(w);
    power_catalog_check(w);
    check_journal(w, &w->till, "till");
    check_journal(w, &w->centre, "centre");
}

struct stock_list {
    int64_t quantity[SKUS];
};

static bool add_stock(void *context, const struct stock_row *row)
{
    struct stock_list *list = context;
    if (row->sku.n == 2 && row->sku.p[0] == 'S' && row->sku.p[1] < '0' + SKUS)
        list->quantity[row->sku.p[1] - '0'] += row->quantity;
    return true;
}

static void check_agreement(struct power_world *w)
{
    struct stock_list till = {{0}}, centre = {{0}};
    struct err e = {ERR_OK, ""};
    struct str all = str_of("");
    if (store_stock_each(journal_store(w->till.journal), STR(PLACE), all, add_stock, &till, &e) ||
        store_stock_each(journal_store(w->centre.journal), STR(PLACE), all, add_stock, &centre, &e))
        power_problem(w, "stock cannot be read", &e);
    for (int i = 0; i < SKUS; i++) {
        if (till.quantity[i] != centre.quantity[i]) {
            char text[96];
            (void)snprintf(text, sizeof text, "S%d: the till sees %lld, the centre %lld", i,
                           (long long)till.quantity[i], (long long)centre.quantity[i]);
            power_problem(w, text, NULL);
        }
    }
}

void power_world_drain(struct power_world *w)
{
    enum { TURNS = 2000 };
    int turns = 0;
    if (w->problem[0])
        return;
    do
        arena_reset(&w->arena);
    while (push(w, true) && w->problem[0] == '\0' && ++turns < TURNS);
    do
        arena_reset(&w->arena);
    while (!feed(w) && w->problem[0] == '\0' && ++turns < TURNS);
    if (turns >= TURNS)
        power_problem(w, "it does not come to rest", NULL);
    check_sales(w, &w->centre, false);
    power_catalog_drain(w);
    power_world_check(w);
    if (w->problem[0] == '\0')
        check_agreement(w);
}
