// SPDX-License-Identifier: Apache-2.0
// Local times of a named zone, as tills print them, to milliseconds since 1970.
//
// Why: mktime's answer in the hour that a clock change repeats depends on what it was asked before;
//   an import must give the same time each run. Here the repeated hour is its first occurrence, and
//   the skipped hour is read with the offset before the change.
// Threads: a zone other than UTC sets TZ for the whole process from open to close (the C library
//   has no other way), so it is for single-threaded commands; UTC touches nothing.
#ifndef WASL_CLI_LOCAL_TIME_H
#define WASL_CLI_LOCAL_TIME_H

#include "base/err.h"

#include <stdint.h>

struct local_time {
    bool utc;
    char *previous_tz; // to be restored; NULL when TZ was not set
};

// zone: "UTC" or a name of the IANA database ("Asia/Beirut"). ERR_INVALID when unknown.
enum err_code local_time_open(const char *zone, struct local_time *ret, struct err *e) MUST_CHECK;
void local_time_close(struct local_time *t);

// Parses the whole of text by a strptime format and converts it. A format with %z or %s carries its
// own offset. ERR_PARSE.
enum err_code local_time_parse(const struct local_time *t, const char *text, const char *format,
                               int64_t *ret_ms) MUST_CHECK;

#endif
