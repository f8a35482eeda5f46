// SPDX-License-Identifier: Apache-2.0
// Stock that went below zero or came back in a transaction, for whoever asks about it.
//
// Ownership: texts are copied. Limits: the memory of one transaction (DELTA_MAX_BYTES).
#ifndef WASL_STORE_SQLITE_TURNS_H
#define WASL_STORE_SQLITE_TURNS_H

#include "store/sqlite/db.h"
#include "store/sqlite/delta.h"
#include "store/store.h"

struct turns {
    struct arena arena;
    struct store_turns list;
    size_t room;
    unsigned flush; // of the transaction
    bool tolerant;  // the chain lets something be sold beyond what is there
};

void turns_init(struct turns *t);
void turns_fini(struct turns *t);
void turns_clear(struct turns *t);
// As a transaction begins: what the chain's settings are then.
enum err_code turns_begin(struct turns *t, struct db *db, struct err *e) MUST_CHECK;
// What a delta led to; 'quantity' is what there is now.
enum err_code turns_add(struct turns *t, const struct delta *d, int64_t quantity) MUST_CHECK;

#endif
