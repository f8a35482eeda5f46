// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"
#include "cli/command.h"
#include "net/url.h"
#include "node/identity.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct argp_option options[] = {
    {"location", 'l', "ID", 0, "id of the place; a till may leave it to its enrolment", 0},
    {"upstream", 'u', "URL", 0, "a node above, ws, wss, http or https; may be repeated", 0},
    {"region", 'r', "R", 0, "region of the place", 0},
    {"listen", 'L', "ADDRESS:PORT", 0, "where to listen (only this machine unless given)", 0},
    {0}};
static const struct arguments_spec spec = {
    .options = options,
    .positionals = "central|branch|terminal DIR",
    .low = 2,
    .high = 2,
    .doc = "Makes a node in a new or empty folder: its key, its store and wasl.ini. A centre also "
           "makes the chain and its certificate authority.",
};

static enum err_code copy_option(const struct arguments *a, int key, char *to, size_t size)
{
    const char *text = arguments_find(a, key);
    if (text == NULL) {
        return ERR_OK;
    }
    return str_copy(to, size, str_of(text)) == ERR_OK
               ? ERR_OK
               : err_set(a->e, ERR_USAGE, "\"%.40s...\" is too long", text);
}

static enum err_code copy_upstreams(const struct arguments *a, struct config *config)
{
    const char *text;
    struct url ignored;
    while ((text = arguments_nth(a, 'u', config->upstream_count)) != NULL) {
        if (config->upstream_count == CONFIG_UPSTREAMS_MAX) {
            return err_set(a->e, ERR_USAGE, "more than %d upstreams", CONFIG_UPSTREAMS_MAX);
        }
        enum err_code code = url_parse(str_of(text), &ignored, a->e);
        if (code != ERR_OK) {
            return err_wrap(a->e, ERR_USAGE, "--upstream");
        }
        code = str_copy(config->upstreams[config->upstream_count], CONFIG_URL_MAX, str_of(text));
        if (code != ERR_OK) {
            return err_set(a->e, ERR_USAGE, "--upstream is too long");
        }
        config->upstream_count++;
    }
    return ERR_OK;
}

static enum err_code check(const struct config *config, struct err *e)
{
    char host[URL_HOST_MAX];
    uint16_t port = 0;
    if (config->location[0] != '\0' && !event_location_valid(str_of(config->location))) {
        return err_set(e, ERR_USAGE, "--location \"%s\" is not a valid id", config->location);
    }
    if (config->region[0] != '\0' && !event_name_valid(str_of(config->region))) {
        return err_set(e, ERR_USAGE, "--region \"%s\" is not a valid id", config->region);
    }
    if (config->role == ROLE_CENTRAL && strcmp(config->location, "hq") != 0) {
        return err_set(e, ERR_USAGE, "a centre's own location is hq; --location is for the others");
    }
    if (config->role == ROLE_CENTRAL && config->upstream_count > 0) {
        return err_set(e, ERR_USAGE, "a centre has no upstream");
    }
    if (url_split_address(str_of(config->listen), host, sizeof host, &port, e) != ERR_OK) {
        return err_wrap(e, ERR_USAGE, "--listen");
    }
    return ERR_OK;
}

static enum err_code read_arguments(const struct arguments *a, struct config *ret)
{
    enum node_role role;
    if (node_role_parse(str_of(a->positional[0]), &role) != ERR_OK) {
        return err_set(a->e, ERR_USAGE, "the role must be central, branch or terminal, not \"%s\"",
                       a->positional[0]);
    }
    config_defaults(role, ret);
    struct str dir = str_of(a->positional[1]);
    while (dir.n > 1 && dir.p[dir.n - 1] == '/') {
        dir.n--;
    }
    if (dir.n == 0 || str_copy(ret->dir, sizeof ret->dir - 64, dir) != ERR_OK) {
        return err_set(a->e, ERR_USAGE, "the folder's path is empty or too long");
    }
    enum err_code code = copy_option(a, 'l', ret->location, sizeof ret->location);
    if (code == ERR_OK) {
        code = copy_option(a, 'r', ret->region, sizeof ret->region);
    }
    if (code == ERR_OK) {
        code = copy_option(a, 'L', ret->listen, sizeof ret->listen);
    }
    if (code == ERR_OK) {
        code = copy_upstreams(a, ret);
    }
    return code == ERR_OK ? check(ret, a->e) : code;
}

// Where devices find it: an address that means every address is none of them.
static void tell_address(const struct config *config)
{
    char host[URL_HOST_MAX] = "", machine[URL_HOST_MAX] = "localhost";
    uint16_t port = 0;
    bool tls = !config_is_loopback(config->listen);
    enum err_code code = url_split_address(str_of(config->listen), host, sizeof host, &port, NULL);
    if (code == ERR_OK && (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)) {
        (void)gethostname(machine, sizeof machine - 1);
        (void)printf("Devices reach it at wss://%s:%u\n", machine, port);
        return;
    }
    (void)printf("Devices reach it at %s://%s\n", tls ? "wss" : "ws", config->listen);
}

static void tell_next(const struct config *config)
{
    (void)printf("Made a %s node in %s.\n", node_role_name(config->role), config->dir);
    if (config->role == ROLE_CENTRAL) {
        (void)printf("Next:\n"
                     "  wasl serve %s\n"
                     "  wasl enroll code %s --location ID --role terminal\n",
                     config->dir, config->dir);
        tell_address(config);
        return;
    }
    if (config->role == ROLE_BRANCH) {
        (void)printf("It cannot be served yet: branch hubs are not built.\n");
        return;
    }
    (void)printf("Next, with a code from the centre (wasl enroll code):\n"
                 "  wasl enroll join %s CODE%s\n"
                 "  wasl serve %s\n",
                 config->dir, config->upstream_count == 0 ? " --upstream URL" : "", config->dir);
}

static enum err_code run(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct config config;
    enum err_code code = arguments_parse(&spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = read_arguments(&a, &config);
    }
    if (code == ERR_OK) {
        code = identity_create(&config, e);
    }
    if (code == ERR_OK) {
        tell_next(&config);
    }
    return code;
}

const struct command command_init = {"init", "make a node in a folder", run};
