// SPDX-License-Identifier: Apache-2.0
// A running node: journal, writer, loop, sync services and HTTP, wired together. No rules here.
#ifndef WASL_NODE_NODE_H
#define WASL_NODE_NODE_H

#include "node/config.h"

// Runs the node until SIGTERM or SIGINT, then stops it cleanly: what was accepted is durable, the
// store is closed. ERR_LOCKED (served already), ERR_BUSY (port in use), ERR_UNSUPPORTED (a role
// that is not built), and what the store and the files say.
enum err_code node_serve(const struct config *config, struct err *e) MUST_CHECK;

#endif
