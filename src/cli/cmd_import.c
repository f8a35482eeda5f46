// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/import_run.h"
#include "model/event.h"

#include <stdlib.h>

#define SPEED_MAX 1e6

// Behind the options; lines that begin with a blank are printed as they are.
#define MAP_HELP                                                                                   \
    "\vA map says what a till's columns mean (docs/IMPORT.md, examples/shop.ini); in\n"            \
    "brackets what a key is when left out:\n"                                                      \
    "\n"                                                                                           \
    "  [columns]              ; a heading of the file, or its number from 1\n"                     \
    "  ticket = Receipt       ; needed\n"                                                          \
    "  time = Date, Clock     ; needed; several columns make one value\n"                          \
    "  sku = Item             ; needed\n"                                                          \
    "  quantity = Qty         ; needed, or default_quantity in [rules]\n"                          \
    "  unit_price = Price     ; needed, or default_unit_price in [rules]\n"                        \
    "                         ; name, location, till, payment, currency, customer\n"               \
    "  [format]\n"                                                                                 \
    "  time = %d/%m/%Y %H:%M  ; as of strptime (%Y-%m-%d %H:%M:%S)\n"                              \
    "  timezone = Asia/Beirut ; (UTC)\n"                                                           \
    "  delimiter = semicolon  ; a character, comma, semicolon, pipe, tab (comma)\n"                \
    "  decimal = ,            ; . or , (.)\n"                                                      \
    "                         ; encoding (UTF-8), header = no (yes)\n"                             \
    "  [rules]\n"                                                                                  \
    "  currency = USD         ; three capital letters\n"                                           \
    "                         ; currency_places (2), location, cancel_prefix,\n"                   \
    "                         ; sign = negative, default_quantity,\n"                              \
    "                         ; default_unit_price"

static const struct argp_option import_options[] = {
    {"map", 'm', "MAP.ini", 0, "which column means what (needed)", 0},
    {"location", 'l', "ID", 0, "the place of all these tickets, over what the map says", 0},
    {0}};
static const struct arguments_spec import_spec = {
    .options = import_options,
    .positionals = "DIR FILE...",
    .low = 2,
    .high = ARGUMENTS_MAX,
    .doc = "Reads tickets from any till's CSV files, plain or gzip. Importing a file again adds "
           "nothing. Bad rows go to FILE.rejected.csv. The last line of the output is a JSON "
           "object with the counts." MAP_HELP,
};

static const struct argp_option replay_options[] = {
    {"map", 'm', "MAP.ini", 0, "which column means what (needed)", 0},
    {"location", 'l', "ID", 0, "the place of all these tickets, over what the map says", 0},
    {"speed", 's', "X", 0, "X seconds of the files in one of ours (1)", 0},
    {0}};
static const struct arguments_spec replay_spec = {
    .options = replay_options,
    .positionals = "DIR FILE...",
    .low = 2,
    .high = ARGUMENTS_MAX,
    .doc = "Reads tickets as import does, at the pace at which they happened." MAP_HELP,
};

static enum err_code run_with(const struct arguments *a, struct import_options *options)
{
    struct import_totals totals;
    struct json_out out;
    options->dir = a->positional[0];
    options->files = a->positional + 1;
    options->file_count = a->positional_count - 1;
    options->map_path = arguments_find(a, 'm');
    options->location = arguments_find(a, 'l');
    if (options->map_path == NULL) {
        return err_set(a->e, ERR_USAGE, "--map MAP.ini is needed");
    }
    if (options->location != NULL && !event_location_valid(str_of(options->location))) {
        return err_set(a->e, ERR_USAGE, "--location \"%s\" is not a valid id", options->location);
    }
    enum err_code code = import_run_all(options, &totals, a->e);
    if (code != ERR_OK) {
        return code;
    }
    if (totals.incomplete > 0) {
        (void)fprintf(stderr, "tickets taken without a rejected row of theirs: %llu\n",
                      (unsigned long long)totals.incomplete);
    }
    import_run_report(&totals, &out);
    code = json_out_print(&out, a->e);
    if (code == ERR_OK && totals.tickets == 0 && totals.rejected > 0) {
        return err_set(a->e, ERR_INVALID, "every row was rejected; the first: %.200s",
                       totals.first_reason);
    }
    return code;
}

static enum err_code run_import(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct import_options options = {.label = "import"};
    enum err_code code = arguments_parse(&import_spec, argc, argv, &a, e);
    return code == ERR_OK ? run_with(&a, &options) : code;
}

static enum err_code read_speed(const char *text, double *ret, struct err *e)
{
    char *end = NULL;
    double speed = text == NULL ? 1 : strtod(text, &end);
    if ((text != NULL && (end == text || *end != '\0')) || !(speed > 0 && speed <= SPEED_MAX)) {
        return err_set(e, ERR_USAGE, "--speed must be a number above 0, at most 1000000");
    }
    *ret = speed;
    return ERR_OK;
}

static enum err_code run_replay(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct import_options options = {.label = "replay"};
    enum err_code code = arguments_parse(&replay_spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = read_speed(arguments_find(&a, 's'), &options.speed, e);
    }
    return code == ERR_OK ? run_with(&a, &options) : code;
}

const struct command command_import = {"import", "take tickets from CSV files", run_import};
const struct command command_replay = {"replay", "the same, in (scaled) real time", run_replay};
