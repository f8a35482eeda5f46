// SPDX-License-Identifier: Apache-2.0
//
// A node is made in a fixed order: folder, keys, store, and wasl.ini last, which is what makes it a
// node. What was made before a failure is taken back; a folder that was there before stays.
#include "node/identity.h"

#include "base/clock.h"
#include "net/tls.h"
#include "net/url.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CENTRE_PLACE  "hq"
#define SECONDS_A_DAY INT64_C(86400)
enum { CA_DAYS = 3652, META_BYTES = 64 * 1024, KEYS_FILE_MAX = 64 * 1024 };

void identity_path(const struct config *config, const char *name, char to[CONFIG_PATH_MAX])
{
    int n = snprintf(to, CONFIG_PATH_MAX, "%s/keys/%s", config->dir, name);
    if (n < 0 || n >= CONFIG_PATH_MAX) {
        to[0] = '\0'; // opening it says that there is no such file
    }
}

// ---- files ------------------------------------------------------------------------------------

static enum err_code errno_text(const char *path, struct err *e)
{
    switch (errno) {
    case EACCES:
    case EPERM:
    case EROFS:
        return err_set(e, ERR_READ_ONLY, "%s may not be written: %s", path, strerror(errno));
    case ENOSPC:
    case EDQUOT:
        return err_set(e, ERR_DISK_FULL, "%s: %s", path, strerror(errno));
    case ENOENT:
        return err_set(e, ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    case EEXIST:
        return err_set(e, ERR_EXISTS, "%s is there already", path);
    default:
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    }
}

static enum err_code write_all(int fd, struct str text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno != EINTR) {
            return ERR_IO;
        }
        if (n > 0) {
            text = str_make(text.p + n, text.n - (size_t)n);
        }
    }
    return fsync(fd) == 0 ? ERR_OK : ERR_IO;
}

// Private from its first byte, and never over another file.
static enum err_code write_private(const char *path, struct str text, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return errno_text(path, e);
    }
    enum err_code rc = write_all(fd, text) == ERR_OK ? ERR_OK : errno_text(path, e);
    if (close(fd) != 0 && rc == ERR_OK) {
        rc = errno_text(path, e);
    }
    if (rc != ERR_OK) {
        (void)unlink(path);
    }
    return rc;
}

static enum err_code read_seed(const char *path, uint8_t seed[SIGN_SEED_SIZE], struct err *e)
{
    char text[2 * SIGN_SEED_SIZE + 2] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return errno_text(path, e);
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    enum err_code rc = ERR_OK;
    if (n < 0 || str_from_hex(str_trim(str_of(text)), seed, SIGN_SEED_SIZE) != ERR_OK) {
        rc = err_set(e, ERR_DAMAGED, "%s does not hold a device's key", path);
    }
    explicit_bzero(text, sizeof text);
    return rc;
}

// ---- making -----------------------------------------------------------------------------------

struct making {
    const struct config *config;
    struct str location;
    bool made_folder;
    bool made_keys;
    struct err *e;
};

static void key_path(const struct making *m, const char *name, char to[CONFIG_PATH_MAX])
{
    identity_path(m->config, name, to);
}

static bool own_path(const struct making *m, const char *name, char to[CONFIG_PATH_MAX])
{
    int n = snprintf(to, CONFIG_PATH_MAX, "%s/%s", m->config->dir, name);
    return n > 0 && n < CONFIG_PATH_MAX;
}

// Nothing of a node may be there, since taking back would delete it.
static enum err_code check_empty(const struct making *m)
{
    static const char *const signs[] = {"wasl.ini", "wasl.db", "keys"};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        char path[CONFIG_PATH_MAX];
        struct stat st;
        if (!own_path(m, signs[i], path)) {
            return err_set(m->e, ERR_LIMIT, "the folder's path is too long");
        }
        if (lstat(path, &st) == 0) {
            return err_set(m->e, ERR_EXISTS, "%s holds a node already: %s is there", m->config->dir,
                           signs[i]);
        }
    }
    return ERR_OK;
}

static enum err_code make_folders(struct making *m)
{
    char keys[CONFIG_PATH_MAX];
    enum err_code rc = check_empty(m);
    if (rc != ERR_OK) {
        return rc;
    }
    if (mkdir(m->config->dir, 0755) == 0) {
        m->made_folder = true;
    } else if (errno != EEXIST) {
        return errno_text(m->config->dir, m->e);
    }
    if (!own_path(m, "keys", keys) || mkdir(keys, 0700) != 0) {
        return errno_text(keys, m->e);
    }
    m->made_keys = true;
    return ERR_OK;
}

static enum err_code make_device_key(const struct making *m)
{
    uint8_t seed[SIGN_SEED_SIZE];
    char text[2 * SIGN_SEED_SIZE + 1], line[sizeof text + 1], path[CONFIG_PATH_MAX];
    clock_random(seed, sizeof seed);
    str_to_hex(text, seed, sizeof seed);
    int n = snprintf(line, sizeof line, "%s\n", text);
    key_path(m, "device.seed", path);
    enum err_code rc = write_private(path, str_make(line, (size_t)n), m->e);
    explicit_bzero(seed, sizeof seed);
    explicit_bzero(text, sizeof text);
    explicit_bzero(line, sizeof line);
    return rc;
}

// ---- the centre's certificates ----------------------------------------------------------------

struct names {
    char texts[TLS_NAMES_MAX][URL_HOST_MAX];
    const char *list[TLS_NAMES_MAX];
    size_t count;
};

static void add_name(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->list[i], name) == 0) {
            return;
        }
    }
    char *to = names->texts[names->count];
    if (names->count < TLS_NAMES_MAX && name[0] != '\0' &&
        str_copy(to, URL_HOST_MAX, str_of(name)) == ERR_OK) {
        names->list[names->count++] = to;
    }
}

// A centre that listens on every address is called by any of them.
static void add_addresses(struct names *names)
{
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0) {
        return;
    }
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        char text[NI_MAXHOST];
        socklen_t n = i->ifa_addr == NULL                  ? 0
                      : i->ifa_addr->sa_family == AF_INET  ? sizeof(struct sockaddr_in)
                      : i->ifa_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                           : 0;
        if (n > 0 && getnameinfo(i->ifa_addr, n, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0 &&
            strchr(text, '%') == NULL) {
            add_name(names, text);
        }
    }
    freeifaddrs(all);
}

static void gather_names(const struct config *config, struct names *ret)
{
    char host[URL_HOST_MAX] = "";
    uint16_t port = 0;
    add_name(ret, "localhost");
    add_name(ret, "127.0.0.1");
    add_name(ret, "::1");
    char machine[HOST_NAME_MAX + 1] = "";
    if (gethostname(machine, sizeof machine - 1) == 0) {
        add_name(ret, machine);
    }
    if (url_split_address(str_of(config->listen), host, sizeof host, &port, NULL) != ERR_OK) {
        return;
    }
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0) {
        add_addresses(ret);
    } else {
        add_name(ret, host);
    }
}

static enum err_code make_certificates(const struct making *m, const struct uuid *chain)
{
    char ca_pem[CONFIG_PATH_MAX], ca_key[CONFIG_PATH_MAX], pem[CONFIG_PATH_MAX],
        key[CONFIG_PATH_MAX];
    key_path(m, "ca.pem", ca_pem);
    key_path(m, "ca.key", ca_key);
    key_path(m, "server.pem", pem);
    key_path(m, "server.key", key);
    const struct tls_files ca = {.certificate_path = ca_pem, .key_path = ca_key};
    const struct tls_files server = {.certificate_path = pem, .key_path = key};
    char id[UUID_TEXT_SIZE], name[UUID_TEXT_SIZE + 32];
    uuid_format(chain, id);
    (void)snprintf(name, sizeof name, "Wasl chain %s", id);
    int64_t now_s = clock_wall_ms() / 1000;
    struct tls_subject subject = {
        .common_name = name,
        .key_type = TLS_KEY_P256,              // a browser visits the console
        .not_before_s = now_s - SECONDS_A_DAY, // a till's clock may be behind
        .not_after_s = now_s + CA_DAYS * SECONDS_A_DAY,
    };
    enum err_code rc = tls_make_ca(&subject, &ca, m->e);
    if (rc != ERR_OK) {
        return rc;
    }
    struct names names = {.count = 0};
    gather_names(m->config, &names);
    subject.common_name = "Wasl centre";
    subject.names = names.list;
    subject.name_count = names.count;
    return tls_make_certificate(&subject, &ca, &server, m->e);
}

// ---- the store --------------------------------------------------------------------------------

static struct uuid fresh_id(void)
{
    struct uuid_maker maker = {0};
    uint8_t random[10];
    clock_random(random, sizeof random);
    return uuid_make_v7(&maker, (uint64_t)clock_wall_ms(), random);
}

static enum err_code put_id(struct store *s, const char *name, const struct uuid *id, struct err *e)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    return store_meta_set(s, name, str_of(text), e);
}

static enum err_code fill_store(const struct making *m, struct store *s, const struct uuid *chain)
{
    struct uuid device = fresh_id();
    enum err_code rc = store_begin(s, m->e);
    if (rc != ERR_OK) {
        return rc;
    }
    rc = put_id(s, "device", &device, m->e);
    if (rc == ERR_OK && m->location.n > 0) {
        rc = store_meta_set(s, "location", m->location, m->e);
    }
    if (rc == ERR_OK && !uuid_is_zero(chain)) {
        rc = put_id(s, "chain", chain, m->e);
    }
    if (rc != ERR_OK) {
        store_rollback(s);
        return rc;
    }
    return store_commit(s, m->e);
}

static enum err_code make_store(const struct making *m, const struct uuid *chain)
{
    struct store *s = NULL;
    const struct store_options options = {.dir = m->config->dir,
                                          .create = true,
                                          .role = m->config->role,
                                          .max_bytes = m->config->store_max_bytes};
    enum err_code rc = store_open(&options, &s, m->e);
    if (rc != ERR_OK) {
        return rc;
    }
    rc = fill_store(m, s, chain);
    store_close(s);
    return rc;
}

static enum err_code make(struct making *m)
{
    struct uuid chain = {0};
    enum err_code rc = make_folders(m);
    if (rc == ERR_OK) {
        rc = make_device_key(m);
    }
    if (rc == ERR_OK && m->config->role == ROLE_CENTRAL) {
        chain = fresh_id();
        rc = make_certificates(m, &chain);
    }
    if (rc == ERR_OK) {
        rc = make_store(m, &chain);
    }
    if (rc == ERR_OK) {
        struct config written = *m->config;
        MUST(str_copy(written.location, sizeof written.location, m->location) == ERR_OK);
        rc = config_write(&written, m->e);
    }
    return rc;
}

// Deletes the files of a folder whose names begin with prefix.
static void empty_folder(const char *path, const char *prefix)
{
    DIR *d = opendir(path);
    if (d == NULL) {
        return;
    }
    for (const struct dirent *entry = readdir(d); entry != NULL; entry = readdir(d)) {
        if (entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            (void)unlinkat(dirfd(d), entry->d_name, 0);
        }
    }
    (void)closedir(d);
}

// check_empty saw that nothing of a node was there, so all that is there now was made here.
static void take_back(const struct making *m)
{
    char keys[CONFIG_PATH_MAX];
    if (m->made_keys && own_path(m, "keys", keys)) {
        empty_folder(keys, "");
        (void)rmdir(keys);
        empty_folder(m->config->dir, "wasl.");
    }
    if (m->made_folder) {
        (void)rmdir(m->config->dir);
    }
}

enum err_code identity_create(const struct config *config, struct err *e)
{
    struct making m = {.config = config, .location = str_of(config->location), .e = e};
    if (config->role == ROLE_CENTRAL) {
        m.location = STR(CENTRE_PLACE);
    }
    enum err_code rc = make(&m);
    if (rc != ERR_OK) {
        take_back(&m);
    }
    return rc;
}

// ---- reading ----------------------------------------------------------------------------------

// Leaves *ret as it is where there is none yet and that is allowed.
static enum err_code get_id(struct store *s, const char *name, bool needed, struct uuid *ret,
                            struct err *e)
{
    struct arena a;
    struct str text;
    arena_init(&a, META_BYTES);
    enum err_code rc = store_meta_get(s, name, &a, &text, e);
    if (rc == ERR_OK && uuid_parse(text, ret) != ERR_OK) {
        rc = err_set(e, ERR_DAMAGED, "the store's %s id cannot be read", name);
    } else if (rc == ERR_NOT_FOUND && !needed) {
        rc = ERR_OK;
    } else if (rc == ERR_NOT_FOUND) {
        rc = err_set(e, ERR_DAMAGED, "the store holds no %s id", name);
    }
    arena_fini(&a);
    return rc;
}

static enum err_code get_location(const struct config *config, struct store *s,
                                  char to[LIMIT_NAME + 1], struct err *e)
{
    struct arena a;
    struct str text;
    arena_init(&a, META_BYTES);
    to[0] = '\0';
    enum err_code rc = store_meta_get(s, "location", &a, &text, e);
    if (rc == ERR_OK && str_copy(to, LIMIT_NAME + 1, text) != ERR_OK) {
        rc = err_set(e, ERR_DAMAGED, "the store's location is too long");
    } else if (rc == ERR_NOT_FOUND) {
        rc = ERR_OK;
    }
    arena_fini(&a);
    if (rc == ERR_OK && config->location[0] != '\0' && strcmp(config->location, to) != 0) {
        rc = err_set(e, ERR_INVALID, "wasl.ini says location %s, but this node belongs to %s",
                     config->location, to[0] != '\0' ? to : "none");
    }
    return rc;
}

static enum err_code get_revoked(struct store *s, bool *ret, struct err *e)
{
    struct arena a;
    struct str text = STR("");
    arena_init(&a, META_BYTES);
    enum err_code rc = store_meta_get(s, "revoked", &a, &text, e);
    *ret = rc == ERR_OK && str_is(text, "1");
    arena_fini(&a);
    return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

enum err_code identity_set_revoked(struct store *store, bool revoked, struct err *e)
{
    return store_meta_set(store, "revoked", revoked ? STR("1") : STR("0"), e);
}

enum err_code identity_read(const struct config *config, struct store *store, struct identity *ret,
                            struct err *e)
{
    struct identity id = {.role = store_role(store)};
    uint8_t seed[SIGN_SEED_SIZE];
    char path[CONFIG_PATH_MAX];
    if (id.role != config->role) {
        return err_set(e, ERR_INVALID, "wasl.ini says role %s, but the store is that of a %s node",
                       node_role_name(config->role), node_role_name(id.role));
    }
    enum err_code rc = get_id(store, "device", true, &id.device, e);
    if (rc == ERR_OK) {
        rc = get_id(store, "chain", id.role == ROLE_CENTRAL, &id.chain, e);
    }
    if (rc == ERR_OK) {
        rc = get_location(config, store, id.location, e);
    }
    if (rc == ERR_OK) {
        rc = get_revoked(store, &id.revoked, e);
    }
    if (rc == ERR_OK) {
        identity_path(config, "device.seed", path);
        rc = read_seed(path, seed, e);
    }
    if (rc == ERR_OK) {
        sign_key_from_seed(seed, &id.key);
        explicit_bzero(seed, sizeof seed);
        *ret = id;
    }
    return rc;
}

// ---- joining ----------------------------------------------------------------------------------

static enum err_code check_join(const struct identity *now, const struct config *config,
                                const struct uuid *chain, struct str ca_pem, struct err *e)
{
    struct tls_fingerprint ignored;
    if (now->role == ROLE_CENTRAL) {
        return err_set(e, ERR_INVALID, "a centre has its own chain and joins no other");
    }
    if (!uuid_is_zero(&now->chain) && !uuid_equal(&now->chain, chain)) {
        return err_set(e, ERR_EXISTS, "this node belongs to another chain already");
    }
    if (uuid_is_zero(chain)) {
        return err_set(e, ERR_INVALID, "the chain's id is missing");
    }
    if (config->location[0] == '\0' && now->location[0] == '\0') {
        return err_set(e, ERR_INVALID, "the node's location is missing");
    }
    if (ca_pem.n > KEYS_FILE_MAX) {
        return err_set(e, ERR_LIMIT, "the chain's certificate is too large");
    }
    return tls_fingerprint_of_pem(ca_pem, &ignored, e);
}

static enum err_code put_ca(const struct config *config, struct str ca_pem, struct err *e)
{
    char path[CONFIG_PATH_MAX], fresh[CONFIG_PATH_MAX];
    identity_path(config, "ca.pem", path);
    identity_path(config, "ca.pem.new", fresh);
    (void)unlink(fresh); // of an attempt that was cut off
    enum err_code rc = write_private(fresh, ca_pem, e);
    if (rc == ERR_OK && rename(fresh, path) != 0) {
        rc = errno_text(path, e);
        (void)unlink(fresh);
    }
    return rc;
}

enum err_code identity_join(const struct config *config, struct store *store,
                            const struct uuid *chain, struct str ca_pem, struct err *e)
{
    struct identity now;
    struct config lenient = *config; // a place that the code gave is not in the store yet
    lenient.location[0] = '\0';
    enum err_code rc = identity_read(&lenient, store, &now, e);
    if (rc == ERR_OK) {
        rc = check_join(&now, config, chain, ca_pem, e);
    }
    if (rc == ERR_OK) {
        rc = put_ca(config, ca_pem, e);
    }
    if (rc == ERR_OK) {
        rc = store_begin(store, e);
    }
    if (rc != ERR_OK) {
        return rc;
    }
    rc = put_id(store, "chain", chain, e);
    if (rc == ERR_OK && config->location[0] != '\0') {
        rc = store_meta_set(store, "location", str_of(config->location), e);
    }
    if (rc != ERR_OK) {
        store_rollback(store);
        return rc;
    }
    return store_commit(store, e);
}
