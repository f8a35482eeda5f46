// SPDX-License-Identifier: Apache-2.0
// A file written for one test, and all that the reader makes of it, as text.
#ifndef WASL_UNIT_CLI_FIXTURE_H
#define WASL_UNIT_CLI_FIXTURE_H

#include "cli/ticket_reader.h"
#include "test/unit/unit.h"

enum { FIXTURE_TEXT_MAX = 16 * 1024, FIXTURE_PATH_MAX = 256 };

struct outcome {
    enum err_code code;
    struct err e;
    // "536365 sale 1291191960000 GBP customer=17850.0 [1 85123A LANTERN 6 x 2.55] [...]\n"
    char tickets[FIXTURE_TEXT_MAX];
    char rejects[FIXTURE_TEXT_MAX]; // "line 3 row 2: reason: raw"
    char ids[FIXTURE_TEXT_MAX];     // event ids, one a line
    char header[FIXTURE_TEXT_MAX];
    struct ticket_counts counts;
    struct hash hash;
};

// A fresh file of this content; the path lives until the next call of the same function.
const char *fixture_plain(struct str content);
const char *fixture_gzip(struct str content);

// Reads a file by a map given as text. The map must be good.
void fixture_read(const char *path, const char *map, struct outcome *ret);

// The same for content in a plain file, which must be readable to its end.
void fixture_tickets(const char *content, const char *map, struct outcome *ret);

// A map of the columns ticket, time, sku, quantity, price, followed by more lines.
const char *fixture_map(const char *more);

// Where the data of others is; false (and why is printed) where this machine has none.
bool fixture_shared(const char *file, char path[FIXTURE_PATH_MAX]);

#endif
