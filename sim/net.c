// SPDX-License-Identifier: Apache-2.0
#include "sim/net.h"

#include "sim/centre.h"

#include <string.h>

enum { HEADER_BYTES = 60, SECOND_CALL_MS = 1000, THIRD_CALL_MS = 3000 };

static int64_t delay_of(struct world *w, const struct till *t)
{
    if (w->healed)
        return rng_between(&w->net, 1, 30);
    const struct knobs *k = &w->knobs;
    int64_t delay = t->latency_ms + rng_between(&w->net, 0, k->jitter_ms);
    if (k->slow && rng_chance(&w->net, k->slow, 1000))
        delay += rng_between(&w->net, 200, 3000);
    return delay;
}

static bool net_chance(struct world *w, unsigned per_thousand)
{
    return per_thousand && !w->healed && rng_chance(&w->net, per_thousand, 1000);
}

static bool is_open(const struct conn *c, enum way towards)
{
    return towards == UP ? c->centre_open : c->till_open;
}

static struct event_at *add_for(struct world *w, struct conn *c, int64_t delay, enum happening kind)
{
    struct event_at *e = world_add(w, delay, kind);
    e->conn = c;
    e->till = c->till;
    e->life = c->life;
    return e;
}

void net_dial(struct world *w, struct till *t)
{
    struct conn *c = world_alloc(w, sizeof(*c));
    *c = (struct conn){
        .till = t->index, .life = t->life, .till_open = true, .number = ++w->conn_count};
    t->conn = c;
    world_trace(w, "till %d dials (link %u)", t->index, c->number);
    add_for(w, c, delay_of(w, t), HAPPENS_DIAL);
}

void net_ring(struct world *w, struct conn *c)
{
    const struct till *t = &w->tills[c->till];
    if (!c->till_open || t->life != c->life)
        return;
    if (t->down[UP] || t->down[DOWN]) {
        if (++c->dials <= 2)
            add_for(w, c, c->dials == 1 ? SECOND_CALL_MS : THIRD_CALL_MS - SECOND_CALL_MS,
                    HAPPENS_DIAL);
        return;
    }
    if (!w->centre.up) {
        add_for(w, c, delay_of(w, t), HAPPENS_TILL_TOLD);
        return;
    }
    c->last[DOWN] = w->now + delay_of(w, t);
    add_for(w, c, c->last[DOWN] - w->now, HAPPENS_CONNECTED);
    centre_opened(w, c);
}

// When the last byte arrives: the wire takes one message after the other at its speed.
static int64_t arrival(struct world *w, struct conn *c, enum way way, size_t bytes)
{
    int64_t start = w->now;
    if (w->knobs.bytes_per_ms && !w->healed) {
        if (c->free_at[way] > start)
            start = c->free_at[way];
        c->free_at[way] = start + (int64_t)(bytes + HEADER_BYTES) / w->knobs.bytes_per_ms;
        start = c->free_at[way];
    }
    int64_t at = start + delay_of(w, &w->tills[c->till]);
    bool overtakes = net_chance(w, w->knobs.reorder);
    if (at < c->last[way] && !overtakes)
        at = c->last[way];
    if (at > c->last[way])
        c->last[way] = at;
    return at;
}

static struct str flipped(struct world *w, struct str text)
{
    struct str copy = world_copy(w, text);
    size_t at = (size_t)rng_below(&w->net, copy.n);
    char *byte = (char *)(uintptr_t)(copy.p + at);
    *byte = (char)(*byte ^ (1 << rng_below(&w->net, 8)));
    struct message m;
    struct err e;
    if (message_decode(copy, &w->scratch, &m, &e) == ERR_OK)
        world_fail(w, SIM_DIVERGENT, "a flipped bit in a %s goes unnoticed",
                   message_kind_name(m.kind));
    return copy;
}

static void deliver(struct world *w, struct conn *c, enum way way, struct str text)
{
    if (net_chance(w, w->knobs.drop)) {
        world_trace(w, "  (lost on the way)");
        return;
    }
    if (net_chance(w, w->knobs.flip)) {
        world_trace(w, "  (a bit flips on the way)");
        text = flipped(w, text);
    }
    int64_t at = arrival(w, c, way, text.n);
    struct event_at *e =
        add_for(w, c, at - w->now, way == UP ? HAPPENS_TO_CENTRE : HAPPENS_TO_TILL);
    e->text = text;
}

static void show(struct world *w, const struct conn *c, enum way way, struct str text)
{
    if (!w->options->verbose)
        return;
    const char *end = memchr(text.p, '\n', text.n);
    int n = end ? (int)(end - text.p) : (int)text.n;
    world_trace(w, "till %d %s %.*s", c->till, way == UP ? "=>" : "<=", n < 420 ? n : 420, text.p);
}

void net_send(struct world *w, struct conn *c, enum way way, struct str text)
{
    if (!is_open(c, way == UP ? DOWN : UP))
        return;
    show(w, c, way, text);
    world_mix(w, (uint64_t)way << 32 | c->number);
    world_mix_text(w, text);
    if (c->cut || w->tills[c->till].down[way]) {
        world_trace(w, "  (the link is down)");
        return;
    }
    struct str copy = world_copy(w, text);
    deliver(w, c, way, copy);
    if (net_chance(w, w->knobs.doubled)) {
        world_trace(w, "  (twice)");
        deliver(w, c, way, copy);
    }
}

void net_close(struct world *w, struct conn *c, enum way way)
{
    if (way == UP)
        c->till_open = false;
    else
        c->centre_open = false;
    if (c->cut || w->tills[c->till].down[way])
        return;
    int64_t at = arrival(w, c, way, 0);
    add_for(w, c, at - w->now, way == UP ? HAPPENS_CENTRE_TOLD : HAPPENS_TILL_TOLD);
}

bool net_arrives(struct world *w, const struct event_at *e)
{
    enum way way = e->kind == HAPPENS_TO_CENTRE ? UP : DOWN;
    if (is_open(e->conn, way))
        return true;
    if (!e->conn->cut && is_open(e->conn, way == UP ? DOWN : UP) &&
        !w->tills[e->conn->till].down[way == UP ? DOWN : UP])
        add_for(w, e->conn, delay_of(w, &w->tills[e->conn->till]),
                way == UP ? HAPPENS_TILL_TOLD : HAPPENS_CENTRE_TOLD);
    return false;
}

void net_cut(struct world *w, struct conn *c, bool tell_till, bool tell_centre)
{
    c->cut = true;
    if (tell_till && c->till_open)
        add_for(w, c, rng_between(&w->net, 0, 100), HAPPENS_TILL_TOLD);
    if (tell_centre && c->centre_open)
        add_for(w, c, rng_between(&w->net, 0, 100), HAPPENS_CENTRE_TOLD);
}
