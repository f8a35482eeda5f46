// SPDX-License-Identifier: Apache-2.0
//
//   record_add ──► waiting ──record_fold──► comes last? ── yes ──► place: vector, apply
//                                               │ no
//                                               └──► begin again: sort all, place each
#include "model/record.h"

#include "model/id_map.h"
#include "model/mutant.h"
#include "model/quantity.h"

#include <stdlib.h>
#include <string.h>

struct record_stream {
    struct record_entry *last; // placed, the highest seq
    uint64_t covered;          // the highest seq that another placed event had seen
};

// What a stream is known by.
struct stream_name {
    struct uuid origin;
    enum lane lane;
    int number;
    struct stream_name *next; // another lane of the same origin
};

struct record {
    const struct reducer *reducer;
    struct str id;
    struct arena kept;   // entries and what they point to
    struct arena folded; // vectors and the state's own; empty when the fold begins again
    struct record_entry **entries;
    size_t count, capacity;
    struct record_entry **order; // as many as entries have room; the first 'placed' are in order
    size_t placed;
    const struct record_entry *greatest; // of the placed, by its own order
    struct id_map ids;
    struct id_map awaited; // ids that a 'base' or a judgement named before they were here
    struct id_map origins; // names of streams
    struct record_stream *streams;
    int stream_count, stream_capacity;
    void *state;
    size_t judgements;              // among the entries
    const struct record_entry *cut; // NULL: the record is whole
    bool stale;                     // what is placed is no longer the order
    bool circular; // events name each other in a circle: nothing may be placed one by one
    size_t refolds;
};

// ---- small tables ------------------------------------------------------------------------------

static struct record_entry *find_entry(const struct record *r, const struct uuid *id)
{
    return id_map_find(&r->ids, id);
}

static enum err_code await(struct record *r, const struct uuid *id)
{
    if (id_map_find(&r->awaited, id) != NULL)
        return ERR_OK;
    struct uuid *copy = arena_alloc(&r->kept, sizeof *copy);
    if (copy == NULL)
        return ERR_NO_MEMORY;
    *copy = *id;
    return id_map_put(&r->awaited, copy, &r->kept);
}

// Doubles a heap array of 'size' bytes an item.
static enum err_code grow(void **array, size_t *capacity, size_t size)
{
    size_t wanted = *capacity ? *capacity * 2 : 8;
    void *grown = realloc(*array, wanted * size);
    if (grown == NULL)
        return ERR_NO_MEMORY;
    *array = grown;
    *capacity = wanted;
    return ERR_OK;
}

static enum err_code make_room(struct record *r)
{
    if (r->count < r->capacity)
        return ERR_OK;
    size_t capacity = r->capacity;
    void *entries = r->entries, *order = r->order;
    enum err_code code = grow(&entries, &r->capacity, sizeof(struct record_entry *));
    r->entries = entries;
    if (code == ERR_OK)
        code = grow(&order, &capacity, sizeof(struct record_entry *));
    r->order = order;
    return code;
}

// The record's number for a stream; -1 when out of memory.
static int stream_number(struct record *r, const struct uuid *origin, enum lane lane)
{
    struct stream_name *first = id_map_find(&r->origins, origin), *name = first;
    while (name != NULL && name->lane != lane)
        name = name->next;
    if (name != NULL)
        return name->number;
    if (r->stream_count == r->stream_capacity) {
        size_t capacity = (size_t)r->stream_capacity;
        void *streams = r->streams;
        enum err_code code = grow(&streams, &capacity, sizeof(struct record_stream));
        r->streams = streams;
        r->stream_capacity = (int)capacity;
        if (code)
            return -1;
    }
    name = arena_alloc(&r->kept, sizeof *name);
    if (name == NULL)
        return -1;
    *name = (struct stream_name){*origin, lane, r->stream_count, first};
    if (id_map_put(&r->origins, name, &r->kept))
        return -1;
    r->streams[r->stream_count] = (struct record_stream){.last = NULL};
    return r->stream_count++;
}

// ---- life --------------------------------------------------------------------------------------

enum err_code record_new(const struct reducer *reducer, struct str id, size_t max_bytes,
                         struct record **ret)
{
    struct record *r = calloc(1, sizeof *r);
    if (r == NULL)
        return ERR_NO_MEMORY;
    r->reducer = reducer;
    arena_init(&r->kept, max_bytes);
    arena_init(&r->folded, max_bytes);
    r->id = arena_copy(&r->kept, id);
    r->state = calloc(1, reducer->state_bytes);
    if (r->id.p == NULL || r->state == NULL) {
        record_free(r);
        return ERR_NO_MEMORY;
    }
    *ret = r;
    return ERR_OK;
}

void record_free(struct record *r)
{
    if (r == NULL)
        return;
    arena_fini(&r->kept);
    arena_fini(&r->folded);
    free(r->entries);
    free(r->order);
    free(r->streams);
    free(r->state);
    free(r);
}

static enum err_code fill_entry(struct record *r, const struct event *event,
                                struct record_entry *entry)
{
    size_t count = (size_t)event->base_count, base_bytes = count * sizeof(struct uuid);
    struct uuid *base = arena_alloc(&r->kept, base_bytes + 1);
    entry->bases = arena_alloc_zero(&r->kept, count * sizeof(struct record_entry *) + 1);
    struct str actor = arena_copy(&r->kept, event->actor);
    int stream =
        base && entry->bases && actor.p ? stream_number(r, &event->origin, event->lane) : -1;
    if (stream < 0)
        return ERR_NO_MEMORY;
    if (base_bytes != 0)
        memcpy(base, event->base, base_bytes);
    entry->id = event->id;
    entry->type = event->type;
    entry->order = event_order_of(event);
    entry->at = event->at;
    entry->actor = actor;
    entry->base = base;
    entry->base_count = event->base_count;
    entry->stream = stream;
    return ERR_OK;
}

// Finds what its base names. ERR_NO_MEMORY.
static enum err_code find_bases(struct record *r, struct record_entry *entry)
{
    enum err_code code = ERR_OK;
    for (int i = 0; i < entry->base_count && code == ERR_OK; i++) {
        if (entry->bases[i] == NULL)
            entry->bases[i] = find_entry(r, &entry->base[i]);
        if (entry->bases[i] == NULL)
            code = await(r, &entry->base[i]);
    }
    return code;
}

// True when it changes what is known of the target.
static bool judge_target(const struct judgement *judges, struct record_entry *target)
{
    bool supersedes = verdict_supersedes(&judges->verdict, &target->verdict);
    bool moves = judges->verdict.effective != 0 &&
                 (target->moved == NULL || verdict_supersedes(&judges->verdict, target->moved));
    if (supersedes)
        target->verdict = judges->verdict;
    if (moves)
        target->moved = &judges->verdict;
    return supersedes || moves;
}

// The verdict of a judgement reaches its target, whichever of them came first.
static enum err_code spread_verdict(struct record *r, const struct judgement *judges)
{
    struct record_entry *target = find_entry(r, &judges->target);
    if (target == NULL)
        return await(r, &judges->target);
    if (judge_target(judges, target) && target->placed)
        r->stale = true;
    return ERR_OK;
}

static enum err_code decode_answer(const struct reducer *reducer, const struct event *event,
                                   struct arena *kept, struct record_entry *entry, struct err *e)
{
    struct answer_op *answers = arena_alloc_zero(kept, sizeof *answers);
    if (answers == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a record");
    entry->answers = answers;
    enum err_code code = answer_decode(event, kept, answers, e);
    if (code == ERR_OK && answers->decision == DECISION_EDIT && !reducer->edits)
        code =
            err_set(e, ERR_INVALID, "body: decision: there is no value to edit; accept or reject");
    return code;
}

static enum err_code decode(const struct reducer *reducer, const struct event *event,
                            struct arena *kept, struct record_entry *entry, struct err *e)
{
    if (!judgement_is(event)) {
        enum err_code code =
            answer_is(event) ? decode_answer(reducer, event, kept, entry, e) : ERR_OK;
        return code ? code : reducer->decode(event, kept, &entry->op, e);
    }
    struct judgement *judges = arena_alloc_zero(kept, sizeof *judges);
    if (judges == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a record");
    entry->judges = judges;
    enum err_code code = judgement_decode(event, judges, e);
    judges->batch = STR(""); // it points into the event
    judges->sold = arena_copy(kept, judges->sold);
    judges->published = arena_copy(kept, judges->published);
    judges->review = arena_copy(kept, judges->review);
    bool full = !judges->sold.p || !judges->published.p || !judges->review.p;
    return code == ERR_OK && full ? err_set(e, ERR_NO_MEMORY, "out of memory for a record") : code;
}

enum err_code record_check(const struct event *event, struct err *e)
{
    struct arena scratch;
    struct record_entry entry = {.op = NULL};
    const struct reducer *reducer = reducer_find(event->record_type);
    MUST(reducer != NULL);
    arena_init(&scratch, LIMIT_BATCH_BYTES);
    enum err_code code = decode(reducer, event, &scratch, &entry, e);
    arena_fini(&scratch);
    return code;
}

enum err_code record_add(struct record *r, const struct event *event, struct err *e)
{
    MUST(event->type != NULL);
    if (!MUTANT(carriers_both_count) && find_entry(r, &event->id) != NULL)
        return err_set(e, ERR_EXISTS, "the event is in its record already");
    struct record_entry *entry = arena_alloc_zero(&r->kept, sizeof *entry);
    if (entry == NULL || make_room(r) || fill_entry(r, event, entry))
        return err_set(e, ERR_NO_MEMORY, "out of memory for a record");
    enum err_code code = decode(r->reducer, event, &r->kept, entry, e);
    if (code == ERR_OK)
        code = id_map_put(&r->ids, entry, &r->kept);
    if (code)
        return code;
    r->order[r->count] = entry; // waits behind what is placed
    r->entries[r->count++] = entry;
    r->judgements += entry->judges != NULL;
    r->stale = r->stale || id_map_find(&r->awaited, &entry->id) != NULL;
    code = find_bases(r, entry);
    if (code == ERR_OK && entry->judges != NULL)
        code = spread_verdict(r, entry->judges);
    return code;
}

void record_note(struct record *r, const struct record_note *note)
{
    MUST(r->count > 0);
    struct record_entry *entry = r->entries[r->count - 1];
    entry->note = *note;
    r->stale = r->stale || note->rank != 0;
    if (note->cut)
        r->cut = entry;
}

// All that was concluded from an event is concluded anew, without it.
enum err_code record_remove(struct record *r, const struct uuid *id)
{
    size_t gone = 0;
    while (gone < r->count && !uuid_equal(&r->entries[gone]->id, id))
        gone++;
    if (gone == r->count)
        return ERR_NOT_FOUND;
    r->judgements -= r->entries[gone]->judges != NULL;
    r->entries[gone] = r->entries[--r->count];
    r->stale = true;
    id_map_clear(&r->ids);
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < r->count && code == ERR_OK; i++) {
        struct record_entry *entry = r->entries[i];
        entry->verdict = (struct verdict){.outcome = JUDGED_NOT};
        entry->moved = NULL;
        for (int b = 0; b < entry->base_count; b++)
            entry->bases[b] = NULL;
        code = id_map_put(&r->ids, entry, &r->kept);
    }
    return code;
}

// ---- order ------------------------------------------------------------------------------------

static int compare_order(const struct record_entry *a, const struct record_entry *b)
{
    hlc x = a->moved ? a->moved->effective : a->order.hlc;
    hlc y = b->moved ? b->moved->effective : b->order.hlc;
    if (x != y)
        return x < y ? -1 : 1;
    struct event_order p = a->order, q = b->order;
    p.hlc = q.hlc = x;
    int order = event_order_compare(&p, &q);
    return order ? order : uuid_compare(&a->id, &b->id);
}

static int by_order(const void *a, const void *b)
{
    return compare_order(*(struct record_entry *const *)a, *(struct record_entry *const *)b);
}

static int by_seq(const void *a, const void *b)
{
    const struct record_entry *x = *(struct record_entry *const *)a;
    const struct record_entry *y = *(struct record_entry *const *)b;
    if (x->order.seq != y->order.seq)
        return x->order.seq < y->order.seq ? -1 : 1;
    return compare_order(x, y);
}

// A topological sort under way. Entries are known by their rank in by_order, which is their place
// until they have one, so that a heap of numbers is a heap of entries.
struct sort {
    struct record_entry **ranked; // all, by order
    size_t count;
    uint32_t *first; // of the successors of rank i: [first[i], first[i + 1])
    uint32_t *next;  // their ranks
    uint32_t *wait;  // how many predecessors are not placed
    bool *done;
    uint32_t *heap; // ready ones, the least on top
    size_t heap_count;
    size_t least; // none below is unplaced
};

static void heap_push(struct sort *s, uint32_t rank)
{
    size_t i = s->heap_count++;
    while (i > 0 && s->heap[(i - 1) / 2] > rank) {
        s->heap[i] = s->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    s->heap[i] = rank;
}

static uint32_t heap_pop(struct sort *s)
{
    uint32_t top = s->heap[0], moved = s->heap[--s->heap_count];
    size_t i = 0;
    for (size_t child = 1; child < s->heap_count; child = 2 * i + 1) {
        if (child + 1 < s->heap_count && s->heap[child + 1] < s->heap[child])
            child++;
        if (s->heap[child] >= moved)
            break;
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = moved;
    return top;
}

struct edge {
    uint32_t from, to;
};

static struct edge edge_of(const struct record_entry *from, const struct record_entry *to)
{
    return (struct edge){(uint32_t)from->place, (uint32_t)to->place};
}

// Who comes before whom in its own stream, there by seq: as honest clocks have it already.
static size_t list_streams(const struct record *r, const struct sort *s, struct edge *edges,
                           struct arena *a)
{
    size_t streams = (size_t)r->stream_count, n = 0;
    struct record_entry **sorted = arena_alloc(a, (s->count + 1) * sizeof(struct record_entry *));
    size_t *end = arena_alloc_zero(a, (streams + 1) * sizeof *end);
    if (sorted == NULL || end == NULL)
        return SIZE_MAX;
    for (size_t i = 0; i < s->count; i++)
        end[s->ranked[i]->stream + 1]++;
    for (size_t i = 1; i < streams; i++)
        end[i] += end[i - 1];
    for (size_t i = 0; i < s->count; i++)
        sorted[end[s->ranked[i]->stream]++] = s->ranked[i];
    for (size_t i = 0, from = 0; i < streams; from = end[i++]) {
        bool straight = true;
        for (size_t k = from + 1; k < end[i] && straight; k++)
            straight = sorted[k - 1]->order.seq <= sorted[k]->order.seq;
        if (!straight)
            qsort(sorted + from, end[i] - from, sizeof(struct record_entry *), by_seq);
        for (size_t k = from + 1; k < end[i]; k++)
            edges[n++] = edge_of(sorted[k - 1], sorted[k]);
    }
    return n;
}

static int by_rank(const void *a, const void *b)
{
    const struct record_entry *x = *(struct record_entry *const *)a;
    const struct record_entry *y = *(struct record_entry *const *)b;
    return (x->note.rank > y->note.rank) - (x->note.rank < y->note.rank);
}

// Of a record that is not whole: those with a rank, one after the other. Returns n and how many.
static size_t list_ranks(const struct record *r, const struct sort *s, struct edge *edges, size_t n,
                         struct arena *a)
{
    size_t count = 0;
    if (r->cut == NULL)
        return n;
    struct record_entry **sorted = arena_alloc(a, (s->count + 1) * sizeof(struct record_entry *));
    if (sorted == NULL)
        return SIZE_MAX;
    for (size_t i = 0; i < s->count; i++) {
        if (s->ranked[i]->note.rank != 0)
            sorted[count++] = s->ranked[i];
    }
    qsort(sorted, count, sizeof(struct record_entry *), by_rank);
    for (size_t i = 1; i < count; i++)
        edges[n++] = edge_of(sorted[i - 1], sorted[i]);
    return n;
}

// Every "from is before to": by base, by stream and by rank. Room for all must be there. SIZE_MAX:
// out of memory.
static size_t list_edges(const struct record *r, const struct sort *s, struct edge *edges,
                         struct arena *a)
{
    size_t n = list_streams(r, s, edges, a);
    for (size_t i = 0; i < s->count && n != SIZE_MAX; i++) {
        const struct record_entry *entry = s->ranked[i];
        for (int b = 0; b < entry->base_count; b++) {
            if (entry->bases[b] != NULL && entry->bases[b] != entry)
                edges[n++] = edge_of(entry->bases[b], entry);
        }
    }
    return n == SIZE_MAX ? n : list_ranks(r, s, edges, n, a);
}

static void index_edges(struct sort *s, const struct edge *edges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        s->first[edges[i].from + 1]++;
        s->wait[edges[i].to]++;
    }
    for (size_t i = 0; i < s->count; i++)
        s->first[i + 1] += s->first[i];
    uint32_t *fill = s->heap; // not in use yet
    memcpy(fill, s->first, s->count * sizeof(uint32_t));
    for (size_t i = 0; i < count; i++)
        s->next[fill[edges[i].from]++] = edges[i].to;
}

static enum err_code prepare_sort(const struct record *r, struct sort *s, struct arena *a)
{
    size_t n = r->count, edges_max = 2 * n;
    for (size_t i = 0; i < n; i++)
        edges_max += (size_t)r->entries[i]->base_count;
    struct edge *edges = arena_alloc(a, (edges_max + 1) * sizeof *edges);
    *s = (struct sort){.ranked = arena_alloc(a, (n + 1) * sizeof(struct record_entry *)),
                       .count = n,
                       .first = arena_alloc_zero(a, (n + 2) * sizeof(uint32_t)),
                       .next = arena_alloc(a, (edges_max + 1) * sizeof(uint32_t)),
                       .wait = arena_alloc_zero(a, (n + 1) * sizeof(uint32_t)),
                       .done = arena_alloc_zero(a, n + 1),
                       .heap = arena_alloc(a, (n + 1) * sizeof(uint32_t))};
    if (!edges || !s->ranked || !s->first || !s->next || !s->wait || !s->done || !s->heap)
        return ERR_NO_MEMORY;
    memcpy(s->ranked, r->entries, n * sizeof(struct record_entry *));
    qsort(s->ranked, n, sizeof(struct record_entry *), by_order);
    for (size_t i = 0; i < n; i++)
        s->ranked[i]->place = i;
    size_t edge_count = list_edges(r, s, edges, a);
    if (edge_count == SIZE_MAX)
        return ERR_NO_MEMORY;
    index_edges(s, edges, edge_count);
    for (size_t i = 0; i < n; i++) {
        if (s->wait[i] == 0)
            heap_push(s, (uint32_t)i);
    }
    return ERR_OK;
}

// The next in the order; *circular when it had to be taken before one that it has seen.
static struct record_entry *sort_next(struct sort *s, bool *circular)
{
    uint32_t rank;
    if (s->heap_count > 0) {
        rank = heap_pop(s);
    } else {
        while (s->done[s->least])
            s->least++;
        rank = (uint32_t)s->least;
        *circular = true;
    }
    s->done[rank] = true;
    for (uint32_t i = s->first[rank]; i < s->first[rank + 1]; i++) {
        uint32_t to = s->next[i];
        if (--s->wait[to] == 0 && !s->done[to])
            heap_push(s, to);
    }
    return s->ranked[rank];
}

// ---- placing ----------------------------------------------------------------------------------

static enum err_code join(struct record *r, struct record_entry *entry,
                          const struct record_entry *seen)
{
    struct record_stream *stream = &r->streams[seen->stream];
    if (stream->covered < seen->order.seq)
        stream->covered = seen->order.seq;
    enum err_code code = vector_join(&entry->seen, &seen->seen, &r->folded);
    return code ? code
                : vector_raise(&entry->seen, (size_t)seen->stream, seen->order.seq, &r->folded);
}

static enum err_code name_one(struct record *r, struct record_entry *entry,
                              const struct record_entry *seen)
{
    enum err_code code = vector_join(&entry->named, &seen->named, &r->folded);
    if (entry->named_end <= seen->place)
        entry->named_end = seen->place + 1;
    return code ? code : vector_raise(&entry->named, seen->place, 1, &r->folded);
}

// What its author had seen, where a stream is not one author's.
static enum err_code name_seen(struct record *r, struct record_entry *entry)
{
    const struct record_entry *last = r->streams[entry->stream].last;
    enum err_code code = ERR_OK;
    entry->named = (struct vector){.root = NULL};
    entry->named_end = 0;
    for (int i = 0; i < entry->base_count && code == ERR_OK; i++) {
        const struct record_entry *base = entry->bases[i];
        if (base != NULL && base != entry && base->placed)
            code = name_one(r, entry, base);
    }
    if (entry->base_count == 0 && last != NULL && last->order.seq < entry->order.seq)
        code = name_one(r, entry, last);
    return code;
}

// Gives the entry its vector, from those before it that are placed, and applies it.
static enum err_code place(struct record *r, struct record_entry *entry)
{
    struct record_stream *stream = &r->streams[entry->stream];
    enum err_code code = ERR_OK;
    entry->seen = (struct vector){.root = NULL};
    for (int i = 0; i < entry->base_count && code == ERR_OK; i++) {
        const struct record_entry *base = entry->bases[i];
        if (base != NULL && base != entry && base->placed)
            code = join(r, entry, base);
    }
    if (code == ERR_OK && stream->last != NULL && stream->last->order.seq < entry->order.seq)
        code = join(r, entry, stream->last);
    if (code == ERR_OK && r->reducer->by_base)
        code = name_seen(r, entry);
    if (code)
        return code;
    if (stream->last == NULL || stream->last->order.seq < entry->order.seq)
        stream->last = entry;
    if (r->greatest == NULL || compare_order(r->greatest, entry) < 0)
        r->greatest = entry;
    entry->placed = true;
    entry->place = r->placed;
    r->order[r->placed++] = entry;
    bool judges_another = entry->judges != NULL && !uuid_is_zero(&entry->judges->target);
    return judges_another ? ERR_OK : r->reducer->apply(r->state, entry, &r->folded);
}

// What could not be found when it was named may have come since.
static enum err_code find_all(struct record *r)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < r->count && code == ERR_OK; i++) {
        r->entries[i]->placed = false;
        code = find_bases(r, r->entries[i]);
    }
    for (size_t i = 0; i < r->count && code == ERR_OK; i++) {
        if (r->entries[i]->judges != NULL)
            code = spread_verdict(r, r->entries[i]->judges);
    }
    return code;
}

static enum err_code refold(struct record *r)
{
    struct sort sort;
    struct arena scratch;
    r->refolds++;
    r->placed = 0;
    r->greatest = NULL;
    r->circular = false;
    r->stale = true; // until it is done
    arena_reset(&r->folded);
    memset(r->state, 0, r->reducer->state_bytes);
    for (int i = 0; i < r->stream_count; i++)
        r->streams[i] = (struct record_stream){.last = NULL};
    arena_init(&scratch, r->kept.max);
    enum err_code code = find_all(r);
    if (code == ERR_OK)
        code = prepare_sort(r, &sort, &scratch);
    for (size_t i = 0; i < r->count && code == ERR_OK; i++) {
        code = place(r, sort_next(&sort, &r->circular));
    }
    arena_fini(&scratch);
    r->stale = code != ERR_OK;
    return code;
}

// True when a waiting entry comes after everything that is placed, whatever else is known.
static bool comes_last(const struct record *r, const struct record_entry *entry)
{
    const struct record_entry *last = r->streams[entry->stream].last;
    if (r->greatest != NULL && compare_order(entry, r->greatest) < 0)
        return false;
    if (last != NULL && last->order.seq >= entry->order.seq)
        return false;
    for (int i = 0; i < entry->base_count; i++) {
        const struct record_entry *base = entry->bases[i];
        if (base != NULL && !base->placed)
            return false; // waits itself: a circle, or to be placed later
    }
    return true;
}

enum err_code record_fold(struct record *r)
{
    size_t waiting = r->count - r->placed;
    if (r->stale || (r->circular && waiting > 0))
        return refold(r);
    if (waiting > 1)
        qsort(r->order + r->placed, waiting, sizeof(struct record_entry *), by_order);
    while (r->placed < r->count) {
        struct record_entry *entry = r->order[r->placed];
        if (!MUTANT(arrival_wins) && !comes_last(r, entry))
            return refold(r);
        enum err_code code = place(r, entry);
        if (code) {
            r->stale = true;
            return code;
        }
    }
    return ERR_OK;
}

// ---- looking ----------------------------------------------------------------------------------

// What was said of one event for one reason, while its judgements are looked through in order.
struct matter {
    struct uuid target;
    enum verdict_reason reason;
    __int128 correction; // what would make up for all that was said so far and not answered
    struct matter *next; // of another reason
};
struct matters {
    const struct questions *answers;
    struct id_map by_target;
    struct question *found; // what is asked
};

// NULL: out of memory.
static struct matter *matter_of(struct matters *m, const struct judgement *judges, struct arena *a)
{
    struct matter *first = id_map_find(&m->by_target, &judges->target), *matter = first;
    while (matter != NULL && matter->reason != judges->verdict.reason)
        matter = matter->next;
    if (matter != NULL)
        return matter;
    matter = arena_alloc_zero(a, sizeof *matter);
    if (matter == NULL)
        return NULL;
    *matter = (struct matter){judges->target, judges->verdict.reason, 0, first};
    return id_map_put(&m->by_target, matter, a) == ERR_OK ? matter : NULL;
}

// Of a record whose own events are not folded each is asked about alone; but stock below zero is
// one question, whatever took it there.
static bool asks_alone(const struct record *r, const struct verdict *verdict)
{
    return r->reducer->only_asked && verdict->reason != REASON_BELOW_ZERO;
}

static enum err_code name_target(const struct judgement *judges, struct question *question,
                                 struct arena *a)
{
    char *text = arena_alloc(a, UUID_TEXT_SIZE);
    if (text == NULL)
        return ERR_NO_MEMORY;
    uuid_format(&judges->target, text);
    question->part = str_of(text);
    return ERR_OK;
}

// A judgement asks about its target; where that is none of the record's events, for itself.
static enum err_code ask_of_judgement(const struct record *r, const struct record_entry *entry,
                                      struct matters *m, struct arena *a)
{
    const struct verdict *verdict = &entry->judges->verdict;
    const struct record_entry *target = find_entry(r, &entry->judges->target);
    struct matter *matter = matter_of(m, entry->judges, a);
    if (matter == NULL)
        return ERR_NO_MEMORY;
    if (question_answered(m->answers, NULL, entry) == NULL)
        matter->correction += entry->judges->quantity.correction;
    if (!verdict_asks(verdict) || verdict->batched)
        return ERR_OK;
    bool mistrusted = verdict->reason == REASON_UNAUTHORISED || verdict->reason == REASON_OUTRANKED;
    struct question question = {.kind = verdict_reason_name(verdict->reason),
                                .sides = {{.by = target ? target : entry}},
                                .suggested = mistrusted ? DECISION_REJECT : DECISION_ACCEPT,
                                .why = verdict_reason_text(verdict->reason)};
    question.sides[0].value = entry->judges->sold;
    question.base = entry->judges->published;
    if (verdict->reason == REASON_PRICE)
        question.why = "What was sold is never priced again; who sold it can say why.";
    else if (verdict->reason == REASON_PAYMENTS)
        question.why = "Money taken stays taken, and goods sold stay sold; a person can say why.";
    else if (verdict->reason == REASON_ODD)
        question.why = "It counts as it was said; what corrects it is an event of its own.";
    enum err_code code = asks_alone(r, verdict) ? name_target(entry->judges, &question, a) : ERR_OK;
    if (code == ERR_OK && quantity_is_asked(verdict->reason))
        code = quantity_ask(entry->judges, matter->correction, a, &question);
    return code ? code : question_ask(&m->found, &question, a);
}

// What the authority says has explained itself is settled as by an answer.
static enum err_code explain(struct questions *answers, const struct record_entry *entry,
                             struct arena *a)
{
    const struct judgement *judges = entry->judges;
    struct answer_op *op = arena_alloc_zero(a, sizeof *op);
    if (op == NULL)
        return ERR_NO_MEMORY;
    *op = (struct answer_op){.review = judges->review,
                             .decision = DECISION_ACCEPT,
                             .triggers = &judges->target,
                             .trigger_count = 1};
    return question_answer(answers, entry, op, a);
}

static enum err_code judged_rows(const struct record *r, struct row_list *to)
{
    struct questions answers = {.asked = NULL};
    struct matters matters = {.answers = &answers};
    struct record_name name = {.type = str_of(r->reducer->record_type), .id = r->id};
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < r->placed && r->judgements > 0 && code == ERR_OK; i++) {
        const struct record_entry *entry = r->order[i];
        if (entry->answers != NULL)
            code = question_answer(&answers, entry, entry->answers, to->arena);
        else if (entry->judges != NULL && entry->judges->verdict.reason == REASON_EXPLAINED)
            code = explain(&answers, entry, to->arena);
    }
    for (size_t i = 0; i < r->placed && r->judgements > 0 && code == ERR_OK; i++) {
        if (r->order[i]->judges != NULL)
            code = ask_of_judgement(r, r->order[i], &matters, to->arena);
    }
    return code || matters.found == NULL ? code
                                         : questions_write(&answers, matters.found, &name, to);
}

enum err_code record_rows(const struct record *r, struct arena *arena, struct row_list *ret)
{
    MUST(!r->stale && r->placed == r->count);
    row_list_init(ret, arena);
    enum err_code code = r->count == 0 ? ERR_OK : r->reducer->rows(r->state, r->id, ret);
    if (code == ERR_OK)
        code = judged_rows(r, ret);
    row_list_sort(ret);
    return code;
}

enum err_code record_rows_until(const struct record *r, const struct event_order *until,
                                struct arena *arena, struct row_list *ret)
{
    MUST(!r->stale && r->placed == r->count);
    void *state = arena_alloc_zero(arena, r->reducer->state_bytes);
    row_list_init(ret, arena);
    enum err_code code = state ? ERR_OK : ERR_NO_MEMORY;
    for (size_t i = 0; i < r->placed && code == ERR_OK; i++) {
        const struct record_entry *entry = r->order[i];
        bool later = until != NULL && event_order_compare(&entry->order, until) > 0;
        if (!later && entry->op != NULL)
            code = r->reducer->apply(state, entry, arena);
    }
    if (code == ERR_OK)
        code = r->reducer->rows(state, r->id, ret);
    row_list_sort(ret);
    return code;
}

bool record_covered(const struct record *r, const struct record_entry *entry)
{
    return r->cut != NULL && entry->note.rank != 0 && entry->note.rank < r->cut->note.rank;
}

size_t record_frontier(const struct record *r, struct uuid ret[LIMIT_BASE])
{
    size_t n = 0;
    for (size_t i = r->placed; i > 0 && n < LIMIT_BASE; i--) {
        const struct record_entry *entry = r->order[i - 1];
        if (!record_covered(r, entry) && entry->order.seq > r->streams[entry->stream].covered)
            ret[n++] = entry->id;
    }
    return n;
}

const struct record_entry *record_entry_at(const struct record *r, size_t i)
{
    MUST(i < r->placed);
    return r->order[i];
}

size_t record_count(const struct record *r)
{
    return r->count;
}

const struct record_entry *record_find(const struct record *r, const struct uuid *id)
{
    return find_entry(r, id);
}

const struct record_entry *record_cut(const struct record *r)
{
    return r->cut;
}

// The last of the stream below this seq that is placed.
static const struct record_entry *before_in_stream(const struct record *r,
                                                   const struct event_order *order)
{
    const struct record_entry *found = NULL;
    for (size_t i = r->placed; i > 0 && found == NULL; i--) {
        const struct record_entry *entry = r->order[i - 1];
        if (entry->order.seq < order->seq && entry->order.lane == order->lane &&
            uuid_equal(&entry->order.origin, &order->origin))
            found = entry;
    }
    return found;
}

bool record_would_see(const struct record *r, const struct event *event,
                      const struct record_entry *earlier)
{
    struct event_order order = event_order_of(event);
    const struct record_entry *before = before_in_stream(r, &order);
    bool sees = before != NULL && (before == earlier || record_saw(before, earlier));
    for (int i = 0; i < event->base_count && !sees; i++) {
        const struct record_entry *base = find_entry(r, &event->base[i]);
        sees = base != NULL && base->placed && (base == earlier || record_saw(base, earlier));
    }
    return sees;
}

const struct reducer *record_reducer(const struct record *r)
{
    return r->reducer;
}

size_t record_refolds(const struct record *r)
{
    return r->refolds;
}

bool record_saw(const struct record_entry *later, const struct record_entry *earlier)
{
    return vector_at(&later->seen, (size_t)earlier->stream) >= earlier->order.seq;
}

bool record_names(const struct record_entry *later, const struct record_entry *earlier)
{
    return vector_at(&later->named, earlier->place) != 0;
}

bool record_counts(const struct record_entry *entry)
{
    if (verdict_applies(entry->verdict.outcome) || MUTANT(unauthorised_applied))
        return true;
    return entry->type->nature == NATURE_FACT && entry->verdict.outcome != JUDGED_DUPLICATE;
}
