// SPDX-License-Identifier: Apache-2.0
// A hub between tills and the centre: what it takes from below goes up as its author signed it.
#include "base/rng.h"
#include "test/unit/node/chain_fixture.h"

#include <stdio.h>
#include <string.h>

enum { ARENA = 16 * 1024 * 1024 };

static struct chain c;
static struct err e;

static void must(enum err_code code)
{
    if (code)
        fail_msg("%s: %s", err_name(code), err_message(&e));
}

// ---- a link -----------------------------------------------------------------------------------

// What a stream's next push holds, as the uplink would send it: false where all is sent.
static bool load(struct journal *from, const struct outbox_stream *s, size_t max_events,
                 struct arena *a, struct message_push *ret)
{
    const struct identity *who = journal_identity(from);
    struct step step = {
        .key = s->key, .after = s->held.seq, .max_events = max_events, .max_bytes = 60000};
    struct uplink_loaded loaded;
    journal_load(from, &step, a, &loaded);
    if (loaded.count == 0)
        return false;
    struct mark last = {loaded.after + loaded.count, loaded.head};
    *ret = (struct message_push){
        .key = s->key,
        .from = loaded.after + 1,
        .head = loaded.head,
        .seal =
            s->carried ? loaded.seal : seal_make(&who->key, &who->chain, &s->key, &last).signature,
        .certificate = s->certificate.signature,
        .device = s->certificate.device,
        .count = loaded.count};
    ret->events = arena_alloc(a, loaded.count * sizeof *ret->events);
    memcpy(ret->events, loaded.events, loaded.count * sizeof *ret->events);
    return true;
}

static struct downlink_stored receive(struct journal *from, struct journal *to,
                                      const struct message_push *push, struct arena *a)
{
    const struct identity *who = journal_identity(from);
    struct intake_sender sender = {who->chain, who->device, str_of(who->location),
                                   who->key.public_key};
    struct message m = {.kind = MESSAGE_PUSH, .push = *push};
    struct downlink_stored stored;
    struct buf text;
    buf_init(&text, MESSAGE_MAX_BYTES);
    must(message_encode(&m, &text));
    must(journal_begin(to, &e));
    must(journal_receive(to, &sender, arena_copy(a, buf_str(&text)), a, &stored, &e));
    must(journal_commit(to, &e));
    buf_fini(&text);
    return stored;
}

static void hear(struct journal *j, const struct message_mark *mark)
{
    must(journal_begin(j, &e));
    must(journal_acked(j, mark, false, &e));
    must(journal_commit(j, &e));
}

// One push of each stream that waits; how many there were.
static size_t push_some(struct journal *from, struct journal *to, size_t max_events)
{
    struct journal_unsettled open;
    struct arena a;
    size_t pushed = 0;
    arena_init(&a, ARENA);
    must(journal_unsettled(from, &a, &open, &e));
    for (size_t i = 0; i < open.count; i++) {
        struct message_push push;
        if (open.streams[i].held.seq == open.streams[i].head.seq ||
            !load(from, &open.streams[i], max_events, &a, &push))
            continue;
        struct downlink_stored stored = receive(from, to, &push, &a);
        assert_false(stored.denied);
        assert_false(stored.mark.fork);
        assert_int_equal(stored.mark.held.seq, push.from + push.count - 1); // nothing was refused
        hear(from, &stored.mark);
        pushed++;
    }
    arena_fini(&a);
    return pushed;
}

static void push_all(struct journal *from, struct journal *to)
{
    while (push_some(from, to, LIMIT_BATCH_EVENTS) > 0) {
    }
}

// What the centre settled of what a hub carries is told to who brought it.
static void tell_settled(struct journal *hub, struct journal *till)
{
    struct journal_unsettled open;
    struct arena a;
    arena_init(&a, ARENA);
    must(journal_unsettled(till, &a, &open, &e));
    for (size_t i = 0; i < open.count; i++) {
        struct stream_info info;
        if (store_stream_find(journal_store(hub), &open.streams[i].key, &info) == ERR_OK)
            hear(till, &(struct message_mark){info.key, info.head, info.settled.seq, 0, false});
    }
    arena_fini(&a);
}

static void assert_whole(struct journal *j)
{
    struct store_verdict verdict;
    struct arena a;
    arena_init(&a, ARENA);
    must(store_verify(journal_store(j), &a, NULL, NULL, &verdict, &e));
    if (verdict.first_problem.n)
        fail_msg("%s: %.*s", node_role_name(journal_identity(j)->role),
                 STR_ARG(verdict.first_problem));
    assert_true(verdict.refold_equal);
    arena_fini(&a);
}

static uint64_t unsettled(struct journal *j)
{
    return journal_outbox(j);
}

// ---- tests ------------------------------------------------------------------------------------

TEST(carry__what_a_till_wrote_reaches_the_centre_through_its_hub)
{
    chain_open(&c);
    chain_add_hub(&c);
    for (int i = 0; i < 3; i++) {
        chain_waste(c.till, "milk", 1);
        push_all(c.till, c.hub);
    }
    assert_int_equal(chain_stock(c.hub, "milk"), -3);
    assert_int_equal(unsettled(c.till), 4); // held by a hub is not settled
    assert_int_equal(unsettled(c.hub), 4);
    push_all(c.hub, c.centre);
    assert_int_equal(chain_stock(c.centre, "milk"), -3);
    assert_int_equal(unsettled(c.hub), 0);
    tell_settled(c.hub, c.till);
    assert_int_equal(unsettled(c.till), 0);
    chain_feed(&c, c.hub);
    assert_int_equal(chain_stock(c.hub, "milk"), -3); // included, and not beside it
    assert_whole(c.till);
    assert_whole(c.hub);
    assert_whole(c.centre);
    chain_close(&c);
}

TEST(carry__a_push_ends_where_the_author_s_did)
{
    struct journal_unsettled open;
    struct message_push push;
    struct arena a;
    arena_init(&a, ARENA);
    chain_open(&c);
    chain_add_hub(&c);
    for (int i = 0; i < 9; i++)
        chain_waste(c.till, "milk", 1);
    (void)push_some(c.till, c.hub, 4); // seals at 4, 8 and 10
    (void)push_some(c.till, c.hub, 4);
    (void)push_some(c.till, c.hub, 4);
    must(journal_unsettled(c.hub, &a, &open, &e));
    assert_int_equal(open.count, 1);
    static const struct {
        size_t asked, ends;
    } cases[] = {{1, 4}, {4, 4}, {5, 4}, {8, 8}, {9, 8}, {10, 10}, {500, 10}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(load(c.hub, &open.streams[0], cases[i].asked, &a, &push));
        assert_int_equal(push.count, cases[i].ends);
    }
    chain_close(&c);
    arena_fini(&a);
}

TEST(carry__a_history_that_the_centre_disputes_ends_at_the_hub_and_its_author_is_told)
{
    struct journal_unsettled open;
    struct message_push push;
    struct message_mark mark;
    uint64_t after = 2;
    struct arena a;
    arena_init(&a, ARENA);
    chain_open(&c);
    chain_add_hub(&c);
    chain_waste(c.till, "milk", 1);
    push_all(c.till, c.hub);
    push_all(c.hub, c.centre);
    chain_waste(c.till, "milk", 4);
    push_all(c.till, c.hub);
    assert_int_equal(chain_stock(c.hub, "milk"), -5);
    must(journal_unsettled(c.till, &a, &open, &e));
    mark = (struct message_mark){.key = open.streams[0].key};
    must(journal_begin(c.hub, &e)); // as the uplink asks for it, told of a fork
    must(journal_rehome(c.hub, &mark.key, 2, &after, &e));
    must(journal_commit(c.hub, &e));
    assert_true(after == REHOME_DONE);
    assert_int_equal(chain_stock(c.hub, "milk"), -1);
    assert_int_equal(unsettled(c.hub), 0);
    assert_false(push_some(c.hub, c.centre, 500));
    chain_waste(c.till, "milk", 2);
    must(journal_unsettled(c.till, &a, &open, &e));
    assert_true(load(c.till, &open.streams[0], 500, &a, &push));
    struct downlink_stored stored = receive(c.till, c.hub, &push, &a);
    assert_true(stored.mark.fork);
    after = 2;
    must(journal_begin(c.till, &e)); // so its author appends what was not settled again
    must(journal_rehome(c.till, &mark.key, 2, &after, &e));
    must(journal_commit(c.till, &e));
    push_all(c.till, c.hub);
    assert_int_equal(chain_stock(c.hub, "milk"), -7);
    push_all(c.hub, c.centre);
    assert_int_equal(chain_stock(c.centre, "milk"), -7);
    assert_whole(c.hub);
    assert_whole(c.centre);
    chain_close(&c);
    arena_fini(&a);
}

// ---- any routes -------------------------------------------------------------------------------

enum { TILLS = 3, STEPS = 120 };

struct place {
    struct config config[TILLS];
    struct journal *tills[TILLS];
    int64_t sum;
};

static void step_at_random(struct place *p, struct rng *rng)
{
    struct journal *till = p->tills[rng_below(rng, TILLS)];
    size_t max = 1 + rng_below(rng, 5);
    switch (rng_below(rng, 8)) {
    case 0:
    case 1:
    case 2:
        chain_waste(till, "milk", 1);
        p->sum--;
        break;
    case 3:
    case 4:
        (void)push_some(till, c.hub, max);
        break;
    case 5:
        (void)push_some(c.hub, c.centre, max);
        break;
    case 6:
        chain_feed(&c, rng_below(rng, 2) ? till : c.hub);
        break;
    case 7:
        chain_waste(c.hub, "milk", 1);
        p->sum--;
        break;
    }
}

// Whatever comes by whatever way, in pieces of any size: the centre and the hub end with the sum.
TEST(carry__any_order_of_pushes_and_pages_ends_in_the_same)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct place p = {.sum = 0};
        struct rng rng;
        rng_init(&rng, seed);
        chain_open(&c);
        for (int i = 0; i < TILLS; i++) {
            char name[16];
            (void)snprintf(name, sizeof name, "till%d", i);
            p.tills[i] = chain_device(&c, name, ROLE_TERMINAL, &p.config[i]);
        }
        chain_add_hub(&c);
        for (int i = 0; i < STEPS; i++)
            step_at_random(&p, &rng);
        for (int i = 0; i < TILLS; i++)
            push_all(p.tills[i], c.hub);
        assert_int_equal(chain_stock(c.hub, "milk"), p.sum); // before the centre has all of it
        push_all(c.hub, c.centre);
        assert_int_equal(chain_stock(c.centre, "milk"), p.sum);
        chain_feed(&c, c.hub);
        assert_int_equal(chain_stock(c.hub, "milk"), p.sum);
        assert_whole(c.hub);
        assert_whole(c.centre);
        for (int i = 0; i < TILLS; i++) {
            tell_settled(c.hub, p.tills[i]);
            assert_int_equal(unsettled(p.tills[i]), 0);
            chain_feed(&c, p.tills[i]);
            assert_int_equal(chain_stock(p.tills[i], "milk"), p.sum);
            assert_whole(p.tills[i]);
            journal_close(p.tills[i]);
        }
        chain_close(&c);
    }
}
