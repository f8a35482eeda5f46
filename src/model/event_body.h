// SPDX-License-Identifier: Apache-2.0
// Bodies of events on folded records: their members, for the table of types.
#ifndef WASL_MODEL_EVENT_BODY_H
#define WASL_MODEL_EVENT_BODY_H

#include "model/event_type.h"

extern const struct field opened_fields[];
extern const struct field line_added_fields[];
extern const struct field line_changed_fields[];
extern const struct field line_removed_fields[];
extern const struct field order_set_fields[];
extern const struct field order_moved_fields[];
extern const struct field order_split_fields[];
extern const struct field order_merged_fields[];
extern const struct field order_voided_fields[];
extern const struct field ticket_fired_fields[];
extern const struct field completed_fields[];
extern const struct field payment_taken_fields[];
extern const struct field payment_refunded_fields[];
extern const struct field judged_fields[];
extern const struct field resolved_fields[];
extern const struct field shift_opened_fields[];
extern const struct field cash_moved_fields[];
extern const struct field drawer_opened_fields[];
extern const struct field shift_closed_fields[];
extern const struct field table_set_fields[];
extern const struct field unavailable_fields[];
extern const struct field unmet_fields[];
extern const struct field customer_fields[];
extern const struct field reserve_fields[];
extern const struct field release_fields[];
extern const struct field bumped_fields[];
// event_body_catalog.c
extern const struct field item_set_fields[];
extern const struct field price_set_fields[];
extern const struct field price_overridden_fields[];
extern const struct field tax_set_fields[];
extern const struct field promotion_set_fields[];
extern const struct field recipe_set_fields[];
extern const struct field catalog_published_fields[];
// event_body_chain.c
extern const struct field user_set_fields[];
extern const struct field role_set_fields[];
extern const struct field setting_set_fields[];
extern const struct field authority_set_fields[];
extern const struct field authority_released_fields[];

#endif
