// SPDX-License-Identifier: Apache-2.0
// How full a node is: its disk, its quota and its outbox, each against what there is.
//
// Why: the status, the metrics, the log and the command line say the same of it.
#ifndef WASL_NODE_CAPACITY_H
#define WASL_NODE_CAPACITY_H

#include "base/json.h"
#include "node/config.h"

enum capacity_kind { CAPACITY_DISK, CAPACITY_QUOTA, CAPACITY_OUTBOX, CAPACITY_KINDS };
const char *capacity_name(enum capacity_kind kind); // "disk", "quota", "outbox"

struct capacity {
    int64_t used_permille[CAPACITY_KINDS]; // 0 where there is no limit
    bool warns[CAPACITY_KINDS];            // at [store] warn_percent or beyond
    bool reserve;                          // only what finishes sales is taken
};
// unsettled: own events that the centre has not settled.
struct capacity capacity_of(const struct config *config, const struct store_room *room,
                            uint64_t unsettled);
// The member "room" of a status: {"reserve","warnings","disk_percent",...}; NULL without memory.
yyjson_mut_val *capacity_json(const struct capacity *c, yyjson_mut_doc *doc);

#endif
