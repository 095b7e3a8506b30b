/* SPDX-License-Identifier: MIT */
/* grown_model.h - files of isolation forests that were grown from flows drawn at random: other
 * seeds give other scores. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "model/model_file.h"
#include "model/nursery.h"
#include "random.h"

/* Writes it by way of a rename. False: it could not. */
static inline bool write_grown_model(const char *path, uint64_t seed, const char *version)
{
    static const enum column columns[] = {COLUMN_duration, COLUMN_bytes_out, COLUMN_bytes_in};
    static const struct nursery_conf conf = {
        .trees = 20, .samples = 64, .retrain_us = INT64_C(86400000000)};
    struct nursery *n = calloc(1, sizeof *n);
    struct rng rng = {seed};
    char metadata[160];
    if (n == NULL)
        return false;
    (void)snprintf(metadata, sizeof metadata,
                   "{\"name\":\"grown\",\"version\":\"%s\",\"trained_us\":1700000000000000}",
                   version);
    nursery_begin(n, columns, 3);
    for (unsigned i = 0; i < 2000; i++) {
        float row[4] = {(float)(30 * rng_uniform(&rng)), (float)(20 * rng_uniform(&rng)),
                        (float)(20 * rng_uniform(&rng)), 0.0f};
        nursery_add(n, row);
    }
    bool good = nursery_finish(n, &conf, 1) && model_file_write(n, metadata, path, NULL) == EDDY_OK;
    free(n);
    return good;
}
