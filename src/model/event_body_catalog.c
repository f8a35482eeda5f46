// SPDX-License-Identifier: Apache-2.0
// Bodies of the catalog's events.
#include "model/event_body.h"

#define END                                                                                        \
    {                                                                                              \
        NULL, FIELD_TEXT, false, NULL, NULL                                                        \
    }

const struct field item_set_fields[] = {
    {"name", FIELD_TEXT, false, NULL, "as printed"},
    {"name_ar", FIELD_TEXT, false, NULL, "in Arabic"},
    {"name_en", FIELD_TEXT, false, NULL, "in English"},
    {"name_fr", FIELD_TEXT, false, NULL, "in French"},
    {"category", FIELD_NAME, false, NULL, "a code"},
    {"unit", FIELD_NAME, false, NULL, "piece, kg, ..."},
    {"barcode", FIELD_NAME, false, NULL, "as scanned"},
    {"shelf_life_days", FIELD_INTEGER, false, NULL, "from receipt to expiry"},
    {"tax", FIELD_NAME, false, NULL, "the tax's code"},
    {"active", FIELD_BOOL, false, NULL, "false: not sold any more; absent from the start: true"},
    END};
const struct field price_set_fields[] = {
    {"sku", FIELD_NAME, true, NULL, "the stock-keeping unit"},
    {"list", FIELD_NAME, false, NULL,
     "the price list, which the record's id then ends with: "
     "sku/list; absent: the main one, and the id is the sku"},
    {"price", FIELD_DECIMAL, true, NULL, "of one unit in major units, not below zero"},
    {"currency", FIELD_CURRENCY, true, NULL, "of the price"},
    {"places", FIELD_PLACES, true, NULL, "decimal places of the currency"},
    {"catalog", FIELD_INTEGER, false, NULL,
     "of a place: the catalog's version that its author had before him; its node says what it "
     "shows "
     "where the client does not"},
    END};
const struct field price_overridden_fields[] = {
    {"line", FIELD_UUID, true, NULL, "the line, by the id that its adding gave"},
    {"unit_price", FIELD_DECIMAL, true, NULL, "price of one unit from now on, not below zero"},
    {"was", FIELD_DECIMAL, false, NULL, "the price that its author saw"},
    {"by", FIELD_NAME, true, NULL, "the person who allowed it, by their code"},
    {"reason", FIELD_TEXT, false, NULL, "why"},
    END};
const struct field tax_set_fields[] = {
    {"name", FIELD_TEXT, false, NULL, "as printed"},
    {"percent", FIELD_DECIMAL, false, NULL, "of the net price, 0 to 100"},
    {"included", FIELD_BOOL, false, NULL, "prices contain it"},
    {"since", FIELD_DATE, false, NULL, "the first day of this percentage"},
    {"before", FIELD_DECIMAL, false, NULL, "the percentage until then"},
    END};
static const struct field promotion_kinds[] = {
    {"percent", FIELD_NAME, false, NULL, "so much off"},
    {"amount", FIELD_NAME, false, NULL, "so much off"},
    {"price", FIELD_NAME, false, NULL, "another price"},
    {"free", FIELD_NAME, false, NULL, "some units free with those bought"},
    END};
const struct field promotion_set_fields[] = {
    {"name", FIELD_TEXT, false, NULL, "as printed"},
    {"kind", FIELD_CHOICE, false, promotion_kinds, "what it gives"},
    {"value", FIELD_DECIMAL, false, NULL, "percent, or major units"},
    {"currency", FIELD_CURRENCY, false, NULL, "of an amount or price"},
    {"sku", FIELD_NAME, false, NULL, "of this item"},
    {"category", FIELD_NAME, false, NULL,
     "of every item in it; absent beside no item: of the "
     "order"},
    {"buy", FIELD_DECIMAL, false, NULL, "units to be bought"},
    {"free", FIELD_DECIMAL, false, NULL, "units that are then free"},
    {"weekdays", FIELD_NAME, false, NULL, "digits, 1 is Monday; absent: every day"},
    {"since", FIELD_DATE, false, NULL, "the first day"},
    {"until", FIELD_DATE, false, NULL, "the last day"},
    {"from_time", FIELD_NAME, false, NULL, "HH:MM, the place's time"},
    {"until_time", FIELD_NAME, false, NULL, "HH:MM"},
    {"place", FIELD_LOCATION, false, NULL, "the one location; absent: everywhere"},
    {"priority", FIELD_INTEGER, false, NULL, "the higher goes first"},
    {"active", FIELD_BOOL, false, NULL, "false: over; absent from the start: true"},
    END};
static const struct field recipe_fields[] = {
    {"sku", FIELD_NAME, true, NULL, "the stock-keeping unit"},
    {"quantity", FIELD_DECIMAL, true, NULL, "units that one unit takes, above zero"},
    END};
const struct field recipe_set_fields[] = {
    {"uses", FIELD_LIST, true, recipe_fields, "all that it takes; empty: it takes itself"}, END};
const struct field catalog_published_fields[] = {
    {"version", FIELD_INTEGER, true, NULL, "its number, from 1; the record's id"},
    {"hash", FIELD_KEY, true, NULL, "the set hash of its rows"},
    {"count", FIELD_INTEGER, true, NULL, "how many rows it has"},
    {"note", FIELD_TEXT, false, NULL, "what is new"},
    END};
