/* SPDX-License-Identifier: MIT */
/* rest_models.c - the models that are served, from one directory. */
#include "rest_models.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define MODELS_MAX 256 /* names that are known */
#define NAME_BYTES 64  /* of a name; rest_route.c takes no longer ones */
#define ENDING     ".eddy"

struct served {
    eddy_model *model;
    unsigned holders; /* the table, and each request that uses it; under the table's lock */
};

struct entry {
    char name[NAME_BYTES + 1];
    struct served *served;
    char reason[sizeof(((eddy_error *)0)->message)]; /* of the last load; "" if it worked */
};

struct models {
    char *directory;
    pthread_mutex_t lock;  /* guards all below; normal, so it can't fail */
    struct entry *entries; /* by name */
    size_t count;
};

static void drop(struct served *served)
{
    if (served != NULL && --served->holders == 0) {
        eddy_model_free(served->model);
        free(served);
    }
}

/* Where the name is, or is to be. */
static size_t place_of(const struct models *m, const char *name)
{
    size_t i = 0;
    while (i < m->count && strcmp(m->entries[i].name, name) < 0)
        i++;
    return i;
}

static struct entry *find(struct models *m, const char *name)
{
    size_t i = place_of(m, name);
    return i < m->count && strcmp(m->entries[i].name, name) == 0 ? &m->entries[i] : NULL;
}

/* NULL: there are too many. */
static struct entry *find_or_add(struct models *m, const char *name)
{
    struct entry *found = find(m, name);
    if (found != NULL || m->count == MODELS_MAX)
        return found;
    size_t i = place_of(m, name);
    memmove(&m->entries[i + 1], &m->entries[i], (m->count - i) * sizeof *m->entries);
    m->entries[i] = (struct entry){0};
    (void)snprintf(m->entries[i].name, sizeof m->entries[i].name, "%s", name); /* it fits */
    m->count++;
    return &m->entries[i];
}

static void remove_at(struct models *m, size_t i)
{
    memmove(&m->entries[i], &m->entries[i + 1], (m->count - i - 1) * sizeof *m->entries);
    m->count--;
}

bool models_path(const struct models *m, const char *name, char *buf, size_t size)
{
    int length = snprintf(buf, size, "%s/%s" ENDING, m->directory, name);
    return *m->directory != '\0' && length > 0 && (size_t)length < size;
}

static int open_model(const struct models *m, const char *name, struct served **out,
                      eddy_error *err)
{
    char path[4096];
    if (*m->directory == '\0')
        return fault(err, EDDY_EUSAGE, "no models are served: rest.models is not set");
    if (!models_path(m, name, path, sizeof path) || access(path, F_OK) != 0)
        return fault(err, EDDY_EUSAGE, "there is no model file %s" ENDING, name);
    struct served *served = calloc(1, sizeof *served);
    if (served == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    served->holders = 1;
    int status = eddy_model_open(path, &served->model, err);
    if (status < 0) {
        free(served);
        return status;
    }
    *out = served;
    return EDDY_OK;
}

int models_load(struct models *m, const char *name, eddy_error *err)
{
    struct served *served = NULL;
    eddy_error why = {0};
    int status = open_model(m, name, &served, &why); /* takes long: without the lock */
    (void)pthread_mutex_lock(&m->lock);
    struct entry *entry = status == EDDY_EUSAGE ? find(m, name) : find_or_add(m, name);
    if (entry != NULL)
        (void)snprintf(entry->reason, sizeof entry->reason, "%s", why.message);
    if (status == EDDY_OK && entry != NULL) {
        struct served *before = entry->served;
        entry->served = served;
        served = before;
    } else if (status == EDDY_OK) {
        status = fault(&why, EDDY_ENOMEM, "more than %d models", MODELS_MAX);
    }
    drop(served);
    (void)pthread_mutex_unlock(&m->lock);
    return status == EDDY_OK ? status : fault(err, status, "%s", why.message);
}

bool models_unload(struct models *m, const char *name)
{
    (void)pthread_mutex_lock(&m->lock);
    struct entry *entry = find(m, name);
    struct served *served = entry != NULL ? entry->served : NULL;
    if (entry != NULL) { /* what it was refused for is of no interest any more, either */
        remove_at(m, (size_t)(entry - m->entries));
    }
    bool was = served != NULL;
    drop(served);
    (void)pthread_mutex_unlock(&m->lock);
    return was;
}

struct served *models_hold(struct models *m, const char *name)
{
    (void)pthread_mutex_lock(&m->lock);
    struct entry *entry = find(m, name);
    struct served *served = entry != NULL ? entry->served : NULL;
    if (served != NULL)
        served->holders++;
    (void)pthread_mutex_unlock(&m->lock);
    return served;
}

void models_release(struct models *m, struct served *served)
{
    (void)pthread_mutex_lock(&m->lock);
    drop(served);
    (void)pthread_mutex_unlock(&m->lock);
}

const eddy_model *served_model(const struct served *served)
{
    return served->model;
}

/* ---- the directory ---- */

/* NAME of NAME.eddy; false: another file. */
static bool name_of(const char *file, char out[NAME_BYTES + 1])
{
    static const char may[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(file);
    size_t ending = strlen(ENDING);
    if (length <= ending || length - ending > NAME_BYTES || file[0] == '.' ||
        strcmp(file + length - ending, ENDING) != 0)
        return false;
    memcpy(out, file, length - ending);
    out[length - ending] = '\0';
    return strspn(out, may) == length - ending;
}

/* Calls `each` with every name in the directory; without one, with none. */
static int each_name(const struct models *m, void (*each)(const char *name, void *user), void *user)
{
    char name[NAME_BYTES + 1];
    DIR *directory = *m->directory != '\0' ? opendir(m->directory) : NULL;
    if (directory == NULL)
        return *m->directory != '\0' ? EDDY_EIO : EDDY_OK;
    for (const struct dirent *file = readdir(directory); file != NULL; file = readdir(directory))
        if (name_of(file->d_name, name))
            each(name, user);
    (void)closedir(directory); /* read only */
    return EDDY_OK;
}

struct listing {
    struct models *m;
    const struct say *say;
};

static void load_first(const char *name, void *user)
{
    const struct listing *l = user;
    eddy_error err;
    if (models_load(l->m, name, &err) < 0)
        say(l->say, LOG_WARNING, "model %s is not served: %s", name, err.message);
}

int models_new(const char *directory, const struct say *say_to, struct models **out,
               eddy_error *err)
{
    struct models *m = calloc(1, sizeof *m);
    if (m != NULL) {
        m->directory = strdup(directory);
        m->entries = calloc(MODELS_MAX, sizeof *m->entries);
    }
    if (m == NULL || m->directory == NULL || m->entries == NULL ||
        pthread_mutex_init(&m->lock, NULL) != 0) {
        if (m != NULL) {
            free(m->directory);
            free(m->entries);
        }
        free(m);
        return fault(err, EDDY_ENOMEM, "out of memory");
    }
    struct listing l = {m, say_to};
    if (each_name(m, load_first, &l) < 0) {
        models_free(m);
        return fault(err, EDDY_EIO, "rest.models = %s: %s", directory, strerror(errno));
    }
    *out = m;
    return EDDY_OK;
}

void models_free(struct models *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->count; i++)
        drop(m->entries[i].served);
    (void)pthread_mutex_destroy(&m->lock);
    free(m->entries);
    free(m->directory);
    free(m);
}

static void note(const char *name, void *user)
{
    struct models *m = user;
    (void)find_or_add(m, name); /* too many: the first ones are listed */
}

/* What is not loaded is known as long as its file is there. */
static void forget_gone(struct models *m)
{
    char path[4096];
    for (size_t i = m->count; i-- > 0;)
        if (m->entries[i].served == NULL &&
            (!models_path(m, m->entries[i].name, path, sizeof path) || access(path, F_OK) != 0))
            remove_at(m, i);
}

void models_each(struct models *m, void (*each)(const struct model_state *state, void *user),
                 void *user)
{
    (void)pthread_mutex_lock(&m->lock);
    forget_gone(m);
    (void)each_name(m, note, m); /* a directory that is gone has no more names */
    for (size_t i = 0; i < m->count; i++) {
        const struct entry *e = &m->entries[i];
        struct model_state state = {e->name, e->served != NULL ? e->served->model : NULL,
                                    e->reason};
        each(&state, user);
    }
    (void)pthread_mutex_unlock(&m->lock);
}
