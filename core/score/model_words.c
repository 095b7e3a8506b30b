/* SPDX-License-Identifier: MIT */
/* model_words.c - what detectors with a model say of it: which columns count, what is usual. */
#include "score/model_words.h"

#include <math.h>

#include "features/features.h"
#include "score/quantity.h"

#define TOLD 4

double model_words_usual(const struct model *model, uint32_t index)
{
    const uint32_t *bins = model->bins[index];
    enum column column = (enum column)model->column[index];
    uint64_t below = 0, all = 0;
    for (unsigned bin = 0; bin < COLUMN_BINS; bin++)
        all += bins[bin];
    if (all == 0)
        return NAN;
    if (column_kind(column) == KIND_FLAG)
        return (double)bins[COLUMN_BINS - 1] / (double)all;
    for (unsigned bin = 0; bin < COLUMN_BINS; bin++) {
        if (2 * (below + bins[bin]) > all)
            return column_at(column, bin + ((double)all / 2.0 - (double)below) / bins[bin]);
        below += bins[bin];
    }
    return NAN;
}

static void add_column(const struct model *model, const double *columns, uint32_t index,
                       double share, struct explanation *out)
{
    enum column column = (enum column)model->column[index];
    double value = columns[column], usual = model_words_usual(model, index);
    struct explained *reason =
        explanation_add(out, feature_of(column)->name, quantity_plain(column, value),
                        quantity_plain(column, usual), share);
    struct text text = text_over(reason->text, sizeof reason->text);
    quantity_say(&text, column, value, usual);
}

void model_words_columns(const struct model *model, const double *columns, const double *credit,
                         double share, struct explanation *out)
{
    double all = 0.0;
    bool told[FOREST_COLUMNS] = {false};
    uint32_t width = model->forest.width;
    for (uint32_t i = 0; i < width; i++)
        all += fmax(credit[i], 0.0);
    for (size_t n = 0; n < TOLD; n++) {
        uint32_t most = 0;
        for (uint32_t i = 1; i < width; i++)
            if (told[most] || (!told[i] && credit[i] > credit[most]))
                most = i;
        double part = credit[most] / all;
        if (told[most] || !(part > 0.05) || (n > 0 && part < 0.1))
            break;
        told[most] = true;
        add_column(model, columns, most, share * part, out);
    }
}

void model_words_scores(const struct model *model, const char *x_name, double score,
                        struct explanation *out)
{
    const struct heldout *heldout = &model->heldout;
    size_t low = 0, high = HELDOUT_BINS - 1, own = heldout_bin(score);
    while (low < high && heldout->count[low] == 0)
        low++;
    while (high > low && heldout->count[high] == 0)
        high--;
    high = own > high ? own : high;
    low = own < low ? own : low;
    size_t width = (high - low) / EVIDENCE_POINTS + 1; /* bins in a point */
    evidence_begin(out, "distribution", x_name, "share of usual flows");
    for (size_t at = low; at <= high; at += width) {
        uint64_t sum = 0;
        for (size_t bin = at; bin < at + width && bin < HELDOUT_BINS; bin++)
            sum += heldout->count[bin];
        evidence_point(out, ((double)at + (double)width / 2.0) / HELDOUT_BINS,
                       (double)sum / heldout->total);
    }
    out->evidence.mark = score;
}
