// SPDX-License-Identifier: Apache-2.0
// A ticket in the making: gathers rows until its last one was seen.
//
// Ownership: a builder copies what it keeps; the finished ticket points into it and into the
//   caller's array of lines. Limits: TICKET_LINES_MAX lines.
#ifndef WASL_CLI_TICKET_BUILDER_H
#define WASL_CLI_TICKET_BUILDER_H

#include "cli/row_reader.h"
#include "cli/ticket.h"

struct ticket_builder;

enum err_code ticket_builder_new(struct ticket_builder **ret) MUST_CHECK;
void ticket_builder_free(struct ticket_builder *b); // accepts NULL

// Adds a line, with its row as it stands in the file; the first one gives the time and the
// currency, texts are the first that are not empty. ERR_INVALID with the reason in e where the row
// does not fit the others; ERR_NO_MEMORY.
enum err_code ticket_builder_add(struct ticket_builder *b, const struct row *row, struct str raw,
                                 uint64_t number, struct err *e) MUST_CHECK;

void ticket_builder_count_rejected(struct ticket_builder *b);
size_t ticket_builder_line_count(const struct ticket_builder *b);

// Its identity is made of its rows as they stand, of those that were added. lines has room for
// ticket_builder_line_count.
void ticket_builder_finish(const struct ticket_builder *b, const struct import_map *map,
                           struct ticket_line *lines, struct ticket *ret);

#endif
