// SPDX-License-Identifier: Apache-2.0
// The folded records of one simulated node: which events it holds of each, and what follows.
//
// As in the store (src/store/sqlite/records.c, told.c): of an event that a device wrote and was
// told under another carrier, the told one counts. Which events are held survives a crash; what
// was folded from them does not, and is made again from the first event when it is asked for.
#ifndef WASL_SIM_BOOK_H
#define WASL_SIM_BOOK_H

#include "model/record.h"

struct world;
struct item;
struct carrier;
struct shop_record;

enum holding {
    HELD_OWN,     // durable in this node's journal
    HELD_PENDING, // written, and forgotten with the next crash
    HELD_TOLD,    // by the feed
    HELD_WAYS
};
struct held {
    const struct carrier *by[HELD_WAYS];
    uint64_t copy; // of the feed, that told it last
};
struct node_record {
    const struct shop_record *of;
    struct record *fold; // NULL: to be made
    struct held *held;   // by the item's number in the record
    uint64_t capacity;
};
struct book {
    struct node_record **items; // by the record's number; NULL: not known here
    uint64_t capacity;
};

// Sets by which carrier a node holds an item; NULL: not any more.
void book_set(struct world *w, struct book *r, const struct item *item, enum holding way,
              const struct carrier *c);
// The carrier that counts here; NULL: the item is not here.
const struct carrier *book_shown(const struct book *r, const struct item *item);
const struct held *book_held(const struct book *r, const struct item *item); // or NULL
// By which copy of the feed an item was told.
void book_note_copy(struct book *r, const struct item *item, uint64_t copy);
// The record was told of: what copies of its feed before this one told, and this one did not.
void book_drop_untold(struct world *w, struct book *r, const struct shop_record *of, uint64_t copy);
// The same for all records of that feed, but those that are over, which a copy may leave out.
void book_drop_older(struct world *w, struct book *r, int feed, uint64_t copy);

// The record, folded; NULL: nothing of it is here.
struct record *book_fold(struct world *w, struct book *r, const struct shop_record *of);
void book_forget(struct book *r); // what was folded: a crash, or the end
// What is durable of 'from'.
struct book book_copy(struct world *w, const struct book *from);

#endif
