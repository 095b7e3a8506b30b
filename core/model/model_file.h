/* SPDX-License-Identifier: MIT */
/* model_file.h - models as files: models/README.md has the format, byte by byte. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "eddy.h"
#include "model/model.h"
#include "model/nursery.h"

#define MODEL_FILE_MAX ((size_t)256 << 20) /* bytes */
#define MODEL_MAGIC    "EDDYMDL\n"
#define MODEL_MAJOR    1
#define MODEL_MINOR    1
#define MODEL_GOLDEN   64 /* rows that we write */

/* Golden rows that are read, at most. Each takes as long as a flow does, at most: with
 * MODEL_DEPTHS, they bound how long a file takes to be loaded. */
#define MODEL_GOLDEN_MOST 4096

/* Why a file was refused: labels of eddy_model_load_failures_total. */
enum model_fault {
    MODEL_FINE,
    MODEL_UNREADABLE,  /* the file can't be read, or no memory */
    MODEL_DAMAGED,     /* it is no model file, cut short, or not what its SHA-256 says */
    MODEL_MALFORMED,   /* it is whole, and what is in it can't be */
    MODEL_FEATURES,    /* made for other columns than ours */
    MODEL_KIND,        /* good, but not for the detector that is to use it */
    MODEL_GOLDEN_ROWS, /* does not give the outputs that it says it gives */
    MODEL_FAULT_COUNT
};

extern const char *const model_fault_names[MODEL_FAULT_COUNT];

struct model_file {
    struct model model;            /* its trees are in `room` */
    void *room;                    /* owned, as are the next two */
    struct ruler *ruler;           /* NULL: thresholds are floats */
    struct model_classes *classes; /* NULL: an isolation forest's */
    char name[64], version[32];
    char sha256[65]; /* of the whole file, as sha256sum prints it */
    char *metadata;  /* JSON, one line */
    char *path;
    struct stat identity;
};

/* Reads it, checks every byte, runs the golden rows. `fault` may be NULL. Given: model_file_free.
 */
int model_file_load(const char *path, struct model_file **out, enum model_fault *fault,
                    eddy_error *err);

/* The same from memory, without path, identity and sha256. */
int model_file_parse(const void *bytes, size_t length, struct model_file **out,
                     enum model_fault *fault, eddy_error *err);

/* All bytes of the file, given; NULL and `err` if it can't be read. */
void *model_file_bytes(const char *path, struct stat *info, size_t *length, eddy_error *err);

/* Visits what is in a file and not kept: nodes as they are written, and golden rows. `bytes` are
 * those that `file` was parsed from. Ends early, and returns that, where `each` returns another
 * number than 0. */
int model_file_nodes(const struct model_file *file, const void *bytes, size_t length,
                     eddy_model_node_fn *each, void *user);
int model_file_golden(const struct model_file *file, const void *bytes, size_t length,
                      eddy_model_golden_fn *each, void *user);

void model_file_free(struct model_file *file);

/* Writes the model in use in the nursery, by way of a file beside it that is then renamed.
 * `metadata` is a JSON object on one line. */
int model_file_write(const struct nursery *nursery, const char *metadata, const char *path,
                     eddy_error *err);
