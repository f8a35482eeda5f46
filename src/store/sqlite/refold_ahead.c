// SPDX-License-Identifier: Apache-2.0
//
// Chains are checked ahead of refold_run by a second thread: the last rows first, block by block,
// until refold_run comes near. What it found right is not hashed again; of the others (the first
// row of a stream in a block, whose predecessor is not in it, and any that is wrong) refold_run
// says what there is to say.
#include "store/sqlite/refold.h"

#include <stdlib.h>

enum { BLOCK = 8192, NEAR = 2048 };

// The newest row of a stream in a block.
struct newest {
    int64_t block; // in which it was read; 0: in none
    uint64_t seq;
    struct hash chain;
};

static void look_at(struct refold *r, struct query *q, struct newest *newest, int64_t block,
                    struct arena *a)
{
    struct journal_row row = {.lsn = query_get_int(q, 0), .stream = query_get_int(q, 2)};
    row.has_id = query_get_uuid(q, 1, &row.id);
    row.seq = query_get_u64(q, 3);
    (void)query_get_hash(q, 4, &row.chain);
    row.rest = query_get_text(q, 5);
    if (row.stream < 0 || row.stream > r->stream_max || !r->streams[row.stream].known)
        return;
    struct newest *before = &newest[row.stream];
    if (before->block == block && row.seq == before->seq + 1) {
        arena_reset(a);
        struct str bytes = refold_whole(&row, &r->streams[row.stream].info, a);
        struct hash chain = hash_chain(&before->chain, bytes);
        bool right = bytes.p != NULL && hash_equal(&chain, &row.chain);
        __atomic_store_n(&r->chained[row.lsn - r->lsn_min], right, __ATOMIC_RELEASE);
    }
    *before = (struct newest){block, row.seq, row.chain};
}

static enum err_code look_at_block(struct refold *r, struct db *db, struct newest *newest,
                                   int64_t from, struct err *e)
{
    struct query q;
    struct arena a;
    arena_init(&a, (size_t)16 * 1024 * 1024);
    query_begin(&q, db, Q_CHAIN_BLOCK);
    query_int(&q, from);
    query_int(&q, from + BLOCK - 1);
    while (query_row(&q))
        look_at(r, &q, newest, from, &a);
    arena_fini(&a);
    return query_end(&q, e);
}

enum err_code refold_ahead(struct refold *r, struct db *db, struct err *e)
{
    enum err_code code = ERR_OK;
    struct newest *newest = calloc((size_t)r->stream_max + 1, sizeof *newest);
    if (newest == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a check of the journal");
    for (int64_t from = r->lsn_max - BLOCK + 1; code == ERR_OK && from > 0; from -= BLOCK) {
        int64_t at = __atomic_load_n(&r->at, __ATOMIC_RELAXED);
        if (from < r->lsn_min || (at < INT64_MAX - NEAR ? at + NEAR : at) > from)
            break;
        code = look_at_block(r, db, newest, from, e);
    }
    free(newest);
    return code;
}
