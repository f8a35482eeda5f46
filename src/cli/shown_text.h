// SPDX-License-Identifier: Apache-2.0
//
// Text that others wrote, as a terminal may be given it.
//
// Why: a note, a name or the bytes of an event may hold what moves a cursor, hides a line or turns
// text about; in a line for people that becomes \xNN (str_escape). JSON is for programs: as it is.
// Ownership: what is returned lies in the arena, or is the text itself where nothing is the matter.
#ifndef WASL_CLI_SHOWN_TEXT_H
#define WASL_CLI_SHOWN_TEXT_H

#include "base/arena.h"
#include "base/str.h"

struct str shown_text_of(struct str text, struct arena *a); // "(?)" without memory

#endif
