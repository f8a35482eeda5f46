// SPDX-License-Identifier: Apache-2.0
// A till whose store a key signs for, with one stream of its own, and what is pruned of it.
#ifndef WASL_UNIT_STORE_TILL_H
#define WASL_UNIT_STORE_TILL_H

#include "model/stream.h"
#include "test/unit/store/fixture.h"

struct till {
    struct fixture f;
    struct line l;
    struct sign_key key;
    struct uuid chain;
};
void till_open(struct till *t);
void till_reopen(struct till *t);
void till_close(struct till *t);
// Of a line, as its device certified it.
void till_add_stream(struct till *t, const struct line *l);
// The feed includes a line's stream up to seq.
void till_include(struct till *t, const struct line *l, uint64_t seq);
// The feed tells a line's events.
void till_tell(struct till *t, const struct line *l);
void till_tell_copy(struct till *t, const struct line *l); // a fresh one, of just these
// Everything that may go at that time, in steps of so many; how many went.
size_t till_prune(struct till *t, int64_t before_ms, size_t step);
struct store_verdict till_verdict(struct till *t);
void till_assert_whole(struct till *t, uint64_t pruned);

#endif
