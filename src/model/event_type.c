// SPDX-License-Identifier: Apache-2.0
#include "model/event_type.h"

#include "base/decimal.h"
#include "model/effect.h"
#include "model/event_body.h"
#include "model/record.h"

#include <string.h>

// ---- bodies -----------------------------------------------------------------------------------

static const struct field line_fields[] = {
    {"n", FIELD_INTEGER, true, NULL, "number of the line, from 1"},
    {"sku", FIELD_NAME, true, NULL, "the stock-keeping unit"},
    {"name", FIELD_TEXT, false, NULL, "as printed"},
    {"quantity", FIELD_DECIMAL, true, NULL, "units; negative when given back"},
    {"unit_price", FIELD_DECIMAL, true, NULL, "price of one unit in major units"},
    {"amount", FIELD_AMOUNT, true, NULL, "quantity x unit_price, rounded half away from zero"},
    {"catalog", FIELD_INTEGER, false, NULL, "the catalog's version that its author had before him"},
    {NULL, FIELD_TEXT, false, NULL, NULL}};

static const struct field payment_fields[] = {
    {"method", FIELD_NAME, true, NULL, "cash, card, ..."},
    {"currency", FIELD_CURRENCY, true, NULL, "of the amount"},
    {"amount", FIELD_AMOUNT, true, NULL, "minor units; negative when given back"},
    {NULL, FIELD_TEXT, false, NULL, NULL}};

static const struct field ticket_fields[] = {
    {"ticket", FIELD_NAME, true, NULL, "number as printed"},
    {"kind", FIELD_NAME, true, NULL,
     "sale, cancellation or return; the last two have no quantity above zero"},
    {"till", FIELD_NAME, false, NULL, "which till, where the source says so"},
    {"customer", FIELD_NAME, false, NULL, "a code, never a name"},
    {"currency", FIELD_CURRENCY, true, NULL, "of total and amounts"},
    {"places", FIELD_PLACES, true, NULL, "decimal places of the currency"},
    {"lines", FIELD_LIST, true, line_fields, "what was sold; it leaves stock"},
    {"total", FIELD_AMOUNT, true, NULL, "the sum of the lines' amounts, as a check"},
    {"payments", FIELD_LIST, true, payment_fields, "money taken"},
    {"shift", FIELD_NAME, false, NULL, "in which it happened: the record of a shift"},
    {NULL, FIELD_TEXT, false, NULL, NULL}};

#define SKU_AND_QUANTITY                                                                           \
    {"sku", FIELD_NAME, true, NULL, "the stock-keeping unit"},                                     \
    {                                                                                              \
        "quantity", FIELD_DECIMAL, true, NULL, "units, above zero"                                 \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, FIELD_TEXT, false, NULL, NULL                                                        \
    }

static const struct field received_fields[] = {
    SKU_AND_QUANTITY,
    {"lot", FIELD_NAME, false, NULL, "the supplier's lot"},
    {"expiry", FIELD_DATE, false, NULL, "last day of sale"},
    {"supplier", FIELD_NAME, false, NULL, "a code"},
    {"cost", FIELD_DECIMAL, false, NULL, "cost of one unit in major units"},
    {"currency", FIELD_CURRENCY, false, NULL, "of the cost"},
    END};
static const struct field sold_fields[] = {
    SKU_AND_QUANTITY,
    {"unit_price", FIELD_DECIMAL, false, NULL, "price of one unit in major units"},
    {"currency", FIELD_CURRENCY, false, NULL, "of the price"},
    {"reference", FIELD_NAME, false, NULL, "the transaction it belongs to"},
    {"seen_quantity", FIELD_DECIMAL, false, NULL, "what the author's view said was there before"},
    END};
static const struct field returned_fields[] = {
    SKU_AND_QUANTITY, {"reason", FIELD_TEXT, false, NULL, "why it came back"}, END};
static const struct field transferred_fields[] = {
    SKU_AND_QUANTITY,
    {"destination", FIELD_LOCATION, true, NULL, "the location it goes to"},
    {"lot", FIELD_NAME, false, NULL, "the lot that left"},
    {"transit_hours", FIELD_DECIMAL, false, NULL, "expected time on the road"},
    END};
static const struct field arrived_fields[] = {
    SKU_AND_QUANTITY,
    {"source", FIELD_LOCATION, true, NULL, "the location it came from"},
    {"lot", FIELD_NAME, false, NULL, "the lot that arrived"},
    END};
static const struct field wasted_fields[] = {
    SKU_AND_QUANTITY,
    {"reason", FIELD_TEXT, true, NULL, "expired, broken, ..."},
    {"disposal", FIELD_TEXT, false, NULL, "what was done with it"},
    END};
static const struct field adjusted_fields[] = {
    {"sku", FIELD_NAME, true, NULL, "the stock-keeping unit"},
    {"counted", FIELD_DECIMAL, true, NULL, "what was found"},
    {"system", FIELD_DECIMAL, true, NULL, "what the author's view said"},
    {"variance", FIELD_DECIMAL, true, NULL, "counted - system: the delta that is applied"},
    {"reason", FIELD_TEXT, false, NULL, "why"},
    END};
static const struct field counted_part_fields[] = {
    {"sku", FIELD_NAME, true, NULL, "the stock-keeping unit"},
    {"counted", FIELD_DECIMAL, true, NULL, "what was found"},
    {"system", FIELD_DECIMAL, true, NULL, "what the author's view said"},
    {"variance", FIELD_DECIMAL, true, NULL, "counted - system: the delta that is applied"},
    {"count", FIELD_NAME, true, NULL, "the complete count that it belongs to"},
    {"part", FIELD_INTEGER, true, NULL, "which of its parts this is, from 1"},
    {"parts", FIELD_INTEGER, true, NULL, "how many there are"},
    END};
static const struct field location_fields[] = {
    {"name", FIELD_TEXT, true, NULL, "for people"},
    {"region", FIELD_NAME, false, NULL, "for fairness and reports"},
    {"timezone", FIELD_NAME, false, NULL, "IANA name"},
    END};
static const struct field enrolled_fields[] = {
    {"role", FIELD_NAME, true, NULL, "terminal, branch or central"},
    {"location", FIELD_LOCATION, true, NULL, "the one place it may write for"},
    {"key", FIELD_KEY, true, NULL, "its Ed25519 public key"},
    {"name", FIELD_TEXT, false, NULL, "for people"},
    END};
static const struct field counted_fields[] = {
    {"origin", FIELD_UUID, true, NULL, "a run of the device"},
    {"lane", FIELD_NAME, true, NULL, "its lane"},
    {"seq", FIELD_INTEGER, true, NULL, "its last event that counts"},
    {"hash", FIELD_KEY, true, NULL, "the chain hash there"},
    END};
static const struct field revoked_fields[] = {
    {"reason", FIELD_TEXT, false, NULL, "why"},
    {"heads", FIELD_LIST, false, counted_fields,
     "written by the centre: what it held under a seal; nothing else of the device counts"},
    {"revocation", FIELD_UUID, false, NULL, "where it takes several events: the first one's id"},
    {"part", FIELD_INTEGER, false, NULL, "which of them this is, from 1"},
    {"parts", FIELD_INTEGER, false, NULL, "how many there are; they work together"},
    {"accepts", FIELD_BOOL, false, NULL,
     "written by the centre: a person let in what the device delivered afterwards, up to heads"},
    {"by", FIELD_NAME, false, NULL, "who let it in: the name of a token"},
    END};
static const struct field head_fields[] = {{"origin", FIELD_UUID, true, NULL, "of an earlier run"},
                                           {"lane", FIELD_NAME, true, NULL, "its lane"},
                                           {"seq", FIELD_INTEGER, true, NULL, "its last event"},
                                           {"hash", FIELD_KEY, true, NULL, "the chain hash there"},
                                           END};
static const struct field run_fields[] = {
    {"device", FIELD_UUID, true, NULL, "whose run it is"},
    {"run", FIELD_UUID, true, NULL, "fresh for each start of a writing process"},
    {"software", FIELD_TEXT, true, NULL, "its version"},
    {"previous", FIELD_LIST, true, head_fields, "where the device's last run ended"},
    END};

// ---- the table --------------------------------------------------------------------------------

#define LATE_FACT   "apply and review"
#define LATE_INTENT "hold"
// effects: NULL for what is part of its record (effect.h).
#define ROW(where_, centre_, full_, name_, nature_, flow_, record_, right_, audience_, fields_,    \
            effects_, why_)                                                                        \
    {                                                                                              \
        .name = name_, .version = 1, .nature = NATURE_##nature_, .flow = FLOW_##flow_,             \
        .lane = LANE_CRITICAL, .record_type = record_, .where = AT_##where_,                       \
        .right = MAY_##right_, .from_centre = centre_, .in_reserve = full_,                        \
        .audience = AUDIENCE_##audience_, .pending_hours = 72, .late = LATE_##nature_,             \
        .fields = fields_, .effects = effects_, .why = why_                                        \
    }
// On a full disk SALES are taken, what can be recorded LATER is not.
#define SALES(...)  ROW(PLACE, false, true, __VA_ARGS__)
#define LATER(...)  ROW(PLACE, false, false, __VA_ARGS__)
#define CENTRE(...) ROW(PLACE, true, false, __VA_ARGS__)
#define DRAFT(...)  ROW(CHAIN, true, false, __VA_ARGS__) // of the catalog
#define WHOLE(...)  ROW(CHAIN, true, false, __VA_ARGS__)

const struct event_type event_types[] = {
    SALES("ticket_recorded", FACT, DEMAND, "ticket", SELL, LOCATION, ticket_fields,
          effects_of_ticket,
          "a whole sale from elsewhere: one carrier for its lines, payments and stock"),
    LATER("inventory_received", FACT, SUPPLY, "stock", STOCK, LOCATION, received_fields,
          effects_of_stock_in, "goods that stand in the shop cannot be refused"),
    SALES("inventory_sold", FACT, DEMAND, "stock", SELL, LOCATION, sold_fields,
          effects_of_stock_out, "sales of agents without tickets"),
    LATER("inventory_returned", FACT, DEMAND, "stock", SELL, LOCATION, returned_fields,
          effects_of_stock_in, "a customer brought it back: demand with the sign turned"),
    LATER("inventory_transferred", FACT, MOVE, "stock", STOCK, LOCATION, transferred_fields,
          effects_of_stock_out, "left for another location"),
    LATER("transfer_received", FACT, MOVE, "stock", STOCK, LOCATION, arrived_fields,
          effects_of_stock_in, "arrived from another location"),
    LATER("inventory_wasted", FACT, LOSS, "stock", STOCK, LOCATION, wasted_fields,
          effects_of_stock_out, "loss is not demand: forecasts must not see it"),
    LATER("inventory_adjusted", FACT, CORRECTION, "stock", ADJUST, LOCATION, adjusted_fields,
          effects_of_adjustment, "a correction moves stock by its variance and nothing else"),
    LATER("inventory_counted", FACT, CORRECTION, "stock", ADJUST, LOCATION, counted_part_fields,
          effects_of_count, "one SKU of a complete count; each is an adjustment by itself"),
    CENTRE("location_set", INTENT, NONE, "location", CHAIN, CHAIN, location_fields,
           effects_of_location, "the places of the chain; last writer wins"),
    CENTRE("device_enrolled", INTENT, NONE, "device", CHAIN, LOCATION, enrolled_fields,
           effects_of_enrolment, "binds a device's key to one place"),
    ROW(PLACE, true, true, "device_revoked", INTENT, NONE, "device", CHAIN, LOCATION,
        revoked_fields, effects_of_revocation,
        "a stolen or retired device: what it says from now on waits for a person, and a full disk "
        "is no reason to wait with this"),
    ROW(EITHER, false, true, "run_started", FACT, NONE, "device", NODE, NONE, run_fields,
        effects_of_run,
        "first event of each origin: names the heads before it, so that a restored or cloned "
        "device is found; a sale needs its run"),
    SALES("order_opened", FACT, NONE, "order", ORDER, LOCATION, opened_fields, NULL,
          "guests that sit down cannot be refused"),
    SALES("line_added", FACT, NONE, "order", ORDER, LOCATION, line_added_fields, NULL,
          "what was ordered; two who add at once both stay"),
    SALES("line_changed", FACT, NONE, "order", ORDER, LOCATION, line_changed_fields, NULL,
          "quantities are deltas, so that two changes at once both count"),
    SALES("line_removed", INTENT, NONE, "order", ORDER, LOCATION, line_removed_fields, NULL,
          "takes out exactly what its author had seen"),
    SALES("order_set", INTENT, NONE, "order", ORDER, LOCATION, order_set_fields, NULL,
          "one header field; last writer wins, field by field"),
    SALES("order_moved", FACT, NONE, "order", ORDER, LOCATION, order_moved_fields, NULL,
          "guests changed their table"),
    SALES("order_split", FACT, NONE, "order", ORDER, LOCATION, order_split_fields, NULL,
          "moves units to another bill of the order, minus there, plus here"),
    SALES("order_merged", FACT, NONE, "order", ORDER, LOCATION, order_merged_fields, NULL,
          "two tables become one visit"),
    SALES("order_voided", INTENT, NONE, "order", VOID, LOCATION, order_voided_fields, NULL,
          "stands only where no money was taken, or all was given back"),
    SALES("ticket_fired", FACT, NONE, "order", ORDER, LOCATION, ticket_fired_fields, NULL,
          "the kitchen has begun"),
    SALES("sale_completed", FACT, DEMAND, "order", SELL, LOCATION, completed_fields,
          effects_of_completion, "closes one bill; carries what the sale took from stock"),
    SALES("payment_taken", FACT, NONE, "order", SELL, LOCATION, payment_taken_fields, NULL,
          "money taken is a fact"),
    SALES("payment_refunded", FACT, NONE, "order", REFUND, LOCATION, payment_refunded_fields, NULL,
          "money given back is a fact"),
    ROW(EITHER, true, true, "event_judged", FACT, NONE, RECORD_ANY, NODE, LOCATION, judged_fields,
        NULL, "what depends on more than the record is decided once, by one node, and said to all"),
    ROW(EITHER, false, true, "review_resolved", FACT, NONE, RECORD_ANY, REVIEW, LOCATION,
        resolved_fields, NULL, "a person's answer: an event, so that it reaches all it concerns"),
    SALES("shift_opened", FACT, NONE, "shift", SHIFT, LOCATION, shift_opened_fields, NULL,
          "a drawer with its float"),
    SALES("cash_moved", FACT, NONE, "shift", SHIFT, LOCATION, cash_moved_fields, NULL,
          "money put into the drawer or taken out of it beside sales"),
    SALES("drawer_opened", FACT, NONE, "shift", SHIFT, LOCATION, drawer_opened_fields, NULL,
          "without a sale: somebody will want to know why"),
    SALES("shift_closed", FACT, NONE, "shift", SHIFT, LOCATION, shift_closed_fields, NULL,
          "the Z: freezes the events that it counted; what it did not know is told in a later one"),
    LATER("table_set", FACT, NONE, "table", FLOOR, LOCATION, table_set_fields, NULL,
          "who stands at the table knows; the newest word counts, whenever it arrives"),
    LATER("item_unavailable", FACT, NONE, "availability", KITCHEN, LOCATION, unavailable_fields,
          NULL, "86: who cooks knows what there is; the record is the SKU"),
    LATER("demand_unmet", FACT, NONE, "unmet", FLOOR, LOCATION, unmet_fields, NULL,
          "what guests wanted and did not get: a forecast must know it, and stock must not"),
    LATER("customer_set", FACT, NONE, "customer", FLOOR, LOCATION, customer_fields, NULL,
          "codes only: what a person is called, and where they are called, stays out of events"),
    LATER("reservation_requested", INTENT, NONE, "reservation", FLOOR, LOCATION, reserve_fields,
          NULL, "the authority decides, once, against what is really there"),
    LATER("reservation_released", FACT, NONE, "reservation", FLOOR, LOCATION, release_fields, NULL,
          "nobody waits for the goods any more"),
    SALES("ticket_bumped", FACT, NONE, "order", KITCHEN, LOCATION, bumped_fields, NULL,
          "the kitchen is done with a line, or with all that its station had"),
    DRAFT("item_set", INTENT, NONE, "item", CATALOG, NONE, item_set_fields, NULL,
          "what the chain sells; a draft until it is published"),
    ROW(EITHER, false, false, "price_set", INTENT, NONE, "price", PRICE, LOCATION, price_set_fields,
        NULL,
        "of the chain: a draft until it is published; of a place: what it sells at where the chain "
        "lets it"),
    SALES("price_overridden", FACT, NONE, "order", PRICE, LOCATION, price_overridden_fields, NULL,
          "what was agreed with a guest cannot be refused; it carries the name of who allowed it"),
    DRAFT("tax_set", INTENT, NONE, "tax", CATALOG, NONE, tax_set_fields, NULL,
          "a draft until it is published"),
    DRAFT("promotion_set", INTENT, NONE, "promotion", CATALOG, NONE, promotion_set_fields, NULL,
          "a draft until it is published"),
    DRAFT("recipe_set", INTENT, NONE, "recipe", CATALOG, NONE, recipe_set_fields, NULL,
          "what a dish takes from stock; a draft until it is published"),
    {.name = "catalog_published",
     .version = 2, // of 1 prices did not say since which version they are so
     .nature = NATURE_FACT,
     .flow = FLOW_NONE,
     .lane = LANE_CRITICAL,
     .record_type = "catalog",
     .where = AT_CHAIN,
     .right = MAY_NODE,
     .from_centre = true,
     .audience = AUDIENCE_NONE,
     .pending_hours = 72,
     .late = LATE_FACT,
     .fields = catalog_published_fields,
     .effects = effects_of_publication,
     .why = "a version is what the drafts are at this place in the centre's journal; its rows go "
            "down as rows"},
    WHOLE("user_set", INTENT, NONE, "user", PEOPLE, CHAIN, user_set_fields, NULL,
          "who works where and in which role; each member by itself, the newest counts"),
    WHOLE("role_set", INTENT, NONE, "role", PEOPLE, CHAIN, role_set_fields, NULL,
          "what a role may do, where that is not what it came with"),
    {.name = "setting_set",
     .version = 1,
     .nature = NATURE_INTENT,
     .flow = FLOW_NONE,
     .lane = LANE_DEFERRED,
     .record_type = "setting",
     .where = AT_EITHER,
     .right = MAY_SETTINGS,
     .audience = AUDIENCE_CHAIN,
     .pending_hours = 72,
     .late = LATE_INTENT,
     .fields = setting_set_fields,
     .why =
         "what the chain, or a place, goes by; the newest counts, and it can wait for the night"},
    CENTRE("authority_set", INTENT, NONE, "authority", CHAIN, LOCATION, authority_set_fields, NULL,
           "one node decides for a place; the highest term counts"),
    ROW(PLACE, false, true, "authority_released", FACT, NONE, "authority", NODE, LOCATION,
        authority_released_fields, NULL,
        "the next reign begins where this one ended, and not before"),
};
const size_t event_type_count = sizeof(event_types) / sizeof(event_types[0]);

const struct event_type *event_type_find(struct str name)
{
    for (size_t i = 0; i < event_type_count; i++) {
        if (str_is(name, event_types[i].name))
            return &event_types[i];
    }
    return NULL;
}

// ---- checking ---------------------------------------------------------------------------------

static bool is_currency(struct str text)
{
    if (text.n != 3)
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (text.p[i] < 'A' || text.p[i] > 'Z')
            return false;
    }
    return true;
}

static bool is_date(struct str text)
{
    if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-')
        return false;
    uint64_t year = 0, month = 0, day = 0;
    if (str_to_u64(str_make(text.p, 4), &year) || str_to_u64(str_make(text.p + 5, 2), &month) ||
        str_to_u64(str_make(text.p + 8, 2), &day))
        return false;
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1)
        return false;
    bool leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= days[month - 1] + (leap ? 1u : 0u);
}

static bool is_integer(yyjson_val *value, int64_t low, int64_t high)
{
    if (!yyjson_is_int(value) || (yyjson_is_uint(value) && yyjson_get_uint(value) > INT64_MAX))
        return false;
    int64_t number = yyjson_get_sint(value);
    return number >= low && number <= high;
}

static bool string_valid(enum field_kind kind, struct str text)
{
    int64_t decimal;
    struct uuid uuid;
    struct hash hash;
    switch (kind) {
    case FIELD_TEXT:
        return text.n >= 1 && text.n <= LIMIT_TEXT;
    case FIELD_NAME:
        return event_name_valid(text);
    case FIELD_LOCATION:
        return event_location_valid(text);
    case FIELD_DECIMAL:
        return decimal_parse(text, &decimal) == ERR_OK && decimal >= -LIMIT_DECIMAL &&
               decimal <= LIMIT_DECIMAL;
    case FIELD_CURRENCY:
        return is_currency(text);
    case FIELD_DATE:
        return is_date(text);
    case FIELD_UUID:
        return uuid_parse(text, &uuid) == ERR_OK && !uuid_is_zero(&uuid); // which says "none"
    case FIELD_KEY:
        return hash_parse(text, &hash) == ERR_OK;
    case FIELD_CODE:
        return event_code_valid(text);
    case FIELD_AMOUNT:
    case FIELD_INTEGER:
    case FIELD_PLACES:
    case FIELD_LIST:
    case FIELD_CHOICE:
    case FIELD_BOOL:
        break;
    }
    return false;
}

static bool is_choice(const struct field *choices, struct str text)
{
    while (choices->key != NULL && !str_is(text, choices->key))
        choices++;
    return choices->key != NULL;
}

static bool scalar_valid(const struct field *field, yyjson_val *value)
{
    if (field->kind == FIELD_AMOUNT)
        return is_integer(value, -MONEY_MAX, MONEY_MAX);
    if (field->kind == FIELD_INTEGER)
        return is_integer(value, INT64_MIN, INT64_MAX);
    if (field->kind == FIELD_BOOL)
        return yyjson_is_bool(value);
    if (field->kind == FIELD_PLACES)
        return is_integer(value, 0, 4);
    struct str text = str_make(yyjson_get_str(value), yyjson_get_len(value));
    if (field->kind == FIELD_CHOICE)
        return is_choice(field->items, text);
    return yyjson_is_str(value) && string_valid(field->kind, text);
}

static enum err_code check_fields(const struct field *fields, yyjson_val *object, struct err *e);

static enum err_code check_list(const struct field *field, yyjson_val *list, struct err *e)
{
    if (!yyjson_is_arr(list))
        return err_set(e, ERR_INVALID, "body: %s: not a list", field->key);
    if (yyjson_arr_size(list) > LIMIT_TICKET_LINES)
        return err_set(e, ERR_LIMIT, "body: %s: more than %d entries", field->key,
                       LIMIT_TICKET_LINES);
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    yyjson_val *item;
    while ((item = yyjson_arr_iter_next(&iter)) != NULL) {
        enum err_code code = check_fields(field->items, item, e);
        if (code)
            return err_wrap(e, code, "%s", field->key);
    }
    return ERR_OK;
}

// A list that ends so has all members that there may be.
static enum err_code check_closed(const struct field *fields, yyjson_val *object, struct err *e)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    yyjson_val *key;
    while ((key = yyjson_obj_iter_next(&iter)) != NULL) {
        const struct field *field = fields;
        while (field->key != NULL && !yyjson_equals_str(key, field->key))
            field++;
        if (field->key == NULL && field->required)
            return err_set(e, ERR_INVALID, "body: %.*s: no such member is allowed",
                           yyjson_get_len(key) < 64 ? (int)yyjson_get_len(key) : 64,
                           yyjson_get_str(key));
    }
    return ERR_OK;
}

static enum err_code check_fields(const struct field *fields, yyjson_val *object, struct err *e)
{
    if (!yyjson_is_obj(object))
        return err_set(e, ERR_INVALID, "body: not an object");
    for (const struct field *field = fields; field->key; field++) {
        yyjson_val *value = yyjson_obj_get(object, field->key);
        if (value == NULL || yyjson_is_null(value)) {
            if (field->required)
                return err_set(e, ERR_INVALID, "body: %s: missing", field->key);
            continue;
        }
        if (field->kind == FIELD_LIST) {
            enum err_code code = check_list(field, value, e);
            if (code)
                return code;
        } else if (!scalar_valid(field, value)) {
            return err_set(e, ERR_INVALID, "body: %s: not a valid %s", field->key,
                           field_kind_name(field->kind));
        }
    }
    return check_closed(fields, object, e);
}

enum err_code event_type_check(const struct event_type *type, int version, yyjson_val *body,
                               struct err *e)
{
    if (version > type->version)
        return err_set(e, ERR_NEWER, "%s: version %d, known up to %d", type->name, version,
                       type->version);
    return check_fields(type->fields, body, e);
}

enum err_code event_type_check_record(const struct event_type *type, struct str record_type,
                                      struct err *e)
{
    if (str_is(record_type, type->record_type) ||
        (strcmp(type->record_type, RECORD_ANY) == 0 && reducer_find(record_type) != NULL))
        return ERR_OK;
    if (strcmp(type->record_type, RECORD_ANY) == 0)
        return err_set(e, ERR_INVALID, "event: record: nothing is asked or judged of a %.*s",
                       STR_ARG(record_type));
    return err_set(e, ERR_INVALID, "event: record: a %s changes a %s, not a %.*s", type->name,
                   type->record_type, STR_ARG(record_type));
}

enum err_code event_type_check_place(const struct event_type *type, struct str location,
                                     struct err *e)
{
    bool chain = str_is(location, "*");
    if (type->where == AT_EITHER || chain == (type->where == AT_CHAIN))
        return ERR_OK;
    if (!chain && (strcmp(type->name, "tax_set") == 0 || strcmp(type->name, "promotion_set") == 0))
        return err_set(e, ERR_INVALID,
                       "event: location: a %s is of the whole chain (*): a branch's own are not "
                       "built, only its prices are",
                       type->name);
    return err_set(e, ERR_INVALID,
                   chain ? "event: location: * is the whole chain, a %s is of a place"
                         : "event: location: a %s is of the whole chain (*)",
                   type->name);
}

// ---- names ------------------------------------------------------------------------------------

const char *event_nature_name(enum event_nature nature)
{
    return nature == NATURE_FACT ? "fact" : "intent";
}

const char *event_flow_name(enum event_flow flow)
{
    static const char *const names[] = {"-", "demand", "supply", "move", "loss", "correction"};
    return names[flow];
}

const char *event_where_name(enum event_where where)
{
    static const char *const names[] = {"a place", "the whole chain", "either"};
    return names[where];
}

const char *event_audience_name(enum event_audience audience)
{
    static const char *const names[] = {"nobody", "its location", "the whole chain"};
    return names[audience];
}

const char *field_kind_name(enum field_kind kind)
{
    static const char *const names[] = {"text",   "name",    "location",      "decimal string",
                                        "amount", "integer", "currency code", "0 to 4",
                                        "date",   "UUID",    "hex key",       "list",
                                        "choice", "code",    "true or false"};
    return names[kind];
}
