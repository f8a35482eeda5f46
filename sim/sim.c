// SPDX-License-Identifier: Apache-2.0
#include "sim/sim.h"

#include "base/clock.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char sim_usage[] =
    "usage: wasl sim [--seed N] [--count K] [--steps M] [--profile NAME] [--jobs J] [--verbose]\n"
    "\n"
    "Runs K simulated worlds, each M steps of chaos, then healing and quiet, and checks that no\n"
    "event is lost or counted twice, that all nodes agree and that nobody is stuck. The same seed\n"
    "always does the same.\n"
    "\n"
    "  --seed N       the first seed (default 1)\n"
    "  --count K      how many seeds (default 100)\n"
    "  --steps M      world events in the chaos of each (default 2000)\n"
    "  --profile P    default, calm, network, crash, clock, restore or big\n"
    "  --jobs J       processes (default: one a core)\n"
    "  --verbose      a readable trace, seed by seed\n"
    "\n"
    "The last line is one JSON object; a seed that fails is named before it, with the reason.\n";

// ---- the command line -------------------------------------------------------------------------

static enum err_code set_option(const char *name, const char *value, struct sim_options *o,
                                struct err *e)
{
    static const char *const names[] = {"--seed", "--count", "--steps", "--jobs", "--profile"};
    uint64_t number = 0;
    size_t i = 0;
    while (i < sizeof names / sizeof names[0] && strcmp(name, names[i]) != 0)
        i++;
    if (i == sizeof names / sizeof names[0])
        return err_set(e, ERR_USAGE, "there is no option %s (see --help)", name);
    if (value == NULL)
        return err_set(e, ERR_USAGE, "%s needs a value", name);
    if (strcmp(name, "--profile") == 0) {
        o->profile = value;
        return ERR_OK;
    }
    if (str_to_u64(str_of(value), &number))
        return err_set(e, ERR_USAGE, "%s needs a number, not '%s'", name, value);
    if (strcmp(name, "--seed") == 0)
        o->seed = number;
    else if (strcmp(name, "--count") == 0)
        o->count = number;
    else if (strcmp(name, "--steps") == 0)
        o->steps = number;
    else if (number <= SIM_JOBS_MAX)
        o->jobs = (unsigned)number;
    else
        return err_set(e, ERR_USAGE, "--jobs: at most %d", SIM_JOBS_MAX);
    return ERR_OK;
}

enum err_code sim_parse(int argc, char *const *argv, struct sim_options *ret, bool *ret_help,
                        struct err *e)
{
    *ret = (struct sim_options){.seed = 1, .count = 100, .steps = 2000, .profile = "default"};
    *ret_help = false;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            *ret_help = true;
            return ERR_OK;
        }
        if (strcmp(argv[i], "--verbose") == 0) {
            ret->verbose = true;
            continue;
        }
        enum err_code code = set_option(argv[i], i + 1 < argc ? argv[i + 1] : NULL, ret, e);
        if (code)
            return code;
        i++;
    }
    return ERR_OK;
}

// ---- many seeds -------------------------------------------------------------------------------

struct totals {
    uint64_t seeds, steps, hash;
    uint64_t faults[SIM_FAULT_COUNT];
    enum err_code code;
};

static const char *fault_name(enum sim_fault fault)
{
    static const char *const names[] = {"fine", "lost", "doubled", "divergent", "wedged"};
    return names[fault];
}

// The sum does not depend on the order in which seeds end.
static void add_result(struct totals *t, uint64_t seed, const struct sim_result *r)
{
    uint64_t mixed = (r->hash ^ seed * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xBF58476D1CE4E5B9);
    t->seeds++;
    t->steps += r->steps;
    t->hash += mixed ^ mixed >> 31;
    t->faults[r->fault]++;
}

static void run_share(const struct sim_options *o, unsigned job, unsigned jobs, struct totals *t)
{
    for (uint64_t i = job; i < o->count; i += jobs) {
        struct sim_result result;
        t->code = sim_run(o, o->seed + i, &result);
        if (t->code)
            return;
        if (result.fault != SIM_FINE) {
            printf("seed %" PRIu64 ": %s: %s\n", o->seed + i, fault_name(result.fault),
                   result.reason);
            fflush(stdout);
        }
        add_result(t, o->seed + i, &result);
    }
}

struct worker {
    pid_t pid;
    int fd;
};

static bool start_worker(const struct sim_options *o, unsigned job, struct worker *ret)
{
    int fds[2];
    if (pipe(fds) != 0)
        return false;
    fflush(stdout);
    ret->pid = fork();
    if (ret->pid == 0) {
        struct totals t = {0};
        run_share(o, job, o->jobs, &t);
        bool sent = write(fds[1], &t, sizeof(t)) == (ssize_t)sizeof(t);
        fflush(stdout);
        _exit(sent ? 0 : 1);
    }
    close(fds[1]);
    ret->fd = fds[0];
    return ret->pid > 0;
}

static bool join_worker(struct worker *worker, struct totals *total)
{
    struct totals t;
    bool whole = read(worker->fd, &t, sizeof(t)) == (ssize_t)sizeof(t);
    int status = 1;
    close(worker->fd);
    waitpid(worker->pid, &status, 0);
    if (!whole || status != 0)
        return false;
    total->seeds += t.seeds;
    total->steps += t.steps;
    total->hash += t.hash;
    for (int i = 0; i < SIM_FAULT_COUNT; i++)
        total->faults[i] += t.faults[i];
    total->code = total->code ? total->code : t.code;
    return true;
}

static bool run_all(const struct sim_options *o, struct totals *total)
{
    if (o->jobs <= 1 || o->verbose) {
        run_share(o, 0, 1, total);
        return true;
    }
    struct worker workers[SIM_JOBS_MAX];
    unsigned started = 0;
    while (started < o->jobs && start_worker(o, started, &workers[started]))
        started++;
    bool ok = started == o->jobs;
    for (unsigned i = 0; i < started; i++)
        ok = join_worker(&workers[i], total) && ok;
    return ok;
}

int sim_main(int argc, char *const *argv)
{
    struct sim_options o;
    struct err e = {0};
    bool help = false;
    if (sim_parse(argc, argv, &o, &help, &e)) {
        fprintf(stderr, "wasl sim: %s\n", err_message(&e));
        return 2;
    }
    if (help) {
        fputs(sim_usage, stdout);
        return 0;
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (o.jobs == 0)
        o.jobs = cores < 1 ? 1 : cores > SIM_JOBS_MAX ? SIM_JOBS_MAX : (unsigned)cores;
    if (o.jobs > o.count)
        o.jobs = o.count ? (unsigned)o.count : 1;
    struct totals t = {0};
    int64_t start = clock_mono_ms();
    bool ok = run_all(&o, &t);
    if (t.code) {
        fprintf(stderr, "wasl sim: no profile is called '%s'\n", o.profile);
        return 2;
    }
    if (!ok)
        printf("a worker died: run its seeds with --jobs 1\n");
    printf("{\"seeds\":%" PRIu64 ",\"steps\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"doubled\":%" PRIu64
           ",\"divergent\":%" PRIu64 ",\"wedged\":%" PRIu64 ",\"seconds\":%.3f,"
           "\"trace_hash\":\"%016" PRIx64 "\"}\n",
           t.seeds, t.steps, t.faults[SIM_LOST], t.faults[SIM_DOUBLED], t.faults[SIM_DIVERGENT],
           t.faults[SIM_WEDGED], (double)(clock_mono_ms() - start) / 1000.0, t.hash);
    return ok && t.faults[SIM_FINE] == o.count ? 0 : 1;
}
