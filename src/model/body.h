// SPDX-License-Identifier: Apache-2.0
// Members of an event's body, which event_type_check has found sound: what is absent or null reads
// as empty text or zero.
#ifndef WASL_MODEL_BODY_H
#define WASL_MODEL_BODY_H

#include "base/json.h"

yyjson_val *body_find(yyjson_val *object, const char *key); // NULL when absent or null
struct str body_text(yyjson_val *object, const char *key);
int64_t body_integer(yyjson_val *object, const char *key);
int64_t body_decimal(yyjson_val *object, const char *key); // ten-thousandths

#endif
