// SPDX-License-Identifier: Apache-2.0
// Drafts of the catalog: items, prices, taxes, promotions and recipes as people edit them.
//
// Rules (docs/POLICIES.md):
//   items, recipes             last writer wins, each field by itself
//   prices, taxes, promotions  likewise; but two who set one field to different values, without
//                              having seen each other, are asked about: 'same_rank'. The later one
//                              stands meanwhile; a later edit that saw both settles it.
// What is of the chain ("*") is published from here; a price at a place is that place's own, which
// counts there as model/price.h says. Of those the last LIMIT_OWN_PRICES that were not held or
// rejected are rows: a sale may come by one that was replaced meanwhile.
#ifndef WASL_MODEL_DRAFT_H
#define WASL_MODEL_DRAFT_H

#include "model/card.h"

extern const struct reducer item_reducer, price_reducer, tax_reducer, promotion_reducer,
    recipe_reducer;

#endif
