// SPDX-License-Identifier: Apache-2.0
#include "node/journal_private.h"

#include "base/clock.h"
#include "model/feed_mark.h"

#include <string.h>

static enum err_code refuse_device(struct downlink_identity *ret, const char *text)
{
    ret->refused = true;
    ret->final = true;
    ret->count = 0;
    ret->text = text;
    return ERR_OK;
}

// Any lane of an origin: all of them have its device and place.
static enum err_code find_origin(struct journal *j, const struct uuid *origin,
                                 struct stream_info *ret)
{
    enum err_code code = ERR_NOT_FOUND;
    for (int lane = 0; code == ERR_NOT_FOUND && lane < LANE_COUNT; lane++)
        code = store_stream_find(j->store, &(struct stream_key){*origin, (enum lane)lane}, ret);
    return code;
}

// A hash that is not here any more proves no fork: the push is compared where it can be.
static enum err_code find_fork(struct journal *j, const struct message_stream *theirs,
                               const struct stream_info *info, bool *ret, struct err *e)
{
    struct hash ours;
    *ret = false;
    if (theirs->head.seq == 0 || theirs->head.seq > info->head.seq)
        return ERR_OK;
    enum err_code code = store_chain_at(j->store, &theirs->key, theirs->head.seq, &ours, e);
    *ret = code == ERR_OK && !hash_equal(&ours, &theirs->head.hash);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

// What stands behind the end of a stream that is carried does not go up.
static enum err_code is_ended(struct journal *j, const struct stream_info *info, bool *ret,
                              struct err *e)
{
    uint64_t end = UINT64_MAX;
    enum err_code code = info->carried ? store_stream_ended(j->store, &info->key, &end, e) : ERR_OK;
    *ret = end != UINT64_MAX;
    return code;
}

// Marks are told to the device whose stream it is, and to those of its place, which may carry it.
static enum err_code identify_stream(struct journal *j, const struct device_record *device,
                                     const struct message_stream *theirs, struct message_mark *ret,
                                     struct err *e)
{
    struct stream_info info;
    *ret = (struct message_mark){.key = theirs->key};
    enum err_code code = find_origin(j, &theirs->key.origin, &info);
    if (code == ERR_OK && !uuid_equal(&info.device, &device->id) &&
        strcmp(info.location, device->location) != 0)
        return ERR_DENIED;
    if (code == ERR_OK)
        code = store_stream_find(j->store, &theirs->key, &info);
    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : err_set(e, code, "reading a stream's marks");
    ret->held = info.head;
    ret->settled = info.settled.seq;
    code = is_ended(j, &info, &ret->fork, e);
    return code || ret->fork ? code : find_fork(j, theirs, &info, &ret->fork, e);
}

static enum err_code stand_of(struct journal *j, struct str location,
                              const struct message_cursor *theirs, enum feed_standing *ret,
                              struct err *e)
{
    struct feed_cursor cursor = {theirs->feed, theirs->position, theirs->hash};
    bool knows = false, lost = false;
    enum err_code code = store_feed_knows(j->store, location, &cursor, &knows, e);
    if (code == ERR_OK && !knows)
        code = store_feed_lost(j->store, location, &cursor, &lost, e);
    *ret = knows ? FEED_KNOWN : lost ? FEED_LOST : FEED_FOREIGN;
    return code;
}

static enum err_code identify_feed(struct journal *j, const struct message_hello *hello, size_t i,
                                   struct downlink_identity *ret, enum feed_standing *ret_standing,
                                   struct err *e)
{
    struct feed_cursor head;
    const struct str names[DOWNLINK_FEEDS] = {ret->location, STR(FEED_CHAIN), STR(FEED_DEFERRED)};
    struct str location = names[i];
    *ret_standing = FEED_FOREIGN;
    enum err_code code = store_feed_head(j->store, location, &head, e);
    if (code)
        return code;
    ret->feeds[i] = (struct message_cursor){location, head.feed, head.position, head.hash};
    for (size_t n = 0; n < hello->feed_count; n++) {
        const struct message_cursor *theirs = &hello->feeds[n];
        if (!str_equal(theirs->location, location))
            continue;
        ret->cursors[i] = *theirs;
        code = stand_of(j, location, theirs, ret_standing, e);
        ret->knows[i] = *ret_standing == FEED_KNOWN;
        if (code == ERR_OK && i == 0)
            code = store_feed_heard(
                j->store, location, &hello->device,
                &(struct feed_cursor){theirs->feed, theirs->position, theirs->hash}, &ret->knows[i],
                e);
    }
    return code;
}

// Where the hello shows that this centre was restored, the session is over before it began.
static enum err_code identify_feeds(struct journal *j, const struct message_hello *hello,
                                    struct downlink_identity *ret, struct err *e)
{
    enum feed_standing standing[DOWNLINK_FEEDS] = {FEED_FOREIGN};
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < DOWNLINK_FEEDS; i++)
        code = identify_feed(j, hello, i, ret, &standing[i], e);
    return code ? code : journal_note_hello(j, hello, ret, standing, e);
}

// The session says no to whoever is not believed here; nothing is looked up for them.
static bool is_believed(const struct journal *j, const struct journal_hello *hello,
                        const struct device_record *device)
{
    const struct message_hello *m = hello->message;
    return str_is(m->location, device->location) &&
           stream_proof_verify(&m->proof, &j->identity.chain, &m->device, &m->run, hello->nonce,
                               &device->key);
}

enum err_code journal_identify(struct journal *j, const struct journal_hello *hello,
                               struct arena *a, struct downlink_identity *ret, struct err *e)
{
    *ret = (struct downlink_identity){.wall_ms = clock_wall_ms()};
    const struct message_hello *m = hello->message;
    struct device_record device;
    if (store_device_find(j->store, &m->device, &device) != ERR_OK)
        return refuse_device(ret, "the device is not enrolled here");
    ret->revoked = device.revoked;
    ret->key = device.key;
    ret->location = arena_copy(a, str_of(device.location));
    ret->marks = arena_alloc_zero(a, (m->count + 1) * sizeof(*ret->marks));
    if (ret->location.p == NULL || ret->marks == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a hello");
    if (!is_believed(j, hello, &device))
        return ERR_OK;
    enum err_code code = ERR_OK;
    for (; code == ERR_OK && ret->count < m->count; ret->count++)
        code = identify_stream(j, &device, &m->streams[ret->count], &ret->marks[ret->count], e);
    if (code == ERR_DENIED)
        return refuse_device(ret, "a stream of the hello belongs to a device of another place");
    if (code == ERR_OK && !ret->revoked)
        code = identify_feeds(j, m, ret, e);
    ret->recovery = j->restored.id;
    ret->recovering = j->restored.open;
    return code;
}

static enum err_code find_intake_stream(void *context, const struct stream_key *key,
                                        struct intake_stream *ret)
{
    struct journal *j = context;
    struct stream_info info;
    *ret = (struct intake_stream){0};
    enum err_code code = store_stream_find(j->store, key, &info);
    ret->known = code == ERR_OK;
    if (code == ERR_NOT_FOUND)
        code = find_origin(j, &key->origin, &info);
    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    ret->claimed = true;
    ret->device = info.device;
    memcpy(ret->location, info.location, sizeof(ret->location));
    if (!ret->known)
        return ERR_OK;
    ret->held = info.head;
    ret->settled = info.settled.seq;
    return is_ended(j, &info, &ret->ended, NULL);
}

static enum err_code chain_at(void *context, const struct stream_key *key, uint64_t seq,
                              struct hash *ret)
{
    struct journal *j = context;
    return store_chain_at(j->store, key, seq, ret, NULL);
}

static enum err_code find_key(void *context, const struct uuid *device, struct sign_public *ret)
{
    struct journal *j = context;
    struct device_record record;
    enum err_code code = store_device_find(j->store, device, &record);
    if (code == ERR_OK)
        *ret = record.key;
    return code;
}

// Whose word a push is: of a stream that is known, its author's, whatever the push says.
static struct uuid author_of(struct journal *j, const struct message_push *push)
{
    struct stream_info info;
    return store_stream_find(j->store, &push->key, &info) == ERR_OK ? info.device : push->device;
}

// What was taken in counts here from now on: at the centre it may have to be judged, at a hub it is
// shown until the feed from above includes it.
static enum err_code note_arrivals(struct journal *j, const struct intake_result *result,
                                   const struct store_entry *entries, struct err *e)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < result->count && code == ERR_OK; i++) {
        struct arrival arrival = {.event = result->events[i].event,
                                  .received_at = entries[i].received_at};
        if (entries[i].event == NULL || !journal_status_counts(entries[i].ret_status))
            continue;
        code = journal_note_deltas(j, &result->events[i].event);
        if (code == ERR_OK)
            code = journal_note_arrival(j, &arrival, e);
    }
    return code;
}

static enum event_status status_of(const struct journal *j, const struct intake_result *result,
                                   uint64_t seq)
{
    if (journal_carries(j))
        return STATUS_PENDING;
    return seq <= result->settled ? STATUS_SETTLED : STATUS_HELD;
}

static enum err_code append_received(struct journal *j, const struct stream_key *key,
                                     const struct intake_result *result, struct arena *a,
                                     struct err *e)
{
    struct store_entry *entries = arena_alloc_zero(a, (result->count + 1) * sizeof(*entries));
    if (entries == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a push");
    int64_t now = clock_wall_ms();
    for (size_t i = 0; i < result->count; i++) {
        const struct intake_event *item = &result->events[i];
        entries[i] = (struct store_entry){.key = *key,
                                          .seq = item->seq,
                                          .chain = item->chain,
                                          .bytes = item->bytes,
                                          .event = item->envelope ? &item->event : NULL,
                                          .status = status_of(j, result, item->seq),
                                          .dead = item->dead,
                                          .received_at = now};
    }
    enum err_code code = store_append(j->store, entries, result->count, e);
    return code ? code : note_arrivals(j, result, entries, e);
}

static enum err_code add_stream(struct journal *j, const struct message_push *push,
                                const struct intake_result *result, struct err *e)
{
    struct stream_info info = {.key = push->key,
                               .device = result->stream.device,
                               .carried = journal_carries(j),
                               .certificate = result->certificate};
    memcpy(info.location, result->stream.location, sizeof(info.location));
    return store_stream_add(j->store, &info, e);
}

// It goes up from here, under what its author signed.
static enum err_code take_on(struct journal *j, const struct message_push *push,
                             const struct intake_result *result, struct err *e)
{
    struct stream_info info;
    enum err_code code = store_stream_find(j->store, &push->key, &info);
    if (code)
        return err_set(e, code, "a stream that was just added");
    j->outbox += result->count;
    journal_note_moved(j, &(struct outbox_head){push->key, info.certificate, result->held, true});
    return ERR_OK;
}

static enum err_code take_new(struct journal *j, const struct message_push *push,
                              const struct intake_result *result, struct arena *a, struct err *e)
{
    enum err_code code = result->stream.known ? ERR_OK : add_stream(j, push, result, e);
    if (code == ERR_OK)
        code = append_received(j, &push->key, result, a, e);
    if (code == ERR_OK)
        code = store_seal_put(j->store, &result->seal, e);
    if (code == ERR_OK && journal_carries(j))
        code = take_on(j, push, result, e);
    journal_note_touched(j, str_of(result->stream.location));
    return code;
}

// What could not be believed is kept as evidence, within bounds.
static enum err_code keep_evidence(struct journal *j, const struct message_push *push,
                                   const struct intake_result *result, struct err *e)
{
    return store_quarantine_put(j->store,
                                &(struct store_evidence){push->key, push->from,
                                                         push->count ? push->events[0] : str_of(""),
                                                         result->reason, clock_wall_ms()},
                                e);
}

// What a revoked device gets wrong, or carries, must not push out the evidence of others.
static enum err_code act_on(struct journal *j, const struct message_push *push,
                            const struct intake_result *result, bool revoked, struct arena *a,
                            struct err *e)
{
    switch (result->outcome) {
    case INTAKE_APPEND:
        return take_new(j, push, result, a, e);
    case INTAKE_DUPLICATE:
        return store_seal_put(j->store, &result->seal, e);
    case INTAKE_DAMAGED:
    case INTAKE_FORKED:
    case INTAKE_DENIED:
        return revoked ? ERR_OK : keep_evidence(j, push, result, e);
    case INTAKE_GAP:
        break;
    }
    return ERR_OK;
}

bool journal_is_revoked(struct journal *j, const struct uuid *device)
{
    struct device_record record;
    return store_device_find(j->store, device, &record) == ERR_OK && record.revoked;
}

// A device keeps at most LIMIT_OUTBOX_EVENTS that are not settled: who brings more after it was
// revoked only wants to fill the disk.
static enum err_code is_full(struct journal *j, const struct uuid *device, size_t count, bool *ret,
                             struct err *e)
{
    uint64_t withheld = 0;
    enum err_code code = store_device_withheld(j->store, device, &withheld, e);
    *ret = code == ERR_OK && withheld + count > LIMIT_OUTBOX_EVENTS;
    return code;
}

enum err_code journal_receive(struct journal *j, const struct intake_sender *sender,
                              struct str text, struct arena *a, struct downlink_stored *ret,
                              struct err *e)
{
    MUST(j->open);
    struct message *m = arena_alloc(a, sizeof(*m));
    struct intake_result *result = arena_alloc(a, sizeof(*result));
    if (m == NULL || result == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a push");
    enum err_code code = message_decode(text, a, m, e);
    if (code)
        return code;
    struct uuid author = author_of(j, &m->push);
    bool revoked = journal_is_revoked(j, &author), full = false;
    if (revoked)
        code = is_full(j, &author, m->push.count, &full, e);
    if (full)
        *ret = (struct downlink_stored){.denied = true,
                                        .reason = "more of a revoked device is not kept"};
    if (code || full)
        return code;
    struct intake_io io = {j, find_intake_stream, chain_at, find_key, !journal_carries(j)};
    code = intake_check(&io, sender, &m->push, a, result, e);
    if (code == ERR_OK)
        code = act_on(j, &m->push, result, revoked || journal_is_revoked(j, &sender->device), a, e);
    if (code)
        return code;
    *ret = (struct downlink_stored){.mark = intake_mark(&m->push, result),
                                    .events = m->push.count,
                                    .denied = result->outcome == INTAKE_DENIED,
                                    .reason = result->reason};
    for (size_t i = 0; i < m->push.count; i++)
        ret->bytes += m->push.events[i].n + 1;
    return ERR_OK;
}

static void add_include(struct journal *j, const struct stream_key *key, struct downlink_page *ret)
{
    struct stream_info info;
    if (store_stream_find(j->store, key, &info) == ERR_OK && info.head.seq)
        ret->includes[ret->include_count++] = (struct message_include){*key, info.head.seq};
}

static enum err_code copy_rows(const struct feed_page *page, uint64_t after, struct arena *a,
                               struct downlink_page *ret)
{
    ret->rows = arena_alloc(a, (page->count + 1) * sizeof(*ret->rows));
    if (ret->rows == NULL)
        return ERR_NO_MEMORY;
    ret->to = after;
    for (size_t i = 0; i < page->count; i++) {
        ret->rows[i] = page->rows[i].bytes;
        ret->to = page->rows[i].position;
        ret->hash = page->rows[i].hash;
    }
    ret->count = page->count;
    ret->reached_head = page->reached_head;
    struct feed_mark at = {ret->to, ret->hash}, head = {page->head.position, page->head.hash};
    if (page->reached_head)
        at = head;
    ret->to = at.position;
    ret->hash = feed_mark_of(&at, &head);
    return ERR_OK;
}

enum err_code journal_feed_page(struct journal *j, const struct journal_page_query *query,
                                struct arena *a, struct downlink_page *ret, struct err *e)
{
    const struct step *step = query->step;
    *ret = (struct downlink_page){.location = step->location, .after = step->after};
    struct feed_page page;
    enum err_code code = store_feed_read(j->store, step->location, step->after,
                                         &(struct store_page){0, step->max_bytes, a}, &page, e);
    if (code == ERR_OK)
        code = copy_rows(&page, step->after, a, ret);
    ret->includes =
        code ? NULL : arena_alloc_zero(a, (query->stream_count + 1) * sizeof(*ret->includes));
    if (ret->includes == NULL)
        return code ? code : err_set(e, ERR_NO_MEMORY, "out of memory for a feed page");
    for (size_t i = 0; code == ERR_OK && page.reached_head && i < query->stream_count; i++)
        add_include(j, &query->streams[i], ret);
    return code;
}
