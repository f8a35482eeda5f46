// SPDX-License-Identifier: Apache-2.0
// TLS as a filter between the bytes of a socket and those of its owner; net/conn.c is its only
// user.
//
// No socket is touched here: ciphertext comes in as a borrowed span, and goes out into a buffer of
// the caller's. OpenSSL reads and writes these directly (a BIO of our own), so that nothing is
// copied twice and an idle connection holds no BIO buffers.
#ifndef WASL_NET_TLS_FILTER_H
#define WASL_NET_TLS_FILTER_H

#include "net/tls.h"

struct tls_filter;

// host is for a client: what is verified, and with port the name of its saved session. For a server
// NULL. sealed receives all ciphertext and outlives the filter.
enum err_code tls_filter_new(struct tls_context *t, const char *host, uint16_t port,
                             struct buf *sealed, struct tls_filter **ret) MUST_CHECK;
void tls_filter_free(struct tls_filter *f); // accepts NULL

// Gives the next ciphertext, which must stay until the calls below say ERR_BUSY or it is taken
// back.
void tls_filter_feed(struct tls_filter *f, struct str ciphertext);
struct str tls_filter_take_rest(struct tls_filter *f); // what was not read yet; none is left

// ERR_OK: done. ERR_BUSY: needs more ciphertext. Else it failed, and *e says why to a person.
enum err_code tls_filter_handshake(struct tls_filter *f, struct err *e) MUST_CHECK;
// ERR_OK: n > 0 bytes are at to. ERR_BUSY: needs more. ERR_CLOSED: the peer said goodbye.
enum err_code tls_filter_read(struct tls_filter *f, char *to, size_t size, size_t *ret_n,
                              struct err *e) MUST_CHECK;
// Seals all of plain (into records of at most 16 KiB).
enum err_code tls_filter_write(struct tls_filter *f, struct str plain, struct err *e) MUST_CHECK;
void tls_filter_goodbye(struct tls_filter *f);

bool tls_filter_resumed(const struct tls_filter *f);

#endif
