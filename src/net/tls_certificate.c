// SPDX-License-Identifier: Apache-2.0
//
// A chain's own certificate authority. A CA carries "CA:TRUE, pathlen 0" and may only sign; a
// server certificate may only be a server's (RFC 5280). Serial numbers are 127 random bits.

#include "net/tls_internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct making {
    EVP_PKEY *key;
    X509 *certificate;
    X509 *ca;         // the certificate itself when it is a CA
    EVP_PKEY *ca_key; // likewise; not counted then
};

static EVP_PKEY *make_key(enum tls_key_type type)
{
    return type == TLS_KEY_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                   : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

static bool set_serial(X509 *certificate)
{
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        return false;
    }
    bytes[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool fine =
        number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return fine;
}

static bool set_basics(X509 *certificate, const struct tls_subject *subject, EVP_PKEY *key)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)subject->not_before_s) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)subject->not_after_s) != NULL &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                      (const unsigned char *)subject->common_name, -1, -1,
                                      0) == 1 &&
           X509_set_pubkey(certificate, key) == 1;
}

static bool add_extension(const struct making *m, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, m->ca, m->certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool fine = extension != NULL && X509_add_ext(m->certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return fine;
}

static GENERAL_NAME *general_name(const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    unsigned char address[16];
    size_t size = inet_pton(AF_INET, text, address) == 1    ? 4
                  : inet_pton(AF_INET6, text, address) == 1 ? 16
                                                            : 0;
    ASN1_STRING *value = size > 0 ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    const void *bytes = size > 0 ? (const void *)address : (const void *)text;
    int count = (int)(size > 0 ? size : strlen(text));
    if (name == NULL || value == NULL || ASN1_STRING_set(value, bytes, count) != 1) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, size > 0 ? GEN_IPADD : GEN_DNS, value);
    return name;
}

// Built from values, not from OpenSSL's configuration syntax, in which a comma would mean more.
static bool add_names(const struct making *m, const struct tls_subject *subject)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    bool fine = names != NULL;
    for (size_t i = 0; fine && i < subject->name_count; i++) {
        GENERAL_NAME *name = general_name(subject->names[i]);
        fine = name != NULL && sk_GENERAL_NAME_push(names, name) > 0;
    }
    fine = fine && X509_add1_ext_i2d(m->certificate, NID_subject_alt_name, names, 0,
                                     X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(names);
    return fine;
}

static bool add_extensions(const struct making *m, const struct tls_subject *subject)
{
    bool is_ca = m->ca == m->certificate;
    if (!add_extension(m, NID_subject_key_identifier, "hash") ||
        !add_extension(m, NID_authority_key_identifier, "keyid")) {
        return false;
    }
    if (is_ca) {
        return add_extension(m, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
               add_extension(m, NID_key_usage, "critical,keyCertSign,cRLSign");
    }
    return add_extension(m, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(m, NID_key_usage, "critical,digitalSignature") &&
           add_extension(m, NID_ext_key_usage, "serverAuth") && add_names(m, subject);
}

static bool sign_certificate(const struct making *m)
{
    const EVP_MD *digest =
        EVP_PKEY_get_base_id(m->ca_key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
    return X509_set_issuer_name(m->certificate, X509_get_subject_name(m->ca)) == 1 &&
           X509_sign(m->certificate, m->ca_key, digest) > 0;
}

// Creates path for us alone; it must not exist yet.
static enum err_code create_file(const char *path, mode_t mode, FILE **ret, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        enum err_code code = errno == EEXIST   ? ERR_EXISTS
                             : errno == EACCES ? ERR_DENIED
                             : errno == ENOSPC ? ERR_DISK_FULL
                                               : ERR_IO;
        return err_set(e, code, "%s: %s", path, strerror(errno));
    }
    *ret = fdopen(fd, "w");
    if (*ret == NULL) {
        close(fd);
        unlink(path);
        return err_set(e, ERR_NO_MEMORY, "%s: %s", path, err_text(ERR_NO_MEMORY));
    }
    return ERR_OK;
}

// Makes what was written durable; a file that cannot be finished is removed.
static enum err_code finish_file(FILE *file, const char *path, bool fine, struct err *e)
{
    fine = fine && fflush(file) == 0 && fsync(fileno(file)) == 0;
    fine = (fclose(file) == 0) && fine;
    if (fine) {
        return ERR_OK;
    }
    ERR_clear_error();
    unlink(path);
    return err_set(e, ERR_IO, "%s cannot be written", path);
}

static enum err_code write_files(const struct making *m, const struct tls_files *to, struct err *e)
{
    FILE *file = NULL;
    enum err_code code = create_file(to->key_path, 0600, &file, e);
    if (code != ERR_OK) {
        return code;
    }
    bool fine = PEM_write_PrivateKey(file, m->key, NULL, NULL, 0, NULL, NULL) == 1;
    code = finish_file(file, to->key_path, fine, e);
    if (code != ERR_OK) {
        return code;
    }
    code = create_file(to->certificate_path, 0644, &file, e);
    if (code == ERR_OK) {
        fine = PEM_write_X509(file, m->certificate) == 1 &&
               (m->ca == m->certificate || PEM_write_X509(file, m->ca) == 1);
        code = finish_file(file, to->certificate_path, fine, e);
    }
    if (code != ERR_OK) {
        unlink(to->key_path);
    }
    return code;
}

static enum err_code check_subject(const struct tls_subject *s, bool is_ca, struct err *e)
{
    enum { COMMON_NAME_MAX = 64, NAME_MAX_BYTES = 253 };
    size_t n = strlen(s->common_name);
    if (n == 0 || n > COMMON_NAME_MAX) {
        return err_set(e, ERR_INVALID, "a certificate's common name has 1 to %d bytes",
                       COMMON_NAME_MAX);
    }
    if (s->not_before_s >= s->not_after_s) {
        return err_set(e, ERR_INVALID, "a certificate that ends before it begins");
    }
    if (is_ca ? s->name_count != 0 : (s->name_count == 0 || s->name_count > TLS_NAMES_MAX)) {
        return err_set(e, ERR_INVALID, "a server certificate has 1 to %d names, a CA none",
                       TLS_NAMES_MAX);
    }
    for (size_t i = 0; i < s->name_count; i++) {
        size_t length = strlen(s->names[i]);
        if (length == 0 || length > NAME_MAX_BYTES) {
            return err_set(e, ERR_INVALID, "\"%.60s\" is not a host name", s->names[i]);
        }
    }
    return ERR_OK;
}

// The caller fills ca and ca_key for a server certificate and leaves them NULL for a CA.
static enum err_code make(struct making *m, const struct tls_subject *subject,
                          const struct tls_files *to, struct err *e)
{
    m->key = make_key(subject->key_type);
    m->certificate = X509_new();
    if (m->ca == NULL) {
        m->ca = m->certificate;
        m->ca_key = m->key;
    }
    enum err_code code;
    if (m->key == NULL || m->certificate == NULL || !set_basics(m->certificate, subject, m->key) ||
        !add_extensions(m, subject) || !sign_certificate(m)) {
        code = tls_error(e, ERR_INVALID, "a certificate cannot be made");
    } else {
        code = write_files(m, to, e);
    }
    EVP_PKEY_free(m->key);
    X509_free(m->certificate);
    return code;
}

enum err_code tls_make_ca(const struct tls_subject *subject, const struct tls_files *to,
                          struct err *e)
{
    enum err_code code = check_subject(subject, true, e);
    if (code != ERR_OK) {
        return code;
    }
    struct making m = {0};
    return make(&m, subject, to, e);
}

enum err_code tls_make_certificate(const struct tls_subject *subject, const struct tls_files *ca,
                                   const struct tls_files *to, struct err *e)
{
    enum err_code code = check_subject(subject, false, e);
    if (code != ERR_OK) {
        return code;
    }
    X509 *ca_certificate = NULL;
    EVP_PKEY *ca_key = NULL;
    code = tls_read_certificate(ca->certificate_path, &ca_certificate, e);
    if (code != ERR_OK) {
        goto out;
    }
    code = tls_read_key(ca->key_path, &ca_key, e);
    if (code != ERR_OK) {
        goto out;
    }
    if (X509_check_private_key(ca_certificate, ca_key) != 1) {
        ERR_clear_error();
        code = err_set(e, ERR_INVALID, "%s is not the key of the CA in %s", ca->key_path,
                       ca->certificate_path);
        goto out;
    }
    struct making m = {.ca = ca_certificate, .ca_key = ca_key};
    code = make(&m, subject, to, e);
out:
    X509_free(ca_certificate);
    EVP_PKEY_free(ca_key);
    return code;
}
