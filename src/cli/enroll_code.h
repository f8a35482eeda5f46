// SPDX-License-Identifier: Apache-2.0
// The one-time code that a person carries from the centre to a new device.
//
//   secret (10 bytes) || first 10 bytes of the SHA-256 of the chain's CA || 15 bits of check
//
// in Crockford's base32, in groups of five: 7 groups. Read in either case, with O for 0 and I or L
// for 1, and with any blanks and hyphens.
// Why the fingerprint: the device learns from the code itself which authority to trust, so that a
//   first contact needs no other secret. Why the check: a typing error is told from a wrong code.
#ifndef WASL_CLI_ENROLL_CODE_H
#define WASL_CLI_ENROLL_CODE_H

#include "base/str.h"
#include "node/admission.h"

enum {
    ENROLL_SECRET_SIZE = ADMISSION_SECRET_SIZE,
    ENROLL_PIN_SIZE = 10,
    ENROLL_CODE_SIZE = 35 + 6 + 1, // as text, with hyphens and a NUL
};

struct enroll_code {
    uint8_t secret[ENROLL_SECRET_SIZE];
    uint8_t pin[ENROLL_PIN_SIZE];
};

void enroll_code_format(const struct enroll_code *code, char to[ENROLL_CODE_SIZE]);
// ERR_PARSE saying what is wrong: a character, the length, or the check.
enum err_code enroll_code_parse(struct str text, struct enroll_code *ret, struct err *e) MUST_CHECK;
bool enroll_code_pins(const struct enroll_code *code, const struct tls_fingerprint *ca);

#endif
