// SPDX-License-Identifier: Apache-2.0
//
// What may wait: the deferred lane going up, and the chain's deferred feed coming down. Nobody
// sends that feed by itself: the device asks, and gets it up to where its head is then.
//
//   not asked for --welcome, window opens, by hand--> asked for --its last page--> open? asked for
//        ^                                              |   ^      again in a minute : not
//        +---- window closes ---------------------------+   +--no page for 5 s--+
#include "sync/uplink_private.h"

// A first copy does not wait for the night: a new till is to know what its chain has decided.
static bool is_wanted(const struct uplink *u)
{
    const struct uplink_feed *f = &u->feeds[FEED_THAT_WAITS];
    return !u->config.revoked && (u->deferred.open || u->deferred.by_hand ||
                                  u->deferred.unfinished || uuid_is_zero(&f->feed));
}

// A device that was revoked may not be there at night.
void uplink_deferred_look(struct uplink *u)
{
    u->outbox.deferred_waits = !u->deferred.open && !u->deferred.by_hand && !u->config.revoked;
}

void uplink_deferred_welcome(struct uplink *u, struct moment now)
{
    u->deferred.ask_ms = is_wanted(u) ? now.mono_ms : INT64_MAX;
}

// What was pushed by hand is done once it is settled and the feed was read since.
static void end_by_hand(struct uplink *u)
{
    if (u->deferred.by_hand && u->deferred.ask_ms == INT64_MAX &&
        outbox_count(&u->outbox).unsettled[LANE_DEFERRED] == 0)
        u->deferred.by_hand = false;
}

void uplink_deferred_tick(struct uplink *u, struct moment now, struct steps *out)
{
    end_by_hand(u);
    if (now.mono_ms < u->deferred.ask_ms || u->pulling)
        return;
    u->deferred.ask_ms = is_wanted(u) ? now.mono_ms + DEFERRED_AGAIN_MS : INT64_MAX;
    if (is_wanted(u))
        uplink_ask_feed(&u->feeds[FEED_THAT_WAITS], out);
}

void uplink_deferred_page(struct uplink *u, const struct message_feed *m, struct moment now)
{
    if (!str_is(m->location, FEED_DEFERRED))
        return;
    u->deferred.unfinished = !m->complete;
    if (!m->complete)
        u->deferred.ask_ms = now.mono_ms + DEFERRED_AGAIN_MS;
    else
        u->deferred.ask_ms = u->deferred.open ? now.mono_ms + DEFERRED_EVERY_MS : INT64_MAX;
}

void uplink_set_deferred(struct uplink *u, bool open, struct moment now, struct steps *out)
{
    if (u->deferred.open == open)
        return;
    u->deferred.open = open;
    if (!open || !uplink_is_live(u))
        return;
    u->deferred.ask_ms = now.mono_ms;
    uplink_wake_at(u, now.mono_ms);
    uplink_pump(u, now, out);
}

void uplink_push_deferred(struct uplink *u, struct moment now, struct steps *out)
{
    u->deferred.by_hand = true;
    if (!uplink_is_live(u))
        return;
    u->deferred.ask_ms = now.mono_ms;
    uplink_wake_at(u, now.mono_ms);
    uplink_pump(u, now, out);
}
