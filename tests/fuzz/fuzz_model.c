/* SPDX-License-Identifier: MIT */
/* fuzz_model.c - any bytes as a model file; each also with the length and SHA-256 that it
 * ought to have, or nothing would come past them. */
#include "fuzz.h"

#include <math.h>

#include "model/model_file.h"
#include "model/sha256.h"

static void walk(const struct model *model)
{
    float row[FOREST_COLUMNS + 1] = {0.0f};
    double credit[FOREST_COLUMNS];
    for (uint32_t i = 0; i < model->forest.width; i++)
        row[i] = (float)i * 3.0f - 5.0f;
    double score = forest_score(&model->forest, row);
    promise(score >= 0.0 && score <= 1.0);
    promise(isfinite(heldout_surprise(&model->heldout, score)));
    forest_credit(&model->forest, row, credit);
}

static void parse(const uint8_t *bytes, size_t size)
{
    struct model_file *file = NULL;
    enum model_fault fault;
    eddy_error err = {0};
    int status = model_file_parse(bytes, size, &file, &fault, &err);
    promise((status == EDDY_OK) == (fault == MODEL_FINE));
    promise(status == EDDY_OK || (err.code == status && err.message[0] != '\0'));
    if (status != EDDY_OK)
        return;
    promise(file->name[0] != '\0');
    walk(&file->model);
    model_file_free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse(data, size);
    if (size < 64)
        return 0;
    uint8_t *forged = malloc(size);
    promise(forged != NULL);
    memcpy(forged, data, size);
    memcpy(forged, MODEL_MAGIC, 8);
    forged[8] = MODEL_MAJOR;
    forged[9] = 0;
    for (unsigned i = 0; i < 8; i++)
        forged[16 + i] = (uint8_t)(size >> (8 * i));
    promise(sha256_of(forged + 64, size - 64, forged + 24));
    parse(forged, size);
    free(forged);
    return 0;
}
