// SPDX-License-Identifier: Apache-2.0
//
// The centre is the authority of every place that has no other. What it has to say about the events
// of a transaction is said in that transaction, once all of them are folded, so that an event and
// its judgement reach everybody together, and each is judged once.
//
//   journal_note_arrival ── nothing to look at ──► (acceptance is silence)
//            │ may have to be judged
//            └─► waits ──journal_judge, before the commit──► event_judged of its record, or of the
//                                                            batch of its stream
#include "node/journal_private.h"

#include "model/batch.h"
#include "model/body.h"
#include "model/judge.h"

#include <stdio.h>
#include <string.h>

// ---- what arrived -----------------------------------------------------------------------------

static bool decides_here(const struct journal *j)
{
    return j->identity.role == ROLE_CENTRAL;
}

static void view_of(const struct journal *j, const struct arrival *a, struct judge_view *ret)
{
    *ret = (struct judge_view){.now_ms = journal_arrived_at(j, &a->event, a->received_at),
                               .pending_ms = a->pending_ms,
                               .skew_limit_ms = a->skew_limit_ms,
                               .without_right = a->without_right,
                               .outranked = a->outranked};
}

static bool sets_price(const struct arrival *a)
{
    return strcmp(a->event.type->name, "price_set") == 0;
}

// "3 USD", for people; empty where there is none.
static enum err_code in_words(struct journal *j, const struct price *price, struct str *ret,
                              struct err *e)
{
    char amount[DECIMAL_TEXT_MAX], words[DECIMAL_TEXT_MAX + LIMIT_NAME + 1];
    *ret = STR("");
    if (!price->there)
        return ERR_OK;
    decimal_format(price->amount, amount);
    (void)snprintf(words, sizeof words, "%s %.*s", amount, STR_ARG(price->currency));
    *ret = arena_copy(&j->arena, str_of(words));
    return ret->p ? ERR_OK : err_set(e, ERR_NO_MEMORY, "the transaction is too large");
}

// Whether a branch set a price that is the head office's: by what was published or drafted when it
// came. What the head office writes for a place is its own word. Who claims to have seen what was
// never published would not yield to what will be.
static enum err_code look_at_rank(struct journal *j, struct arrival *a, struct err *e)
{
    struct arena scratch;
    enum price_authority authority = PRICE_CENTRE;
    struct price published = {.there = false}, draft = {.there = false};
    struct store_catalog catalog = {.version.number = 0};
    if (a->own || !sets_price(a))
        return ERR_OK;
    struct str rest = a->event.record_id;
    struct price_name name = {.list = STR("")};
    if (str_cut(&rest, '/', &name.sku))
        name.list = rest;
    enum err_code code = store_price_authority(j->store, &authority, e);
    if (code == ERR_OK)
        code = store_catalog(j->store, &catalog, e);
    arena_init(&scratch, ARENA_MAX);
    if (code == ERR_OK)
        code = store_catalog_price(j->store, INT64_MAX, &name, &scratch, &published, e);
    if (code == ERR_OK)
        code =
            store_price_draft(j->store, STR(FEED_CHAIN), a->event.record_id, &scratch, &draft, e);
    const struct price *centre = published.there ? &published : &draft;
    a->outranked = !price_may(authority, centre) ||
                   body_integer(a->event.body, "catalog") > (int64_t)catalog.version.number;
    struct price asked = {.there = body_text(a->event.body, "price").n != 0,
                          .amount = body_decimal(a->event.body, "price"),
                          .currency = body_text(a->event.body, "currency")};
    if (code == ERR_OK && a->outranked)
        code = in_words(j, &asked, &a->asked, e);
    if (code == ERR_OK && a->outranked)
        code = in_words(j, centre, &a->official, e);
    arena_fini(&scratch);
    return code;
}

// What the chain has decided, and what is known of the author.
static enum err_code look_up(struct journal *j, struct arrival *a, struct err *e)
{
    int64_t hours = 0, seconds = 0;
    enum rights_answer rights = RIGHTS_ALLOWED;
    struct store_setting_name pending = {STR(FEED_CHAIN), "pending_hours",
                                         str_of(a->event.type->name)};
    struct store_setting_name skew = {STR(FEED_CHAIN), "clock_skew_seconds", STR("")};
    enum err_code code = store_setting_number(j->store, &pending, &hours, e);
    if (code == ERR_OK)
        code = store_setting_number(j->store, &skew, &seconds, e);
    if (code == ERR_OK)
        code = store_rights_then(j->store, &a->event, &rights, e);
    if (code == ERR_OK)
        code = look_at_rank(j, a, e);
    a->pending_ms = hours * 3600 * 1000;
    a->skew_limit_ms = seconds * 1000;
    a->without_right = rights != RIGHTS_ALLOWED;
    return code;
}

// Of what waits, only this is looked at again; the body is not.
static enum err_code keep(struct journal *j, const struct arrival *from, struct err *e)
{
    struct arrival *to = arena_alloc(&j->arena, sizeof *to);
    if (to == NULL)
        return err_set(e, ERR_NO_MEMORY, "the transaction is too large");
    *to = *from;
    to->next = NULL;
    to->event.bytes = STR("");
    to->event.body = NULL;
    to->event.location = arena_copy(&j->arena, from->event.location);
    to->event.record_type = arena_copy(&j->arena, from->event.record_type);
    to->event.record_id = arena_copy(&j->arena, from->event.record_id);
    to->event.actor = arena_copy(&j->arena, from->event.actor);
    to->claim.sku = arena_copy(&j->arena, from->claim.sku);
    to->reservation.sku = arena_copy(&j->arena, from->reservation.sku);
    if (!to->event.location.p || !to->event.record_type.p || !to->event.record_id.p ||
        !to->event.actor.p || !to->claim.sku.p || !to->reservation.sku.p)
        return err_set(e, ERR_NO_MEMORY, "the transaction is too large");
    *j->arrivals_end = to;
    j->arrivals_end = &to->next;
    return ERR_OK;
}

enum err_code journal_note_arrival(struct journal *j, const struct arrival *arrival, struct err *e)
{
    struct judge_view view;
    struct arrival a = *arrival;
    if (!decides_here(j) || a.event.type == NULL || a.event.type->right == MAY_NODE)
        return ERR_OK;
    enum err_code code = look_up(j, &a, e);
    if (code)
        return code;
    view_of(j, &a, &view);
    struct verdict verdict;
    bool look = judge_arrival(&a.event, &view, &verdict) ||
                strcmp(a.event.type->name, "sale_completed") == 0;
    a.order = event_order_of(&a.event);
    if (verdict.effective != 0)
        a.order.hlc = verdict.effective;
    if (sets_price(&a) && verdict.outcome == JUDGED_HELD)
        code = journal_doubt_price(j, &a.event.id, e);
    if (code == ERR_OK)
        code = journal_note_quantity(j, &a, e);
    if (code == ERR_OK)
        code = journal_note_price(j, &a, e);
    if (code == ERR_OK)
        code = journal_note_paid(j, &a, e);
    if (code == ERR_OK)
        code = journal_note_kept(j, &a, e);
    a.reserves = reservation_claim_of(&a.event, a.order.hlc, &a.reservation);
    look = look || a.claims || a.reserves || a.prices != NULL || a.priced || a.paid != NULL ||
           a.odd != NULL;
    return code == ERR_OK && look ? keep(j, &a, e) : code;
}

// ---- saying it --------------------------------------------------------------------------------

enum err_code journal_say(struct journal *j, const struct record_name *record,
                          const struct judgement *judgement, struct err *e)
{
    struct json_writer w;
    struct journal_added added = {.verdict = VERDICT_ACCEPTED};
    struct event draft = {.id = journal_fresh_id(j),
                          .location = record->location,
                          .type_name = STR("event_judged"),
                          .type = event_type_find(STR("event_judged")),
                          .record_type = record->type,
                          .record_id = record->id,
                          .cause = judgement->target,
                          .at = clock_wall_ms()};
    draft.version = draft.type->version;
    draft.lane = draft.type->lane;
    json_writer_begin(&w);
    judgement_write(judgement, &w);
    enum err_code code = journal_read_back(j, &w, &draft.body, e);
    if (code == ERR_OK)
        code = journal_write(j, &draft, &added, e);
    if (code == ERR_OK && added.verdict != VERDICT_ACCEPTED)
        code = err_set(e, ERR_INVALID, "a judgement was refused: %s", added.reason);
    return code;
}

enum err_code journal_explain(struct journal *j, const struct record_name *record, const char *kind,
                              struct str triggers, struct err *e)
{
    struct str text;
    enum err_code code = ERR_OK;
    while (code == ERR_OK && str_cut(&triggers, ' ', &text)) {
        struct judgement judgement = {.verdict = {JUDGED_APPLIED, .reason = REASON_EXPLAINED},
                                      .review = str_of(kind)};
        if (uuid_parse(text, &judgement.target) == ERR_OK)
            code = journal_say(j, record, &judgement, e);
    }
    return code;
}

static enum err_code say_of_event(struct journal *j, const struct arrival *a,
                                  const struct judgement *judgement, struct err *e)
{
    struct record_name record = {a->event.location, a->event.record_type, a->event.record_id};
    return journal_say(j, &record, judgement, e);
}

// ---- batches ----------------------------------------------------------------------------------

// A part under way: events of one stream, one after the other, with the same to be said of them.
struct part {
    const struct arrival *first;
    struct judgement judgement;
};

static enum err_code end_part(struct journal *j, struct part *part, struct err *e)
{
    char id[BATCH_ID_SIZE];
    if (part->first == NULL)
        return ERR_OK;
    struct stream_key key = {part->first->event.origin, part->first->event.lane};
    batch_id(&key, part->judgement.verdict.reason, id);
    struct str copy = arena_copy(&j->arena, str_of(id));
    if (copy.p == NULL)
        return err_set(e, ERR_NO_MEMORY, "the transaction is too large");
    struct record_name record = {part->first->event.location, STR(BATCH), copy};
    part->first = NULL;
    return journal_say(j, &record, &part->judgement, e);
}

static bool continues(const struct part *part, const struct arrival *a,
                      const struct verdict *verdict)
{
    return part->first != NULL && uuid_equal(&part->first->event.origin, &a->event.origin) &&
           part->first->event.lane == a->event.lane && part->judgement.to + 1 == a->event.seq &&
           part->judgement.verdict.reason == verdict->reason;
}

static enum err_code add_to_part(struct journal *j, struct part *part, const struct arrival *a,
                                 const struct verdict *verdict, struct err *e)
{
    enum err_code code = ERR_OK;
    if (!continues(part, a, verdict)) {
        code = end_part(j, part, e);
        part->first = a;
        part->judgement = (struct judgement){
            .from = a->event.seq,
            .oldest_at = a->event.at,
            .verdict = {JUDGED_APPLIED, .reason = verdict->reason, .term = verdict->term}};
    }
    part->judgement.to = a->event.seq;
    part->judgement.held += verdict->outcome == JUDGED_HELD;
    if (a->event.at < part->judgement.oldest_at)
        part->judgement.oldest_at = a->event.at;
    return code;
}

// ---- one event --------------------------------------------------------------------------------

// What a person is asked about one by one; all else as a part of its batch.
static bool asked_alone(const struct arrival *a, const struct verdict *verdict)
{
    bool author = verdict->reason == REASON_UNAUTHORISED || verdict->reason == REASON_OUTRANKED;
    return author && reducer_find(a->event.record_type) != NULL;
}

static enum err_code say_one(struct journal *j, const struct arrival *a,
                             struct judgement *judgement, struct part *part, struct err *e)
{
    char id[BATCH_ID_SIZE];
    bool folded = record_takes(a->event.type, a->event.record_type);
    bool changes = judgement->verdict.effective != 0 || judgement->verdict.outcome == JUDGED_HELD;
    bool alone = asked_alone(a, &judgement->verdict);
    enum err_code code = alone ? ERR_OK : add_to_part(j, part, a, &judgement->verdict, e);
    if (code || !(alone || (folded && changes)))
        return code;
    struct stream_key key = {a->event.origin, a->event.lane};
    batch_id(&key, judgement->verdict.reason, id);
    judgement->batch = alone ? STR("") : str_of(id);
    return say_of_event(j, a, judgement, e);
}

static enum err_code judge_one(struct journal *j, const struct arrival *a, struct part *part,
                               struct seen_walk *walk, struct err *e)
{
    struct judge_view view;
    struct judgement judgement = {.target = a->event.id};
    bool judged = false;
    view_of(j, a, &view);
    bool look = judge_arrival(&a->event, &view, &judgement.verdict);
    if (judgement.verdict.reason == REASON_OUTRANKED) {
        judgement.sold = a->asked;
        judgement.published = a->official;
    }
    if (!look && !a->claims && !a->reserves)
        return ERR_OK;
    enum err_code code = store_is_judged(j->store, a->event.location, &a->event.id, &judged, e);
    if (code || judged)
        return code;
    if (a->reserves && judgement.verdict.reason != REASON_UNAUTHORISED)
        return journal_judge_reservation(j, a, judgement.verdict.effective, e);
    if (look)
        code = say_one(j, a, &judgement, part, e);
    return code ? code : journal_judge_claim(j, a, walk, e);
}

// ---- completions ------------------------------------------------------------------------------

// Of the completions of one bill the first in the order counts; it may be one that came last.
static enum err_code judge_completion(struct journal *j, const struct arrival *a, struct err *e)
{
    struct record_name record = {a->event.location, a->event.record_type, a->event.record_id};
    struct uuid second[LIMIT_BASE];
    size_t count = 0;
    enum err_code code = store_second_completions(j->store, &record, second, &count, e);
    for (size_t i = 0; i < count && code == ERR_OK; i++) {
        struct judgement judgement = {
            .target = second[i], .verdict = {JUDGED_DUPLICATE, .reason = REASON_COMPLETED_TWICE}};
        code = journal_say(j, &record, &judgement, e);
    }
    return code;
}

// ---- all --------------------------------------------------------------------------------------

static enum err_code judge_arrivals(struct journal *j, struct err *e)
{
    struct part part = {.first = NULL};
    struct seen_walk walk = {.after = -1, .overlaps = j->overlaps};
    const struct arrival *a = j->arrivals;
    if (a == NULL && walk.overlaps == NULL)
        return ERR_OK;
    enum err_code code = store_flush(j->store, e);
    journal_forget_arrivals(j); // what is said here is not looked at itself
    for (const struct arrival *at = a; at != NULL && code == ERR_OK; at = at->next)
        code = judge_one(j, at, &part, &walk, e);
    for (const struct arrival *at = a; at != NULL && code == ERR_OK; at = at->next) {
        if (strcmp(at->event.type->name, "sale_completed") == 0) // by clocks as they are now judged
            code = judge_completion(j, at, e);
    }
    if (code == ERR_OK)
        code = end_part(j, &part, e);
    if (code == ERR_OK)
        code = journal_judge_prices(j, a, e);
    if (code == ERR_OK)
        code = journal_judge_paid(j, a, e);
    if (code == ERR_OK)
        code = journal_judge_overlaps(j, walk.overlaps, e);
    return code;
}

// What is said may give stock back: what turned is looked at last.
enum err_code journal_judge(struct journal *j, struct err *e)
{
    enum err_code code = judge_arrivals(j, e);
    return code || !decides_here(j) ? code : journal_judge_below(j, e);
}

void journal_forget_arrivals(struct journal *j)
{
    j->arrivals = NULL;
    j->arrivals_end = &j->arrivals;
    j->doubts = NULL;
    j->overlaps = NULL;
    j->counted.location[0] = '\0';
}
