// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <errno.h>
#include <string.h>

static error_t too_few(struct arguments *a)
{
    err_set(a->e, ERR_USAGE, "too few arguments: %s is needed (see --help)", a->spec->positionals);
    return EINVAL;
}

static error_t take_value(struct arguments *a, int key, const char *value)
{
    if (a->count == ARGUMENTS_MAX) {
        err_set(a->e, ERR_USAGE, "more than %d arguments", ARGUMENTS_MAX);
        return EINVAL;
    }
    a->keys[a->count] = key;
    a->values[a->count++] = value;
    return 0;
}

static error_t take_positional(struct arguments *a, const char *value)
{
    if (a->positional_count == a->spec->high || a->positional_count == ARGUMENTS_MAX) {
        err_set(a->e, ERR_USAGE, "one argument too many: \"%s\" (see --help)", value);
        return EINVAL;
    }
    a->positional[a->positional_count++] = value;
    return 0;
}

static error_t take(int key, char *value, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->err_stream = NULL; // errors are returned; getopt still names an unknown option
        return 0;
    case ARGP_KEY_ARG:
        return take_positional(a, value);
    case ARGP_KEY_END:
        return a->positional_count < a->spec->low ? too_few(a) : 0;
    default:
        return key > 0 && key < 256 ? take_value(a, key, value) : ARGP_ERR_UNKNOWN;
    }
}

enum err_code arguments_parse(const struct arguments_spec *spec, int argc, char **argv,
                              struct arguments *ret, struct err *e)
{
    const struct argp argp = {
        .options = spec->options, .parser = take, .args_doc = spec->positionals, .doc = spec->doc};
    *ret = (struct arguments){.spec = spec, .e = e};
    if (argp_parse(&argp, argc, argv, 0, NULL, ret) == 0) {
        return ERR_OK;
    }
    if (e->code != ERR_USAGE) {
        *e = (struct err){.code = ERR_USAGE};
    }
    return ERR_USAGE;
}

const char *arguments_nth(const struct arguments *a, int key, size_t n)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->keys[i] == key && n-- == 0) {
            return a->values[i];
        }
    }
    return NULL;
}

const char *arguments_find(const struct arguments *a, int key)
{
    const char *found = NULL;
    for (size_t i = 0; i < a->count; i++) {
        if (a->keys[i] == key) {
            found = a->values[i];
        }
    }
    return found;
}

bool arguments_has(const struct arguments *a, int key)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->keys[i] == key) {
            return true;
        }
    }
    return false;
}
