// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/state.h"

enum err_code store_kept_of(struct store *s, struct str location, struct str sku, int64_t now_ms,
                            int64_t *ret, struct err *e)
{
    struct query q;
    *ret = 0;
    query_begin(&q, &s->db, Q_RESERVATIONS_KEPT);
    query_text(&q, location);
    query_text(&q, sku);
    query_int(&q, now_ms);
    if (query_row(&q))
        *ret = query_get_int(&q, 0);
    return query_end(&q, e);
}

enum err_code store_reservation_is_over(struct store *s, struct str location, struct str id,
                                        bool *ret, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_RESERVATION_OVER);
    query_text(&q, location);
    query_text(&q, id);
    *ret = query_row(&q);
    return query_end(&q, e);
}

enum err_code store_reservation_unheard(struct store *s, struct arena *a, struct record_name *ret,
                                        struct uuid *ret_request, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_RESERVATION_UNHEARD);
    bool there = query_row(&q) && query_get_uuid(&q, 2, ret_request);
    if (there)
        *ret = (struct record_name){arena_copy(a, query_get_text(&q, 0)), STR("reservation"),
                                    arena_copy(a, query_get_text(&q, 1))};
    enum err_code code = query_end(&q, e);
    if (code == ERR_OK && !there)
        return err_set(e, ERR_NOT_FOUND, "every reservation was judged");
    bool whole = code || (ret->location.p != NULL && ret->id.p != NULL);
    return whole ? code : err_set(e, ERR_NO_MEMORY, "out of memory for a reservation");
}
