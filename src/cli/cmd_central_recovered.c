// SPDX-License-Identifier: Apache-2.0
#include "cli/access.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/time_text.h"

#include <stdio.h>

static const struct arguments_spec spec = {
    .positionals = "DIR",
    .low = 1,
    .high = 1,
    .doc = "Confirms that a centre which was restored from a backup has back what it lost. Until "
           "then it takes in what tills tell again, and enrols, revokes, publishes and decides "
           "nothing. wasl status shows when that was found; look at wasl status of the tills, or "
           "at the console, before you confirm: all should be connected, with nothing pending. "
           "What a till brings later is still taken, whenever it comes.",
};

// At a centre that nobody serves.
static enum err_code confirm_here(struct access *access, struct restored *ret, struct err *e)
{
    enum err_code code = journal_begin(access->journal, e);
    if (code != ERR_OK) {
        return code;
    }
    *ret = *journal_restored(access->journal);
    code = journal_confirm_restored(access->journal, e);
    if (code != ERR_OK) {
        journal_rollback(access->journal);
        return code;
    }
    return journal_commit(access->journal, e);
}

// At a centre that is running.
static enum err_code ask_node(struct access *access, struct restored *ret, struct err *e)
{
    struct json_out o;
    struct json json = {0};
    json_out_begin(&o);
    enum err_code code = access_ask(access, "/api/v1/recovered", &o, &json, e);
    if (code != ERR_OK) {
        return code;
    }
    if (json_get_i64(json_find(json.root, "recovery"), "since", &ret->since_ms, e) != ERR_OK) {
        code = access_senseless(e);
    }
    json_close(&json);
    return code;
}

static enum err_code run(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct access access;
    struct restored restored = {.open = false};
    char since[TIME_TEXT_SIZE];
    enum err_code code = arguments_parse(&spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = access_open(a.positional[0], ACCESS_JOURNAL, &access, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    code = access_need_centre(&access, "recoveries are confirmed", e);
    if (code == ERR_OK) {
        code =
            access.remote ? ask_node(&access, &restored, e) : confirm_here(&access, &restored, e);
    }
    access_close(&access);
    if (code == ERR_OK) {
        time_text_format(restored.since_ms, since);
        (void)printf("The recovery that was found at %s is confirmed: this centre decides again.\n",
                     since);
    }
    return code;
}

const struct command command_central_recovered = {"central recovered",
                                                  "a restored centre has back what it lost", run};
