// SPDX-License-Identifier: Apache-2.0
// What goes wrong, how often, and how it is put right in the end.
#ifndef WASL_SIM_FAULTS_H
#define WASL_SIM_FAULTS_H

#include "sim/world.h"

// Draws the seed's knobs. ERR_NOT_FOUND: no such profile.
enum err_code faults_draw(struct world *w, const char *profile) MUST_CHECK;
void faults_strike(struct world *w); // one, and the next is planned
void faults_link_up(struct world *w, struct till *t);
void faults_heal(struct world *w);

#endif
