// SPDX-License-Identifier: Apache-2.0
// A whole ticket as it comes from elsewhere: a foreign till's file, or the generator.
//
// Why: the reader of CSV files, the generated Friday and the writer of `ticket_recorded` bodies
//   agree on one shape.
// Invariants: at most TICKET_LINES_MAX lines; quantities and prices are decimals (ten-thousandths)
//   and keep the sign that the source gave them; identity is event_id.
// Ownership: all spans and arrays are borrowed from whoever produced the ticket, until its next
//   call. Texts are valid UTF-8; an absent one is the empty span. But for a line's name
//   (LIMIT_TEXT) they are fit for an event's names (event_name_valid).
#ifndef WASL_CLI_TICKET_H
#define WASL_CLI_TICKET_H

#include "base/str.h"
#include "base/uuid.h"
#include "model/effect.h"
#include "model/limits.h"

enum {
    TICKET_LINES_MAX = LIMIT_TICKET_LINES,
};

struct ticket_line {
    uint64_t row;   // of the source, from 1, the header not counted
    uint64_t line;  // of the source's text, where the row begins; 0 where there is no such thing
    struct str sku; // never empty
    struct str name;
    int64_t quantity;   // decimal
    int64_t unit_price; // decimal, in the ticket's currency
};

// One tender. amount counts in the ticket's own currency, so that payments add up to the total;
// tendered says what was handed over where that was another currency (rate is 0 otherwise).
struct ticket_payment {
    struct str method;
    int64_t amount;
    struct str tendered_currency;
    int tendered_places;
    int64_t tendered_amount;
    int64_t rate; // decimal: units of the tendered currency for one of the ticket's
};

struct ticket {
    struct uuid event_id;
    struct str no; // what the till printed
    enum ticket_kind kind;
    int64_t at_ms; // since 1970
    struct str location;
    struct str till;
    struct str table;    // empty for takeaway, and where the source has no such thing
    struct str payment;  // method; used when payment_count is 0
    struct str currency; // never empty; "XXX" (ISO 4217: none) where the source states none
    int places;          // of the currency's minor unit, 0..4
    struct str customer; // a code
    const struct ticket_line *lines;
    size_t line_count;
    const struct ticket_payment *payments;
    size_t payment_count;
    size_t rejected_rows; // rows of this ticket that could not be read: it is incomplete
};

#endif
