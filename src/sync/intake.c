// SPDX-License-Identifier: Apache-2.0
#include "sync/intake.h"

#include "model/event_type.h"
#include "model/mutant.h"

#include <stdio.h>

struct check {
    const struct intake_io *io;
    const struct intake_sender *sender;
    const struct message_push *push;
    struct arena *arena;
    struct intake_result *result;
    struct err *e;
    struct uuid author; // whose stream it is
    struct sign_public key;
};

static uint64_t last_seq(const struct message_push *push)
{
    return push->from + push->count - 1;
}

static void refuse(struct check *c, enum intake_outcome outcome, const char *reason)
{
    c->result->outcome = outcome;
    snprintf(c->result->reason, sizeof(c->result->reason), "%s", reason);
}

static void ask_again(struct check *c)
{
    c->result->want = c->result->stream.held.seq + 1;
}

// A lane that is new here, of an origin that is not: only who writes the others may begin it.
static bool is_anothers(const struct check *c)
{
    const struct intake_stream *stream = &c->result->stream;
    return stream->claimed && (!uuid_equal(&stream->device, &c->author) ||
                               !str_is(c->sender->location, stream->location));
}

// A stream never seen before is believed on the word of its device: the certificate. It names the
// place, so that no device can write for another one.
static void admit_stream(struct check *c)
{
    struct intake_result *r = c->result;
    if (is_anothers(c)) {
        refuse(c, INTAKE_DENIED, "the origin belongs to another device or place");
        return;
    }
    if (c->push->from != 1) {
        r->outcome = INTAKE_GAP;
        ask_again(c);
        return;
    }
    r->certificate = (struct certificate){
        .origin = c->push->key.origin, .device = c->author, .signature = c->push->certificate};
    MUST(str_copy(r->certificate.location, sizeof(r->certificate.location), c->sender->location) ==
         ERR_OK);
    if (!certificate_verify(&r->certificate, &c->sender->chain, &c->key)) {
        refuse(c, INTAKE_DENIED, "the origin's certificate is not its device's for this place");
        return;
    }
    r->stream.device = c->author;
    MUST(str_copy(r->stream.location, sizeof(r->stream.location), c->sender->location) == ERR_OK);
}

// The chain hash before the first event of the push: ERR_NOT_FOUND where it was pruned.
static enum err_code base_hash(struct check *c, struct hash *ret)
{
    const struct intake_stream *stream = &c->result->stream;
    uint64_t before = c->push->from - 1;
    if (before == stream->held.seq) {
        *ret = stream->held.hash;
        return ERR_OK;
    }
    if (before == 0) {
        *ret = (struct hash){0};
        return ERR_OK;
    }
    return c->io->chain_at(c->io->context, &c->push->key, before, ret);
}

// True when the sender's history at 'seq' is not the one held here.
static enum err_code differs_from_held(struct check *c, uint64_t seq, const struct hash *theirs,
                                       bool *ret)
{
    const struct mark *held = &c->result->stream.held;
    struct hash ours = held->hash;
    if (seq != held->seq) {
        enum err_code code = c->io->chain_at(c->io->context, &c->push->key, seq, &ours);
        if (code)
            return code;
    }
    *ret = !hash_equal(&ours, theirs);
    return ERR_OK;
}

// What was pruned here was settled, and cannot be compared any more: the sender is to go on behind
// what is held.
static enum err_code unless_pruned(struct check *c, enum err_code code)
{
    if (code != ERR_NOT_FOUND)
        return code;
    c->result->outcome = INTAKE_GAP;
    ask_again(c);
    return ERR_OK;
}

// Computes the chain over the whole push; checks the claim, then the part that is held already.
static enum err_code check_chain(struct check *c, struct hash *hashes)
{
    struct hash hash;
    enum err_code code = base_hash(c, &hash);
    if (code)
        return unless_pruned(c, code);
    for (size_t i = 0; i < c->push->count; i++) {
        hash = hash_chain(&hash, c->push->events[i]);
        hashes[i] = hash;
    }
    uint64_t held = c->result->stream.held.seq;
    bool claim_holds = hash_equal(&hash, &c->push->head);
    if (!claim_holds) {
        refuse(c, INTAKE_DAMAGED, "the events do not give the chain hash that their sender claims");
        ask_again(c);
        return ERR_OK;
    }
    uint64_t overlap = held < last_seq(c->push) ? held : last_seq(c->push);
    bool differs = false;
    if (overlap >= c->push->from)
        code = differs_from_held(c, overlap, &hashes[overlap - c->push->from], &differs);
    if (code == ERR_OK && differs)
        refuse(c, INTAKE_FORKED, "the sender's history differs from what is held of this run");
    return unless_pruned(c, code);
}

static const char *envelope_fault(const struct check *c, const struct intake_event *item)
{
    const struct event *event = &item->event;
    if (!uuid_equal(&event->origin, &c->push->key.origin) || event->lane != c->push->key.lane ||
        event->seq != item->seq)
        return "it names another position than the one it came in";
    if (!str_is(event->location, c->result->stream.location))
        return "it names another place than its origin's";
    return NULL;
}

// Parsing takes at most so many bytes of the arena for each of the text, and some for the document.
enum { PARSE_FACTOR = 64, PARSE_BASE = 4096 };

// A reader without memory knows nothing of the event: it must not become a dead letter.
static bool memory_was_short(size_t room, size_t n, enum err_code code)
{
    return code == ERR_NO_MEMORY || (code == ERR_LIMIT && room < n * PARSE_FACTOR + PARSE_BASE);
}

static enum err_code read_event(struct check *c, struct intake_event *item)
{
    struct err e = {0};
    size_t room = c->arena->max - c->arena->used;
    enum err_code code = event_parse(item->bytes, c->arena, &item->event, &e);
    if (memory_was_short(room, item->bytes.n, code))
        return err_set(c->e, ERR_NO_MEMORY, "out of memory for an event");
    if (code) {
        struct str reason = arena_copy(c->arena, str_of(err_message(&e)));
        item->dead = reason.p ? reason.p : "its envelope cannot be read";
        return ERR_OK;
    }
    item->dead = envelope_fault(c, item);
    item->envelope = item->dead == NULL;
    if (item->envelope && item->event.type && item->event.type->from_centre)
        item->dead = "only the centre may say this";
    return ERR_OK;
}

static enum err_code take_new_events(struct check *c, const struct hash *hashes)
{
    struct intake_result *r = c->result;
    uint64_t held = r->stream.held.seq;
    size_t skip = held >= c->push->from ? (size_t)(held - c->push->from + 1) : 0;
    if (MUTANT(dedupe_dropped))
        skip = 0;
    r->count = c->push->count - skip;
    r->events = arena_alloc_zero(c->arena, r->count * sizeof(*r->events));
    if (r->events == NULL)
        return err_set(c->e, ERR_NO_MEMORY, "out of memory for a push");
    for (size_t i = 0; i < r->count; i++) {
        struct intake_event *item = &r->events[i];
        item->bytes = c->push->events[skip + i];
        item->seq = c->push->from + skip + i;
        item->chain = hashes[skip + i];
        enum err_code code = read_event(c, item);
        if (code)
            return code;
    }
    r->held = (struct mark){last_seq(c->push), c->push->head};
    if (MUTANT(watermark_off_by_one))
        r->held.seq++;
    return ERR_OK;
}

// The seal covers the push's head. Events below a valid seal are settled, new or not.
static void settle(struct check *c)
{
    struct intake_result *r = c->result;
    struct mark mark = {last_seq(c->push), c->push->head};
    r->seal = (struct seal){c->push->key, mark, c->push->seal};
    if (!seal_verify(&r->seal, &c->sender->chain, &c->key)) {
        refuse(c, INTAKE_DAMAGED, "the seal's signature is wrong");
        r->count = 0;
        r->held = r->stream.held;
        ask_again(c);
        return;
    }
    if (c->io->settles && mark.seq > r->settled)
        r->settled = mark.seq;
}

// What a device brings of its own needs no look; of another one, by whose key it is.
static enum err_code find_author(struct check *c)
{
    const struct intake_stream *stream = &c->result->stream;
    c->author = c->sender->device;
    c->key = c->sender->key;
    if (stream->known || stream->claimed)
        c->author = stream->device;
    else if (!uuid_is_zero(&c->push->device)) // said where a stream begins
        c->author = c->push->device;
    if (uuid_equal(&c->author, &c->sender->device))
        return ERR_OK;
    enum err_code code = c->io->find_key(c->io->context, &c->author, &c->key);
    if (code && code != ERR_NOT_FOUND)
        return err_set(c->e, code, "reading who wrote a stream");
    if (code)
        refuse(c, INTAKE_DENIED, "the stream belongs to a device that is not known");
    else if (stream->known && !str_is(c->sender->location, stream->location))
        refuse(c, INTAKE_DENIED, "the stream belongs to another place");
    return ERR_OK;
}

static enum err_code judge(struct check *c)
{
    struct intake_result *r = c->result;
    enum err_code code = find_author(c);
    if (code == ERR_OK && r->outcome == INTAKE_APPEND && !r->stream.known)
        admit_stream(c);
    if (code == ERR_OK && r->outcome == INTAKE_APPEND && r->stream.ended)
        refuse(c, INTAKE_FORKED, "another history of the stream is held above");
    if (code || r->outcome != INTAKE_APPEND)
        return code;
    uint64_t beyond = MUTANT(watermark_off_by_one) ? 2 : 1;
    if (c->push->from > r->stream.held.seq + beyond) {
        r->outcome = INTAKE_GAP;
        ask_again(c);
        return ERR_OK;
    }
    struct hash *hashes = arena_alloc(c->arena, c->push->count * sizeof(*hashes));
    if (hashes == NULL)
        return err_set(c->e, ERR_NO_MEMORY, "out of memory for a push");
    code = check_chain(c, hashes);
    if (code || r->outcome != INTAKE_APPEND)
        return code;
    if (last_seq(c->push) <= r->stream.held.seq && !MUTANT(dedupe_dropped))
        r->outcome = INTAKE_DUPLICATE;
    else
        code = take_new_events(c, hashes);
    if (code == ERR_OK)
        settle(c);
    return code;
}

enum err_code intake_check(const struct intake_io *io, const struct intake_sender *sender,
                           const struct message_push *push, struct arena *arena,
                           struct intake_result *ret, struct err *e)
{
    *ret = (struct intake_result){.outcome = INTAKE_APPEND};
    struct check c = {
        .io = io, .sender = sender, .push = push, .arena = arena, .result = ret, .e = e};
    enum err_code code = io->find_stream(io->context, &push->key, &ret->stream);
    if (code)
        return err_set(e, code, "reading a stream's marks");
    ret->held = ret->stream.held;
    ret->settled = ret->stream.settled;
    return judge(&c);
}

struct message_mark intake_mark(const struct message_push *push, const struct intake_result *result)
{
    return (struct message_mark){.key = push->key,
                                 .held = result->held,
                                 .settled = result->settled < result->held.seq ? result->settled
                                                                               : result->held.seq,
                                 .want = result->want,
                                 .fork = result->outcome == INTAKE_FORKED};
}
