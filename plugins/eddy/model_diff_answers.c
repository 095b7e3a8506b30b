/* SPDX-License-Identifier: MIT */
/* model_diff_answers.c - what two models answer to the same rows: golden ones, flows of logs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "model_diff.h"

#define OUTPUTS 64 /* of a model, at most */

/* How the answers of both differ. Scores: of an isolation forest its own, else how probably a flow
 * is an attack. */
struct tally {
    uint64_t rows, differ, other_class;
    uint64_t alerts[2], both; /* scores that reach the model's own `alert` */
    double sum, most;         /* of the scores' distances */
};

struct asking {
    const struct model_view *view[2];
    size_t from[2][VIEW_COLUMNS]; /* where the row has each model's columns */
    struct tally tally;
};

struct answer {
    double score;
    const char *name; /* of the likeliest class */
};

static struct answer ask(const struct asking *asking, size_t side, const double *row)
{
    const eddy_model_info *info = &asking->view[side]->info;
    double own[VIEW_COLUMNS], out[OUTPUTS];
    size_t likeliest = 0;
    for (size_t i = 0; i < info->columns; i++)
        own[i] = row[asking->from[side][i]];
    eddy_model_predict(asking->view[side]->model, own, 1, out);
    for (size_t i = 1; i < info->outputs; i++)
        likeliest = out[i] > out[likeliest] ? i : likeliest;
    double score = info->benign < info->outputs ? 1.0 - out[info->benign] : out[0];
    return (struct answer){score, info->output[likeliest]};
}

static int add_row(const double *row, void *user)
{
    struct asking *asking = user;
    struct tally *tally = &asking->tally;
    struct answer answer[2] = {ask(asking, 0, row), ask(asking, 1, row)};
    double distance = fabs(answer[0].score - answer[1].score);
    bool other = strcmp(answer[0].name, answer[1].name) != 0, alert[2];
    for (size_t side = 0; side < 2; side++) {
        const eddy_model_info *info = &asking->view[side]->info;
        alert[side] = info->benign < info->outputs && answer[side].score >= info->alert;
        tally->alerts[side] += alert[side];
    }
    tally->rows++;
    tally->differ += distance > 0.0 || other;
    tally->other_class += other;
    tally->both += alert[0] && alert[1];
    tally->sum += distance;
    tally->most = fmax(tally->most, distance);
    return 0;
}

/* ---- telling ---- */

static void print_tally(const struct tally *tally, bool classes)
{
    double rows = tally->rows > 0 ? (double)tally->rows : 1.0;
    printf("  %" PRIu64 " of %" PRIu64 " differ, by %.4g at most, by %.4g on average\n",
           tally->differ, tally->rows, tally->most, tally->sum / rows);
    if (classes)
        printf("  another class: %" PRIu64 "; alerts: %" PRIu64 " of A, %" PRIu64 " of B, %" PRIu64
               " of both\n",
               tally->other_class, tally->alerts[0], tally->alerts[1], tally->both);
}

static void put_count(struct json_writer *w, const char *key, uint64_t count)
{
    json_put_key(w, key);
    json_put_count(w, count);
}

static void put_tally(struct json_writer *w, const struct tally *tally, bool classes)
{
    put_count(w, "rows", tally->rows);
    put_count(w, "differ", tally->differ);
    json_put_key(w, "most");
    json_put_number(w, tally->most);
    json_put_key(w, "mean");
    json_put_number(w, tally->rows > 0 ? tally->sum / (double)tally->rows : 0.0);
    if (!classes)
        return;
    put_count(w, "other_class", tally->other_class);
    put_count(w, "alerts_a", tally->alerts[0]);
    put_count(w, "alerts_b", tally->alerts[1]);
    put_count(w, "alerts_both", tally->both);
}

static bool is_classifier(const struct model_view *view)
{
    return view->info.benign < view->info.outputs;
}

static void tell(struct diff *diff, const char *to, const struct tally *tally, const char *not_why)
{
    bool classes = is_classifier(&diff->a);
    if (!diff->json) {
        printf("answers to %s\n", to);
        if (not_why != NULL)
            printf("  not compared: %s\n", not_why);
        else
            print_tally(tally, classes);
        return;
    }
    json_put_open(&diff->w, '{');
    json_put_pair(&diff->w, "to", to);
    if (not_why != NULL)
        json_put_pair(&diff->w, "not_compared", not_why);
    else
        put_tally(&diff->w, tally, classes);
    json_put_close(&diff->w, '}');
}

/* ---- rows ---- */

/* Where the rows of `whose` have the columns of `view`. False: not all of them. */
static bool find_columns(const struct model_view *view, const struct model_view *whose,
                         size_t from[VIEW_COLUMNS])
{
    for (size_t i = 0; i < view->info.columns; i++) {
        size_t at = 0;
        while (at < whose->info.columns && whose->info.column[at] != view->info.column[i])
            at++;
        if (at == whose->info.columns)
            return false;
        from[i] = at;
    }
    return true;
}

static struct asking asking_of(const struct diff *diff)
{
    return (struct asking){.view = {&diff->a, &diff->b}};
}

static int ask_golden(struct diff *diff, const struct model_view *whose, const char *to)
{
    struct asking asking = asking_of(diff);
    struct progress silent = {0};
    eddy_error err = {0};
    if (!find_columns(&diff->a, whose, asking.from[0]) ||
        !find_columns(&diff->b, whose, asking.from[1])) {
        tell(diff, to, NULL, "they lack columns that the other model reads");
        return EXIT_FINE;
    }
    if (eddy_model_golden(whose->path, add_row, &asking, &err) < 0) {
        complain(&silent, "%s", err.message);
        return EXIT_FAULT;
    }
    tell(diff, to, &asking.tally, NULL);
    diff->told += asking.tally.differ > 0;
    return EXIT_FINE;
}

static void on_scored(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                      void *user)
{
    (void)flow;
    (void)verdict;
    (void)add_row(columns, user);
}

static int ask_flows(struct diff *diff, struct run *run)
{
    struct asking asking = asking_of(diff);
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < asking.view[side]->info.columns; i++)
            asking.from[side][i] = asking.view[side]->info.column[i];
    run->scored = on_scored;
    run->user = &asking;
    int status = run_files(run);
    if (status == EXIT_FINE) {
        tell(diff, "the flows", &asking.tally, NULL);
        diff->told += asking.tally.differ > 0;
    }
    return status;
}

int diff_answers(struct diff *diff, struct run *run)
{
    int status = EXIT_FINE;
    json_put_key(&diff->w, "answers");
    json_put_open(&diff->w, '[');
    if (is_classifier(&diff->a) != is_classifier(&diff->b)) {
        tell(diff, "rows", NULL, "scores of an isolation forest are no probabilities");
    } else {
        status = ask_golden(diff, &diff->a, "the golden rows of A");
        if (status == EXIT_FINE)
            status = ask_golden(diff, &diff->b, "the golden rows of B");
        if (status == EXIT_FINE && run->file_count > 0)
            status = ask_flows(diff, run);
    }
    json_put_close(&diff->w, ']');
    return status;
}
