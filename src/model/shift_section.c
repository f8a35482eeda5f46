// SPDX-License-Identifier: Apache-2.0
#include "model/shift_section.h"

#include "model/mutant.h"

bool shift_z_names(const struct shift_z *z, const struct shift_event *event)
{
    for (size_t i = 0; i < z->event_count; i++) {
        if (uuid_equal(&z->events[i], &event->id))
            return true;
    }
    return false;
}

bool shift_z_froze(const struct shift_z *z, const struct shift_event *event)
{
    for (size_t i = 0; i < z->mark_count; i++) {
        const struct shift_mark *mark = &z->marks[i];
        uint64_t upto = mark->upto + (MUTANT(frozen_beyond) ? 1 : 0);
        if (mark->lane == event->lane && upto >= event->seq &&
            uuid_equal(&mark->origin, &event->origin))
            return true;
    }
    return shift_z_names(z, event);
}

static const struct shift_z *find(const struct shift_z *all, size_t count, struct str shift)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(all[i].shift, shift))
            return &all[i];
    }
    return NULL;
}

static bool is_before(const struct shift_z *a, const struct shift_z *b)
{
    return b == NULL || a->z < b->z || (a->z == b->z && str_compare(a->shift, b->shift) < 0);
}

enum shift_section shift_section_of(const struct shift_event *event, const struct shift_z *all,
                                    size_t count, struct str *ret_shift)
{
    const struct shift_z *own = find(all, count, event->shift), *first = NULL;
    *ret_shift = event->shift;
    if (own == NULL || !own->closed || MUTANT(late_into_closed) || shift_z_froze(own, event))
        return SHIFT_OWN;
    for (size_t i = 0; i < count; i++) {
        const struct shift_z *z = &all[i];
        if (z->closed && z->z > own->z && str_equal(z->till, own->till) && is_before(z, first) &&
            shift_z_names(z, event))
            first = z;
    }
    *ret_shift = first ? first->shift : STR("");
    return first ? SHIFT_LATE : SHIFT_WAITING;
}
