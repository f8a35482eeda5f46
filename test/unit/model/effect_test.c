// SPDX-License-Identifier: Apache-2.0
#include "model/effect.h"
#include "model/record.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;
static struct event event;
static struct effect_list list;
static struct err e;

static const char *record_type_of(const struct event_type *type)
{
    if (type == NULL)
        return "stock";
    return strcmp(type->record_type, RECORD_ANY) == 0 ? "order" : type->record_type;
}

// The effects of an event of this type, record and body.
static enum err_code reduce(const char *type, const char *record, const char *body)
{
    static char text[LIMIT_EVENT_BYTES + 1];
    const struct event_type *known = event_type_find(str_of(type));
    arena_fini(&arena);
    arena_init(&arena, 64 << 20);
    memset(&e, 0, sizeof e);
    memset(&list, 0, sizeof list);
    int n = snprintf(
        text, sizeof text,
        "{\"v\":1,\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\","
        "\"origin\":\"01890a5d-0000-7000-8000-000000000001\",\"lane\":\"critical\",\"seq\":1,"
        "\"location\":\"%s\",\"type\":\"%s\",\"record\":{\"type\":\"%s\",\"id\":\"%s\"},"
        "\"at\":1700000000000,\"hlc\":\"018bcfe568000001\",\"body\":%s}",
        known->where == AT_CHAIN ? "*" : "B1", type, record_type_of(known), record, body);
    assert_true(n > 0 && (size_t)n < sizeof text);
    enum err_code code = event_parse(str_make(text, (size_t)n), &arena, &event, &e);
    if (code != ERR_OK) {
        fail_msg("%s", e.text);
    }
    return effect_list_of(&event, &arena, &list, &e);
}

static void reduces(const char *type, const char *record, const char *body)
{
    if (reduce(type, record, body) != ERR_OK) {
        fail_msg("%s: %s", type, e.text);
    }
}

static void refuses(const char *type, const char *record, const char *body, const char *why)
{
    enum err_code code = reduce(type, record, body);
    if (code == ERR_OK || strstr(e.text, why) == NULL) {
        fail_msg("%s %s: %s, '%s'", type, body, err_name(code), e.text);
    }
    assert_null(list.items);
}

// ---- tickets ---------------------------------------------------------------------------------

// Two coffees at 2.50 USD and a cake at 1.99, paid in cash and by card.
#define SALE(kind, second_number, amount, total)                                                   \
    "{\"ticket\":\"T-1\",\"kind\":\"" kind "\",\"till\":\"1\",\"customer\":\"C9\","                \
    "\"currency\":\"USD\",\"places\":2,\"lines\":["                                                \
    "{\"n\":1,\"sku\":\"COFFEE\",\"name\":\"Coffee\",\"quantity\":\"2\",\"unit_price\":\"2.5\","   \
    "\"amount\":" amount "},"                                                                      \
    "{\"n\":" second_number ",\"sku\":\"CAKE\",\"quantity\":\"1\",\"unit_price\":\"1.99\","        \
    "\"amount\":199}],\"total\":" total ",\"payments\":["                                          \
    "{\"method\":\"cash\",\"currency\":\"USD\",\"amount\":500},"                                   \
    "{\"method\":\"card\",\"currency\":\"USD\",\"amount\":199}]}"

TEST(effect__a_sale_is_a_ticket_its_lines_stock_and_payments)
{
    reduces("ticket_recorded", "R1", SALE("sale", "2", "500", "699"));
    static const enum effect_kind kinds[] = {EFFECT_TICKET, EFFECT_LINE,  EFFECT_STOCK,
                                             EFFECT_LINE,   EFFECT_STOCK, EFFECT_PAYMENT,
                                             EFFECT_PAYMENT};
    assert_int_equal(list.count, COUNT_OF(kinds));
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.items[i].kind, kinds[i]);
    }
    const struct effect_ticket *t = &list.items[0].ticket;
    assert_true(str_is(t->id, "R1"));
    assert_true(str_is(t->number, "T-1"));
    assert_true(str_is(t->till, "1"));
    assert_true(str_is(t->customer, "C9"));
    assert_true(str_is(t->currency, "USD"));
    assert_int_equal(t->kind, TICKET_SALE);
    assert_int_equal(t->places, 2);
    assert_int_equal(t->total, 699);
    assert_int_equal(t->line_count, 2);
    assert_int_equal(t->at, 1700000000000);
    const struct effect_line *line = &list.items[1].line;
    assert_true(str_is(line->ticket, "R1"));
    assert_int_equal(line->number, 1);
    assert_true(str_is(line->sku, "COFFEE"));
    assert_true(str_is(line->name, "Coffee"));
    assert_int_equal(line->quantity, 20000);
    assert_int_equal(line->unit_price, 25000);
    assert_int_equal(line->amount, 500);
    assert_true(str_is(list.items[2].stock.sku, "COFFEE"));
    assert_int_equal(list.items[2].stock.delta, -20000);
    assert_int_equal(list.items[2].stock.flow, FLOW_DEMAND);
    assert_int_equal(list.items[4].stock.delta, -10000);
    const struct effect_payment *card = &list.items[6].payment;
    assert_int_equal(card->number, 2);
    assert_true(str_is(card->method, "card"));
    assert_int_equal(card->amount, 199);
}

TEST(effect__a_ticket_whose_numbers_disagree_is_refused)
{
    refuses("ticket_recorded", "R1", SALE("sale", "2", "500", "700"), "total");
    refuses("ticket_recorded", "R1", SALE("sale", "2", "501", "700"), "amount");
    refuses("ticket_recorded", "R1", SALE("sale", "3", "500", "699"), "line 2 is numbered 3");
    refuses("ticket_recorded", "R1", SALE("sales", "2", "500", "699"), "kind");
}

#define ONE_LINE(kind, quantity, price, amount, places)                                            \
    "{\"ticket\":\"T-1\",\"kind\":\"" kind "\",\"currency\":\"LBP\",\"places\":" places            \
    ",\"lines\":[{\"n\":1,\"sku\":\"A\",\"quantity\":\"" quantity "\",\"unit_price\":\"" price     \
    "\",\"amount\":" amount "}],\"total\":" amount ",\"payments\":[]}"

#define TWO_LINES(first, second)                                                                   \
    "{\"ticket\":\"T-1\",\"kind\":\"sale\",\"currency\":\"LBP\",\"places\":0,\"lines\":["          \
    "{\"n\":1,\"sku\":\"A\",\"quantity\":\"" first                                                 \
    "\",\"unit_price\":\"0\",\"amount\":0},{\"n\":2,\"sku\":\"A\",\"quantity\":\"" second          \
    "\",\"unit_price\":\"0\",\"amount\":0}],\"total\":0,\"payments\":[]}"
#define TWO_USES(first, second)                                                                    \
    "{\"total\":0,\"uses\":[{\"sku\":\"A\",\"quantity\":\"" first                                  \
    "\"},{\"sku\":\"A\",\"quantity\":\"" second "\"}]}"

// Five tickets of 2,000 such lines took stock beyond 64 bits, and more was less.
TEST(effect__what_one_event_moves_in_all_has_the_range_of_one_quantity)
{
    reduces("ticket_recorded", "R1", TWO_LINES("99999999999.5", "0.5"));
    refuses("ticket_recorded", "R1", TWO_LINES("99999999999.5", "0.5001"), "lines: the sum");
    refuses("ticket_recorded", "R1", TWO_LINES("-99999999999.5", "1"), "lines: the sum");
    reduces("sale_completed", "O1", TWO_USES("99999999999.5", "0.5"));
    refuses("sale_completed", "O1", TWO_USES("99999999999.5", "0.5001"), "uses: the sum");
}

TEST(effect__a_return_and_a_cancellation_bring_stock_back)
{
    reduces("ticket_recorded", "R1", ONE_LINE("return", "-3", "1000", "-3000", "0"));
    assert_int_equal(list.items[0].ticket.kind, TICKET_RETURN);
    assert_int_equal(list.items[0].ticket.total, -3000);
    assert_int_equal(list.items[2].stock.delta, 30000);
    reduces("ticket_recorded", "R1", ONE_LINE("cancellation", "-1", "250.5", "-251", "0"));
    assert_int_equal(list.items[0].ticket.kind, TICKET_CANCELLATION);
    assert_int_equal(list.items[2].stock.delta, 10000);
}

TEST(effect__amounts_round_half_away_from_zero)
{
    reduces("ticket_recorded", "R1", ONE_LINE("sale", "1", "0.125", "13", "2"));
    refuses("ticket_recorded", "R1", ONE_LINE("sale", "1", "0.125", "12", "2"), "amount");
    reduces("ticket_recorded", "R1", ONE_LINE("return", "-1", "0.125", "-13", "2"));
    reduces("ticket_recorded", "R1", ONE_LINE("sale", "0.3333", "3", "1000", "3"));
}

TEST(effect__a_ticket_may_have_no_lines_but_no_total_then)
{
    reduces("ticket_recorded", "R1",
            "{\"ticket\":\"T\",\"kind\":\"sale\",\"currency\":\"USD\",\"places\":2,\"lines\":[],"
            "\"total\":0,\"payments\":[]}");
    assert_int_equal(list.count, 1);
    refuses("ticket_recorded", "R1",
            "{\"ticket\":\"T\",\"kind\":\"sale\",\"currency\":\"USD\",\"places\":2,\"lines\":[],"
            "\"total\":1,\"payments\":[]}",
            "total");
}

TEST(effect__a_sum_beyond_the_limit_is_refused)
{
#define HUGE_LINE(n)                                                                               \
    "{\"n\":" n ",\"sku\":\"A\",\"quantity\":\"1\",\"unit_price\":\"90000000000\","                \
    "\"amount\":900000000000000}"
    static const char body[] =
        "{\"ticket\":\"T\",\"kind\":\"sale\",\"currency\":\"USD\",\"places\":4,\"total\":0,"
        "\"payments\":[],\"lines\":[" HUGE_LINE("1") "," HUGE_LINE("2") "]}";
    refuses("ticket_recorded", "R1", body, "out of range");
}

// ---- stock -----------------------------------------------------------------------------------

static void moves(const char *type, const char *more, int64_t delta, enum event_flow flow)
{
    char body[256];
    (void)snprintf(body, sizeof body, "{\"sku\":\"A\",\"quantity\":\"2.5\"%s}", more);
    reduces(type, "A", body);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].kind, EFFECT_STOCK);
    assert_true(str_is(list.items[0].stock.sku, "A"));
    assert_int_equal(list.items[0].stock.delta, delta);
    assert_int_equal(list.items[0].stock.flow, flow);
    (void)snprintf(body, sizeof body, "{\"sku\":\"A\",\"quantity\":\"0\"%s}", more);
    refuses(type, "A", body, "above zero");
    (void)snprintf(body, sizeof body, "{\"sku\":\"A\",\"quantity\":\"-1\"%s}", more);
    refuses(type, "A", body, "above zero");
}

TEST(effect__stock_comes_in_and_goes_out_by_type)
{
    moves("inventory_received", "", 25000, FLOW_SUPPLY);
    moves("inventory_sold", "", -25000, FLOW_DEMAND);
    moves("inventory_returned", "", 25000, FLOW_DEMAND);
    moves("inventory_transferred", ",\"destination\":\"B2\"", -25000, FLOW_MOVE);
    moves("transfer_received", ",\"source\":\"B2\"", 25000, FLOW_MOVE);
    moves("inventory_wasted", ",\"reason\":\"broken\"", -25000, FLOW_LOSS);
}

TEST(effect__an_adjustment_is_the_variance_and_nothing_else)
{
    reduces("inventory_adjusted", "A",
            "{\"sku\":\"A\",\"counted\":\"95\",\"system\":\"100\",\"variance\":\"-5\"}");
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].stock.delta, -50000);
    assert_int_equal(list.items[0].stock.flow, FLOW_CORRECTION);
    reduces("inventory_adjusted", "A",
            "{\"sku\":\"A\",\"counted\":\"3\",\"system\":\"-2\",\"variance\":\"5\"}");
    assert_int_equal(list.items[0].stock.delta, 50000);
    refuses("inventory_adjusted", "A",
            "{\"sku\":\"A\",\"counted\":\"95\",\"system\":\"100\",\"variance\":\"5\"}", "variance");
}

#define COUNTED(part, parts)                                                                       \
    "{\"sku\":\"A\",\"counted\":\"1\",\"system\":\"2\",\"variance\":\"-1\",\"count\":\"C1\","      \
    "\"part\":" part ",\"parts\":" parts "}"

TEST(effect__a_part_of_a_count_is_an_adjustment)
{
    reduces("inventory_counted", "A", COUNTED("2", "3"));
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].stock.delta, -10000);
    assert_int_equal(list.items[0].stock.flow, FLOW_CORRECTION);
    refuses("inventory_counted", "A", COUNTED("0", "3"), "part");
    refuses("inventory_counted", "A", COUNTED("4", "3"), "part");
    refuses("inventory_counted", "A",
            "{\"sku\":\"A\",\"counted\":\"95\",\"system\":\"100\",\"variance\":\"5\","
            "\"count\":\"C1\",\"part\":1,\"parts\":1}",
            "variance");
}

// ---- the chain -------------------------------------------------------------------------------

#define DEVICE   "01890a5d-0000-7000-8000-00000000000d"
#define OTHER    "01890a5d-0000-7000-8000-00000000000e"
#define HEX_KEY  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ROLE(r)  "{\"role\":\"" r "\",\"location\":\"B1\",\"key\":\"" HEX_KEY "\"}"
#define RUN(id_) "{\"device\":\"" id_ "\",\"run\":\"" OTHER "\",\"software\":\"1\",\"previous\":[]}"

TEST(effect__a_location_has_a_name_and_a_region)
{
    reduces("location_set", "B1", "{\"name\":\"Beirut\",\"region\":\"West\"}");
    assert_int_equal(list.items[0].kind, EFFECT_LOCATION);
    assert_true(str_is(list.items[0].location.id, "B1"));
    assert_true(str_is(list.items[0].location.name, "Beirut"));
    assert_true(str_is(list.items[0].location.region, "West"));
    reduces("location_set", "B1", "{\"name\":\"Beirut\"}");
    assert_int_equal(list.items[0].location.region.n, 0);
    refuses("location_set", "*", "{\"name\":\"all\"}", "whole chain");
}

TEST(effect__a_device_is_enrolled_with_its_key)
{
    struct uuid id;
    reduces("device_enrolled", DEVICE, ROLE("terminal"));
    assert_int_equal(uuid_parse(STR(DEVICE), &id), ERR_OK);
    assert_int_equal(list.items[0].kind, EFFECT_DEVICE);
    assert_true(uuid_equal(&list.items[0].device.id, &id));
    assert_true(str_is(list.items[0].device.role, "terminal"));
    assert_true(str_is(list.items[0].device.location, "B1"));
    assert_int_equal(list.items[0].device.key.b[0], 0x01);
    assert_int_equal(list.items[0].device.key.b[31], 0xef);
    reduces("device_enrolled", DEVICE, ROLE("branch"));
    reduces("device_enrolled", DEVICE, ROLE("central"));
    refuses("device_enrolled", DEVICE, ROLE("printer"), "role");
    refuses("device_enrolled", "till 1", ROLE("terminal"), "UUID");
}

TEST(effect__a_device_is_revoked)
{
    reduces("device_revoked", DEVICE, "{}");
    assert_int_equal(list.items[0].kind, EFFECT_REVOKE);
    assert_int_equal(list.items[0].revoked.device.b[15], 0x0d);
    assert_null(list.items[0].revoked.heads);
    refuses("device_revoked", "till 1", "{}", "UUID");
}

#define HEAD(lane_, seq_)                                                                          \
    "{\"origin\":\"" OTHER "\",\"lane\":\"" lane_ "\",\"seq\":" seq_ ",\"hash\":\"" HEX_KEY "\"}"

TEST(effect__a_revocation_names_what_counts_of_the_device_maybe_in_parts)
{
    reduces("device_revoked", DEVICE, "{\"heads\":[" HEAD("critical", "7") "]}");
    const struct effect_revoke *r = &list.items[0].revoked;
    assert_int_equal(yyjson_arr_size(r->heads), 1);
    assert_true(uuid_equal(&r->revocation, &event.id));
    assert_int_equal(r->part, 1);
    assert_int_equal(r->parts, 1);
    reduces("device_revoked", DEVICE,
            "{\"heads\":[],\"revocation\":\"" OTHER "\",\"part\":2,\"parts\":3}");
    assert_int_equal(list.items[0].revoked.revocation.b[15], 0x0e);
    assert_int_equal(list.items[0].revoked.part, 2);
    assert_int_equal(list.items[0].revoked.parts, 3);
    refuses("device_revoked", DEVICE, "{\"heads\":[" HEAD("urgent", "7") "]}", "lane");
    refuses("device_revoked", DEVICE, "{\"heads\":[" HEAD("critical", "0") "]}", "seq");
    refuses("device_revoked", DEVICE, "{\"heads\":[{}]}", "origin");
    refuses("device_revoked", DEVICE, "{\"part\":2}", "no part 2 of 1");
    refuses("device_revoked", DEVICE, "{\"part\":0,\"parts\":2}", "no part 0 of 2");
    refuses("device_revoked", DEVICE, "{\"parts\":1001}", "no part 1 of 1001");
}

TEST(effect__a_run_names_its_device_and_the_heads_before_it)
{
    reduces("run_started", DEVICE,
            "{\"device\":\"" DEVICE "\",\"run\":\"" OTHER "\",\"software\":\"1\",\"previous\":["
            "{\"origin\":\"" OTHER "\",\"lane\":\"critical\",\"seq\":3,\"hash\":\"" HEX_KEY
            "\"}]}");
    assert_int_equal(list.items[0].kind, EFFECT_RUN);
    assert_int_equal(list.items[0].run.device.b[15], 0x0d);
    assert_int_equal(yyjson_arr_size(list.items[0].run.previous), 1);
    refuses("run_started", "till 1", RUN(DEVICE), "UUID");
}

TEST(effect__a_run_of_another_device_is_refused)
{
    reduces("run_started", DEVICE, RUN(DEVICE));
    refuses("run_started", DEVICE, RUN(OTHER), "device");
}

// ---- all -------------------------------------------------------------------------------------

#define ID    "\"01890a5d-ac96-774b-bcce-b302099a8057\""
#define MONEY "\"method\":\"cash\",\"currency\":\"USD\",\"amount\":1"
// A body of each type that its reducer takes, in the order of the table.
static const struct {
    const char *type, *body;
    const char *record; // its id, where not any will do
} bodies[] = {
    {"ticket_recorded", SALE("sale", "2", "500", "699")},
    {"inventory_received", "{\"sku\":\"A\",\"quantity\":\"1\"}"},
    {"inventory_sold", "{\"sku\":\"A\",\"quantity\":\"1\"}"},
    {"inventory_returned", "{\"sku\":\"A\",\"quantity\":\"1\"}"},
    {"inventory_transferred", "{\"sku\":\"A\",\"quantity\":\"1\",\"destination\":\"B2\"}"},
    {"transfer_received", "{\"sku\":\"A\",\"quantity\":\"1\",\"source\":\"B2\"}"},
    {"inventory_wasted", "{\"sku\":\"A\",\"quantity\":\"1\",\"reason\":\"broken\"}"},
    {"inventory_adjusted",
     "{\"sku\":\"A\",\"counted\":\"1\",\"system\":\"2\",\"variance\":\"-1\"}"},
    {"inventory_counted", COUNTED("1", "1")},
    {"location_set", "{\"name\":\"Beirut\"}"},
    {"device_enrolled", ROLE("terminal")},
    {"device_revoked", "{}"},
    {"run_started", RUN(DEVICE)},
    {"order_opened", "{\"kind\":\"dine_in\",\"currency\":\"USD\",\"places\":2}"},
    {"line_added", "{\"line\":" ID ",\"sku\":\"A\",\"quantity\":\"1\",\"unit_price\":\"1\"}"},
    {"line_changed", "{\"line\":" ID ",\"quantity\":\"1\"}"},
    {"line_removed", "{\"line\":" ID "}"},
    {"order_set", "{\"field\":\"note\"}"},
    {"order_moved", "{\"table\":\"T1\"}"},
    {"order_split", "{\"bill\":" ID ",\"lines\":[]}"},
    {"order_merged", "{\"into\":\"R2\"}"},
    {"order_voided", "{\"reason\":\"left\"}"},
    {"ticket_fired", "{}"},
    {"sale_completed", "{\"total\":1,\"uses\":[{\"sku\":\"A\",\"quantity\":\"1\"}]}"},
    {"payment_taken", "{\"payment\":" ID "," MONEY "}"},
    {"payment_refunded", "{\"refund\":" ID ",\"payment\":" ID "," MONEY "}"},
    {"event_judged", "{\"target\":" ID ",\"outcome\":\"held\",\"reason\":\"late\",\"term\":1}"},
    {"review_resolved", "{\"review\":\"line\",\"decision\":\"accept\",\"triggers\":[]}"},
    {"shift_opened", "{\"till\":\"T1\"}"},
    {"cash_moved", "{\"kind\":\"in\",\"currency\":\"USD\",\"amount\":1}"},
    {"drawer_opened", "{}"},
    {"shift_closed", "{\"z\":1,\"streams\":[],\"totals\":[],\"counted\":[]}"},
    {"table_set", "{\"status\":\"dirty\"}"},
    {"item_unavailable", "{\"state\":\"sold_out\"}"},
    {"demand_unmet", "{\"sku\":\"A\",\"quantity\":\"1\",\"reason\":\"sold_out\"}"},
    {"customer_set", "{\"tier\":\"gold\"}"},
    {"reservation_requested", "{\"sku\":\"A\",\"quantity\":\"1\"}"},
    {"reservation_released", "{}"},
    {"ticket_bumped", "{\"station\":\"grill\"}"},
    {"item_set", "{\"name\":\"Coffee\",\"name_ar\":null,\"active\":true}"},
    {"price_set", "{\"sku\":\"R1\",\"price\":\"2.5\",\"currency\":\"USD\",\"places\":2}", "R1"},
    {"price_overridden", "{\"line\":" ID ",\"unit_price\":\"2\",\"by\":\"rana\"}"},
    {"tax_set", "{\"percent\":\"11\",\"included\":true}"},
    {"promotion_set", "{\"kind\":\"percent\",\"value\":\"20\"}"},
    {"recipe_set", "{\"uses\":[{\"sku\":\"BEANS\",\"quantity\":\"0.018\"}]}"},
    {"catalog_published", "{\"version\":1,\"count\":0,\"hash\":\"" HEX_KEY "\"}", "1"},
    {"user_set", "{\"role\":\"cashier\",\"places\":[{\"location\":\"B1\"}]}"},
    {"role_set", "{\"rights\":[{\"right\":\"sell\"}]}"},
    {"setting_set", "{\"value\":\"3\"}", "oversell"},
    {"authority_set", "{\"term\":1,\"holder\":" ID "}", "B1"},
    {"authority_released", "{\"term\":1,\"heads\":[]}", "B1"},
};

static const char *body_of(const struct event_type *type, const char **ret_record)
{
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        if (strcmp(bodies[i].type, type->name) == 0) {
            *ret_record = bodies[i].record ? bodies[i].record : DEVICE;
            return bodies[i].body;
        }
    }
    fail_msg("no body above for %s", type->name);
    return NULL;
}

TEST(effect__says_what_each_event_type_does)
{
    for (size_t i = 0; i < event_type_count; i++) {
        const char *record = NULL, *body = body_of(&event_types[i], &record);
        reduces(event_types[i].name, record, body);
        bool folded = reducer_find(str_of(record_type_of(&event_types[i]))) != NULL;
        assert_true(list.count >= 1 || folded);
        assert_true(folded || event_types[i].effects != NULL);
    }
}

TEST(effect__a_body_that_lacks_a_required_member_is_refused)
{
    for (size_t i = 0; i < event_type_count; i++) {
        bool any = false;
        for (const struct field *f = event_types[i].fields; f->key; f++) {
            any = any || f->required;
        }
        const char *record = NULL;
        (void)body_of(&event_types[i], &record);
        assert_int_equal(reduce(event_types[i].name, record, "{}"), any ? ERR_INVALID : ERR_OK);
    }
}

TEST(effect__demand_that_was_not_met_never_reaches_stock)
{
    reduces("demand_unmet", "D1", "{\"sku\":\"A\",\"quantity\":\"3\",\"reason\":\"sold_out\"}");
    assert_int_equal(event.type->flow, FLOW_NONE);
    for (size_t i = 0; i < list.count; i++)
        assert_int_not_equal(list.items[i].kind, EFFECT_STOCK);
    refuses("demand_unmet", "D1", "{\"sku\":\"A\",\"quantity\":\"0\",\"reason\":\"sold_out\"}",
            "quantity");
}

TEST(effect__a_customer_is_codes_and_nothing_else)
{
    reduces("customer_set", "C-17", "{\"tier\":\"gold\",\"locale\":\"ar-LB\"}");
    reduces("customer_set", "12346", "{\"tier\":null}");
    refuses("customer_set", "C-17", "{\"name\":\"gold\"}", "name: no such member is allowed");
    refuses("customer_set", "C-17", "{\"phone\":\"03123456\"}", "phone");
    refuses("customer_set", "C-17", "{\"tier\":\"Rima Haddad\"}", "tier");
    refuses("customer_set", "C-17", "{\"tier\":\"+961 3 123456\"}", "tier");
    refuses("customer_set", "C-17", "{\"tier\":\"03123456\"}", "tier");
    refuses("customer_set", "Rima Haddad", "{\"tier\":\"gold\"}", "record");
    refuses("customer_set", "03123456", "{\"tier\":\"gold\"}", "record");
}

TEST(effect__an_event_on_a_record_of_another_type_is_refused)
{
    reduces("location_set", "B1", "{\"name\":\"Beirut\"}");
    event.record_type = STR("ticket");
    assert_int_equal(effect_list_of(&event, &arena, &list, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "record"));
}

TEST(effect__an_event_is_where_its_type_may_be)
{
    reduces("user_set", "C1", "{}");
    event.location = STR("B1");
    assert_int_equal(effect_list_of(&event, &arena, &list, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "whole chain"));
    reduces("table_set", "T1", "{\"status\":\"dirty\"}");
    event.location = STR("*");
    assert_int_equal(effect_list_of(&event, &arena, &list, &e), ERR_INVALID);
}

TEST(effect__only_folded_records_are_judged)
{
    reduces("event_judged", "R1",
            "{\"target\":" ID ",\"outcome\":\"held\",\"reason\":\"late\",\"term\":1}");
    event.record_type = STR("ticket"); // whose own events are not folded: yet it is asked about
    assert_int_equal(effect_list_of(&event, &arena, &list, &e), ERR_OK);
    event.record_type = STR("device");
    assert_int_equal(effect_list_of(&event, &arena, &list, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "device"));
}

TEST(effect__what_explains_says_which_question)
{
    event.record_type = STR("stock");
    refuses("event_judged", "R1",
            "{\"target\":" ID ",\"outcome\":\"applied\",\"reason\":\"explained\",\"term\":1}",
            "review");
    refuses("event_judged", "R1",
            "{\"target\":" ID ",\"outcome\":\"applied\",\"reason\":\"late\",\"term\":1,"
            "\"review\":\"late\"}",
            "review");
}

TEST(effect__a_version_from_the_future_is_refused)
{
    reduces("location_set", "B1", "{\"name\":\"Beirut\"}");
    event.version = 2;
    assert_int_equal(effect_list_of(&event, &arena, &list, &e), ERR_NEWER);
}

TEST(effect__a_full_arena_is_an_error_and_no_dead_letter)
{
    reduces("ticket_recorded", "R1", SALE("sale", "2", "500", "699"));
    struct arena small;
    arena_init(&small, 64);
    assert_int_equal(effect_list_of(&event, &small, &list, &e), ERR_NO_MEMORY);
    arena_fini(&small);
}

TEST(effect__says_which_event_holds_a_record)
{
    assert_int_equal(effect_owner_rule(EFFECT_TICKET), OWNER_FIRST);
    assert_int_equal(effect_owner_rule(EFFECT_LINE), OWNER_FIRST);
    assert_int_equal(effect_owner_rule(EFFECT_PAYMENT), OWNER_FIRST);
    assert_int_equal(effect_owner_rule(EFFECT_LOCATION), OWNER_LAST);
    assert_int_equal(effect_owner_rule(EFFECT_DEVICE), OWNER_LAST);
    assert_int_equal(effect_owner_rule(EFFECT_STOCK), OWNER_ALL);
    assert_int_equal(effect_owner_rule(EFFECT_REVOKE), OWNER_ALL);
    assert_int_equal(effect_owner_rule(EFFECT_RUN), OWNER_ALL);
}

TEST(effect__names_the_kinds_of_tickets)
{
    assert_string_equal(ticket_kind_name(TICKET_SALE), "sale");
    assert_string_equal(ticket_kind_name(TICKET_CANCELLATION), "cancellation");
    assert_string_equal(ticket_kind_name(TICKET_RETURN), "return");
}
