// SPDX-License-Identifier: Apache-2.0
// Orders: a table's whole visit, with its lines, bills, payments and completions.
//
// Rules (docs/POLICIES.md has them by record type):
//   header     last writer wins, each field by itself
//   lines      an observed-remove set: what a line holds is the sum of its adds and changes but
//              those that a remove's author had seen; two edits of one line whose authors had not
//              seen each other both stay, and a person is asked
//   bills      a split moves quantities from one bill of the order to another, as a delta on both:
//              their sum is always the line's
//   status     draft < fired < voided < paid < refunded, for each bill; the higher stands
//   payments   a grow-only set: money that was taken is a fact
//   bumps      a grow-only set: the first that says a line is done at a station
//   completion one for each bill: the first that was not judged a duplicate
// Ownership: everything here lives in the record (see model/record.h).
#ifndef WASL_MODEL_ORDER_H
#define WASL_MODEL_ORDER_H

#include "model/id_map.h"
#include "model/question.h"

// ---- what the events say ----------------------------------------------------------------------

enum order_verb {
    ORDER_OPEN,
    ORDER_ADD,
    ORDER_CHANGE,
    ORDER_REMOVE,
    ORDER_PRICE,
    ORDER_SET,
    ORDER_MOVE,
    ORDER_SPLIT,
    ORDER_MERGE,
    ORDER_VOID,
    ORDER_FIRE,
    ORDER_BUMP,
    ORDER_COMPLETE,
    ORDER_PAY,
    ORDER_REFUND,
    ORDER_RESOLVE,
};

enum order_header {
    HEADER_TABLE,
    HEADER_COVERS,
    HEADER_WAITER,
    HEADER_CUSTOMER,
    HEADER_DISCOUNT, // percent, a decimal string
    HEADER_NOTE,
    HEADER_COUNT
};
const char *order_header_name(enum order_header field);

struct order_share { // of a line, in a split; the zero bill is the order's first
    struct uuid line;
    int64_t quantity; // decimal, above zero
};

struct order_op {
    enum order_verb verb;
    bool whole;       // no bill was named: a void is of the whole order
    struct uuid bill; // zero: the order's first
    struct str shift; // of money and completions: in which it happened; may be empty
    union {
        struct {
            struct str kind; // dine_in, takeaway, delivery
            struct str table;
            struct str currency;
            int places;
            struct str covers;
        } open;
        struct {
            struct uuid line;
            struct str sku, name, modifiers, note;
            int64_t quantity;   // decimal; of a change: a delta
            int64_t unit_price; // decimal
            int64_t catalog;    // the version its author had before him; 0: not said
            struct str by;      // of another price: who allowed it
        } line;
        struct {
            enum order_header field;
            struct str value; // empty: none any more
        } set;
        struct {
            struct uuid from;
            const struct order_share *shares;
            size_t count;
        } split; // to 'bill'
        struct {
            struct uuid line; // zero: all that the station had
            struct str station;
        } bump;
        struct str into; // merge: the order that takes this one in
        struct {
            int64_t total; // minor units
            struct str receipt;
        } complete;
        struct {
            struct uuid payment; // the id of the payment, or of the refund
            struct uuid of;      // refund: the payment given back
            struct str method, currency;
            int64_t amount; // minor units, above zero
            int64_t value;  // the same in the order's currency
            bool valued;    // it was said; else it is the amount
        } money;
        struct answer_op answer; // resolve
    };
};

enum err_code order_decode(const struct event *event, struct arena *kept, const void **ret_op,
                           struct err *e) MUST_CHECK;
// What an event says, in a few words for people; a text without a pointer when out of memory.
struct str order_say(const struct order_op *op, struct arena *a);

// A question about one or two events of an order, with what they say.
struct order_ask {
    const char *kind;
    const struct uuid *part;                    // a line or bill; NULL or zero: the whole order
    const struct record_entry *earlier, *later; // later may be NULL
    struct str base;
    enum decision suggested;
    const char *why;
};
enum err_code order_ask(struct question **list, const struct order_ask *ask,
                        struct arena *a) MUST_CHECK;

// ---- what follows from them -------------------------------------------------------------------

struct order_touch { // one event's part in a line
    const struct record_entry *by;
    int64_t quantity; // what it adds; 0 for a remove or a note
    bool cancelled;   // a remove that had seen it took it out
    bool asked;       // a question names it
    bool saw_all;     // its author had seen all before it
    struct order_touch *next;
    struct order_touch *next_unasked;
};
struct order_price { // another price than the one it was added at
    const struct record_entry *by;
    const struct order_op *op;
    struct order_price *next;
};
struct order_line {
    struct uuid id;
    const struct record_entry *added; // NULL: only changes of it are known here
    struct str sku, name, modifiers, note;
    int64_t unit_price, catalog;
    struct order_price *prices;     // newest first
    struct uuid bill;               // where it was added
    struct order_touch *touches;    // newest first; NULL: only a split names it
    struct order_touch *unasked;    // of them, those that no question names
    struct str base;                // what both sides of its first question had seen
    struct order_assignment *moves; // newest first
    struct order_line *next;
};
struct order_assignment { // what a split moved: minus on one bill, plus on another
    struct uuid bill;
    int64_t quantity;
    bool cancelled; // its line was removed by someone who had seen it
    const struct record_entry *by;
    struct order_assignment *next;
};
struct order_merge {
    const struct record_entry *by;
    struct str into;
    struct order_merge *next;
};
struct order_completion {
    const struct record_entry *by;
    const struct order_op *op;
    struct order_completion *next; // later ones
};
struct order_money {
    const struct record_entry *by;
    const struct order_op *op;
    struct order_money *next;
};
struct order_bill {
    struct uuid id;
    const struct record_entry *voided;
    struct order_completion *completions; // in order, but those judged duplicates
    struct order_completion *last;
    struct order_bill *next;
};
struct order_bump { // a line, or all of a station, that the kitchen is done with
    const struct record_entry *by;
    const struct order_op *op;
    struct order_bump *next;
};

struct order_state {
    const struct record_entry *opened;
    const struct order_op *opening;
    struct str headers[HEADER_COUNT];
    const struct record_entry *fired;
    const struct record_entry *voided; // as a whole
    struct order_merge *merges;        // newest first
    struct order_line *lines;
    struct id_map by_id; // the same
    size_t added;        // of them, those whose adding is known
    struct order_bill *bills;
    bool split; // some units were moved
    struct order_moneys {
        struct order_money *first, *last;
    } payments, refunds;
    struct order_bump *bumps; // each line and station once: by whom first
    struct questions questions;
};

enum err_code order_apply(void *state, const struct record_entry *entry,
                          struct arena *folded) MUST_CHECK;
enum err_code order_rows(const void *state, struct str record_id, struct row_list *to) MUST_CHECK;

// Completions of the order's bills that another one came before in the order, and that
// neither a person nor a judgement took out: at most LIMIT_BASE. The record is folded.
size_t order_second_completions(const struct record *order, struct uuid ret[LIMIT_BASE]);

// Whether the order takes the line: it has it, or fewer than LIMIT_TICKET_LINES were added, those
// that were removed too. The record is folded.
bool order_takes_line(const struct record *order, const struct uuid *line);

extern const struct reducer order_reducer;

#endif
