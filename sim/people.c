// SPDX-License-Identifier: Apache-2.0
#include "sim/people.h"

#include "model/people.h"
#include "model/rights.h"
#include "model/role.h"
#include "sim/authority.h"
#include "sim/shop.h"
#include "sim/shop_end.h"

#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 1024, STRANGER = MAX_PEOPLE - 1 };
enum { OF_ROLE, OF_ACTIVE, OF_PLACES }; // fields of a user; a role has its rights

static const char *const names[MAX_PEOPLE] = {"P0", "P1", "P2", "P3"};
static const char *const role_names[] = {"manager", "cashier", "waiter", "R1"};
enum { ROLES = sizeof role_names / sizeof role_names[0] };

const char *people_name(int number)
{
    return names[number];
}

static int number_of(struct str name)
{
    for (int i = 0; i < MAX_PEOPLE; i++) {
        if (str_is(name, names[i]))
            return i;
    }
    return -1;
}

// ---- the centre says --------------------------------------------------------------------------

static void write_places(struct world *w, struct shop_item *s, struct buf *body)
{
    const char *comma = "";
    bool all = rng_chance(&w->rng, 1, 2);
    s->fields[OF_PLACES].written = true;
    MUST(buf_append_str(body, STR(",\"places\":[")) == ERR_OK);
    for (int i = 0; i <= MAX_PLACES; i++) {
        bool in = i == PLACE_CHAIN ? all : !all && rng_chance(&w->rng, 3, 4);
        if (!in)
            continue;
        s->quantity |= INT64_C(1) << i;
        MUST(buf_append_format(body, "%s{\"location\":\"%s\"}", comma, world_place(i)) == ERR_OK);
        comma = ",";
    }
    MUST(buf_append_str(body, STR("]")) == ERR_OK);
}

// Whoever is hired is told of whole; later events say a part.
static void write_user(struct world *w, int number, struct shop_item *s, struct buf *body)
{
    bool first = book_fold(w, &w->centre.book, s->of) == NULL;
    MUST(buf_append_format(body, "{\"code\":\"%d\"", number) == ERR_OK);
    if (first || rng_chance(&w->rng, 1, 2)) {
        const char *role =
            first && number == 0 ? role_names[0] : role_names[rng_below(&w->rng, ROLES)];
        s->fields[OF_ROLE].written = true;
        snprintf(s->fields[OF_ROLE].value, SHOP_TEXT, "%s", role);
        MUST(buf_append_format(body, ",\"role\":\"%s\"", role) == ERR_OK);
    }
    if (first || rng_chance(&w->rng, 1, 3)) {
        bool active = first || rng_chance(&w->rng, 2, 3);
        s->fields[OF_ACTIVE].written = true;
        snprintf(s->fields[OF_ACTIVE].value, SHOP_TEXT, "%d", active);
        MUST(buf_append_format(body, ",\"active\":%s", active ? "true" : "false") == ERR_OK);
    }
    if (first || rng_chance(&w->rng, 1, 4))
        write_places(w, s, body);
    MUST(buf_append_str(body, STR("}")) == ERR_OK);
}

static void write_role(struct world *w, struct shop_item *s, struct buf *body)
{
    const char *comma = "";
    s->fields[0].written = true;
    MUST(buf_append_str(body, STR("{\"rights\":[")) == ERR_OK);
    for (int i = 0; i < MAY_NODE; i++) {
        if (rng_chance(&w->rng, 1, 4))
            continue;
        s->quantity |= INT64_C(1) << i;
        MUST(buf_append_format(body, "%s{\"right\":\"%s\"}", comma, right_table[i].name) == ERR_OK);
        comma = ",";
    }
    MUST(buf_append_str(body, STR("]}")) == ERR_OK);
}

static void say_of(struct world *w, enum shop_kind kind, int number)
{
    struct event draft;
    struct buf body;
    bool user = kind == SHOP_USER;
    struct shop_record *of =
        shop_record_at(w, PLACE_CHAIN, kind, user ? names[number] : role_names[number]);
    if (of->count >= SHOP_EVENTS)
        return;
    struct item *item = shop_say(w, of, user ? "user_set" : "role_set", &draft);
    item->shop->verb = SHOP_WRITE;
    buf_init(&body, BODY_MAX);
    if (user)
        write_user(w, number, item->shop, &body);
    else
        write_role(w, item->shop, &body);
    world_trace(w, "  the centre says of %s %s: %.*s", user ? "user" : "role", of->id,
                STR_ARG(buf_str(&body)));
    authority_put(w, item, &draft, &body);
    buf_fini(&body);
}

bool people_any(const struct world *w)
{
    for (int i = 0; i < MAX_PEOPLE; i++) {
        const struct shop_record *of = shop_record_find(w, PLACE_CHAIN, SHOP_USER, names[i]);
        for (int k = 0; of && k < of->count; k++) {
            if (of->items[k]->counted)
                return true;
        }
    }
    return false;
}

// Mostly nobody tells of the last one.
void people_say(struct world *w)
{
    bool any = people_any(w);
    for (int i = 0; !any && i < STRANGER; i++)
        say_of(w, SHOP_USER, i);
    if (!any)
        return;
    if (rng_chance(&w->rng, 1, 4))
        say_of(w, SHOP_ROLE, (int)rng_below(&w->rng, ROLES));
    else
        say_of(w, SHOP_USER,
               (int)rng_below(&w->rng, rng_chance(&w->rng, 1, 8) ? MAX_PEOPLE : STRANGER));
}

// ---- as nodes know it --------------------------------------------------------------------------

struct newest {
    struct str clock;
    struct uuid id;
};

static void note_newest(const struct row_list *rows, struct newest *to)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->items[i];
        if (strcmp(row->table->name, "users") != 0 && strcmp(row->table->name, "roles") != 0)
            continue;
        struct str clock = shop_value(row, "changed_hlc")->text;
        if (to->clock.n && str_compare(clock, to->clock) <= 0)
            continue;
        to->clock = clock;
        to->id = shop_value(row, "changed_in")->uuid;
    }
}

static struct record *fold_of(struct world *w, struct book *at, enum shop_kind kind, struct str id)
{
    for (uint64_t i = 0; i < w->shop.count; i++) {
        const struct shop_record *of = w->shop.records[i];
        if (of->kind == kind && str_is(id, of->id))
            return book_fold(w, at, of);
    }
    return NULL;
}

static void rows_of(struct world *w, const struct record *fold, struct row_list *ret)
{
    row_list_init(ret, &w->scratch);
    if (fold)
        MUST(record_rows(fold, &w->scratch, ret) == ERR_OK);
}

static bool is_any(struct world *w, struct book *at)
{
    for (int i = 0; i < MAX_PEOPLE; i++) {
        struct record *fold = fold_of(w, at, SHOP_USER, str_of(names[i]));
        if (fold && record_count(fold))
            return true;
    }
    return false;
}

// As src/store/sqlite/people.c, store_rights_now.
static enum rights_answer rights_now(struct world *w, struct book *at, const struct event *event,
                                     struct uuid *ret_grant)
{
    struct row_list rows;
    struct people_user user;
    struct newest newest = {.clock = STR("")};
    *ret_grant = (struct uuid){.b = {0}};
    if (event->actor.n == 0 || event->type->right == MAY_NODE || !is_any(w, at))
        return RIGHTS_ALLOWED;
    rows_of(w, fold_of(w, at, SHOP_USER, event->actor), &rows);
    note_newest(&rows, &newest);
    people_user_of(&rows, event->location, &user);
    struct rights_actor actor = {user.known, user.active, user.here, 0};
    rows_of(w, user.known ? fold_of(w, at, SHOP_ROLE, user.role) : NULL, &rows);
    note_newest(&rows, &newest);
    if (user.known)
        actor.rights = people_rights_of(&rows, user.role);
    *ret_grant = newest.id;
    return rights_check(event, &actor);
}

void people_author(struct world *w, struct till *t, struct item *item, struct event *draft)
{
    int first = (int)rng_below(&w->rng, MAX_PEOPLE);
    bool tampered = world_chance(w, w->knobs.tampered);
    item->actor = -1;
    for (int i = 0; i < MAX_PEOPLE && item->actor < 0; i++) {
        int number = (first + i) % MAX_PEOPLE;
        draft->actor = str_of(names[number]);
        enum rights_answer answer = rights_now(w, &t->disk.book, draft, &draft->grant);
        if (answer == RIGHTS_ALLOWED || answer == RIGHTS_UNKNOWN_ACTOR || tampered)
            item->actor = number;
    }
    if (item->actor >= 0)
        return;
    draft->actor = STR("");
    draft->grant = (struct uuid){.b = {0}};
}

bool people_may_at(struct world *w, struct till *t, const struct item *item, struct event *draft)
{
    if (item->actor < 0)
        return true;
    draft->actor = str_of(names[item->actor]);
    enum rights_answer answer = rights_now(w, &t->disk.book, draft, &draft->grant);
    return answer == RIGHTS_ALLOWED || answer == RIGHTS_UNKNOWN_ACTOR;
}

// ---- as the authority judges -------------------------------------------------------------------

static bool find_grant(struct world *w, const struct event *event, struct event_order *ret)
{
    const struct item *item = uuid_is_zero(&event->grant) ? NULL : shop_find(w, &event->grant);
    const struct carrier *c = item ? book_shown(&w->centre.book, item) : NULL;
    struct event grant;
    if (c == NULL)
        return false;
    MUST(event_parse(c->bytes, &w->scratch, &grant, NULL) == ERR_OK);
    *ret = event_order_of(&grant);
    return people_relies_on(event, &grant);
}

static bool before_all(struct world *w, hlc until)
{
    char text[HLC_TEXT_SIZE];
    hlc_format(until, text);
    for (int i = 0; i < MAX_PEOPLE; i++) {
        struct row_list rows;
        rows_of(w, fold_of(w, &w->centre.book, SHOP_USER, str_of(names[i])), &rows);
        for (size_t k = 0; k < rows.count; k++) {
            const struct row *row = &rows.items[k];
            if (strcmp(row->table->name, "users") == 0 &&
                str_compare(shop_value(row, "since")->text, str_of(text)) < 0)
                return false;
        }
    }
    return true;
}

// As store_rights_then, without its short cut.
bool people_lack_right(struct world *w, const struct event *event)
{
    struct event_order until = event_order_of(event), grant;
    struct people_user user;
    if (event->actor.n == 0 || event->type->right == MAY_NODE || !is_any(w, &w->centre.book))
        return false;
    bool relied = find_grant(w, event, &grant);
    if (relied)
        until = grant;
    struct record *fold = fold_of(w, &w->centre.book, SHOP_USER, event->actor);
    MUST(people_user_until(fold, &until, event->location, &w->scratch, &user) == ERR_OK);
    struct rights_actor actor = {user.known, user.active, user.here, 0};
    fold = user.known ? fold_of(w, &w->centre.book, SHOP_ROLE, user.role) : NULL;
    if (user.known)
        MUST(people_rights_until(fold, &until, user.role, &w->scratch, &actor.rights) == ERR_OK);
    if (!actor.known && !relied && before_all(w, until.hlc))
        return false;
    return rights_check(event, &actor) != RIGHTS_ALLOWED;
}

// ---- as it was meant ---------------------------------------------------------------------------

struct truth {
    bool any, known, active, here;
    uint32_t rights;
};

static uint32_t rights_meant(const struct world *w, const struct book *at, const char *role,
                             const struct event_order *until)
{
    const struct shop_record *of = shop_record_find(w, PLACE_CHAIN, SHOP_ROLE, role);
    const struct item *said = of ? shop_said_last(at, of, 0, until) : NULL;
    const struct role *preset = role_find(str_of(role));
    return said ? (uint32_t)said->shop->quantity : preset ? preset->rights : 0;
}

// Of what stands in that book, up to there in the order; NULL: all of it.
static struct truth truth_of(const struct world *w, const struct book *at, int actor, int place,
                             const struct event_order *until)
{
    struct truth truth = {.active = true};
    for (int i = 0; i < MAX_PEOPLE; i++) {
        const struct shop_record *of = shop_record_find(w, PLACE_CHAIN, SHOP_USER, names[i]);
        truth.any = truth.any || (of && shop_said_first(at, of));
    }
    const struct shop_record *user = shop_record_find(w, PLACE_CHAIN, SHOP_USER, names[actor]);
    if (user == NULL)
        return truth;
    const struct item *role = shop_said_last(at, user, OF_ROLE, until);
    const struct item *active = shop_said_last(at, user, OF_ACTIVE, until);
    const struct item *places = shop_said_last(at, user, OF_PLACES, until);
    const struct carrier *first = shop_said_first(at, user);
    truth.known = first && (until == NULL || event_order_compare(&first->shop->order, until) <= 0);
    if (active)
        truth.active = active->shop->fields[OF_ACTIVE].value[0] == '1';
    if (places)
        truth.here =
            places->shop->quantity >> place & 1 || places->shop->quantity >> PLACE_CHAIN & 1;
    if (role)
        truth.rights = rights_meant(w, at, role->shop->fields[OF_ROLE].value, until);
    return truth;
}

static bool has_right(const struct truth *truth, const struct event *event)
{
    return truth->known && truth->active && truth->here &&
           rights_have(truth->rights, rights_needed(event));
}

void people_stamped(const struct world *w, const struct book *shown, struct carrier *c,
                    const struct event *event)
{
    c->grant = event->grant;
    c->knew = KNEW_NOTHING;
    if (c->item->actor < 0)
        return;
    struct truth truth = truth_of(w, shown, c->item->actor, c->item->place, NULL);
    if (truth.any && truth.known)
        c->knew = has_right(&truth, event) ? KNEW_ALLOWED : KNEW_REFUSED;
}

static const struct carrier *grant_meant(const struct world *w, const struct carrier *c)
{
    const struct item *item = uuid_is_zero(&c->grant) ? NULL : shop_find(w, &c->grant);
    if (item == NULL || item->shop->of->place != PLACE_CHAIN)
        return NULL;
    bool own =
        item->shop->of->kind == SHOP_USER && strcmp(item->shop->of->id, names[c->item->actor]) == 0;
    return own || item->shop->of->kind == SHOP_ROLE ? book_shown(&w->centre.book, item) : NULL;
}

static bool any_before(const struct world *w, hlc until)
{
    for (int i = 0; i < MAX_PEOPLE; i++) {
        const struct shop_record *of = shop_record_find(w, PLACE_CHAIN, SHOP_USER, names[i]);
        const struct carrier *first = of ? shop_said_first(&w->centre.book, of) : NULL;
        if (first && first->shop->order.hlc < until)
            return true;
    }
    return false;
}

bool people_unauthorised(struct world *w, const struct carrier *c, const struct event *event)
{
    if (number_of(event->actor) < 0)
        return false;
    const struct carrier *grant = grant_meant(w, c);
    struct event_order until = event_order_of(event);
    if (grant)
        until = grant->shop->order;
    struct truth truth = truth_of(w, &w->centre.book, c->item->actor, c->item->place, &until);
    if (!truth.any || (!truth.known && grant == NULL && !any_before(w, until.hlc)))
        return false;
    bool lacks = !has_right(&truth, event);
    bool knew = grant && c->knew != KNEW_NOTHING && w->lines == 0;
    if (knew && lacks != (c->knew == KNEW_REFUSED))
        world_fail(w, SIM_DIVERGENT, "%s of %s is not judged by what the device could know",
                   event->type->name, names[c->item->actor]);
    return lacks;
}

// ---- after quiet ------------------------------------------------------------------------------

void people_check(const struct shop_end *end)
{
    const struct shop_record *of = end->of;
    const struct book *at = &end->w->centre.book;
    bool user = of->kind == SHOP_USER;
    struct row_list rows = end->rows;
    if (!user && people_rights_of(&rows, str_of(of->id)) != rights_meant(end->w, at, of->id, NULL))
        shop_end_wrong(end, 0, "its rights are not those said last");
    for (int place = 0; user && place < MAX_PLACES; place++) {
        struct people_user is;
        struct truth truth = truth_of(end->w, at, number_of(str_of(of->id)), place, NULL);
        const struct item *role = shop_said_last(at, of, OF_ROLE, NULL);
        people_user_of(&rows, str_of(world_place(place)), &is);
        if (is.known != truth.known || is.active != truth.active || is.here != truth.here ||
            (role && !str_is(is.role, role->shop->fields[OF_ROLE].value)))
            shop_end_wrong(end, 0, "the user is not what was said last");
    }
}
