// SPDX-License-Identifier: Apache-2.0
// What net/tls.c and net/tls_filter.c share.
#ifndef WASL_NET_TLS_INTERNAL_H
#define WASL_NET_TLS_INTERNAL_H

#include "net/tls.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

enum { TLS_SESSION_NAME_SIZE = 264 }; // "host:port"

struct tls_session {
    char name[TLS_SESSION_NAME_SIZE];
    SSL_SESSION *session; // NULL: the place is free
};

struct tls_context {
    SSL_CTX *ssl;
    atomic_uint count;
    bool is_client;
    pthread_mutex_t lock; // guards what follows
    struct tls_session sessions[TLS_SESSIONS_MAX];
    size_t next_place;
};

// Takes the session saved under name (a session is used once); NULL when there is none.
SSL_SESSION *tls_context_take_session(struct tls_context *t, const char *name);
// Saves it instead of what was there; takes over the count of session.
void tls_context_put_session(struct tls_context *t, const char *name, SSL_SESSION *session);

// "what: OpenSSL's reason" from its error queue, which is emptied.
enum err_code tls_error(struct err *e, enum err_code code, const char *what);

// The first certificate of a PEM file: a new reference.
enum err_code tls_read_certificate(const char *path, X509 **ret, struct err *e) MUST_CHECK;
enum err_code tls_read_key(const char *path, EVP_PKEY **ret, struct err *e) MUST_CHECK;
bool tls_fingerprint_of(const X509 *certificate, struct tls_fingerprint *ret) MUST_CHECK;

// Called by the context for each new session of a client; ssl's own data names the filter.
int tls_filter_save_session(SSL *ssl, SSL_SESSION *session);

#endif
