// SPDX-License-Identifier: Apache-2.0
// The table of merge policies: how each kind of record merges, and when a person is asked.
//
// Why: which rule decides is a declared fact, not something to be found out by reading reducers.
// Invariants: each row names the tests that hold it true; docs/POLICIES.md is generated from it.
#ifndef WASL_MODEL_POLICY_H
#define WASL_MODEL_POLICY_H

#include <stddef.h>

struct policy {
    const char *record;     // the record, or the part of it
    const char *rule;       // the merge rule, by its usual name
    const char *concurrent; // what becomes of edits whose authors had not seen each other
    const char *asked;      // the review that asks a person, and when; "never"
    const char *tests;      // what fails when the rule is broken: a file of tests
    const char *why;
};

extern const struct policy policies[];
extern const size_t policy_count;

#endif
