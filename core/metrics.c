/* SPDX-License-Identifier: MIT */
/* metrics.c - one snapshot of all metrics, in the order of metrics.def. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"
#include "metrics_model.h"
#include "metrics_visit.h"
#include "vet/marks.h"
#include "vet/rules.h"
#include "worker.h"

struct input_counts {
    char name[64];
    uint64_t scored, skipped, rejected, dropped;
};

/* What is read under the engine's lock, so that the visitor can take its time. */
struct snapshot {
    struct input_counts input[INPUTS_MAX + 1];
    size_t inputs;
    uint64_t reason[REASON_COUNT], corrected[CORRECTION_COUNT];
    struct decide_counts decide;
    size_t budget_left;
    double limit;
    double calibration_error[DETECTOR_MAX][CALIBRATION_LEVELS];
    bool learning[DETECTOR_MAX];
    uint64_t hosts, pairs, evictions[5], late, memory, reloads, reloads_failed;
    uint64_t country_built, asn_built;
    double event_time_s;
    uint64_t rules, rules_expired, benign, malicious;
    struct vet_counts suppressions, feedback;
    struct model_metrics model;
    struct keeper_counts keeper;
    struct topk_slot top[TOPK_SLOTS];
    size_t tops;
};

/* ---- the snapshot ---- */

static void add_reasons(struct snapshot *s, struct input_counts *input,
                        const struct worker_counts *counts)
{
    for (size_t i = 1; i < REASON_COUNT; i++) {
        uint64_t n = counter_read(&counts->reason[i]);
        s->reason[i] += n;
        if (reason_table[i].result == REASON_REJECTED)
            input->rejected += n;
        else
            input->skipped += n;
    }
    for (size_t i = 0; i < CORRECTION_COUNT; i++)
        s->corrected[i] += counter_read(&counts->corrected[i]);
    input->scored += counter_read(&counts->scored);
    input->dropped += counter_read(&counts->dropped);
}

/* Workers with one name are one input; beyond INPUTS_MAX names the last slot takes all. */
static struct input_counts *input_named(struct snapshot *s, const char *name)
{
    for (size_t i = 0; i < s->inputs; i++)
        if (strcmp(s->input[i].name, name) == 0)
            return &s->input[i];
    if (s->inputs >= INPUTS_MAX) {
        name = "other";
        s->inputs = INPUTS_MAX;
    }
    struct input_counts *input = &s->input[s->inputs++];
    (void)snprintf(input->name, sizeof input->name, "%s", name); /* same size: fits */
    return input;
}

static void take_state(struct snapshot *s, eddy_engine *e, const struct settings *set)
{
    s->hosts = e->state->hosts.used;
    s->pairs = e->state->pairs.used;
    s->evictions[0] = e->state->hosts.evictions;
    s->evictions[1] = e->state->windows.evictions;
    s->evictions[2] = e->state->pairs.evictions;
    s->evictions[3] = e->state->rings.evictions;
    s->evictions[4] = names_evictions(&e->state->names);
    s->late = e->state->late;
    s->memory = e->state->memory;
    s->event_time_s = (double)e->state->watermark.now_us * 1e-6;
    s->decide = e->decide->counts;
    struct budget_conf budget = {.per_day = set->decide->per_day};
    s->limit = decide_limit(e->decide, set->decide);
    s->budget_left = budget_left(&e->decide->budget, &budget, e->state->watermark.now_us);
    for (size_t i = 0; i < e->score->count; i++) {
        s->learning[i] = score_learning(e->score, &set->score, i);
        for (size_t level = 0; level < CALIBRATION_LEVELS; level++)
            s->calibration_error[i][level] = calibration_error(&e->score->calibration[i], level);
    }
    if (set->state->top_hosts > 0)
        s->tops = topk_largest(e->state->busiest, s->top, (size_t)set->state->top_hosts);
    s->country_built = geoip_country_built(set->geoip);
    s->asn_built = geoip_asn_built(set->geoip);
    model_metrics_take(&s->model, e, set);
    s->reloads = e->reloads;
    s->reloads_failed = e->reloads_failed;
}

static void take_vet(struct snapshot *s, const struct vet_state *vet, int64_t now_us)
{
    if (vet->rules != NULL) {
        s->rules_expired = rules_expired(vet->rules, now_us);
        s->rules = vet->rules->count - s->rules_expired;
    }
    if (vet->marks != NULL) {
        s->benign = vet->marks->benign;
        s->malicious = vet->marks->malicious;
    }
    s->suppressions = vet->suppressions;
    s->feedback = vet->feedback;
}

static void take(struct snapshot *s, eddy_engine *e)
{
    memset(s, 0, sizeof *s);
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i <= INPUTS_MAX; i++)
        if (counter_read(&e->retired[i].counts.read) > 0)
            add_reasons(s, input_named(s, i < INPUTS_MAX ? e->retired[i].name : "other"),
                        &e->retired[i].counts);
    for (const eddy_worker *w = e->workers; w != NULL; w = w->next)
        add_reasons(s, input_named(s, w->name), &w->counts);
    take_state(s, e, atomic_load_explicit(&e->settings, memory_order_relaxed));
    take_vet(s, &e->vet, state_now_us(e->state));
    pthread_mutex_unlock(&e->lock);
    keeper_counts(e->keeper, &s->keeper);
}

/* ---- samples ---- */

static int by_detector(struct visit *v, const uint64_t *counts)
{
    int stop = 0;
    for (size_t i = 0; registry_detectors[i] != NULL && stop == 0; i++)
        stop = labelled(v, "detector", registry_detectors[i]->part.name, (double)counts[i]);
    return stop;
}

static int by_reason(struct visit *v, enum reason_result result)
{
    int stop = 0;
    for (size_t i = 1; i < REASON_COUNT && stop == 0; i++)
        if (reason_table[i].result == result)
            stop = labelled(v, "reason", reason_table[i].name, (double)v->s->reason[i]);
    return stop;
}

static int visit_build_info(struct visit *v)
{
    return labelled(v, "version", eddy_version(), 1);
}

static int visit_flows_total(struct visit *v)
{
    int stop = 0;
    for (size_t i = 0; i < v->s->inputs && stop == 0; i++)
        stop = labelled(v, "input", v->s->input[i].name, (double)v->s->input[i].scored);
    return stop;
}

static int input_result(struct visit *v, const struct input_counts *input, const char *result,
                        uint64_t count)
{
    char buffer[160];
    struct text labels = text_over(buffer, sizeof buffer);
    promtext_label(&labels, "input", input->name);
    promtext_label(&labels, "result", result);
    return sample(v, buffer, (double)count);
}

static int visit_input_records_total(struct visit *v)
{
    int stop = 0;
    for (size_t i = 0; i < v->s->inputs && stop == 0; i++) {
        const struct input_counts *input = &v->s->input[i];
        stop = input_result(v, input, "scored", input->scored);
        if (stop == 0)
            stop = input_result(v, input, "skipped", input->skipped);
        if (stop == 0)
            stop = input_result(v, input, "rejected", input->rejected);
        if (stop == 0)
            stop = input_result(v, input, "dropped", input->dropped);
    }
    return stop;
}

static int visit_records_skipped_total(struct visit *v)
{
    return by_reason(v, REASON_SKIPPED);
}

static int visit_records_rejected_total(struct visit *v)
{
    return by_reason(v, REASON_REJECTED);
}

static int visit_flows_corrected_total(struct visit *v)
{
    int stop = 0;
    for (size_t i = 0; i < CORRECTION_COUNT && stop == 0; i++)
        stop = labelled(v, "rule", correction_names[i], (double)v->s->corrected[i]);
    return stop;
}

static int visit_late_flows_total(struct visit *v)
{
    return sample(v, "", (double)v->s->late);
}

static int visit_incidents_total(struct visit *v)
{
    return by_detector(v, v->s->decide.incidents);
}

static int visit_incidents_withheld_total(struct visit *v)
{
    return by_detector(v, v->s->decide.withheld);
}

static int visit_incidents_suppressed_total(struct visit *v)
{
    return by_detector(v, v->s->decide.suppressed);
}

static int visit_incidents_no_place_total(struct visit *v)
{
    return sample(v, "", (double)v->s->decide.no_place);
}

static int visit_incident_limit(struct visit *v)
{
    return sample(v, "", v->s->limit);
}

static int visit_incidents_open(struct visit *v)
{
    return sample(v, "", (double)v->s->decide.open);
}

static int visit_incident_budget_remaining(struct visit *v)
{
    return sample(v, "", (double)v->s->budget_left);
}

static int visit_anomalous_flows_total(struct visit *v)
{
    return by_detector(v, v->s->decide.flows);
}

static int visit_suppressed_flows_total(struct visit *v)
{
    return by_detector(v, v->s->decide.suppressed_flows);
}

static int visit_calibration_error(struct visit *v)
{
    static const char *const levels[CALIBRATION_LEVELS] = {"0.01", "0.001"};
    int stop = 0;
    for (size_t i = 0; registry_detectors[i] != NULL; i++) {
        for (size_t level = 0; level < CALIBRATION_LEVELS && stop == 0; level++) {
            if (isnan(v->s->calibration_error[i][level]))
                continue;
            char buffer[160];
            struct text labels = text_over(buffer, sizeof buffer);
            promtext_label(&labels, "detector", registry_detectors[i]->part.name);
            promtext_label(&labels, "level", levels[level]);
            stop = sample(v, buffer, v->s->calibration_error[i][level]);
        }
    }
    return stop;
}

static int visit_learning(struct visit *v)
{
    int stop = 0;
    for (size_t i = 0; registry_detectors[i] != NULL && stop == 0; i++)
        stop = labelled(v, "detector", registry_detectors[i]->part.name, v->s->learning[i]);
    return stop;
}

static int visit_hosts_tracked(struct visit *v)
{
    return sample(v, "", (double)v->s->hosts);
}

static int visit_pairs_tracked(struct visit *v)
{
    return sample(v, "", (double)v->s->pairs);
}

static int visit_evictions_total(struct visit *v)
{
    static const char *const tables[] = {"hosts", "windows", "pairs", "times", "names"};
    int stop = 0;
    for (size_t i = 0; i < 5 && stop == 0; i++)
        stop = labelled(v, "table", tables[i], (double)v->s->evictions[i]);
    return stop;
}

static int visit_state_memory_bytes(struct visit *v)
{
    return sample(v, "", (double)v->s->memory);
}

static int visit_event_time_seconds(struct visit *v)
{
    return v->s->event_time_s > 0 ? sample(v, "", v->s->event_time_s) : 0;
}

static int visit_geoip_database_timestamp_seconds(struct visit *v)
{
    int stop = 0;
    if (v->s->country_built != 0)
        stop = labelled(v, "database", "country", (double)v->s->country_built);
    if (v->s->asn_built != 0 && stop == 0)
        stop = labelled(v, "database", "asn", (double)v->s->asn_built);
    return stop;
}

static int visit_output_errors_total(struct visit *v)
{
    int stop = 0;
    for (size_t i = 0; registry_outputs[i] != NULL && stop == 0; i++)
        stop =
            labelled(v, "output", registry_outputs[i]->part.name, (double)v->s->keeper.errors[i]);
    return stop;
}

static int visit_output_dropped_total(struct visit *v)
{
    return sample(v, "", (double)v->s->keeper.dropped);
}

/* Two samples that differ in one label. */
static int pair(struct visit *v, const char *label, const char *const values[2],
                const uint64_t counts[2])
{
    int stop = labelled(v, label, values[0], (double)counts[0]);
    return stop != 0 ? stop : labelled(v, label, values[1], (double)counts[1]);
}

static const char *const results[2] = {"ok", "failed"};

static int visit_suppressions(struct visit *v)
{
    static const char *const states[2] = {"active", "expired"};
    return pair(v, "state", states, (uint64_t[]){v->s->rules, v->s->rules_expired});
}

static int visit_suppression_reloads_total(struct visit *v)
{
    return pair(v, "result", results,
                (uint64_t[]){v->s->suppressions.loaded, v->s->suppressions.failed});
}

static int visit_marks(struct visit *v)
{
    static const char *const verdicts[2] = {"benign", "malicious"};
    return pair(v, "verdict", verdicts, (uint64_t[]){v->s->benign, v->s->malicious});
}

static int visit_mark_reloads_total(struct visit *v)
{
    return pair(v, "result", results, (uint64_t[]){v->s->feedback.loaded, v->s->feedback.failed});
}

static int visit_config_reloads_total(struct visit *v)
{
    return pair(v, "result", results, (uint64_t[]){v->s->reloads, v->s->reloads_failed});
}

static int visit_top_host_flows(struct visit *v)
{
    int stop = 0;
    char buffer[46];
    for (size_t i = 0; i < v->s->tops && stop == 0; i++)
        stop = labelled(v, "host", eddy_address_text(v->s->top[i].key, buffer),
                        (double)v->s->top[i].count);
    return stop;
}

static const struct {
    const char *name, *help;
    eddy_kind kind;
    int (*visit)(struct visit *v);
} table[] = {
#define METRIC(name, kind, help) {"eddy_" #name, help, EDDY_##kind, visit_##name},
#include "metrics.def"
#undef METRIC
};

int eddy_metrics(eddy_metric_fn *each, void *user)
{
    int stop = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table && stop == 0; i++) {
        eddy_metric metric = {
            .name = table[i].name, .help = table[i].help, .labels = "", .kind = table[i].kind};
        stop = each(&metric, user);
    }
    return stop;
}

int eddy_engine_metrics(eddy_engine *engine, eddy_metric_fn *each, void *user)
{
    struct snapshot snapshot;
    take(&snapshot, engine);
    struct visit visit = {.s = &snapshot, .model = &snapshot.model, .each = each, .user = user};
    int stop = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table && stop == 0; i++) {
        visit.metric =
            (eddy_metric){.name = table[i].name, .help = table[i].help, .kind = table[i].kind};
        stop = table[i].visit(&visit);
    }
    return stop;
}

int eddy_engine_metrics_text(eddy_engine *engine, char *buf, size_t size)
{
    struct text text = text_over(buf, size);
    struct promtext prom = promtext_over(&text);
    (void)eddy_engine_metrics(engine, promtext_metric, &prom); /* never stops */
    return (int)text.length;
}
