/* SPDX-License-Identifier: MIT */
/* forest_explain.c - in numbers and words, why forest takes a host's flows for an attack. */
#include <math.h>

#include "model/attribution.h"
#include "score/forest.h"
#include "score/model_words.h"
#include "score/words.h"
#include "state/host.h"

/* What most alerts of the window are; what the row is, if no class is that of most. */
static uint32_t class_of(const struct forest_state *s, const struct model *model,
                         const struct row *row)
{
    const struct window_alerts *alerts = &row->window->alerts;
    return alerts->class_lead > 0 ? alerts->class : forest_class(model, s->answer);
}

/* Which columns speak for the class. Boosted trees of two classes have one output, the second's. */
static void credit_of(const struct model *model, const float *row, uint32_t class, double *credit)
{
    bool one = model->forest.outputs == 1;
    (void)attribution(&model->forest, row, one ? 0 : class, credit);
    for (uint32_t i = 0; one && class == 0 && i < model->forest.width; i++)
        credit[i] = -credit[i];
}

/* What one alert says by itself is the columns' evidence, the rest is that there are so many. */
static double share_of_columns(const struct forest_state *s, const struct row *row)
{
    double all = (double)row->host->forest.score / FOREST_SCORE;
    double single = -log10(s->p);
    return all > single ? single / all : 1.0;
}

static void say_share(struct text *text, double share)
{
    text_digits(text, 100.0 * share, 2);
    text_add(text, " %");
}

static void say_probability(struct text *text, double probability)
{
    if (probability > 0.99 && probability < 1.0)
        text_add(text, "over 0.99");
    else
        text_digits(text, probability, 2);
}

static void explain_count(const struct forest_state *s, const struct model *model,
                          const struct row *row, double weight, struct explanation *out)
{
    unsigned k = row->window->alerts.count, n = forest_seen(row->window);
    double share = forest_share(s, model, row->host);
    struct explained *reason = explanation_add(out, "window_alerts", k, share * n, weight);
    struct text text = text_over(reason->text, sizeof reason->text);
    text_format(&text, "%u of %u connections are alerts, usual ", k, n);
    say_share(&text, share);
}

static void explain_class(const struct model *model, uint32_t class, double probability,
                          struct explanation *out)
{
    struct explained *reason = explanation_add(out, "class", probability, NAN, 0.0);
    struct text text = text_over(reason->text, sizeof reason->text);
    text_format(&text, "'%s' with a probability of ", model->classes->of[class].name);
    say_probability(&text, probability);
}

static bool is_peer(const struct row *row)
{
    return row->window->alerts.peer == (uint32_t)row->hash.destination;
}

static bool is_port(const struct row *row)
{
    return row->window->alerts.port == ((uint32_t)row->flow.dst_port << 8 | row->flow.proto);
}

/* A lead of a third needs two thirds, or nearly. */
static bool leads(const struct row *row, uint16_t lead)
{
    return 3u * lead >= row->window->alerts.count;
}

static void say_port(struct text *text, const struct row *row)
{
    const char *proto = row->flow.proto == 6 ? "/tcp" : row->flow.proto == 17 ? "/udp" : "";
    text_format(text, " port %u%s", row->flow.dst_port, proto);
}

/* ", most of them to 10.0.0.9 port 23/tcp"; only of what is the row's own, too. */
static void say_where(struct text *text, const struct row *row, const struct explanation *why)
{
    if (row->window->alerts.count < 2 || (!why->names_peer && !why->names_port))
        return;
    text_add(text, ", most of them to");
    if (why->names_peer) {
        text_char(text, ' ');
        words_place(text, row->flow.dst, &row->dst);
    }
    if (why->names_port && row->flow.dst_port != 0)
        say_port(text, row);
}

static void say(const struct forest_state *s, const struct model *model, const struct row *row,
                uint32_t class, struct explanation *out)
{
    const struct window *w = row->window;
    struct text text = text_over(out->sentence, sizeof out->sentence);
    words_place(&text, row->flow.src, &row->src);
    text_format(&text, " looks like '%s' to model %s %s: ", model->classes->of[class].name,
                model->name == NULL ? "" : model->name,
                model->version == NULL ? "" : model->version);
    text_format(&text, "%u of its %u connections in ", w->alerts.count, forest_seen(w));
    words_seconds(&text, fmax(1.0, (double)(row->host->last_us - w->start_us) * 1e-6));
    text_add(&text, " are alerts");
    say_where(&text, row, out);
    text_add(&text, "; the latest, to ");
    words_service(&text, row);
    uint32_t own = forest_class(model, s->answer);
    if (own == class)
        text_add(&text, ", is that with a probability of ");
    else
        text_format(&text, ", rather '%s', with a probability of ", model->classes->of[own].name);
    say_probability(&text, s->answer[own]);
    text_add(&text, ". Of ");
    words_count(&text, model->heldout.total);
    text_add(&text, " benign ones ");
    words_count(&text, s->benign_alerts);
    text_add(&text, s->benign_alerts == 1 ? " is an alert" : " are alerts");
    if (row->host->forest.flows > 0.0f) {
        text_add(&text, "; usual for this host: ");
        say_share(&text, forest_share(s, model, row->host));
    }
    text_char(&text, '.');
}

void forest_explain(const void *state, const void *settings, const struct row *row,
                    struct explanation *out)
{
    const struct forest_state *s = state;
    const struct model *model = models_in(row->models, FOREST_MODEL);
    double credit[FOREST_COLUMNS];
    (void)settings;
    if (model == NULL)
        return;
    uint32_t class = class_of(s, model, row);
    double columns = share_of_columns(s, row);
    explain_count(s, model, row, 1.0 - columns, out);
    credit_of(model, s->row, class, credit);
    model_words_columns(model, row->column, credit, columns, out);
    explain_class(model, class, s->answer[class], out);
    model_words_scores(model, "probability of an attack", s->score, out);
    if (model->classes->of[class].technique[0] != '\0')
        explanation_technique(out, model->classes->of[class].technique);
    out->names_peer = is_peer(row) && leads(row, row->window->alerts.peer_lead);
    out->names_port = is_port(row) && leads(row, row->window->alerts.port_lead);
    say(s, model, row, class, out);
}
