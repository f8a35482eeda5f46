// SPDX-License-Identifier: Apache-2.0
#include "test/unit/model/generate.h"

#include "model/question.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

const struct generator generators[] = {
    {"batch", generate_batch},
    {"order", generate_order},
    {"review", generate_review},
    {"table", generate_table},
    {"availability", generate_availability},
    {"unmet", generate_unmet},
    {"customer", generate_customer},
    {"reservation", generate_reservation},
    {"stock", generate_asked},
    {"ticket", generate_asked},
    {"shift", generate_shift},
    {"item", generate_item},
    {"price", generate_price},
    {"tax", generate_tax},
    {"promotion", generate_promotion},
    {"recipe", generate_recipe},
    {"role", generate_role},
    {"setting", generate_setting},
    {"authority", generate_authority},
    {"user", generate_user},
};
const size_t generator_count = COUNT_OF(generators);

const struct generator *generator_of(const struct reducer *reducer)
{
    for (size_t i = 0; i < generator_count; i++) {
        if (strcmp(generators[i].record_type, reducer->record_type) == 0)
            return &generators[i];
    }
    return NULL;
}

// ---- answers ----------------------------------------------------------------------------------

// Columns of record_reviews.
enum { KIND = 2, PART = 3, TRIGGERS = 4 };

// Some of the question's triggers, as the body of an answer lists them.
static void pick_triggers(struct rng *rng, struct str triggers, char *to, size_t size)
{
    struct str id;
    size_t used = 0;
    to[0] = '\0';
    while (str_cut(&triggers, ' ', &id) && size - used > UUID_TEXT_SIZE + 16) {
        if (rng_chance(rng, 2, 3))
            used += (size_t)snprintf(to + used, size - used, "%s{\"event\":\"%.*s\"}",
                                     used ? "," : "", STR_ARG(id));
    }
}

// The device answers one of the questions that it sees, if there is any.
static void answer(struct history *h, struct rng *rng, int device)
{
    struct arena arena;
    struct row_list list;
    const struct row *asked = NULL;
    static char triggers[1 << 13];
    char part[LIMIT_TEXT] = "";
    uint64_t seen = 0;
    arena_init(&arena, RECORD_BYTES);
    assert_int_equal(record_rows(h->devices[device].record, &arena, &list), ERR_OK);
    for (size_t i = 0; i < list.count; i++) {
        if (list.items[i].table == &question_table && rng_below(rng, ++seen) == 0)
            asked = &list.items[i];
    }
    if (asked != NULL) {
        pick_triggers(rng, asked->values[TRIGGERS].text, triggers, sizeof triggers);
        if (!asked->values[PART].null)
            snprintf(part, sizeof part, "\"part\":\"%.*s\",", STR_ARG(asked->values[PART].text));
        history_write(h, device, "review_resolved",
                      "{\"review\":\"%.*s\",%s\"decision\":\"%s\",\"triggers\":[%s]}",
                      STR_ARG(asked->values[KIND].text), part,
                      rng_chance(rng, 1, 2) ? "accept" : "reject", triggers);
    }
    arena_fini(&arena);
}

// ---- judgements -------------------------------------------------------------------------------

static void judge(struct history *h, struct rng *rng, int device)
{
    static const char *const outcomes[] = {"applied", "held", "denied", "duplicate"};
    static const char *const reasons[] = {"clock", "unauthorised", "stock", "deadline"};
    char effective[64] = "", answered[64] = "";
    if (rng_chance(rng, 1, 3)) {
        char text[HLC_TEXT_SIZE];
        hlc_format(h->events[rng_below(rng, h->count)].hlc + rng_below(rng, 3), text);
        snprintf(effective, sizeof effective, ",\"effective\":\"%s\"", text);
    }
    if (rng_chance(rng, 1, 4))
        snprintf(answered, sizeof answered, ",\"answer\":\"%s\"", history_id_text(7));
    history_write(h, device, "event_judged",
                  "{\"target\":\"%s\",\"outcome\":\"%s\",\"reason\":\"%s\",\"term\":%d%s%s}",
                  history_id_text(0x100000 + rng_below(rng, h->count + 2)),
                  outcomes[rng_below(rng, 4)], reasons[rng_below(rng, COUNT_OF(reasons))],
                  (int)rng_below(rng, 3), effective, answered);
}

// Somebody answers a question that no record asks; somebody else too.
void generate_review(struct history *h, struct rng *rng, int device)
{
    history_write(h, device, "review_resolved",
                  "{\"review\":\"fork\",\"record\":\"a till\",\"decision\":\"%s\",\"note\":\"n%d\","
                  "\"triggers\":[]}",
                  rng_chance(rng, 1, 2) ? "accept" : "reject", (int)rng_below(rng, 9));
}

void generate_batch(struct history *h, struct rng *rng, int device)
{
    uint64_t from = 1 + rng_below(rng, 50);
    history_write(h, device, "event_judged",
                  "{\"outcome\":\"applied\",\"reason\":\"late\",\"term\":1,\"from\":%d,\"to\":%d,"
                  "\"held\":%d,\"oldest_at\":%d}",
                  (int)from, (int)(from + rng_below(rng, 9)), (int)rng_below(rng, 2),
                  (int)rng_below(rng, 99));
}

// What was judged of events that the record itself does not hold.
void generate_asked(struct history *h, struct rng *rng, int device)
{
    static const char *const reasons[] = {"difference", "overlap", "unauthorised", "below_zero",
                                          "price"};
    if (h->count > 0 && rng_chance(rng, 1, 5)) {
        history_write(h, device, "event_judged",
                      "{\"target\":\"%s\",\"outcome\":\"applied\",\"reason\":\"explained\","
                      "\"term\":0,\"review\":\"%s\"}",
                      history_id_text(0x100000 + rng_below(rng, h->count + 2)),
                      reasons[rng_below(rng, COUNT_OF(reasons))]);
        return;
    }
    history_write(h, device, "event_judged",
                  "{\"target\":\"%s\",\"outcome\":\"applied\",\"reason\":\"%s\",\"term\":%d,"
                  "\"shown\":\"%d\",\"expected\":\"%d\",\"correction\":\"%d\"}",
                  history_id_text(rng_below(rng, 4)), reasons[rng_below(rng, COUNT_OF(reasons))],
                  (int)rng_below(rng, 3), (int)rng_below(rng, 50), (int)rng_below(rng, 50),
                  (int)rng_between(rng, -9, 9));
}

// ---- histories --------------------------------------------------------------------------------

void generate_history(struct history *h, struct rng *rng)
{
    const struct generator *generator = generator_of(h->reducer);
    size_t events = 2 + rng_below(rng, 40);
    int devices = 2 + (int)rng_below(rng, 4);
    bool judged = rng_chance(rng, 1, 2); // what is not judged folds one by one
    for (int i = 0; i < devices; i++) {
        if (rng_chance(rng, 1, 3))
            h->devices[i].clock_off_ms = rng_between(rng, -7200000, 7200000);
    }
    while (h->count < events) {
        int device = (int)rng_below(rng, (uint64_t)devices);
        uint64_t what = rng_below(rng, 10);
        if (h->count > 0 && what < 4)
            history_tell(h, device, rng_below(rng, h->count));
        else if (h->count > 0 && judged && rng_chance(rng, 1, 12))
            judge(h, rng, device);
        else if (what < 5)
            answer(h, rng, device);
        else
            generator->write(h, rng, device);
    }
}

void generate_forgery(struct history *h, struct rng *rng)
{
    for (int i = 0; i < 3; i++) {
        struct event *a = &h->events[rng_below(rng, h->count)];
        struct event *b = &h->events[rng_below(rng, h->count)];
        hlc was = a->hlc;
        a->hlc = b->hlc;
        b->hlc = was;
        a = &h->events[rng_below(rng, h->count)];
        a->base[0] = h->events[rng_below(rng, h->count)].id;
        a->base_count = a->base_count ? a->base_count : 1;
    }
}
