// SPDX-License-Identifier: Apache-2.0
// One line per thing worth telling: "2026-11-21T08:15:02.123Z level area: text key=value".
//
// Layers never log: they return errors. Services (src/node) and commands (src/cli) do, once.
// Threads: safe; lines are written whole. Control characters in text are escaped.
#ifndef WASL_BASE_LOG_H
#define WASL_BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level level); // default LOG_INFO
void log_set_fd(int fd);                  // default 2 (stderr)
void log_line(enum log_level level, const char *area, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
