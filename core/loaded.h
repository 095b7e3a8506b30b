/* SPDX-License-Identifier: MIT */
/* loaded.h - the model files that settings name: loaded once, shared by all settings that name the
 * same.
 *
 *     settings before --> loaded A <-- settings now      forest.model, unchanged
 *                     --> loaded B                       forest.challenger: its file was replaced
 *                         loaded C <--                   what is in the file now
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "eddy.h"
#include "model/model_file.h"
#include "util/log.h"

struct loaded {
    /* Whoever gives up the last hold frees it: acquire and release order that after all other use.
     */
    atomic_uint holders;
    struct model_file *file; /* never changes; NULL: refused when the engine began */
    /* Of the path, as looks know it: what `file` was read from, or what was refused there since.
     * Theirs who make new settings. */
    struct stat seen;
    char *path;
};

/* By setting; NULL: it names no file. */
struct loaded_set {
    struct loaded *of[MODEL_USES];
};

enum loaded_when {
    LOADED_START,  /* all; a refused one is an error if `must_all` */
    LOADED_CHANGE, /* other settings: files that are not as they were loaded */
    LOADED_LOOK    /* the same settings: files that have changed since the last look */
};

/* One making of new settings, as far as models are concerned. */
struct loading {
    enum loaded_when when;
    const struct loaded_set *before; /* NULL at the start */
    const char *must;                /* the setting whose model must load, whatever was before */
    bool must_all;
    struct log *log;
    unsigned faults[MODEL_FAULT_COUNT]; /* counted here: files refused */
};

/* Has one of the files changed since the last look? Looks at the disk. */
bool loaded_changed(const struct loaded_set *set);

/* Takes over or loads what the config names. A file that can't be used leaves the one before in use
 * if the setting named the same path before; else it is an error, and `out` is as it was. */
int loaded_take(struct loading *loading, const eddy_config *config, struct loaded_set *out,
                eddy_error *err);

void loaded_drop(struct loaded_set *set);
