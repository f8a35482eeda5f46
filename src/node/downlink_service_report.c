// SPDX-License-Identifier: Apache-2.0
#include "node/downlink_service_private.h"

#include "base/clock.h"

#include <stdlib.h>

enum {
    REPORT_MS = 2000, // a device's status is written at most so often, and when it comes or goes
};

struct report_job {
    struct job job;
    struct session *session;
    struct device_status status;
};

static enum err_code run_report(struct job *job, struct journal *j, struct err *e)
{
    const struct device_status *status = &((struct report_job *)job)->status;
    if (journal_is_revoked(j, &status->device)) // its place is not judged by what it says
        return ERR_OK;
    return store_device_status_put(journal_store(j), status, e);
}

// A newer session of the same device, which was believed, speaks for it.
static bool is_replaced(const struct session *session)
{
    const struct session *other = session->service->sessions;
    while (other && !(other->live && uuid_equal(&other->status.device, &session->status.device)))
        other = other->next;
    return other != NULL;
}

static void done_report(struct job *job)
{
    struct session *session = ((struct report_job *)job)->session;
    session->report_under_way = false;
    if (session->gone && session->report_due && !is_replaced(session))
        session_report(session, true); // its last word: it is offline
    session_drop(session);
    free(job);
}

void session_report(struct session *session, bool now)
{
    int64_t mono = clock_mono_ms();
    session->report_due = true; // the tick sends what cannot go now
    if (session->report_under_way || (!now && mono - session->reported_ms < REPORT_MS))
        return;
    struct report_job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return;
    session->status.last_seen_at = clock_wall_ms();
    session->status.online = !session->gone;
    *job = (struct report_job){{.run = run_report, .done = done_report}, session, session->status};
    if (writer_post(session->service->options.writer, &job->job)) {
        free(job);
        return;
    }
    session->reported_ms = mono;
    session->report_under_way = true;
    session->report_due = false;
    session_hold(session);
}

static struct catalog_version version_of(const struct message_catalog *said)
{
    return (struct catalog_version){.number = said->version, .hash = said->hash};
}

void session_note_beat(struct session *session, const struct message_beat *beat)
{
    struct device_status *status = &session->status;
    status->pending = 0;
    for (int i = 0; i < LANE_COUNT; i++)
        status->pending += beat->pending[i];
    status->oldest_pending_at = status->pending ? beat->oldest_at : 0;
    status->disk_free_bytes = beat->disk_free;
    status->clock_offset_ms = beat->clock - clock_wall_ms();
    status->catalog = version_of(&beat->catalog);
    status->refused = version_of(&beat->refused);
    if (str_copy(status->version, sizeof(status->version), beat->software))
        status->version[0] = '\0';
    if (status->pending == 0)
        status->last_sync_at = clock_wall_ms();
    session_report(session, true);
}

void session_note_hello(struct session *session, const struct message_hello *hello)
{
    struct device_status *status = &session->status;
    status->device = hello->device;
    status->pending = hello->backlog;
    status->oldest_pending_at = status->pending ? hello->oldest_at : 0;
    status->clock_offset_ms = hello->clock - clock_wall_ms();
    status->catalog = version_of(&hello->catalog);
    status->refused = version_of(&hello->refused);
    if (str_copy(status->location, sizeof(status->location), hello->location) ||
        str_copy(status->version, sizeof(status->version), hello->software))
        status->version[0] = '\0';
}
