/* SPDX-License-Identifier: MIT */
/* vet.c - what people have said: suppressions and marks, applied to what the detectors found. */
#include "vet/vet.h"

#include <math.h>

#include "vet/marks.h"
#include "vet/rules.h"

static const struct option suppress_options[] = {
    {"path", OPTION_TEXT, offsetof(struct suppress_conf, path), "", 0, 0,
     "The file of suppressions, one a line; read again within a second when it changes."},
    {"max_share", OPTION_NUMBER, offsetof(struct suppress_conf, max_share), "0.05", 0, 1,
     "The command `eddy suppress` refuses a rule that matches more than this share of the flows it "
     "is tried on, unless it names one detector and one host."},
    {"count_all", OPTION_FLAG, offsetof(struct suppress_conf, count_all), "off", 0, 0,
     "Match every flow against every suppression, to count: what `eddy suppress test` does."},
    {0},
};

const struct part suppress_part = {
    .name = "suppress",
    .help = "What has been silenced: counted and listed, but not sent, and not learned from.",
    .conf_size = sizeof(struct suppress_conf),
    .options = suppress_options,
};

static const struct option feedback_options[] = {
    {"path", OPTION_TEXT, offsetof(struct feedback_conf, path), "", 0, 0,
     "The file of incidents marked benign or malicious; read again within a second when it "
     "changes."},
    {"half_life", OPTION_DURATION, offsetof(struct feedback_conf, half_life_us), "90d", 3600,
     315360000, "Event time after which a benign mark lowers scores half as much."},
    {0},
};

const struct part feedback_part = {
    .name = "feedback",
    .help = "What people have said of incidents.",
    .conf_size = sizeof(struct feedback_conf),
    .options = feedback_options,
};

void vet_done(struct vet_state *s)
{
    rules_free(s->rules);
    marks_free(s->marks);
}

/* As decide asks it: a finding that could open or join an incident. */
static bool is_unusual(const struct finding *finding, double join)
{
    return finding->p <= join && !isnan(finding->score);
}

/* Explaining costs a few microseconds: only for findings that are marked, which are few. */
static void weigh(const struct vet_state *s, const struct score_state *score,
                  const struct score_conf *score_conf, struct row *row,
                  const struct mark_time *time)
{
    for (size_t i = 0; i < score->count; i++) {
        struct finding *finding = &row->finding[i];
        if (!is_unusual(finding, time->join) || !marks_ask(s->marks, row, i))
            continue;
        struct explanation why;
        score_explain(score, score_conf, i, row, &why);
        const char *reason = why.count > 0 ? why.reason[0].feature : "";
        struct mark_effect effect = marks_weigh(s->marks, row, i, reason, time);
        if (effect.malicious)
            row->teach = 0.0;
        if (effect.lower_by > 0.0) /* exp10 is no C11 */
            finding->p = fmin(1.0, finding->p * exp(effect.lower_by * 2.30258509299404568));
    }
}

void vet(struct vet_state *s, const struct vet_conf *conf, const struct score_state *score,
         const struct score_conf *score_conf, struct row *row, int64_t now_us)
{
    if (s->marks != NULL && s->marks->pins > 0 && marks_pin(s->marks, row))
        row->teach = 0.0;
    if (s->marks != NULL && s->marks->benign + s->marks->malicious > 0) {
        struct mark_time time = {
            .now_us = now_us, .half_life_us = conf->feedback->half_life_us, .join = conf->join};
        weigh(s, score, score_conf, row, &time);
    }
    if (s->rules == NULL || s->rules->count == 0)
        return;
    for (size_t i = 0; i < score->count; i++) {
        struct finding *finding = &row->finding[i];
        if (!is_unusual(finding, conf->join))
            continue;
        struct rule *rule = rules_find(s->rules, row, i, now_us);
        if (rule == NULL)
            continue;
        finding->rule = rule->id;
        row->teach = 0.0;
        if (!row->first_pass) {
            rule->hits++;
            rule->last_us = now_us;
        }
    }
    if (conf->suppress->count_all && row->kind == ROW_FLOW && !row->first_pass)
        rules_count(s->rules, row, now_us);
}
