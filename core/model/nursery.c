/* SPDX-License-Identifier: MIT */
/* nursery.c - grows the next model in place, a little with each flow, while the last one is in use.
 */
#include "model/nursery.h"

#include <string.h>

#define GROW_EVERY 8  /* flows: a tree costs about as much as scoring 100 */
#define RANK_EACH  16 /* held-out flows */
#define THIRD      3  /* every third row is grown from */
#define RENEW      4  /* times the flows of the last model */

void nursery_settle(struct nursery *n)
{
    for (size_t i = 0; i < 2; i++) {
        struct plant *plant = &n->plant[i];
        plant->model.forest.node = plant->node;
        plant->model.forest.value = plant->value;
        plant->model.forest.cover = plant->cover;
    }
}

void nursery_begin(struct nursery *n, const enum column *column, uint32_t width)
{
    n->width = width;
    for (uint32_t i = 0; i < width; i++)
        n->column[i] = (uint8_t)column[i];
    nursery_settle(n);
}

void nursery_add(struct nursery *n, const float *row)
{
    n->learned++;
    size_t slot = reservoir_place(&n->reservoir, NURSERY_ROWS);
    if (slot != RESERVOIR_NONE)
        memcpy(n->row[slot], row, (n->width + 1) * sizeof *row);
}

const struct model *nursery_model(const struct nursery *n)
{
    return n->ready ? &n->plant[n->in_use].model : NULL;
}

static struct model *next_model(struct nursery *n)
{
    return &n->plant[!n->in_use].model;
}

/* ---- growing ---- */

static uint32_t grown_from(const struct nursery *n)
{
    return (uint32_t)((n->reservoir.rows + THIRD - 1) / THIRD);
}

/* Samples without replacement: the first of a shuffle (Fisher, Yates; Durstenfeld 1964). */
static void draw(struct nursery *n, uint32_t samples)
{
    uint16_t row[NURSERY_ROWS / THIRD];
    uint32_t rows = grown_from(n);
    for (uint32_t i = 0; i < rows; i++)
        row[i] = (uint16_t)(i * THIRD);
    for (uint32_t i = 0; i < samples; i++) {
        uint32_t other = i + (uint32_t)random_below(&n->random, rows - i);
        uint16_t drawn = row[other];
        row[other] = row[i];
        for (uint32_t c = 0; c < n->width; c++)
            n->plot.sample[c][i] = n->row[drawn][c];
        n->plot.order[i] = (uint16_t)i;
    }
}

static void grow_one(struct nursery *n)
{
    struct forest *forest = &next_model(n)->forest;
    draw(n, n->plot.samples);
    isolation_grow(forest, n->done, &n->plot, &n->random);
    if (++n->done < forest->trees)
        return;
    n->phase = NURSERY_RANKING;
    n->done = 0;
}

static void begin(struct nursery *n, const struct nursery_conf *conf, int64_t now_us)
{
    struct model *model = next_model(n);
    memset(&model->heldout, 0, sizeof model->heldout);
    memset(model->bins, 0, sizeof model->bins);
    memcpy(model->column, n->column, sizeof n->column);
    n->plot.width = model->forest.width = n->width;
    n->plot.samples = grown_from(n) < conf->samples ? grown_from(n) : (uint32_t)conf->samples;
    model->kind = MODEL_ISOLATION;
    model->forest.outputs = 1;
    model->forest.trees = (uint32_t)conf->trees;
    model->forest.normaliser = isolation_c(n->plot.samples);
    model->trained_us = now_us;
    model->id = n->learned + 1;
    n->phase = NURSERY_GROWING;
    n->done = 0;
    n->learned_then = n->learned;
    n->begun_us = now_us;
}

/* ---- ranking ---- */

static void rank_one(struct nursery *n)
{
    struct model *model = next_model(n);
    const float *row = n->row[n->done];
    if (n->done % THIRD != 0) {
        heldout_add(&model->heldout, forest_score(&model->forest, row));
        for (uint32_t i = 0; i < n->width; i++)
            model->bins[i][column_bin((enum column)n->column[i], (double)row[i])]++;
    }
    if (++n->done < n->reservoir.rows)
        return;
    heldout_fit(&model->heldout);
    n->in_use = !n->in_use;
    n->ready = true;
    n->phase = NURSERY_RESTING;
}

/* ---- from flow to flow ---- */

/* A clock that was set back makes nothing wait longer than retrain_us. */
static bool due(const struct nursery *n, const struct nursery_conf *conf, int64_t now_us)
{
    if (n->reservoir.rows < NURSERY_FIRST)
        return false;
    return n->learned_then == 0 || n->learned >= RENEW * n->learned_then ||
           now_us >= n->begun_us + conf->retrain_us || now_us < n->begun_us - conf->retrain_us;
}

void nursery_step(struct nursery *n, const struct nursery_conf *conf, int64_t now_us)
{
    switch (n->phase) {
    case NURSERY_RESTING:
        if (!due(n, conf, now_us))
            return;
        if (n->ready && n->learned < RENEW * n->learned_then)
            reservoir_age(&n->reservoir); /* a day has passed */
        begin(n, conf, now_us);
        n->wait = GROW_EVERY;
        break;
    case NURSERY_GROWING:
        if (--n->wait > 0)
            return;
        n->wait = GROW_EVERY;
        grow_one(n);
        break;
    case NURSERY_RANKING:
        for (unsigned i = 0; i < RANK_EACH && n->phase == NURSERY_RANKING; i++)
            rank_one(n);
    }
}

bool nursery_finish(struct nursery *n, const struct nursery_conf *conf, int64_t now_us)
{
    if (n->reservoir.rows < NURSERY_FIRST)
        return false;
    begin(n, conf, now_us);
    while (n->phase == NURSERY_GROWING)
        grow_one(n);
    while (n->phase == NURSERY_RANKING)
        rank_one(n);
    return true;
}
