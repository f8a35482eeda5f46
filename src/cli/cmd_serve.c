// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"
#include "cli/command.h"
#include "node/identity.h"
#include "node/node.h"

#include <unistd.h>

static const struct arguments_spec spec = {
    .positionals = "DIR",
    .low = 1,
    .high = 1,
    .doc = "Runs a node until SIGTERM or SIGINT, which stop it cleanly. Its log goes to stderr.",
};

static enum err_code check_certificate(const struct config *config, struct err *e)
{
    char path[CONFIG_PATH_MAX];
    identity_path(config, "server.pem", path);
    if (config_is_loopback(config->listen) || access(path, R_OK) == 0) {
        return ERR_OK;
    }
    return err_set(e, ERR_NOT_FOUND,
                   "listening on %s needs TLS, and there is no keys/server.pem; a %s may listen on "
                   "127.0.0.1",
                   config->listen, node_role_name(config->role));
}

static enum err_code run(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct config config = {0};
    enum err_code code = arguments_parse(&spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = config_read(a.positional[0], &config, e);
    }
    if (code == ERR_OK && config.role != ROLE_BRANCH) { // whose own message says more
        code = check_certificate(&config, e);
    }
    return code == ERR_OK ? node_serve(&config, e) : code;
}

const struct command command_serve = {"serve", "run the node in a folder", run};
