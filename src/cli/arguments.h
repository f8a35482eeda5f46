// SPDX-License-Identifier: Apache-2.0
// The words after a command: options and positional arguments, read by argp.
//
// Why: every command speaks of bad usage alike, in one line; argp alone would print two and exit
//   by itself. --help, --usage and --version do print and exit: they are all that was asked for.
// Ownership: values point into argv. Limits: ARGUMENTS_MAX words.
#ifndef WASL_CLI_ARGUMENTS_H
#define WASL_CLI_ARGUMENTS_H

#include "base/err.h"

#include <argp.h>
#include <stddef.h>

enum { ARGUMENTS_MAX = 1024 };

struct arguments_spec {
    const struct argp_option *options; // keys are characters or numbers up to 255
    const char *positionals;           // as in "DIR CODE"
    size_t low, high;                  // how many of them
    const char *doc;                   // one sentence; after a '\v' what follows the options
};

struct arguments {
    const struct arguments_spec *spec;
    int keys[ARGUMENTS_MAX]; // in the order given; 0: a positional argument
    const char *values[ARGUMENTS_MAX];
    size_t count;
    const char *positional[ARGUMENTS_MAX];
    size_t positional_count;
    struct err *e;
};

// ERR_USAGE; where argp has told the reason already, e's text is empty.
enum err_code arguments_parse(const struct arguments_spec *spec, int argc, char **argv,
                              struct arguments *ret, struct err *e) MUST_CHECK;

const char *arguments_find(const struct arguments *a, int key); // the last one; NULL when absent
bool arguments_has(const struct arguments *a, int key);
// The n-th value (from 0) of an option that may be repeated; NULL behind the last.
const char *arguments_nth(const struct arguments *a, int key, size_t n);

#endif
