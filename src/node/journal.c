// SPDX-License-Identifier: Apache-2.0
#include "node/journal_private.h"

#include "base/clock.h"
#include "model/odd.h"

#include <stdlib.h>
#include <string.h>

struct store *journal_store(struct journal *j)
{
    return j->store;
}

const struct identity *journal_identity(const struct journal *j)
{
    return &j->identity;
}

const struct uuid *journal_run_id(const struct journal *j)
{
    return &j->run_id;
}

static struct machine_time machine_now(const struct journal *j)
{
    return (struct machine_time){j->boot, clock_wall_ms(), clock_boot_ms()};
}

int64_t journal_clock_offset(const struct journal *j)
{
    struct machine_time now = machine_now(j);
    return true_time_offset(&j->time, &now);
}

int64_t journal_clock(const struct journal *j)
{
    return clock_wall_ms() + journal_clock_offset(j);
}

static void follow_clock(struct journal *j)
{
    j->clock_offset_ms = journal_clock_offset(j);
    for (size_t i = 0; j->time.known && i < j->run_count; i++)
        j->runs[i].clock_offset_ms = j->clock_offset_ms;
}

enum err_code journal_set_clock(struct journal *j, int64_t offset_ms, struct err *e)
{
    char text[TRUE_TIME_TEXT_SIZE];
    struct machine_time now = machine_now(j);
    int64_t change = offset_ms - true_time_offset(&j->time, &now);
    if (j->time.known && change > -CLOCK_CHANGE_MS && change < CLOCK_CHANGE_MS)
        return ERR_OK;
    true_time_set(&j->time, &now, offset_ms);
    follow_clock(j);
    true_time_write(&j->time, text);
    return store_meta_set(j->store, "clock", str_of(text), e);
}

static enum err_code read_clock(struct journal *j, struct err *e)
{
    struct str text = STR("");
    clock_boot_id(j->boot);
    struct machine_time now = machine_now(j);
    enum err_code code = store_meta_get(j->store, "clock", &j->arena, &text, e);
    if (code && code != ERR_NOT_FOUND)
        return code;
    true_time_read(text, &now, &j->time);
    follow_clock(j);
    arena_reset(&j->arena);
    return ERR_OK;
}

struct uuid journal_fresh_id(struct journal *j)
{
    uint8_t random[10];
    clock_random(random, sizeof(random));
    int64_t now = journal_clock(j);
    return uuid_make_v7(&j->ids, now > 0 ? (uint64_t)now : 0, random);
}

// ---- opening ----------------------------------------------------------------------------------

static void prepare(struct journal *j)
{
    arena_init(&j->arena, ARENA_MAX);
    journal_forget_arrivals(j);
    buf_init(&j->bytes, LIMIT_EVENT_BYTES + 1024);
    j->runs = calloc(RUNS_MAX, sizeof(*j->runs));
    j->runs_saved = calloc(RUNS_MAX, sizeof(*j->runs_saved));
    j->moved = calloc(MOVED_MAX, sizeof(*j->moved));
    j->touched = calloc(TOUCHED_MAX, sizeof(*j->touched));
}

enum err_code journal_open(const struct config *config, struct journal **ret, struct err *e)
{
    struct journal *j = calloc(1, sizeof(*j));
    if (j == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    j->config = *config;
    prepare(j);
    struct store_options options = {.dir = config->dir,
                                    .max_bytes = config->store_max_bytes,
                                    .ballast_bytes = config->ballast_bytes};
    enum err_code code =
        j->runs && j->runs_saved && j->moved && j->touched ? ERR_OK : ERR_NO_MEMORY;
    if (code == ERR_OK)
        code = store_open(&options, &j->store, e);
    if (code == ERR_OK)
        code = identity_read(config, j->store, &j->identity, e);
    if (code == ERR_OK)
        store_set_key(j->store, &j->identity.key.public_key);
    if (code == ERR_OK)
        code = journal_load_overlay(j, e);
    if (code == ERR_OK)
        code = journal_count_outbox(j, e);
    if (code == ERR_OK)
        code = read_clock(j, e);
    if (code == ERR_OK && j->identity.role == ROLE_CENTRAL)
        code = journal_read_restored(j, e);
    if (code) {
        journal_close(j);
        return code;
    }
    j->run_id = journal_fresh_id(j);
    *ret = j;
    return ERR_OK;
}

void journal_close(struct journal *j)
{
    if (j == NULL)
        return;
    if (j->open)
        journal_rollback(j);
    store_close(j->store);
    overlay_free(j->overlay);
    free(j->runs);
    free(j->runs_saved);
    free(j->moved);
    free(j->touched);
    free(j->deltas);
    buf_fini(&j->bytes);
    arena_fini(&j->arena);
    free(j);
}

// ---- transactions -----------------------------------------------------------------------------

static enum err_code begin(struct journal *j, bool passing, struct err *e)
{
    MUST(!j->open);
    if (j->overlay_stale) {
        enum err_code code = journal_load_overlay(j, e);
        if (code)
            return code;
        j->overlay_stale = false;
    }
    enum err_code code = passing ? store_begin_passing(j->store, e) : store_begin(j->store, e);
    if (code)
        return code;
    follow_clock(j);
    memcpy(j->runs_saved, j->runs, j->run_count * sizeof(*j->runs));
    j->run_count_saved = j->run_count;
    j->outbox_saved = j->outbox;
    j->restored_saved = j->restored;
    j->sessions_over = false;
    j->moved_count = j->touched_count = j->delta_count = 0;
    j->overlay_touched = false;
    j->open = true;
    return ERR_OK;
}

enum err_code journal_begin(struct journal *j, struct err *e)
{
    return begin(j, false, e);
}

enum err_code journal_begin_passing(struct journal *j, struct err *e)
{
    return begin(j, true, e);
}

static void forget_transaction(struct journal *j)
{
    MUST(j->runs != NULL && j->runs_saved != NULL);
    memcpy(j->runs, j->runs_saved, j->run_count_saved * sizeof(*j->runs));
    j->run_count = j->run_count_saved;
    j->outbox = j->outbox_saved;
    j->restored = j->restored_saved;
    j->sessions_over = false;
    j->moved_count = j->touched_count = j->delta_count = 0;
    j->overlay_stale = j->overlay_stale || j->overlay_touched;
    j->open = false;
    j->begun = NULL;
    journal_forget_arrivals(j);
    arena_reset(&j->arena);
}

void journal_rollback(struct journal *j)
{
    MUST(j->open);
    store_rollback(j->store);
    forget_transaction(j);
}

enum err_code journal_commit(struct journal *j, struct err *e)
{
    MUST(j->open);
    enum err_code code = journal_judge(j, e);
    if (code) {
        journal_rollback(j);
        return code;
    }
    code = store_commit(j->store, e);
    if (code) {
        forget_transaction(j);
        return code;
    }
    if (journal_enter_deltas(j))
        j->overlay_stale = true;
    j->open = false;
    arena_reset(&j->arena);
    return ERR_OK;
}

void journal_note_moved(struct journal *j, const struct outbox_head *head)
{
    for (size_t i = 0; i < j->moved_count; i++) {
        if (stream_key_equal(&j->moved[i].key, &head->key)) {
            j->moved[i].head = head->head;
            return;
        }
    }
    if (j->moved_count < MOVED_MAX)
        j->moved[j->moved_count++] = *head;
}

void journal_note_touched(struct journal *j, struct str location)
{
    for (size_t i = 0; i < j->touched_count; i++) {
        if (str_is(location, j->touched[i].location))
            return;
    }
    if (j->touched_count < TOUCHED_MAX &&
        str_copy(j->touched[j->touched_count].location, LIMIT_NAME + 1, location) == ERR_OK)
        j->touched_count++;
}

size_t journal_take_moved(struct journal *j, struct outbox_head *ret, size_t max)
{
    size_t count = j->moved_count < max ? j->moved_count : max;
    memcpy(ret, j->moved, count * sizeof(*ret));
    j->moved_count = 0;
    return count;
}

size_t journal_take_touched(struct journal *j, char (*ret)[LIMIT_NAME + 1], size_t max)
{
    size_t count = j->touched_count < max ? j->touched_count : max;
    for (size_t i = 0; i < count; i++)
        memcpy(ret[i], j->touched[i].location, LIMIT_NAME + 1);
    j->touched_count = 0;
    return count;
}

// ---- own events -------------------------------------------------------------------------------

enum err_code journal_read_back(struct journal *j, struct json_writer *w, yyjson_val **ret,
                                struct err *e)
{
    struct buf text;
    struct json json = {0};
    buf_init(&text, LIMIT_EVENT_BYTES);
    enum err_code code = json_writer_end(w, &text);
    if (code == ERR_OK)
        code = json_parse_in(&j->arena, buf_str(&text), LIMIT_EVENT_DEPTH, &json, e);
    buf_fini(&text);
    *ret = json.root;
    return code ? err_set(e, code, "the body of an event cannot be written") : ERR_OK;
}

struct run *journal_find_run(struct journal *j, struct str location)
{
    for (size_t i = 0; i < j->run_count; i++) {
        if (str_is(location, j->runs[i].location))
            return &j->runs[i];
    }
    return NULL;
}

void journal_forget_run(struct journal *j, struct run *run)
{
    MUST(j->runs != NULL && j->run_count > 0);
    *run = j->runs[--j->run_count];
}

// The feeds that an own event may move: its place's, and that of a device which it revokes.
static void note_feeds(struct journal *j, const struct event *event)
{
    struct device_record device;
    struct uuid id;
    journal_note_touched(j, event->location);
    if (str_is(event->type_name, "device_revoked") && uuid_parse(event->record_id, &id) == ERR_OK &&
        store_device_find(j->store, &id, &device) == ERR_OK)
        journal_note_touched(j, str_of(device.location));
}

static enum err_code append_stamped(struct journal *j, struct run *run, struct event *event,
                                    struct str bytes, const struct mark *mark, struct err *e)
{
    struct stream_key key = {run->origin, event->lane};
    struct store_entry entry = {.key = key,
                                .seq = mark->seq,
                                .chain = mark->hash,
                                .bytes = bytes,
                                .event = event,
                                .status = j->config.upstream_count || journal_has_overlay(j)
                                              ? STATUS_PENDING
                                              : STATUS_SETTLED,
                                .received_at = clock_wall_ms()};
    event->bytes = bytes;
    enum err_code code = store_append(j->store, &entry, 1, e);
    bool counts = journal_status_counts(entry.ret_status);
    if (code == ERR_OK && counts)
        code = journal_note_deltas(j, event);
    if (code == ERR_OK && counts)
        code = journal_note_arrival(
            j, &(struct arrival){.event = *event, .received_at = entry.received_at, .own = true},
            e);
    if (code == ERR_OK) {
        j->outbox += entry.status == STATUS_PENDING;
        journal_note_moved(
            j, &(struct outbox_head){key, run->certificate, run->heads[event->lane], false});
        note_feeds(j, event);
    }
    return code;
}

// The bytes go to the transaction's arena: the store may look at them until the commit.
enum err_code journal_stamp(struct journal *j, struct run *run, struct event *draft, struct err *e)
{
    struct mark mark;
    buf_reset(&j->bytes);
    enum err_code code = run_stamp(run, draft, clock_wall_ms(), &j->bytes, &mark, e);
    if (code)
        return code;
    struct str bytes = arena_copy(&j->arena, buf_str(&j->bytes));
    if (bytes.p == NULL)
        return err_set(e, ERR_NO_MEMORY, "the transaction is too large");
    return append_stamped(j, run, draft, bytes, &mark, e);
}

static hlc last_hlc_of(struct journal *j, const struct stream_info *info)
{
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    struct store_event_list list = {0};
    struct event event;
    hlc last = 0;
    if (info->head.seq &&
        store_read_stream(j->store, &info->key, info->head.seq - 1,
                          &(struct store_page){1, LIMIT_EVENT_BYTES, &arena}, &list,
                          NULL) == ERR_OK &&
        list.count == 1 && event_parse(list.items[0].bytes, &arena, &event, NULL) == ERR_OK)
        last = event.hlc;
    arena_fini(&arena);
    return last;
}

// Where the last run for this place ended (all lanes of its origin), and the highest hlc there.
static enum err_code last_run(struct journal *j, struct str location, struct run_previous *ret,
                              size_t *ret_count, hlc *ret_last, struct err *e)
{
    struct stream_list list;
    enum err_code code = journal_streams_up(j, &list, e);
    *ret_count = 0;
    *ret_last = 0;
    // The list is in the order of creation; origins are not: they carry a clock that may be off.
    const struct stream_info *newest = NULL;
    for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
        if (list.items[i].own && str_is(location, list.items[i].location) && list.items[i].head.seq)
            newest = &list.items[i];
    }
    for (size_t i = 0; newest && i < list.count; i++) {
        const struct stream_info *info = &list.items[i];
        if (!uuid_equal(&info->key.origin, &newest->key.origin) || info->head.seq == 0)
            continue;
        ret[(*ret_count)++] = (struct run_previous){info->key, info->head};
        hlc last = last_hlc_of(j, info);
        *ret_last = last > *ret_last ? last : *ret_last;
    }
    free(list.items);
    return code;
}

static enum err_code add_streams(struct journal *j, const struct run *run, struct err *e)
{
    enum err_code code = ERR_OK;
    for (int lane = 0; code == ERR_OK && lane < LANE_COUNT; lane++) {
        struct stream_info info = {.key = {run->origin, (enum lane)lane},
                                   .device = run->device,
                                   .own = true,
                                   .certificate = run->certificate};
        memcpy(info.location, run->location, sizeof(info.location));
        code = store_stream_add(j->store, &info, e);
    }
    return code;
}

static enum err_code begin_run(struct journal *j, struct str location, struct run **ret,
                               struct err *e)
{
    if (j->run_count == RUNS_MAX) // its place begins another one when it has more to say
        journal_forget_run(j, &j->runs[0]);
    struct run_previous previous[PREVIOUS_MAX];
    size_t previous_count = 0;
    hlc last = 0;
    enum err_code code = last_run(j, location, previous, &previous_count, &last, e);
    if (code)
        return code;
    struct run *run = &j->runs[j->run_count];
    struct run_identity who = {&j->identity.key, j->identity.chain, j->identity.device, location};
    struct uuid origin = journal_fresh_id(j);
    run_begin(run, &who, &j->run_id, &origin, last, journal_clock(j));
    run->clock_offset_ms = j->clock_offset_ms;
    struct event first;
    struct run_first how = {.event_id = journal_fresh_id(j),
                            .previous = previous,
                            .previous_count = previous_count,
                            .software = STR(WASL_VERSION),
                            .now_ms = clock_wall_ms()};
    code = add_streams(j, run, e);
    if (code == ERR_OK)
        code = run_first_event(run, &how, &j->arena, &first);
    if (code)
        return err_set(e, code, "the first event of a run cannot be made");
    j->run_count++;
    *ret = run;
    return journal_stamp(j, run, &first, e);
}

// The run to write with: a fresh one at the first event, and when the clock turned out to be off.
enum err_code journal_run_for(struct journal *j, struct str location, struct run **ret,
                              struct err *e)
{
    struct run *run = journal_find_run(j, location);
    if (run && run_clock_was_off(run, journal_clock(j))) {
        journal_forget_run(j, run);
        run = NULL;
    }
    if (run == NULL)
        return begin_run(j, location, ret, e);
    *ret = run;
    return ERR_OK;
}

static void say_repeat(struct journal_added *ret, bool same)
{
    ret->verdict = same ? VERDICT_DUPLICATE : VERDICT_REJECTED;
    if (!same)
        memcpy(ret->reason, "the id was used with other content", 35);
}

// What was pruned is known by its id and a hash of its content; a device has one place only.
static enum err_code find_past(struct journal *j, const struct event *draft,
                               struct journal_added *ret, bool *ret_found, struct err *e)
{
    enum store_past past = PAST_NONE;
    enum err_code code = store_past_find(j->store, draft, &j->arena, &past, e);
    *ret_found = past != PAST_NONE;
    if (*ret_found)
        say_repeat(ret, past == PAST_SAME);
    return code;
}

// A used id: the same content is a repeat, other content is a mistake of its author.
static enum err_code find_repeat(struct journal *j, const struct event *draft,
                                 struct journal_added *ret, bool *ret_found, struct err *e)
{
    struct store_event_list list = {0};
    enum err_code code = store_find_event(j->store, &draft->id, &j->arena, &list, e);
    *ret_found = false;
    for (size_t i = 0; code == ERR_OK && i < list.count && !*ret_found; i++) {
        struct event event;
        if (event_parse(list.items[i].bytes, &j->arena, &event, NULL) != ERR_OK ||
            !str_equal(event.location, draft->location))
            continue;
        *ret_found = true;
        struct event given;
        code = journal_given_content(j, &event, &given, e);
        say_repeat(ret, code == ERR_OK && event_same_content(&given, draft));
    }
    if (code == ERR_NOT_FOUND)
        code = ERR_OK;
    return code || *ret_found ? code : find_past(j, draft, ret, ret_found, e);
}

// A client that names no base has seen what this node shows.
static enum err_code fill_base(struct journal *j, struct event *draft, struct err *e)
{
    struct record_name name = {draft->location, draft->record_type, draft->record_id};
    size_t count = 0;
    if (draft->base_count > 0 || !record_takes(draft->type, draft->record_type))
        return ERR_OK;
    enum err_code code = store_frontier(j->store, &name, draft->base, &count, e);
    draft->base_count = (int)count;
    return code;
}

static bool may_write_for(const struct journal *j, struct str location)
{
    return j->identity.role == ROLE_CENTRAL || str_is(location, j->identity.location);
}

enum err_code journal_refuse(struct journal_added *ret, const char *reason)
{
    ret->verdict = VERDICT_REJECTED;
    MUST(str_copy(ret->reason, sizeof(ret->reason), str_of(reason)) == ERR_OK);
    return ERR_OK;
}

uint64_t journal_outbox(const struct journal *j)
{
    return j->outbox;
}

// Why only what finishes sales is taken, as a sentence; NULL when everything is.
static const char *only_sales(const struct journal *j)
{
    unsigned used_up = store_reserve(j->store);
    if (used_up & RESERVE_DISK)
        return "the disk is full: only what finishes sales is taken";
    if (used_up & RESERVE_QUOTA)
        return "the store's quota is used up: only what finishes sales is taken";
    if (j->config.upstream_count && j->outbox >= (uint64_t)j->config.outbox_events)
        return "too much waits for the centre: only what finishes sales is taken";
    return NULL;
}

enum err_code journal_write(struct journal *j, struct event *draft, struct journal_added *ret,
                            struct err *e)
{
    struct run *run;
    bool takes = true;
    const char *fault = NULL;
    enum err_code code = journal_run_for(j, draft->location, &run, e);
    if (code == ERR_OK)
        code = fill_base(j, draft, e);
    if (code == ERR_OK)
        code = journal_fill_seen(j, draft, &fault, e);
    if (code == ERR_OK && fault == NULL)
        code = journal_fill_catalog(j, draft, &fault, e);
    if (code == ERR_OK)
        code = store_takes_line(j->store, draft, &takes, e);
    if (code)
        return code;
    if (!takes)
        fault = "the order has 2000 lines: no order takes more";
    if (fault != NULL)
        return journal_refuse(ret, fault);
    code = journal_stamp(j, run, draft, e);
    return code == ERR_LIMIT ? journal_refuse(ret, "the event is over 256 KiB") : code;
}

// What this node knows of the actor. Somebody of whom a till never heard may be new: then the
// authority judges, which knows everybody.
static enum err_code check_actor(struct journal *j, struct event *draft, struct journal_added *ret,
                                 struct err *e)
{
    struct store_rights rights;
    enum err_code code = store_rights_now(j->store, draft, &rights, e);
    bool unknown = rights.answer == RIGHTS_UNKNOWN_ACTOR && j->identity.role != ROLE_CENTRAL;
    if (code || unknown)
        return code;
    if (rights.answer == RIGHTS_ALLOWED) {
        draft->grant = uuid_is_zero(&draft->grant) ? rights.grant : draft->grant;
        return ERR_OK;
    }
    ret->verdict = VERDICT_REJECTED;
    rights_explain(draft, rights.answer, ret->reason);
    return ERR_OK;
}

// Says what happened elsewhere, so that nobody can correct it.
static bool is_imported(const struct event *draft)
{
    return uuid_version(&draft->id) == 8;
}

enum err_code journal_add(struct journal *j, struct event *draft, struct journal_added *ret,
                          struct err *e)
{
    MUST(j->open);
    *ret = (struct journal_added){.verdict = VERDICT_ACCEPTED};
    if (!may_write_for(j, draft->location))
        return journal_refuse(ret, "this device writes for another location");
    if (draft->type->from_centre && j->identity.role != ROLE_CENTRAL)
        return journal_refuse(ret, "only the centre may say this");
    if (journal_must_wait(j, draft))
        return journal_refuse(ret, RESTORED_TEXT);
    struct effect_list effects;
    struct err why = {0};
    enum err_code code = effect_list_of(draft, &j->arena, &effects, &why);
    if (code == ERR_NO_MEMORY)
        return err_set(e, code, "the transaction is too large");
    if (code)
        return journal_refuse(ret, err_message(&why));
    bool repeated = false;
    code = find_repeat(j, draft, ret, &repeated, e);
    if (code || repeated)
        return code;
    const char *odd = is_imported(draft) ? NULL : odd_of(draft);
    if (odd != NULL)
        return journal_refuse(ret, odd);
    code = check_actor(j, draft, ret, e);
    if (code || ret->verdict == VERDICT_REJECTED)
        return code;
    const char *fault = journal_enrolment_fault(j, &effects);
    if (fault)
        return journal_refuse(ret, fault);
    const char *full = draft->type->in_reserve ? NULL : only_sales(j);
    if (full)
        return err_set(e, ERR_DISK_FULL, "%s", full);
    return str_is(draft->type_name, "device_revoked") ? journal_add_revocation(j, draft, ret, e)
                                                      : journal_write(j, draft, ret, e);
}
