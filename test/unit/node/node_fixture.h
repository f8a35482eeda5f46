// SPDX-License-Identifier: Apache-2.0
// A scratch folder for one test.
#ifndef WASL_TEST_UNIT_NODE_FIXTURE_H
#define WASL_TEST_UNIT_NODE_FIXTURE_H

#include "node/identity.h"

// A fresh folder, removed with all in it by fixture_drop; path is its name.
void fixture_make(char path[CONFIG_PATH_MAX]);
void fixture_drop(const char *path);

void fixture_write(const char *dir, const char *name, const char *text);
size_t fixture_count(const char *dir); // entries
bool fixture_exists(const char *dir, const char *name);
unsigned fixture_mode(const char *dir, const char *name); // permission bits

// The preset of a role, in dir/NAME.
void fixture_config(const char *dir, const char *name, enum node_role role, struct config *ret);

#endif
