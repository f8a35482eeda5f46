// SPDX-License-Identifier: Apache-2.0
#include "test/unit/node/library_fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void library_make(struct library_folder *f, enum node_role role, const char *location)
{
    struct err e = {ERR_OK, ""};
    config_defaults(role, &f->config);
    memcpy(f->config.dir, "/tmp/wasl_node_XXXXXX", sizeof "/tmp/wasl_node_XXXXXX");
    assert_non_null(mkdtemp(f->config.dir));
    assert_int_equal(str_copy(f->config.location, sizeof f->config.location, str_of(location)),
                     ERR_OK);
    if (identity_create(&f->config, &e))
        fail_msg("%s", e.text);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

void library_remove(struct library_folder *f)
{
    assert_int_equal(nftw(f->config.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

struct wasl *library_till(const struct library_folder *f, bool sync)
{
    struct wasl *till = NULL;
    struct wasl_error error;
    if (wasl_open(f->config.dir, sync, &till, &error))
        fail_msg("%s", error.text);
    return till;
}

struct wasl_event library_sale(const char *ticket, char body[SALE_BODY_MAX])
{
    (void)snprintf(body, SALE_BODY_MAX,
                   "{\"ticket\":\"%s\",\"kind\":\"sale\",\"currency\":\"USD\",\"places\":2,"
                   "\"lines\":[{\"n\":1,\"sku\":\"COFFEE\",\"quantity\":\"1\","
                   "\"unit_price\":\"2.50\",\"amount\":250}],\"total\":250,"
                   "\"payments\":[{\"method\":\"cash\",\"currency\":\"USD\",\"amount\":250}]}",
                   ticket);
    return (struct wasl_event){
        .type = "ticket_recorded", .record_type = "ticket", .record_id = ticket, .body = body};
}
