// SPDX-License-Identifier: Apache-2.0
#include "cli/access.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "node/reviewing.h"

#include <stdio.h>

static const struct argp_option options[] = {
    {"decision", 'd', "WORD", 0, "accept, reject or edit", 0},
    {"value", 'v', "TEXT", 0, "with edit: what holds from now on; of stock: what is added to it",
     0},
    {"outcome", 'o', "WORD", 0,
     "of a quantity: missing_event, data_entry_error, theft, damage or other", 0},
    {"note", 'n', "TEXT", 0, "why, for those who read it later", 0},
    {0}};
static const struct arguments_spec spec = {
    .options = options,
    .positionals = "DIR NUMBER...",
    .low = 2,
    .high = ARGUMENTS_MAX,
    .doc = "Answers open questions, several alike at once. An answer is an event: it reaches "
           "everybody it concerns, and no question is answered twice. NUMBER is what wasl review "
           "list shows.\v"
           "accept: what is asked about counts. reject: it is taken out again where it can be: a "
           "change of a line or a field, a price, a setting. What happened all the same stays (a "
           "ticket, money, goods that moved), and the answer says that somebody looked. edit: "
           "--value holds instead; of stock it is what is added (-5: five fewer). wasl review "
           "show says what each would do, what is suggested, and why.",
};

// At a node that nobody serves.
static enum err_code answer_here(struct access *access, const struct reviewing_answer *answer,
                                 struct err *e)
{
    struct reviewing_refusal refusal;
    enum err_code code = journal_begin(access->journal, e);
    if (code != ERR_OK) {
        return code;
    }
    code = reviewing_answer(access->journal, answer, &refusal, e);
    if (code == ERR_OK && refusal.code == ERR_OK) {
        return journal_commit(access->journal, e);
    }
    journal_rollback(access->journal);
    return code != ERR_OK ? code : err_set(e, refusal.code, "%s", err_message(&refusal.why));
}

// At a node that is running.
static enum err_code ask_node(struct access *access, const struct reviewing_answer *answer,
                              struct err *e)
{
    char path[64];
    struct json_out o;
    struct json json = {0};
    (void)snprintf(path, sizeof path, "/api/v1/reviews/%lld/resolve", (long long)answer->review);
    json_out_begin(&o);
    json_out_text(&o, o.root, "decision", str_of(decision_name(answer->decision)));
    if (answer->value.n != 0) {
        json_out_text(&o, o.root, "value", answer->value);
    }
    if (answer->outcome.n != 0) {
        json_out_text(&o, o.root, "outcome", answer->outcome);
    }
    if (answer->note.n != 0) {
        json_out_text(&o, o.root, "note", answer->note);
    }
    enum err_code code = access_ask(access, path, &o, &json, e);
    if (code == ERR_OK) {
        json_close(&json);
    }
    return code;
}

static struct str text_of(const struct arguments *a, int key)
{
    const char *text = arguments_find(a, key);
    return str_of(text != NULL ? text : "");
}

static enum err_code read_answer(const struct arguments *a, struct reviewing_answer *ret,
                                 struct err *e)
{
    *ret = (struct reviewing_answer){.value = text_of(a, 'v'),
                                     .outcome = text_of(a, 'o'),
                                     .note = text_of(a, 'n'),
                                     .by = STR("administrator")};
    if (arguments_find(a, 'd') == NULL) {
        return err_set(e, ERR_USAGE, "--decision is missing: accept, reject or edit");
    }
    enum err_code code = reviewing_parse(text_of(a, 'd'), &ret->decision, e);
    return code == ERR_OK ? code : err_set(e, ERR_USAGE, "--%s", err_message(e));
}

static enum err_code answer_all(const struct arguments *a, struct access *access,
                                struct reviewing_answer *answer, struct err *e)
{
    enum err_code code = ERR_OK;
    for (size_t i = 1; i < a->positional_count && code == ERR_OK; i++) {
        if (str_to_i64(str_of(a->positional[i]), &answer->review) != ERR_OK) {
            return err_set(e, ERR_USAGE, "\"%.60s\" is not a review's number", a->positional[i]);
        }
        code = access->remote ? ask_node(access, answer, e) : answer_here(access, answer, e);
        if (code == ERR_OK) {
            (void)printf("Settled review %lld: %s.\n", (long long)answer->review,
                         decision_name(answer->decision));
        }
    }
    return code;
}

static enum err_code run(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct access access;
    struct reviewing_answer answer;
    enum err_code code = arguments_parse(&spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = read_answer(&a, &answer, e);
    }
    if (code == ERR_OK) {
        code = access_open(a.positional[0], ACCESS_JOURNAL, &access, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    code = answer_all(&a, &access, &answer, e);
    access_close(&access);
    return code;
}

const struct command command_review_resolve = {"review resolve", "answer open questions", run};
