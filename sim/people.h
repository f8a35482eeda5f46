// SPDX-License-Identifier: Apache-2.0
// Users and roles: the centre says them for the whole chain, tills go by what they were told of
// them, and the authority judges by what a till could know (ADR 0020).
//
// Why: rights are no flag. They change while tills are cut off, and what was written under the old
//   ones comes later.
// The oracle computes who had which right from what the centre meant, apart from the model's fold.
#ifndef WASL_SIM_PEOPLE_H
#define WASL_SIM_PEOPLE_H

#include "sim/world.h"

struct shop_end;

const char *people_name(int number);
// At the centre: somebody is hired, promoted, moved or dismissed, or a role gets other rights.
void people_say(struct world *w);
bool people_any(const struct world *w); // whether the centre declares users

// At a till: names an author whom it lets do this, as far as it was told, and what it relies on;
// nobody where it lets none. A till that was tampered with lets anybody.
void people_author(struct world *w, struct till *t, struct item *item, struct event *draft);
// The same author at another till. False: it does not let him.
bool people_may_at(struct world *w, struct till *t, const struct item *item, struct event *draft);
// What the device knew when it stamped this.
void people_stamped(const struct world *w, const struct book *shown, struct carrier *c,
                    const struct event *event);

// At the centre, as in the daemon.
bool people_lack_right(struct world *w, const struct event *event);
// By what was meant: whether the centre must find that its author had no right to it.
bool people_unauthorised(struct world *w, const struct carrier *c, const struct event *event);

void people_check(const struct shop_end *end); // their rows, after quiet

#endif
