// SPDX-License-Identifier: Apache-2.0
#include "model/batch.h"

#include "model/question.h"

#include <stdio.h>
#include <string.h>

void batch_id(const struct stream_key *key, enum verdict_reason reason, char to[BATCH_ID_SIZE])
{
    char origin[UUID_TEXT_SIZE];
    uuid_format(&key->origin, origin);
    (void)snprintf(to, BATCH_ID_SIZE, "%s/%s/%s", origin, lane_name(key->lane),
                   verdict_reason_name(reason));
}

static const struct column columns[] = {
    {"id", COLUMN_TEXT, "origin and lane of its stream, and what is the matter"},
    {"from_seq", COLUMN_INTEGER, "the first of its events"},
    {"to_seq", COLUMN_INTEGER, "the last"},
    {"events", COLUMN_INTEGER, "how many there are"},
    {"held", COLUMN_INTEGER, "how many of them wait for a person"},
    {"oldest_at", COLUMN_INTEGER, "ms since 1970"},
    {NULL, COLUMN_TEXT, NULL}};
enum { B_ID, B_FROM, B_TO, B_EVENTS, B_HELD, B_OLDEST_AT };
static const struct row_table table = {"batches", 1, columns};

struct batch_state {
    uint64_t from, to; // 0: nothing is known yet
    int64_t events, held;
    int64_t oldest_at;
};

static enum err_code apply(void *state, const struct record_entry *entry, struct arena *folded)
{
    struct batch_state *s = state;
    const struct judgement *part = entry->judges;
    (void)folded;
    if (part == NULL)
        return ERR_OK;
    if (s->from == 0 || part->from < s->from)
        s->from = part->from;
    if (part->to > s->to)
        s->to = part->to;
    if (s->oldest_at == 0 || part->oldest_at < s->oldest_at)
        s->oldest_at = part->oldest_at;
    s->events += (int64_t)(part->to - part->from) + 1;
    s->held += part->held;
    return ERR_OK;
}

static enum err_code rows(const void *state, struct str record_id, struct row_list *to)
{
    const struct batch_state *s = state;
    if (s->from == 0)
        return ERR_OK;
    struct row *row = row_list_add(to, &table);
    if (row == NULL)
        return ERR_NO_MEMORY;
    row_set_text(row, B_ID, record_id);
    row_set_number(row, B_FROM, (int64_t)s->from);
    row_set_number(row, B_TO, (int64_t)s->to);
    row_set_number(row, B_EVENTS, s->events);
    row_set_number(row, B_HELD, s->held);
    row_set_number(row, B_OLDEST_AT, s->oldest_at);
    return ERR_OK;
}

// Answers are all that a batch holds besides judgements, and the record reads both by itself.
static enum err_code decode(const struct event *event, struct arena *kept, const void **ret_op,
                            struct err *e)
{
    (void)event, (void)kept, (void)e;
    *ret_op = NULL;
    return ERR_OK;
}

static const struct row_table *const tables[] = {&table, &question_table, NULL};

const struct reducer batch_reducer = {.record_type = BATCH,
                                      .tables = tables,
                                      .questions = question_none,
                                      .state_bytes = sizeof(struct batch_state),
                                      .decode = decode,
                                      .apply = apply,
                                      .rows = rows};
