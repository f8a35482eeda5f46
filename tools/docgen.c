// SPDX-License-Identifier: Apache-2.0
// Writes what documents say of tables in the code, so that neither can grow stale unnoticed.
//
// usage: docgen write ROOT    writes them anew under ROOT/docs: EVENTS.md, POLICIES.md, METRICS.md,
//                             CONFIG.md and SETTINGS.md whole, of PROTOCOL.md the generated parts
//        docgen check ROOT    1 when one of them says something else than the code
//
// A generated part of a document stands between the lines '<!-- generated: NAME -->' and
// '<!-- end -->'.
#include "model/event_type.h"
#include "model/policy.h"
#include "model/role.h"
#include "model/setting.h"
#include "node/config.h"
#include "node/metrics.h"
#include "sync/downlink.h"
#include "sync/uplink.h"
#include "test/unit/sync/sample.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_MAX = 4 << 20, KIND_COUNT = FIELD_BOOL + 1 };

static struct buf out;

static void put(const char *format, ...) PRINTF_LIKE(1, 2);
static void put(const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    MUST(n >= 0 && (size_t)n < sizeof text);
    enum err_code code = buf_append(&out, text, (size_t)n);
    MUST(code == ERR_OK);
}

static void put_str(struct str text)
{
    enum err_code code = buf_append_str(&out, text);
    MUST(code == ERR_OK);
}

// ---- events -----------------------------------------------------------------------------------

static void put_fields(const struct field *fields, const char *prefix)
{
    const struct field *f = fields;
    for (; f->key; f++) {
        put("| `%s%s` | %s | %s | %s", prefix, f->key, field_kind_name(f->kind),
            f->required ? "yes" : "", f->meaning);
        for (const struct field *c = f->items; f->kind == FIELD_CHOICE && c->key; c++)
            put("%s`%s` (%s)", c == f->items ? ": " : ", ", c->key, c->meaning);
        put(" |\n");
        if (f->kind == FIELD_LIST) {
            char inner[64];
            (void)snprintf(inner, sizeof inner, "%s%s[].", prefix, f->key);
            put_fields(f->items, inner);
        }
    }
    if (f->required && prefix[0] == '\0')
        put("\nFurther members are refused.\n");
}

static void put_type(const struct event_type *t)
{
    put("\n## %s\n\n", t->name);
    put("Why: %s.\n\n", t->why);
    put("| version | nature | flow | lane | record | of | right | received by | may stay pending | "
        "then | on a full disk |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
    put("| %d | %s | %s | %s | %s | %s | %s%s | %s | %d h | %s | %s |\n\n", t->version,
        event_nature_name(t->nature), event_flow_name(t->flow), lane_name(t->lane), t->record_type,
        event_where_name(t->where), right_table[t->right].name,
        t->from_centre ? ", at the centre" : "", event_audience_name(t->audience), t->pending_hours,
        t->late, t->in_reserve ? "taken" : "refused");
    put("| field of `body` | kind | required | meaning |\n|---|---|---|---|\n");
    put_fields(t->fields, "");
}

static const char *const kind_meanings[KIND_COUNT] = {
    [FIELD_TEXT] = "a string of 1 to 1,024 bytes",
    [FIELD_NAME] = "a string of 1 to 64 bytes, no control characters, no blank at its ends",
    [FIELD_LOCATION] = "a name that is not `*`",
    [FIELD_DECIMAL] =
        ("a string such as `\"-2.5\"`: at most four places, at most 10^11 either way; "
         "never a JSON number"),
    [FIELD_AMOUNT] = "an integer of the currency's minor unit, at most 10^15 either way",
    [FIELD_INTEGER] = "an integer of 64 bits",
    [FIELD_CURRENCY] = "three capital letters (ISO 4217)",
    [FIELD_PLACES] = "an integer: how many decimal places the currency has",
    [FIELD_DATE] = "`\"YYYY-MM-DD\"`, a day that exists",
    [FIELD_UUID] = "36 characters, not all of them zero",
    [FIELD_KEY] = "64 lower-case hexadecimal digits: a key or a hash",
    [FIELD_LIST] = "at most 2,000 objects; `x[].y` is field `y` of each",
    [FIELD_CHOICE] = "one of the words that its meaning lists",
    [FIELD_CODE] = "1 to 36 of `A-Z a-z 0-9 . _ -`, with a letter or at most six digits",
    [FIELD_BOOL] = "a JSON boolean",
};

static void put_roles(void)
{
    put("## Rights\n\n"
        "An event needs one right. These are the roles that come with the program, and what each "
        "may:\n\n| right |");
    for (size_t i = 0; i < role_count; i++)
        put(" %s |", role_table[i].name);
    put(" to |\n|---|");
    for (size_t i = 0; i < role_count; i++)
        put(":-:|");
    put("---|\n");
    for (int right = 0; right < RIGHT_COUNT; right++) {
        put("| `%s` |", right_table[right].name);
        for (size_t i = 0; i < role_count; i++)
            put(" %s |", rights_have(role_table[i].rights, (enum event_right)right) ? "yes" : "");
        put(" %s |\n", right_table[right].why);
    }
    put("\n| role | who |\n|---|---|\n");
    for (size_t i = 0; i < role_count; i++)
        put("| `%s` | %s |\n", role_table[i].name, role_table[i].why);
    put("\nAn event of `order_set` that gives a `discount` needs the right `discount`, one "
        "of `price_set` for the whole chain the right `catalog`. `role_set` "
        "gives a role other rights for the whole\nchain, or makes a new one; an owner's stay.\n\n"
        "An event that names an `actor` is looked at twice, unless the chain has declared no "
        "user: where it is made, the node refuses\nit when it knows that the actor may not do "
        "this (a till cannot know of somebody who is new), and fills in as `grant` what\nit "
        "knows of them; the centre judges it by what the device could know, which is up to that "
        "grant "
        "([adr/0020](adr/0020-rights-as-they-were-known.md)). A\nfact stands and is asked about, "
        "an intent is held. An event without an actor is the device's own.\n\n"
        "An API token has a role, and is a ceiling: an event that the role may not author is "
        "refused, each by itself, whoever\nit names; a token whose role may author nothing is "
        "refused the whole request (403). The right `chain` also lets devices in\nand out and "
        "makes tokens.\n\n## Types\n\n");
}

static void put_events(void)
{
    put("# Event types\n\n"
        "Written by `docgen write .` from the table in `src/model/event_type.c`; a test fails when "
        "the two differ.\n\n"
        "A *fact* happened and is never refused: late or unauthorised, it is applied and reviewed. "
        "An *intent* is what\nsomeone wants to hold from now on, and may be held back. Only the "
        "flow *demand* reaches forecasts. The *lane* is how\nurgent a type is. *Received by* says "
        "who gets its effects from above. *On a full disk*, when a\nnode works in its reserve "
        "(`ballast_bytes` in [CONFIG.md](CONFIG.md)), only what finishes sales is taken; the "
        "rest is\nrefused whole, with status 507. A body may have further members, since a newer "
        "till\nmay say more, but where they are refused. The envelope around a body is in "
        "[PROTOCOL.md](PROTOCOL.md#events).\n\n");
    put("Declared here and not acted on yet: the lane, which is critical for every type. "
        "Forecasts are not\nbuilt; the flow says today of which stock a place is asked when it is "
        "below zero.\n\n");
    put_roles();
    put("| type | nature | flow | lane | record |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < event_type_count; i++) {
        const struct event_type *t = &event_types[i];
        put("| [`%s`](#%s) | %s | %s | %s | %s |\n", t->name, t->name, event_nature_name(t->nature),
            event_flow_name(t->flow), lane_name(t->lane), t->record_type);
    }
    put("\n| kind of field | what it takes |\n|---|---|\n");
    for (int kind = 0; kind < KIND_COUNT; kind++)
        put("| %s | %s |\n", field_kind_name((enum field_kind)kind), kind_meanings[kind]);
    for (size_t i = 0; i < event_type_count; i++)
        put_type(&event_types[i]);
}

// ---- settings ---------------------------------------------------------------------------------

static void put_value(const struct setting_row *row)
{
    char low[DECIMAL_TEXT_MAX], high[DECIMAL_TEXT_MAX];
    int64_t one = row->kind == SETTING_NUMBER ? DECIMAL_ONE : 1;
    struct str rest = row->choices ? str_of(row->choices) : STR(""), choice;
    put("%s", setting_kind_name(row->kind));
    if (row->kind == SETTING_NUMBER || row->kind == SETTING_DECIMAL) {
        decimal_format(row->low * one, low);
        decimal_format(row->high * one, high);
        put(", %s to %s", low, high);
    }
    for (const char *before = " "; rest.n > 0 && str_cut(&rest, '|', &choice); before = ", ")
        put("%s`%.*s`", before, STR_ARG(choice));
    if (row->kind == SETTING_WINDOW)
        put(", HH:MM-HH:MM");
}

static void put_settings(void)
{
    static const char *const items[] = {"", "/EVENT_TYPE", "/SKU"};
    put("# Settings\n\n"
        "Written by `docgen write .` from the table in `src/model/setting.c`; a test fails when "
        "the two differ.\n\n"
        "What the chain has decided, and its nodes go by. A setting is said by an event "
        "[`setting_set`](EVENTS.md#setting_set), whose record is the key:\nat the centre with the "
        "location `*` for the whole chain (right `chain`), or, where the table says so, at a place "
        "for itself (right\n`settings`). The word of the place goes before the chain's, and that "
        "on one item before that on all. `{\"value\":null}` takes one\nback. What is of no key "
        "or no value of it is refused, or a dead letter where a device brings it.\n\n"
        "Settings can wait: they reach the tills, and those of a place the centre, in the window "
        "that `deferred_window` says, or when\nsomebody asks for it (`POST /api/v1/sync`). What "
        "is of one machine and not of the chain stands in its [wasl.ini](CONFIG.md).\n\n"
        "| key | value | preset | of a place too | meaning | why | goes by it |\n"
        "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting_row *row = &setting_table[i];
        put("| `%s`", row->key);
        if (row->items != ITEMS_NONE)
            put(", `%s%s`", row->key, items[row->items]);
        put(" | ");
        put_value(row);
        put(" | %s | %s | %s | %s | %s |\n", row->preset ? row->preset : "as the item has",
            row->place ? "yes" : "", row->meaning, row->why,
            row->reader ? row->reader : "nothing yet");
    }
}

// ---- metrics ----------------------------------------------------------------------------------

static void put_metrics(void)
{
    put("# Metrics\n\n"
        "Written by `docgen write .` from the table in `src/node/metrics.c`; a test fails when the "
        "two differ.\n\n"
        "`GET /metrics` gives these in Prometheus' text form: to this machine without a token, to "
        "others with one.\n\n"
        "| name | type | labels | meaning | why |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < metric_count; i++) {
        const struct metric *m = &metrics[i];
        put("| `%s` | %s | %s | %s | %s |\n", m->name, metric_type_name(m->type),
            m->label ? m->label : "", m->help, m->why);
    }
}

// ---- configuration ----------------------------------------------------------------------------

static const char *config_kind_name(enum config_kind kind)
{
    static const char *const names[] = {"text", "whole number", "yes or no", "URLs", "role"};
    return names[kind];
}

static void put_key(const struct config_key *key)
{
    put("| `%s` | %s | %s | %s", key->key, config_kind_name(key->kind),
        key->preset ? key->preset : "", key->meaning);
    if (key->kind == CONFIG_NUMBER && key->high == INT64_MAX)
        put("; %lld or more", (long long)key->low);
    else if (key->kind == CONFIG_NUMBER)
        put("; %lld to %lld", (long long)key->low, (long long)key->high);
    put(" | %s |\n", key->why);
}

static void put_config(void)
{
    put("# Configuration\n\n"
        "Written by `docgen write .` from the table in `src/node/config.c`; a test fails when the "
        "two "
        "differ.\n\n"
        "Each node's folder holds `wasl.ini`. `wasl init` writes it; a key that is left out has "
        "its "
        "preset, an unknown key is refused. A change is read at the next start.\n");
    const char *section = "";
    for (size_t i = 0; i < config_key_count; i++) {
        if (strcmp(section, config_keys[i].section) != 0) {
            section = config_keys[i].section;
            put("\n## [%s]\n\n| key | kind | preset | meaning | why |\n|---|---|---|---|---|\n",
                section);
        }
        put_key(&config_keys[i]);
    }
}

// ---- parts of the protocol --------------------------------------------------------------------

static void put_example(int kind)
{
    put("```\n");
    put_str(sample_text(&sample()->messages[kind]));
    put("```\n");
}

static void put_event(void)
{
    put("```\n");
    put_str(sample()->events[1]);
    put("\n```\n");
}

static void put_hex(const char *key, const void *bytes, size_t n, const char *behind)
{
    char text[2 * SIGN_SIZE + 1];
    MUST(n <= SIGN_SIZE);
    str_to_hex(text, bytes, n);
    put("  \"%s\": \"%s\"%s\n", key, text, behind);
}

static void put_uuid(const char *key, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    put("  \"%s\": \"%s\",\n", key, text);
}

static void put_hashes(void)
{
    struct mark mark = {0};
    put("  \"hashes\": [\n");
    for (int i = 0; i <= SAMPLE_EVENTS; i++) {
        char text[HASH_TEXT_SIZE];
        hash_format(&mark.hash, text);
        put("    \"%s\"%s\n", text, i < SAMPLE_EVENTS ? "," : "");
        if (i < SAMPLE_EVENTS)
            mark = mark_next(&mark, sample()->events[i]);
    }
    put("  ],\n");
}

static void put_vectors(void)
{
    static const uint8_t code_secret[] = {0, 17, 34, 51, 68, 85, 102, 119, 136, 153};
    const struct sample *s = sample();
    const struct message_push *push = &s->messages[MESSAGE_PUSH].push;
    put("```json\n{\n");
    put_uuid("chain", &s->chain);
    put_uuid("device", &s->device);
    put_uuid("run", &s->run.id);
    put_uuid("origin", &s->run.origin);
    put("  \"location\": \"%s\",\n  \"lane\": \"critical\",\n", s->run.location);
    put_hex("key_seed", s->seed, SIGN_SEED_SIZE, ",");
    put_hex("public_key", s->key.public_key.b, SIGN_PUBLIC_SIZE, ",");
    put_hex("nonce", s->nonce, CHALLENGE_SIZE, ",");
    put("  \"events\": [\n");
    struct buf line;
    buf_init(&line, LIMIT_EVENT_BYTES);
    for (int i = 0; i < SAMPLE_EVENTS; i++) {
        buf_reset(&line);
        enum err_code code = json_append_string(&line, s->events[i]);
        MUST(code == ERR_OK);
        put("    %.*s%s\n", STR_ARG(buf_str(&line)), i + 1 < SAMPLE_EVENTS ? "," : "");
    }
    buf_fini(&line);
    put("  ],\n");
    put_hashes();
    put_hex("certificate", s->run.certificate.signature.b, SIGN_SIZE, ",");
    put("  \"seal_seq\": %zu,\n", push->count);
    put_hex("seal", push->seal.b, SIGN_SIZE, ",");
    put_hex("proof", s->messages[MESSAGE_HELLO].hello.proof.b, SIGN_SIZE, ",");
    struct hash code = hash_of(str_make(code_secret, sizeof code_secret));
    struct signature join = stream_join_make(&s->key, &code, &s->device, str_of(s->run.location));
    put_hex("code_secret", code_secret, sizeof code_secret, ",");
    put_hex("join", join.b, SIGN_SIZE, "");
    put("}\n```\n");
}

static void put_machine(const struct sm *m)
{
    put("| in | on | to | why |\n|---|---|---|---|\n");
    for (size_t i = 0; i < m->table->row_count; i++) {
        const struct sm_row *row = &m->table->rows[i];
        put("| %s | %s | %s | %s |\n", m->table->state_names[row->state],
            m->table->event_names[row->event], m->table->state_names[row->next], row->why);
    }
}

static void put_device_states(void)
{
    static struct uplink u;
    uplink_init(&u, &(struct uplink_config){.location = "x"});
    put_machine(&u.state);
    uplink_fini(&u);
}

static void put_server_states(void)
{
    static struct downlink d;
    downlink_init(&d, &(struct downlink_config){.window_events = 1});
    put_machine(&d.state);
    downlink_fini(&d);
}

static const struct {
    const char *what;
    long long value;
    const char *unit;
} limits[] = {
    {"text form of a message", MESSAGE_MAX_BYTES, "bytes"},
    {"one event", LIMIT_EVENT_BYTES, "bytes"},
    {"one event when it is written first: its place may get longer", LIMIT_DRAFT_BYTES, "bytes"},
    {"nesting of an event", LIMIT_EVENT_DEPTH, "levels"},
    {"UUIDs in `base`", LIMIT_BASE, ""},
    {"events in a push, and in flight", LIMIT_BATCH_EVENTS, ""},
    {"text of a push that a device sends, but for one larger event", LIMIT_MESSAGE_BYTES, "bytes"},
    {"streams in a hello, lines in a welcome or ack", LIMIT_STREAMS_HELLO, ""},
    {"cursors in a hello or welcome", MESSAGE_MAX_FEEDS, ""},
    {"includes in a feed page", MESSAGE_MAX_INCLUDES, ""},
    {"a name (location, type, record id, software)", LIMIT_NAME, "bytes"},
    {"a clock reading or duration", LIMIT_CLOCK_MS, "ms"},
    {"a hello must come within", DOWNLINK_HELLO_MS, "ms"},
    {"a device is dropped after silence of", DOWNLINK_SILENCE_MS, "ms"},
    {"an upstream is dropped after silence of", SILENCE_MS, "ms"},
    {"a beat every", BEAT_EVERY_MS, "ms"},
    {"pull before push: at most", PULL_BYTES, "bytes"},
    {"pull before push: at most", PULL_MS, "ms"},
    {"a probe after no progress for", PROBE_AFTER_MS, "ms and two round trips"},
    {"feed pages not acknowledged", DOWNLINK_FEED_WINDOW, "bytes"},
    {"rows of a page, but for one larger", DOWNLINK_FEED_PAGE, "bytes"},
};

static void put_limits(void)
{
    put("| limit | |\n|---|---|\n");
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        put("| %s | %lld %s |\n", limits[i].what, limits[i].value, limits[i].unit);
}

static const struct {
    const char *name;
    void (*put)(void);
} parts[] = {{"event", put_event},
             {"vectors", put_vectors},
             {"states of the device", put_device_states},
             {"states of the server", put_server_states},
             {"limits", put_limits}};

static bool put_part(struct str name)
{
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        if (str_is(name, message_kind_name((enum message_kind)kind))) {
            put_example(kind);
            return true;
        }
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (str_is(name, parts[i].name)) {
            parts[i].put();
            return true;
        }
    }
    return false;
}

// Copies a document line by line, with its generated parts made anew. False: a part nobody knows.
static bool renew(struct str document)
{
    static const char opening[] = "<!-- generated: ";
    struct str line;
    bool skipping = false;
    while (str_cut(&document, '\n', &line)) {
        if (str_is(line, "<!-- end -->"))
            skipping = false;
        if (skipping)
            continue;
        put_str(line);
        put("\n");
        if (!str_starts(line, str_of(opening)))
            continue;
        struct str name = str_make(line.p + sizeof opening - 1, line.n - sizeof opening + 1 - 4);
        if (!put_part(name)) {
            (void)fprintf(stderr, "docgen: no part is called '%.*s'\n", STR_ARG(name));
            return false;
        }
        skipping = true;
    }
    return true;
}

// ---- files ------------------------------------------------------------------------------------

static bool read_file(const char *path, struct buf *to)
{
    FILE *f = fopen(path, "rb");
    char piece[4096];
    size_t n = 0;
    bool ok = f != NULL;
    while (ok && (n = fread(piece, 1, sizeof piece, f)) > 0)
        ok = buf_append(to, piece, n) == ERR_OK;
    if (f)
        (void)fclose(f);
    if (!ok)
        (void)fprintf(stderr, "docgen: cannot read %s\n", path);
    return ok;
}

static bool write_file(const char *path, struct str text)
{
    FILE *f = fopen(path, "wb");
    bool ok = f != NULL && fwrite(text.p, 1, text.n, f) == text.n;
    if (f != NULL && fclose(f) != 0)
        ok = false;
    if (!ok)
        (void)fprintf(stderr, "docgen: cannot write %s\n", path);
    return ok;
}

static void put_policies(void)
{
    put("# Merge policies\n\n"
        "Written by `docgen write .` from the table in `src/model/policy.c`; a test fails when the "
        "two differ.\n\n"
        "Any two nodes that hold the same events hold the same records. *The order* is: what an "
        "author had seen comes before, apart\nfrom that by hybrid clock, origin, lane and seq "
        "([adr/0009](adr/0009-merging.md)). What a rule cannot decide, a person is asked.\n\n"
        "| record | rule | edits that had not seen each other | a person is asked | why |\n"
        "|---|---|---|---|---|\n");
    for (size_t i = 0; i < policy_count; i++) {
        const struct policy *p = &policies[i];
        put("| %s | %s | %s | %s | [%s](../%s) |\n", p->record, p->rule, p->concurrent, p->asked,
            p->why, p->tests);
    }
}

static const struct {
    const char *name;
    void (*whole)(void); // NULL: only parts of it are written
} documents[] = {
    {"EVENTS.md", put_events}, {"POLICIES.md", put_policies}, {"METRICS.md", put_metrics},
    {"CONFIG.md", put_config}, {"SETTINGS.md", put_settings}, {"PROTOCOL.md", NULL},
};

// Puts into out what a document ought to be, and into *is what it is.
static bool read_both(size_t i, const char *path, struct buf *is)
{
    buf_reset(&out);
    if (!read_file(path, is))
        return false;
    if (documents[i].whole == NULL)
        return renew(buf_str(is));
    documents[i].whole();
    return true;
}

static bool look_at(size_t i, const char *root, bool write)
{
    char path[4096];
    struct buf is;
    (void)snprintf(path, sizeof path, "%s/docs/%s", root, documents[i].name);
    buf_init(&is, DOCUMENT_MAX);
    bool ok = read_both(i, path, &is);
    if (ok && !str_equal(buf_str(&is), buf_str(&out))) {
        ok = write && write_file(path, buf_str(&out));
        if (!write)
            (void)fprintf(stderr, "%s is stale: build/tools/docgen write .\n", path);
    }
    buf_fini(&is);
    return ok;
}

int main(int argc, char **argv)
{
    bool write = argc == 3 && strcmp(argv[1], "write") == 0;
    bool ok = true;
    if (!write && (argc != 3 || strcmp(argv[1], "check") != 0)) {
        (void)fprintf(stderr, "usage: docgen write ROOT | check ROOT\n");
        return 2;
    }
    buf_init(&out, DOCUMENT_MAX);
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        ok = look_at(i, argv[2], write) && ok;
    buf_fini(&out);
    return ok ? 0 : 1;
}
