// SPDX-License-Identifier: Apache-2.0
// A file system for SQLite whose power can be cut: what was not synced may be lost, torn or mixed.
//
// Why: "acknowledged" must mean "on the disk". A killed process cannot show that (the kernel keeps
//   its writes); only a machine that loses power can, or this.
// How: writes go to the real files at once and are noted, with what they replaced, until the file
// is
//   synced. power_restore takes back all that is noted and lets a seeded part of it happen anyway:
//   none, all, a beginning, or any of it in any order, whole or torn in the middle of a 512-byte
//   sector. A file that was made and never synced may be gone; one that was deleted may be back.
// Invariants: what was synced is never touched. Once the power is off every call fails and changes
//   nothing, until power_restore.
// Limits: only what passes through SQLite; the shared-memory file passes through, since SQLite
//   never believes it after a restart. Threads: one.
#ifndef WASL_CRASH_POWER_POWER_VFS_H
#define WASL_CRASH_POWER_POWER_VFS_H

#include "base/rng.h"

void power_install(void); // becomes SQLite's default; before that nothing is noted

// The database that was opened last writes its log home after so many pages.
void power_checkpoint_after(int pages);

// The power of the files under dir goes at the n-th write, sync, truncation or deletion from now
// (1 is the next one), which does not happen any more.
void power_cut_after(const char *dir, unsigned n);
void power_leave_on(void); // forgets a cut that has not come
bool power_is_off(void);

// Damages the files under dir as a power cut may, then switches on again. All of them are closed.
void power_restore(struct rng *rng);

// A sync that only says so: with it an honest store must be found to lose what it acknowledged.
void power_ignore_syncs(bool ignore);

struct power_counts {
    uint64_t writes, syncs;    // seen
    uint64_t lost, kept, torn; // writes that were not synced at a cut
    uint64_t files_gone, files_back;
};
struct power_counts power_count(void);

#endif
