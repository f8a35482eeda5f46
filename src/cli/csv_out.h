// SPDX-License-Identifier: Apache-2.0
// Fields of a CSV file (RFC 4180), quoted where they must be.
#ifndef WASL_CLI_CSV_OUT_H
#define WASL_CLI_CSV_OUT_H

#include "base/str.h"

#include <stdio.h>

void csv_out_text(FILE *to, struct str text);
void csv_out_integer(FILE *to, int64_t value);
void csv_out_next(FILE *to); // the comma between two fields
void csv_out_end(FILE *to);  // the end of a record

#endif
