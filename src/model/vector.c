// SPDX-License-Identifier: Apache-2.0
#include "model/vector.h"

#include <string.h>

enum { FAN_BITS = 3, HEIGHT_MAX = 20 };
_Static_assert(1 << FAN_BITS == VECTOR_FAN, "the bits count the children");

struct vector_node {
    union {
        uint64_t seqs[VECTOR_FAN];                      // of a leaf
        const struct vector_node *children[VECTOR_FAN]; // NULL: nothing seen below
    };
};

static size_t slot_at(size_t stream, int height)
{
    return stream >> (height * FAN_BITS) & (VECTOR_FAN - 1);
}

static bool reaches(const struct vector *v, size_t stream)
{
    return v->root != NULL && stream >> (v->height * FAN_BITS) < VECTOR_FAN;
}

uint64_t vector_at(const struct vector *v, size_t stream)
{
    const struct vector_node *node = reaches(v, stream) ? v->root : NULL;
    for (int height = v->height; height > 0 && node != NULL; height--)
        node = node->children[slot_at(stream, height)];
    return node ? node->seqs[slot_at(stream, 0)] : 0;
}

static struct vector_node *copy_of(const struct vector_node *node, struct arena *a)
{
    struct vector_node *copy = arena_alloc_zero(a, sizeof *copy);
    if (copy != NULL && node != NULL)
        *copy = *node;
    return copy;
}

// Adds levels until the root is as high as that.
static enum err_code lift(struct vector *v, int height, struct arena *a)
{
    while (v->root != NULL && v->height < height) {
        struct vector_node *node = copy_of(NULL, a);
        if (node == NULL)
            return ERR_NO_MEMORY;
        node->children[0] = v->root;
        *v = (struct vector){node, v->height + 1};
    }
    v->height = height > v->height ? height : v->height;
    return ERR_OK;
}

enum err_code vector_raise(struct vector *v, size_t stream, uint64_t seq, struct arena *a)
{
    struct vector raised = *v;
    if (vector_at(v, stream) >= seq)
        return ERR_OK;
    int height = 0;
    while (stream >> (height * FAN_BITS) >= VECTOR_FAN)
        height++;
    if (lift(&raised, height, a))
        return ERR_NO_MEMORY;
    const struct vector_node **at = &raised.root;
    for (height = raised.height; height >= 0; height--) {
        struct vector_node *copy = copy_of(*at, a);
        if (copy == NULL)
            return ERR_NO_MEMORY;
        *at = copy;
        if (height == 0)
            copy->seqs[slot_at(stream, 0)] = seq;
        else
            at = &copy->children[slot_at(stream, height)];
    }
    *v = raised;
    return ERR_OK;
}

static const struct vector_node *join_leaves(const struct vector_node *x,
                                             const struct vector_node *y, struct arena *a)
{
    struct vector_node most;
    for (int i = 0; i < VECTOR_FAN; i++)
        most.seqs[i] = x->seqs[i] > y->seqs[i] ? x->seqs[i] : y->seqs[i];
    if (memcmp(most.seqs, x->seqs, sizeof most.seqs) == 0)
        return x;
    return memcmp(most.seqs, y->seqs, sizeof most.seqs) == 0 ? y : copy_of(&most, a);
}

// NULL: out of memory. Neither is NULL. As deep as the tree is high, HEIGHT_MAX at most.
static const struct vector_node *join(const struct vector_node *x, const struct vector_node *y,
                                      int height, struct arena *a)
{
    struct vector_node both;
    if (x == y)
        return x;
    if (height == 0)
        return join_leaves(x, y, a);
    for (int i = 0; i < VECTOR_FAN; i++) {
        const struct vector_node *p = x->children[i], *q = y->children[i];
        both.children[i] = p == NULL ? q : p;
        if (p == NULL || q == NULL)
            continue;
        both.children[i] = join(p, q, height - 1, a);
        if (both.children[i] == NULL)
            return NULL;
    }
    if (memcmp(both.children, x->children, sizeof both.children) == 0)
        return x;
    return memcmp(both.children, y->children, sizeof both.children) == 0 ? y : copy_of(&both, a);
}

enum err_code vector_join(struct vector *v, const struct vector *other, struct arena *a)
{
    struct vector mine = *v, its = *other;
    if (its.root == NULL || mine.root == its.root)
        return ERR_OK;
    if (mine.root == NULL) {
        *v = its;
        return ERR_OK;
    }
    MUST(mine.height <= HEIGHT_MAX && its.height <= HEIGHT_MAX);
    if (lift(&mine, its.height, a) || lift(&its, mine.height, a))
        return ERR_NO_MEMORY;
    mine.root = join(mine.root, its.root, mine.height, a);
    if (mine.root == NULL)
        return ERR_NO_MEMORY;
    *v = mine;
    return ERR_OK;
}
