// SPDX-License-Identifier: Apache-2.0
#include "base/decimal.h"
#include "model/odd.h"
#include "model/paid.h"
#include "node/journal_private.h"

#include <stdio.h>
#include <string.h>

static const char *in_words(struct journal *j, int64_t amount, const struct paid *paid)
{
    char money[DECIMAL_TEXT_MAX], words[DECIMAL_TEXT_MAX + 8];
    money_format(amount, paid->places, money);
    (void)snprintf(words, sizeof words, "%s %.*s", money, STR_ARG(paid->currency));
    size_t n = strlen(words) + 1; // kept with its end
    return arena_copy(&j->arena, str_make(words, n)).p;
}

enum err_code journal_note_paid(struct journal *j, struct arrival *a, struct err *e)
{
    struct paid paid;
    a->odd = odd_asks(&a->event) ? odd_of(&a->event) : NULL;
    if (strcmp(a->event.type->name, "ticket_recorded") != 0 || !paid_differs(&a->event, &paid))
        return ERR_OK;
    a->paid = in_words(j, paid.paid, &paid);
    a->due = in_words(j, paid.total, &paid);
    if (a->paid == NULL || a->due == NULL)
        return err_set(e, ERR_NO_MEMORY, "the transaction is too large");
    return ERR_OK;
}

static enum err_code say(struct journal *j, const struct arrival *a, enum verdict_reason reason,
                         const char *sold, const char *published, struct err *e)
{
    struct record_name record = {a->event.location, a->event.record_type, a->event.record_id};
    struct judgement judgement = {.target = a->event.id,
                                  .verdict = {JUDGED_APPLIED, .reason = reason},
                                  .sold = str_of(sold),
                                  .published = str_of(published)};
    return journal_say(j, &record, &judgement, e);
}

enum err_code journal_judge_paid(struct journal *j, const struct arrival *arrivals, struct err *e)
{
    enum err_code code = ERR_OK;
    for (const struct arrival *a = arrivals; a != NULL && code == ERR_OK; a = a->next) {
        if (a->paid != NULL)
            code = say(j, a, REASON_PAYMENTS, a->paid, a->due, e);
        if (code == ERR_OK && a->odd != NULL)
            code = say(j, a, REASON_ODD, a->odd, "", e);
    }
    return code;
}
