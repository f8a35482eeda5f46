// SPDX-License-Identifier: Apache-2.0
// Members of an event's body, which event_type_check has found sound: what is absent or null reads
// as empty text or zero.
#ifndef WASL_MODEL_BODY_H
#define WASL_MODEL_BODY_H

#include "base/json.h"
#include "base/uuid.h"

yyjson_val *body_find(yyjson_val *object, const char *key); // NULL when absent or null
struct str body_text(yyjson_val *object, const char *key);
int64_t body_integer(yyjson_val *object, const char *key);
int64_t body_decimal(yyjson_val *object, const char *key);  // ten-thousandths
struct uuid body_uuid(yyjson_val *object, const char *key); // zero when absent

// For what outlives the event: copies into 'kept'; 'full' once memory ran out.
struct body_reader {
    yyjson_val *body;
    struct arena *kept;
    bool full;
};
struct str body_copy(struct body_reader *in, yyjson_val *object, const char *key);
// An integer as text; empty when it is absent.
struct str body_copy_number(struct body_reader *in, const char *key);
// Room for what is made of the body's list: 'size' bytes for each of its *ret_count items.
void *body_room(struct body_reader *in, const char *key, size_t size, size_t *ret_count);

#endif
