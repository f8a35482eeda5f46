// SPDX-License-Identifier: Apache-2.0
#include "test/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TESTS_MAX = 2000 };

static struct CMUnitTest tests[TESTS_MAX];
static size_t test_count;

void unit_register(const char *name, unit_test test)
{
    if (test_count == TESTS_MAX) {
        abort();
    }
    tests[test_count++] = (struct CMUnitTest){.name = name, .test_func = test};
}

static int by_name(const void *a, const void *b)
{
    const struct CMUnitTest *x = a;
    const struct CMUnitTest *y = b;
    return strcmp(x->name, y->name);
}

// usage: unit_x [PATTERN]     runs the tests whose names match, with * and ?
int main(int argc, char **argv)
{
    if (test_count == 0) {
        (void)fprintf(stderr, "%s: no tests\n", argv[0]);
        return 1;
    }
    qsort(tests, test_count, sizeof tests[0], by_name);
    for (size_t i = 1; i < test_count; i++) {
        if (strcmp(tests[i - 1].name, tests[i].name) == 0) {
            (void)fprintf(stderr, "%s: two tests are called %s\n", argv[0], tests[i].name);
            return 1;
        }
    }
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return _cmocka_run_group_tests("unit", tests, test_count, NULL, NULL);
}

static bool alloc_armed;
static bool alloc_failed;
static unsigned alloc_left;

void unit_alloc_fail(unsigned n)
{
    alloc_left = n;
    alloc_failed = false;
    alloc_armed = true;
}

bool unit_alloc_end(void)
{
    alloc_armed = false;
    return alloc_failed;
}

static bool refuse_this_one(void)
{
    if (!alloc_armed || alloc_failed) {
        return false;
    }
    alloc_failed = alloc_left == 0;
    alloc_left--;
    return alloc_failed;
}

// Under --wrap=malloc the linker sends calls of malloc to __wrap_malloc, and knows the function
// itself as __real_malloc.
#define AT_SYMBOL(name) __asm__(name)
void *real_malloc(size_t n) AT_SYMBOL("__real_malloc");
void *real_calloc(size_t count, size_t n) AT_SYMBOL("__real_calloc");
void *real_realloc(void *p, size_t n) AT_SYMBOL("__real_realloc");
char *real_strdup(const char *text) AT_SYMBOL("__real_strdup");
void *wrap_malloc(size_t n) AT_SYMBOL("__wrap_malloc");
void *wrap_calloc(size_t count, size_t n) AT_SYMBOL("__wrap_calloc");
void *wrap_realloc(void *p, size_t n) AT_SYMBOL("__wrap_realloc");
char *wrap_strdup(const char *text) AT_SYMBOL("__wrap_strdup");

void *wrap_malloc(size_t n)
{
    return refuse_this_one() ? NULL : real_malloc(n);
}

void *wrap_calloc(size_t count, size_t n)
{
    return refuse_this_one() ? NULL : real_calloc(count, n);
}

void *wrap_realloc(void *p, size_t n)
{
    return refuse_this_one() ? NULL : real_realloc(p, n);
}

char *wrap_strdup(const char *text)
{
    return refuse_this_one() ? NULL : real_strdup(text);
}

static _Noreturn void act_in_child(void (*act)(void *arg), void *arg, int to)
{
    const struct rlimit no_core = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)signal(SIGABRT, SIG_DFL);
    (void)dup2(to, STDERR_FILENO);
    act(arg);
    _exit(0);
}

bool unit_aborts(void (*act)(void *arg), void *arg, char *text, size_t size)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        act_in_child(act, arg, fds[1]);
    }
    close(fds[1]);
    size_t n = 0;
    ssize_t got = 0;
    while (n + 1 < size && (got = read(fds[0], text + n, size - 1 - n)) > 0) {
        n += (size_t)got;
    }
    text[n] = '\0';
    close(fds[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}
