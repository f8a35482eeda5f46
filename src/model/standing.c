// SPDX-License-Identifier: Apache-2.0
#include "model/standing.h"

#include "model/question.h"

static bool is_judged(const struct record_entry *entry)
{
    return entry->judges != NULL || entry->verdict.outcome != JUDGED_NOT || entry->moved != NULL;
}

static void note_answered(const struct record *r, const struct answer_op *op, bool *matters)
{
    for (size_t i = 0; i < op->trigger_count; i++) {
        const struct record_entry *trigger = record_find(r, &op->triggers[i]);
        if (trigger != NULL)
            matters[trigger->place] = true;
    }
}

// ---- the cut ----------------------------------------------------------------------------------

enum { CUTS_TRIED = 64 };

struct stream_heads { // the highest seq of each of the record's streams
    uint64_t *seqs;
    size_t count, capacity;
};

// What is covered was seen by the cut of before, and by all that had seen that.
static enum err_code raise_head(const struct record *r, struct stream_heads *heads,
                                const struct record_entry *entry, struct arena *a)
{
    size_t stream = (size_t)entry->stream, capacity = 2 * (stream + 8);
    if (heads->seqs == NULL || stream >= heads->capacity) {
        uint64_t *grown = arena_alloc_zero(a, capacity * sizeof *grown);
        if (grown == NULL)
            return ERR_NO_MEMORY;
        for (size_t i = 0; i < heads->count; i++)
            grown[i] = heads->seqs[i];
        heads->seqs = grown;
        heads->capacity = capacity;
    }
    heads->count = stream >= heads->count ? stream + 1 : heads->count;
    if (!record_covered(r, entry) && heads->seqs[stream] < entry->order.seq)
        heads->seqs[stream] = entry->order.seq;
    return ERR_OK;
}

static bool saw_all(const struct record_entry *entry, const struct stream_heads *heads)
{
    bool all = true;
    for (size_t i = 0; i < heads->count && all; i++)
        all = vector_at(&entry->seen, i) >= heads->seqs[i];
    return all;
}

// The last one that may be the cut, before 'end'; 0: none.
static enum err_code find_cut(const struct record *r, size_t end, struct arena *a, size_t *ret)
{
    struct stream_heads heads = {.count = 0};
    *ret = 0;
    for (size_t i = 0; i < end; i++) {
        const struct record_entry *entry = record_entry_at(r, i);
        if (i + CUTS_TRIED >= end && entry->judges == NULL && saw_all(entry, &heads))
            *ret = i;
        enum err_code code = raise_head(r, &heads, entry, a);
        if (code)
            return code;
    }
    return ERR_OK;
}

// ---- what matters -----------------------------------------------------------------------------

enum err_code standing_find(const struct record *r, size_t last, struct arena *a,
                            struct standing *ret)
{
    const struct reducer *reducer = record_reducer(r);
    size_t count = record_count(r), cut = 0;
    *ret = (struct standing){.matters = NULL};
    if (reducer->stands == NULL || count <= last)
        return ERR_OK;
    enum err_code code = find_cut(r, count - last, a, &cut);
    if (code || cut == 0)
        return code;
    void *state = arena_alloc_zero(a, reducer->state_bytes);
    bool *matters = arena_alloc_zero(a, count);
    if (state == NULL || matters == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < cut && code == ERR_OK; i++) {
        const struct record_entry *entry = record_entry_at(r, i);
        code = entry->op ? reducer->apply(state, entry, a) : ERR_OK;
        matters[i] = matters[i] || is_judged(entry) || entry->answers != NULL;
        if (entry->answers != NULL)
            note_answered(r, entry->answers, matters);
    }
    if (code)
        return code;
    reducer->stands(state, matters);
    for (size_t i = cut; i < count; i++) {
        matters[i] = true;
        if (record_entry_at(r, i)->answers != NULL)
            return ERR_OK;
    }
    *ret = (struct standing){matters, cut};
    return ERR_OK;
}

bool standing_reaches_back(const struct record *r, const struct event *event)
{
    const struct record_entry *cut = record_cut(r);
    return cut != NULL && (judgement_is(event) || answer_is(event) ||
                           record_find(r, &event->id) != NULL || !record_would_see(r, event, cut));
}
