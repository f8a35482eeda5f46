// SPDX-License-Identifier: Apache-2.0
// What docs/PROTOCOL.md says, recomputed from its own text with libsodium, as a stranger would.
#include "base/json.h"
#include "sync/message.h"
#include "test/unit/unit.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;
static struct err e;

static struct str document(void)
{
    static char *text;
    static size_t n;
    if (text == NULL) {
        FILE *f = fopen(PROTOCOL_DOCUMENT, "rb");
        assert_non_null(f);
        text = calloc(1, 1 << 20);
        assert_non_null(text);
        n = fread(text, 1, 1 << 20, f);
        (void)fclose(f);
        arena_init(&arena, 16 << 20);
    }
    return str_make(text, n);
}

// What stands in the fenced block behind '<!-- generated: NAME -->'.
static struct str part(const char *name)
{
    char opening[64];
    struct str all = document();
    (void)snprintf(opening, sizeof opening, "<!-- generated: %s -->\n```", name);
    const char *at = memmem(all.p, all.n, opening, strlen(opening));
    const char *start = at ? strchr(at + strlen(opening), '\n') : NULL;
    const char *end = start ? strstr(start, "\n```\n") : NULL;
    if (end == NULL) {
        fail_msg("no part %s", name);
        return str_of(NULL);
    }
    return str_make(start + 1, (size_t)(end - start)); // from a line's beginning to its newline
}

static yyjson_val *vectors(void)
{
    struct json json = {0};
    assert_int_equal(json_parse_in(&arena, part("vectors"), 4, &json, &e), ERR_OK);
    return json.root;
}

static struct str text_of(const char *key)
{
    struct str text;
    assert_int_equal(json_get_str(vectors(), key, &text, &e), ERR_OK);
    return text;
}

static void from_hex(struct str hex, unsigned char *to, size_t n)
{
    size_t got = 0;
    assert_int_equal(sodium_hex2bin(to, n, hex.p, hex.n, "-", &got, NULL), 0);
    assert_int_equal(got, n);
}

static void bytes_of(const char *key, unsigned char *to, size_t n)
{
    from_hex(text_of(key), to, n);
}

// Bytes to be signed, put together.
struct signed_bytes {
    unsigned char b[256];
    size_t n;
};

static void add(struct signed_bytes *s, const void *p, size_t n)
{
    memcpy(s->b + s->n, p, n);
    s->n += n;
}

static void add_id(struct signed_bytes *s, const char *key)
{
    unsigned char id[16];
    bytes_of(key, id, sizeof id);
    add(s, id, sizeof id);
}

static void add_integer(struct signed_bytes *s, uint64_t value)
{
    for (int i = 7; i >= 0; i--) {
        unsigned char byte = (unsigned char)(value >> (8 * i));
        add(s, &byte, 1);
    }
}

static void is_signature(const char *key, const struct signed_bytes *s)
{
    unsigned char seed[crypto_sign_SEEDBYTES], public_key[crypto_sign_PUBLICKEYBYTES],
        secret[crypto_sign_SECRETKEYBYTES], made[crypto_sign_BYTES], written[crypto_sign_BYTES];
    bytes_of("key_seed", seed, sizeof seed);
    assert_int_equal(crypto_sign_seed_keypair(public_key, secret, seed), 0);
    bytes_of("public_key", written, sizeof public_key);
    assert_memory_equal(written, public_key, sizeof public_key);
    assert_int_equal(crypto_sign_detached(made, NULL, s->b, s->n, secret), 0);
    bytes_of(key, written, sizeof written);
    assert_memory_equal(written, made, sizeof made);
}

TEST(protocol__hashes_of_the_document_are_the_chain_of_its_events)
{
    (void)document();
    yyjson_val *events = yyjson_obj_get(vectors(), "events");
    yyjson_val *hashes = yyjson_obj_get(vectors(), "hashes");
    unsigned char hash[32] = {0};
    assert_int_equal(yyjson_arr_size(events), 3);
    for (size_t i = 0; i <= yyjson_arr_size(events); i++) {
        unsigned char written[32];
        yyjson_val *text = yyjson_arr_get(hashes, i);
        from_hex(str_make(yyjson_get_str(text), yyjson_get_len(text)), written, sizeof written);
        assert_memory_equal(written, hash, sizeof hash);
        yyjson_val *event = yyjson_arr_get(events, i);
        const unsigned char *bytes = (const unsigned char *)yyjson_get_str(event);
        crypto_generichash_state state;
        (void)crypto_generichash_init(&state, NULL, 0, sizeof hash);
        (void)crypto_generichash_update(&state, hash, sizeof hash);
        (void)crypto_generichash_update(&state, bytes, yyjson_get_len(event));
        (void)crypto_generichash_final(&state, hash, sizeof hash);
    }
}

TEST(protocol__certificate_of_the_document_is_made_as_it_says)
{
    (void)document();
    struct signed_bytes s = {.n = 0};
    add(&s, "wasl.v1 origin\n", 15);
    add_id(&s, "chain");
    add_id(&s, "origin");
    add_id(&s, "device");
    add(&s, text_of("location").p, text_of("location").n);
    is_signature("certificate", &s);
}

TEST(protocol__seal_of_the_document_is_made_as_it_says)
{
    (void)document();
    struct signed_bytes s = {.n = 0};
    int64_t seq = 0;
    unsigned char hash[32];
    assert_int_equal(json_get_i64(vectors(), "seal_seq", &seq, &e), ERR_OK);
    yyjson_val *text = yyjson_arr_get(yyjson_obj_get(vectors(), "hashes"), (size_t)seq);
    from_hex(str_make(yyjson_get_str(text), yyjson_get_len(text)), hash, sizeof hash);
    add(&s, "wasl.v1 seal\n", 13);
    add_id(&s, "chain");
    add_id(&s, "origin");
    add_integer(&s, 0); // critical
    add_integer(&s, (uint64_t)seq);
    add(&s, hash, sizeof hash);
    is_signature("seal", &s);
}

TEST(protocol__proof_of_the_document_is_made_as_it_says)
{
    (void)document();
    struct signed_bytes s = {.n = 0};
    unsigned char nonce[32];
    bytes_of("nonce", nonce, sizeof nonce);
    add(&s, "wasl.v1 hello\n", 14);
    add_id(&s, "chain");
    add_id(&s, "device");
    add_id(&s, "run");
    add(&s, nonce, sizeof nonce);
    is_signature("proof", &s);
}

TEST(protocol__request_to_join_of_the_document_is_signed_as_it_says)
{
    (void)document();
    struct signed_bytes s = {.n = 0};
    unsigned char secret[10], hash[32], key[32];
    bytes_of("code_secret", secret, sizeof secret);
    bytes_of("public_key", key, sizeof key);
    (void)crypto_generichash(hash, sizeof hash, secret, sizeof secret, NULL, 0);
    add(&s, "wasl.v1 join\n", 13);
    add(&s, hash, sizeof hash);
    add_id(&s, "device");
    add(&s, key, sizeof key);
    struct str location = text_of("location");
    add(&s, location.p, location.n);
    is_signature("join", &s);
}

TEST(protocol__every_message_of_the_document_is_closed_by_its_sum)
{
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct str text = part(message_kind_name((enum message_kind)kind));
        static const char opening[] = "{\"sum\":\"";
        size_t tail = sizeof opening - 1 + 32 + 3;
        unsigned char hash[32];
        char hex[33];
        assert_true(text.n > tail);
        const char *closing = text.p + text.n - tail;
        assert_memory_equal(closing, opening, sizeof opening - 1);
        (void)crypto_generichash(hash, sizeof hash, (const unsigned char *)text.p, text.n - tail,
                                 NULL, 0);
        (void)sodium_bin2hex(hex, sizeof hex, hash, 16);
        assert_memory_equal(closing + sizeof opening - 1, hex, 32);
    }
}

TEST(protocol__every_message_of_the_document_can_be_read)
{
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct message m;
        struct str text = part(message_kind_name((enum message_kind)kind));
        if (message_decode(text, &arena, &m, &e) != ERR_OK) {
            fail_msg("%s: %s", message_kind_name((enum message_kind)kind), e.text);
        }
        assert_int_equal(m.kind, kind);
    }
}
