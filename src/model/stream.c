// SPDX-License-Identifier: Apache-2.0
#include "model/stream.h"

#include <string.h>

bool stream_key_equal(const struct stream_key *a, const struct stream_key *b)
{
    return a->lane == b->lane && uuid_equal(&a->origin, &b->origin);
}

int stream_key_compare(const struct stream_key *a, const struct stream_key *b)
{
    if (a->lane != b->lane)
        return a->lane < b->lane ? -1 : 1;
    return uuid_compare(&a->origin, &b->origin);
}

bool mark_equal(const struct mark *a, const struct mark *b)
{
    return a->seq == b->seq && hash_equal(&a->hash, &b->hash);
}

struct mark mark_next(const struct mark *m, struct str bytes)
{
    return (struct mark){m->seq + 1, hash_chain(&m->hash, bytes)};
}

// What is signed: a fixed text that names the purpose, then fixed-size fields, so that no message
// can be read as another.
enum { MESSAGE_MAX = 256 };
struct message {
    char bytes[MESSAGE_MAX];
    size_t n;
};

static void add(struct message *m, const void *p, size_t n)
{
    MUST(n <= MESSAGE_MAX - m->n);
    memcpy(m->bytes + m->n, p, n);
    m->n += n;
}

static struct message message_begin(const char *purpose, const void *what, size_t n)
{
    struct message m = {.n = 0};
    add(&m, purpose, strlen(purpose));
    add(&m, what, n);
    return m;
}

static struct message message_of_chain(const char *purpose, const struct uuid *chain)
{
    return message_begin(purpose, chain->b, sizeof(chain->b));
}

static void add_u64(struct message *m, uint64_t value)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (56 - 8 * i));
    add(m, bytes, sizeof(bytes));
}

static struct str message_str(const struct message *m)
{
    return str_make(m->bytes, m->n);
}

static struct message certificate_message(const struct certificate *c, const struct uuid *chain)
{
    struct message m = message_of_chain("wasl.v1 origin\n", chain);
    add(&m, c->origin.b, sizeof(c->origin.b));
    add(&m, c->device.b, sizeof(c->device.b));
    add(&m, c->location, strnlen(c->location, LIMIT_NAME));
    return m;
}

struct certificate certificate_make(const struct sign_key *key, const struct uuid *chain,
                                    const struct uuid *origin, const struct uuid *device,
                                    struct str location)
{
    struct certificate c = {.origin = *origin, .device = *device};
    MUST(str_copy(c.location, sizeof(c.location), location) == ERR_OK);
    struct message m = certificate_message(&c, chain);
    c.signature = sign_make(key, message_str(&m));
    return c;
}

bool certificate_verify(const struct certificate *c, const struct uuid *chain,
                        const struct sign_public *key)
{
    struct message m = certificate_message(c, chain);
    return sign_verify(key, message_str(&m), &c->signature);
}

static struct message seal_message(const struct uuid *chain, const struct stream_key *stream,
                                   const struct mark *mark)
{
    struct message m = message_of_chain("wasl.v1 seal\n", chain);
    add(&m, stream->origin.b, sizeof(stream->origin.b));
    add_u64(&m, (uint64_t)stream->lane);
    add_u64(&m, mark->seq);
    add(&m, mark->hash.b, sizeof(mark->hash.b));
    return m;
}

struct seal seal_make(const struct sign_key *key, const struct uuid *chain,
                      const struct stream_key *stream, const struct mark *mark)
{
    struct message m = seal_message(chain, stream, mark);
    return (struct seal){*stream, *mark, sign_make(key, message_str(&m))};
}

bool seal_verify(const struct seal *seal, const struct uuid *chain, const struct sign_public *key)
{
    struct message m = seal_message(chain, &seal->key, &seal->mark);
    return sign_verify(key, message_str(&m), &seal->signature);
}

// A device that joins does not know its chain yet: the code stands for it.
static struct message join_message(const struct hash *code, const struct uuid *device,
                                   const struct sign_public *key, struct str location)
{
    struct message m = message_begin("wasl.v1 join\n", code->b, sizeof(code->b));
    add(&m, device->b, sizeof(device->b));
    add(&m, key->b, sizeof(key->b));
    add(&m, location.p, location.n);
    return m;
}

struct signature stream_join_make(const struct sign_key *key, const struct hash *code,
                                  const struct uuid *device, struct str location)
{
    struct message m = join_message(code, device, &key->public_key, location);
    return sign_make(key, message_str(&m));
}

bool stream_join_verify(const struct signature *proof, const struct hash *code,
                        const struct uuid *device, struct str location,
                        const struct sign_public *key)
{
    struct message m = join_message(code, device, key, location);
    return sign_verify(key, message_str(&m), proof);
}

static struct message base_message(const struct base *base, const struct uuid *chain)
{
    struct message m = message_of_chain("wasl.v1 base\n", chain);
    add(&m, base->key.origin.b, sizeof(base->key.origin.b));
    add_u64(&m, (uint64_t)base->key.lane);
    add_u64(&m, base->mark.seq);
    add(&m, base->mark.hash.b, sizeof(base->mark.hash.b));
    add(&m, base->past.b, sizeof(base->past.b));
    return m;
}

void base_sign(struct base *base, const struct sign_key *key, const struct uuid *chain)
{
    struct message m = base_message(base, chain);
    base->signature = sign_make(key, message_str(&m));
}

bool base_verify(const struct base *base, const struct uuid *chain, const struct sign_public *key)
{
    struct message m = base_message(base, chain);
    return sign_verify(key, message_str(&m), &base->signature);
}

static struct message proof_message(const struct uuid *chain, const struct uuid *device,
                                    const struct uuid *run, const uint8_t challenge[CHALLENGE_SIZE])
{
    struct message m = message_of_chain("wasl.v1 hello\n", chain);
    add(&m, device->b, sizeof(device->b));
    add(&m, run->b, sizeof(run->b));
    add(&m, challenge, CHALLENGE_SIZE);
    return m;
}

struct signature stream_proof_make(const struct sign_key *key, const struct uuid *chain,
                                   const struct uuid *device, const struct uuid *run,
                                   const uint8_t challenge[CHALLENGE_SIZE])
{
    struct message m = proof_message(chain, device, run, challenge);
    return sign_make(key, message_str(&m));
}

bool stream_proof_verify(const struct signature *proof, const struct uuid *chain,
                         const struct uuid *device, const struct uuid *run,
                         const uint8_t challenge[CHALLENGE_SIZE], const struct sign_public *key)
{
    struct message m = proof_message(chain, device, run, challenge);
    return sign_verify(key, message_str(&m), proof);
}
