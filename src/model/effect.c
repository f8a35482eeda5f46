// SPDX-License-Identifier: Apache-2.0
#include "model/effect.h"

#include "base/decimal.h"
#include "model/body.h"
#include "model/record.h"

// Bodies were checked against their type before they are read here, so that a member that is
// required is there and well formed; what is checked here is how members fit together.

static struct effect *next_effect(struct effect_list *list)
{
    return &list->items[list->count++];
}

// ---- tickets ----------------------------------------------------------------------------------

static const char *const ticket_kind_names[] = {"sale", "cancellation", "return"};

const char *ticket_kind_name(enum ticket_kind kind)
{
    return ticket_kind_names[kind];
}

static enum err_code ticket_kind_of(yyjson_val *body, enum ticket_kind *ret, struct err *e)
{
    struct str text = body_text(body, "kind");
    for (int i = 0; i <= TICKET_RETURN; i++) {
        if (str_is(text, ticket_kind_names[i])) {
            *ret = (enum ticket_kind)i;
            return ERR_OK;
        }
    }
    return err_set(e, ERR_INVALID, "body: kind: must be sale, cancellation or return");
}

// A line and the stock it takes. Stock leaves by the quantity sold; what a cancellation or a return
// gives back is negative and comes in again.
static enum err_code add_line(struct str ticket, yyjson_val *object, int number, int places,
                              struct effect_list *list, struct err *e)
{
    struct effect_line line = {.ticket = ticket,
                               .number = number,
                               .sku = body_text(object, "sku"),
                               .name = body_text(object, "name"),
                               .quantity = body_decimal(object, "quantity"),
                               .unit_price = body_decimal(object, "unit_price"),
                               .amount = body_integer(object, "amount"),
                               .catalog = body_integer(object, "catalog")};
    int64_t expected = 0;
    if (body_integer(object, "n") != number)
        return err_set(e, ERR_INVALID, "body: lines: line %d is numbered %lld", number,
                       (long long)body_integer(object, "n"));
    if (decimal_amount(line.unit_price, line.quantity, places, &expected) ||
        expected != line.amount)
        return err_set(e, ERR_INVALID, "body: lines: line %d: amount is not quantity x unit_price",
                       number);
    *next_effect(list) = (struct effect){.kind = EFFECT_LINE, .line = line};
    *next_effect(list) =
        (struct effect){.kind = EFFECT_STOCK,
                        .stock = {.sku = line.sku, .delta = -line.quantity, .flow = FLOW_DEMAND}};
    return ERR_OK;
}

// What one event moves in all, either way. Sums of stock wrap, so that they depend on no order; so
// no few events may take one that far.
static enum err_code add_moved(int64_t quantity, const char *list, int64_t *moved, struct err *e)
{
    if (decimal_add(*moved, quantity < 0 ? -quantity : quantity, moved) || *moved > LIMIT_DECIMAL)
        return err_set(e, ERR_LIMIT, "body: %s: the sum of quantities is out of range", list);
    return ERR_OK;
}

static enum err_code add_lines(struct str ticket, yyjson_val *body, int places, int64_t *ret_total,
                               struct effect_list *list, struct err *e)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(body, "lines"));
    yyjson_val *object;
    int number = 0;
    int64_t total = 0, moved = 0;
    while ((object = yyjson_arr_iter_next(&iter)) != NULL) {
        enum err_code code = add_line(ticket, object, ++number, places, list, e);
        if (code == ERR_OK)
            code = add_moved(body_decimal(object, "quantity"), "lines", &moved, e);
        if (code)
            return code;
        if (decimal_add(total, body_integer(object, "amount"), &total) || total > MONEY_MAX ||
            total < -MONEY_MAX)
            return err_set(e, ERR_LIMIT, "body: lines: the sum of amounts is out of range");
    }
    *ret_total = total;
    return ERR_OK;
}

static void add_payments(struct str ticket, yyjson_val *body, struct effect_list *list)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(body, "payments"));
    yyjson_val *object;
    int number = 0;
    while ((object = yyjson_arr_iter_next(&iter)) != NULL) {
        *next_effect(list) = (struct effect){.kind = EFFECT_PAYMENT,
                                             .payment = {.ticket = ticket,
                                                         .number = ++number,
                                                         .method = body_text(object, "method"),
                                                         .currency = body_text(object, "currency"),
                                                         .amount = body_integer(object, "amount")}};
    }
}

enum err_code effects_of_ticket(const struct event *event, struct effect_list *list, struct err *e)
{
    yyjson_val *body = event->body;
    size_t lines = yyjson_arr_size(yyjson_obj_get(body, "lines"));
    struct effect *header = next_effect(list);
    *header = (struct effect){.kind = EFFECT_TICKET,
                              .ticket = {.id = event->record_id,
                                         .number = body_text(body, "ticket"),
                                         .till = body_text(body, "till"),
                                         .customer = body_text(body, "customer"),
                                         .shift = body_text(body, "shift"),
                                         .currency = body_text(body, "currency"),
                                         .places = (int)body_integer(body, "places"),
                                         .total = body_integer(body, "total"),
                                         .at = event->at,
                                         .line_count = (int)lines}};
    enum err_code code = ticket_kind_of(body, &header->ticket.kind, e);
    int64_t total = 0;
    if (code == ERR_OK)
        code = add_lines(event->record_id, body, header->ticket.places, &total, list, e);
    if (code)
        return code;
    if (total != header->ticket.total)
        return err_set(e, ERR_INVALID, "body: total: is not the sum of the lines' amounts");
    add_payments(event->record_id, body, list);
    return ERR_OK;
}

// ---- stock ------------------------------------------------------------------------------------

static enum err_code stock_effects(const struct event *event, struct effect_list *list, int sign,
                                   struct err *e)
{
    int64_t quantity = body_decimal(event->body, "quantity");
    if (quantity <= 0)
        return err_set(e, ERR_INVALID, "body: quantity: must be above zero");
    *next_effect(list) = (struct effect){.kind = EFFECT_STOCK,
                                         .stock = {.sku = body_text(event->body, "sku"),
                                                   .delta = sign * quantity,
                                                   .flow = event->type->flow}};
    return ERR_OK;
}

enum err_code effects_of_stock_in(const struct event *event, struct effect_list *list,
                                  struct err *e)
{
    return stock_effects(event, list, 1, e);
}

enum err_code effects_of_stock_out(const struct event *event, struct effect_list *list,
                                   struct err *e)
{
    return stock_effects(event, list, -1, e);
}

enum err_code effects_of_adjustment(const struct event *event, struct effect_list *list,
                                    struct err *e)
{
    int64_t counted = body_decimal(event->body, "counted");
    int64_t system = body_decimal(event->body, "system");
    int64_t variance = body_decimal(event->body, "variance");
    int64_t expected = 0;
    if (decimal_add(counted, -system, &expected) || expected != variance)
        return err_set(e, ERR_INVALID, "body: variance: is not counted - system");
    *next_effect(list) = (struct effect){.kind = EFFECT_STOCK,
                                         .stock = {.sku = body_text(event->body, "sku"),
                                                   .delta = variance,
                                                   .flow = FLOW_CORRECTION}};
    return ERR_OK;
}

enum err_code effects_of_count(const struct event *event, struct effect_list *list, struct err *e)
{
    int64_t part = body_integer(event->body, "part"), parts = body_integer(event->body, "parts");
    if (part < 1 || part > parts)
        return err_set(e, ERR_INVALID, "body: part: there is no part %lld of %lld", (long long)part,
                       (long long)parts);
    return effects_of_adjustment(event, list, e);
}

// ---- the chain --------------------------------------------------------------------------------

static enum err_code device_id_of(const struct event *event, struct uuid *ret, struct err *e)
{
    if (uuid_parse(event->record_id, ret))
        return err_set(e, ERR_INVALID, "record: a device's id is a UUID");
    return ERR_OK;
}

enum err_code effects_of_location(const struct event *event, struct effect_list *list,
                                  struct err *e)
{
    if (!event_location_valid(event->record_id))
        return err_set(e, ERR_INVALID, "record: * is the whole chain, not a place");
    *next_effect(list) = (struct effect){.kind = EFFECT_LOCATION,
                                         .location = {.id = event->record_id,
                                                      .name = body_text(event->body, "name"),
                                                      .region = body_text(event->body, "region")}};
    return ERR_OK;
}

enum err_code effects_of_enrolment(const struct event *event, struct effect_list *list,
                                   struct err *e)
{
    struct effect_device device = {.location = body_text(event->body, "location"),
                                   .role = body_text(event->body, "role"),
                                   .name = body_text(event->body, "name")};
    enum err_code code = device_id_of(event, &device.id, e);
    if (code)
        return code;
    if (!str_is(device.role, "terminal") && !str_is(device.role, "branch") &&
        !str_is(device.role, "central"))
        return err_set(e, ERR_INVALID, "body: role: must be terminal, branch or central");
    MUST(str_from_hex(body_text(event->body, "key"), device.key.b, sizeof(device.key.b)) == ERR_OK);
    *next_effect(list) = (struct effect){.kind = EFFECT_DEVICE, .device = device};
    return ERR_OK;
}

static int64_t integer_or(yyjson_val *object, const char *key, int64_t otherwise)
{
    yyjson_val *value = yyjson_obj_get(object, key);
    return yyjson_is_int(value) ? yyjson_get_sint(value) : otherwise;
}

static enum err_code check_heads(yyjson_val *heads, struct err *e)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(heads);
    yyjson_val *head;
    enum lane lane;
    while ((head = yyjson_arr_iter_next(&iter)) != NULL) {
        if (lane_parse(body_text(head, "lane"), &lane))
            return err_set(e, ERR_INVALID, "body: heads: lane: unknown");
        if (body_integer(head, "seq") < 1)
            return err_set(e, ERR_INVALID, "body: heads: seq: must be above zero");
    }
    return ERR_OK;
}

enum err_code effects_of_revocation(const struct event *event, struct effect_list *list,
                                    struct err *e)
{
    struct effect_revoke revoke = {.heads = yyjson_obj_get(event->body, "heads"),
                                   .revocation = event->id,
                                   .accepts =
                                       yyjson_is_true(yyjson_obj_get(event->body, "accepts"))};
    int64_t part = integer_or(event->body, "part", 1);
    int64_t parts = integer_or(event->body, "parts", 1);
    if (yyjson_is_null(revoke.heads))
        revoke.heads = NULL;
    if (parts < 1 || parts > LIMIT_REVOCATION_PARTS || part < 1 || part > parts)
        return err_set(e, ERR_INVALID, "body: part: there is no part %lld of %lld", (long long)part,
                       (long long)parts);
    revoke.part = (int)part;
    revoke.parts = (int)parts;
    struct str first = body_text(event->body, "revocation");
    if (first.n > 0)
        MUST(uuid_parse(first, &revoke.revocation) == ERR_OK);
    enum err_code code = check_heads(revoke.heads, e);
    if (code == ERR_OK)
        code = device_id_of(event, &revoke.device, e);
    if (code == ERR_OK)
        *next_effect(list) = (struct effect){.kind = EFFECT_REVOKE, .revoked = revoke};
    return code;
}

enum err_code effects_of_run(const struct event *event, struct effect_list *list, struct err *e)
{
    struct effect *effect = next_effect(list);
    *effect = (struct effect){.kind = EFFECT_RUN,
                              .run = {.previous = yyjson_obj_get(event->body, "previous")}};
    struct uuid device;
    enum err_code code = device_id_of(event, &effect->run.device, e);
    if (code)
        return code;
    MUST(uuid_parse(body_text(event->body, "device"), &device) == ERR_OK);
    if (!uuid_equal(&device, &effect->run.device))
        return err_set(e, ERR_INVALID, "body: device: is not the record's");
    return ERR_OK;
}

// ---- the catalog ------------------------------------------------------------------------------

enum err_code effects_of_publication(const struct event *event, struct effect_list *list,
                                     struct err *e)
{
    struct effect_publish publish = {.note = body_text(event->body, "note"),
                                     .dated = event->version >= 2};
    int64_t number = body_integer(event->body, "version");
    int64_t count = body_integer(event->body, "count"), named = 0;
    if (number < 1 || count < 0 || count > LIMIT_CATALOG_ROWS)
        return err_set(e, ERR_INVALID, "body: version: there is none of this number and count");
    if (str_to_i64(event->record_id, &named) || named != number)
        return err_set(e, ERR_INVALID, "body: version: is not the record's");
    MUST(hash_parse(body_text(event->body, "hash"), &publish.hash) == ERR_OK);
    publish.version = (uint64_t)number;
    publish.count = (uint64_t)count;
    *next_effect(list) = (struct effect){.kind = EFFECT_PUBLISH, .publish = publish};
    return ERR_OK;
}

// ---- orders -----------------------------------------------------------------------------------

// The event is folded with the rest of its record; here it is only seen that it can be.
static enum err_code record_effects(const struct event *event, struct effect_list *list,
                                    struct err *e)
{
    *next_effect(list) = (struct effect){.kind = EFFECT_RECORD};
    return record_check(event, e);
}

enum err_code effects_of_completion(const struct event *event, struct effect_list *list,
                                    struct err *e)
{
    enum err_code code = record_effects(event, list, e);
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(event->body, "uses"));
    yyjson_val *use;
    int64_t moved = 0;
    while (code == ERR_OK && (use = yyjson_arr_iter_next(&iter)) != NULL) {
        int64_t quantity = body_decimal(use, "quantity");
        if (quantity <= 0)
            return err_set(e, ERR_INVALID, "body: uses: quantity: must be above zero");
        *next_effect(list) = (struct effect){
            .kind = EFFECT_STOCK,
            .stock = {.sku = body_text(use, "sku"), .delta = -quantity, .flow = FLOW_DEMAND}};
        code = add_moved(quantity, "uses", &moved, e);
    }
    return code;
}

// ---- all --------------------------------------------------------------------------------------

enum effect_owner effect_owner_rule(enum effect_kind kind)
{
    switch (kind) {
    case EFFECT_TICKET:
    case EFFECT_LINE:
    case EFFECT_PAYMENT:
        return OWNER_FIRST;
    case EFFECT_LOCATION:
    case EFFECT_DEVICE:
        return OWNER_LAST;
    case EFFECT_STOCK:
    case EFFECT_REVOKE:
    case EFFECT_RUN:
    case EFFECT_PUBLISH:
    case EFFECT_RECORD:
        break;
    }
    return OWNER_ALL;
}

// A ticket or a completed sale has as many effects as its lists say, any other event has one.
static size_t effect_room(const struct event *event)
{
    effect_reducer *effects = event->type->effects;
    if (effects != effects_of_ticket && effects != effects_of_completion)
        return 1;
    return 1 + 2 * yyjson_arr_size(yyjson_obj_get(event->body, "lines")) +
           yyjson_arr_size(yyjson_obj_get(event->body, "payments")) +
           yyjson_arr_size(yyjson_obj_get(event->body, "uses"));
}

enum err_code effect_list_of(const struct event *event, struct arena *arena,
                             struct effect_list *ret, struct err *e)
{
    MUST(event->type != NULL);
    enum err_code code = event_type_check_record(event->type, event->record_type, e);
    if (code == ERR_OK)
        code = event_type_check_place(event->type, event->location, e);
    if (code == ERR_OK)
        code = event_type_check(event->type, event->version, event->body, e);
    if (code)
        return code;
    struct effect_list list = {.items =
                                   arena_alloc(arena, effect_room(event) * sizeof(struct effect))};
    if (list.items == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for an event's effects");
    code = (event->type->effects ? event->type->effects : record_effects)(event, &list, e);
    if (code == ERR_OK)
        *ret = list;
    return code;
}
