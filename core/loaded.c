/* SPDX-License-Identifier: MIT */
/* loaded.c - the model files that settings name: loaded once, shared by all settings that name the
 * same. */
#include "loaded.h"

#include <stdlib.h>
#include <string.h>

#include "util/error.h"
#include "util/io.h"

/* ---- one file ---- */

static struct loaded *hold(struct loaded *loaded)
{
    atomic_fetch_add_explicit(&loaded->holders, 1, memory_order_relaxed);
    return loaded;
}

static void drop(struct loaded *loaded)
{
    if (loaded == NULL || atomic_fetch_sub_explicit(&loaded->holders, 1, memory_order_acq_rel) > 1)
        return;
    model_file_free(loaded->file);
    free(loaded->path);
    free(loaded);
}

/* Takes over the file, also NULL. */
static struct loaded *wrap(const char *path, struct model_file *file)
{
    struct loaded *loaded = calloc(1, sizeof *loaded);
    if (loaded != NULL)
        loaded->path = strdup(path);
    if (loaded == NULL || loaded->path == NULL) {
        free(loaded);
        model_file_free(file);
        return NULL;
    }
    atomic_init(&loaded->holders, 1);
    loaded->file = file;
    if (file != NULL)
        loaded->seen = file->identity;
    else
        (void)stat(path, &loaded->seen); /* what is there now need not be tried again */
    return loaded;
}

static int read_file(const char *path, struct loaded **out, enum model_fault *fault,
                     eddy_error *err)
{
    struct model_file *file = NULL;
    int status = model_file_load(path, &file, fault, err);
    if (status != EDDY_OK)
        return status;
    struct loaded *loaded = wrap(path, file);
    if (loaded == NULL) {
        *fault = MODEL_UNREADABLE;
        return error_nomem(err);
    }
    *out = loaded;
    return EDDY_OK;
}

static bool wants_isolation(enum model_use use)
{
    return use == IFOREST_MODEL || use == IFOREST_CHALLENGER;
}

/* A detector can use only what is of its kind. */
static int check_kind(enum model_use use, const struct model_file *file, eddy_error *err)
{
    bool isolation = file->model.kind == MODEL_ISOLATION;
    if (isolation == wants_isolation(use))
        return EDDY_OK;
    return error_set(err, EDDY_ECONFIG, "%s: %s wants %s, and this is a model of kind %s",
                     file->path, model_settings[use],
                     isolation ? "a classifier" : "an isolation forest",
                     model_kind_names[file->model.kind]);
}

/* ---- which ---- */

/* One that is open, and is what the file at the path is now; NULL: there is none. */
static struct loaded *find(const struct loaded_set *set, const char *path, const struct stat *now)
{
    for (size_t use = 0; set != NULL && use < MODEL_USES; use++) {
        struct loaded *loaded = set->of[use];
        if (loaded != NULL && strcmp(loaded->path, path) == 0 && loaded->file != NULL &&
            (now == NULL || !io_differs(&loaded->file->identity, now)))
            return loaded;
    }
    return NULL;
}

/* Is the path to be read again? `now` is what is there; NULL: nothing. */
static bool is_due(const struct loaded *loaded, enum loaded_when when, const struct stat *now)
{
    if (now == NULL) /* gone for a moment: keep what we have */
        return when != LOADED_LOOK && loaded->file == NULL;
    if (when == LOADED_LOOK)
        return io_differs(&loaded->seen, now);
    return loaded->file == NULL || io_differs(&loaded->file->identity, now);
}

/* What is to be used for a setting, and by what rules. */
struct wish {
    enum model_use use;
    const char *path;
    const struct stat *now; /* of the path; NULL: nothing is there */
    bool must;              /* be what is there now, and good */
};

/* What the setting is to use: an open file, or a new one. */
static int choose(const struct wish *wish, const struct loading *loading,
                  const struct loaded_set *taken, struct loaded **out, enum model_fault *fault,
                  eddy_error *err)
{
    struct loaded *open = NULL;
    if (!wish->must || wish->now != NULL) /* in this making: never two of a path, if that can be */
        open = find(taken, wish->path, wish->must ? wish->now : NULL);
    if (open == NULL && wish->now != NULL)
        open = find(loading->before, wish->path, wish->now);
    int status = EDDY_OK;
    *fault = MODEL_FINE;
    if (open != NULL)
        (void)hold(open);
    else
        status = read_file(wish->path, &open, fault, err);
    if (status == EDDY_OK && check_kind(wish->use, open->file, err) != EDDY_OK) {
        *fault = MODEL_KIND;
        status = EDDY_ECONFIG;
        drop(open);
    }
    if (status == EDDY_OK)
        *out = open;
    return status;
}

/* What is there has been refused: looks pass it over until it changes again. What is good is noted
 * nowhere but in what was loaded from it: should the settings that it is for not come into force,
 * the next look finds it again. */
static void note_refused(const struct loading *loading, const struct wish *wish,
                         enum model_fault fault)
{
    for (size_t use = 0; loading->before != NULL && wish->now != NULL && use < MODEL_USES; use++) {
        struct loaded *before = loading->before->of[use];
        bool too = fault != MODEL_KIND || wants_isolation((enum model_use)use) ==
                                              wants_isolation(wish->use); /* refused for it */
        if (before != NULL && strcmp(before->path, wish->path) == 0 && too)
            before->seen = *wish->now;
    }
}

/* ---- all ---- */

static void say_refused(const struct loading *loading, enum model_use use,
                        const struct loaded *before, const eddy_error *why)
{
    log_line(loading->log, LOG_LEVEL_ERROR, "%s: %s: %s", model_settings[use],
             before != NULL && before->file != NULL ? "keeping the model in use"
                                                    : "going on without the model",
             why->message);
}

static void say_taken(const struct loading *loading, enum model_use use,
                      const struct loaded *loaded)
{
    if (loading->before != NULL &&
        find(loading->before, loaded->path, &loaded->file->identity) == NULL)
        log_line(loading->log, LOG_LEVEL_NOTICE, "%s: %s loaded: %s %s, sha256 %s",
                 model_settings[use], loaded->path, loaded->file->name, loaded->file->version,
                 loaded->file->sha256);
}

static bool must_load(const struct loading *loading, enum model_use use, const struct loaded *same)
{
    if (loading->must != NULL && strcmp(loading->must, model_settings[use]) == 0)
        return true;
    return same == NULL && (loading->before != NULL || loading->must_all);
}

static int take(struct loading *loading, enum model_use use, const char *path,
                struct loaded_set *set, eddy_error *err)
{
    struct loaded *before = loading->before == NULL ? NULL : loading->before->of[use];
    struct loaded *same = before != NULL && strcmp(before->path, path) == 0 ? before : NULL;
    enum model_fault fault;
    eddy_error why = {0};
    struct stat info;
    const struct wish wish = {.use = use,
                              .path = path,
                              .now = stat(path, &info) == 0 ? &info : NULL,
                              .must = must_load(loading, use, same)};
    if (same != NULL && !wish.must && find(set, path, NULL) == NULL &&
        !is_due(same, loading->when, wish.now)) {
        set->of[use] = hold(same);
        return EDDY_OK;
    }
    int status = choose(&wish, loading, set, &set->of[use], &fault, &why);
    if (status == EDDY_OK) {
        if (set->of[use] == same && wish.now != NULL)
            same->seen = info; /* another one was there for a while */
        say_taken(loading, use, set->of[use]);
        return EDDY_OK;
    }
    loading->faults[fault]++;
    note_refused(loading, &wish, fault);
    if (wish.must)
        return error_set(err, status, "%s: %s", model_settings[use], why.message);
    say_refused(loading, use, same, &why);
    set->of[use] = same != NULL ? hold(same) : wrap(path, NULL);
    return set->of[use] == NULL ? error_nomem(err) : EDDY_OK;
}

/* The first to be taken: the one that must load, so that of its file nothing else is told first. */
static size_t first_use(const struct loading *loading)
{
    for (size_t use = 0; use < MODEL_USES && loading->must != NULL; use++)
        if (strcmp(loading->must, model_settings[use]) == 0)
            return use;
    return 0;
}

int loaded_take(struct loading *loading, const eddy_config *config, struct loaded_set *out,
                eddy_error *err)
{
    struct loaded_set set = {0};
    size_t first = first_use(loading);
    for (size_t i = 0; i < MODEL_USES; i++) {
        size_t use = (first + i) % MODEL_USES;
        const char *path = eddy_config_value(config, model_settings[use]);
        if (path == NULL || path[0] == '\0')
            continue;
        int status = take(loading, (enum model_use)use, path, &set, err);
        if (status != EDDY_OK) {
            loaded_drop(&set);
            return status;
        }
    }
    *out = set;
    return EDDY_OK;
}

bool loaded_changed(const struct loaded_set *set)
{
    for (size_t use = 0; use < MODEL_USES; use++) {
        struct stat now;
        const struct loaded *loaded = set->of[use];
        if (loaded != NULL && stat(loaded->path, &now) == 0 && io_differs(&loaded->seen, &now))
            return true;
    }
    return false;
}

void loaded_drop(struct loaded_set *set)
{
    for (size_t use = 0; use < MODEL_USES; use++) {
        drop(set->of[use]);
        set->of[use] = NULL;
    }
}
