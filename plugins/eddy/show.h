/* SPDX-License-Identifier: MIT */
/* show.h - one incident with all its evidence, for a person at a terminal. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "notes.h"
#include "store.h"
#include "table.h"

/* "growing 3h 20m": since when nothing has been heard of one that is not closed. */
void state_text(const eddy_incident *incident, int64_t now_us, char buf[32]);

/* Where it was found, for the commands that want to find it again. */
struct show_source {
    const char *config; /* of -c; NULL: not given */
    char *const *files; /* that were named */
    size_t file_count;
};

/* `mark` may be NULL. */
void show_print(const struct stored *stored, const struct show_source *source,
                const struct note *mark, int64_t now_us, struct table_look look);
