// SPDX-License-Identifier: Apache-2.0
// A node's folder in a scratch place, as 'wasl init' makes it, and a till opened through wasl.h.
#ifndef WASL_UNIT_NODE_LIBRARY_FIXTURE_H
#define WASL_UNIT_NODE_LIBRARY_FIXTURE_H

#include "node/identity.h"
#include "test/unit/unit.h"
#include "wasl.h"

struct library_folder {
    struct config config;
};
void library_make(struct library_folder *f, enum node_role role, const char *location);
void library_remove(struct library_folder *f);

struct wasl *library_till(const struct library_folder *f, bool sync); // must open

// A sale of one coffee; body lies in the caller's buffer.
enum { SALE_BODY_MAX = 512 };
struct wasl_event library_sale(const char *ticket, char body[SALE_BODY_MAX]);

#endif
