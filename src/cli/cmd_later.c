// SPDX-License-Identifier: Apache-2.0
//
// Commands that are named and not built: they say so, rather than look like a typing error.
#include "cli/arguments.h"
#include "cli/command.h"

#include <string.h>

// Whatever options a command will take, the answer today is one; only --help is another.
static enum err_code refuse(const struct arguments_spec *spec, int argc, char **argv, struct err *e)
{
    struct arguments a;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-?") == 0) {
            return arguments_parse(spec, argc, argv, &a, e);
        }
    }
    return err_set(e, ERR_UNSUPPORTED, "this is not built yet");
}

static enum err_code run_lab(int argc, char **argv, struct err *e)
{
    static const struct arguments_spec spec = {
        .positionals = "forecast|transfers",
        .high = ARGUMENTS_MAX,
        .doc = "Backtests and policy simulations. Not built yet."};
    return refuse(&spec, argc, argv, e);
}

static enum err_code run_topics(int argc, char **argv, struct err *e)
{
    static const struct arguments_spec spec = {
        .positionals = "DIR", .high = ARGUMENTS_MAX, .doc = "Makes Kafka topics. Not built yet."};
    return refuse(&spec, argc, argv, e);
}

static enum err_code run_migrate(int argc, char **argv, struct err *e)
{
    static const struct arguments_spec spec = {
        .positionals = "DIR",
        .high = ARGUMENTS_MAX,
        .doc = "Moves a centre to PostgreSQL and Kafka. Not built yet."};
    return refuse(&spec, argc, argv, e);
}

const struct command command_lab = {"lab", "backtests and simulations (not built yet)", run_lab};
const struct command command_central_topics = {"central topics", "Kafka topics (not built yet)",
                                               run_topics};
const struct command command_central_migrate = {
    "central migrate", "from embedded to PostgreSQL and Kafka (not built yet)", run_migrate};
