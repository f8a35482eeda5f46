// SPDX-License-Identifier: Apache-2.0
// Random histories of a record: devices write events and are told of others' at random.
//
// Why: that a merge depends on the set of events alone is shown on thousands of histories that
//   nobody thought of. Each reducer has a generator here; a test fails for one that has none.
// How to add one: a function that lets a device write one random event of the record, drawn so that
//   devices meet each other in the same few fields; a row in 'generators'.
#ifndef WASL_TEST_GENERATE_H
#define WASL_TEST_GENERATE_H

#include "base/rng.h"
#include "test/unit/model/history.h"

typedef void generate_event(struct history *h, struct rng *rng, int device);

struct generator {
    const char *record_type;
    generate_event *write;
};
extern const struct generator generators[];
extern const size_t generator_count;
const struct generator *generator_of(const struct reducer *reducer); // NULL: none

// Draws a history into h, which is fresh: some clocks are hours off, devices see one another's
// events in part, answer questions that they are asked, and some events are judged.
void generate_history(struct history *h, struct rng *rng);
// What no honest device does: clocks that step back within a stream, bases in circles.
void generate_forgery(struct history *h, struct rng *rng);

generate_event generate_asked, generate_batch, generate_order, generate_review, generate_table,
    generate_availability, generate_unmet, generate_customer, generate_reservation, generate_shift,
    generate_item, generate_price, generate_tax, generate_promotion, generate_recipe, generate_role,
    generate_user, generate_setting, generate_authority;

#endif
