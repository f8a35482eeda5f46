// SPDX-License-Identifier: Apache-2.0
#include "sim/sale.h"

#include "base/decimal.h"
#include "model/event_type.h"
#include "sim/oracle.h"
#include "sim/people.h"
#include "sim/shift.h"
#include "sim/till.h"

#include <inttypes.h>

enum { BODY_MAX = 4096, VERSION_FROM_THE_FUTURE = 2 };

struct kind {
    const char *type;
    int sign;           // of its stock; 0: a correction
    const char *format; // body after sku and quantity
};
static const struct kind kinds[] = {
    {"inventory_sold", -1, ""},
    {"inventory_received", 1, ",\"lot\":\"L1\""},
    {"inventory_wasted", -1, ",\"reason\":\"expired\""},
    {"inventory_returned", 1, ""},
    {"inventory_adjusted", 0, ""},
};
enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

static void add(struct buf *b, const char *text)
{
    MUST(buf_append_str(b, str_of(text)) == ERR_OK);
}

static void set_delta(struct item *item, int sku, int64_t units)
{
    item->deltas[item->delta_count++] = (struct delta){.sku = sku, .quantity = units * DECIMAL_ONE};
}

// Each line of its own SKU, so that a delta is found by its SKU.
static void write_ticket(struct world *w, const struct till *t, struct item *item, struct buf *body)
{
    int lines =
        (int)rng_between(&w->rng, 1, w->knobs.skus < MAX_DELTAS ? w->knobs.skus : MAX_DELTAS);
    int sku = (int)rng_below(&w->rng, (uint64_t)w->knobs.skus);
    int64_t total = 0;
    item->ticket = true;
    add(body, "{\"ticket\":\"T1\",\"kind\":\"sale\",\"currency\":\"LBP\",\"places\":0,\"lines\":[");
    for (int n = 1; n <= lines; n++) {
        int64_t units = rng_between(&w->rng, 1, 5);
        MUST(buf_append_format(body,
                               "%s{\"n\":%d,\"sku\":\"%s\",\"quantity\":\"%" PRId64
                               "\",\"unit_price\":\"3\",\"amount\":%" PRId64 "}",
                               n > 1 ? "," : "", n, world_sku(sku), units, 3 * units) == ERR_OK);
        set_delta(item, sku, -units);
        total += 3 * units;
        sku = (sku + 1) % w->knobs.skus;
    }
    item->paid = total;
    item->shift = shift_any(w, t);
    if (item->shift)
        MUST(buf_append_format(body, "],\"shift\":\"%s\"", item->shift->id) == ERR_OK);
    else
        add(body, "]");
    MUST(buf_append_format(body,
                           ",\"total\":%" PRId64 ",\"payments\":[{\"method\":\"cash\","
                           "\"currency\":\"LBP\",\"amount\":%" PRId64 "}]}",
                           total, total) == ERR_OK);
}

// What the till shows, with what waits to be written.
static int64_t shown_at(const struct till *t, int sku)
{
    int64_t sum = t->disk.confirmed[sku].quantity + overlay_sum(t->overlay, str_of(world_sku(sku)));
    for (const struct pending *p = t->first; p; p = p->next) {
        for (int i = 0; p->kind == PENDING_EVENT && i < p->carrier->item->delta_count; i++) {
            const struct delta *d = &p->carrier->item->deltas[i];
            sum += d->sku == sku ? d->quantity : 0;
        }
    }
    return sum;
}

static void write_movement(struct world *w, const struct till *t, const struct kind *kind,
                           struct item *item, struct buf *body)
{
    int sku = (int)rng_below(&w->rng, (uint64_t)w->knobs.skus);
    int64_t units = rng_between(&w->rng, 1, kind->sign > 0 ? 80 : 20);
    MUST(buf_append_format(body, "{\"sku\":\"%s\",", world_sku(sku)) == ERR_OK);
    if (kind->sign) {
        MUST(buf_append_format(body, "\"quantity\":\"%" PRId64 "\"%s}", units, kind->format) ==
             ERR_OK);
        set_delta(item, sku, kind->sign * units);
        return;
    }
    int64_t variance = units - 10;
    int64_t lie = rng_chance(&w->rng, 1, 6) ? rng_between(&w->rng, 1, 5) : 0;
    int64_t shown = shown_at(t, sku) / DECIMAL_ONE + lie;
    item->claim = (struct claim){.made = true, .sku = sku, .lie = lie * DECIMAL_ONE};
    MUST(buf_append_format(body,
                           "\"counted\":\"%" PRId64 "\",\"system\":\"%" PRId64
                           "\",\"variance\":\"%" PRId64 "\"}",
                           shown + variance, shown, variance) == ERR_OK);
    set_delta(item, sku, variance);
}

struct item *sale_item_new(struct world *w, struct till *t)
{
    uint8_t random[10];
    rng_fill(&w->rng, random, sizeof(random));
    int64_t wall = till_wall_ms(w, t);
    struct uuid id = uuid_make_v7(&t->ids, wall > 0 ? (uint64_t)wall : 0, random);
    return oracle_item_new(w, &id, t->place);
}

void sale_make_foreign(struct world *w, struct item *item, struct event *event)
{
    if (!world_chance(w, w->knobs.foreign))
        return;
    event->version = VERSION_FROM_THE_FUTURE;
    item->foreign = true;
}

struct item *sale_draw(struct world *w, struct till *t, struct event *ret)
{
    struct item *item = sale_item_new(w, t);
    struct buf body;
    buf_init(&body, BODY_MAX);
    const char *type = "ticket_recorded";
    if (rng_chance(&w->rng, 1, 2)) {
        write_ticket(w, t, item, &body);
    } else {
        const struct kind *kind = &kinds[rng_below(&w->rng, KIND_COUNT)];
        type = kind->type;
        write_movement(w, t, kind, item, &body);
    }
    struct json json = {0};
    MUST(json_parse_in(&w->scratch, buf_str(&body), LIMIT_EVENT_DEPTH, &json, NULL) == ERR_OK);
    buf_fini(&body);
    const struct event_type *found = event_type_find(str_of(type));
    char record[UUID_TEXT_SIZE];
    uuid_format(&item->id, record);
    *ret = (struct event){.id = item->id,
                          .version = found->version,
                          .lane = found->lane,
                          .location = str_of(world_place(t->place)),
                          .type_name = str_of(found->name),
                          .type = found,
                          .record_type = str_of(found->record_type),
                          .record_id = arena_copy(&w->scratch, str_of(record)),
                          .at = till_wall_ms(w, t),
                          .body = json.root};
    MUST(ret->record_id.p != NULL);
    if (world_chance(w, w->knobs.other_lane))
        ret->lane = rng_chance(&w->rng, 1, 2) ? LANE_NORMAL : LANE_DEFERRED;
    ret->seen = item->claim.made ? t->disk.shown : (struct event_seen){.position = 0};
    people_author(w, t, item, ret);
    sale_make_foreign(w, item, ret);
    return item;
}
