// SPDX-License-Identifier: Apache-2.0
//
//   record_add ──► waiting ──record_fold──► comes last? ── yes ──► place: vector, apply
//                                               │ no
//                                               └──► begin again: sort all, place each
#include "model/record.h"

#include "model/mutant.h"

#include "model/quantity.h"

#include <stdlib.h>
#include <string.h>

struct record_stream {
    struct stream_id {
        struct uuid origin;
        enum lane lane;
    } id;
    struct record_entry *last; // placed, the highest seq
    uint64_t covered;          // the highest seq that another placed event had seen
};

// Open addressing; a power of two of slots, at most half full.
struct id_map {
    struct record_entry **slots;
    size_t capacity;
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
    struct uuid *missing; // named by a 'base', and not here
    size_t missing_count, missing_capacity;
    struct record_stream *streams;
    int stream_count, stream_capacity;
    void *state;
    size_t judgements; // among the entries
    bool stale;        // what is placed is no longer the order
    bool circular;     // events name each other in a circle: nothing may be placed one by one
    size_t refolds;
};

// ---- small tables ------------------------------------------------------------------------------

static size_t slot_of(const struct id_map *map, const struct uuid *id)
{
    uint64_t key;
    memcpy(&key, id->b + 8, sizeof key); // the random half
    size_t at = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (map->capacity - 1);
    while (map->slots[at] != NULL && !uuid_equal(&map->slots[at]->id, id))
        at = (at + 1) & (map->capacity - 1);
    return at;
}

static struct record_entry *find_entry(const struct record *r, const struct uuid *id)
{
    return r->ids.capacity ? r->ids.slots[slot_of(&r->ids, id)] : NULL;
}

static enum err_code rebuild_map(struct record *r, size_t capacity)
{
    struct record_entry **slots = calloc(capacity, sizeof(struct record_entry *));
    if (slots == NULL)
        return ERR_NO_MEMORY;
    free(r->ids.slots);
    r->ids = (struct id_map){slots, capacity};
    for (size_t i = 0; i < r->count; i++)
        slots[slot_of(&r->ids, &r->entries[i]->id)] = r->entries[i];
    return ERR_OK;
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
    if (r->count == r->capacity) {
        size_t capacity = r->capacity;
        void *entries = r->entries, *order = r->order;
        enum err_code code = grow(&entries, &r->capacity, sizeof(struct record_entry *));
        r->entries = entries;
        if (code == ERR_OK)
            code = grow(&order, &capacity, sizeof(struct record_entry *));
        r->order = order;
        if (code)
            return code;
    }
    return (r->count + 1) * 2 <= r->ids.capacity
               ? ERR_OK
               : rebuild_map(r, r->ids.capacity ? r->ids.capacity * 2 : 16);
}

static bool is_missing(const struct record *r, const struct uuid *id)
{
    for (size_t i = 0; i < r->missing_count; i++) {
        if (uuid_equal(&r->missing[i], id))
            return true;
    }
    return false;
}

static enum err_code note_missing(struct record *r, const struct record_entry *entry)
{
    for (int i = 0; i < entry->base_count; i++) {
        if (find_entry(r, &entry->base[i]) != NULL || is_missing(r, &entry->base[i]))
            continue;
        if (r->missing_count == r->missing_capacity) {
            void *missing = r->missing;
            enum err_code code = grow(&missing, &r->missing_capacity, sizeof(struct uuid));
            r->missing = missing;
            if (code)
                return code;
        }
        r->missing[r->missing_count++] = entry->base[i];
    }
    return ERR_OK;
}

// The record's number for a stream; -1 when out of memory.
static int stream_number(struct record *r, const struct event_order *order)
{
    for (int i = 0; i < r->stream_count; i++) {
        if (r->streams[i].id.lane == order->lane &&
            uuid_equal(&r->streams[i].id.origin, &order->origin))
            return i;
    }
    if (r->stream_count == r->stream_capacity) {
        size_t capacity = (size_t)r->stream_capacity;
        void *streams = r->streams;
        enum err_code code = grow(&streams, &capacity, sizeof(struct record_stream));
        r->streams = streams;
        r->stream_capacity = (int)capacity;
        if (code)
            return -1;
    }
    r->streams[r->stream_count] = (struct record_stream){.id = {order->origin, order->lane}};
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
    free(r->ids.slots);
    free(r->missing);
    free(r->streams);
    free(r->state);
    free(r);
}

static enum err_code fill_entry(struct record *r, const struct event *event,
                                struct record_entry *entry)
{
    size_t base_bytes = (size_t)event->base_count * sizeof(struct uuid);
    struct uuid *base = arena_alloc(&r->kept, base_bytes + 1);
    struct str actor = arena_copy(&r->kept, event->actor);
    int stream =
        base && actor.p
            ? stream_number(r, &(struct event_order){event->hlc, event->origin, event->lane, 0})
            : -1;
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

// The verdict of a judgement reaches its target, whichever of them came first.
static void spread_verdicts(struct record *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct judgement *judges = r->entries[i]->judges;
        struct record_entry *target = judges ? find_entry(r, &judges->target) : NULL;
        if (target == NULL)
            continue;
        if (verdict_supersedes(&judges->verdict, &target->verdict))
            target->verdict = judges->verdict;
        if (judges->verdict.effective != 0 &&
            (target->moved == NULL || verdict_supersedes(&judges->verdict, target->moved)))
            target->moved = &judges->verdict;
    }
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
    if (code)
        return code;
    r->judgements += entry->judges != NULL;
    r->stale = r->stale || entry->judges != NULL;
    r->order[r->count] = entry; // waits behind what is placed
    r->entries[r->count++] = entry;
    r->ids.slots[slot_of(&r->ids, &entry->id)] = entry;
    return ERR_OK;
}

enum err_code record_remove(struct record *r, const struct uuid *id)
{
    size_t i = 0;
    while (i < r->count && !uuid_equal(&r->entries[i]->id, id))
        i++;
    if (i == r->count)
        return ERR_NOT_FOUND;
    for (size_t k = 0; r->entries[i]->judges != NULL && k < r->count; k++) { // to be said again
        r->entries[k]->verdict = (struct verdict){.outcome = JUDGED_NOT};
        r->entries[k]->moved = NULL;
    }
    r->judgements -= r->entries[i]->judges != NULL;
    r->entries[i] = r->entries[--r->count];
    r->stale = true;
    return rebuild_map(r, r->ids.capacity);
}

// ---- order ------------------------------------------------------------------------------------

static int compare_order(const struct record_entry *a, const struct record_entry *b)
{
    struct event_order x = a->order, y = b->order;
    if (a->moved != NULL)
        x.hlc = a->moved->effective;
    if (b->moved != NULL)
        y.hlc = b->moved->effective;
    int order = event_order_compare(&x, &y);
    return order ? order : uuid_compare(&a->id, &b->id);
}

static int by_order(const void *a, const void *b)
{
    return compare_order(*(struct record_entry *const *)a, *(struct record_entry *const *)b);
}

// Entries by their stream, and there by seq: who came before whom in its own stream.
static int by_stream(const void *a, const void *b)
{
    const struct record_entry *x = *(struct record_entry *const *)a;
    const struct record_entry *y = *(struct record_entry *const *)b;
    if (x->stream != y->stream)
        return x->stream < y->stream ? -1 : 1;
    if (x->order.seq != y->order.seq)
        return x->order.seq < y->order.seq ? -1 : 1;
    return by_order(a, b);
}

// A topological sort under way. Entries are known by their rank in by_order, so that a heap of
// numbers is a heap of entries.
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

static size_t rank_of(const struct sort *s, const struct record_entry *entry)
{
    struct record_entry **at =
        bsearch(&entry, s->ranked, s->count, sizeof(struct record_entry *), by_order);
    MUST(at != NULL);
    return (size_t)(at - s->ranked);
}

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

// Every "from is before to": by base and by stream. Room for all must be there.
static size_t list_edges(const struct record *r, const struct sort *s, struct edge *edges,
                         struct record_entry **scratch)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct record_entry *entry = s->ranked[i];
        for (int b = 0; b < entry->base_count; b++) {
            const struct record_entry *base = find_entry(r, &entry->base[b]);
            if (base != NULL && base != entry)
                edges[n++] = (struct edge){(uint32_t)rank_of(s, base), (uint32_t)i};
        }
    }
    memcpy(scratch, s->ranked, s->count * sizeof(struct record_entry *));
    qsort(scratch, s->count, sizeof(struct record_entry *), by_stream);
    for (size_t i = 1; i < s->count; i++) {
        if (scratch[i - 1]->stream == scratch[i]->stream)
            edges[n++] = (struct edge){(uint32_t)rank_of(s, scratch[i - 1]),
                                       (uint32_t)rank_of(s, scratch[i])};
    }
    return n;
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
    size_t n = r->count, edges_max = n;
    for (size_t i = 0; i < n; i++)
        edges_max += (size_t)r->entries[i]->base_count;
    struct edge *edges = arena_alloc(a, (edges_max + 1) * sizeof *edges);
    struct record_entry **scratch = arena_alloc(a, (n + 1) * sizeof(struct record_entry *));
    *s = (struct sort){.ranked = arena_alloc(a, (n + 1) * sizeof(struct record_entry *)),
                       .count = n,
                       .first = arena_alloc_zero(a, (n + 2) * sizeof(uint32_t)),
                       .next = arena_alloc(a, (edges_max + 1) * sizeof(uint32_t)),
                       .wait = arena_alloc_zero(a, (n + 1) * sizeof(uint32_t)),
                       .done = arena_alloc_zero(a, n + 1),
                       .heap = arena_alloc(a, (n + 1) * sizeof(uint32_t))};
    if (!edges || !scratch || !s->ranked || !s->first || !s->next || !s->wait || !s->done ||
        !s->heap)
        return ERR_NO_MEMORY;
    memcpy(s->ranked, r->entries, n * sizeof(struct record_entry *));
    qsort(s->ranked, n, sizeof(struct record_entry *), by_order);
    index_edges(s, edges, list_edges(r, s, edges, scratch));
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

// Gives the entry its vector, from those before it that are placed, and applies it.
static enum err_code place(struct record *r, struct record_entry *entry)
{
    struct record_stream *stream = &r->streams[entry->stream];
    enum err_code code = ERR_OK;
    entry->seen = (struct vector){.root = NULL};
    for (int i = 0; i < entry->base_count && code == ERR_OK; i++) {
        const struct record_entry *base = find_entry(r, &entry->base[i]);
        if (base != NULL && base != entry && base->placed)
            code = join(r, entry, base);
    }
    if (code == ERR_OK && stream->last != NULL && stream->last->order.seq < entry->order.seq)
        code = join(r, entry, stream->last);
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

static enum err_code refold(struct record *r)
{
    struct sort sort;
    struct arena scratch;
    r->refolds++;
    r->placed = 0;
    r->greatest = NULL;
    r->missing_count = 0;
    r->circular = false;
    r->stale = true; // until it is done
    spread_verdicts(r);
    arena_reset(&r->folded);
    memset(r->state, 0, r->reducer->state_bytes);
    for (int i = 0; i < r->stream_count; i++)
        r->streams[i] = (struct record_stream){.id = r->streams[i].id};
    for (size_t i = 0; i < r->count; i++)
        r->entries[i]->placed = false;
    arena_init(&scratch, r->kept.max);
    enum err_code code = prepare_sort(r, &sort, &scratch);
    for (size_t i = 0; i < r->count && code == ERR_OK; i++) {
        struct record_entry *entry = sort_next(&sort, &r->circular);
        code = note_missing(r, entry);
        if (code == ERR_OK)
            code = place(r, entry);
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
    if (is_missing(r, &entry->id) || (last != NULL && last->order.seq >= entry->order.seq))
        return false;
    for (int i = 0; i < entry->base_count; i++) {
        const struct record_entry *base = find_entry(r, &entry->base[i]);
        if (base != NULL && !base->placed)
            return false; // waits itself: a circle, or to be placed later
    }
    return true;
}

enum err_code record_fold(struct record *r)
{
    size_t waiting = r->count - r->placed;
    // One that waits may be the target of a judgement that came before it.
    if (r->stale || (r->judgements > 0 && waiting > 0) || (r->circular && waiting > 0))
        return refold(r);
    if (waiting > 1)
        qsort(r->order + r->placed, waiting, sizeof(struct record_entry *), by_order);
    while (r->placed < r->count) {
        struct record_entry *entry = r->order[r->placed];
        if (!MUTANT(arrival_wins) && !comes_last(r, entry))
            return refold(r);
        enum err_code code = note_missing(r, entry);
        if (code == ERR_OK)
            code = place(r, entry);
        if (code) {
            r->stale = true;
            return code;
        }
    }
    return ERR_OK;
}

// ---- looking ----------------------------------------------------------------------------------

static bool same_matter(const struct judgement *a, const struct judgement *b)
{
    return a->verdict.reason == b->verdict.reason && uuid_equal(&a->target, &b->target);
}

// What would make up for all that was said of this matter so far and not answered.
static __int128 open_correction(const struct record *r, const struct record_entry *last,
                                const struct questions *answers)
{
    __int128 sum = 0;
    for (size_t i = 0; i <= last->place; i++) {
        const struct record_entry *entry = r->order[i];
        if (entry->judges != NULL && same_matter(entry->judges, last->judges) &&
            question_answered(answers, NULL, entry) == NULL)
            sum += entry->judges->quantity.correction;
    }
    return sum;
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
                                      const struct questions *answers, struct question **list,
                                      struct arena *a)
{
    const struct verdict *verdict = &entry->judges->verdict;
    const struct record_entry *target = find_entry(r, &entry->judges->target);
    if (!verdict_asks(verdict) || verdict->batched)
        return ERR_OK;
    bool mistrusted = verdict->reason == REASON_UNAUTHORISED || verdict->reason == REASON_OUTRANKED;
    struct question question = {.kind = verdict_reason_name(verdict->reason),
                                .sides = {{.by = target ? target : entry}},
                                .suggested = mistrusted ? DECISION_REJECT : DECISION_ACCEPT,
                                .why = verdict_reason_text(verdict->reason)};
    if (verdict->reason == REASON_PRICE) {
        question.sides[0].value = entry->judges->sold;
        question.base = entry->judges->published;
        question.why = "What was sold is never priced again; who sold it can say why.";
    }
    enum err_code code = asks_alone(r, verdict) ? name_target(entry->judges, &question, a) : ERR_OK;
    if (code == ERR_OK && quantity_is_asked(verdict->reason))
        code = quantity_ask(entry->judges, open_correction(r, entry, answers), a, &question);
    return code ? code : question_ask(list, &question, a);
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
    struct questions answers = {.answers = NULL};
    struct question *found = NULL;
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
            code = ask_of_judgement(r, r->order[i], &answers, &found, to->arena);
    }
    return code || found == NULL ? code : questions_write(&answers, found, &name, to);
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

size_t record_frontier(const struct record *r, struct uuid ret[LIMIT_BASE])
{
    size_t n = 0;
    for (size_t i = r->placed; i > 0 && n < LIMIT_BASE; i--) {
        const struct record_entry *entry = r->order[i - 1];
        if (entry->order.seq > r->streams[entry->stream].covered)
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

size_t record_refolds(const struct record *r)
{
    return r->refolds;
}

bool record_saw(const struct record_entry *later, const struct record_entry *earlier)
{
    return vector_at(&later->seen, (size_t)earlier->stream) >= earlier->order.seq;
}

bool record_counts(const struct record_entry *entry)
{
    if (verdict_applies(entry->verdict.outcome) || MUTANT(unauthorised_applied))
        return true;
    return entry->type->nature == NATURE_FACT && entry->verdict.outcome != JUDGED_DUPLICATE;
}
