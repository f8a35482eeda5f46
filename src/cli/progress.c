// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { QUIET_MS = 1000, REDRAW_MS = 100, BAR_WIDTH = 40 };

void progress_begin(struct progress *p, const char *label)
{
    *p = (struct progress){
        .label = label, .began_ms = clock_mono_ms(), .terminal = isatty(STDERR_FILENO) == 1};
}

static void draw_bar(struct progress *p, int percent, int64_t now_ms)
{
    char bar[BAR_WIDTH + 1];
    int full = percent * BAR_WIDTH / 100;
    for (int i = 0; i < BAR_WIDTH; i++) {
        bar[i] = i < full ? '#' : '.';
    }
    bar[BAR_WIDTH] = '\0';
    (void)fprintf(stderr, "\r%s [%s] %3d %%", p->label, bar, percent);
    (void)fflush(stderr);
    p->drawn = true;
    p->drawn_ms = now_ms;
}

void progress_update(struct progress *p, uint64_t done, uint64_t total)
{
    int64_t now_ms = clock_mono_ms();
    if (now_ms - p->began_ms < QUIET_MS || total == 0) {
        return;
    }
    int percent = done >= total ? 100 : (int)((double)done / (double)total * 100);
    if (p->terminal) {
        if (now_ms - p->drawn_ms >= REDRAW_MS) {
            draw_bar(p, percent, now_ms);
        }
        return;
    }
    if (percent / 10 > p->tenths) {
        p->tenths = percent / 10;
        (void)fprintf(stderr, "%s: %d %%\n", p->label, p->tenths * 10);
    }
}

void progress_end(struct progress *p)
{
    if (p->drawn) {
        (void)fprintf(stderr, "\r\033[K");
        (void)fflush(stderr);
        p->drawn = false;
    }
}

void progress_told(void *context, uint64_t done, uint64_t total)
{
    progress_update(context, done, total);
}
