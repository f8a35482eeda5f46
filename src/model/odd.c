// SPDX-License-Identifier: Apache-2.0
#include "model/odd.h"

#include "model/body.h"
#include "model/event_type.h"
#include "model/record.h"

#include <string.h>

static const char *odd_stock(const struct event *event)
{
    struct str sku = body_text(event->body, "sku");
    return str_equal(event->record_id, sku)
               ? NULL
               : "record: id: of stock it is the SKU, the one that the body names";
}

static const char *odd_completion(const struct event *event)
{
    return body_integer(event->body, "total") < 0 ? "body: total: must not be below zero; what is "
                                                    "given back is a refund"
                                                  : NULL;
}

static const char *odd_ticket(const struct event *event)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(event->body, "lines"));
    yyjson_val *line;
    bool sale = str_is(body_text(event->body, "kind"), "sale");
    while ((line = yyjson_arr_iter_next(&iter)) != NULL && !sale) {
        if (body_decimal(line, "quantity") > 0)
            return "body: lines: quantity: must not be above zero in a return or a cancellation";
    }
    return NULL;
}

const char *odd_of(const struct event *event)
{
    if (strcmp(event->type->record_type, "stock") == 0)
        return odd_stock(event);
    if (strcmp(event->type->name, "sale_completed") == 0)
        return odd_completion(event);
    return strcmp(event->type->name, "ticket_recorded") == 0 ? odd_ticket(event) : NULL;
}

bool odd_asks(const struct event *event)
{
    const struct reducer *reducer = reducer_find(event->record_type);
    return reducer != NULL && reducer->only_asked && odd_of(event) != NULL;
}
