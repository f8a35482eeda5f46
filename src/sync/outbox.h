// SPDX-License-Identifier: Apache-2.0
// What a node has not seen settled: its own streams and those that it carries for others, how far
// each is sent, held and settled.
//
// Why: "nothing leaves a till's outbox before the centre holds it" is decided here.
// Invariants: settled <= held <= head; sent >= held while a session is live; marks move down only
//   by outbox_told when the upstream itself says that it has less (it was restored, or a hub died).
// Ownership: owns its table. Limits: LIMIT_STREAMS_HELLO streams not fully settled.
#ifndef WASL_SYNC_OUTBOX_H
#define WASL_SYNC_OUTBOX_H

#include "sync/message.h"

struct outbox_stream {
    struct stream_key key;
    struct certificate certificate;
    struct mark head;       // durable here
    struct mark held;       // what the upstream holds, as it said last
    uint64_t settled;       // what the centre settled, as the upstream said last
    struct mark sent;       // the last event handed to the link in this session
    uint64_t claimed;       // settled, where the upstream of today said so; 0: says nothing of it
    uint64_t included;      // what the upstream's feed includes: not in the overlay any more
    int64_t lacks_since_ms; // when settled rose above included, or included rose last; 0: it is not
    int64_t held_since_ms;  // when held rose above settled; 0 when it is not
    uint64_t backlog;       // head when the session began
    uint64_t turn;          // of a carried one: when it was sent from last, counted in pushes
    bool carried;           // another device's: its pushes end at that one's seals
    bool resending;         // sent is below held: what is held and not settled goes out again
    bool checked;           // the upstream's held hash was found equal to ours
    bool unreadable;        // its next event could not be read: passed over until outbox_reread
    bool forked;            // waits for its events to be appended under a new run
    bool rehomed;           // they were: what stays of it is said in the next hello
    bool offered;           // stays until a welcome says what the upstream has of it
};

struct outbox {
    struct outbox_stream *streams;
    size_t count;
    size_t capacity;
    uint64_t turns;
    bool overflowed;     // there are unsettled streams beside these, which wait for room
    bool unfed;          // nothing will say what a feed includes: what is settled is done with
    bool deferred_waits; // streams of the deferred lane are passed over: it is not their time
};

void outbox_fini(struct outbox *o);
struct outbox_stream *outbox_find(const struct outbox *o, const struct stream_key *key);
// Adds a stream, or moves the head of a known one up.
struct outbox_head {
    struct stream_key key;
    struct certificate certificate;
    struct mark head;
    bool carried;
};
enum err_code outbox_committed(struct outbox *o, const struct outbox_head *head) MUST_CHECK;
// Takes streams that waited for room, as read from the journal; 'overflowed': there are still more.
void outbox_refill(struct outbox *o, const struct outbox_stream *streams, size_t count,
                   bool overflowed);
// Takes streams that are settled, as far as is known, to ask the upstream about them: all, or none
// where there is no room.
enum err_code outbox_offer(struct outbox *o, const struct outbox_stream *streams,
                           size_t count) MUST_CHECK;
bool outbox_has_room(const struct outbox *o); // for many streams
// True when streams wait and there is room for many of them.
bool outbox_wants_refill(const struct outbox *o);
// A new session: nothing is in flight.
void outbox_session_begin(struct outbox *o);

enum outbox_news { OUTBOX_SAME, OUTBOX_UP, OUTBOX_DOWN };
// What the upstream says of a stream (welcome or ack). OUTBOX_DOWN: it has less than it had
// acknowledged; sent goes back with it.
enum outbox_news outbox_told(struct outbox_stream *s, const struct message_mark *mark,
                             int64_t now_ms);
// Sends again from 'seq' (a gap or damage on the way).
void outbox_rewind(struct outbox_stream *s);

// The stream to send from next: by lane, then oldest first, those that are carried behind the own
// ones and by turns; NULL when all is sent that may be. With hold_backlog, only what was committed
// after the session began.
struct outbox_stream *outbox_next(struct outbox *o, bool hold_backlog);
// Something of the stream was sent: the other carried ones are next.
void outbox_had_turn(struct outbox *o, struct outbox_stream *s);
// Streams held but not settled for longer than timeout_ms go back to their settled mark.
size_t outbox_resend_unsettled(struct outbox *o, int64_t now_ms, int64_t timeout_ms);

// Streams that could not be read are tried again.
void outbox_reread(struct outbox *o);

// The seq up to which a stream's events may be dropped from the device: settled, never held, and
// 'included' by the feed as the device shows it, since a stream that is gone is not asked about.
uint64_t outbox_prunable(const struct outbox_stream *s, uint64_t included);
// Forgets streams that are settled and (unless unfed) included to their head, but for 'keep' (the
// current origin) and those that are offered.
void outbox_compact(struct outbox *o, const struct uuid *keep);

struct outbox_totals {
    uint64_t pending[LANE_COUNT];   // not held
    uint64_t unsettled[LANE_COUNT]; // held or not
};
struct outbox_totals outbox_count(const struct outbox *o);

#endif
