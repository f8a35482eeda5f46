// SPDX-License-Identifier: Apache-2.0
//
// The load of one till: plays the till's share of a day as POST /api/v1/events at its node, one
// request at a time over one connection, open loop: a ticket is due at its place in the day's
// sequence divided by the chain's rate, whether or not the node was quick.
//
// Only what the node answered counts: each event is logged with the moment at which the answer to
// its request was there, one line
//   id TAB microseconds since 1970 TAB verdict TAB total TAB currency TAB lines[ TAB sku TAB
//   quantity in ten-thousandths]...
// An unanswered request is sent again with the same ids until GRACE_MS after the end; what then has
// no answer is logged as "unanswered". The last line of standard output is one JSON object.
#include "load_source.h"

#include "base/clock.h"
#include "base/json.h"
#include "cli/http_client.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GRACE_MS = 10 * 1000, RETRY_MS = 100, NAP_MS = 50, ANSWER_DEPTH = 8 };
enum { LOG_MAX = 64 * 1024 * 1024 };

static volatile sig_atomic_t told_to_stop;

struct options {
    struct load_options source;
    const char *url;
    const char *token;
    const char *log;
    double rate;         // tickets a second, of the whole chain
    int64_t seconds;     // of load; 0: until told to stop
    int64_t per_request; // a request waits for so many events
};

struct sent {
    char id[UUID_TEXT_SIZE];
    size_t moves_at;
    size_t moves_n;
};

struct load {
    struct options options;
    struct load_source source;
    struct http_client client;
    char url[512];
    struct load_draft next; // read, not due yet
    bool has_next;
    struct buf body;
    struct buf moves;
    struct buf lines; // of the log
    struct sent sent[LIMIT_BATCH_EVENTS];
    size_t count;
    FILE *log;
    int64_t began_us;
    uint64_t verdicts[4]; // accepted, duplicate, rejected, unanswered
    uint64_t requests;
    uint64_t retries;
    int64_t late_us; // the most that an event waited for its turn
};

static const char *const verdict_names[] = {"accepted", "duplicate", "rejected", "unanswered"};
enum { ACCEPTED, DUPLICATE, REJECTED, UNANSWERED, VERDICTS };

static int64_t wall_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void on_signal(int number)
{
    (void)number;
    told_to_stop = 1;
}

static bool is_over(const struct load *l)
{
    int64_t most_us = l->options.seconds * 1000000;
    return told_to_stop || (most_us > 0 && clock_mono_us() - l->began_us >= most_us);
}

// ---- one request --------------------------------------------------------------------------------

static void nap(int64_t us)
{
    int64_t most = (int64_t)NAP_MS * 1000; // short enough to notice the end
    int64_t part = us < most ? us : most;
    struct timespec wait = {.tv_nsec = part > 0 ? part * 1000 : 0};
    (void)nanosleep(&wait, NULL);
}

static int64_t due_us(const struct load *l, uint64_t place)
{
    return l->began_us + (int64_t)((double)place * 1e6 / l->options.rate);
}

static enum err_code read_next(struct load *l, struct err *e)
{
    enum err_code code = load_source_next(&l->source, clock_wall_ms(), &l->next, e);
    l->has_next = code == ERR_OK;
    return code;
}

static enum err_code queue_next(struct load *l)
{
    struct sent *sent = &l->sent[l->count];
    uuid_format(&l->next.id, sent->id);
    sent->moves_at = l->moves.len;
    sent->moves_n = l->next.moves.n;
    enum err_code code = buf_append_str(&l->body, l->count ? STR(",") : STR("{\"events\":["));
    if (code == ERR_OK)
        code = buf_append_str(&l->body, l->next.json);
    if (code == ERR_OK)
        code = buf_append_str(&l->moves, l->next.moves);
    l->count++;
    l->has_next = false;
    return code;
}

// Waits for what is due and queues it. ERR_NOT_FOUND when no more will come.
static enum err_code gather(struct load *l, struct err *e)
{
    enum err_code code = ERR_OK;
    buf_reset(&l->body);
    buf_reset(&l->moves);
    l->count = 0;
    while (code == ERR_OK && l->count < LIMIT_BATCH_EVENTS && !is_over(l)) {
        if (!l->has_next)
            code = read_next(l, e);
        if (code || l->body.len + l->next.json.n + 16 > LIMIT_BATCH_BYTES)
            break;
        int64_t wait_us = due_us(l, l->next.place) - clock_mono_us();
        if (wait_us > 0 && l->count >= (size_t)l->options.per_request)
            break;
        if (wait_us > 0) {
            nap(wait_us);
            continue;
        }
        l->late_us = -wait_us > l->late_us ? -wait_us : l->late_us;
        code = queue_next(l);
    }
    if (l->count > 0 && (code == ERR_OK || code == ERR_NOT_FOUND))
        return buf_append_str(&l->body, STR("]}"));
    return code == ERR_OK && is_over(l) ? ERR_NOT_FOUND : code;
}

static void log_event(struct load *l, size_t i, int verdict, int64_t at_us)
{
    const struct sent *sent = &l->sent[i];
    l->verdicts[verdict]++;
    MUST(buf_append_format(&l->lines, "%s\t%lld\t%s\t%.*s\n", sent->id, (long long)at_us,
                           verdict_names[verdict], (int)sent->moves_n,
                           l->moves.data + sent->moves_at) == ERR_OK);
}

static void log_all(struct load *l, int verdict, int64_t at_us)
{
    for (size_t i = 0; i < l->count; i++)
        log_event(l, i, verdict, at_us);
}

// False when the answer is not one for this request.
static bool read_results(struct load *l, struct str text, int64_t at_us)
{
    struct json json = {0};
    bool ok = json_parse(text, ANSWER_DEPTH, &json, NULL) == ERR_OK;
    yyjson_val *results = ok ? json_find(json.root, "results") : NULL;
    ok = yyjson_is_arr(results) && yyjson_arr_size(results) == l->count;
    size_t i, n;
    yyjson_val *row;
    yyjson_arr_foreach(results, i, n, row)
    {
        struct str id, status, reason;
        int verdict = ACCEPTED;
        ok = ok && json_get_str(row, "id", &id, NULL) == ERR_OK && str_is(id, l->sent[i].id) &&
             json_get_str(row, "status", &status, NULL) == ERR_OK;
        while (ok && verdict < UNANSWERED && !str_is(status, verdict_names[verdict]))
            verdict++;
        ok = ok && verdict < UNANSWERED;
        if (!ok)
            break;
        if (verdict == REJECTED && l->verdicts[REJECTED] == 0 &&
            json_get_str(row, "reason", &reason, NULL) == ERR_OK)
            (void)fprintf(stderr, "the first rejected one: %.*s\n", STR_ARG(reason));
        log_event(l, i, verdict, at_us);
    }
    json_close(&json);
    return ok;
}

// ERR_OK: answered and logged. A retriable error: ask again.
static enum err_code ask_once(struct load *l, struct err *e)
{
    struct http_answer answer = {0};
    const struct http_call call = {
        .method = "POST", .url = l->url, .token = l->options.token, .body = buf_str(&l->body)};
    enum err_code code = http_client_call(&l->client, &call, &answer, e);
    if (code)
        return code;
    int64_t at_us = wall_us();
    l->requests++;
    code = http_client_judge(&answer, e);
    if (code == ERR_OK && !read_results(l, buf_str(&answer.body), at_us))
        code = err_set(e, ERR_PROTOCOL, "%s answers something else", l->url);
    buf_fini(&answer.body);
    return code;
}

static enum err_code write_log(struct load *l, struct err *e)
{
    size_t n = l->lines.len;
    bool ok = n == 0 || fwrite(l->lines.data, 1, n, l->log) == n;
    buf_reset(&l->lines);
    return ok && fflush(l->log) == 0 ? ERR_OK : err_set(e, ERR_IO, "the log cannot be written");
}

static enum err_code ask(struct load *l, struct err *e)
{
    int64_t over_us = 0;
    enum err_code code = ask_once(l, e);
    while (code && err_retriable(code)) {
        if (is_over(l) && over_us == 0)
            over_us = clock_mono_us();
        if (over_us && clock_mono_us() - over_us > (int64_t)GRACE_MS * 1000) {
            log_all(l, UNANSWERED, wall_us());
            return write_log(l, e);
        }
        l->retries++;
        clock_sleep_ms(RETRY_MS);
        code = ask_once(l, e);
    }
    return code ? code : write_log(l, e);
}

// ---- all of it ----------------------------------------------------------------------------------

static enum err_code run(struct load *l, struct err *e)
{
    enum err_code code = load_source_open(&l->source, &l->options.source, e);
    if (code == ERR_OK)
        code = http_client_open(&l->client, e);
    bool began = code == ERR_OK; // a file that is not there has no end to come to
    l->began_us = clock_mono_us();
    while (code == ERR_OK) {
        code = gather(l, e);
        if (code == ERR_OK)
            code = ask(l, e);
    }
    http_client_close(&l->client);
    load_source_close(&l->source);
    return began && code == ERR_NOT_FOUND ? ERR_OK : code;
}

static void report(const struct load *l)
{
    (void)printf(
        "{\"accepted\":%llu,\"duplicate\":%llu,\"rejected\":%llu,\"unanswered\":%llu,"
        "\"requests\":%llu,\"retries\":%llu,\"late_ms\":%lld,\"seconds\":%.3f}\n",
        (unsigned long long)l->verdicts[ACCEPTED], (unsigned long long)l->verdicts[DUPLICATE],
        (unsigned long long)l->verdicts[REJECTED], (unsigned long long)l->verdicts[UNANSWERED],
        (unsigned long long)l->requests, (unsigned long long)l->retries,
        (long long)(l->late_us / 1000), (double)(clock_mono_us() - l->began_us) / 1e6);
}

static bool read_number(const char *text, int64_t low, int64_t high, int64_t *ret)
{
    return str_to_i64(str_of(text), ret) == ERR_OK && *ret >= low && *ret <= high;
}

static bool read_rate(const char *text, double *ret)
{
    char *end;
    *ret = strtod(text, &end);
    return *end == '\0' && *ret > 0 && *ret <= 1e6;
}

static bool set_option(struct options *o, int key, const char *value)
{
    struct load_options *s = &o->source;
    int64_t number = 0;
    switch (key) {
    case 'u':
        o->url = value;
        return true;
    case 'k':
        o->token = value;
        return true;
    case 'l':
        s->location = value;
        return true;
    case 'o':
        o->log = value;
        return true;
    case 'f':
        s->tickets_path = value;
        return true;
    case 'm':
        s->map_path = value;
        return true;
    case 'K':
        s->kind = LOAD_UNITS;
        return true;
    case 'r':
        return read_rate(value, &o->rate);
    case 's':
        return read_number(value, 0, 86400, &o->seconds);
    case 'p':
        return read_number(value, 1, LIMIT_BATCH_EVENTS, &o->per_request);
    default:
        break;
    }
    if (!read_number(value, 0, INT64_MAX, &number))
        return false;
    if (key == 'S')
        s->seed = (uint64_t)number;
    else if (number > FRIDAY_LOCATIONS_MAX)
        return false;
    uint32_t *const fields[] = {&s->branches, &s->tills, &s->branch, &s->till};
    const char *keys = "BTbt";
    const char *at = strchr(keys, key);
    if (at)
        *fields[at - keys] = (uint32_t)number;
    return key == 'S' || at != NULL;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option names[] = {
        {"url", required_argument, NULL, 'u'},      {"token", required_argument, NULL, 'k'},
        {"location", required_argument, NULL, 'l'}, {"log", required_argument, NULL, 'o'},
        {"tickets", required_argument, NULL, 'f'},  {"map", required_argument, NULL, 'm'},
        {"units", no_argument, NULL, 'K'},          {"rate", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 's'},  {"per-request", required_argument, NULL, 'p'},
        {"seed", required_argument, NULL, 'S'},     {"branches", required_argument, NULL, 'B'},
        {"tills", required_argument, NULL, 'T'},    {"branch", required_argument, NULL, 'b'},
        {"till", required_argument, NULL, 't'},     {0}};
    int key;
    *o = (struct options){.rate = 1, .per_request = 1, .source = {.seed = 1}};
    o->source.branches = o->source.tills = 1;
    while ((key = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (!set_option(o, key, optarg))
            return false;
    }
    const struct load_options *s = &o->source;
    if (s->tickets_path)
        o->source.kind = LOAD_TICKETS;
    return optind == argc && o->url && o->token && o->log && s->location &&
           !s->tickets_path == !s->map_path && s->branch < s->branches && s->till < s->tills &&
           s->tills <= FRIDAY_TILLS_MAX;
}

static void list_places(int64_t n)
{
    size_t count = 0;
    const struct friday_place *places = friday_places(&count);
    for (uint32_t i = 0; i < (uint32_t)n; i++) {
        char id[FRIDAY_TEXT_MAX];
        friday_location_id(i, id);
        (void)printf("%s\t%s\n", id, places[i % count].name_en);
    }
}

int main(int argc, char **argv)
{
    static struct load load;
    struct err e = {0};
    int64_t places = 0;
    if (argc == 3 && strcmp(argv[1], "--places") == 0 &&
        read_number(argv[2], 1, FRIDAY_LOCATIONS_MAX, &places)) {
        list_places(places);
        return 0;
    }
    if (!read_options(argc, argv, &load.options)) {
        (void)fprintf(stderr,
                      "usage: demo_till_load --url URL --token T --location ID --log FILE\n"
                      "  [--seed N] [--branches N --tills N --branch I --till I] [--rate PER_S]\n"
                      "  [--seconds N] [--per-request N] [--units | --tickets FILE --map MAP]\n"
                      "       demo_till_load --places N\n");
        return 2;
    }
    (void)signal(SIGTERM, on_signal);
    (void)signal(SIGINT, on_signal);
    (void)snprintf(load.url, sizeof load.url, "%s/api/v1/events", load.options.url);
    load.log = fopen(load.options.log, "ae");
    buf_init(&load.body, LIMIT_BATCH_BYTES);
    buf_init(&load.moves, LOG_MAX);
    buf_init(&load.lines, LOG_MAX);
    enum err_code code = load.log ? run(&load, &e) : err_set(&e, ERR_IO, "the log cannot be made");
    if (code)
        (void)fprintf(stderr, "demo_till_load: %s\n", err_message(&e));
    report(&load);
    return code ? 1 : 0;
}
