/* SPDX-License-Identifier: MIT */
/* schema.c - which columns a model was trained on, and whether they are still ours. */
#include "model/schema.h"

#include <string.h>

#include "model/forest.h"
#include "util/text.h"

/* To be raised when what formulas call (lg, rate, window_width ...) means something else. */
#define GENERATION "eddy features 1\n"

static const struct {
    const char *name, *formula;
} table[COLUMN_COUNT] = {
#define COLUMN(name, formula, help) {#name, #formula},
#include "features.def"
#undef COLUMN
};

bool schema_find(const char *name, size_t length, enum column *out)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (strlen(table[i].name) == length && memcmp(table[i].name, name, length) == 0) {
            *out = (enum column)i;
            return true;
        }
    }
    return false;
}

bool schema_fingerprint(const uint8_t *column, uint32_t width, uint8_t out[SHA256_SIZE])
{
    char buffer[FOREST_COLUMNS * 160];
    struct text text = text_over(buffer, sizeof buffer);
    text_add(&text, GENERATION);
    for (uint32_t i = 0; i < width; i++) {
        text_add(&text, table[column[i]].name);
        text_add(&text, " = ");
        text_add(&text, table[column[i]].formula);
        text_char(&text, '\n');
    }
    return text_fits(&text) && sha256_of(buffer, text.length, out);
}
