// SPDX-License-Identifier: Apache-2.0
//
// KEYS is the one list: it gives the public table and says where in struct config each value goes.
// A file is written as text and read back before it replaces the old one, so that a value that an
// ini file cannot carry (a ';' after a blank, a line that is too long) is refused when it is set.
#include "node/config.h"

#include "base/buf.h"
#include "base/ini_file.h"
#include "net/url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME          "wasl.ini"
#define GIB           (INT64_C(1) << 30)
#define DAY_MS        (INT64_C(24) * 60 * 60 * 1000)
#define CENTRE_LISTEN "127.0.0.1:7400"
enum { FILE_BYTES_MAX = 64 * 1024, LINE_WIDTH = 96 };

// X(section, key, kind, field, preset, low, high, meaning, why)
#define KEYS(X)                                                                                    \
    X("node", "role", ROLE, role, NULL, 0, 0, "what this node is: terminal, branch or central",    \
      "one program serves every place in the tree")                                                \
    X("node", "location", TEXT, location, NULL, 0, 0,                                              \
      "id of the place this node stands in; hq at the centre",                                     \
      "a device writes for its own place only; empty until it is enrolled")                        \
    X("node", "region", TEXT, region, NULL, 0, 0, "region of the place, for fairness and reports", \
      "a region that replays a backlog must not slow the others down")                             \
    X("node", "listen", TEXT, listen, CENTRE_LISTEN, 0, 0,                                         \
      "ADDRESS:PORT for the API, the page and devices below; presets by role: centre "             \
      "127.0.0.1:7400, branch 127.0.0.1:7401, terminal 127.0.0.1:7402",                            \
      "only this machine unless said otherwise; any other address speaks TLS with "                \
      "keys/server.pem")                                                                           \
    X("node", "upstream", URLS, upstreams, NULL, 0, 0,                                             \
      "URLs of the nodes above, comma separated, tried in order (ws, wss, http or https)",         \
      "hub first, then the standby hub, then the centre; at most one at a time")                   \
    X("sync", "window_events", NUMBER, window_events, "5000", LIMIT_BATCH_EVENTS,                  \
      LIMIT_OUTBOX_EVENTS, "events a device may have under way beyond what was worked off",        \
      "credit keeps a returning device from filling this node's memory")                           \
    X("sync", "window_bytes", NUMBER, window_bytes, "4194304", LIMIT_EVENT_BYTES, GIB,             \
      "bytes a device may have under way beyond what was worked off",                              \
      "never below one largest event, or that event could not pass")                               \
    X("sync", "jitter_ms", NUMBER, jitter_ms, "2000", 0, 600000,                                   \
      "the most that a returning device is told to wait with its backlog",                         \
      "five hundred tills that come back together should not push in the same instant")            \
    X("sync", "zstd", FLAG, zstd, "yes", 0, 0, "compress messages where both sides can",           \
      "sales leave sooner over a thin link")                                                       \
    X("store", "max_bytes", NUMBER, store_max_bytes, "0", 0, INT64_MAX,                            \
      "quota of wasl.db in bytes; 0: none", "a till shares its disk with other programs")          \
    X("store", "ballast_bytes", NUMBER, ballast_bytes, "16777216", 0, GIB,                         \
      "reserve of the disk, held by DIR/wasl.ballast where three times that is free, and of the "  \
      "quota (an eighth of it at most); 0: none",                                                  \
      "a disk that fills up at lunch must not stop the till: inside the reserve only what "        \
      "finishes sales is taken")                                                                   \
    X("store", "warn_percent", NUMBER, warn_percent, "80", 1, 100,                                 \
      "a warning from this share of the disk, the quota or the outbox on",                         \
      "early enough to act, late enough to be believed")                                           \
    X("store", "outbox_events", NUMBER, outbox_events, "2000000", 1, INT64_C(1000000000),          \
      "a device with so many events that the centre has not settled takes only what finishes "     \
      "sales",                                                                                     \
      "more than a year of a till: whoever is alone for so long should look at the line first")    \
    X("store", "catalog_check_ms", NUMBER, catalog_check_ms, "3600000", 100, DAY_MS,               \
      "how often a device looks whether its catalog is still what was published",                  \
      "a price changed by hand in the file is found before many sold at it")                       \
    X("store", "keep_ms", NUMBER, keep_ms, "3024000000", 1000, INT64_C(315576000000),              \
      "a device keeps settled events and their records for so long; preset 35 days",               \
      "a month's receipts and reports, without the till's disk filling up; the centre keeps all, " \
      "and tells tills no more of orders that were over before")                                   \
    X("branch", "offline_ms", NUMBER, offline_ms, "300000", 1000, DAY_MS,                          \
      "a branch silent for longer is shown as offline",                                            \
      "long enough for a restart, short enough to be worth a telephone call")                      \
    X("log", "debug", FLAG, log_debug, "no", 0, 0, "log each step of each session",                \
      "for looking into one node's trouble; noisy")                                                \
    X("fault", "drop_acks_every", NUMBER, drop_acks_every, "0", 0, 1000000,                        \
      "loses every n-th acknowledgement on purpose; 0: none",                                      \
      "tests show that a lost answer neither loses nor doubles a sale; never set it in a shop")

#define PUBLIC(section_, key_, kind_, field_, preset_, low_, high_, meaning_, why_)                \
    {.section = section_,                                                                          \
     .key = key_,                                                                                  \
     .kind = CONFIG_##kind_,                                                                       \
     .preset = preset_,                                                                            \
     .low = low_,                                                                                  \
     .high = high_,                                                                                \
     .meaning = meaning_,                                                                          \
     .why = why_},
const struct config_key config_keys[] = {KEYS(PUBLIC)};
const size_t config_key_count = sizeof config_keys / sizeof config_keys[0];

#define PLACE(section_, key_, kind_, field_, ...)                                                  \
    {offsetof(struct config, field_), sizeof(((struct config *)NULL)->field_)},
static const struct {
    size_t at, size;
} places[] = {KEYS(PLACE)};

static void *field_of(struct config *c, size_t i)
{
    return (char *)c + places[i].at;
}

static const void *field_in(const struct config *c, size_t i)
{
    return (const char *)c + places[i].at;
}

void config_defaults(enum node_role role, struct config *ret)
{
    static const char *const listen[] = {
        [ROLE_TERMINAL] = "127.0.0.1:7402",
        [ROLE_BRANCH] = "127.0.0.1:7401",
        [ROLE_CENTRAL] = CENTRE_LISTEN,
    };
    struct config c = {.role = role};
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *k = &config_keys[i];
        if (k->kind == CONFIG_NUMBER) {
            MUST(str_to_i64(str_of(k->preset), field_of(&c, i)) == ERR_OK);
        } else if (k->kind == CONFIG_FLAG) {
            *(bool *)field_of(&c, i) = strcmp(k->preset, "yes") == 0;
        }
    }
    MUST(str_copy(c.listen, sizeof c.listen, str_of(listen[role])) == ERR_OK);
    if (role == ROLE_CENTRAL) {
        MUST(str_copy(c.location, sizeof c.location, STR("hq")) == ERR_OK);
    }
    *ret = c;
}

bool config_is_loopback(const char *address)
{
    char host[URL_HOST_MAX];
    uint16_t port = 0;
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET6, address, &v6) == 1) {
        return IN6_IS_ADDR_LOOPBACK(&v6);
    }
    if (url_split_address(str_of(address), host, sizeof host, &port, NULL) != ERR_OK &&
        str_copy(host, sizeof host, str_of(address)) != ERR_OK) {
        return false;
    }
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return strcmp(host, "localhost") == 0 ||
           (inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6));
}

// ---- one value --------------------------------------------------------------------------------

// What every message begins with: which key of which file.
struct where {
    const char *file;
    const struct config_key *key;
    struct err *e;
};

static enum err_code refuse(const struct where *w, const char *what)
{
    return err_set(w->e, ERR_INVALID, "%s: [%s] %s %s", w->file, w->key->section, w->key->key,
                   what);
}

static enum err_code read_number(const struct where *w, struct str text, int64_t *ret)
{
    int64_t value = 0;
    if (str_to_i64(text, &value) != ERR_OK || value < w->key->low || value > w->key->high) {
        return err_set(w->e, ERR_INVALID,
                       "%s: [%s] %s must be a whole number from %lld to %lld, not \"%.*s\"",
                       w->file, w->key->section, w->key->key, (long long)w->key->low,
                       (long long)w->key->high, STR_ARG(text));
    }
    *ret = value;
    return ERR_OK;
}

static enum err_code read_flag(const struct where *w, struct str text, bool *ret)
{
    if (!str_is(text, "yes") && !str_is(text, "no")) {
        return refuse(w, "must be yes or no");
    }
    *ret = str_is(text, "yes");
    return ERR_OK;
}

static enum err_code read_urls(const struct where *w, struct str text, struct config *c)
{
    struct str rest = text, piece;
    while (str_cut(&rest, ',', &piece)) {
        struct url url;
        struct err cause = {0};
        piece = str_trim(piece);
        if (piece.n == 0) {
            continue;
        }
        if (c->upstream_count == CONFIG_UPSTREAMS_MAX) {
            return refuse(w, "has more than 8 URLs");
        }
        if (url_parse(piece, &url, &cause) != ERR_OK) {
            return err_set(w->e, ERR_INVALID, "%s: [%s] %s: %s", w->file, w->key->section,
                           w->key->key, err_message(&cause));
        }
        if (str_copy(c->upstreams[c->upstream_count], CONFIG_URL_MAX, piece) != ERR_OK) {
            return refuse(w, "has a URL that is too long");
        }
        c->upstream_count++;
    }
    return ERR_OK;
}

static enum err_code read_value(const struct where *w, size_t i, struct str text, struct config *c)
{
    switch (w->key->kind) {
    case CONFIG_TEXT:
        return str_copy(field_of(c, i), places[i].size, text) == ERR_OK ? ERR_OK
                                                                        : refuse(w, "is too long");
    case CONFIG_NUMBER:
        return read_number(w, text, field_of(c, i));
    case CONFIG_FLAG:
        return read_flag(w, text, field_of(c, i));
    case CONFIG_URLS:
        return read_urls(w, text, c);
    case CONFIG_ROLE:
        return node_role_parse(text, field_of(c, i)) == ERR_OK
                   ? ERR_OK
                   : refuse(w, "must be terminal, branch or central");
    }
    return refuse(w, "has no meaning");
}

// The texts that must be more than text.
static enum err_code check(const char *file, const struct config *c, struct err *e)
{
    char host[URL_HOST_MAX];
    uint16_t port = 0;
    struct err cause = {0};
    if (url_split_address(str_of(c->listen), host, sizeof host, &port, &cause) != ERR_OK) {
        return err_set(e, ERR_INVALID, "%s: [node] listen must be ADDRESS:PORT: %s", file,
                       err_message(&cause));
    }
    if (c->location[0] != '\0' && !event_location_valid(str_of(c->location))) {
        return err_set(e, ERR_INVALID, "%s: [node] location \"%s\" is not a valid id", file,
                       c->location);
    }
    if (c->region[0] != '\0' && !event_name_valid(str_of(c->region))) {
        return err_set(e, ERR_INVALID, "%s: [node] region \"%s\" is not a valid id", file,
                       c->region);
    }
    return ERR_OK;
}

// ---- the file ---------------------------------------------------------------------------------

static enum err_code path_of(const char *dir, const char *name, char to[CONFIG_PATH_MAX],
                             struct err *e)
{
    int n = snprintf(to, CONFIG_PATH_MAX, "%s/%s", dir, name);
    return n > 0 && n < CONFIG_PATH_MAX ? ERR_OK
                                        : err_set(e, ERR_LIMIT, "the folder's path is too long");
}

// The role is read first, since the presets depend on it.
static enum err_code take_role(struct ini_file *ini, const char *file, enum node_role *ret,
                               struct err *e)
{
    const char *text = ini_file_find(ini, "node", "role");
    if (text == NULL || node_role_parse(str_of(text), ret) != ERR_OK) {
        return err_set(e, ERR_INVALID, "%s: [node] role must be terminal, branch or central", file);
    }
    return ERR_OK;
}

static enum err_code take_all(struct ini_file *ini, const char *file, struct config *ret,
                              struct err *e)
{
    enum node_role role;
    enum err_code rc = take_role(ini, file, &role, e);
    if (rc != ERR_OK) {
        return rc;
    }
    config_defaults(role, ret);
    for (size_t i = 0; i < config_key_count && rc == ERR_OK; i++) {
        struct where w = {.file = file, .key = &config_keys[i], .e = e};
        const char *text = ini_file_find(ini, w.key->section, w.key->key);
        if (text != NULL) {
            rc = read_value(&w, i, str_of(text), ret);
        }
    }
    if (rc == ERR_OK) {
        rc = ini_file_refuse_unused(ini, file, "docs/CONFIG.md", e);
    }
    return rc == ERR_OK ? check(file, ret, e) : rc;
}

enum err_code config_read(const char *dir, struct config *ret, struct err *e)
{
    struct config c;
    struct ini_file ini = {0};
    char path[CONFIG_PATH_MAX];
    enum err_code rc = path_of(dir, NAME, path, e);
    if (rc != ERR_OK) {
        return rc;
    }
    rc = ini_file_read(path, &ini, e);
    if (rc == ERR_NOT_FOUND) {
        return err_set(e, rc, "no node in %s: there is no %s", dir, NAME);
    }
    if (rc != ERR_OK) {
        return rc;
    }
    rc = take_all(&ini, path, &c, e);
    ini_file_fini(&ini);
    if (rc != ERR_OK) {
        return rc;
    }
    rc = str_copy(c.dir, sizeof c.dir, str_of(dir));
    if (rc == ERR_OK) {
        *ret = c;
    }
    return rc;
}

// ---- writing ----------------------------------------------------------------------------------

static enum err_code format_value(const struct config *c, size_t i, struct buf *to)
{
    switch (config_keys[i].kind) {
    case CONFIG_TEXT:
        return buf_append_str(to, str_of(field_in(c, i)));
    case CONFIG_NUMBER:
        return buf_append_format(to, "%lld", (long long)*(const int64_t *)field_in(c, i));
    case CONFIG_FLAG:
        return buf_append_str(to, *(const bool *)field_in(c, i) ? STR("yes") : STR("no"));
    case CONFIG_ROLE:
        return buf_append_str(to, str_of(node_role_name(c->role)));
    case CONFIG_URLS:
        break;
    }
    enum err_code rc = ERR_OK;
    for (size_t n = 0; n < c->upstream_count && rc == ERR_OK; n++) {
        rc = buf_append_format(to, "%s%s", n > 0 ? ", " : "", c->upstreams[n]);
    }
    return rc;
}

// A comment, broken at blanks: a reader of ini files has a limit on its lines.
static enum err_code add_comment(struct buf *to, struct str text)
{
    enum err_code rc = ERR_OK;
    while (text.n > 0 && rc == ERR_OK) {
        size_t n = text.n;
        if (n > LINE_WIDTH) {
            n = LINE_WIDTH;
            while (n > 0 && text.p[n] != ' ') {
                n--;
            }
            n = n == 0 ? LINE_WIDTH : n;
        }
        rc = buf_append_format(to, "; %.*s\n", (int)n, text.p);
        text = str_trim(str_make(text.p + n, text.n - n));
    }
    return rc;
}

// A key that has its preset is written as a comment: a later version may choose a better one.
static enum err_code add_key(const struct config *c, const struct config *presets, size_t i,
                             struct buf *to)
{
    const struct config_key *k = &config_keys[i];
    struct buf value, preset;
    buf_init(&value, FILE_BYTES_MAX);
    buf_init(&preset, FILE_BYTES_MAX);
    enum err_code rc = format_value(c, i, &value);
    if (rc == ERR_OK) {
        rc = format_value(presets, i, &preset);
    }
    if (rc == ERR_OK) {
        rc = add_comment(to, str_of(k->meaning));
    }
    bool always =
        k->kind == CONFIG_ROLE || strcmp(k->key, "listen") == 0 || strcmp(k->key, "location") == 0;
    bool same = str_equal(buf_str(&value), buf_str(&preset));
    if (rc == ERR_OK) {
        rc = buf_append_format(to, "%s%s = %.*s\n", same && (!always || value.len == 0) ? ";" : "",
                               k->key, STR_ARG(buf_str(&value)));
    }
    buf_fini(&value);
    buf_fini(&preset);
    return rc;
}

static enum err_code compose(const struct config *c, struct buf *to)
{
    struct config presets;
    const char *section = "";
    config_defaults(c->role, &presets);
    enum err_code rc = buf_append_format(
        to,
        "; A node of Wasl. A line behind a ';' shows a key's preset. docs/CONFIG.md says more.\n");
    for (size_t i = 0; i < config_key_count && rc == ERR_OK; i++) {
        if (strcmp(section, config_keys[i].section) != 0) {
            section = config_keys[i].section;
            rc = buf_append_format(to, "\n[%s]\n", section);
        }
        if (rc == ERR_OK) {
            rc = add_key(c, &presets, i, to);
        }
    }
    return rc;
}

// True when the two say the same under key i.
static bool same_value(const struct config *a, const struct config *b, size_t i)
{
    struct buf x, y;
    buf_init(&x, FILE_BYTES_MAX);
    buf_init(&y, FILE_BYTES_MAX);
    bool same = format_value(a, i, &x) == ERR_OK && format_value(b, i, &y) == ERR_OK &&
                str_equal(buf_str(&x), buf_str(&y));
    buf_fini(&x);
    buf_fini(&y);
    return same;
}

static enum err_code check_round_trip(const struct config *c, struct str text, struct err *e)
{
    struct ini_file ini = {0};
    struct config back;
    enum err_code rc = ini_file_parse(NAME, text, &ini, e);
    if (rc != ERR_OK) {
        return rc;
    }
    rc = take_all(&ini, NAME, &back, e);
    ini_file_fini(&ini);
    for (size_t i = 0; i < config_key_count && rc == ERR_OK; i++) {
        struct where w = {.file = NAME, .key = &config_keys[i], .e = e};
        if (!same_value(c, &back, i)) {
            rc = refuse(&w, "cannot be kept in an ini file as it is");
        }
    }
    return rc;
}

static enum err_code errno_text(const char *path, struct err *e)
{
    enum err_code rc = errno == EACCES || errno == EROFS    ? ERR_READ_ONLY
                       : errno == ENOSPC || errno == EDQUOT ? ERR_DISK_FULL
                                                            : ERR_IO;
    return err_set(e, rc, "%s: %s", path, strerror(errno));
}

static enum err_code write_all(const char *path, struct str text, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        return errno_text(path, e);
    }
    enum err_code rc = ERR_OK;
    while (text.n > 0 && rc == ERR_OK) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno != EINTR) {
            rc = errno_text(path, e);
        } else if (n > 0) {
            text = str_make(text.p + n, text.n - (size_t)n);
        }
    }
    if (rc == ERR_OK && fsync(fd) != 0) {
        rc = errno_text(path, e);
    }
    if (close(fd) != 0 && rc == ERR_OK) {
        rc = errno_text(path, e);
    }
    return rc;
}

enum err_code config_write(const struct config *config, struct err *e)
{
    char path[CONFIG_PATH_MAX], fresh[CONFIG_PATH_MAX];
    struct buf text;
    buf_init(&text, FILE_BYTES_MAX);
    enum err_code rc = path_of(config->dir, NAME, path, e);
    if (rc == ERR_OK) {
        rc = path_of(config->dir, NAME ".new", fresh, e);
    }
    if (rc == ERR_OK) {
        rc = compose(config, &text);
    }
    if (rc == ERR_OK) {
        rc = check_round_trip(config, buf_str(&text), e);
    }
    if (rc == ERR_OK) {
        rc = write_all(fresh, buf_str(&text), e);
        if (rc == ERR_OK && rename(fresh, path) != 0) {
            rc = errno_text(path, e);
        }
        if (rc != ERR_OK) {
            (void)unlink(fresh);
        }
    }
    buf_fini(&text);
    return rc;
}
