/* SPDX-License-Identifier: MIT */
/* registry.h - what an MLflow server (2 and 3, with --serve-artifacts) has of a model.
 *
 *     registry_reference(&ref, "models:/office@champion", &err)      what is meant
 *     registry_find(&registry, &ref, &version, &err)                 which version that is now
 *     registry_fetch(&registry, &version, "/tmp/part", &err)         its .eddy file
 *
 * Nothing the server says becomes part of a path here. Its words in messages are to be written
 * safely: complain() does. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "eddy.h"
#include "http_get.h"

#define REGISTRY_NAME_MAX 255

struct registry {
    const char *server; /* http://host:port, with a path before /api if it has one */
    struct http_client client;
    size_t max; /* bytes of a model file */
};

struct registry_reference {
    char name[REGISTRY_NAME_MAX + 1];
    char alias[REGISTRY_NAME_MAX + 1]; /* "" if there is a version */
    char version[24];                  /* "" if there is an alias */
};

struct registry_version {
    char name[REGISTRY_NAME_MAX + 1];
    char version[24];
    char sha256[65]; /* its tag eddy.sha256, or "" */
};

/* models:/NAME@ALIAS or models:/NAME/VERSION */
int registry_reference(struct registry_reference *out, const char *text, eddy_error *err);

int registry_find(const struct registry *registry, const struct registry_reference *reference,
                  struct registry_version *out, eddy_error *err);

/* Writes the one .eddy file of a version to a file that is there, and syncs it. */
int registry_fetch(const struct registry *registry, const struct registry_version *version,
                   const char *path, eddy_error *err);
