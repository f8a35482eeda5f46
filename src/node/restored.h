// SPDX-License-Identifier: Apache-2.0
// What a centre knows of its having been restored from a backup: one row of the store's meta table.
//
// Why: docs/adr/0015. Who decides what a hello shows is sync/recovery.h; this is what is kept.
// Threads: the store's.
#ifndef WASL_NODE_RESTORED_H
#define WASL_NODE_RESTORED_H

#include "store/store.h"

#define RESTORED_TEXT                                                                              \
    "this centre was restored from a backup: when what it lost is back, confirm with "             \
    "'wasl central recovered DIR'"

enum { RESTORED_WHY_MAX = 128 };

struct restored {
    struct uuid id;     // of the newest recovery; zero: it was never restored, as far as it knows
    bool open;          // no person has confirmed it yet
    int64_t since_ms;   // when it was found
    int64_t backup_ms;  // what had come by then is not lost
    struct uuid device; // whose words showed it
    char why[RESTORED_WHY_MAX];
};
enum err_code restored_read(struct store *s, struct restored *ret, struct err *e) MUST_CHECK;
enum err_code restored_write(struct store *s, const struct restored *r, struct err *e) MUST_CHECK;

#endif
