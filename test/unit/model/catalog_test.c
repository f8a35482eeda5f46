// SPDX-License-Identifier: Apache-2.0
// Rows of the catalog: their canonical encoding, which is what travels and what is hashed.
#include "model/catalog.h"

#include "base/rng.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

enum { ARENA = 1 << 20 };

static struct arena arena;
static struct buf text;

static void begin(void)
{
    arena_init(&arena, ARENA);
    buf_init(&text, ARENA);
}

static void end(void)
{
    buf_fini(&text);
    arena_fini(&arena);
}

// What a node gives back that was given this row.
static const char *again(const char *line)
{
    struct json json;
    struct row row;
    struct str type, id;
    struct err e = {0};
    assert_int_equal(json_parse_in(&arena, str_of(line), 16, &json, &e), ERR_OK);
    assert_int_equal(json_get_str(json.root, "type", &type, &e), ERR_OK);
    assert_int_equal(json_get_str(json.root, "id", &id, &e), ERR_OK);
    const struct catalog_kind *kind = catalog_kind_find(type);
    assert_non_null(kind);
    enum err_code code = catalog_row_read(kind, id, json_find(json.root, "row"), &arena, &row, &e);
    if (code) {
        assert_int_equal(code, ERR_INVALID);
        return arena_copy(&arena, str_of(err_message(&e))).p;
    }
    buf_reset(&text);
    assert_int_equal(catalog_row_encode(kind, &row, &text), ERR_OK);
    return arena_copy(&arena, buf_str(&text)).p;
}

TEST(catalog__a_row_is_given_back_as_it_came)
{
    static const char *const lines[] = {
        "{\"type\":\"catalog_item\",\"id\":\"COFFEE\",\"row\":{}}",
        "{\"type\":\"catalog_item\",\"id\":\"C \\\"1\\\"\",\"row\":{\"name\":\"Coffee\\n\","
        "\"name_ar\":\"قهوة\",\"category\":\"\",\"shelf_life_days\":-3,\"active\":false,"
        "\"price\":\"2.5\",\"currency\":\"USD\",\"places\":2,"
        "\"recipe\":[{\"sku\":\"BEANS\",\"quantity\":\"0.018\"}]}}",
        "{\"type\":\"catalog_price\",\"id\":\"COFFEE/take\",\"row\":{\"sku\":\"COFFEE\","
        "\"list\":\"take\",\"price\":\"-0.0001\",\"currency\":\"LBP\",\"places\":0}}",
        "{\"type\":\"catalog_promotion\",\"id\":\"HAPPY\",\"row\":{\"kind\":\"percent\","
        "\"value\":\"20\",\"weekdays\":\"12345\",\"from_time\":\"16:00\",\"active\":true}}",
        "{\"type\":\"catalog_tax\",\"id\":\"VAT\",\"row\":{\"percent\":\"11\",\"included\":true,"
        "\"since\":\"2026-01-01\",\"before\":\"10\"}}",
        // What a later version of the centre says more goes through a till that does not know it.
        "{\"type\":\"catalog_tax\",\"id\":\"VAT\",\"row\":{\"percent\":\"11\",\"zone\":{\"a\":[1,"
        "null]},\"code\":7}}",
        "{\"type\":\"catalog_tax\",\"id\":\"VAT\",\"row\":{\"zone\":1.5}}",
    };
    begin();
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_string_equal(again(lines[i]), lines[i]);
    end();
}

TEST(catalog__a_row_is_encoded_in_the_order_of_its_columns_without_nulls)
{
    begin();
    assert_string_equal(again("{\"type\":\"catalog_tax\",\"id\":\"VAT\",\"row\":{\"zone\":1,"
                              "\"since\":null,\"percent\":\"11.50\",\"name\":\"VAT\"}}"),
                        "{\"type\":\"catalog_tax\",\"id\":\"VAT\",\"row\":{\"name\":\"VAT\","
                        "\"percent\":\"11.5\",\"zone\":1}}");
    end();
}

TEST(catalog__a_row_that_is_wrong_is_refused_by_name)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"{\"type\":\"catalog_item\",\"id\":\"A\",\"row\":{\"price\":2.5}}",
         "catalog_item: price: not a valid value"},
        {"{\"type\":\"catalog_item\",\"id\":\"A\",\"row\":{\"price\":\"2.55555\"}}",
         "catalog_item: price: not a valid value"},
        {"{\"type\":\"catalog_item\",\"id\":\"A\",\"row\":{\"active\":1}}",
         "catalog_item: active: not a valid value"},
        {"{\"type\":\"catalog_item\",\"id\":\"A\",\"row\":{\"places\":\"2\"}}",
         "catalog_item: places: not a valid value"},
        {"{\"type\":\"catalog_item\",\"id\":\"A\",\"row\":{\"name\":7}}",
         "catalog_item: name: not a valid value"},
        {"{\"type\":\"catalog_item\",\"id\":\"\",\"row\":{}}", "catalog_item: not a row"},
        {"{\"type\":\"catalog_item\",\"id\":\"A\",\"row\":[]}", "catalog_item: not a row"},
        {"{\"type\":\"catalog_item\",\"id\":\"A\"}", "catalog_item: not a row"},
    };
    begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(again(cases[i].line), cases[i].says);
    assert_null(catalog_kind_find(STR("stock")));
    assert_null(catalog_kind_find(STR(CATALOG_VERSION_TYPE)));
    end();
}

static void fill_value(struct rng *rng, const struct catalog_kind *kind, int column,
                       struct value *to)
{
    static const char *const texts[] = {"", "x", "قهوة", "\"q\"", "a\\b", "\t"};
    *to = (struct value){.null = rng_below(rng, 3) == 0};
    switch (kind->table->columns[column].kind) {
    case COLUMN_TEXT:
        to->text = kind->json & UINT32_C(1) << column ? STR("[{\"sku\":\"A\",\"quantity\":\"1\"}]")
                                                      : str_of(texts[rng_below(rng, 6)]);
        break;
    case COLUMN_INTEGER:
        to->number = kind->flags & UINT32_C(1) << column ? (int64_t)rng_below(rng, 2)
                                                         : (int64_t)rng_below(rng, 9) - 4;
        break;
    case COLUMN_DECIMAL:
        to->number = (int64_t)rng_below(rng, 2000000) - 1000000;
        break;
    case COLUMN_UUID:
        break;
    }
}

// Whatever a row holds, a node that was sent it encodes, and so hashes, the same bytes.
TEST(catalog__every_row_survives_the_way)
{
    struct rng rng;
    struct value values[ROW_COLUMNS_MAX];
    rng_init(&rng, 7);
    begin();
    for (int i = 0; i < 5000; i++) {
        const struct catalog_kind *kind = &catalog_kinds[rng_below(&rng, CATALOG_KIND_COUNT)];
        struct row row = {kind->table, values};
        int count = row_column_count(kind->table);
        values[0] = (struct value){.text = STR("SKU/1")};
        for (int c = 1; c < count - 1; c++)
            fill_value(&rng, kind, c, &values[c]);
        values[count - 1] = (struct value){.null = rng_below(&rng, 2) == 0,
                                           .text = STR("{\"later\":[true,{\"x\":\"y\"}]}")};
        buf_reset(&text);
        assert_int_equal(catalog_row_encode(kind, &row, &text), ERR_OK);
        const char *sent = arena_copy(&arena, buf_str(&text)).p;
        assert_string_equal(again(sent), sent);
        arena_reset(&arena);
    }
    end();
}

TEST(catalog__a_version_is_written_and_read)
{
    struct catalog_version version = {.number = 17, .hash = hash_of(STR("x")), .count = 3}, read;
    struct json json;
    struct err e = {0};
    begin();
    assert_int_equal(catalog_version_write(&version, &text), ERR_OK);
    assert_int_equal(json_parse_in(&arena, buf_str(&text), 4, &json, NULL), ERR_OK);
    assert_int_equal(catalog_version_read(json.root, &read, &e), ERR_OK);
    assert_int_equal(read.number, 17);
    assert_int_equal(read.count, 3);
    assert_true(hash_equal(&read.hash, &version.hash));
    buf_reset(&text);
    version.number = 0;
    assert_int_equal(catalog_version_write(&version, &text), ERR_OK);
    assert_int_equal(json_parse_in(&arena, buf_str(&text), 4, &json, NULL), ERR_OK);
    assert_int_equal(catalog_version_read(json.root, &read, &e), ERR_INVALID);
    end();
}
