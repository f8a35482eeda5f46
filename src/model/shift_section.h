// SPDX-License-Identifier: Apache-2.0
// In which section of which Z a fact is counted: the rules of shift_money.h.
//
// Why: the store answers this by a view ('shift_sections'), for it is a question to all shifts and
//   all money of a place. The rule itself stands here: the view is tested against it, and the
//   simulator closes shifts and looks at them by it.
// Ownership: nothing is copied.
#ifndef WASL_MODEL_SHIFT_SECTION_H
#define WASL_MODEL_SHIFT_SECTION_H

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

// As its shift's own: by a stream, or by itself. Of what is late only the second counts.
bool shift_z_froze(const struct shift_z *z, const struct shift_event *event);
bool shift_z_names(const struct shift_z *z, const struct shift_event *event);
// The section of an event, and in *ret_shift the shift whose Z counts it; empty while it waits.
enum shift_section shift_section_of(const struct shift_event *event, const struct shift_z *all,
                                    size_t count, struct str *ret_shift);

#endif
