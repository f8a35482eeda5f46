// SPDX-License-Identifier: Apache-2.0
// Error codes and the optional message that travels with them.
//
// Why: every fallible function returns an enum err_code; where a person will read about it, a
//   struct err given by the caller holds one clear sentence.
// Invariants: ERR_OK is 0. The list is append only: codes are stored and sent.
// Ownership: struct err owns nothing; it is a value of the caller.
// Threads: no shared state.
#ifndef WASL_BASE_ERR_H
#define WASL_BASE_ERR_H

#include <stdbool.h>

// X(name, retriable, text)
#define ERR_LIST(X)                                                                                \
    X(OK, false, "ok")                                                                             \
    X(NO_MEMORY, true, "out of memory")                                                            \
    X(LIMIT, false, "over a declared limit")                                                       \
    X(PARSE, false, "malformed input")                                                             \
    X(INVALID, false, "invalid value")                                                             \
    X(NOT_FOUND, false, "not found")                                                               \
    X(EXISTS, false, "already there")                                                              \
    X(CONFLICT, false, "conflicts with what is there")                                             \
    X(DAMAGED, false, "damaged: a hash or signature is wrong")                                     \
    X(DENIED, false, "not allowed")                                                                \
    X(UNAUTHENTICATED, false, "not authenticated")                                                 \
    X(LOCKED, true, "in use by another process")                                                   \
    X(DISK_FULL, true, "disk full")                                                                \
    X(READ_ONLY, false, "read-only")                                                               \
    X(IO, true, "input/output error")                                                              \
    X(NEWER, false, "made by a newer version")                                                     \
    X(UNSUPPORTED, false, "not built")                                                             \
    X(BUSY, true, "busy")                                                                          \
    X(TIMEOUT, true, "timed out")                                                                  \
    X(CLOSED, true, "closed")                                                                      \
    X(NETWORK, true, "network error")                                                              \
    X(TLS, false, "TLS error")                                                                     \
    X(PROTOCOL, false, "protocol violation")                                                       \
    X(USAGE, false, "bad usage")

enum err_code {
#define ERR_ENUM(name, retriable, text) ERR_##name,
    ERR_LIST(ERR_ENUM)
#undef ERR_ENUM
        ERR_COUNT
};

enum { ERR_TEXT_MAX = 256 };

struct err {
    enum err_code code;
    char text[ERR_TEXT_MAX]; // one sentence for a person, always NUL-terminated; cut when too long
};

#define MUST_CHECK                       __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, first_at) __attribute__((format(printf, format_at, first_at)))

// Our own bugs only, on in release too; never for what a peer, a disk or a user can cause.
#define MUST(condition) ((condition) ? (void)0 : err_bug(#condition, __FILE__, __LINE__))

// Fills e (when not NULL) and returns code, so that a caller may write: return err_set(e, ...).
enum err_code err_set(struct err *e, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);

// Puts context in front of what e already says ("context: cause") and returns code.
enum err_code err_wrap(struct err *e, enum err_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);

#ifdef __clang_analyzer__
// The analyser sees one file at a time: this tells it that both return the code they are given.
#define ERR_SAME(name, e, code, ...)                                                               \
    ({                                                                                             \
        enum err_code err_given = (code);                                                          \
        (void)name((e), err_given, __VA_ARGS__);                                                   \
        err_given;                                                                                 \
    })
#define err_set(e, code, ...)  ERR_SAME(err_set, e, code, __VA_ARGS__)
#define err_wrap(e, code, ...) ERR_SAME(err_wrap, e, code, __VA_ARGS__)
#endif

// True where trying the same thing again later may succeed.
bool err_retriable(enum err_code code);

// The stable name ("DISK_FULL") and the general text of a code; never NULL.
const char *err_name(enum err_code code);
const char *err_text(enum err_code code);

// What to show: e->text when it is set, else the general text of the code.
const char *err_message(const struct err *e);

_Noreturn void err_bug(const char *condition, const char *file, int line);

#endif
