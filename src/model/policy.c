// SPDX-License-Identifier: Apache-2.0
#include "model/policy.h"

#define ORDER_TESTS "test/unit/model/order_test.c"
#define JUDGE_TESTS "test/unit/model/judge_test.c"
#define FLOOR_TESTS "test/unit/model/floor_test.c"
#define STORE_TESTS "test/unit/store/fold_test.c"

const struct policy policies[] = {
    {"order header", "last writer wins, each field by itself", "the newest of each field", "never",
     ORDER_TESTS, "two who change the table and the covers did not contradict each other"},
    {"order status (each bill)", "lattice: draft < fired < voided < paid < refunded",
     "the higher; a void beside money that was taken loses",
     "`order_void_lost`: a void beside a payment", ORDER_TESTS,
     "what was paid never becomes a draft again; only a refund undoes it"},
    {"order lines", "observed-remove set; quantities are summed deltas",
     "both stay; a remove takes out exactly what its author had seen",
     "`order_line`: two edits of one line; `order_after_payment`: one beside the payment",
     ORDER_TESTS, "nothing that somebody ordered vanishes because somebody else touched the table"},
    {"bills of an order", "deltas: minus on the bill that gives, plus on the one that takes",
     "all count; the sum over the bills is the line's",
     "`order_split`: a bill gave more than it had", ORDER_TESTS,
     "no unit is billed twice, whoever splits"},
    {"opening of an order", "first in the order", "the first counts", "`order_opened_twice`",
     ORDER_TESTS, "one visit begins once"},
    {"merged orders", "last writer wins", "the newest", "`order_merged_twice`: into two orders",
     ORDER_TESTS, "an order sits at one table in the end"},
    {"completion of a bill", "first in the order", "the first counts, both are kept",
     "`order_completed_twice`", ORDER_TESTS, "one bill is one sale"},
    {"payments, refunds", "grow-only set", "all are kept",
     "`order_payment`: what was paid is not what was to be paid", ORDER_TESTS,
     "money that was taken is a fact"},
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
    {"ticket", "first in the order", "the first counts, others are kept as conflict",
     "`ticket_conflict`", STORE_TESTS, "a whole ticket is one sale; a second one is a mistake"},
    {"stock", "sum of deltas, for each place and SKU", "all count", "never", STORE_TESTS,
     "100, an adjustment to 95 and a sale of 5 give 90"},
    {"location, device", "last writer wins", "the newest", "never", STORE_TESTS,
     "said by the centre alone"},
    {"event id", "each (place, id) counts once", "the first carrier in the order",
     "`id_conflict`: the same id with other content", STORE_TESTS,
     "a retry by another way is the same event"},
};
const size_t policy_count = sizeof(policies) / sizeof(policies[0]);
