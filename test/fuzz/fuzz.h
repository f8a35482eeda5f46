// SPDX-License-Identifier: Apache-2.0
// What a fuzz target is: one function that libFuzzer calls with each input.
//
// A target feeds the input to one parser and then checks what must hold of anything accepted:
// written and read again it is the same. It never rejects an input for being odd.
#ifndef WASL_FUZZ_H
#define WASL_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
