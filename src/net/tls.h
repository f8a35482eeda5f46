// SPDX-License-Identifier: Apache-2.0
// TLS contexts (OpenSSL 3), a chain's own certificate authority, and fingerprints.
//
// Why: a hub on a LAN needs TLS without the internet, so a chain is its own authority. Its clients
//   trust that one CA and no other: the system's list of authorities is never read.
// Invariants:
//   1. TLS 1.2 at least, 1.3 preferred; no compression, no renegotiation.
//   2. A client always checks chain, dates and the name or address that it connected to.
//   3. Sessions are resumed (tickets; a server keeps no state for them). A client's saved session
//   is
//      used only for the host and port that it came from.
// Ownership: a context is counted: new gives one count, keep and drop change it; connections hold
//   their own. Threads: a context may be shared by threads; making one is not concurrent with use.
// Limits: chain depth 4, TLS_NAMES_MAX subject names, TLS_SESSIONS_MAX saved client sessions.
#ifndef WASL_NET_TLS_H
#define WASL_NET_TLS_H

#include "base/buf.h"
#include "base/str.h"

enum { TLS_FINGERPRINT_SIZE = 32, TLS_FINGERPRINT_TEXT_SIZE = 65 };
enum { TLS_NAMES_MAX = 64, TLS_SESSIONS_MAX = 4 };

struct tls_context;

struct tls_fingerprint {
    uint8_t b[TLS_FINGERPRINT_SIZE]; // SHA-256 of a certificate's DER
};

// A server's context from its certificate chain (leaf first; put the CA last, so that a device can
// enrol by fingerprint) and its key, both PEM. ERR_NOT_FOUND, ERR_PARSE, ERR_INVALID when the key
// is not the certificate's, ERR_TLS. An expired certificate is accepted here: its clients complain.
enum err_code tls_server_new(const char *chain_path, const char *key_path, struct tls_context **ret,
                             struct err *e) MUST_CHECK;

// A client's context that trusts the CA certificates in one PEM file.
enum err_code tls_client_new(const char *ca_path, struct tls_context **ret,
                             struct err *e) MUST_CHECK;

struct tls_context *tls_context_keep(struct tls_context *t);
void tls_context_drop(struct tls_context *t); // accepts NULL

// Ed25519 is small and quick, but browsers refuse it: what a browser will visit needs P-256.
enum tls_key_type { TLS_KEY_P256, TLS_KEY_ED25519 };

struct tls_files {
    const char *certificate_path; // written or read as PEM
    const char *key_path;         // PEM (PKCS 8), mode 0600 from its first byte
};

struct tls_subject {
    const char *common_name;
    enum tls_key_type key_type;
    int64_t not_before_s; // seconds since 1970
    int64_t not_after_s;
    const char *const *names; // subjectAltNames, DNS names or IP addresses; none for a CA
    size_t name_count;
};

// Makes a self-signed CA. Existing files are never overwritten: ERR_EXISTS; ERR_INVALID, ERR_IO.
// On failure no half-written file stays.
enum err_code tls_make_ca(const struct tls_subject *subject, const struct tls_files *to,
                          struct err *e) MUST_CHECK;

// Issues a server certificate signed by that CA. The certificate file holds leaf and CA, ready for
// tls_server_new. Errors as above, and ERR_NOT_FOUND or ERR_PARSE for the CA's files.
enum err_code tls_make_certificate(const struct tls_subject *subject, const struct tls_files *ca,
                                   const struct tls_files *to, struct err *e) MUST_CHECK;

// Of the first certificate in a PEM file; of PEM text.
enum err_code tls_fingerprint_of_file(const char *path, struct tls_fingerprint *ret,
                                      struct err *e) MUST_CHECK;
enum err_code tls_fingerprint_of_pem(struct str pem, struct tls_fingerprint *ret,
                                     struct err *e) MUST_CHECK;
void tls_fingerprint_format(const struct tls_fingerprint *f, char to[TLS_FINGERPRINT_TEXT_SIZE]);

#endif
