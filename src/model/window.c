// SPDX-License-Identifier: Apache-2.0
#include "model/window.h"

static bool read_minute(struct str text, int *ret)
{
    uint64_t hour = 0, minute = 0;
    if (text.p[2] != ':' || str_to_u64(str_make(text.p, 2), &hour) ||
        str_to_u64(str_make(text.p + 3, 2), &minute) || hour > 23 || minute > 59)
        return false;
    *ret = (int)(hour * 60 + minute);
    return true;
}

enum err_code window_parse(struct str text, struct window *ret)
{
    struct window w;
    if (text.n != 11 || text.p[5] != '-' || !read_minute(str_make(text.p, 5), &w.from) ||
        !read_minute(str_make(text.p + 6, 5), &w.to))
        return ERR_INVALID;
    *ret = w;
    return ERR_OK;
}

bool window_is_open(const struct window *w, int minute)
{
    if (w->from < w->to)
        return minute >= w->from && minute < w->to;
    return minute >= w->from || minute < w->to;
}
