// SPDX-License-Identifier: Apache-2.0

#include "net/tls_internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHAIN_DEPTH_MAX = 4, SERVER_TICKETS = 1, SESSION_SECONDS = 7200 };

enum err_code tls_error(struct err *e, enum err_code code, const char *what)
{
    unsigned long reason = ERR_peek_last_error();
    const char *text = reason == 0 ? NULL : ERR_reason_error_string(reason);
    if (reason != 0 && ERR_GET_REASON(reason) == ERR_R_MALLOC_FAILURE) {
        code = ERR_NO_MEMORY;
    }
    err_set(e, code, "%s: %s", what, text != NULL ? text : err_text(code));
    ERR_clear_error();
    return code;
}

static enum err_code open_file(const char *path, FILE **ret, struct err *e)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        enum err_code code = errno == ENOENT   ? ERR_NOT_FOUND
                             : errno == EACCES ? ERR_DENIED
                                               : ERR_IO;
        return err_set(e, code, "%s: %s", path, strerror(errno));
    }
    *ret = file;
    return ERR_OK;
}

enum err_code tls_read_certificate(const char *path, X509 **ret, struct err *e)
{
    FILE *file = NULL;
    enum err_code code = open_file(path, &file, e);
    if (code != ERR_OK) {
        return code;
    }
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    if (certificate == NULL) {
        ERR_clear_error();
        return err_set(e, ERR_PARSE, "%s holds no PEM certificate", path);
    }
    *ret = certificate;
    return ERR_OK;
}

// An encrypted key is refused rather than asked about on a terminal that nobody watches.
static int no_password(char *to, int size, int writing, void *context)
{
    (void)to;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

enum err_code tls_read_key(const char *path, EVP_PKEY **ret, struct err *e)
{
    FILE *file = NULL;
    enum err_code code = open_file(path, &file, e);
    if (code != ERR_OK) {
        return code;
    }
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, no_password, NULL);
    fclose(file);
    if (key == NULL) {
        ERR_clear_error();
        return err_set(e, ERR_PARSE, "%s holds no private key in plain PEM", path);
    }
    *ret = key;
    return ERR_OK;
}

static void configure(SSL_CTX *ssl)
{
    SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify_depth(ssl, CHAIN_DEPTH_MAX);
    SSL_CTX_set_timeout(ssl, SESSION_SECONDS);
}

static enum err_code context_new(bool is_client, struct tls_context **ret, struct err *e)
{
    struct tls_context *t = calloc(1, sizeof(*t));
    if (t == NULL) {
        return err_set(e, ERR_NO_MEMORY, "a TLS context: %s", err_text(ERR_NO_MEMORY));
    }
    t->ssl = SSL_CTX_new(is_client ? TLS_client_method() : TLS_server_method());
    if (t->ssl == NULL) {
        free(t);
        return tls_error(e, ERR_TLS, "a TLS context");
    }
    atomic_init(&t->count, 1);
    t->is_client = is_client;
    MUST(pthread_mutex_init(&t->lock, NULL) == 0);
    configure(t->ssl);
    *ret = t;
    return ERR_OK;
}

static enum err_code load_pair(SSL_CTX *ssl, const char *chain_path, const char *key_path,
                               struct err *e)
{
    X509 *leaf = NULL;
    EVP_PKEY *key = NULL;
    enum err_code code = tls_read_certificate(chain_path, &leaf, e);
    if (code != ERR_OK) {
        goto out;
    }
    code = tls_read_key(key_path, &key, e);
    if (code != ERR_OK) {
        goto out;
    }
    if (X509_check_private_key(leaf, key) != 1) {
        ERR_clear_error();
        code = err_set(e, ERR_INVALID, "%s is not the key of the certificate in %s", key_path,
                       chain_path);
        goto out;
    }
    if (SSL_CTX_use_certificate_chain_file(ssl, chain_path) != 1 ||
        SSL_CTX_use_PrivateKey(ssl, key) != 1) {
        code = tls_error(e, ERR_TLS, chain_path);
    }
out:
    X509_free(leaf);
    EVP_PKEY_free(key);
    return code;
}

enum err_code tls_server_new(const char *chain_path, const char *key_path, struct tls_context **ret,
                             struct err *e)
{
    struct tls_context *t;
    enum err_code code = context_new(false, &t, e);
    if (code != ERR_OK) {
        return code;
    }
    code = load_pair(t->ssl, chain_path, key_path, e);
    if (code != ERR_OK) {
        tls_context_drop(t);
        return code;
    }
    static const unsigned char id[] = "wasl";
    SSL_CTX_set_session_cache_mode(t->ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(t->ssl, id, sizeof(id) - 1);
    SSL_CTX_set_num_tickets(t->ssl, SERVER_TICKETS);
    *ret = t;
    return ERR_OK;
}

static enum err_code client_new(struct tls_context **ret, struct err *e)
{
    enum err_code code = context_new(true, ret, e);
    if (code == ERR_OK) {
        SSL_CTX *ssl = (*ret)->ssl;
        SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ssl, tls_filter_save_session);
    }
    return code;
}

enum err_code tls_client_new(const char *ca_path, struct tls_context **ret, struct err *e)
{
    X509 *first;
    enum err_code code = tls_read_certificate(ca_path, &first, e);
    if (code != ERR_OK) {
        return code;
    }
    X509_free(first);
    struct tls_context *t;
    code = client_new(&t, e);
    if (code != ERR_OK) {
        return code;
    }
    if (SSL_CTX_load_verify_file(t->ssl, ca_path) != 1) {
        code = tls_error(e, ERR_TLS, ca_path);
        tls_context_drop(t);
        return code;
    }
    *ret = t;
    return ERR_OK;
}

bool tls_fingerprint_of(const X509 *certificate, struct tls_fingerprint *ret)
{
    unsigned n = 0;
    return X509_digest(certificate, EVP_sha256(), ret->b, &n) == 1 && n == sizeof(ret->b);
}

struct tls_context *tls_context_keep(struct tls_context *t)
{
    atomic_fetch_add(&t->count, 1);
    return t;
}

void tls_context_drop(struct tls_context *t)
{
    if (t == NULL || atomic_fetch_sub(&t->count, 1) > 1) {
        return;
    }
    for (size_t i = 0; i < TLS_SESSIONS_MAX; i++) {
        SSL_SESSION_free(t->sessions[i].session);
    }
    SSL_CTX_free(t->ssl);
    MUST(pthread_mutex_destroy(&t->lock) == 0);
    free(t);
}

SSL_SESSION *tls_context_take_session(struct tls_context *t, const char *name)
{
    SSL_SESSION *found = NULL;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < TLS_SESSIONS_MAX && found == NULL; i++) {
        if (t->sessions[i].session != NULL && strcmp(t->sessions[i].name, name) == 0) {
            found = t->sessions[i].session;
            t->sessions[i].session = NULL;
        }
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}

void tls_context_put_session(struct tls_context *t, const char *name, SSL_SESSION *session)
{
    pthread_mutex_lock(&t->lock);
    size_t place = t->next_place;
    for (size_t i = 0; i < TLS_SESSIONS_MAX; i++) {
        if (t->sessions[i].session != NULL && strcmp(t->sessions[i].name, name) == 0) {
            place = i;
        }
    }
    if (place == t->next_place) {
        t->next_place = (t->next_place + 1) % TLS_SESSIONS_MAX;
    }
    SSL_SESSION *old = t->sessions[place].session;
    t->sessions[place].session = session;
    snprintf(t->sessions[place].name, sizeof(t->sessions[place].name), "%s", name);
    pthread_mutex_unlock(&t->lock);
    SSL_SESSION_free(old);
}

enum err_code tls_fingerprint_of_file(const char *path, struct tls_fingerprint *ret, struct err *e)
{
    X509 *certificate;
    enum err_code code = tls_read_certificate(path, &certificate, e);
    if (code != ERR_OK) {
        return code;
    }
    if (!tls_fingerprint_of(certificate, ret)) {
        code = tls_error(e, ERR_TLS, path);
    }
    X509_free(certificate);
    return code;
}

enum err_code tls_fingerprint_of_pem(struct str pem, struct tls_fingerprint *ret, struct err *e)
{
    enum { PEM_MAX = 1 << 20 };
    if (pem.n > PEM_MAX) {
        return err_set(e, ERR_LIMIT, "a certificate of more than 1 MiB");
    }
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    if (bio == NULL) {
        return tls_error(e, ERR_NO_MEMORY, "a certificate");
    }
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (certificate == NULL) {
        ERR_clear_error();
        return err_set(e, ERR_PARSE, "not a PEM certificate");
    }
    enum err_code code = ERR_OK;
    if (!tls_fingerprint_of(certificate, ret)) {
        code = tls_error(e, ERR_TLS, "a certificate");
    }
    X509_free(certificate);
    return code;
}

void tls_fingerprint_format(const struct tls_fingerprint *f, char to[TLS_FINGERPRINT_TEXT_SIZE])
{
    str_to_hex(to, f->b, sizeof(f->b));
}
