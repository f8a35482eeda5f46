// SPDX-License-Identifier: Apache-2.0
// What every unit test uses: registration, failing allocations, and code that must abort.
//
// Why: a test is written once, TEST(module__behaviour_in_words), and is registered by that.
// Threads: one; allocations of other threads are counted with the rest.
#ifndef WASL_UNIT_UNIT_H
#define WASL_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef void (*unit_test)(void **state);

void unit_register(const char *name, unit_test test);

#define TEST(name)                                                                                 \
    static void name(void **unit_state);                                                           \
    __attribute__((constructor)) static void register_##name(void)                                 \
    {                                                                                              \
        unit_register(#name, name);                                                                \
    }                                                                                              \
    static void name(void **unit_state __attribute__((unused)))

// The number of elements of an array, for tables of cases.
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

// Lets the n-th allocation from here (0 is the next one) fail, once. Walk n upwards until
// unit_alloc_end says that the code under test made fewer: then every path was taken.
void unit_alloc_fail(unsigned n);
bool unit_alloc_end(void); // back to normal; true when an allocation was failed

// True when act(arg) ends in abort(), in a child process; text gets what it wrote to stderr.
bool unit_aborts(void (*act)(void *arg), void *arg, char *text, size_t size);

#endif
