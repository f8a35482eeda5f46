// SPDX-License-Identifier: Apache-2.0
//
// An upstream that was restored from a backup names its recovery in the welcome. What it says of a
// stream holds from then on only when a hello has asked it: so each stream that is kept here is put
// into the outbox once, a page at a time, and the hello of a new session names them. When the last
// were named, and what was lost of them is pending again, the recovery is done with here.
#include "model/mutant.h"
#include "sync/uplink_private.h"

#include <string.h>

enum { OFFER_AGAIN_MS = 1000 };

bool uplink_is_offering(const struct uplink *u)
{
    return u->offer.more;
}

void uplink_set_witness(struct uplink *u, const struct outbox_stream *stream)
{
    u->witness = *stream;
}

// Whether less of a stream is settled there than was said before.
static bool is_less(const struct uplink *u, const struct message_mark *mark)
{
    const struct outbox_stream *s = outbox_find(&u->outbox, &mark->key);
    if (s == NULL && stream_key_equal(&mark->key, &u->witness.key))
        s = &u->witness;
    return s && mark->settled < s->claimed;
}

// An upstream takes no word of a device that was revoked for it that it was restored; so that one
// finds out by itself. It is durable before the marks are lowered by which it was found.
void uplink_doubt(struct uplink *u, const struct message_welcome *m, struct steps *out)
{
    bool less = false;
    for (size_t i = 0; m->revoked && i < m->count; i++)
        less = less || is_less(u, &m->marks[i]);
    if (!less)
        return;
    memset(&u->config.recovery, 0xFF, sizeof(u->config.recovery)); // no upstream's
    u->offer = (struct uplink_offer){.active = false};
    steps_add(out, STEP_DOUBTED)->id = u->config.recovery;
}

// As a welcome names it, behind its marks.
void uplink_take_recovery(struct uplink *u, const struct uuid *id, struct steps *out)
{
    struct uplink_offer *offer = &u->offer;
    if (uuid_equal(id, &u->config.recovery)) {
        *offer = (struct uplink_offer){.active = false};
    } else if (!offer->active || !uuid_equal(id, &offer->id)) {
        bool more = !MUTANT(settled_not_offered);
        *offer = (struct uplink_offer){.active = true, .more = more, .id = *id};
        u->witness = (struct outbox_stream){.claimed = 0};
    } else if (!offer->more) { // this hello named the last ones
        u->config.recovery = *id;
        *offer = (struct uplink_offer){.active = false};
        steps_add(out, STEP_RECOVERED)->id = *id;
    }
}

// Asks for the next streams to name, where there is room for them.
void uplink_ask_offer(struct uplink *u, struct moment now, struct steps *out)
{
    struct uplink_offer *offer = &u->offer;
    bool can = uplink_in(u, LIVE) && uplink_is_offering(u) && outbox_has_room(&u->outbox);
    if (!can || offer->asking || now.mono_ms < offer->again_ms)
        return;
    offer->asking = true;
    steps_add(out, STEP_OFFER)->after = offer->next;
}

void uplink_offered(struct uplink *u, const struct uplink_kept *kept, struct moment now,
                    struct steps *out)
{
    struct uplink_offer *offer = &u->offer;
    offer->asking = false;
    bool wanted = uplink_is_offering(u) && kept->after == offer->next;
    if (!wanted || uplink_in(u, HELLO)) // the hello that was said does not name them
        return;
    if (kept->failed || outbox_offer(&u->outbox, kept->streams, kept->count)) {
        offer->again_ms = now.mono_ms + OFFER_AGAIN_MS;
        uplink_wake_at(u, offer->again_ms);
        return;
    }
    offer->next = kept->next;
    offer->more = kept->more;
    if (uplink_in(u, LIVE))
        uplink_drop(u, now, out, "to tell a restored upstream what is kept here");
}
