// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"

#include <string.h>

struct str str_of(const char *text)
{
    return (struct str){text, text == NULL ? 0 : strlen(text)};
}

struct str str_make(const void *p, size_t n)
{
    return (struct str){p, n};
}

bool str_equal(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(struct str a, const char *text)
{
    if (a.n > 0 && a.p[0] != text[0]) { // most differ here already, before any length is counted
        return false;
    }
    return str_equal(a, str_of(text));
}

bool str_starts(struct str a, struct str prefix)
{
    return a.n >= prefix.n && (prefix.n == 0 || memcmp(a.p, prefix.p, prefix.n) == 0);
}

int str_compare(struct str a, struct str b)
{
    size_t common = a.n < b.n ? a.n : b.n;
    int order = common == 0 ? 0 : memcmp(a.p, b.p, common);
    if (order != 0) {
        return order;
    }
    return a.n < b.n ? -1 : a.n > b.n;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str a)
{
    while (a.n > 0 && is_blank(a.p[0])) {
        a.p++;
        a.n--;
    }
    while (a.n > 0 && is_blank(a.p[a.n - 1])) {
        a.n--;
    }
    return a;
}

bool str_cut(struct str *rest, char separator, struct str *ret_piece)
{
    if (rest->n == 0) {
        return false;
    }
    const char *at = memchr(rest->p, separator, rest->n);
    size_t n = at == NULL ? rest->n : (size_t)(at - rest->p);
    *ret_piece = (struct str){rest->p, n};
    size_t behind = at == NULL ? n : n + 1;
    rest->p += behind;
    rest->n -= behind;
    return true;
}

static bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

// The length of the valid character at p (RFC 3629), 0 when there is none within n bytes.
static size_t utf8_length(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80) {
        return p[0] != 0;
    }
    if (p[0] < 0xE0) {
        return p[0] >= 0xC2 && n >= 2 && is_tail(p[1]) ? 2 : 0;
    }
    if (p[0] < 0xF0) {
        if (n < 3 || !is_tail(p[1]) || !is_tail(p[2])) {
            return 0;
        }
        bool overlong = p[0] == 0xE0 && p[1] < 0xA0;
        bool surrogate = p[0] == 0xED && p[1] >= 0xA0;
        return overlong || surrogate ? 0 : 3;
    }
    if (p[0] > 0xF4 || n < 4 || !is_tail(p[1]) || !is_tail(p[2]) || !is_tail(p[3])) {
        return 0;
    }
    bool overlong = p[0] == 0xF0 && p[1] < 0x90;
    bool beyond = p[0] == 0xF4 && p[1] >= 0x90;
    return overlong || beyond ? 0 : 4;
}

bool str_is_utf8(struct str a)
{
    const unsigned char *p = (const unsigned char *)a.p;
    size_t i = 0;
    while (i < a.n) {
        if (p[i] < 0x80 && p[i] != 0) {
            i++;
            continue;
        }
        size_t length = utf8_length(p + i, a.n - i);
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}

static bool is_plain(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80)
        return (p[0] >= 0x20 && p[0] != 0x7f) || p[0] == '\t' || p[0] == '\n' || p[0] == '\r';
    if (p[0] == 0xc2)
        return n < 2 || p[1] >= 0xa0;
    bool turns = p[0] == 0xe2 && n > 2 && p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae;
    bool none = p[0] == 0xef && n > 2 && p[1] == 0xbf && p[2] >= 0xbe;
    return !turns && !none;
}

bool str_is_plain(struct str a)
{
    const unsigned char *p = (const unsigned char *)a.p;
    if (!str_is_utf8(a))
        return false;
    for (size_t i = 0; i < a.n; i++) { // bytes in the middle of a character begin none of these
        if ((p[i] & 0xc0) != 0x80 && !is_plain(p + i, a.n - i))
            return false;
    }
    return true;
}

static size_t escape_bytes(char *to, const unsigned char *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        *to++ = '\\';
        *to++ = 'x';
        *to++ = digits[p[i] >> 4];
        *to++ = digits[p[i] & 15];
    }
    return n * STR_ESCAPE_MAX;
}

size_t str_escape(char *to, struct str from)
{
    const unsigned char *p = (const unsigned char *)from.p;
    size_t n = 0, length;
    for (size_t i = 0; i < from.n; i += length) {
        length = utf8_length(p + i, from.n - i);
        bool shows = length > 0 && p[i] >= 0x20 && is_plain(p + i, from.n - i);
        if (length == 0)
            length = 1;
        if (shows)
            memcpy(to + n, p + i, length);
        n += shows ? length : escape_bytes(to + n, p + i, length);
    }
    return n;
}

enum err_code str_copy(char *to, size_t size, struct str from)
{
    if (from.n >= size) {
        return ERR_LIMIT;
    }
    if (from.n > 0) {
        memcpy(to, from.p, from.n);
    }
    to[from.n] = '\0';
    return ERR_OK;
}

enum err_code str_to_u64(struct str a, uint64_t *ret)
{
    if (a.n == 0) {
        return ERR_PARSE;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < a.n; i++) {
        if (a.p[i] < '0' || a.p[i] > '9') {
            return ERR_PARSE;
        }
        uint64_t digit = (uint64_t)(a.p[i] - '0');
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return ERR_PARSE;
        }
    }
    *ret = value;
    return ERR_OK;
}

enum err_code str_to_i64(struct str a, int64_t *ret)
{
    bool negative = a.n > 0 && a.p[0] == '-';
    if (negative) {
        a = str_make(a.p + 1, a.n - 1);
    }
    uint64_t value = 0;
    enum err_code rc = str_to_u64(a, &value);
    if (rc != ERR_OK) {
        return rc;
    }
    if (value > (uint64_t)INT64_MAX + negative) {
        return ERR_PARSE;
    }
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return ERR_OK;
}

void str_to_hex(char *to, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++) {
        to[2 * i] = digits[p[i] >> 4];
        to[2 * i + 1] = digits[p[i] & 15];
    }
    to[2 * n] = '\0';
}

// The value of a digit, with DIGIT set; 0 for what is none.
enum { DIGIT = 0x80 };
static const unsigned char hex_digits[256] = {
    ['0'] = DIGIT | 0,  ['1'] = DIGIT | 1,  ['2'] = DIGIT | 2,  ['3'] = DIGIT | 3,
    ['4'] = DIGIT | 4,  ['5'] = DIGIT | 5,  ['6'] = DIGIT | 6,  ['7'] = DIGIT | 7,
    ['8'] = DIGIT | 8,  ['9'] = DIGIT | 9,  ['a'] = DIGIT | 10, ['b'] = DIGIT | 11,
    ['c'] = DIGIT | 12, ['d'] = DIGIT | 13, ['e'] = DIGIT | 14, ['f'] = DIGIT | 15,
};

enum err_code str_from_hex(struct str from, void *to, size_t n)
{
    if (from.n / 2 != n || from.n % 2 != 0) {
        return ERR_PARSE;
    }
    const unsigned char *digits = (const unsigned char *)from.p;
    for (size_t i = 0; i < from.n; i++) {
        if (hex_digits[digits[i]] == 0) {
            return ERR_PARSE;
        }
    }
    unsigned char *p = to;
    for (size_t i = 0; i < n; i++) {
        unsigned high = hex_digits[digits[2 * i]], low = hex_digits[digits[2 * i + 1]];
        p[i] = (unsigned char)((high << 4) | (low & 15));
    }
    return ERR_OK;
}
