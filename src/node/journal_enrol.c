// SPDX-License-Identifier: Apache-2.0
//
// A device never changes its key, its place or its role: what it signed would not verify any more,
// and a stream would go on in two places. So nobody with a token may say it of one that is known,
// as no code admits it (admission.h).
#include "node/journal_private.h"

#include <string.h>

static const char *fault_of(const struct effect_device *device, const struct device_record *known)
{
    if (known->revoked)
        return "record: this device was revoked: make a new node";
    if (memcmp(known->key.b, device->key.b, sizeof known->key.b) != 0)
        return "body: key: this device is enrolled already, with another key";
    if (!str_is(device->location, known->location))
        return "body: location: this device is enrolled at another place and stays there";
    if (!str_is(device->role, node_role_name(known->role)))
        return "body: role: this device is enrolled already, with another role";
    return NULL;
}

const char *journal_enrolment_fault(struct journal *j, const struct effect_list *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];
        struct device_record known;
        if (effect->kind == EFFECT_DEVICE &&
            store_device_find(j->store, &effect->device.id, &known) == ERR_OK)
            return fault_of(&effect->device, &known);
    }
    return NULL;
}
