// SPDX-License-Identifier: Apache-2.0
//
//                  fold_add -- from a revoked device, too late (revoke.h)? withheld
//                     |  another row carries the id?
//          no --------+-------- yes: carriers_settle
//          |                       |  earlier in the order than the one that counts?
//          |               no -----+----- yes: take_back(the other), then
//          |                |              |
//        apply        duplicate or       apply
//          |          conflict (id)
//          +-- unknown type, bad body: dead letter
//          +-- nothing owned: effects_put
//          +-- owned: contend: the holder by effect_owner_rule keeps the record, the other waits
#include "store/sqlite/fold.h"

#include "base/json.h"
#include "store/sqlite/carriers.h"
#include "store/sqlite/claim.h"
#include "store/sqlite/effects.h"
#include "store/sqlite/questions.h"
#include "store/sqlite/state.h"
#include "store/sqlite/text.h"

#include <string.h>

#define EFFECTS_MAX_BYTES ((size_t)16 * 1024 * 1024)
#define OTHERS_MAX_BYTES  ((size_t)64 * 1024 * 1024)

void fold_init(struct fold *f, struct db *tables, struct db *journal)
{
    *f = (struct fold){.tables = tables, .journal = journal, .upto = INT64_MAX};
    ids_init(&f->ids, tables, journal);
    delta_map_init(&f->deltas);
    turns_init(&f->turns);
    feed_queue_init(&f->changes);
    records_init(&f->records, tables, journal);
    catalog_rows_init(&f->catalog, tables);
    arena_init(&f->effects, EFFECTS_MAX_BYTES);
    arena_init(&f->others, OTHERS_MAX_BYTES);
}

void fold_fini(struct fold *f)
{
    delta_map_fini(&f->deltas);
    turns_fini(&f->turns);
    feed_queue_fini(&f->changes);
    revoke_fini(f);
    records_fini(&f->records);
    catalog_rows_fini(&f->catalog);
    arena_fini(&f->effects);
    arena_fini(&f->others);
}

static void clear_changes(struct fold *f)
{
    delta_map_clear(&f->deltas);
    feed_queue_clear(&f->changes);
}

void fold_forget(struct fold *f)
{
    clear_changes(f);
    turns_clear(&f->turns);
    records_forget(&f->records);
}

// ---- rows in the journal -----------------------------------------------------------------------

enum err_code fold_load(struct fold *f, int64_t lsn, struct event *ret, struct err *e)
{
    struct query q;
    struct str bytes = STR("");
    query_begin(&q, f->journal, Q_EVENT_BYTES);
    query_int(&q, lsn);
    bool found = query_row(&q);
    if (found)
        bytes = text_get(&q, 0, &f->others);
    enum err_code code = query_end(&q, e);
    if (code)
        return code;
    if (!found)
        return err_set(e, ERR_DAMAGED, "the journal has no row %lld", (long long)lsn);
    if (bytes.p == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for an event");
    code = event_parse(bytes, &f->others, ret, e);
    return code && code != ERR_NO_MEMORY ? err_wrap(e, ERR_DAMAGED, "row %lld", (long long)lsn)
                                         : code;
}

bool fold_fits(const struct event *event, const struct stream_info *info, uint64_t seq)
{
    bool decides = event->type != NULL && event->type->from_centre && !info->own;
    return !decides && uuid_equal(&event->origin, &info->key.origin) &&
           event->lane == info->key.lane && event->seq == seq &&
           str_is(event->location, info->location);
}

enum err_code fold_state_of(struct fold *f, int64_t lsn, enum row_state *ret, struct err *e)
{
    struct query q;
    if (f->states != NULL) {
        *ret = (enum row_state)f->states[lsn - f->states_from];
        return ERR_OK;
    }
    query_begin(&q, f->journal, Q_EVENT_ID_STATE);
    query_int(&q, lsn);
    *ret = query_row(&q) ? (enum row_state)query_get_int(&q, 1) : ROW_SETTLED;
    return query_end(&q, e);
}

enum err_code fold_base(struct fold *f, int64_t lsn, enum row_state *ret, struct err *e)
{
    struct query q;
    struct stream_key key;
    struct stream_slot *slot;
    *ret = ROW_SETTLED;
    if (f->store == NULL)
        return ERR_OK;
    query_begin(&q, f->journal, Q_EVENT_PLACE);
    query_int(&q, lsn);
    uint64_t seq = 0;
    if (query_row(&q)) {
        (void)query_get_uuid(&q, 0, &key.origin);
        key.lane = query_get_lane(&q, 1);
        seq = query_get_u64(&q, 2);
    }
    enum err_code code = query_end(&q, e);
    if (code == ERR_OK)
        code = stream_cache_find(&f->store->streams, &key, &slot, e);
    if (code)
        return code;
    if (seq > slot->info.settled.seq)
        *ret = seq <= slot->info.held.seq || !store_goes_up(&slot->info) ? ROW_HELD : ROW_PENDING;
    return ERR_OK;
}

enum err_code fold_notify(struct fold *f, const struct event *event, enum row_state state,
                          struct str reason, struct err *e)
{
    char text[UUID_TEXT_SIZE];
    if (f->store == NULL || f->confirms)
        return ERR_OK;
    // Not where another carrier has the id: the rows contain it, by that one, at both devices; the
    // device of the other is told of its carrier.
    bool apart = state == ROW_CONFLICT || state == ROW_DEAD;
    uuid_format(&event->id, text);
    struct feed_change change = {event->location, STR("notice"), str_of(text), STR("")};
    enum err_code code = ERR_OK;
    if (apart)
        code = feed_row_notice(&f->effects, str_of(event_status_name(state_status(state))), reason,
                               &change.row);
    if (code == ERR_OK)
        code = feed_queue_add(&f->changes, &change);
    return code ? err_set(e, code, "out of memory for feeds") : ERR_OK;
}

enum err_code fold_notify_carrier(struct fold *f, const struct event *event, bool lost,
                                  struct err *e)
{
    char id[FEED_CARRIER_SIZE];
    struct stream_key key = {event->origin, event->lane};
    if (f->store == NULL || f->confirms)
        return ERR_OK;
    feed_carrier_id(&key, event->seq, id);
    struct feed_change change = {event->location, STR(FEED_CARRIER), str_of(id), STR("")};
    enum err_code code = lost ? feed_row_carrier(&f->effects, &event->id, &change.row) : ERR_OK;
    if (code == ERR_OK)
        code = feed_queue_add(&f->changes, &change);
    return code ? err_set(e, code, "out of memory for feeds") : ERR_OK;
}

// Changes the state of another row that is in the journal already.
enum err_code fold_set_state(struct fold *f, int64_t lsn, const struct event *event,
                             enum row_state state, struct err *e)
{
    struct query q;
    enum row_state before = ROW_SETTLED;
    enum err_code code = fold_state_of(f, lsn, &before, e);
    if (code || before == state)
        return code;
    if (f->states != NULL) {
        f->states[lsn - f->states_from] = (uint8_t)state;
        return ERR_OK;
    }
    query_begin(&q, f->tables, Q_EVENT_STATE_SET);
    query_int(&q, state);
    query_int(&q, lsn);
    code = query_run(&q, e);
    if (code == ERR_OK && before == ROW_DEAD) {
        query_begin(&q, f->tables, Q_DEAD_REMOVE);
        query_int(&q, lsn);
        code = query_run(&q, e);
    }
    bool lost = state == ROW_ID_CONFLICT;
    if (code == ERR_OK && (lost || before == ROW_ID_CONFLICT))
        code = fold_notify_carrier(f, event, lost, e);
    return code ? code : fold_notify(f, event, state, STR(""), e);
}

enum err_code fold_write_state(struct fold *f, const struct fold_row *row, struct err *e)
{
    struct query q;
    enum err_code code = fold_set_state(f, row->lsn, row->event, row->ret_state, e);
    if (code || row->ret_state != ROW_DEAD || row->dead != NULL || f->states != NULL)
        return code;
    query_begin(&q, f->tables, Q_DEAD_ADD);
    query_int(&q, row->lsn);
    query_text(&q, str_of(row->ret_reason));
    query_int(&q, row->received_at);
    query_int(&q, 0);
    code = query_run(&q, e);
    return code ? code : fold_notify(f, row->event, ROW_DEAD, str_of(row->ret_reason), e);
}

// ---- records that one event holds -------------------------------------------------------------

static enum err_code append_id(struct buf *b, const char *before, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    return buf_append_format(b, "%s\"%s\"", before, text);
}

// {"holder":ID,"others":[ID...]} in the total order: the same whatever came first.
static enum err_code describe_claim(struct fold *f, const struct claim *claim, struct buf *b,
                                    bool *ret_contested, struct err *e)
{
    struct query q;
    struct uuid id = {.b = {0}};
    *ret_contested = false;
    query_begin(&q, f->tables, Q_TICKET_HOLDER);
    query_text(&q, claim->location);
    query_text(&q, claim->record);
    if (query_row(&q))
        (void)query_get_uuid(&q, 1, &id);
    enum err_code code = query_end(&q, e);
    if (code)
        return code;
    enum err_code full = append_id(b, "{\"holder\":", &id);
    if (full == ERR_OK)
        full = buf_append_str(b, STR(",\"others\":["));
    query_begin(&q, f->tables, Q_CLAIM_IDS);
    query_int(&q, claim->kind);
    query_text(&q, claim->location);
    query_text(&q, claim->record);
    while (full == ERR_OK && query_row(&q)) {
        (void)query_get_uuid(&q, 0, &id);
        full = append_id(b, *ret_contested ? "," : "", &id);
        *ret_contested = true;
    }
    code = query_end(&q, e);
    if (full == ERR_OK)
        full = buf_append_str(b, STR("]}"));
    return code == ERR_OK && full ? err_set(e, full, "out of memory for a review") : code;
}

static enum err_code review_claim(struct fold *f, const struct claim *claim, int64_t now,
                                  struct err *e)
{
    struct buf detail;
    bool contested = false;
    if (f->store == NULL || claim->rule != OWNER_FIRST)
        return ERR_OK;
    buf_init(&detail, LIMIT_MESSAGE_BYTES);
    enum err_code code = describe_claim(f, claim, &detail, &contested, e);
    struct review review = {.kind = STR("ticket_conflict"),
                            .record = claim->record,
                            .location = claim->location,
                            .text =
                                STR("Two events record the same ticket; the earlier one counts."),
                            .detail = buf_str(&detail),
                            .opened_at = now};
    if (code == ERR_OK)
        code = contested ? questions_ask(f->tables, &review, e)
                         : questions_drop(f->tables, &review, e);
    buf_fini(&detail);
    return code;
}

// The row at hand against the event that holds the record it claims.
static enum err_code contend(struct fold *f, struct fold_row *row, const struct effect_list *list,
                             const struct claim *claim, int64_t holder, struct err *e)
{
    struct event other;
    bool taken = false;
    enum err_code code = fold_load(f, holder, &other, e);
    if (code)
        return code;
    struct event_order mine = event_order_of(row->event), its = event_order_of(&other);
    bool first = claim->rule == OWNER_FIRST;
    row->ret_contended = first;
    bool wins = (event_order_compare(&mine, &its) < 0) == first;
    if (!wins) {
        row->ret_state = first ? ROW_CONFLICT : row->base;
        return claim_add(f->tables, claim, row->event, row->lsn, e);
    }
    struct fold_row loser = {.lsn = holder, .event = &other, .received_at = row->received_at};
    struct effect_list its_effects;
    code = effect_list_of(&other, &f->others, &its_effects, e);
    if (code == ERR_OK && first)
        code = effects_take_back(f, &loser, &its_effects, e);
    if (code == ERR_OK && first)
        code = fold_set_state(f, holder, &other, ROW_CONFLICT, e);
    if (code == ERR_OK)
        code = claim_add(f->tables, claim, &other, holder, e);
    return code ? code : effects_put(f, row, list, &taken, e);
}

static enum err_code claim_and_put(struct fold *f, struct fold_row *row,
                                   const struct effect_list *list, struct err *e)
{
    struct claim claim;
    bool taken = false;
    int64_t holder = 0;
    enum err_code code = ERR_OK;
    claim_of(row->event, list, &claim);
    if (claim.kind == CLAIM_LOCATION || claim.kind == CLAIM_DEVICE)
        code = claim_holder(f->tables, &claim, &holder, e);
    if (code == ERR_OK && holder == 0)
        code = effects_put(f, row, list, &taken, e); // a ticket's header says whether it is free
    if (code == ERR_OK && taken)
        code = claim_holder(f->tables, &claim, &holder, e);
    if (code || holder == 0)
        return code;
    return contend(f, row, list, &claim, holder, e);
}

// ---- one event that counts ---------------------------------------------------------------------

static void bury(struct fold_row *row, const char *reason)
{
    row->ret_state = ROW_DEAD;
    size_t n = strnlen(reason, sizeof row->ret_reason - 1);
    memcpy(row->ret_reason, reason, n);
    row->ret_reason[n] = '\0';
}

static bool is_bad_body(enum err_code code)
{
    return code == ERR_INVALID || code == ERR_LIMIT || code == ERR_NEWER || code == ERR_PARSE;
}

enum err_code fold_apply(struct fold *f, struct fold_row *row, struct err *e)
{
    struct err why = {ERR_OK, ""};
    struct effect_list list;
    row->ret_state = row->base;
    if (row->dead != NULL) {
        bury(row, row->dead);
        return ERR_OK;
    }
    if (row->event->type == NULL) {
        (void)err_set(&why, ERR_NOT_FOUND, "unknown type '%.*s'", STR_ARG(row->event->type_name));
        bury(row, why.text);
        return ERR_OK;
    }
    enum err_code code = effect_list_of(row->event, &f->effects, &list, &why);
    if (is_bad_body(code)) {
        bury(row, why.text);
        return ERR_OK;
    }
    if (code)
        return err_set(e, code, "%s", why.text);
    f->record_full = false;
    code = claim_and_put(f, row, &list, &why);
    if (code == ERR_LIMIT && f->record_full) { // nothing of it was put: the record comes first
        bury(row, why.text);
        return ERR_OK;
    }
    return code ? err_set(e, code, "%s", why.text) : ERR_OK;
}

// The record goes to the next in line, as if the one taken back had never been.
static enum err_code hand_on(struct fold *f, const struct claim *claim, struct err *e)
{
    struct event next;
    struct effect_list list;
    int64_t lsn = 0;
    bool there = false, taken = false;
    enum err_code code = claim_next(f->tables, claim, &lsn, e);
    if (code || lsn == 0)
        return code;
    struct fold_row row = {.lsn = lsn, .event = &next};
    code = fold_load(f, lsn, &next, e);
    if (code == ERR_OK)
        code = effect_list_of(&next, &f->others, &list, e);
    if (code == ERR_OK)
        code = claim_drop(f->tables, claim, &next, &there, e);
    if (code == ERR_OK)
        code = fold_base(f, lsn, &row.base, e);
    if (code == ERR_OK)
        code = effects_put(f, &row, &list, &taken, e);
    if (code == ERR_OK && claim->rule == OWNER_FIRST)
        code = fold_set_state(f, lsn, &next, row.base, e);
    return code;
}

// Undoes what an event that counted did.
enum err_code fold_take_back(struct fold *f, struct fold_row *row, struct err *e)
{
    struct effect_list list;
    struct claim claim;
    bool waited = false;
    if (row->event->type == NULL)
        return ERR_OK;
    enum err_code code = effect_list_of(row->event, &f->others, &list, NULL);
    if (code)
        return is_bad_body(code) ? ERR_OK : err_set(e, code, "out of memory for effects");
    claim_of(row->event, &list, &claim);
    bool owned =
        claim.kind == CLAIM_TICKET || claim.kind == CLAIM_LOCATION || claim.kind == CLAIM_DEVICE;
    if (owned)
        code = claim_drop(f->tables, &claim, row->event, &waited, e);
    if (code == ERR_OK && !waited)
        code = effects_take_back(f, row, &list, e);
    if (code == ERR_OK && owned && !waited)
        code = hand_on(f, &claim, e);
    if (code == ERR_OK && owned)
        code = review_claim(f, &claim, row->received_at, e);
    return code;
}

enum err_code fold_add(struct fold *f, struct fold_row *row, struct err *e)
{
    if (f->others.used > 0)
        arena_reset(&f->others);
    return fold_add_kept(f, row, e);
}

static void begin(struct fold *f, struct fold_row *row)
{
    arena_reset(&f->effects);
    row->ret_reason[0] = '\0';
    row->ret_contended = false;
}

// What came from a revoked device too late. A dead letter stays one: its reason is the caller's.
static enum err_code withhold(struct fold *f, struct fold_row *row, struct err *e)
{
    if (row->dead != NULL) {
        bury(row, row->dead);
        return ERR_OK;
    }
    row->ret_state = ROW_WITHHELD;
    return revoke_count(f, row->event, 1, row->received_at, e);
}

enum err_code fold_add_kept(struct fold *f, struct fold_row *row, struct err *e)
{
    struct ids_carriers carriers;
    bool beyond = false;
    begin(f, row);
    enum err_code code = ids_add(&f->ids, &row->event->id, row->lsn, &f->others, &carriers, e);
    row->ret_state = ROW_DUPLICATE;
    if (code || row->withdrawn)
        return code;
    code = revoke_is_beyond(f, row->event, &beyond, e);
    if (code == ERR_OK)
        code = beyond ? withhold(f, row, e) : carriers_settle(f, row, &carriers, e);
    return code;
}

// What the fold made of a row, and whether the upstream set it apart since.
static enum err_code read_withdrawn(struct fold *f, int64_t lsn, struct fold_withdrawn *ret,
                                    struct err *e)
{
    struct query q;
    enum row_state own = ROW_SETTLED;
    enum err_code code = fold_state_of(f, lsn, &own, e);
    if (code)
        return code;
    query_begin(&q, f->tables, Q_NOTICE_FIND);
    query_int(&q, lsn);
    bool said = query_row(&q);
    ret->apart = said && query_get_int(&q, 0) != ROW_ID_CONFLICT;
    if (said)
        own = (enum row_state)query_get_int(&q, 1);
    ret->counted = own <= ROW_PENDING;
    ret->folded = ret->counted || own == ROW_CONFLICT; // one that waits for a record is in claims
    return query_end(&q, e);
}

enum err_code fold_withdraw(struct fold *f, int64_t lsn, struct fold_withdrawn *ret, struct err *e)
{
    struct query q;
    struct event event;
    arena_reset(&f->others);
    arena_reset(&f->effects);
    enum err_code code = fold_load(f, lsn, &event, e);
    if (code == ERR_OK)
        code = read_withdrawn(f, lsn, ret, e);
    struct fold_row row = {.lsn = lsn, .event = &event};
    if (code == ERR_OK && ret->folded)
        code = fold_take_back(f, &row, e);
    if (code || !ret->apart)
        return code ? code : fold_set_state(f, lsn, &event, ROW_DUPLICATE, e);
    query_begin(&q, f->tables, Q_EVENT_STATE_SET); // what was said of it goes to the new carrier
    query_int(&q, ROW_DUPLICATE);
    query_int(&q, lsn);
    return query_run(&q, e);
}

enum err_code fold_retry(struct fold *f, struct fold_row *row, struct err *e)
{
    begin(f, row);
    return fold_apply(f, row, e);
}

enum err_code fold_contended(struct fold *f, const struct fold_row *row, struct err *e)
{
    struct effect_list list;
    struct claim claim;
    if (f->store == NULL || !row->ret_contended)
        return ERR_OK;
    enum err_code code = effect_list_of(row->event, &f->effects, &list, e);
    if (code)
        return code;
    claim_of(row->event, &list, &claim);
    return review_claim(f, &claim, row->received_at, e);
}

enum err_code fold_settled(struct fold *f, const struct fold_row *row, struct err *e)
{
    enum err_code code = fold_contended(f, row, e);
    return code ? code : revoke_settle(f, row->received_at, e);
}

// ---- at the end of a transaction --------------------------------------------------------------

static void bind_delta(struct query *q, const struct delta *d)
{
    query_text(q, d->location);
    query_text(q, d->sku);
    query_int(q, d->quantity);
    query_int(q, d->moves);
}

// ret_quantity: what the SKU has now; only where told.
static enum err_code add_to_stock(struct fold *f, const struct delta *d, bool told,
                                  int64_t *ret_quantity, struct err *e)
{
    struct query q;
    query_begin(&q, f->tables, told ? Q_STOCK_MOVE_TOLD : Q_STOCK_MOVE);
    bind_delta(&q, d);
    if (told && query_row(&q))
        *ret_quantity = query_get_int(&q, 0);
    enum err_code code = query_run(&q, e);
    if (code || sqlite3_changes(f->tables->handle) > 0)
        return code;
    *ret_quantity = d->quantity;
    query_begin(&q, f->tables, Q_STOCK_ADD);
    bind_delta(&q, d);
    if (f->confirms)
        query_int(&q, 0);
    else
        query_null(&q);
    return query_run(&q, e);
}

static enum err_code write_stock(struct fold *f, const struct delta *d, struct feed_writer *feed,
                                 bool told, struct err *e)
{
    struct query q;
    int64_t quantity = 0;
    enum err_code code = add_to_stock(f, d, told || f->asks, &quantity, e);
    bool gone = false;
    if (code == ERR_OK && d->taken_back && !f->confirms) {
        query_begin(&q, f->tables, Q_STOCK_DROP_EMPTY);
        query_text(&q, d->location);
        query_text(&q, d->sku);
        code = query_run(&q, e);
        gone = code == ERR_OK && sqlite3_changes(f->tables->handle) > 0;
    }
    if (code == ERR_OK && f->asks && turns_add(&f->turns, d, quantity))
        code = err_set(e, ERR_NO_MEMORY, "out of memory for stock");
    if (code || !told)
        return code;
    struct feed_change none = {d->location, STR("stock"), d->sku, STR("")};
    return gone ? feed_writer_put(feed, &none, e)
                : feed_writer_stock(feed, d->location, d->sku, quantity, e);
}

static enum err_code any_feed(struct fold *f, bool *ret, struct err *e)
{
    struct query q;
    *ret = false;
    if (f->store == NULL || f->confirms)
        return ERR_OK;
    query_begin(&q, f->tables, Q_FEED_ANY);
    *ret = query_row(&q);
    return query_end(&q, e);
}

enum err_code fold_flush(struct fold *f, struct err *e)
{
    struct feed_writer feed;
    bool feeds = false, told = false;
    size_t count = f->deltas.count;
    f->turns.flush++;
    enum err_code code = any_feed(f, &feeds, e);
    if (code == ERR_OK && feeds)
        code = feed_queue_flush(&f->changes, f->tables, e);
    if (code)
        return code;
    struct delta **sorted = delta_map_sort(&f->deltas);
    feed_writer_init(&feed, f->tables);
    for (size_t i = 0; i < count && code == ERR_OK; i++) {
        if (feeds)
            code = feed_writer_turn(&feed, sorted[i]->location, &told, e);
        bool nothing = sorted[i]->quantity == 0 && sorted[i]->moves == 0;
        if (code == ERR_OK && !nothing)
            code = write_stock(f, sorted[i], &feed, told, e);
    }
    if (code == ERR_OK && feeds)
        code = feed_writer_end(&feed, e);
    feed_writer_fini(&feed);
    clear_changes(f);
    return code ? code : records_flush(&f->records, e);
}
