// SPDX-License-Identifier: Apache-2.0
// Who a node is: chain, device, place and key.
//
// Files under DIR/keys (0700, files 0600): device.seed (hex), ca.pem (the chain's CA),
// at the centre also ca.key, server.pem and server.key. The ids stand in the store's meta table.
#ifndef WASL_NODE_IDENTITY_H
#define WASL_NODE_IDENTITY_H

#include "node/config.h"

struct identity {
    enum node_role role;
    struct uuid chain; // zero: not enrolled yet
    struct uuid device;
    char location[LIMIT_NAME + 1];
    struct sign_key key;
    bool revoked; // as the upstream said last
};

// Makes the folder, its key, its store and wasl.ini. A centre makes the chain, its CA and its
// server certificate as well. ERR_EXISTS when there is a node already; nothing is left behind on
// failure.
enum err_code identity_create(const struct config *config, struct err *e) MUST_CHECK;
enum err_code identity_read(const struct config *config, struct store *store, struct identity *ret,
                            struct err *e) MUST_CHECK;
// After enrolment: the chain this device belongs to, and the CA it trusts from now on.
enum err_code identity_join(const struct config *config, struct store *store,
                            const struct uuid *chain, struct str ca_pem, struct err *e) MUST_CHECK;
enum err_code identity_set_revoked(struct store *store, bool revoked, struct err *e) MUST_CHECK;
// DIR/keys/NAME
void identity_path(const struct config *config, const char *name, char to[CONFIG_PATH_MAX]);

#endif
