// SPDX-License-Identifier: Apache-2.0
// The table of commands: what `wasl` can be asked to do.
//
// Why: main, its help and its tests read one list; a command is one file and one row.
// How to add one: a file src/cli/cmd_NAME.c that ends in a `const struct command`, its name here,
//   in the table of main.c and in meson.build, and a test in test/integration/test_cli_NAME.py.
#ifndef WASL_CLI_COMMAND_H
#define WASL_CLI_COMMAND_H

#include "base/err.h"

struct command {
    const char *words;   // "enroll code"
    const char *summary; // one line
    // argv[0] is "wasl WORDS". What it returns becomes the exit code: ERR_OK 0, ERR_USAGE 2, else
    // 1 with e's sentence on stderr; an empty sentence was told already.
    enum err_code (*run)(int argc, char **argv, struct err *e);
};

extern const struct command command_init;
extern const struct command command_serve;
extern const struct command command_enroll_code;
extern const struct command command_enroll_join;
extern const struct command command_enroll_revoke;
extern const struct command command_token;
extern const struct command command_import;
extern const struct command command_replay;
extern const struct command command_status;
extern const struct command command_review_list;
extern const struct command command_review_show;
extern const struct command command_review_resolve;
extern const struct command command_deadletter_list;
extern const struct command command_deadletter_retry;
extern const struct command command_stock;
extern const struct command command_verify;
extern const struct command command_rebuild;
extern const struct command command_export;
extern const struct command command_trace;
extern const struct command command_sim;
extern const struct command command_lab;
extern const struct command command_central_recovered;
extern const struct command command_central_topics;
extern const struct command command_central_migrate;

#endif
