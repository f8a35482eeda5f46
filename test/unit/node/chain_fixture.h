// SPDX-License-Identifier: Apache-2.0
// A chain of one centre and one enrolled till in a scratch folder, and events for them.
#ifndef WASL_TEST_UNIT_NODE_CHAIN_FIXTURE_H
#define WASL_TEST_UNIT_NODE_CHAIN_FIXTURE_H

#include "node/journal.h"
#include "test/unit/node/node_fixture.h"
#include "test/unit/unit.h"

struct chain {
    char dir[CONFIG_PATH_MAX];
    struct config centre_config, hub_config, till_config; // no device's has an upstream yet
    struct journal *centre, *hub, *till;
};
void chain_open(struct chain *c); // the journals of centre and till are open
// A device of the till's place, enrolled at the centre; its journal is the caller's.
struct journal *chain_device(struct chain *c, const char *name, enum node_role role,
                             struct config *config);
// A hub of the till's place, which knows the till as the feed of the place tells it.
void chain_add_hub(struct chain *c);
// All of the place's feed, as the centre has it now, as one page to a device.
void chain_feed(struct chain *c, struct journal *to);
void chain_close(struct chain *c);
struct journal *chain_journal(const struct config *config);

// A draft of the node's own place; 'body' stays the caller's.
void chain_event(struct journal *j, const char *type, const char *record, yyjson_val *body,
                 struct event *ret);
// Adds one event inside the open transaction; fails the test unless it is accepted.
void chain_add(struct journal *j, const char *type, const char *record, const char *body);
void chain_add_at(struct journal *j, const char *location, const char *type, const char *record,
                  const char *body);
// The same in a transaction of its own.
void chain_add_alone(struct journal *j, const char *type, const char *record, const char *body);
// Takes quantity of a SKU out of stock; in a transaction of its own.
void chain_waste(struct journal *j, const char *sku, int quantity);
// SQL on a node's file itself, as another program would run it beside the open journal: executes
// it, and gives the first column of the first row as text ("" where there is none).
const char *chain_sql(const struct config *config, const char *sql);
// As this node sees it, in whole units.
int64_t chain_stock(struct journal *j, const char *sku);

#endif
