// SPDX-License-Identifier: Apache-2.0
// Admission: who may join the chain, and who no longer belongs to it. At the centre only.
//
// Why: the command line at a resting centre and the HTTP API of a serving one decide alike.
// Invariants:
//   1. A code is used up in the very transaction that lets its device in, and by nothing else: who
//      comes with a code for another place or role is told so, and the code stays good.
//   2. A revoked device never comes back; what it had sealed before counts (store/sqlite/revoke.h).
//   3. A device keeps the key and the place that it was let in with.
//   4. A centre that was restored and that nobody confirmed yet lets nobody in and revokes nobody:
//      ERR_CONFLICT, or that it is denied.
// Threads: the journal's; calls belong inside its transaction.
#ifndef WASL_NODE_ADMISSION_H
#define WASL_NODE_ADMISSION_H

#include "net/tls.h"
#include "node/journal.h"

enum { ADMISSION_SECRET_SIZE = 10 }; // 80 random bits

struct admission_code {
    uint8_t secret[ADMISSION_SECRET_SIZE]; // only its hash is kept
    struct tls_fingerprint ca;             // of the chain
    int64_t expires_at;                    // 24 hours from now
};
// Makes a one-time code for a terminal or branch; a place that is not there yet is made.
// ERR_INVALID for another role.
enum err_code admission_make_code(struct journal *j, const struct config *config,
                                  struct str location, enum node_role role,
                                  struct admission_code *ret, struct err *e) MUST_CHECK;

struct admission_request {
    struct hash code; // of the secret
    struct uuid device;
    struct sign_public key; // the caller checked that the device holds it (stream_join_verify)
    enum node_role role;
    char location[LIMIT_NAME + 1]; // what the node was made for; empty: where the code says
    char name[LIMIT_NAME + 1];     // for people
};
struct admission_answer {
    char location[LIMIT_NAME + 1];
    char denied[ERR_TEXT_MAX]; // why not; empty: it was let in
};
// A refusal is no error, since whoever guesses must not undo the batch of others.
enum err_code admission_let_in(struct journal *j, const struct admission_request *request,
                               struct admission_answer *ret, struct err *e) MUST_CHECK;

// Revokes a device: what this centre holds of it counts, what it delivers from now on waits for a
// person. reason: for people, may be empty. ERR_NOT_FOUND, ERR_EXISTS (it was already),
// ERR_INVALID.
enum err_code admission_revoke(struct journal *j, const struct uuid *device, struct str reason,
                               char ret_location[LIMIT_NAME + 1], struct err *e) MUST_CHECK;

#endif
