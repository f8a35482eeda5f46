// SPDX-License-Identifier: Apache-2.0
#include "model/floor.h"

static const struct column table_columns[] = {
    {"id", COLUMN_TEXT, "the table"},
    {"status", COLUMN_TEXT, "available, occupied, reserved or dirty"},
    CARD_CHANGED};
static const struct row_table tables = {"table_cards", 1, table_columns};
static const struct row_table *const table_tables[] = {&tables, &question_table, NULL};

const struct reducer table_reducer = CARD_REDUCER("table", table_tables);
