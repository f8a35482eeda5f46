// SPDX-License-Identifier: Apache-2.0
#include "cli/answer_text.h"

static const char stays[] = "nothing changes: it counts as it is, and somebody has looked";
static const char unmoved[] = "the stock stays as it is, and somebody has looked";
static const char out[] = "what each side said is taken out; what was before them stands";

static const struct answer_text texts[] = {
    {"stock_difference stock_overlap stock_unchecked stock_below_zero", unmoved, unmoved,
     "--value is added to the stock (-5: five fewer)"},
    {"stock_odd ticket_odd ticket_price ticket_payments ticket_conflict order_price order_payment "
     "order_lines id_conflict",
     stays, stays, NULL},
    {"order_line", "all changes count",
     "what each side added or took off is taken out again; a removal stays", NULL},
    {"order_split", "all splits count; what is missing can be split back",
     "the splits named are undone, of this line", NULL},
    {"order_merged_twice", "the later one has it", "both merges are undone", NULL},
    {"order_opened_twice shift_opened_twice shift_closed_twice authority_same_term",
     "the first counts", "the first counts, and the later one is no longer asked about", NULL},
    {"price_same_rank tax_same_rank promotion_same_rank", "the later one stands", out,
     "--value stands instead"},
    {"price_outranked", "the branch's price counts until the head office publishes a newer one",
     "it does not count, for good", NULL},
    {"reservation_denied", "it stays denied, and somebody has told kitchen and waiter",
     "it stays denied, and somebody has told kitchen and waiter", NULL},
    {"revoked", "what the device delivered until now counts",
     "none of it counts, and nobody is asked again", NULL},
    {"late clock unauthorised", "what waits for the answer applies; what counts already stays",
     "what waits for the answer is denied for good; what counts already stays", NULL},
};

static const struct answer_text *find(struct str kind)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct str kinds = str_of(texts[i].kinds), one;
        while (str_cut(&kinds, ' ', &one)) {
            if (str_equal(one, kind)) {
                return &texts[i];
            }
        }
    }
    return NULL;
}

const struct answer_text *answer_text_of(struct str kind)
{
    const struct answer_text *found = find(kind);
    size_t end = kind.n;
    while (end > 0 && kind.p[end - 1] != '_') {
        end--;
    }
    // Of any record, by the reason alone: order_late.
    return found != NULL ? found : find(str_make(kind.p + end, kind.n - end));
}
