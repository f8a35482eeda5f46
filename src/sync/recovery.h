// SPDX-License-Identifier: Apache-2.0
// Whether a server was restored from a backup: what a device says of its past, against what it has.
//
// Why: nothing in a database that was copied back says so. What was told to devices since it was
//   copied does: streams that were settled further, feeds that had gone on.
// Invariants:
//   1. A device speaks of a past that this server had only while it knows of the same recovery; of
//      every later one it is told, and then names everything that it keeps.
//   2. The id of a recovery is above those of all recoveries before it that the server or the
//      device knows of, unless their time is beyond belief.
#ifndef WASL_SYNC_RECOVERY_H
#define WASL_SYNC_RECOVERY_H

#include "sync/message.h"

enum { RECOVERY_AHEAD_MS = 24 * 60 * 60 * 1000 }; // beyond it an id's time is not believed

enum feed_standing { // a device's cursor, at the server
    FEED_FOREIGN,    // of another feed, or too old to tell: a fresh copy
    FEED_KNOWN,      // a position that the feed really had
    FEED_LOST,       // the feed had that position, and has not any more: the server was restored
};

struct recovery_view {
    const struct uuid *recovery;      // the server's newest; zero: none
    const struct message_mark *marks; // what it has of the hello's streams, in their order
    const enum feed_standing *feeds;
    size_t feed_count;
    uint64_t now_ms; // since 1970
};
// NULL, or a sentence that says how it is known that the server was restored.
const char *recovery_found(const struct recovery_view *server, const struct message_hello *hello);

// The id of the recovery that begins with such a hello: a UUID of version 7.
struct uuid recovery_next(const struct recovery_view *server, const struct message_hello *hello,
                          const uint8_t random[10]);

#endif
