// SPDX-License-Identifier: Apache-2.0
#include "cli/enroll_code.h"
#include "base/rng.h"
#include "test/unit/unit.h"

#include <ctype.h>
#include <string.h>

static struct err e;

static void draw(struct rng *r, struct enroll_code *ret, char text[ENROLL_CODE_SIZE])
{
    rng_fill(r, ret->secret, sizeof ret->secret);
    rng_fill(r, ret->pin, sizeof ret->pin);
    enroll_code_format(ret, text);
}

static bool parses_to(const char *text, const struct enroll_code *wanted)
{
    struct enroll_code got;
    return enroll_code_parse(str_of(text), &got, &e) == ERR_OK &&
           memcmp(&got, wanted, sizeof got) == 0;
}

TEST(enroll_code__has_a_fixed_form)
{
    struct enroll_code code = {.secret = {0}, .pin = {0}};
    char text[ENROLL_CODE_SIZE];
    enroll_code_format(&code, text);
    assert_int_equal(strlen(text), ENROLL_CODE_SIZE - 1);
    assert_memory_equal(text, "00000-00000-00000-00000-00000-00000-00", 38);
    memset(&code, 0xFF, sizeof code);
    enroll_code_format(&code, text);
    assert_memory_equal(text, "ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZ", 38);
}

TEST(enroll_code__reads_back_what_it_wrote_however_it_is_written)
{
    struct rng r;
    rng_init(&r, 7);
    for (int i = 0; i < 200; i++) {
        struct enroll_code code;
        char text[ENROLL_CODE_SIZE], sloppy[2 * ENROLL_CODE_SIZE] = " ";
        draw(&r, &code, text);
        assert_true(parses_to(text, &code));
        for (const char *p = text; *p != '\0'; p++) {
            char c = *p == '0' ? 'o' : *p == '1' ? (i % 2 == 0 ? 'i' : 'L') : (char)tolower(*p);
            sloppy[strlen(sloppy)] = *p == '-' ? ' ' : c;
        }
        assert_true(parses_to(sloppy, &code));
    }
}

TEST(enroll_code__a_wrong_character_or_two_swapped_ones_are_told)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    struct enroll_code code, got;
    struct rng r;
    char text[ENROLL_CODE_SIZE];
    int missed = 0, tries = 0;
    rng_init(&r, 11);
    draw(&r, &code, text);
    for (size_t i = 0; i < ENROLL_CODE_SIZE - 1; i++) {
        char kept = text[i];
        for (size_t d = 0; kept != '-' && d < 32; d++) {
            text[i] = digits[d];
            missed += text[i] != kept && enroll_code_parse(str_of(text), &got, &e) == ERR_OK;
            tries++;
        }
        text[i] = kept;
        if (i > 0 && kept != '-' && text[i - 1] != '-' && text[i - 1] != kept) {
            text[i] = text[i - 1];
            text[i - 1] = kept;
            missed += enroll_code_parse(str_of(text), &got, &e) == ERR_OK;
            text[i - 1] = text[i];
            text[i] = kept;
        }
    }
    assert_int_equal(tries, 35 * 32);
    assert_int_equal(missed, 0); // of this code; of all, 1 in 32,768
    assert_non_null(strstr(e.text, "mistyped"));
}

TEST(enroll_code__refuses_other_lengths_and_characters)
{
    static const char *const bad[] = {"",
                                      "-",
                                      "ABC",
                                      "0000000000000000000000000000000000",   // 34
                                      "000000000000000000000000000000000000", // 36
                                      "U0000000000000000000000000000000000",
                                      "0000000000000000000\n000000000000000",
                                      "\303\251000000000000000000000000000000000"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct enroll_code untouched = {.secret = {9}};
        assert_int_equal(enroll_code_parse(str_of(bad[i]), &untouched, &e), ERR_PARSE);
        assert_int_equal(untouched.secret[0], 9);
    }
}

TEST(enroll_code__pins_one_authority)
{
    struct enroll_code code = {.pin = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}};
    struct tls_fingerprint ca = {.b = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}};
    assert_true(enroll_code_pins(&code, &ca));
    ca.b[9] ^= 1;
    assert_false(enroll_code_pins(&code, &ca));
}
