// SPDX-License-Identifier: Apache-2.0
// A node's configuration: DIR/wasl.ini, one table of keys with defaults and reasons.
//
// docs/CONFIG.md is generated from the table. Unknown keys are refused.
#ifndef WASL_NODE_CONFIG_H
#define WASL_NODE_CONFIG_H

#include "store/store.h"

enum { CONFIG_PATH_MAX = 4096, CONFIG_UPSTREAMS_MAX = 8, CONFIG_URL_MAX = 512 };

struct config {
    char dir[CONFIG_PATH_MAX];
    enum node_role role;
    char location[LIMIT_NAME + 1];
    char region[LIMIT_NAME + 1];
    char listen[64];                                      // ADDRESS:PORT
    char upstreams[CONFIG_UPSTREAMS_MAX][CONFIG_URL_MAX]; // ws:// or wss:// or http(s)://, in order
    size_t upstream_count;
    int64_t window_events; // credit a device gets beyond what was worked off
    int64_t window_bytes;
    int64_t jitter_ms; // the most that a returning device is told to wait with its backlog
    bool zstd;
    int64_t store_max_bytes;  // quota of wasl.db, 0: none
    int64_t ballast_bytes;    // reserve of the disk and of the quota, 0: none
    int64_t warn_percent;     // of disk, quota or outbox
    int64_t catalog_check_ms; // how often a device looks at its catalog
    int64_t keep_ms;          // a device keeps what is settled for so long
    int64_t outbox_events;    // beyond it only what finishes sales is taken
    int64_t offline_ms;       // a branch silent for longer is shown as offline
    int64_t drop_acks_every;  // fault injection: every n-th ack is lost; 0: none
    bool log_debug;
};

enum config_kind { CONFIG_TEXT, CONFIG_NUMBER, CONFIG_FLAG, CONFIG_URLS, CONFIG_ROLE };

struct config_key {
    const char *section;
    const char *key;
    enum config_kind kind;
    const char *preset; // the default as text; NULL: none
    int64_t low, high;  // for numbers
    const char *meaning;
    const char *why;
};
extern const struct config_key config_keys[];
extern const size_t config_key_count;

// Reads DIR/wasl.ini. ERR_NOT_FOUND (no node here), ERR_INVALID naming the key.
enum err_code config_read(const char *dir, struct config *ret, struct err *e) MUST_CHECK;
// Writes DIR/wasl.ini anew, all or nothing: every key with its meaning, those that have their
// preset as comments. ERR_INVALID for a value that an ini file cannot carry; ERR_READ_ONLY,
// ERR_DISK_FULL.
enum err_code config_write(const struct config *config, struct err *e) MUST_CHECK;
void config_defaults(enum node_role role, struct config *ret);

// True when the address only listens on this machine.
bool config_is_loopback(const char *address);

#endif
