/* SPDX-License-Identifier: MIT */
/* rest_models.h - the models that are served, from one directory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "eddy.h"
#include "say.h"

struct models;

/* A model in memory; stays as long as somebody holds it, whatever is loaded meanwhile. */
struct served;

/* Loads all NAME.eddy of the directory; what is refused is told and kept in mind. "" for a
 * directory: there are no models. */
int models_new(const char *directory, const struct say *say, struct models **out, eddy_error *err);
void models_free(struct models *m);

/* All below are for any thread. */

/* Loads NAME.eddy (anew). On failure what was served before stays. EDDY_EUSAGE: there is no such
 * file. */
int models_load(struct models *m, const char *name, eddy_error *err);
bool models_unload(struct models *m, const char *name); /* was it loaded? */

/* A path for a name; false: too long, or there is no directory. */
bool models_path(const struct models *m, const char *name, char *buf, size_t size);

struct served *models_hold(struct models *m, const char *name); /* NULL: not loaded */
void models_release(struct models *m, struct served *served);
const eddy_model *served_model(const struct served *served);

struct model_state {
    const char *name;
    const eddy_model *model; /* NULL: not loaded */
    const char *reason;      /* why the file was refused, or "" */
};

/* Visits what is loaded and what else is in the directory, by name. */
void models_each(struct models *m, void (*each)(const struct model_state *state, void *user),
                 void *user);
