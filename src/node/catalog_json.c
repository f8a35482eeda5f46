// SPDX-License-Identifier: Apache-2.0
#include "node/catalog_json.h"

void catalog_json_add(const struct catalog_version *version, yyjson_mut_doc *doc,
                      yyjson_mut_val *to)
{
    char hash[HASH_TEXT_SIZE];
    hash_format(&version->hash, hash);
    yyjson_mut_obj_add_uint(doc, to, "version", version->number);
    yyjson_mut_obj_add_strcpy(doc, to, "hash", hash);
    yyjson_mut_obj_add_uint(doc, to, "rows", version->count);
}

yyjson_mut_val *catalog_json_status(const struct store_catalog *catalog, yyjson_mut_doc *doc)
{
    if (catalog->version.number == 0 && catalog->refused.number == 0)
        return yyjson_mut_null(doc);
    yyjson_mut_val *to = yyjson_mut_obj(doc);
    if (to == NULL)
        return NULL;
    catalog_json_add(&catalog->version, doc, to);
    if (catalog->refused.number)
        yyjson_mut_obj_add_uint(doc, to, "refused", catalog->refused.number);
    else
        yyjson_mut_obj_add_null(doc, to, "refused");
    return to;
}
