// SPDX-License-Identifier: Apache-2.0
// What people do to the records that a place shares, on several tills: orders, tables, sold-out
// dishes, customers, the place's own prices.
//
// Whatever is drawn names as its base what its author's till shows, as the daemon does. Each event
// is kept with its meaning apart from its bytes, for oracles that fold on their own.
#ifndef WASL_SIM_SHOP_H
#define WASL_SIM_SHOP_H

#include "model/batch.h"
#include "model/question.h"
#include "sim/world.h"

enum { SHOP_EVENTS = 512 }; // of one record

enum shop_kind {
    SHOP_ORDER,
    SHOP_TABLE,
    SHOP_AVAILABILITY,
    SHOP_CUSTOMER,
    SHOP_UNMET,
    SHOP_PRICE,
    SHOP_RESERVATION,
    SHOP_SHIFT,
    SHOP_STOCK, // only what was judged of it
    SHOP_BATCH, // what was judged of many
    SHOP_USER,  // these are said by the centre
    SHOP_ROLE,
    SHOP_SETTING,
    SHOP_KINDS
};
struct shop_record {
    int place;
    int number; // in world.shop
    enum shop_kind kind;
    const struct reducer *reducer;
    char id[BATCH_ID_SIZE];
    struct item *items[SHOP_EVENTS];
    int count;
    int64_t told_at;  // last, by the centre
    uint64_t dropped; // from the feed: after how many others; 0: never
    // of a shift
    int drawer;
    const struct item *closing; // that counts in the end
    bool opened;
};
struct shop_set { // of a record's items, by their number
    uint64_t words[SHOP_EVENTS / 64];
};

enum shop_verb {
    SHOP_OPEN,
    SHOP_ADD,
    SHOP_CHANGE,
    SHOP_REMOVE,
    SHOP_SET,
    SHOP_MOVE,
    SHOP_SPLIT,
    SHOP_MERGE,
    SHOP_VOID,
    SHOP_FIRE,
    SHOP_COMPLETE,
    SHOP_PAY,
    SHOP_REFUND,
    SHOP_OVERRIDE,
    SHOP_VERBS, // of orders; others' follow
    SHOP_WRITE,
    SHOP_REQUEST,
    SHOP_RELEASE,
    SHOP_SHIFT_OPEN,
    SHOP_CASH,
    SHOP_SHIFT_CLOSE,
    SHOP_JUDGE, // by the authority
    SHOP_ANSWER
};
struct shop_share {
    struct uuid line;
    int64_t quantity;
};
enum { SHOP_SHARES = 2, SHOP_TEXT = 24, SHOP_FIELDS = 4 };
struct shop_field { // of a card: what its author wrote
    bool written;
    char value[SHOP_TEXT]; // empty: none any more
};

struct shop_item { // what its author meant
    struct shop_record *of;
    int number; // among the record's
    struct carrier *carriers;
    bool retried; // at another till
    int row;      // its record in the place's feed; 0: none
    enum shop_verb verb;
    bool whole;       // no bill was named
    struct uuid line; // or the payment
    struct uuid bill; // zero: the first
    struct uuid from; // of a split
    int64_t quantity; // decimal
    int64_t amount;   // minor units
    int64_t price;    // decimal
    struct shop_field fields[SHOP_FIELDS];
    int field; // of the header
    char value[SHOP_TEXT];
    struct shop_share shares[SHOP_SHARES];
    int share_count;
    int sku; // of a reservation
    int64_t until_at;
    // of a shift's closing: its number, and what its author's till knew of
    int64_t z;
    const struct item **held;
    uint64_t held_count;
    // of a judgement
    int target;               // the event's number in the record; -1: it is none of the record's
    const struct item *about; // then
    struct verdict verdict;
    const struct shop_record *batch; // that is asked about instead; NULL: it is asked about alone
    struct stream_key part;          // of a batch: which stream ...
    uint64_t first_seq, last_seq;    // ... and which of it
    // of an answer
    struct shop_set triggers;
    char kind[SHOP_TEXT], of_part[UUID_TEXT_SIZE]; // what was asked
    enum decision decision;
};
struct shop_carrier {
    struct event_order order;
    struct uuid base[LIMIT_BASE];
    int base_count;
    struct shop_set seen; // by its author
    struct carrier *next; // of the same item
};

void shop_set_add(struct shop_set *set, int number);
bool shop_set_has(const struct shop_set *set, int number);
void shop_set_join(struct shop_set *set, const struct shop_set *other);

// A draft in scratch memory; NULL: nothing can be done at this till just now.
struct item *shop_draw(struct world *w, struct till *t, struct event *ret);
// The same once more, at a till of the same place: its client had no answer. False: none is up, or
// it knows the event.
bool shop_retry(struct world *w, const struct till *t, struct event *draft, const struct item *item,
                struct till **ret);
// A carrier was stamped from the draft: what its author's node shows is what he had seen.
void shop_stamped(struct world *w, const struct book *shown, struct carrier *c,
                  const struct event *event);
// The same for an event that was appended again.
void shop_stamped_again(struct world *w, struct carrier *c, const struct carrier *old,
                        const struct event *event);

// For the centre: an item of the record that it writes itself, and a draft of its event.
struct shop_record *shop_stock_record(struct world *w, const struct item *item);
const struct shop_record *shop_stock_find(const struct world *w, const struct item *item); // NULL
struct item *shop_say(struct world *w, struct shop_record *of, const char *type, struct event *ret);
// At the centre: whether the record's event was judged so; JUDGED_NOT: in any way.
bool shop_is_judged(const struct shop_record *of, int number, enum verdict_outcome outcome);
// A completion that takes nothing from stock, since another of its bill came before it.
bool shop_is_second(const struct item *item);

// The record of that name; the first makes it where there is none, the second says NULL.
struct shop_record *shop_record_at(struct world *w, int place, enum shop_kind kind, const char *id);
struct shop_record *shop_record_find(const struct world *w, int place, enum shop_kind kind,
                                     const char *id);
// Which of a device's feeds tells of it.
int shop_feed(const struct shop_record *of);
// Of a record with one author: who said the field last, up to there (NULL: at all), of what that
// book shows; and the first that says anything. NULL: nobody.
const struct item *shop_said_last(const struct book *at, const struct shop_record *of, int field,
                                  const struct event_order *until);
const struct carrier *shop_said_first(const struct book *at, const struct shop_record *of);

struct item *shop_find(const struct world *w, const struct uuid *id); // NULL: of no record
// After quiet: every node that is entitled to it holds the same of each record, and what follows
// from it is what their authors meant.
void shop_check_end(struct world *w);

// shop_order.c. Writes the body of something that may be done to the order, fills in what it means
// and says its event type.
struct shop_view { // a record as a till shows it
    struct world *w;
    const struct till *till;
    struct shop_record *of;
    struct item *item; // being drawn
    struct buf *body;
};
const char *shop_order_draw(struct shop_view *v);
// shop_reservation.c. The same for reservations.
const char *shop_reservation_draw(struct shop_view *v);
// shift.c. The same for shifts.
const char *shop_shift_draw(struct shop_view *v);
// shop_card.c. The same for records of fields that the last writer wins.
const char *shop_card_draw(struct shop_view *v);
// One of the few ids that the cards of this kind have.
void shop_card_id(struct world *w, enum shop_kind kind, char ret[UUID_TEXT_SIZE]);

void shop_text(struct shop_view *v, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
