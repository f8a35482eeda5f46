// SPDX-License-Identifier: Apache-2.0
// Reviews that the fold itself opens and takes back.
#ifndef WASL_STORE_SQLITE_QUESTIONS_H
#define WASL_STORE_SQLITE_QUESTIONS_H

#include "store/sqlite/db.h"
#include "store/store.h"

// Opens a review, or brings the detail of one that is there up to date.
enum err_code questions_ask(struct db *db, const struct review *review, struct err *e) MUST_CHECK;
// Takes an open review back: what it asked about is no longer so.
enum err_code questions_drop(struct db *db, const struct review *review, struct err *e) MUST_CHECK;
// The sentences of every reducer's questions, as they are now.
enum err_code questions_texts(struct db *db, struct err *e) MUST_CHECK;

#endif
