// SPDX-License-Identifier: Apache-2.0
// Who works in the chain, and what roles may do: users and roles, said by the centre for all.
//
// Rules: last writer wins, each member of a body by itself; a list (places, rights) is one value. A
//   user is known by a code and has no name here. A role that was given no rights has those of
//   role_table (model/role.h); the owner's cannot be changed, so that nobody locks the chain.
// Invariants: 'changed_in' is the newest event that stands, which an author relies on (rights.h:
//   the grant); 'since' and 'changed_hlc' are hybrid clocks as text, which sort as they do.
//
// Room is left for a user's PIN: its verifier is no event (it would stay for ever, and go to every
// place), but will travel as a row of the feed of each place that it works at.
#ifndef WASL_MODEL_PEOPLE_H
#define WASL_MODEL_PEOPLE_H

#include "model/question.h"

// What the rows of a user say of them at a place, and those of a role of its rights.
struct people_user {
    bool known, active, here;
    struct str role;
};
void people_user_of(const struct row_list *rows, struct str place, struct people_user *ret);
uint32_t people_rights_of(const struct row_list *rows, struct str role);

// True where an event may rely on that one for its actor's rights: it is of the actor or of a role,
// said for the whole chain.
bool people_relies_on(const struct event *event, const struct event *grant);
// The same of records as they were up to there, after record_fold; NULL: there is none of it.
// ERR_NO_MEMORY.
enum err_code people_user_until(const struct record *user, const struct event_order *until,
                                struct str place, struct arena *a,
                                struct people_user *ret) MUST_CHECK;
enum err_code people_rights_until(const struct record *role, const struct event_order *until,
                                  struct str name, struct arena *a, uint32_t *ret) MUST_CHECK;

extern const struct reducer user_reducer;
extern const struct reducer role_reducer;

#endif
