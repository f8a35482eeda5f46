// SPDX-License-Identifier: Apache-2.0
#include "cli/enroll_code.h"

#include "base/hash.h"

#include <string.h>

enum {
    DIGITS = 35,
    DATA_DIGITS = 32,
    GROUP = 5,
    DATA_BYTES = ENROLL_SECRET_SIZE + ENROLL_PIN_SIZE
};

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static void check_of(const uint8_t data[DATA_BYTES], uint8_t ret[DIGITS - DATA_DIGITS])
{
    struct str parts[] = {STR("wasl enrolment code"), str_make(data, DATA_BYTES)};
    struct hash h = hash_of_parts(parts, 2);
    for (int i = 0; i < DIGITS - DATA_DIGITS; i++) {
        ret[i] = h.b[i] & 31;
    }
}

void enroll_code_format(const struct enroll_code *code, char to[ENROLL_CODE_SIZE])
{
    uint8_t data[DATA_BYTES], all[DIGITS] = {0};
    memcpy(data, code->secret, ENROLL_SECRET_SIZE);
    memcpy(data + ENROLL_SECRET_SIZE, code->pin, ENROLL_PIN_SIZE);
    for (int bit = 0; bit < DATA_BYTES * 8; bit++) {
        int set = data[bit / 8] >> (7 - bit % 8) & 1;
        all[bit / 5] = (uint8_t)(all[bit / 5] << 1 | set);
    }
    check_of(data, all + DATA_DIGITS);
    for (int i = 0; i < DIGITS; i++) {
        if (i > 0 && i % GROUP == 0) {
            *to++ = '-';
        }
        *to++ = digits[all[i]];
    }
    *to = '\0';
}

static int value_of(char c)
{
    if (c >= 'a' && c <= 'z') {
        c = (char)(c - 'a' + 'A');
    }
    c = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

enum err_code enroll_code_parse(struct str text, struct enroll_code *ret, struct err *e)
{
    uint8_t all[DIGITS], data[DATA_BYTES] = {0}, check[DIGITS - DATA_DIGITS];
    int n = 0;
    for (size_t i = 0; i < text.n; i++) {
        int value = value_of(text.p[i]);
        if (text.p[i] == '-' || text.p[i] == ' ') {
            continue;
        }
        if (value < 0) {
            return err_set(e, ERR_PARSE, "a code has letters and digits only, no \"%c\"",
                           (unsigned char)text.p[i] < 0x20 ? '?' : text.p[i]);
        }
        if (n == DIGITS) {
            return err_set(e, ERR_PARSE, "the code is longer than %d characters", DIGITS);
        }
        all[n++] = (uint8_t)value;
    }
    if (n < DIGITS) {
        return err_set(e, ERR_PARSE, "the code has %d characters instead of %d", n, DIGITS);
    }
    for (int bit = 0; bit < DATA_BYTES * 8; bit++) {
        int set = all[bit / 5] >> (4 - bit % 5) & 1;
        data[bit / 8] = (uint8_t)(data[bit / 8] << 1 | set);
    }
    check_of(data, check);
    if (memcmp(check, all + DATA_DIGITS, sizeof check) != 0) {
        return err_set(e, ERR_PARSE, "the code is mistyped: its check does not fit");
    }
    memcpy(ret->secret, data, ENROLL_SECRET_SIZE);
    memcpy(ret->pin, data + ENROLL_SECRET_SIZE, ENROLL_PIN_SIZE);
    return ERR_OK;
}

bool enroll_code_pins(const struct enroll_code *code, const struct tls_fingerprint *ca)
{
    return memcmp(code->pin, ca->b, ENROLL_PIN_SIZE) == 0;
}
