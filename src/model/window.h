// SPDX-License-Identifier: Apache-2.0
// A time of day in which something may happen, on a clock on the wall: "02:00-05:00".
//
// It may go over midnight ("22:00-04:00"); one that ends where it begins is always open.
#ifndef WASL_MODEL_WINDOW_H
#define WASL_MODEL_WINDOW_H

#include "base/err.h"
#include "base/str.h"

enum { DAY_MINUTES = 24 * 60 };

struct window {
    int from, to; // minutes since midnight; 'to' is not in it
};
// ERR_INVALID for anything but HH:MM-HH:MM.
enum err_code window_parse(struct str text, struct window *ret) MUST_CHECK;
bool window_is_open(const struct window *w, int minute);

#endif
