// SPDX-License-Identifier: Apache-2.0
//
// A line is built on the stack and handed to the system in one write, which is what keeps lines of
// several threads apart. A log that cannot be written is not an error anyone could be told of.
#include "base/log.h"

#include "base/clock.h"
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_MAX = 2048, HEAD_MAX = 128 };

static _Atomic int least_level = LOG_INFO;
static _Atomic int log_fd = STDERR_FILENO;

void log_set_level(enum log_level level)
{
    atomic_store(&least_level, (int)level);
}

void log_set_fd(int fd)
{
    atomic_store(&log_fd, fd);
}

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    return (unsigned)level < sizeof names / sizeof names[0] ? names[level] : "error";
}

static size_t put_head(char *to, enum log_level level, const char *area)
{
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm t = {0};
    (void)gmtime_r(&seconds, &t);
    char when[32];
    size_t n = strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &t);
    when[n] = '\0';
    int written = snprintf(to, HEAD_MAX, "%s.%03dZ %s %s: ", when, (int)(now_ms % 1000),
                           level_name(level), area);
    return written < 0 ? 0 : written < HEAD_MAX ? (size_t)written : HEAD_MAX - 1;
}

void log_line(enum log_level level, const char *area, const char *format, ...)
{
    if ((int)level < atomic_load(&least_level)) {
        return;
    }
    char text[TEXT_MAX] = "";
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);

    char line[HEAD_MAX + TEXT_MAX * STR_ESCAPE_MAX + 1];
    size_t n = put_head(line, level, area);
    n += str_escape(line + n, str_of(text));
    line[n++] = '\n';
    for (size_t done = 0; done < n;) {
        ssize_t wrote = write(atomic_load(&log_fd), line + done, n - done);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return;
        }
        done += (size_t)wrote;
    }
}
