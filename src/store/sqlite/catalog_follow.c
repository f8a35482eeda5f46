// SPDX-License-Identifier: Apache-2.0
//
//   pages ──catalog_follow_row──► rows of the next edition ──catalog_follow_complete──► their hash
//   is the version's? ── yes ──► shown (one row of catalog_state changes)
//        │ no
//        └──► refused: the old one stands; the feed is read from the start, once a version
#include "store/sqlite/catalog_follow.h"

#include <string.h>

static enum err_code load(struct catalog_follow *f, struct err *e)
{
    if (f->loaded)
        return ERR_OK;
    enum err_code code = catalog_state_read(f->db, &f->state, e);
    f->loaded = code == ERR_OK;
    return code;
}

enum err_code catalog_follow_reset(struct catalog_follow *f, struct err *e)
{
    enum err_code code = load(f, e);
    if (code)
        return code;
    f->state.next.edition++; // whatever was brought in under the old number is below the floor
    f->state.next.floor = f->state.next.edition;
    f->state.next_version = (struct catalog_version){.number = 0};
    f->state.rows = f->state.staged = 0;
    f->state.sum = (struct set_hash){{0}};
    f->changed = true;
    return ERR_OK;
}

// The row that it stands for is no longer in the set.
static enum err_code replace(struct catalog_follow *f, const struct catalog_place *place,
                             struct arena *a, bool *ret_was, struct err *e)
{
    struct row before;
    enum err_code code = catalog_rows_find(f->rows, place, &f->state.next, a, &before, e);
    *ret_was = before.values != NULL;
    if (code || !*ret_was)
        return code;
    code = catalog_state_remove(&f->state, f->rows, place->kind, &before);
    return code ? err_set(e, code, "out of memory for the catalog") : ERR_OK;
}

static void count_row(struct catalog_follow *f, struct str bytes)
{
    f->changed = true;
    f->state.staged++;
    if (bytes.n == 0)
        return;
    set_hash_add(&f->state.sum, bytes);
    f->state.rows++;
}

// In a copy there is no row that this one stands for, but where its feed moved meanwhile.
static enum err_code add_row(struct catalog_follow *f, const struct catalog_place *place,
                             const struct row *row, bool *ret_added, struct err *e)
{
    *ret_added = false;
    if (row->values == NULL || f->state.next.floor != f->state.next.edition)
        return ERR_OK;
    return catalog_rows_add(f->rows, place, f->state.next.edition, row, ret_added, e);
}

enum err_code catalog_follow_row(struct catalog_follow *f, const struct catalog_place *place,
                                 struct str bytes, yyjson_val *object, struct arena *a,
                                 struct err *e)
{
    struct row row = {.values = NULL};
    bool was = false, added = false;
    enum err_code code = load(f, e);
    if (code == ERR_OK && object != NULL)
        code = catalog_row_read(place->kind, place->id, object, a, &row, e);
    if (code == ERR_OK)
        code = add_row(f, place, &row, &added, e);
    if (code == ERR_OK && !added)
        code = replace(f, place, a, &was, e);
    if (code || (object == NULL && !was))
        return code;
    count_row(f, object ? bytes : STR(""));
    return added ? ERR_OK
                 : catalog_rows_put(f->rows, place, f->state.next.edition, object ? &row : NULL, e);
}

enum err_code catalog_follow_version(struct catalog_follow *f, yyjson_val *object, struct err *e)
{
    enum err_code code = load(f, e);
    if (code || object == NULL)
        return code;
    f->changed = true;
    return catalog_version_read(object, &f->state.next_version, e);
}

static bool gives_its_hash(const struct catalog_state *state)
{
    struct hash hash = set_hash_digest(&state->sum);
    return state->rows == state->next_version.count && hash_equal(&hash, &state->next_version.hash);
}

static void refuse(struct catalog_follow *f, bool fresh, enum feed_catalog *ret)
{
    struct catalog_state *state = &f->state;
    struct catalog_version refused = {state->next_version.number, set_hash_digest(&state->sum),
                                      state->rows};
    bool known =
        state->refused.number == refused.number && hash_equal(&state->refused.hash, &refused.hash);
    *ret = fresh || known ? FEED_CATALOG_REFUSED : FEED_CATALOG_AFRESH;
    f->changed = f->changed || !known;
    state->refused = refused;
}

enum err_code catalog_follow_complete(struct catalog_follow *f, bool fresh, enum feed_catalog *ret,
                                      struct err *e)
{
    struct catalog_state *state = &f->state;
    *ret = FEED_CATALOG_SAME;
    enum err_code code = load(f, e);
    bool nothing = state->staged == 0 && state->next_version.number == state->version.number &&
                   state->next.floor == state->shown.floor;
    if (code || nothing || state->next_version.number == 0)
        return code;
    if (!gives_its_hash(state)) {
        refuse(f, fresh, ret);
        return ERR_OK;
    }
    catalog_state_show(state);
    f->changed = true;
    *ret = FEED_CATALOG_SHOWN;
    return ERR_OK;
}

enum err_code catalog_follow_end(struct catalog_follow *f, struct err *e)
{
    return f->changed ? catalog_state_write(f->db, &f->state, e) : ERR_OK;
}
