// SPDX-License-Identifier: Apache-2.0
#include "base/decimal.h"
#include "cli/access.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_BYTES = 64 * 1024 * 1024 };

static const struct argp_option options[] = {
    {"json", 'j', NULL, 0, "the result as one JSON object on the last line", 0}, {0}};
static const struct arguments_spec verify_spec = {
    .options = options,
    .positionals = "DIR",
    .low = 1,
    .high = 1,
    .doc =
        "Reads the whole journal, recomputes every chain and seal, folds it afresh and compares. "
        "Exit code 1 when anything is wrong.",
};
static const struct arguments_spec rebuild_spec = {
    .positionals = "DIR",
    .low = 1,
    .high = 1,
    .doc = "Replaces every record by a fresh fold of the journal. The node must not be running.",
};

static void add_value(struct json_out *o, const struct store_verdict *v)
{
    yyjson_mut_val *value = json_out_object(o, o->root, "value");
    for (size_t i = 0; i < v->value_count; i++) {
        char text[DECIMAL_TEXT_MAX];
        money_format(v->value[i].amount, v->value[i].places, text);
        yyjson_mut_val *key = yyjson_mut_strcpy(o->doc, v->value[i].currency);
        o->failed = o->failed || !yyjson_mut_obj_add(value, key, yyjson_mut_strcpy(o->doc, text));
    }
}

static enum err_code print_json(const struct store_verdict *v, struct err *e)
{
    struct json_out o;
    json_out_begin(&o);
    json_out_count(&o, o.root, "events", v->events);
    json_out_count(&o, o.root, "tickets", v->tickets);
    json_out_count(&o, o.root, "lines", v->lines);
    add_value(&o, v);
    json_out_decimal(&o, o.root, "quantity", v->quantity);
    json_out_count(&o, o.root, "gaps", v->gaps);
    json_out_count(&o, o.root, "duplicates", v->duplicates);
    json_out_count(&o, o.root, "chain_errors", v->chain_errors);
    json_out_flag(&o, o.root, "refold_equal", v->refold_equal);
    if (v->pruned > 0) { // on devices only, and only after a month
        json_out_count(&o, o.root, "pruned", v->pruned);
    }
    return json_out_print(&o, e);
}

static void print_people(const struct store_verdict *v)
{
    char text[DECIMAL_TEXT_MAX];
    (void)printf("%-14s %llu\n", "events", (unsigned long long)v->events);
    (void)printf("%-14s %llu with %llu lines\n", "tickets", (unsigned long long)v->tickets,
                 (unsigned long long)v->lines);
    for (size_t i = 0; i < v->value_count; i++) {
        money_format(v->value[i].amount, v->value[i].places, text);
        (void)printf("%-14s %s %s\n", "value", text, v->value[i].currency);
    }
    decimal_format(v->quantity, text);
    (void)printf("%-14s %s\n", "quantity", text);
    if (v->pruned > 0)
        (void)printf("%-14s %llu older events, at the centre only\n", "not kept",
                     (unsigned long long)v->pruned);
    (void)printf("%-14s %llu\n", "duplicates", (unsigned long long)v->duplicates);
    (void)printf("%-14s %llu\n", "gaps", (unsigned long long)v->gaps);
    (void)printf("%-14s %llu\n", "chain errors", (unsigned long long)v->chain_errors);
    (void)printf("%-14s %s\n", "records", v->refold_equal ? "equal a fresh fold" : "DIFFER");
}

static enum err_code judge(const struct store_verdict *v, struct err *e)
{
    if (v->gaps == 0 && v->chain_errors == 0 && v->refold_equal) {
        return ERR_OK;
    }
    return v->first_problem.n > 0
               ? err_set(e, ERR_DAMAGED, "%.*s", STR_ARG(v->first_problem))
               : err_set(e, ERR_DAMAGED, "gaps: %llu, chain errors: %llu, records %s",
                         (unsigned long long)v->gaps, (unsigned long long)v->chain_errors,
                         v->refold_equal ? "equal" : "differ from a fresh fold");
}

// No signature was checked where somebody took the chain's name out of the centre's store.
static void check_chain(struct store *s, struct arena *arena, struct store_verdict *v)
{
    struct str ignored;
    if (store_role(s) == ROLE_CENTRAL &&
        store_meta_get(s, "chain", arena, &ignored, NULL) == ERR_NOT_FOUND) {
        v->chain_errors++;
        v->first_problem = STR("the store does not name its chain: no seal can be checked");
    }
}

static enum err_code run_verify(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct access access;
    struct arena arena;
    struct progress progress;
    struct store_verdict verdict;
    enum err_code code = arguments_parse(&verify_spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = access_open(a.positional[0], ACCESS_READ, &access, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    struct identity own;
    if (identity_read(&access.config, access.store, &own, NULL) == ERR_OK) { // a copy has none
        store_set_key(access.store, &own.key.public_key);
        explicit_bzero(&own.key, sizeof own.key);
    }
    arena_init(&arena, ARENA_BYTES);
    progress_begin(&progress, "verify");
    code = store_verify(access.store, &arena, progress_told, &progress, &verdict, e);
    progress_end(&progress);
    if (code == ERR_OK) {
        check_chain(access.store, &arena, &verdict);
    }
    if (code == ERR_OK && arguments_has(&a, 'j')) {
        code = print_json(&verdict, e);
    } else if (code == ERR_OK) {
        print_people(&verdict);
    }
    if (code == ERR_OK) {
        code = judge(&verdict, e);
    }
    arena_fini(&arena);
    access_close(&access);
    return code;
}

static enum err_code run_rebuild(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct access access;
    struct progress progress;
    enum err_code code = arguments_parse(&rebuild_spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = access_open(a.positional[0], ACCESS_ALONE, &access, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    progress_begin(&progress, "rebuild");
    code = store_rebuild(access.store, progress_told, &progress, e);
    progress_end(&progress);
    access_close(&access);
    if (code == ERR_OK) {
        (void)printf("Every record was folded afresh from the journal.\n");
    }
    return code;
}

const struct command command_verify = {"verify", "prove that nothing is missing or changed",
                                       run_verify};
const struct command command_rebuild = {"rebuild", "fold every record afresh", run_rebuild};
