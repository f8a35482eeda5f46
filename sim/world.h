// SPDX-License-Identifier: Apache-2.0
// The simulated world: what every part of it shares.
//
// A world is a heap of things to happen at a virtual moment. Each is one step. Whatever lives as
// long as the seed sits in its arena; 'scratch' lives for one step.
#ifndef WASL_SIM_WORLD_H
#define WASL_SIM_WORLD_H

#include "base/rng.h"
#include "model/feed_reader.h"
#include "model/quantity.h"
#include "sim/book.h"
#include "sim/sim.h"
#include "sync/downlink.h"
#include "sync/overlay.h"
#include "sync/run.h"
#include "sync/uplink.h"

enum { MAX_PEOPLE = 4 };
enum person_known { KNEW_NOTHING, KNEW_ALLOWED, KNEW_REFUSED }; // what a device knew of an author
enum {
    MAX_PLACES = 3,
    PLACE_CHAIN = MAX_PLACES,
    MAX_SKUS = 10,
    MAX_DELTAS = 3,
    MAX_STREAMS = 600,
    STREAM_SLOTS = 8192
};
// What the centre folded, in order, is one line of history; restoring the centre begins another,
// which shares the beginning with the one that the backup is of.
enum { MAX_LINES = 4 };

// ---- what is true -----------------------------------------------------------------------------

struct delta {
    int sku;
    int64_t quantity;
    // by line: its number among all folded at that place for that SKU, from 1; 0: not yet
    uint64_t folded[MAX_LINES];
};
struct claim { // what its author says was there before
    bool made;
    int sku;
    int64_t lie; // decimal: by how much that is not what it saw
};
struct item { // one thing that happened, as its author meant it
    struct uuid id;
    int place;
    int delta_count;
    struct delta deltas[MAX_DELTAS];
    bool ticket;
    struct claim claim;
    bool foreign;   // of a version that the centre cannot read: a dead letter there
    bool committed; // durable at a till
    bool excused;   // a restored till forgot it before the centre had it
    bool of_centre; // what it wrote itself: lost where its disk is restored
    bool withheld;  // the centre keeps it of a revoked device, and does not count it
    int notice;     // its record in the place's feed; 0: none
    unsigned counted;
    const struct stream *folded_by[MAX_LINES]; // by line
    struct shop_item *shop;                    // of a folded record; NULL: of none
    struct shop_record *shift;                 // in which it happened; NULL: in none
    int64_t paid;                              // of a ticket: its total
    int written; // how often: again under a new run, or at another till
    int actor;   // -1: nobody
    // What the centre must find as it comes, by what was said there until then.
    const struct carrier *came_by;
    int64_t arrived_ms;
    bool unauthorised, clamped;
    enum verdict_reason due; // what is to be said of it; REASON_NONE: nothing
};
struct carrier { // an item at its place in a stream
    struct item *item;
    struct stream *stream;
    uint64_t seq;
    struct str bytes;
    struct hash chain;
    bool committed;
    struct shop_carrier *shop;
    enum person_known knew; // by its author's device: whether he had the right
    struct uuid grant;
};
struct stream { // as its author wrote it
    struct stream_key key;
    struct certificate certificate;
    int till;
    struct carrier **carriers;
    uint64_t count, capacity;
    hlc last;
    struct centre_stream *at_centre;
};

// ---- what may happen --------------------------------------------------------------------------

enum happening {
    HAPPENS_SALE,
    HAPPENS_FSYNC,
    HAPPENS_WAKE,
    HAPPENS_TILL_START,
    HAPPENS_RESTART,
    HAPPENS_LOAD,
    HAPPENS_DIAL,
    HAPPENS_CONNECTED,
    HAPPENS_TO_TILL,
    HAPPENS_TO_CENTRE,
    HAPPENS_TILL_TOLD,   // its link is gone
    HAPPENS_CENTRE_TOLD, // one of its links is gone
    HAPPENS_READ_FEED,
    HAPPENS_CENTRE_COMMIT,
    HAPPENS_FORWARD,
    HAPPENS_CENTRE_TICK,
    HAPPENS_CENTRE_START,
    HAPPENS_SETTING,
    HAPPENS_ANSWER, // somebody at the centre looks at a question
    HAPPENS_WINDOW, // of what is deferred, at a till
    HAPPENS_CONFIRM,
    HAPPENS_TRIM, // of the places' feeds
    HAPPENS_FAULT,
    HAPPENS_LINK_UP,
    HAPPENS_COUNT
};
struct event_at {
    int64_t at;
    uint64_t order;
    enum happening kind;
    int till;
    uint64_t life; // of the node it is meant for: nothing happens when that has died meanwhile
    struct conn *conn;
    const void *data;
    struct str text;
};

// How much of what may go wrong this seed has: per 1,000 where not said otherwise.
struct knobs {
    int tills, places, skus;
    int64_t sale_ms; // mean pause between sales of a till
    bool front;      // held in a front log first, settled later
    unsigned drop, doubled, reorder, flip, slow;
    int64_t latency_ms, jitter_ms, bytes_per_ms; // 0: no limit
    int64_t fsync_ms, commit_ms, forward_ms;
    int64_t fault_ms; // mean pause between faults; 0: none
    unsigned kill_till, kill_centre, cut, partition, jump, restore, clone, revoke, front_loss,
        front_amnesia, upgrade, restore_centre;
    bool honest; // nothing that a node shows is lost, and all of it comes in order
    unsigned failed_fsync, failed_commit, foreign, other_lane, rot, doubt, amid;
    unsigned orders;  // of what a till writes
    unsigned retried; // of those: once more at another till
    int64_t clock_ms; // offsets up to this
    int window_events;
    size_t page_bytes;
    uint64_t feed_memory; // tombstones kept
    int64_t trim_ms;      // how often what is over leaves the feeds; 0: never
    int64_t trim_keep_ms; // how long it stays, and who is away is waited for
    int64_t jitter_told_ms;
    int64_t setting_ms; // how often the chain says something
    int64_t hour_ms;    // what the chain's settings call an hour
    unsigned said;      // of the times somebody at the centre looks: a user, a role, a setting
    unsigned tampered;  // tills that let anybody do anything: of what they write
    int64_t keep_ms;    // how long a till keeps what is settled; no backup of the centre is older
    size_t offer_page;  // streams that a till names to a restored centre at once
};

// ---- nodes ------------------------------------------------------------------------------------

struct conn {
    int till;
    uint64_t life;        // of the till
    uint64_t centre_life; // of the centre, once it took the call
    bool till_open, centre_open;
    bool connected; // the till was told
    bool cut;       // what is sent vanishes
    int64_t last[2];
    int64_t free_at[2]; // when the wire is free again
    bool listed;
    struct downlink downlink;
    uint32_t number;
    int dials;
};
enum way { UP, DOWN };

struct page_row {
    int64_t quantity;
    unsigned line;
    uint64_t folded;
    bool present;
};
struct till_stream {
    struct stream *stream;
    uint64_t count; // durable
    uint64_t held, settled, included, pruned;
    uint64_t told;   // what pages that are kept aside include
    bool is_told;    // ... where they say anything
    uint64_t rotten; // seq whose bytes are not what was written; 0: none
    bool dead;       // its events went on under another run
    uint64_t number; // of this disk's streams
    uint64_t rose;   // settled, before or after others
    int64_t settled_at;
    uint64_t prunable;
    int64_t prunable_at; // since then
};
struct note { // a row of type notice
    struct uuid id;
    bool apart; // false: taken back
};
struct told_row { // of type event, kept aside
    struct item *item;
    const struct carrier *carrier; // NULL: taken back
};
enum { CHAIN_ROWS = 2 * MAX_SKUS + 1 }; // settings, items, the version
struct chain_view { // of one of the chain's feeds: what was told, and what is shown of it
    struct str shown[CHAIN_ROWS], next[CHAIN_ROWS];
    bool fresh;
    bool whole; // all that there was when it was read
};
struct note_list { // never changed: a longer one is made
    const struct note *items;
    size_t count;
};
struct till_disk { // what survives a crash
    struct till_stream streams[MAX_STREAMS];
    size_t count;
    struct page_row confirmed[MAX_SKUS];
    struct page_row staged[MAX_SKUS]; // pages since the last complete one
    struct note_list notes, staged_notes;
    bool staged_fresh;
    struct book book;
    struct chain_view chain[UPLINK_FEEDS - 1];
    struct told_list {
        struct told_row *items;
        uint64_t count, capacity;
        bool fresh;
        uint64_t copy; // which of the feed's beginnings
    } told[UPLINK_FEEDS];
    int64_t own[MAX_SKUS]; // what own events add beside 'confirmed'
    struct feed_place {
        struct uuid feed;
        uint64_t position;
        struct hash hash;
    } feeds[UPLINK_FEEDS];
    struct event_seen shown; // up to where the place's feed is shown
    hlc last;
    uint64_t numbers, rises;
    struct uuid recovery;    // of the centre, that was told everything
    int64_t recovered_at;    // when it was
    bool revoked;            // as the centre told last
    int64_t clock_offset_ms; // as the centre told last
    struct uuid run;         // of the last run
    bool any_run;
    uint64_t may_lack; // records that had left the feed by then
};
enum pending_kind {
    PENDING_EVENT,
    PENDING_FEED,
    PENDING_MARK,
    PENDING_REHOMED,
    PENDING_REVOKED,
    PENDING_RECOVERED
};
struct pending {
    enum pending_kind kind;
    struct stream *stream;
    struct carrier *carrier;
    const struct message_feed *feed;
    struct stream_key key;
    struct message_mark mark;
    uint64_t after;
    struct uuid id;
    struct pending *next;
};
struct till {
    int index, place;
    bool used, up;
    bool revoked;      // its device was, at the centre
    bool window;       // of what is deferred: open
    uint64_t may_lack; // of the copy that it was promised
    bool agreed;       // the recovery that the centre names was told everything
    struct uuid named;
    uint64_t life;
    struct uuid device;
    struct sign_key key;
    struct uuid_maker ids;
    struct till_disk disk;
    struct till_disk *backup;
    // volatile
    struct uplink uplink;
    struct run run, run_durable;
    struct stream *streams[LANE_COUNT]; // of the run
    struct overlay *overlay;
    struct steps steps;
    struct conn *conn;
    struct pending *first, **end;
    size_t pending_count;
    int64_t fsync_at, wake_at;
    int64_t clock_offset;
    int clock_drift; // parts per million
    // its link
    bool down[2];
    int64_t latency_ms;
    uint64_t arrived_at_heal, waiting_at_heal;
    int64_t patience_ms;
};

struct centre_entry {
    struct str bytes;
    struct hash chain;
    const struct carrier *truth;
    bool present; // front: not lost on the way to the centre
};
struct centre_stream {
    struct stream *stream;
    struct uuid device;
    int place;
    bool durable;
    struct centre_entry **entries;
    uint64_t capacity;
    uint64_t working, held, settled; // seen, durable, folded
    bool revoked;
    uint64_t counts_to; // when revoked
};
struct feed_entry {
    struct str row;
    struct hash hash;
    int record;
};
struct centre_feed {
    char location[LIMIT_NAME + 1];
    struct uuid id;
    struct feed_entry *entries;
    uint64_t head, capacity;
    uint64_t *live; // position of each record's live row: SKUs or settings, then notices
    uint64_t records;
    uint64_t trimmed; // up to where rows of records were dropped
};
struct centre_reader { // of a place's feed
    bool any;
    struct feed_reader reader;
    int64_t heard_at;
};
struct job { // a push that was checked and waits for the commit
    struct conn *conn;
    struct centre_stream *stream;
    uint64_t from, to; // of the new events
    uint64_t settled;
    uint64_t push_from, push_to;
    struct downlink_stored stored;
    struct job *next;
};
struct fold_log { // everything folded at a place for a SKU, in order: sums after each
    int64_t *sums;
    uint64_t count, capacity;
};
struct noted { // counts since this transaction, and may have to be judged
    const struct carrier *carrier;
    struct event event; // as long as the step
    struct noted *next;
};
struct move { // of stock, with the feed's head behind it
    struct quantity_move move;
    int sku;
    uint64_t head;
    bool again; // taken back: who saw it cannot be told
};
struct move_list {
    struct move *items;
    uint64_t count, capacity;
};
struct catalog {     // a version
    uint64_t number; // 0: none yet
    struct hash hash;
    uint64_t count;
    int64_t price[MAX_SKUS]; // decimal; 0: not sold
    const struct catalog *before;
};
struct author { // of the centre's events at one place
    struct run run;
    struct stream *streams[LANE_COUNT];
};
struct below { // stock that moved in this transaction
    bool moved, brought;
    int64_t before;
    const struct item *taken_by; // the last that took from it
};
struct centre_backup; // restore.c
struct centre {
    bool up;
    uint64_t life;
    struct steps steps;
    struct conn **conns;
    size_t conn_count, conn_capacity;
    struct centre_stream **streams;
    size_t stream_count, stream_capacity;
    struct job *first, **end;
    bool commit_due, forward_due;
    bool upgraded;                            // its program reads what it could not read before
    struct centre_feed feeds[MAX_PLACES + 2]; // the last are the chain's, and its deferred one
    int64_t stock[MAX_PLACES][MAX_SKUS];
    struct below below[MAX_PLACES][MAX_SKUS];
    // Something else than a sale has moved it there.
    bool kept[MAX_PLACES][MAX_SKUS];
    uint64_t tickets[MAX_PLACES];
    struct book book;
    struct item **ids; // counted once: open addressing
    size_t id_count, id_capacity;
    int64_t clock_offset;
    struct uuid recovery; // zero: it was never restored, as far as it knows
    bool recovering;      // and no person has confirmed it
    struct centre_backup *backup;
    struct catalog catalog;
    struct move_list moves[MAX_PLACES];
    struct uuid device;
    struct sign_key key;
    struct author authors[MAX_PLACES + 1]; // the last is the chain's
    struct noted *noted, **noted_end;
    struct centre_reader *readers; // by till
};

struct shop { // records that tills share
    struct shop_record **records;
    uint64_t count, capacity;
};

struct world {
    struct sim_result *result;
    const struct sim_options *options;
    uint64_t seed;
    struct rng rng;
    struct rng net;
    int64_t now;
    uint64_t order;
    struct event_at *heap;
    size_t heap_count, heap_capacity;
    struct arena arena;
    struct arena scratch;
    struct buf buf;
    struct knobs knobs;
    struct uuid chain;
    struct till *tills;
    int till_count, till_max;
    struct centre centre;
    bool healed, quiet;
    // truth
    struct stream **streams; // by key, open addressing
    size_t stream_count;
    struct item **items;
    uint64_t item_count, item_capacity;
    uint64_t trims;   // records that left a feed
    uint32_t notices; // rows of feeds beside stock and settings
    struct shop shop;
    const struct catalog *catalogs; // all that were ever published
    struct fold_log folded[MAX_LINES][MAX_PLACES][MAX_SKUS];
    uint64_t enough[MAX_PLACES][MAX_SKUS]; // folded when it was not below zero last
    unsigned line;                         // the centre's of now
    unsigned lines;
    uint32_t conn_count;
};

// ---- time and trace ---------------------------------------------------------------------------

void world_init(struct world *w, const struct sim_options *options, uint64_t seed,
                struct sim_result *result);
void world_fini(struct world *w);
void *world_alloc(struct world *w, size_t n); // cleared; lives as long as the seed
struct str world_copy(struct world *w, struct str text);
// Grows an array in the arena to hold at least one more; doubles.
void *world_grow(struct world *w, void *items, uint64_t *capacity, size_t size);
struct event_at *world_add(struct world *w, int64_t delay, enum happening kind);
// What travels arrives soon, in the order in which it would have.
void world_hurry(struct world *w, int64_t within_ms);
bool world_pop(struct world *w, struct event_at *ret);
void world_mix(struct world *w, uint64_t value);
void world_mix_text(struct world *w, struct str text);
// The first fault found ends the seed.
void world_fail(struct world *w, enum sim_fault fault, const char *format, ...) PRINTF_LIKE(3, 4);
bool world_failed(const struct world *w);
void world_trace(struct world *w, const char *format, ...) PRINTF_LIKE(2, 3);
bool world_chance(struct world *w, unsigned per_thousand);
int64_t world_pause(struct world *w, int64_t mean_ms); // exponential, at least 1
struct uuid world_uuid(struct world *w);
const char *world_place(int place); // its name; behind the places come those of the chain's feeds
// The number of a device's i-th feed among the centre's.
int world_feed(int place, int i);
const char *world_sku(int sku);
int world_sku_number(struct str name); // -1: none

#endif
