// SPDX-License-Identifier: Apache-2.0
// The rules of shift_money.h, by which the store's view 'shift_sections' is judged.
#ifndef WASL_TEST_SHIFT_SECTIONS_H
#define WASL_TEST_SHIFT_SECTIONS_H

#include "model/shift_money.h"

struct shift_z {
    struct str shift, till;
    bool closed;
    int64_t z; // number of the report
    const struct shift_mark *marks;
    size_t mark_count;
    const struct uuid *events; // counted one by one
    size_t event_count;
};
struct shift_event {
    struct str shift; // that it names
    struct uuid id;
    struct uuid origin;
    enum lane lane;
    uint64_t seq;
};
enum shift_section { SHIFT_OWN, SHIFT_LATE, SHIFT_WAITING };

bool shift_z_froze(const struct shift_z *z, const struct shift_event *event);
// The section of an event, and in *ret_shift the shift whose Z counts it; empty while it waits.
enum shift_section shift_section_of(const struct shift_event *event, const struct shift_z *all,
                                    size_t count, struct str *ret_shift);

#endif
