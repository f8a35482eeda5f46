// SPDX-License-Identifier: Apache-2.0
// Cuts the power of a till or of its centre at a seeded moment, again and again, and looks for what
// had been acknowledged.
//
// A world of two nodes lives through ten cuts, then comes to rest and must agree; the next world
// begins with fresh folders. --no-sync lets every sync do nothing: then this must fail, or it would
// prove nothing.
#include "test/crash/power/power_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CUTS_PER_WORLD = 10, ACTS_MAX = 400, CUT_WRITES = 400 };

static size_t events_pruned;
static uint64_t versions, pieces, passed, cut_short;

struct options {
    uint64_t seed;
    unsigned points;
    bool no_sync;
};

static unsigned points_of_mode(void)
{
    const char *mode = getenv("WASL_CHECK");
    if (mode && strcmp(mode, "full") == 0)
        return 500;
    return mode && strcmp(mode, "fast") == 0 ? 20 : 60;
}

static bool read_options(int argc, char **argv, struct options *ret)
{
    *ret = (struct options){.seed = 1, .points = points_of_mode()};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--no-sync") == 0)
            ret->no_sync = true;
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            ret->seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--points") == 0 && i + 1 < argc)
            ret->points = (unsigned)strtoul(argv[++i], NULL, 10);
        else
            return false;
    }
    return true;
}

// Goes on until the power is cut, starts again and checks. False: it was never cut.
static bool one_cut(struct power_world *w)
{
    struct power_node *victim = rng_chance(&w->rng, 3, 5) ? &w->till : &w->centre;
    power_cut_after(victim->config.dir, 1 + (unsigned)rng_below(&w->rng, CUT_WRITES));
    for (int i = 0; i < ACTS_MAX && !power_is_off() && w->problem[0] == '\0'; i++) {
        uint64_t shown = w->catalog.shown;
        power_world_act(w);
        bool shows = w->catalog.shown != shown && victim == &w->till && !power_is_off();
        if (shows && rng_chance(&w->rng, 1, 2)) // before a sale has synced it too
            power_cut_after(victim->config.dir, 1 + (unsigned)rng_below(&w->rng, 4));
    }
    if (!power_is_off()) {
        power_leave_on();
        return false;
    }
    power_world_restart(w, victim);
    power_world_check(w);
    return true;
}

// Lives one world; the number of cuts it went through.
static unsigned one_world(uint64_t seed, unsigned cuts, bool no_sync, char problem[512])
{
    static struct power_world w;
    unsigned done = 0;
    power_ignore_syncs(false); // folders are whole before anything is lost
    power_world_make(&w, seed);
    power_ignore_syncs(no_sync);
    while (done < cuts && w.problem[0] == '\0' && one_cut(&w))
        done++;
    power_world_drain(&w);
    memcpy(problem, w.problem, sizeof w.problem);
    events_pruned += w.pruned;
    versions += w.catalog.count;
    pieces += w.catalog.pieces;
    passed += w.catalog.passed;
    cut_short += w.catalog.cut_short;
    power_world_remove(&w);
    return done;
}

int main(int argc, char **argv)
{
    struct options options;
    char problem[512] = "";
    unsigned done = 0, worlds = 0;
    if (!read_options(argc, argv, &options)) {
        (void)fprintf(stderr, "usage: power_test [--seed N] [--points N] [--no-sync]\n");
        return 2;
    }
    power_install();
    while (done < options.points && problem[0] == '\0') {
        unsigned left = options.points - done;
        unsigned cuts = left < CUTS_PER_WORLD ? left : CUTS_PER_WORLD;
        unsigned had = one_world(options.seed + worlds++, cuts, options.no_sync, problem);
        done += had;
        if (had == 0 && problem[0] == '\0')
            memcpy(problem, "the power was never cut", sizeof "the power was never cut");
    }
    struct power_counts counts = power_count();
    (void)printf(
        "%u cuts in %u worlds: %llu writes, %llu syncs; of what was not synced %llu lost, "
        "%llu kept, %llu torn; %llu files gone, %llu back; %zu events pruned; %llu versions "
        "in %llu pieces, %llu of them not synced, %llu cut short\n",
        done, worlds, (unsigned long long)counts.writes, (unsigned long long)counts.syncs,
        (unsigned long long)counts.lost, (unsigned long long)counts.kept,
        (unsigned long long)counts.torn, (unsigned long long)counts.files_gone,
        (unsigned long long)counts.files_back, events_pruned, (unsigned long long)versions,
        (unsigned long long)pieces, (unsigned long long)passed, (unsigned long long)cut_short);
    if (problem[0])
        (void)printf("seed %llu: %s\n", (unsigned long long)(options.seed + worlds - 1), problem);
    return problem[0] ? 1 : 0;
}
