// SPDX-License-Identifier: Apache-2.0
#include "model/effect.h"

#include "base/decimal.h"

// Bodies were checked against their type before they are read here, so that a member that is
// required is there and well formed; what is checked here is how members fit together.

static struct str text_of(yyjson_val *object, const char *key)
{
    yyjson_val *value = yyjson_obj_get(object, key);
    return yyjson_is_str(value) ? str_make(yyjson_get_str(value), yyjson_get_len(value))
                                : str_of(NULL);
}

static int64_t integer_of(yyjson_val *object, const char *key)
{
    return yyjson_get_sint(yyjson_obj_get(object, key));
}

static int64_t decimal_of(yyjson_val *object, const char *key)
{
    int64_t value = 0;
    MUST(decimal_parse(text_of(object, key), &value) == ERR_OK);
    return value;
}

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
    struct str text = text_of(body, "kind");
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
                               .sku = text_of(object, "sku"),
                               .name = text_of(object, "name"),
                               .quantity = decimal_of(object, "quantity"),
                               .unit_price = decimal_of(object, "unit_price"),
                               .amount = integer_of(object, "amount")};
    int64_t expected = 0;
    if (integer_of(object, "n") != number)
        return err_set(e, ERR_INVALID, "body: lines: line %d is numbered %lld", number,
                       (long long)integer_of(object, "n"));
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

static enum err_code add_lines(struct str ticket, yyjson_val *body, int places, int64_t *ret_total,
                               struct effect_list *list, struct err *e)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(body, "lines"));
    yyjson_val *object;
    int number = 0;
    int64_t total = 0;
    while ((object = yyjson_arr_iter_next(&iter)) != NULL) {
        enum err_code code = add_line(ticket, object, ++number, places, list, e);
        if (code)
            return code;
        if (decimal_add(total, integer_of(object, "amount"), &total) || total > MONEY_MAX ||
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
                                                         .method = text_of(object, "method"),
                                                         .currency = text_of(object, "currency"),
                                                         .amount = integer_of(object, "amount")}};
    }
}

static enum err_code ticket_effects(const struct event *event, struct effect_list *list,
                                    struct err *e)
{
    yyjson_val *body = event->body;
    size_t lines = yyjson_arr_size(yyjson_obj_get(body, "lines"));
    struct effect *header = next_effect(list);
    *header = (struct effect){.kind = EFFECT_TICKET,
                              .ticket = {.id = event->record_id,
                                         .number = text_of(body, "ticket"),
                                         .till = text_of(body, "till"),
                                         .customer = text_of(body, "customer"),
                                         .currency = text_of(body, "currency"),
                                         .places = (int)integer_of(body, "places"),
                                         .total = integer_of(body, "total"),
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
    int64_t quantity = decimal_of(event->body, "quantity");
    if (quantity <= 0)
        return err_set(e, ERR_INVALID, "body: quantity: must be above zero");
    *next_effect(list) = (struct effect){.kind = EFFECT_STOCK,
                                         .stock = {.sku = text_of(event->body, "sku"),
                                                   .delta = sign * quantity,
                                                   .flow = event->type->flow}};
    return ERR_OK;
}

static enum err_code stock_in(const struct event *event, struct effect_list *list, struct err *e)
{
    return stock_effects(event, list, 1, e);
}

static enum err_code stock_out(const struct event *event, struct effect_list *list, struct err *e)
{
    return stock_effects(event, list, -1, e);
}

static enum err_code adjusted_effects(const struct event *event, struct effect_list *list,
                                      struct err *e)
{
    int64_t counted = decimal_of(event->body, "counted");
    int64_t system = decimal_of(event->body, "system");
    int64_t variance = decimal_of(event->body, "variance");
    int64_t expected = 0;
    if (decimal_add(counted, -system, &expected) || expected != variance)
        return err_set(e, ERR_INVALID, "body: variance: is not counted - system");
    *next_effect(list) = (struct effect){
        .kind = EFFECT_STOCK,
        .stock = {.sku = text_of(event->body, "sku"), .delta = variance, .flow = FLOW_CORRECTION}};
    return ERR_OK;
}

// ---- the chain --------------------------------------------------------------------------------

static enum err_code device_id_of(const struct event *event, struct uuid *ret, struct err *e)
{
    if (uuid_parse(event->record_id, ret))
        return err_set(e, ERR_INVALID, "record: a device's id is a UUID");
    return ERR_OK;
}

static enum err_code location_effects(const struct event *event, struct effect_list *list,
                                      struct err *e)
{
    if (!event_location_valid(event->record_id))
        return err_set(e, ERR_INVALID, "record: * is the whole chain, not a place");
    *next_effect(list) = (struct effect){.kind = EFFECT_LOCATION,
                                         .location = {.id = event->record_id,
                                                      .name = text_of(event->body, "name"),
                                                      .region = text_of(event->body, "region")}};
    return ERR_OK;
}

static enum err_code enrolled_effects(const struct event *event, struct effect_list *list,
                                      struct err *e)
{
    struct effect_device device = {.location = text_of(event->body, "location"),
                                   .role = text_of(event->body, "role"),
                                   .name = text_of(event->body, "name")};
    enum err_code code = device_id_of(event, &device.id, e);
    if (code)
        return code;
    if (!str_is(device.role, "terminal") && !str_is(device.role, "branch") &&
        !str_is(device.role, "central"))
        return err_set(e, ERR_INVALID, "body: role: must be terminal, branch or central");
    MUST(str_from_hex(text_of(event->body, "key"), device.key.b, sizeof(device.key.b)) == ERR_OK);
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
        if (lane_parse(text_of(head, "lane"), &lane))
            return err_set(e, ERR_INVALID, "body: heads: lane: unknown");
        if (integer_of(head, "seq") < 1)
            return err_set(e, ERR_INVALID, "body: heads: seq: must be above zero");
    }
    return ERR_OK;
}

static enum err_code revoked_effects(const struct event *event, struct effect_list *list,
                                     struct err *e)
{
    struct effect_revoke revoke = {.heads = yyjson_obj_get(event->body, "heads"),
                                   .revocation = event->id};
    int64_t part = integer_or(event->body, "part", 1);
    int64_t parts = integer_or(event->body, "parts", 1);
    if (yyjson_is_null(revoke.heads))
        revoke.heads = NULL;
    if (parts < 1 || parts > LIMIT_REVOCATION_PARTS || part < 1 || part > parts)
        return err_set(e, ERR_INVALID, "body: part: there is no part %lld of %lld", (long long)part,
                       (long long)parts);
    revoke.part = (int)part;
    revoke.parts = (int)parts;
    struct str first = text_of(event->body, "revocation");
    if (first.n > 0)
        MUST(uuid_parse(first, &revoke.revocation) == ERR_OK);
    enum err_code code = check_heads(revoke.heads, e);
    if (code == ERR_OK)
        code = device_id_of(event, &revoke.device, e);
    if (code == ERR_OK)
        *next_effect(list) = (struct effect){.kind = EFFECT_REVOKE, .revoked = revoke};
    return code;
}

static enum err_code run_effects(const struct event *event, struct effect_list *list, struct err *e)
{
    struct effect *effect = next_effect(list);
    *effect = (struct effect){.kind = EFFECT_RUN,
                              .run = {.previous = yyjson_obj_get(event->body, "previous")}};
    struct uuid device;
    enum err_code code = device_id_of(event, &effect->run.device, e);
    if (code)
        return code;
    MUST(uuid_parse(text_of(event->body, "device"), &device) == ERR_OK);
    if (!uuid_equal(&device, &effect->run.device))
        return err_set(e, ERR_INVALID, "body: device: is not the record's");
    return ERR_OK;
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
        break;
    }
    return OWNER_ALL;
}

// One row per event type, in the order of event_types (a test holds them together).
struct reducer {
    const char *type;
    enum err_code (*reduce)(const struct event *event, struct effect_list *list, struct err *e);
    bool many; // a ticket: more effects than one
};
static const struct reducer reducers[] = {
    {"ticket_recorded", ticket_effects, true},   {"inventory_received", stock_in, false},
    {"inventory_sold", stock_out, false},        {"inventory_returned", stock_in, false},
    {"inventory_transferred", stock_out, false}, {"transfer_received", stock_in, false},
    {"inventory_wasted", stock_out, false},      {"inventory_adjusted", adjusted_effects, false},
    {"location_set", location_effects, false},   {"device_enrolled", enrolled_effects, false},
    {"device_revoked", revoked_effects, false},  {"run_started", run_effects, false},
};

static size_t effect_room(const struct event *event, const struct reducer *reducer)
{
    if (!reducer->many)
        return 1;
    return 1 + 2 * yyjson_arr_size(yyjson_obj_get(event->body, "lines")) +
           yyjson_arr_size(yyjson_obj_get(event->body, "payments"));
}

enum err_code effect_list_of(const struct event *event, struct arena *arena,
                             struct effect_list *ret, struct err *e)
{
    MUST(event->type != NULL);
    const struct reducer *reducer = &reducers[event->type - event_types];
    MUST(str_is(event->type_name, reducer->type));
    enum err_code code = event_type_check_record(event->type, event->record_type, e);
    if (code == ERR_OK)
        code = event_type_check(event->type, event->version, event->body, e);
    if (code)
        return code;
    struct effect_list list = {
        .items = arena_alloc(arena, effect_room(event, reducer) * sizeof(struct effect))};
    if (list.items == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for an event's effects");
    code = reducer->reduce(event, &list, e);
    if (code == ERR_OK)
        *ret = list;
    return code;
}
