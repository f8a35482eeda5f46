// SPDX-License-Identifier: Apache-2.0
#include "test/unit/store/till.h"

#include "base/json.h"

#include <string.h>

void till_add_stream(struct till *t, const struct line *l)
{
    struct stream_info info = {.key = l->key, .device = l->device, .own = true};
    info.certificate =
        certificate_make(&t->key, &t->chain, &l->key.origin, &l->device, str_of(l->location));
    memcpy(info.location, info.certificate.location, sizeof info.location);
    assert_int_equal(store_stream_add(t->f.store, &info, NULL), ERR_OK);
}

void till_open(struct till *t)
{
    static const uint8_t seed[SIGN_SEED_SIZE] = {7};
    char text[UUID_TEXT_SIZE];
    struct err e = {ERR_OK, ""};
    fixture_open(&t->f, ROLE_TERMINAL);
    line_init(&t->l, 1, "BR1");
    t->l.own = true;
    t->chain = fixture_uuid(9, 1);
    sign_key_from_seed(seed, &t->key);
    uuid_format(&t->chain, text);
    assert_int_equal(store_meta_set(t->f.store, "chain", str_of(text), &e), ERR_OK);
    store_set_key(t->f.store, &t->key.public_key);
    struct feed_apply empty = {.location = STR("BR1"), .reset = true, .complete = true};
    assert_int_equal(store_feed_apply(t->f.store, &empty, NULL), ERR_OK);
    till_add_stream(t, &t->l);
}

void till_reopen(struct till *t)
{
    fixture_reopen(&t->f);
    store_set_key(t->f.store, &t->key.public_key);
}

void till_close(struct till *t)
{
    line_fini(&t->l);
    fixture_close(&t->f);
}

void till_include(struct till *t, const struct line *l, uint64_t seq)
{
    struct feed_include to = {l->key, seq};
    struct feed_apply frame = {
        .location = STR("BR1"), .complete = true, .includes = &to, .include_count = 1};
    assert_int_equal(store_feed_apply(t->f.store, &frame, NULL), ERR_OK);
}

static void tell(struct till *t, const struct line *l, bool reset)
{
    struct str rows[LINE_MAX_EVENTS];
    for (size_t i = 0; i < l->count; i++) {
        struct event event;
        struct json_writer w;
        struct buf text;
        char id[UUID_TEXT_SIZE];
        assert_int_equal(event_parse(str_of(l->bytes[i]), &t->f.arena, &event, NULL), ERR_OK);
        uuid_format(&event.id, id);
        json_writer_begin(&w);
        yyjson_mut_obj_add_str(w.doc, w.root, "type", "event");
        yyjson_mut_obj_add_str(w.doc, w.root, "id", id);
        yyjson_mut_val *row = yyjson_mut_obj_add_obj(w.doc, w.root, "row");
        yyjson_mut_obj_add_str(w.doc, row, "bytes", l->bytes[i]);
        buf_init(&text, 4096);
        assert_int_equal(json_writer_end(&w, &text), ERR_OK);
        rows[i] = arena_copy(&t->f.arena, buf_str(&text));
        buf_fini(&text);
    }
    struct feed_apply frame = {
        .location = STR("BR1"), .rows = rows, .count = l->count, .reset = reset, .complete = true};
    struct err e = {ERR_OK, ""};
    if (store_begin(t->f.store, &e) || store_feed_apply(t->f.store, &frame, &e) ||
        store_commit(t->f.store, &e))
        fail_msg("%s", e.text);
}

void till_tell(struct till *t, const struct line *l)
{
    tell(t, l, false);
}

void till_tell_copy(struct till *t, const struct line *l)
{
    tell(t, l, true);
}

size_t till_prune(struct till *t, int64_t before_ms, size_t step)
{
    struct store_prune how = {&t->key, t->chain, before_ms, step};
    struct err e = {ERR_OK, ""};
    int64_t from = 0;
    size_t sum = 0, pruned = 0;
    do {
        if (store_prune(t->f.store, &how, &from, &pruned, &e))
            fail_msg("%s", e.text);
        assert_true(pruned <= step);
        sum += pruned;
    } while (from != 0);
    return sum;
}

struct store_verdict till_verdict(struct till *t)
{
    struct store_verdict v;
    struct err e = {ERR_OK, ""};
    if (fixture_verify(t->f.store, &t->f.arena, &v, &e))
        fail_msg("%s", e.text);
    return v;
}

void till_assert_whole(struct till *t, uint64_t pruned)
{
    struct store_verdict v = till_verdict(t);
    if (v.first_problem.n > 0)
        fail_msg("%.*s", STR_ARG(v.first_problem));
    assert_true(v.gaps == 0 && v.chain_errors == 0 && v.refold_equal);
    assert_int_equal(v.pruned, pruned);
}
