// SPDX-License-Identifier: Apache-2.0
// A centre that publishes a catalog and a till that follows it, without a network between them.
#ifndef WASL_UNIT_STORE_CHAIN_H
#define WASL_UNIT_STORE_CHAIN_H

#include "test/unit/store/fixture.h"

struct chain {
    struct fixture centre, till;
    struct line hq; // the centre's own events of the whole chain
    unsigned events;
    struct feed_cursor cursor; // the till's, of the chain's feed
    bool known;                // the till has been fed
};
void chain_open(struct chain *c);
void chain_close(struct chain *c);
// One more event of the whole chain. Body in printf style.
void chain_write(struct chain *c, const char *type, const char *record, const char *format, ...)
    PRINTF_LIKE(4, 5);
void chain_item(struct chain *c, const char *sku, const char *name, const char *price);
// Publishes the drafts; the version.
struct catalog_version chain_publish(struct chain *c);

// Brings pages of at most so many bytes from the centre to the till, each in pieces of so many
// rows, until the head is reached or 'pieces' were applied (0: no limit). What became of it at the
// last one.
struct chain_pull {
    size_t page_bytes, rows;
    unsigned pieces;
    bool all_at_once; // the head as it is when it begins: ends before what is published meanwhile
};
enum feed_catalog chain_pull(struct chain *c, const struct chain_pull *how, unsigned *ret_pieces,
                             size_t *ret_rows);
enum feed_catalog chain_pull_all(struct chain *c);
// The next page for the till, of at most so many bytes; true where a fresh copy begins with it.
bool chain_page(struct chain *c, size_t bytes, struct arena *arena, struct feed_page *ret);
// At most so many rows of a page, from one on, as the piece that applies them. Their bytes go to
// 'bytes', which has room for so many.
struct feed_apply chain_piece(const struct feed_page *page, size_t from, size_t rows, bool reset,
                              struct str *bytes);
// Fails unless the till shows what the centre published.
void chain_assert_same(struct chain *c);
char *chain_items(const struct fixture *f); // from malloc

#endif
