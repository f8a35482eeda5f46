// SPDX-License-Identifier: Apache-2.0
// How far a long command is, on stderr: a bar on a terminal, else a line for every tenth.
//
// Why: nobody should wonder whether it hangs; what ends within a second says nothing at all.
// Ownership: the caller's struct. Threads: one at a time.
#ifndef WASL_CLI_PROGRESS_H
#define WASL_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *label;
    int64_t began_ms;
    int64_t drawn_ms;
    int tenths; // told so far
    bool terminal;
    bool drawn;
};

void progress_begin(struct progress *p, const char *label); // label outlives p
void progress_update(struct progress *p, uint64_t done, uint64_t total);
void progress_end(struct progress *p); // wipes the bar
// As store_verify and store_rebuild call it; context is a struct progress.
void progress_told(void *context, uint64_t done, uint64_t total);

#endif
