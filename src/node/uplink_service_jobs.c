// SPDX-License-Identifier: Apache-2.0
#include "node/uplink_service_private.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOAD_ARENA = 8 * 1024 * 1024,
    ACKS_DELAY_MS = 20, // acks become durable together; a crash only sends a little again
    ACKS_RETRY_MS = 1000,
    HEALTH_EVERY_MS = 5000, // how old what a beat tells may be
};

// ---- events -----------------------------------------------------------------------------------

struct load_job {
    struct job job;
    struct uplink_service *service;
    struct step step;
    struct arena arena;
    struct uplink_loaded loaded;
};

static enum err_code run_load(struct job *job, struct journal *j, struct err *e)
{
    (void)e;
    struct load_job *load = (struct load_job *)job;
    arena_reset(&load->arena);
    journal_load(j, &load->step, &load->arena, &load->loaded);
    return ERR_OK;
}

static void done_load(struct job *job)
{
    struct load_job *load = (struct load_job *)job;
    struct uplink_service *s = load->service;
    if (!s->closing) {
        uplink_loaded(&s->uplink, &load->loaded, uplink_service_now(), &s->steps);
        uplink_service_perform(s);
    }
    arena_fini(&load->arena);
    free(load);
    uplink_service_release(s);
}

void uplink_service_start_load(struct uplink_service *s, const struct step *step)
{
    struct load_job *load = calloc(1, sizeof(*load));
    struct uplink_loaded nothing = {.key = step->key, .after = step->after};
    if (load) {
        *load = (struct load_job){.job = {.reads = true, .run = run_load, .done = done_load},
                                  .service = s,
                                  .step = *step};
        arena_init(&load->arena, LOAD_ARENA);
        if (writer_post(s->options.writer, &load->job) == ERR_OK) {
            s->jobs++;
            return;
        }
        arena_fini(&load->arena);
        free(load);
    }
    uplink_loaded(&s->uplink, &nothing, uplink_service_now(), &s->steps); // tried again later
}

struct refill_job {
    struct job job;
    struct uplink_service *service;
    struct arena arena;
    struct journal_unsettled list;
};

static enum err_code run_refill(struct job *job, struct journal *j, struct err *e)
{
    struct refill_job *refill = (struct refill_job *)job;
    return journal_unsettled(j, &refill->arena, &refill->list, e);
}

static void done_refill(struct job *job)
{
    struct refill_job *refill = (struct refill_job *)job;
    struct uplink_service *s = refill->service;
    s->refilling = false;
    if (!s->closing && job->code == ERR_OK) {
        uplink_refill(&s->uplink, refill->list.streams, refill->list.count, refill->list.overflowed,
                      uplink_service_now(), &s->steps);
        uplink_service_perform(s);
    }
    arena_fini(&refill->arena);
    free(refill);
    uplink_service_release(s);
}

// More unsettled streams than one hello may name come in turn, as room becomes free.
void uplink_service_start_refill(struct uplink_service *s)
{
    struct refill_job *refill =
        s->refilling || !outbox_wants_refill(&s->uplink.outbox) ? NULL : calloc(1, sizeof(*refill));
    if (refill == NULL)
        return;
    *refill = (struct refill_job){.job = {.reads = true, .run = run_refill, .done = done_refill},
                                  .service = s};
    arena_init(&refill->arena, LOAD_ARENA);
    if (writer_post(s->options.writer, &refill->job)) {
        free(refill);
        return;
    }
    s->refilling = true;
    s->jobs++;
}

struct rehome_job {
    struct job job;
    struct uplink_service *service;
    struct stream_key key;
    uint64_t from; // where the appending again began
    uint64_t after;
    uint64_t next; // after this transaction
    struct mark end;
};

static enum err_code run_rehome(struct job *job, struct journal *j, struct err *e)
{
    struct rehome_job *rehome = (struct rehome_job *)job;
    rehome->next = rehome->after;
    enum err_code code = journal_rehome(j, &rehome->key, rehome->from, &rehome->next, e);
    if (code || rehome->next != REHOME_DONE)
        return code;
    return journal_stream_end(j, &rehome->key, &rehome->end, e);
}

static void done_rehome(struct job *job)
{
    struct rehome_job *rehome = (struct rehome_job *)job;
    struct uplink_service *s = rehome->service;
    bool more = job->code == ERR_OK && rehome->next != REHOME_DONE;
    rehome->after = rehome->next;
    if (more && !s->closing && writer_post(s->options.writer, job) == ERR_OK)
        return;
    if (more) {
        uplink_rehome_failed(&s->uplink, &rehome->key,
                             uplink_service_now()); // the writer is behind
    } else if (!s->closing && job->code == ERR_OK) {
        log_line(LOG_WARN, "uplink", "a disputed run's events were appended again");
        uplink_rehomed(&s->uplink, &rehome->key, &rehome->end, uplink_service_now(), &s->steps);
        uplink_service_perform(s);
    } else if (job->code) {
        log_line(LOG_ERROR, "uplink", "a disputed run's events could not be appended again: %s",
                 err_message(&job->error));
        uplink_rehome_failed(&s->uplink, &rehome->key, uplink_service_now());
    }
    free(rehome);
    uplink_service_release(s);
}

void uplink_service_start_rehome(struct uplink_service *s, const struct step *step)
{
    struct rehome_job *rehome = calloc(1, sizeof(*rehome));
    if (rehome == NULL) {
        uplink_rehome_failed(&s->uplink, &step->key, uplink_service_now());
        return;
    }
    *rehome = (struct rehome_job){.job = {.run = run_rehome, .done = done_rehome},
                                  .service = s,
                                  .key = step->key,
                                  .from = step->after,
                                  .after = step->after};
    if (writer_post(s->options.writer, &rehome->job) == ERR_OK) {
        s->jobs++;
        return;
    }
    free(rehome);
    uplink_rehome_failed(&s->uplink, &step->key, uplink_service_now());
}

// ---- marks ------------------------------------------------------------------------------------

struct ack_job {
    struct job job;
    struct uplink_service *service;
    size_t count;
    struct message_mark marks[UPLINK_ACKS_MAX];
    bool lost[UPLINK_ACKS_MAX];
};

static enum err_code run_acks(struct job *job, struct journal *j, struct err *e)
{
    struct ack_job *acks = (struct ack_job *)job;
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < acks->count; i++)
        code = journal_acked(j, &acks->marks[i], acks->lost[i], e);
    return code;
}

// What could not be stored is tried again, but for streams that have newer marks waiting.
static void keep_acks(struct uplink_service *s, const struct ack_job *acks)
{
    for (size_t i = 0; i < acks->count && s->ack_count < UPLINK_ACKS_MAX; i++) {
        size_t at = 0;
        while (at < s->ack_count && !stream_key_equal(&s->acks[at].key, &acks->marks[i].key))
            at++;
        s->ack_lost[at] = acks->lost[i] || (at < s->ack_count && s->ack_lost[at]);
        if (at == s->ack_count)
            s->acks[s->ack_count++] = acks->marks[i];
    }
    loop_timer_start(s->ack_timer, ACKS_RETRY_MS, 0);
}

static void store_recovery(struct uplink_service *s);

static void done_acks(struct job *job)
{
    struct ack_job *acks = (struct ack_job *)job;
    acks->service->ack_jobs--;
    if (job->code)
        log_line(LOG_WARN, "uplink", "acks could not be stored: %s", err_message(&job->error));
    if (job->code && !acks->service->closing)
        keep_acks(acks->service, acks);
    store_recovery(acks->service);
    uplink_service_release(acks->service);
    free(acks);
}

void uplink_service_store_acks(void *context)
{
    struct uplink_service *s = context;
    struct ack_job *acks = s->ack_count ? calloc(1, sizeof(*acks)) : NULL;
    if (acks == NULL)
        return;
    acks->job = (struct job){.run = run_acks, .done = done_acks};
    acks->service = s;
    acks->count = s->ack_count;
    memcpy(acks->marks, s->acks, sizeof(acks->marks));
    memcpy(acks->lost, s->ack_lost, sizeof(acks->lost));
    if (writer_post(s->options.writer, &acks->job)) {
        free(acks); // the writer is behind: they stay here
        if (!s->closing)
            loop_timer_start(s->ack_timer, ACKS_RETRY_MS, 0);
        return;
    }
    s->ack_count = 0;
    s->ack_jobs++;
    s->jobs++;
}

void uplink_service_note_ack(struct uplink_service *s, const struct message_mark *mark, bool lost)
{
    for (size_t i = 0; i < s->ack_count; i++) {
        if (stream_key_equal(&s->acks[i].key, &mark->key)) {
            s->acks[i] = *mark;
            s->ack_lost[i] = s->ack_lost[i] || lost;
            return;
        }
    }
    if (s->ack_count == UPLINK_ACKS_MAX)
        uplink_service_store_acks(s);
    s->acks_dropped = s->acks_dropped || s->ack_count == UPLINK_ACKS_MAX;
    if (s->ack_count == UPLINK_ACKS_MAX)
        return;
    s->acks[s->ack_count] = *mark;
    s->ack_lost[s->ack_count++] = lost;
    if (s->ack_count == 1)
        loop_timer_start(s->ack_timer, ACKS_DELAY_MS, 0);
}

// ---- an upstream that was restored ----------------------------------------------------------

struct offer_job {
    struct job job;
    struct uplink_service *service;
    uint64_t after;
    struct arena arena;
    struct uplink_kept kept;
};

static enum err_code run_offer(struct job *job, struct journal *j, struct err *e)
{
    struct offer_job *offer = (struct offer_job *)job;
    return journal_kept(j, offer->after, &offer->arena, &offer->kept, e);
}

static void done_offer(struct job *job)
{
    struct offer_job *offer = (struct offer_job *)job;
    struct uplink_service *s = offer->service;
    if (job->code)
        log_line(LOG_ERROR, "uplink", "what is kept could not be listed: %s",
                 err_message(&job->error));
    if (!s->closing) {
        offer->kept.after = offer->after;
        offer->kept.failed = job->code != ERR_OK;
        uplink_offered(&s->uplink, &offer->kept, uplink_service_now(), &s->steps);
        uplink_service_perform(s);
    }
    arena_fini(&offer->arena);
    free(offer);
    uplink_service_release(s);
}

void uplink_service_start_offer(struct uplink_service *s, uint64_t after)
{
    struct offer_job *offer = calloc(1, sizeof(*offer));
    struct uplink_kept nothing = {.after = after, .failed = true};
    if (after == 0) {
        log_line(LOG_WARN, "uplink", "the upstream was restored: it is told again what is kept");
        s->acks_dropped = false;
    }
    if (offer) {
        *offer = (struct offer_job){.job = {.reads = true, .run = run_offer, .done = done_offer},
                                    .service = s,
                                    .after = after};
        arena_init(&offer->arena, LOAD_ARENA);
        if (writer_post(s->options.writer, &offer->job) == ERR_OK) {
            s->jobs++;
            return;
        }
        arena_fini(&offer->arena);
        free(offer);
    }
    uplink_offered(&s->uplink, &nothing, uplink_service_now(), &s->steps); // tried again later
}

struct recovery_job {
    struct job job;
    struct uplink_service *service;
    struct uuid id;
};

static enum err_code run_recovery(struct job *job, struct journal *j, struct err *e)
{
    return journal_tell_recovery(j, &((struct recovery_job *)job)->id, e);
}

static void done_recovery(struct job *job)
{
    if (job->code) // the next start tells everything once more
        log_line(LOG_WARN, "uplink",
                 "that the upstream was told everything could not be stored: %s",
                 err_message(&job->error));
    uplink_service_release(((struct recovery_job *)job)->service);
    free(job);
}

void uplink_service_tell_recovery(struct uplink_service *s, const struct uuid *id)
{
    struct recovery_job *job = calloc(1, sizeof(*job));
    s->told = false;
    if (job == NULL)
        return; // the next start tells everything once more
    *job = (struct recovery_job){{.run = run_recovery, .done = done_recovery}, s, *id};
    if (writer_post(s->options.writer, &job->job) == ERR_OK)
        s->jobs++;
    else
        free(job);
}

// A crash between the marks that were lowered and this would leave both ends believing that the
// other has what was lost.
static void store_recovery(struct uplink_service *s)
{
    if (s->told && s->ack_count == 0 && s->ack_jobs == 0 && !s->acks_dropped && !s->closing)
        uplink_service_tell_recovery(s, &s->recovery);
}

void uplink_service_tell_recovery_behind(struct uplink_service *s, const struct uuid *id)
{
    uplink_service_store_acks(s);
    s->recovery = *id;
    s->told = true;
    store_recovery(s);
}

// ---- the feed ---------------------------------------------------------------------------------

// A feed page, copied out of the step's arena as text and read again by the writer. Those of the
// chain's feed are taken some rows at a time, each time behind the sales that wait, and one page
// after another.
struct feed_job {
    struct job job;
    struct feed_job *next; // of the chain's feed: waits for the one before
    struct uplink_service *service;
    struct arena arena;
    struct message_feed feed;
    size_t from; // row where the next transaction begins
    struct journal_fed fed;
    struct message_catalog catalog, refused; // after it
};

static enum err_code run_feed(struct job *job, struct journal *j, struct err *e)
{
    struct feed_job *feed = (struct feed_job *)job;
    feed->fed = (struct journal_fed){.next = feed->from};
    enum err_code code = journal_apply_feed(j, &feed->feed, &feed->fed, e);
    if (code || feed->fed.catalog == FEED_CATALOG_SAME)
        return code;
    return journal_catalog(j, &feed->catalog, &feed->refused, e);
}

static void free_feed(struct feed_job *feed)
{
    arena_fini(&feed->arena);
    free(feed);
}

// What waits behind a page whose feed is read from the start again.
static void drop_behind(struct uplink_service *s, struct feed_job *feed)
{
    while (feed->next != NULL) {
        struct feed_job *page = feed->next;
        feed->next = page->next;
        uplink_feed_failed(&s->uplink, &page->feed, uplink_service_now(), &s->steps);
        free_feed(page);
        uplink_service_release(s);
    }
}

static void tell_catalog(struct uplink_service *s, struct feed_job *feed)
{
    unsigned long long shown = feed->catalog.version, refused = feed->refused.version;
    bool afresh = feed->fed.catalog == FEED_CATALOG_AFRESH;
    if (feed->fed.catalog == FEED_CATALOG_SAME)
        return;
    if (feed->fed.catalog == FEED_CATALOG_SHOWN)
        log_line(LOG_INFO, "uplink", "version %llu of the catalog is shown from now on", shown);
    else
        log_line(LOG_ERROR, "uplink", "version %llu of the catalog is not what was published%s",
                 refused, afresh ? ": it is asked for again" : "; the old one stands");
    uplink_set_catalog(&s->uplink, &feed->catalog, &feed->refused, uplink_service_now(), &s->steps);
    if (!afresh)
        return;
    uplink_feed_afresh(&s->uplink, feed->feed.location, uplink_service_now(), &s->steps);
    drop_behind(s, feed);
}

static bool post_feed(struct uplink_service *s, struct feed_job *feed)
{
    feed->job.passing = journal_feed_passes(&feed->feed, feed->from);
    if (writer_post(s->options.writer, &feed->job) == ERR_OK)
        return true;
    uplink_feed_failed(&s->uplink, &feed->feed, uplink_service_now(), &s->steps);
    return false;
}

// The next page of the chain's feed; one that cannot be posted is asked for again later.
static void post_next(struct uplink_service *s)
{
    while (s->pages != NULL && (s->closing || !post_feed(s, s->pages))) {
        struct feed_job *page = s->pages;
        s->pages = page->next;
        free_feed(page);
        uplink_service_release(s);
    }
}

static void done_feed(struct job *job)
{
    struct feed_job *feed = (struct feed_job *)job;
    struct uplink_service *s = feed->service;
    bool chain_wide = feed == s->pages;
    feed->from = job->code ? feed->from : feed->fed.next;
    if (!s->closing && job->code == ERR_OK && feed->from < feed->feed.count && post_feed(s, feed))
        return;
    if (!s->closing && job->code == ERR_OK && feed->from == feed->feed.count) {
        uplink_feed_stored(&s->uplink, &feed->feed, uplink_service_now(), &s->steps);
        tell_catalog(s, feed);
        uplink_service_perform(s);
    } else if (!s->closing && job->code) {
        log_line(LOG_WARN, "uplink", "a feed page could not be stored: %s",
                 err_message(&job->error));
        uplink_feed_failed(&s->uplink, &feed->feed, uplink_service_now(), &s->steps);
        uplink_service_perform(s);
    }
    if (chain_wide)
        s->pages = feed->next;
    free_feed(feed);
    if (chain_wide)
        post_next(s);
    uplink_service_release(s);
}

void uplink_service_doubt(struct uplink_service *s, const struct message_catalog *shown,
                          const struct message_catalog *refused)
{
    uplink_set_catalog(&s->uplink, shown, refused, uplink_service_now(), &s->steps);
    uplink_feed_afresh(&s->uplink, STR("*"), uplink_service_now(), &s->steps);
    if (s->pages != NULL)
        drop_behind(s, s->pages);
    uplink_service_perform(s);
}

static bool copy_feed(struct feed_job *job, const struct message_feed *from)
{
    struct message_feed *to = &job->feed;
    *to = *from;
    to->location = arena_copy(&job->arena, from->location);
    to->rows = arena_alloc(&job->arena, (from->count + 1) * sizeof(*to->rows));
    bool ok = to->location.p && to->rows;
    for (size_t i = 0; ok && i < from->count; i++) {
        to->rows[i] = arena_copy(&job->arena, from->rows[i]);
        ok = to->rows[i].p != NULL;
    }
    return ok;
}

static void queue_page(struct uplink_service *s, struct feed_job *page)
{
    struct feed_job **end = &s->pages;
    bool first = s->pages == NULL;
    while (*end != NULL)
        end = &(*end)->next;
    *end = page;
    page->job.bulk = WRITER_BATCH_BULK; // one in a batch
    s->jobs++;
    if (first)
        post_next(s);
}

void uplink_service_start_feed(struct uplink_service *s, const struct message_feed *feed)
{
    struct feed_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        uplink_feed_failed(&s->uplink, feed, uplink_service_now(), &s->steps);
        return;
    }
    job->job = (struct job){.run = run_feed, .done = done_feed};
    job->service = s;
    arena_init(&job->arena, LOAD_ARENA);
    bool copied = copy_feed(job, feed);
    if (copied && str_is(feed->location, "*")) {
        queue_page(s, job);
        return;
    }
    if (copied && post_feed(s, job)) {
        s->jobs++;
        return;
    }
    if (!copied)
        uplink_feed_failed(&s->uplink, feed, uplink_service_now(), &s->steps);
    free_feed(job);
}

// ---- clock and health -------------------------------------------------------------------------

struct clock_job {
    struct job job;
    struct uplink_service *service;
    int64_t offset_ms;
    struct uuid recovery;
};

static enum err_code run_clock(struct job *job, struct journal *j, struct err *e)
{
    const struct clock_job *clock = (const struct clock_job *)job;
    enum err_code code = journal_set_clock(j, clock->offset_ms, e);
    return code ? code : journal_hear_recovery(j, &clock->recovery, e);
}

static void done_clock(struct job *job)
{
    if (job->code) // it holds all the same, until the next start
        log_line(LOG_WARN, "uplink", "the upstream's clock could not be stored: %s",
                 err_message(&job->error));
    uplink_service_release(((struct clock_job *)job)->service);
    free(job);
}

struct revoked_job {
    struct job job;
    struct uplink_service *service;
    bool revoked;
};

static enum err_code run_revoked(struct job *job, struct journal *j, struct err *e)
{
    return journal_set_revoked(j, ((struct revoked_job *)job)->revoked, e);
}

static void done_revoked(struct job *job)
{
    struct uplink_service *s = ((struct revoked_job *)job)->service;
    if (job->code)
        log_line(LOG_WARN, "uplink", "that this device was revoked could not be stored: %s",
                 err_message(&job->error));
    uplink_service_release(s);
    free(job);
}

void uplink_service_set_revoked(struct uplink_service *s, bool revoked)
{
    struct revoked_job *job = calloc(1, sizeof(*job));
    log_line(LOG_WARN, "uplink",
             revoked ? "this device was revoked: what it sells from now on waits for a person"
                     : "this device is not revoked any more");
    if (job == NULL)
        return; // the next start learns it again
    *job = (struct revoked_job){{.run = run_revoked, .done = done_revoked}, s, revoked};
    if (writer_post(s->options.writer, &job->job) == ERR_OK)
        s->jobs++;
    else
        free(job);
}

void uplink_service_set_clock(struct uplink_service *s, int64_t offset_ms,
                              const struct uuid *recovery)
{
    struct clock_job *clock = calloc(1, sizeof(*clock));
    s->clock_offset_ms = offset_ms;
    if (clock == NULL)
        return;
    *clock = (struct clock_job){{.run = run_clock, .done = done_clock}, s, offset_ms, *recovery};
    if (writer_post(s->options.writer, &clock->job) == ERR_OK)
        s->jobs++;
    else
        free(clock);
}

struct health_job {
    struct job job;
    struct uplink_service *service;
    struct uplink_health health;
};

enum err_code uplink_service_read_health(struct journal *j, struct uplink_health *ret,
                                         struct err *e)
{
    struct store_counts counts;
    struct store_room room;
    struct store_setting_name window = {str_of(journal_identity(j)->location), "deferred_window"};
    enum err_code code = store_counts(journal_store(j), &counts, e);
    if (code == ERR_OK)
        code = store_room(journal_store(j), &room, e);
    if (code == ERR_OK)
        code = store_setting_window(journal_store(j), &window, &ret->deferred, e);
    if (code)
        return code;
    ret->oldest_at = counts.oldest_pending_at;
    ret->disk_free = room.free_bytes;
    return ERR_OK;
}

void uplink_service_take_health(struct uplink_service *s, const struct uplink_health *health)
{
    s->uplink.oldest_at = health->oldest_at;
    s->uplink.disk_free = health->disk_free;
    s->deferred = health->deferred;
}

static enum err_code run_health(struct job *job, struct journal *j, struct err *e)
{
    struct health_job *health = (struct health_job *)job;
    return uplink_service_read_health(j, &health->health, e);
}

static void done_health(struct job *job)
{
    struct health_job *health = (struct health_job *)job;
    struct uplink_service *s = health->service;
    s->asking = false;
    if (job->code == ERR_OK)
        uplink_service_take_health(s, &health->health);
    free(health);
    uplink_service_release(s);
}

void uplink_service_ask_health(struct uplink_service *s)
{
    int64_t now = clock_mono_ms();
    bool due = s->health_ms == 0 || now - s->health_ms >= HEALTH_EVERY_MS;
    struct health_job *health = due && !s->asking ? calloc(1, sizeof(*health)) : NULL;
    if (health == NULL)
        return;
    *health = (struct health_job){.job = {.reads = true, .run = run_health, .done = done_health},
                                  .service = s};
    if (writer_post(s->options.writer, &health->job)) {
        free(health);
        return;
    }
    s->health_ms = now;
    s->asking = true;
    s->jobs++;
}
