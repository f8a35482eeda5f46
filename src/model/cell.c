// SPDX-License-Identifier: Apache-2.0
#include "model/cell.h"

#include "base/decimal.h"

#include <stdio.h>

enum err_code cell_put(struct cell *cell, const struct record_entry *by, const struct value *value,
                       struct arena *a)
{
    struct cell_write *write = arena_alloc(a, sizeof *write);
    if (write == NULL)
        return ERR_NO_MEMORY;
    *write = (struct cell_write){by, *value, cell->newest};
    cell->newest = write;
    return ERR_OK;
}

const struct cell_write *cell_read(const struct cell *cell, const struct questions *q)
{
    const struct cell_write *write = cell->newest;
    while (write != NULL && !question_counts(q, write->by))
        write = write->next;
    return write;
}

const struct cell_write *cell_base(const struct cell *cell, const struct questions *q,
                                   const struct record_entry *a, const struct record_entry *b)
{
    const struct cell_write *write = cell->newest;
    while (write != NULL && (!record_names(a, write->by) || !record_names(b, write->by) ||
                             !question_counts(q, write->by)))
        write = write->next;
    return write;
}

struct str cell_say(const struct cell_write *write, enum column_kind kind, struct arena *a)
{
    char text[64]; // of a number or an id
    if (write == NULL || write->value.null)
        return STR("");
    switch (kind) {
    case COLUMN_TEXT:
        return write->value.text;
    case COLUMN_INTEGER:
        snprintf(text, sizeof text, "%lld", (long long)write->value.number);
        break;
    case COLUMN_DECIMAL:
        decimal_format(write->value.number, text);
        break;
    case COLUMN_UUID:
        uuid_format(&write->value.uuid, text);
        break;
    }
    return arena_copy(a, str_of(text));
}
