// SPDX-License-Identifier: Apache-2.0
#include "node/uplink_service_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PACK_LEVEL = 3 };

struct moment uplink_service_now(void)
{
    return (struct moment){clock_mono_ms(), clock_wall_ms()};
}

static void rearm(struct uplink_service *s)
{
    int64_t deadline = uplink_deadline(&s->uplink);
    if (deadline == INT64_MAX) {
        loop_timer_stop(s->timer);
        return;
    }
    int64_t wait = deadline - clock_mono_ms();
    loop_timer_start(s->timer, wait > 0 ? wait : 0, 0);
}

// By the chain's clock: a till's own may be off by years.
static void look_at_window(struct uplink_service *s)
{
    int minute = clock_local_minute(clock_wall_ms() + s->clock_offset_ms);
    uplink_set_deferred(&s->uplink, window_is_open(&s->deferred, minute), uplink_service_now(),
                        &s->steps);
}

void uplink_service_push_deferred(struct uplink_service *s)
{
    uplink_push_deferred(&s->uplink, uplink_service_now(), &s->steps);
    uplink_service_perform(s);
}

static void on_timer(void *context)
{
    struct uplink_service *s = context;
    if (s->closing)
        return;
    uplink_service_ask_health(s);
    look_at_window(s);
    uplink_tick(&s->uplink, uplink_service_now(), &s->steps);
    uplink_service_perform(s);
}

void uplink_service_release(struct uplink_service *s)
{
    s->jobs--;
    if (!s->closing || s->jobs)
        return;
    uplink_fini(&s->uplink);
    steps_fini(&s->steps);
    zip_free(s->zip);
    buf_fini(&s->pack);
    free(s);
}

static void perform_one(struct uplink_service *s, const struct step *step)
{
    switch (step->kind) {
    case STEP_CONNECT:
        uplink_service_open_link(s);
        break;
    case STEP_SEND:
        uplink_service_send_text(s, step->text);
        break;
    case STEP_CLOSE:
        snprintf(s->last_error, sizeof(s->last_error), "%.*s", STR_ARG(step->text));
        log_line(LOG_INFO, "uplink", "session ended: %s", s->last_error);
        uplink_service_drop_link(s);
        uplink_service_note_attempt(s);
        break;
    case STEP_LOAD:
        uplink_service_start_load(s, step);
        break;
    case STEP_ACKED:
    case STEP_LOST:
        uplink_service_note_ack(s, &step->mark, step->kind == STEP_LOST);
        break;
    case STEP_REHOME:
        uplink_service_start_rehome(s, step);
        break;
    case STEP_FEED:
        uplink_service_start_feed(s, step->feed);
        break;
    case STEP_CLOCK:
        uplink_service_set_clock(s, step->number, &step->id);
        break;
    case STEP_OFFER:
        uplink_service_start_offer(s, step->after);
        break;
    case STEP_DOUBTED:
        uplink_service_tell_recovery(s, &step->id);
        break;
    case STEP_RECOVERED:
        uplink_service_tell_recovery_behind(s, &step->id);
        break;
    case STEP_REVOKED:
        uplink_service_set_revoked(s, step->number != 0);
        break;
    case STEP_REFUSED:
        log_line(LOG_ERROR, "uplink", "refused: %.*s", STR_ARG(step->text));
        break;
    case STEP_IDENTIFY:
    case STEP_STORE:
    case STEP_READ_FEED:
    case STEP_REPORT:
    case STEP_EVIDENCE:
        MUST(false); // a server's step at the device's end
        break;
    }
}

// Steps are performed in order. What performing one sets off (a failed connect) appends further
// steps to the same list.
void uplink_service_perform(struct uplink_service *s)
{
    if (s->acting)
        return;
    s->acting = true;
    for (size_t i = 0; i < s->steps.count; i++) {
        struct step step = s->steps.items[i];
        perform_one(s, &step);
    }
    bool failed = s->steps.failed;
    steps_reset(&s->steps);
    s->acting = false;
    if (failed) {
        uplink_service_drop_link(s);
        uplink_service_link_lost(s, "out of memory for a session's steps");
    }
    uplink_service_start_refill(s);
    rearm(s);
}

// ---- opening ----------------------------------------------------------------------------------

static struct uplink_config uplink_config_of(const struct uplink_service_options *options)
{
    const struct identity *who = journal_identity(options->journal);
    struct uplink_config config = {.chain = who->chain,
                                   .device = who->device,
                                   .run = *journal_run_id(options->journal),
                                   .key = &who->key,
                                   .software = WASL_VERSION,
                                   .zstd = options->config->zstd,
                                   .revoked = who->revoked};
    memcpy(config.location, who->location, sizeof(config.location));
    clock_random(&config.seed, sizeof(config.seed));
    return config;
}

static enum err_code open_parts(struct uplink_service *s, struct err *e)
{
    steps_init(&s->steps);
    buf_init(&s->pack, MESSAGE_MAX_BYTES);
    enum err_code code = zip_new(PACK_LEVEL, &s->zip);
    if (code == ERR_OK)
        code = loop_timer_new(s->options.loop, on_timer, s, &s->timer);
    if (code == ERR_OK)
        code = loop_timer_new(s->options.loop, uplink_service_store_acks, s, &s->ack_timer);
    return code ? err_set(e, code, "the uplink") : ERR_OK;
}

enum err_code uplink_service_open(const struct uplink_service_options *options,
                                  struct uplink_service **ret, struct err *e)
{
    struct uplink_service *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    s->options = *options;
    s->clock_offset_ms = journal_clock_offset(options->journal);
    s->jobs = 1; // the owner's
    struct uplink_config config = uplink_config_of(options);
    uplink_init(&s->uplink, &config);
    enum err_code code = open_parts(s, e);
    if (code == ERR_OK)
        code = journal_fill_uplink(options->journal, &s->uplink, e);
    bool enrolled = !uuid_is_zero(&config.chain);
    struct uplink_health health;
    if (code == ERR_OK)
        code = journal_catalog(options->journal, &s->uplink.catalog, &s->uplink.refused, e);
    if (code == ERR_OK)
        code = uplink_service_read_health(options->journal, &health, e);
    if (code == ERR_OK)
        uplink_service_take_health(s, &health);
    if (code == ERR_OK && enrolled)
        code = uplink_service_open_tls(s, e);
    if (code) {
        uplink_service_close(s);
        return code;
    }
    if (enrolled && options->config->upstream_count) {
        uplink_start(&s->uplink, uplink_service_now(), &s->steps);
        uplink_service_perform(s);
    }
    *ret = s;
    return ERR_OK;
}

void uplink_service_committed(struct uplink_service *s, const struct outbox_head *moved,
                              size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!moved[i].carried)
            s->uplink.config.origin = moved[i].key.origin;
        uplink_committed(&s->uplink, &moved[i], uplink_service_now(), &s->steps);
    }
    uplink_service_perform(s);
}

void uplink_service_view(const struct uplink_service *s, struct uplink_view *ret)
{
    const struct config *config = s->options.config;
    *ret = (struct uplink_view){.online = uplink_is_live(&s->uplink),
                                .revoked = s->uplink.config.revoked,
                                .upstream =
                                    config->upstream_count ? config->upstreams[s->upstream] : "",
                                .state = uplink_state_name(&s->uplink),
                                .last_error = s->last_error,
                                .clock_offset_ms = s->clock_offset_ms,
                                .last_sync_at = s->uplink.last_sync_wall};
    struct outbox_totals totals = outbox_count(&s->uplink.outbox);
    memcpy(ret->pending, totals.pending, sizeof(ret->pending));
}

void uplink_service_close(struct uplink_service *s)
{
    if (s == NULL)
        return;
    uplink_service_store_acks(s);
    s->closing = true;
    uplink_service_drop_link(s);
    loop_timer_free(s->timer);
    loop_timer_free(s->ack_timer);
    tls_context_drop(s->tls);
    uplink_service_release(s);
}
