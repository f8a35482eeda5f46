// SPDX-License-Identifier: Apache-2.0
// The deterministic simulator: tills, a network and a centre in one thread, under virtual time.
//
// Why: the production model and sync libraries, unmodified, meet every fault that a seed can draw,
//   thousands of times a minute; a seed that fails once fails always.
// Invariants: the same seed, steps and profile give the same trace hash on every machine.
// Ownership: the caller's structs. Threads: one world a process; sim_main forks for more.
#ifndef WASL_SIM_SIM_H
#define WASL_SIM_SIM_H

#include "base/err.h"

#include <stdint.h>

enum { SIM_JOBS_MAX = 64 };

struct sim_options {
    uint64_t seed;       // the first one
    uint64_t count;      // how many
    uint64_t steps;      // of the chaos phase of each
    const char *profile; // default, calm, network, crash, clock, restore, big
    unsigned jobs;       // processes; 0: one a core
    bool verbose;        // a readable trace on standard output
};

enum sim_fault { // what an invariant that does not hold is counted as
    SIM_FINE,
    SIM_LOST,
    SIM_DOUBLED,
    SIM_DIVERGENT,
    SIM_WEDGED,
    SIM_FAULT_COUNT
};

struct sim_result {
    enum sim_fault fault;
    char reason[512];
    uint64_t steps;
    uint64_t hash; // of all events of the world, in order
};

// Runs one seed. ERR_NOT_FOUND: no such profile.
enum err_code sim_run(const struct sim_options *options, uint64_t seed,
                      struct sim_result *ret) MUST_CHECK;

// The command line, without the program's name. ERR_USAGE with a sentence; *ret_help: --help asked.
enum err_code sim_parse(int argc, char *const *argv, struct sim_options *ret, bool *ret_help,
                        struct err *e) MUST_CHECK;
extern const char sim_usage[];

// Parses, runs all seeds and prints the result as one JSON line. The process's exit status:
// 0, 1 when anything is wrong, 2 for bad usage.
int sim_main(int argc, char *const *argv);

#endif
