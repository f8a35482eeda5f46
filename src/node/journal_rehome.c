// SPDX-License-Identifier: Apache-2.0
//
// A stream whose history the upstream disputes, or of which it cannot be given what it lacks: its
// events are appended again under a new run, same ids, as many as fit a transaction at a time. One
// that is carried for another device ends: its author, told so, appends what it has again.
#include "node/journal_private.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

// True when a later row has the id: an appending that was cut short had come this far.
static enum err_code is_carried_later(struct journal *j, const struct store_event *stored,
                                      const struct uuid *id, bool *ret, struct err *e)
{
    struct store_event_list list = {0};
    enum err_code code = store_find_event(j->store, id, &j->arena, &list, e);
    *ret = false;
    for (size_t i = 0; code == ERR_OK && i < list.count; i++)
        *ret = *ret || list.items[i].lsn > stored->lsn;
    return code;
}

// What cannot be appended again is kept as evidence, never sent on.
static enum err_code set_aside(struct journal *j, const struct store_event *stored,
                               const char *reason, struct err *e)
{
    return store_quarantine_put(
        j->store,
        &(struct store_evidence){stored->key, stored->seq, stored->bytes, reason, clock_wall_ms()},
        e);
}

struct rehome {
    struct journal *j;
    struct run *run;   // the current one
    uint64_t included; // of the old stream, by the feed
    bool ends;         // it is carried: nothing is appended here
    struct changed_skus changed;
};

// The new carrier enters the overlay as it is appended; the old one leaves it, if it was there.
static enum err_code leave_overlay(struct rehome *r, const struct store_event *stored,
                                   const struct store_withdrawn *old)
{
    bool shown = old->counted && (stored->seq > r->included || old->apart);
    return shown ? journal_turn_event(&r->changed, stored->bytes, -1, &r->j->arena) : ERR_OK;
}

// One event again under the current run: same id, same content, a new place.
static enum err_code append_again(struct rehome *r, const struct store_event *stored,
                                  struct event *event, struct err *e)
{
    struct store_withdrawn old;
    struct store *store = r->j->store;
    enum err_code code = store_withdraw(store, &stored->key, stored->seq, &old, e);
    if (code == ERR_OK && journal_has_overlay(r->j) && leave_overlay(r, stored, &old))
        return err_set(e, ERR_NO_MEMORY, "the overlay");
    if (code || r->ends)
        return code;
    if (code == ERR_OK)
        code = journal_stamp(r->j, r->run, event, e);
    struct stream_key to = {r->run->origin, event->lane};
    return code ? code : store_notice_move(store, &stored->key, stored->seq, &to, event->seq, e);
}

static enum err_code rehome_event(struct rehome *r, const struct store_event *stored,
                                  const struct hash *before, struct err *e)
{
    struct journal *j = r->j;
    struct hash computed = hash_chain(before, stored->bytes);
    struct event event;
    bool intact = hash_equal(&computed, &stored->chain) &&
                  event_parse(stored->bytes, &j->arena, &event, NULL) == ERR_OK;
    if (!intact)
        return set_aside(j, stored, "the bytes do not give their chain hash", e);
    bool again = event.type && str_is(event.type_name, "run_started");
    enum err_code code = again ? ERR_OK : is_carried_later(j, stored, &event.id, &again, e);
    if (code || again)
        return code;
    if (!r->ends && !run_has_room(r->run, &event))
        return set_aside(j, stored, "too large for its new place", e);
    return append_again(r, stored, &event, e);
}

static enum err_code open_damage_review(struct journal *j, const struct stream_key *key,
                                        struct err *e)
{
    char record[UUID_TEXT_SIZE], detail[64];
    struct mark base = {.seq = 0};
    enum err_code code = store_base(j->store, key, &base, e);
    if (code)
        return code;
    (void)snprintf(detail, sizeof detail, "{\"not_kept_up_to\":%llu}",
                   (unsigned long long)base.seq);
    uuid_format(&key->origin, record);
    struct review review = {
        .kind = STR("damaged"),
        .record = str_of(record),
        .location = str_of(j->identity.location),
        .text = STR("this journal and the upstream disagree about a run: its events were "
                    "appended again, but for those it does not keep any more"),
        .detail = str_of(detail),
        .opened_at = clock_wall_ms(),
        .open = true};
    return store_review_open(j->store, &review, e);
}

// The new run carries everything behind 'from': nothing of the old one waits any more.
static enum err_code close_stream(struct journal *j, const struct stream_info *info, uint64_t from,
                                  struct err *e)
{
    uint64_t before = journal_settled_of(j, &info->key);
    enum err_code code = store_stream_end(j->store, &info->key, from, clock_wall_ms(), e);
    j->outbox += before - journal_settled_of(j, &info->key);
    return code ? code : open_damage_review(j, &info->key, e);
}

static enum err_code rehome_page(struct rehome *r, const struct stream_key *key, uint64_t *after,
                                 struct err *e)
{
    struct journal *j = r->j;
    struct store_event_list list = {0};
    struct hash before = {0};
    enum err_code code = store_include_get(j->store, key, &r->included, e);
    if (code == ERR_OK && *after)
        code = store_chain_at(j->store, key, *after, &before, e);
    if (code == ERR_OK)
        code = store_read_stream(
            j->store, key, *after,
            &(struct store_page){LOAD_PAGE_EVENTS, REHOME_PAGE_BYTES, &j->arena}, &list, e);
    if (code == ERR_OK && list.count == 0)
        return err_set(e, ERR_DAMAGED, "a stream to be appended again ends early");
    for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
        code = rehome_event(r, &list.items[i], &before, e);
        before = list.items[i].chain;
        *after = list.items[i].seq;
    }
    return code;
}

// Rows of stock show what the overlay has now: an event that the feed had included before counts
// beside it again until its new carrier is.
static enum err_code refresh_view(struct rehome *r, struct err *e)
{
    struct journal *j = r->j;
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < j->delta_count; i++)
        code = journal_note_changed(&r->changed, j->deltas[i].sku);
    j->overlay_touched = true;
    if (code == ERR_OK)
        code = journal_enter_deltas(j);
    return code ? err_set(e, code, "the overlay") : journal_refresh_changed(&r->changed, e);
}

static uint64_t written_by(const struct run *run)
{
    uint64_t sum = 0;
    for (int lane = 0; lane < LANE_COUNT; lane++)
        sum += run->heads[lane].seq;
    return sum;
}

// Of what stands before an event in its stream its author is taken to have seen everything. So what
// is appended again must not stand behind what was written since: it opens a run, unless this one
// holds nothing else. Nor must the run that the upstream disputes go on.
static bool may_take(const struct journal *j, const struct run *run, const struct stream_key *key)
{
    const struct rehomed *last = &j->rehomed;
    if (uuid_equal(&run->origin, &key->origin))
        return false;
    bool goes_on = stream_key_equal(&last->key, key) && uuid_equal(&last->origin, &run->origin) &&
                   last->written == written_by(run);
    return goes_on || written_by(run) == 1; // its run_started
}

static enum err_code rehome_some(struct rehome *r, const struct stream_key *key, uint64_t *after,
                                 struct err *e)
{
    enum err_code code = rehome_page(r, key, after, e);
    if (code == ERR_OK && journal_has_overlay(r->j))
        code = refresh_view(r, e);
    free(r->changed.skus);
    return code;
}

// The run that takes what is appended again: none where the stream only ends.
static enum err_code find_run(struct rehome *r, const struct stream_info *info, struct err *e)
{
    struct journal *j = r->j;
    if (r->ends)
        return ERR_OK;
    r->run = journal_find_run(j, str_of(info->location));
    if (r->run && !may_take(j, r->run, &info->key))
        journal_forget_run(j, r->run);
    return journal_run_for(j, str_of(info->location), &r->run, e);
}

enum err_code journal_rehome(struct journal *j, const struct stream_key *key, uint64_t from,
                             uint64_t *after, struct err *e)
{
    MUST(j->open);
    struct stream_info info;
    struct rehome r = {.j = j, .changed = {.j = j}};
    enum err_code code = store_stream_find(j->store, key, &info);
    if (code)
        return err_set(e, code, "a stream to be appended again is not here");
    struct mark base = {.seq = 0};
    r.ends = info.carried;
    code = store_base(j->store, key, &base, e);
    if (code == ERR_OK)
        code = find_run(&r, &info, e);
    if (code)
        return code;
    from = from > base.seq ? from : base.seq; // what is not kept is not appended again
    uint64_t to = *after > base.seq ? *after : base.seq;
    if (to < info.head.seq)
        code = rehome_some(&r, key, &to, e);
    if (code == ERR_OK && !r.ends)
        j->rehomed = (struct rehomed){*key, r.run->origin, written_by(r.run)};
    bool all = to >= info.head.seq;
    if (code == ERR_OK && all)
        code = close_stream(j, &info, from, e);
    if (code == ERR_OK)
        *after = all ? REHOME_DONE : to;
    return code;
}
