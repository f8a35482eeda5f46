// SPDX-License-Identifier: Apache-2.0
#include "model/policy.h"

#define ORDER_TESTS       "test/unit/model/order_test.c"
#define JUDGE_TESTS       "test/unit/model/judge_test.c"
#define ASKED_TESTS       "test/unit/model/asked_test.c"
#define FLOOR_TESTS       "test/unit/model/floor_test.c"
#define RESERVATION_TESTS "test/unit/model/reservation_test.c"
#define SHIFT_TESTS       "test/unit/model/shift_test.c"
#define STORE_TESTS       "test/unit/store/fold_test.c"
#define DRAFT_TESTS       "test/unit/model/draft_test.c"
#define CATALOG_TESTS     "test/unit/store/catalog_test.c"
#define PEOPLE_TESTS      "test/unit/model/people_test.c"

const struct policy policies[] = {
    {"order header", "last writer wins, each field by itself", "the newest of each field", "never",
     ORDER_TESTS, "two who change the table and the covers did not contradict each other"},
    {"order status (each bill)", "lattice: draft < fired < voided < paid < refunded",
     "the higher; a void beside money that was taken loses",
     "`order_void_lost`: a void beside a payment", ORDER_TESTS,
     "what was paid never becomes a draft again; only a refund undoes it"},
    {"order lines", "observed-remove set; quantities are summed deltas",
     "both stay; a remove takes out exactly what its author had seen",
     "`order_line`: two edits of one line; `order_after_payment`: one beside the payment; "
     "`order_lines`: more than 2,000",
     ORDER_TESTS, "nothing that somebody ordered vanishes because somebody else touched the table"},
    {"bills of an order", "deltas: minus on the bill that gives, plus on the one that takes",
     "all count but those that a person rejected; the sum over the bills is the line's",
     "`order_split`: a bill gave more than it had", ORDER_TESTS,
     "no unit is billed twice, whoever splits"},
    {"opening of an order", "first in the order", "the first counts", "`order_opened_twice`",
     ORDER_TESTS, "one visit begins once"},
    {"merged orders", "last writer wins", "the newest that no person rejected",
     "`order_merged_twice`: into two orders", ORDER_TESTS, "an order sits at one table in the end"},
    {"completion of a bill", "first in the order", "the first counts, both are kept",
     "`order_completed_twice`", ORDER_TESTS, "one bill is one sale"},
    {"payments, refunds", "grow-only set", "all are kept",
     "`order_payment`, of a ticket `ticket_payments`: what was paid is not what was to be paid",
     ORDER_TESTS, "money that was taken is a fact"},
    {"answers to reviews", "grow-only set of settled triggers",
     "an answer settles what it names; what it does not name stays open", "never", ORDER_TESTS,
     "nothing is settled that nobody looked at"},
    {"judgements", "a person's answer, then the higher term, then a duplicate, then the first",
     "one verdict for each event, whichever came first", "never", JUDGE_TESTS,
     "what depends on more than the record is decided once and said to all"},
    {"late events", "facts apply, intents are held", "as if they had come in time",
     "`late`: one question for a whole backlog", JUDGE_TESTS,
     "money and goods that moved cannot be held back; what somebody wanted four days ago can"},
    {"events from the future", "their place in the order is that of their coming",
     "as if they were written now", "`clock`: one question for each stream", JUDGE_TESTS,
     "no order follows a clock that is ahead"},
    {"table status", "last writer wins", "the newest by the order, whenever it arrives", "never",
     FLOOR_TESTS, "who stands at the table knows"},
    {"sold-out dish", "last writer wins", "the newest statement, as a whole", "never", FLOOR_TESTS,
     "who cooks knows what there is"},
    {"customer", "last writer wins, each field by itself", "the newest of each field", "never",
     FLOOR_TESTS, "a tier and a language do not contradict each other"},
    {"unmet demand", "last writer wins", "the newest, of one record", "never", FLOOR_TESTS,
     "each is a record of its own: only a correction meets it"},
    {"bumped lines", "grow-only set, for each line and station", "the first that said so", "never",
     ORDER_TESTS, "what is cooked is cooked"},
    {"reservation", "the authority decides, once", "confirmed or denied, and never both",
     "`reservation_denied`: kitchen and waiter are told; `reservation_requested_twice`",
     RESERVATION_TESTS, "of two who want the last one, one must hear no"},
    {"shift", "immutable facts; the first opening and the first closing in the order",
     "all are kept; the first Z counts", "`shift_opened_twice`; `shift_closed_twice`", SHIFT_TESTS,
     "a Z is printed and never redone"},
    {"money of a shift", "the Z that froze its event; else the next Z of the till that did",
     "late money goes to a dated section of a later Z", "never", SHIFT_TESTS,
     "nothing vanishes, and nothing is counted twice"},
    {"items, recipes", "last writer wins, each field by itself", "the newest of each field",
     "never", DRAFT_TESTS, "a draft: nobody sells by it before it is published"},
    {"prices, taxes, promotions",
     "the head office wins over a branch: a branch's own price, a record of its place, is let in "
     "or "
     "held as the setting `price_authority` says, and counts until the head office publishes a "
     "price that its author had not seen; within a rank the last writer wins; a branch sets no "
     "taxes and promotions",
     "the later one stands until a person decides, and nothing of the chain is published "
     "meanwhile; a branch's price beside the head office's newer one yields, in whatever order "
     "they come",
     "`price_same_rank`, `tax_same_rank`, `promotion_same_rank`: two of one rank set a field to "
     "different values; `price_outranked`, `price_unauthorised`: a branch that may not",
     DRAFT_TESTS, "no clock decides what the chain asks its guests for"},
    {"price of an order's line", "last writer wins, with the name of who allowed it",
     "the newest; both are kept", "`order_line`: beside another edit of the line", ORDER_TESTS,
     "what was agreed with a guest stands, and somebody answers for it"},
    {"catalog", "numbered versions; a device shows one of them, whole",
     "never mixed: rows that do not give the version's hash are not shown",
     "`catalog_hash`: a device's rows are not what was published", CATALOG_TESTS,
     "a bill is never made from two price lists"},
    {"setting", "last writer wins; a place's own word is a record of its own", "the newest",
     "never", "test/unit/model/setting_test.c",
     "what can wait for the night is not worth a question"},
    {"authority of a place", "the highest term; of one term the first in the order",
     "the first of a term counts, and also where both are rejected",
     "`authority_same_term`: two holders in one term", "test/unit/model/authority_test.c",
     "two who decide at once decide nothing"},
    {"user, role", "last writer wins, each member by itself; a list is one value",
     "the newest of each", "never", PEOPLE_TESTS,
     "said by the centre alone; who was dismissed stays so"},
    {"ticket", "first in the order", "the first counts, others are kept as conflict",
     "`ticket_conflict`", STORE_TESTS, "a whole ticket is one sale; a second one is a mistake"},
    {"counts, sales that say what they saw", "sum of deltas; held against what their author knew",
     "all count",
     "`stock_difference`: it saw what no event explains; `stock_overlap`: a count that did not "
     "know of what moved before it; `stock_unchecked`: one that differs, where what its author had "
     "not seen is not known",
     "test/unit/model/quantity_test.c",
     "a loss or a missing event is never settled silently, nor is a sale taken out twice"},
    {"what cannot be so", "counts as it was said, where it comes from elsewhere", "all count",
     "`ticket_odd`: a return that takes goods; `stock_odd`: a record that is not its SKU; where it "
     "is made it is refused",
     "test/unit/model/odd_test.c", "what happened elsewhere nobody can correct by refusing it"},
    {"stock", "sum of deltas, for each place and SKU", "all count",
     "`stock_below_zero`: more was taken than there is, of what the place keeps stock of; closed "
     "when there is enough again",
     ASKED_TESTS, "100, an adjustment to 95 and a sale of 5 give 90"},
    {"sold prices", "immutable facts, compared with the catalog's version that their line names",
     "as they were sold, whatever is answered",
     "`ticket_price`, `order_price`: neither that version nor the place nor a name explains it; an "
     "override that comes later closes it",
     "test/unit/model/price_test.c", "what was sold is never priced again"},
    {"location, device", "last writer wins", "the newest", "never", STORE_TESTS,
     "said by the centre alone"},
    {"event id", "each (place, id) counts once", "the first carrier in the order",
     "`id_conflict`: the same id with other content", STORE_TESTS,
     "a retry by another way is the same event"},
};
const size_t policy_count = sizeof(policies) / sizeof(policies[0]);
