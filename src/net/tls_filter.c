// SPDX-License-Identifier: Apache-2.0

#include "net/tls_filter.h"
#include "net/tls_internal.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_SIZE = 256 };

struct tls_filter {
    SSL *ssl;
    struct tls_context *context;
    struct str in;      // borrowed ciphertext that OpenSSL has not read yet
    struct buf *sealed; // where ciphertext goes
    bool failed;        // TLS itself broke: its session is not used again
    char *name;         // a client's "host:port", else NULL
};

static int bio_read(BIO *bio, char *to, size_t size, size_t *ret_n)
{
    struct tls_filter *f = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (f->in.n == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    size_t n = size < f->in.n ? size : f->in.n;
    memcpy(to, f->in.p, n);
    f->in.p += n;
    f->in.n -= n;
    *ret_n = n;
    return 1;
}

static int bio_write(BIO *bio, const char *from, size_t size, size_t *ret_n)
{
    struct tls_filter *f = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (buf_append(f->sealed, from, size) != ERR_OK) {
        return 0;
    }
    *ret_n = size;
    return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *bio_method;
static pthread_once_t bio_once = PTHREAD_ONCE_INIT;

static void bio_free_method(void)
{
    BIO_meth_free(bio_method);
}

static void bio_make_method(void)
{
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wasl");
    if (bio_method != NULL) {
        BIO_meth_set_read_ex(bio_method, bio_read);
        BIO_meth_set_write_ex(bio_method, bio_write);
        BIO_meth_set_ctrl(bio_method, bio_ctrl);
        atexit(bio_free_method);
    }
}

static bool attach_bio(struct tls_filter *f)
{
    pthread_once(&bio_once, bio_make_method);
    BIO *bio = bio_method == NULL ? NULL : BIO_new(bio_method);
    if (bio == NULL) {
        return false;
    }
    BIO_set_data(bio, f);
    BIO_set_init(bio, 1);
    SSL_set_bio(f->ssl, bio, bio);
    return true;
}

// What to verify: an address against the certificate's addresses, a name against its names (and
// sent as SNI). A session of an earlier visit makes the handshake short.
static bool prepare_client(struct tls_filter *f, const char *host, uint16_t port)
{
    X509_VERIFY_PARAM *verify = SSL_get0_param(f->ssl);
    X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_ip_asc(verify, host) != 1) {
        ERR_clear_error();
        char name[HOST_SIZE];
        if (str_copy(name, sizeof(name), str_of(host)) != ERR_OK ||
            SSL_set1_host(f->ssl, name) != 1 || SSL_set_tlsext_host_name(f->ssl, name) != 1) {
            return false;
        }
    }
    if (asprintf(&f->name, "%s:%u", host, (unsigned)port) < 0) {
        f->name = NULL;
        return false;
    }
    SSL_SESSION *session = tls_context_take_session(f->context, f->name);
    if (session != NULL) {
        SSL_set_session(f->ssl, session);
        SSL_SESSION_free(session);
    }
    SSL_set_connect_state(f->ssl);
    return true;
}

enum err_code tls_filter_new(struct tls_context *t, const char *host, uint16_t port,
                             struct buf *sealed, struct tls_filter **ret)
{
    MUST(t->is_client == (host != NULL));
    struct tls_filter *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return ERR_NO_MEMORY;
    }
    f->sealed = sealed;
    f->context = tls_context_keep(t);
    f->ssl = SSL_new(t->ssl);
    bool fine = f->ssl != NULL && attach_bio(f);
    if (fine) {
        SSL_set_app_data(f->ssl, f);
        if (host != NULL) {
            fine = prepare_client(f, host, port);
        } else {
            SSL_set_accept_state(f->ssl);
        }
    }
    if (!fine) {
        ERR_clear_error();
        tls_filter_free(f);
        return ERR_NO_MEMORY;
    }
    *ret = f;
    return ERR_OK;
}

void tls_filter_free(struct tls_filter *f)
{
    if (f == NULL) {
        return;
    }
    if (f->ssl != NULL && !f->failed) {
        // A connection that just breaks off is every day's event here: its session stays good.
        SSL_set_shutdown(f->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    SSL_free(f->ssl);
    tls_context_drop(f->context);
    free(f->name);
    free(f);
}

int tls_filter_save_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_filter *f = SSL_get_app_data(ssl);
    if (f == NULL || f->name == NULL || strlen(f->name) >= TLS_SESSION_NAME_SIZE) {
        return 0;
    }
    tls_context_put_session(f->context, f->name, session);
    return 1;
}

void tls_filter_feed(struct tls_filter *f, struct str ciphertext)
{
    MUST(f->in.n == 0);
    f->in = ciphertext;
}

struct str tls_filter_take_rest(struct tls_filter *f)
{
    struct str rest = f->in;
    f->in = (struct str){0};
    return rest;
}

static enum err_code explain_verify(const struct tls_filter *f, long result, struct err *e)
{
    const char *why;
    switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        why = "its certificate has expired (or this machine's clock is wrong)";
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        why = "its certificate is not valid yet (or this machine's clock is wrong)";
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        why = "its certificate is made for another host";
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        why = "its certificate is not signed by the CA that is trusted here";
        break;
    default:
        why = X509_verify_cert_error_string(result);
        break;
    }
    ERR_clear_error();
    return err_set(e, ERR_TLS, "%s is not trusted: %s", f->name != NULL ? f->name : "the peer",
                   why);
}

static enum err_code explain(struct tls_filter *f, const char *doing, struct err *e)
{
    f->failed = true;
    long verified = SSL_get_verify_result(f->ssl);
    if (f->context->is_client && verified != X509_V_OK) {
        return explain_verify(f, verified, e);
    }
    unsigned long last = ERR_peek_error();
    int reason = ERR_GET_LIB(last) == ERR_LIB_SSL ? ERR_GET_REASON(last) : 0;
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
        reason == SSL_R_HTTPS_PROXY_REQUEST) {
        ERR_clear_error();
        return err_set(e, ERR_TLS, "the peer does not speak TLS on this port");
    }
    return tls_error(e, ERR_TLS, doing);
}

enum err_code tls_filter_handshake(struct tls_filter *f, struct err *e)
{
    ERR_clear_error();
    int r = SSL_do_handshake(f->ssl);
    if (r == 1) {
        return ERR_OK;
    }
    if (SSL_get_error(f->ssl, r) == SSL_ERROR_WANT_READ) {
        return ERR_BUSY;
    }
    return explain(f, "the TLS handshake failed", e);
}

enum err_code tls_filter_read(struct tls_filter *f, char *to, size_t size, size_t *ret_n,
                              struct err *e)
{
    ERR_clear_error();
    int r = SSL_read_ex(f->ssl, to, size, ret_n);
    if (r == 1) {
        return ERR_OK;
    }
    int why = SSL_get_error(f->ssl, r);
    if (why == SSL_ERROR_WANT_READ) {
        return ERR_BUSY;
    }
    if (why == SSL_ERROR_ZERO_RETURN) {
        return ERR_CLOSED;
    }
    return explain(f, "TLS failed", e);
}

enum err_code tls_filter_write(struct tls_filter *f, struct str plain, struct err *e)
{
    ERR_clear_error();
    while (plain.n > 0) {
        size_t n = 0;
        if (SSL_write_ex(f->ssl, plain.p, plain.n, &n) != 1) {
            return explain(f, "TLS failed", e);
        }
        plain.p += n;
        plain.n -= n;
    }
    return ERR_OK;
}

void tls_filter_goodbye(struct tls_filter *f)
{
    ERR_clear_error();
    SSL_shutdown(f->ssl);
    ERR_clear_error();
}

bool tls_filter_resumed(const struct tls_filter *f)
{
    return SSL_session_reused(f->ssl) == 1;
}
