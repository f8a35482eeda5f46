// SPDX-License-Identifier: Apache-2.0
// What each answer to a question would do, in words for whoever is asked.
#ifndef WASL_CLI_ANSWER_TEXT_H
#define WASL_CLI_ANSWER_TEXT_H

#include "base/str.h"

struct answer_text {
    const char *kinds; // a blank between them
    const char *accept, *reject;
    const char *edit; // NULL: nothing can be edited
};
// By a question's kind. NULL: nothing is said of it.
const struct answer_text *answer_text_of(struct str kind);

#endif
