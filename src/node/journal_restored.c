// SPDX-License-Identifier: Apache-2.0
//
// A centre that was restored from a backup, and a device whose centre was (docs/adr/0015).
//
//   a hello shows it ──► journal_note_hello: a new recovery, feeds of new ids, every session ends
//                          │  the next welcomes name it: devices tell again what they keep
//                          ▼
//                        open: takes events in; what people decide is refused
//                          │  journal_confirm_restored: a person says that all is back
//                          ▼
//                        over: what is of the whole chain is fed again
#include "node/journal_private.h"

#include "sync/recovery.h"

#include <stdio.h>
#include <string.h>

// ---- the centre's end -------------------------------------------------------------------------

const struct restored *journal_restored(const struct journal *j)
{
    return &j->restored;
}

enum err_code journal_read_restored(struct journal *j, struct err *e)
{
    enum err_code code = restored_read(j->store, &j->restored, e);
    if (code == ERR_OK)
        code = store_last_received(j->store, &j->received_before, e);
    return code;
}

enum err_code journal_may_decide(const struct journal *j, struct err *e)
{
    return j->restored.open ? err_set(e, ERR_CONFLICT, "%s", RESTORED_TEXT) : ERR_OK;
}

bool journal_may_revoke(const struct journal *j, const struct uuid *device)
{
    return !j->restored.open || uuid_equal(device, &j->restored.device);
}

// The one revocation that does not wait for a person to confirm.
static bool revokes_the_teller(const struct journal *j, const struct event *draft)
{
    struct uuid device;
    return str_is(draft->type_name, "device_revoked") &&
           uuid_parse(draft->record_id, &device) == ERR_OK && journal_may_revoke(j, &device);
}

bool journal_must_wait(const struct journal *j, const struct event *draft)
{
    return j->restored.open && journal_is_decision(draft) && !revokes_the_teller(j, draft);
}

bool journal_is_decision(const struct event *draft)
{
    static const enum event_right rights[] = {MAY_CHAIN, MAY_PEOPLE, MAY_REVIEW, MAY_SETTINGS};
    const struct event_type *type = draft->type;
    bool decision = type->from_centre;
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        decision = decision || type->right == rights[i];
    // The right to a price is also that of a sold price that was changed by hand, which is a fact.
    bool price = strcmp(type->name, "price_set") == 0;
    return decision || price;
}

static enum err_code put(struct journal *j, const struct restored *r, struct err *e)
{
    enum err_code code = restored_write(j->store, r, e);
    if (code)
        return code;
    j->restored = *r;
    j->sessions_over = true;
    return ERR_OK;
}

static enum err_code begin(struct journal *j, const struct recovery_view *view,
                           const struct message_hello *hello, const char *why, struct err *e)
{
    uint8_t random[10];
    clock_random(random, sizeof random);
    struct restored r = {.id = recovery_next(view, hello, random),
                         .open = true,
                         .since_ms = (int64_t)view->now_ms,
                         .backup_ms = j->received_before,
                         .device = hello->device};
    MUST(str_copy(r.why, sizeof r.why, str_of(why)) == ERR_OK);
    enum err_code code = store_feeds_renew(j->store, e);
    return code ? code : put(j, &r, e);
}

enum err_code journal_note_hello(struct journal *j, const struct message_hello *hello,
                                 const struct downlink_identity *identity,
                                 const enum feed_standing standing[DOWNLINK_FEEDS], struct err *e)
{
    struct recovery_view view = {&j->restored.id, identity->marks, standing, DOWNLINK_FEEDS,
                                 (uint64_t)clock_wall_ms()};
    if (journal_carries(j)) // another hub may hold what this one never saw
        return ERR_OK;
    const char *why = recovery_found(&view, hello);
    return why ? begin(j, &view, hello, why, e) : ERR_OK;
}

enum err_code journal_confirm_restored(struct journal *j, struct err *e)
{
    struct restored r = j->restored;
    if (!r.open)
        return err_set(e, ERR_NOT_FOUND, "no recovery waits for a person here");
    r.open = false;
    return put(j, &r, e);
}

bool journal_take_sessions_over(struct journal *j)
{
    bool over = j->sessions_over;
    j->sessions_over = false;
    return over;
}

bool journal_came_before(const struct journal *j, const struct event *event)
{
    return !uuid_is_zero(&j->restored.id) && hlc_ms(event->hlc) < j->restored.since_ms;
}

int64_t journal_arrived_at(const struct journal *j, const struct event *event, int64_t received_at)
{
    const struct restored *r = &j->restored;
    int64_t authored = hlc_ms(event->hlc);
    if (!journal_came_before(j, event))
        return received_at;
    int64_t earliest = authored > r->backup_ms ? authored : r->backup_ms;
    return earliest < received_at ? earliest : received_at;
}

// ---- the device's end -------------------------------------------------------------------------

enum { TOLD_BYTES = 64 * 1024 };
static const char told_name[] = "recovery_told", told_at_name[] = "recovery_told_at";

enum err_code journal_recovery_told(struct journal *j, struct uuid *ret, struct err *e)
{
    struct arena a;
    struct str text = STR("");
    *ret = (struct uuid){{0}};
    arena_init(&a, TOLD_BYTES);
    enum err_code code = store_meta_get(j->store, told_name, &a, &text, e);
    if (code == ERR_OK && uuid_parse(text, ret))
        code = err_set(e, ERR_DAMAGED, "the store's id of a recovery cannot be read");
    arena_fini(&a);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

// What was acknowledged before may have been lost since, and come back: a disk that is itself a
// copy knows nothing of it. So the time that it is kept for counts from here.
enum err_code journal_tell_recovery(struct journal *j, const struct uuid *id, struct err *e)
{
    char text[UUID_TEXT_SIZE], at[32];
    int64_t now_ms = journal_clock(j);
    uuid_format(id, text);
    (void)snprintf(at, sizeof at, "%lld", (long long)now_ms);
    enum err_code code = store_meta_set(j->store, told_name, str_of(text), e);
    if (code == ERR_OK)
        code = store_meta_set(j->store, told_at_name, str_of(at), e);
    if (code == ERR_OK) {
        j->upstream.told = uuid_equal(id, &j->upstream.recovery);
        j->upstream.told_ms = now_ms;
    }
    return code;
}

enum err_code journal_hear_recovery(struct journal *j, const struct uuid *id, struct err *e)
{
    struct arena a;
    struct str text = STR("0");
    struct uuid told;
    struct upstream heard = {.recovery = *id};
    arena_init(&a, TOLD_BYTES);
    enum err_code code = journal_recovery_told(j, &told, e);
    if (code == ERR_OK)
        code = store_meta_get(j->store, told_at_name, &a, &text, e);
    if (code == ERR_NOT_FOUND)
        code = ERR_OK;
    if (code == ERR_OK && str_to_i64(text, &heard.told_ms))
        code = err_set(e, ERR_DAMAGED, "the store's time of a recovery cannot be read");
    arena_fini(&a);
    heard.told = code == ERR_OK && uuid_equal(&told, id);
    j->upstream = heard;
    return code;
}
