// SPDX-License-Identifier: Apache-2.0
// Map files: an accepted one is complete, and a refused one says why.
#include "fuzz.h"

#include "cli/import_map.h"

static void check_complete(const struct import_map *map)
{
    MUST(map->columns[IMPORT_TICKET][0] != '\0' && map->columns[IMPORT_TIME][0] != '\0');
    MUST(map->columns[IMPORT_SKU][0] != '\0');
    MUST(map->columns[IMPORT_QUANTITY][0] != '\0' || map->has_default_quantity);
    MUST(map->columns[IMPORT_UNIT_PRICE][0] != '\0' || map->has_default_unit_price);
    MUST(map->currency_places >= 0 && map->currency_places <= 4);
    MUST(map->currency[0] == '\0' || import_map_is_currency(str_of(map->currency)));
    MUST(map->delimiter != map->decimal || map->delimiter == ',');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct import_map map;
    struct err e = {0};
    if (import_map_parse("fuzz.ini", str_make(data, size), &map, &e) == ERR_OK)
        check_complete(&map);
    else
        MUST(e.text[0] != '\0');
    return 0;
}
