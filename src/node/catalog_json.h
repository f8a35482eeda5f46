// SPDX-License-Identifier: Apache-2.0
// What a node's status says of its catalog.
#ifndef WASL_NODE_CATALOG_JSON_H
#define WASL_NODE_CATALOG_JSON_H

#include "store/store.h"

#include <yyjson.h>

// null before the first version; NULL without memory.
yyjson_mut_val *catalog_json_status(const struct store_catalog *catalog, yyjson_mut_doc *doc);
// Adds "version", "hash" and "rows".
void catalog_json_add(const struct catalog_version *version, yyjson_mut_doc *doc,
                      yyjson_mut_val *to);

#endif
