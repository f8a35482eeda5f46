// SPDX-License-Identifier: Apache-2.0
//
// Rights are asked for with each event that has an actor: as they are now, from the rows of users
// and roles; as they were, only where something changed since, from the records themselves.
#include "model/people.h"
#include "model/role.h"
#include "store/sqlite/state.h"

#include <string.h>

enum { THEN_BYTES = 16 * 1024 * 1024 };

// The newest event that made somebody's rights what they are.
struct newest {
    char clock[HLC_TEXT_SIZE]; // hybrid, as text
    struct uuid id;
};

static void note_newest(struct query *q, int column, struct newest *to)
{
    char text[HLC_TEXT_SIZE] = "";
    struct uuid id = {.b = {0}};
    if (str_copy(text, sizeof text, query_get_text(q, column)) || strcmp(text, to->clock) <= 0 ||
        !query_get_uuid(q, column + 1, &id))
        return;
    memcpy(to->clock, text, sizeof text);
    to->id = id;
}

// What was put of users and roles in this transaction is in their tables from now on.
static enum err_code flush_chain(struct store *s, struct err *e)
{
    return s->fold.records.chain_touched ? fold_flush(&s->fold, e) : ERR_OK;
}

static enum err_code any(struct store *s, enum db_statement which, const char *since, bool *ret,
                         struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, which);
    if (since != NULL)
        query_text(&q, str_of(since));
    *ret = query_row(&q);
    return query_end(&q, e);
}

// ---- now ---------------------------------------------------------------------------------------

static enum err_code read_rights(struct store *s, struct str role, uint32_t *ret, struct err *e)
{
    struct query q;
    *ret = 0;
    query_begin(&q, &s->db, Q_ROLE_RIGHTS);
    query_text(&q, role);
    while (query_row(&q)) {
        enum event_right right;
        if (rights_parse(query_get_text(&q, 0), &right) == ERR_OK)
            *ret |= UINT32_C(1) << right;
    }
    return query_end(&q, e);
}

static enum err_code read_role(struct store *s, struct str role, uint32_t *ret,
                               struct newest *newest, struct err *e)
{
    struct query q;
    const struct role *preset = role_find(role);
    query_begin(&q, &s->db, Q_ROLE);
    query_text(&q, role);
    bool given = query_row(&q);
    if (given) {
        note_newest(&q, 1, newest);
        given = query_get_int(&q, 0) != 0;
    }
    enum err_code code = query_end(&q, e);
    *ret = preset ? preset->rights : 0;
    return code == ERR_OK && given ? read_rights(s, role, ret, e) : code;
}

enum err_code store_role_rights(struct store *s, struct str role, uint32_t *ret, struct err *e)
{
    struct newest newest = {.clock = ""};
    return read_role(s, role, ret, &newest, e);
}

static enum err_code read_actor(struct store *s, const struct event *event,
                                struct rights_actor *ret, struct newest *newest, struct err *e)
{
    struct query q;
    char role[LIMIT_NAME + 1] = "";
    *ret = (struct rights_actor){.known = false};
    query_begin(&q, &s->db, Q_USER);
    query_text(&q, event->location);
    query_text(&q, event->actor);
    if (query_row(&q)) {
        ret->known = true;
        ret->active = query_get_int(&q, 1) != 0;
        ret->here = query_get_int(&q, 4) != 0;
        note_newest(&q, 2, newest);
        if (str_copy(role, sizeof role, query_get_text(&q, 0)))
            role[0] = '\0';
    }
    enum err_code code = query_end(&q, e);
    if (code || !ret->known)
        return code;
    return read_role(s, str_of(role), &ret->rights, newest, e);
}

// *ret_asked: whether anything is to be asked about the event's actor.
static enum err_code is_asked(struct store *s, const struct event *event, bool *ret_asked,
                              struct err *e)
{
    *ret_asked = false;
    if (event->actor.n == 0 || event->type == NULL || event->type->right == MAY_NODE)
        return ERR_OK;
    enum err_code code = flush_chain(s, e);
    return code ? code : any(s, Q_USERS_ANY, NULL, ret_asked, e);
}

enum err_code store_rights_now(struct store *s, const struct event *event, struct store_rights *ret,
                               struct err *e)
{
    struct rights_actor actor;
    struct newest newest = {.clock = ""};
    bool asked = false;
    *ret = (struct store_rights){.answer = RIGHTS_ALLOWED};
    enum err_code code = is_asked(s, event, &asked, e);
    if (code || !asked)
        return code;
    code = read_actor(s, event, &actor, &newest, e);
    ret->answer = rights_check(event, &actor);
    ret->grant = newest.id;
    return code;
}

// ---- then --------------------------------------------------------------------------------------

static enum err_code look(struct store *s, const char *type, struct str id,
                          const struct record **ret, struct err *e)
{
    struct record_name name = {STR(FEED_CHAIN), str_of(type), id};
    *ret = NULL;
    return records_look(&s->fold.records, &name, ret, e);
}

static enum err_code actor_until(struct store *s, const struct event *event,
                                 const struct event_order *until, struct rights_actor *ret,
                                 struct err *e)
{
    struct arena a;
    const struct record *record;
    struct people_user found = {.known = false};
    arena_init(&a, THEN_BYTES);
    enum err_code code = look(s, "user", event->actor, &record, e);
    if (code == ERR_OK && people_user_until(record, until, event->location, &a, &found))
        code = err_set(e, ERR_NO_MEMORY, "out of memory for rights");
    *ret = (struct rights_actor){found.known, found.active, found.here, 0};
    if (code == ERR_OK && found.known)
        code = look(s, "role", found.role, &record, e);
    if (code == ERR_OK && found.known &&
        people_rights_until(record, until, found.role, &a, &ret->rights))
        code = err_set(e, ERR_NO_MEMORY, "out of memory for rights");
    arena_fini(&a);
    return code;
}

// Where the grant of an event is in the order, if it is one of its actor or of a role.
static enum err_code find_grant(struct store *s, const struct event *event, struct event_order *ret,
                                bool *ret_found, struct err *e)
{
    struct arena a;
    struct store_event_list list = {.count = 0};
    struct event grant;
    *ret_found = false;
    if (uuid_is_zero(&event->grant))
        return ERR_OK;
    arena_init(&a, THEN_BYTES);
    enum err_code code = store_find_event(s, &event->grant, &a, &list, e);
    if (code == ERR_NOT_FOUND)
        code = ERR_OK;
    for (size_t i = 0; i < list.count && code == ERR_OK && !*ret_found; i++) {
        if (event_parse(list.items[i].bytes, &a, &grant, NULL))
            continue;
        *ret_found = people_relies_on(event, &grant);
        *ret = event_order_of(&grant);
    }
    arena_fini(&a);
    return code;
}

// Up to where its author's knowledge of the actor went.
static enum err_code known_until(struct store *s, const struct event *event,
                                 struct event_order *ret, bool *ret_relied, struct err *e)
{
    *ret = event_order_of(event);
    struct event_order grant;
    enum err_code code = find_grant(s, event, &grant, ret_relied, e);
    if (code == ERR_OK && *ret_relied)
        *ret = grant;
    return code;
}

// Nobody was a user yet when it was written: then nobody could be asked for rights.
static enum err_code before_all(struct store *s, const struct event_order *until, bool *ret,
                                struct err *e)
{
    char text[HLC_TEXT_SIZE];
    bool since = false;
    hlc_format(until->hlc, text);
    enum err_code code = any(s, Q_USERS_SINCE, text, &since, e);
    *ret = !since;
    return code;
}

enum err_code store_rights_then(struct store *s, const struct event *event, enum rights_answer *ret,
                                struct err *e)
{
    struct rights_actor actor;
    struct newest newest = {.clock = ""};
    struct event_order until;
    char own[HLC_TEXT_SIZE];
    bool asked = false, relied = false, early = false;
    *ret = RIGHTS_ALLOWED;
    enum err_code code = is_asked(s, event, &asked, e);
    if (code || !asked)
        return code;
    code = read_actor(s, event, &actor, &newest, e);
    hlc_format(event->hlc, own);
    bool as_now = uuid_is_zero(&event->grant) ? strcmp(newest.clock, own) < 0
                                              : uuid_equal(&event->grant, &newest.id);
    if (code == ERR_OK && !(as_now && actor.known)) {
        code = known_until(s, event, &until, &relied, e);
        if (code == ERR_OK)
            code = actor_until(s, event, &until, &actor, e);
        if (code == ERR_OK && !actor.known && !relied)
            code = before_all(s, &until, &early, e);
    }
    if (code == ERR_OK && !early)
        *ret = rights_check(event, &actor);
    return code;
}
