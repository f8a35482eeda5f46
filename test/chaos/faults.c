// SPDX-License-Identifier: Apache-2.0
#include "faults.h"

#include <string.h>

enum { NUMBER_MAX = 1000 * 1000 * 1000 };

void faults_init(struct faults *f, uint64_t seed)
{
    *f = (struct faults){0};
    rng_init(&f->rng, seed);
}

// ---- commands ---------------------------------------------------------------------------------

static void heal(struct faults *f)
{
    struct faults fresh = {.flipped = f->flipped, .rng = f->rng};
    *f = fresh;
}

static void set_flip(struct faults *f, int64_t bytes)
{
    f->flip = bytes;
    for (int way = 0; bytes > 0 && way < FAULTS_WAYS; way++)
        f->until_flip[way] = rng_between(&f->rng, 1, 2 * bytes - 1);
}

static enum err_code set_number(struct faults *f, struct str name, int64_t value)
{
    static const char *const names[] = {"delay", "jitter", "rate", "drop"};
    int64_t *const fields[] = {&f->delay_ms, &f->jitter_ms, &f->rate, &f->drop_s};
    if (str_is(name, "flip")) {
        set_flip(f, value);
        return ERR_OK;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_is(name, names[i])) {
            *fields[i] = value;
            return ERR_OK;
        }
    }
    return ERR_PARSE;
}

static enum err_code set_mode(struct faults *f, struct str name)
{
    static const char *const names[] = {
        [FAULTS_CUT] = "cut", [FAULTS_STALL] = "stall", [FAULTS_GARBAGE] = "garbage"};
    if (str_is(name, "heal")) {
        heal(f);
        return ERR_OK;
    }
    for (enum faults_mode mode = FAULTS_CUT; mode <= FAULTS_GARBAGE; mode++) {
        if (str_is(name, names[mode])) {
            f->mode = mode;
            return ERR_OK;
        }
    }
    return ERR_PARSE;
}

enum err_code faults_command(struct faults *f, struct str line, struct err *e)
{
    struct str rest = str_trim(line);
    struct str name = STR("");
    int64_t value = 0;
    (void)str_cut(&rest, ' ', &name);
    rest = str_trim(rest);
    if (rest.n == 0) {
        if (set_mode(f, name) != ERR_OK)
            return err_set(e, ERR_PARSE, "no such command: %.40s", name.n ? name.p : "(empty)");
        return ERR_OK;
    }
    if (str_is(name, "asymmetric")) {
        bool up = str_is(rest, "up");
        if (!up && !str_is(rest, "down"))
            return err_set(e, ERR_PARSE, "asymmetric up or asymmetric down");
        f->blocked[FAULTS_UP] = !up;
        f->blocked[FAULTS_DOWN] = up;
        return ERR_OK;
    }
    if (str_to_i64(rest, &value) != ERR_OK || value < 0 || value > NUMBER_MAX)
        return err_set(e, ERR_PARSE, "%.*s needs a number, 0 to %d", STR_ARG(name), NUMBER_MAX);
    if (set_number(f, name, value) != ERR_OK)
        return err_set(e, ERR_PARSE, "no such command: %.*s", STR_ARG(name));
    return ERR_OK;
}

// ---- what they do -----------------------------------------------------------------------------

bool faults_passes(const struct faults *f, enum faults_way way)
{
    return f->mode == FAULTS_OPEN && !f->blocked[way];
}

int64_t faults_due_us(struct faults *f, enum faults_way way, size_t n, int64_t now_us,
                      int64_t *last_us)
{
    int64_t due = now_us;
    if (f->rate > 0) {
        int64_t begins = f->free_us[way] > now_us ? f->free_us[way] : now_us;
        due = f->free_us[way] = begins + (int64_t)n * 1000000 / f->rate;
    }
    due += 1000 * f->delay_ms;
    if (f->jitter_ms > 0)
        due += rng_between(&f->rng, 0, 1000 * f->jitter_ms);
    *last_us = due > *last_us ? due : *last_us;
    return *last_us;
}

void faults_flip(struct faults *f, enum faults_way way, char *bytes, size_t n)
{
    size_t at = 0;
    while (f->flip > 0 && (size_t)f->until_flip[way] <= n - at) {
        at += (size_t)f->until_flip[way];
        bytes[at - 1] = (char)(bytes[at - 1] ^ (1 << rng_below(&f->rng, 8)));
        f->flipped++;
        f->until_flip[way] = rng_between(&f->rng, 1, 2 * f->flip - 1);
    }
    f->until_flip[way] -= f->flip > 0 ? (int64_t)(n - at) : 0;
}
