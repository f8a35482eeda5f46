// SPDX-License-Identifier: Apache-2.0
//
// Reservations at the authority (model/reservation.h).
//
//   a request comes ──► journal_judge, in the order of coming ──► stock, less what is kept ──► said
//   a person lets one in that was held ──────────────────────────┘
//   one that nobody judged (it was a dead letter, or a restored
//   centre did not decide yet) ──► journal_hear_reservations ──┘
//
// What is said counts for the next one at once, in the same transaction, so two can never have the
// last one.
#include "node/journal_private.h"

enum { HEARD_AT_ONCE = 32 }; // a sale that comes meanwhile waits for so many

struct request {
    struct record_name record;
    struct reservation_claim claim;
    int64_t came_ms; // when it arrived, or is let in
};

static enum err_code decide(struct journal *j, const struct request *request,
                            struct verdict *verdict, struct err *e)
{
    const struct record_name *record = &request->record;
    const struct reservation_claim *claim = &request->claim;
    struct reservation_view view = {.now_ms = request->came_ms};
    struct store_setting_name oversell = {record->location, "oversell", claim->sku};
    enum err_code code = store_flush(j->store, e);
    if (code == ERR_OK)
        code = store_setting_decimal(j->store, &oversell, &view.tolerance, e);
    if (code == ERR_OK)
        code = store_reservation_is_over(j->store, record->location, record->id, &view.over, e);
    if (code == ERR_OK)
        code = store_stock_of(j->store, record->location, claim->sku, &view.stock, e);
    if (code == ERR_OK)
        code =
            store_kept_of(j->store, record->location, claim->sku, clock_wall_ms(), &view.kept, e);
    reservation_judge(claim, &view, verdict);
    return code;
}

enum err_code journal_judge_reservation(struct journal *j, const struct arrival *a, hlc effective,
                                        struct err *e)
{
    struct request request = {{a->event.location, a->event.record_type, a->event.record_id},
                              a->reservation,
                              journal_arrived_at(j, &a->event, a->received_at)};
    struct judgement judgement = {.target = a->event.id, .verdict = {.effective = effective}};
    if (journal_may_decide(j, NULL))
        return ERR_OK; // it is heard later
    enum err_code code = decide(j, &request, &judgement.verdict, e);
    return code ? code : journal_say(j, &request.record, &judgement, e);
}

enum err_code journal_reservation_verdict(struct journal *j, const struct event *event,
                                          struct verdict *verdict, struct err *e)
{
    struct request request = {.record = {event->location, event->record_type, event->record_id},
                              .came_ms = clock_wall_ms()};
    if (verdict->outcome != JUDGED_APPLIED ||
        !reservation_claim_of(event, event->hlc, &request.claim))
        return ERR_OK;
    return decide(j, &request, verdict, e);
}

// ---- the forgotten ----------------------------------------------------------------------------

static enum err_code hear(struct journal *j, const struct record_name *record,
                          const struct uuid *request, struct err *e)
{
    struct judgement judgement = {.target = *request, .verdict = {.outcome = JUDGED_APPLIED}};
    struct store_event_list list = {.count = 0};
    struct event event;
    enum err_code code = store_find_event(j->store, request, &j->arena, &list, e);
    for (size_t i = 0; i < list.count && code == ERR_OK; i++) {
        code = event_parse(list.items[i].bytes, &j->arena, &event, e);
        if (code || !str_equal(event.location, record->location))
            continue;
        code = journal_reservation_verdict(j, &event, &judgement.verdict, e);
        return code ? code : journal_say(j, record, &judgement, e);
    }
    return code;
}

enum err_code journal_hear_reservations(struct journal *j, struct err *e)
{
    struct record_name record;
    struct uuid request;
    enum err_code code = ERR_OK;
    if (j->identity.role != ROLE_CENTRAL || journal_may_decide(j, NULL))
        return ERR_OK;
    for (int i = 0; i < HEARD_AT_ONCE && code == ERR_OK; i++) {
        code = store_reservation_unheard(j->store, &j->arena, &record, &request, e);
        if (code == ERR_OK)
            code = hear(j, &record, &request, e);
        if (code == ERR_OK)
            code = store_flush(j->store, e);
    }
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}
