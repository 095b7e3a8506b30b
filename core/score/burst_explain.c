/* SPDX-License-Identifier: MIT */
/* burst_explain.c - floods and password guessing in words: how many, by whom, what is usual. */
#include <math.h>

#include "score/burst.h"
#include "score/words.h"

/* "60 s", or the tick that is set */
static void say_tick(struct text *text, const struct burst_conf *conf)
{
    words_seconds(text, (double)conf->tick_us * 1e-6);
}

/* ", usually 3" of ticks with any; ", never before" */
static void say_usual(struct text *text, const struct pulse_cell *cell)
{
    if (pulse_ticks(cell) < 1.0) {
        text_add(text, ", with little or no past to compare");
        return;
    }
    text_add(text, ", usually ");
    words_count(text, fmax(1.0, round(pulse_mean(cell))));
}

/* " to one destination", " from about 40 sources" */
static void say_kinds(struct text *text, const char *of, const struct pulse_cell *cell)
{
    double kinds = round(pulse_kinds(cell));
    if (kinds <= 1.0)
        text_format(text, " one %s", of);
    else if (kinds <= 200.0)
        text_format(text, " about %.0f %ss", kinds, of);
    else
        text_format(text, " hundreds of %ss", of);
}

static void explain_count(const struct burst_conf *conf, const struct burst_state *s,
                          struct explanation *out)
{
    const struct pulse_cell *cell = burst_cell(&s->pulse[s->look]);
    double usual = pulse_ticks(cell) < 1.0 ? (double)NAN : pulse_mean(cell);
    struct explained *reason = explanation_add(out, "burst_count", cell->count, usual, 1.0);
    struct text text = text_over(reason->text, sizeof reason->text);
    words_count(&text, cell->count);
    text_add(&text, s->crowd == LOGINS ? " logins begun in " : " connections begun in ");
    say_tick(&text, conf);
    say_usual(&text, cell);
    if (!isnan(usual))
        text_format(&text, " when there are any (%.0f such times known)", pulse_ticks(cell));
}

static void explain_doubts(const struct burst_conf *conf, const struct burst_state *s,
                           const struct row *row, struct explanation *out)
{
    struct burst_doubts d = burst_doubts(conf, s, row);
    const struct pulse_cell *cell = burst_cell(&s->pulse[s->look]);
    if (d.common < 1.0) {
        struct explained *reason =
            explanation_add(out, "prevalence", row->users, NAN, d.common - 1.0);
        struct text text = text_over(reason->text, sizeof reason->text);
        text_format(&text, "%u of our hosts use this service", row->users);
    }
    if (d.nature < 1.0) {
        struct explained *reason = explanation_add(out, "service", NAN, NAN, d.nature - 1.0);
        struct text text = text_over(reason->text, sizeof reason->text);
        text_add(&text, "this protocol echoes other connections");
    }
    if (d.varied < 1.0) {
        int kinds = __builtin_popcountll(cell->who);
        struct explained *reason = explanation_add(out, "sizes", kinds, NAN, d.varied - 1.0);
        struct text text = text_over(reason->text, sizeof reason->text);
        text_format(&text, "the amounts sent differ widely (%d classes of size)", kinds);
    }
}

/* How often a tick has so many, by the null model; the mark is this one. */
static void plot(const struct burst_conf *conf, const struct burst_state *s,
                 struct explanation *out)
{
    const struct pulse_cell *cell = burst_cell(&s->pulse[s->look]);
    struct burst_model m = burst_model(conf, s->look, s->crowd, cell);
    evidence_begin(out, "distribution", "connections begun together",
                   "share of times with so many or more");
    double step = pow(2.0 * cell->count, 1.0 / 31.0);
    for (double n = 1.0, last = 0.0, i = 0.0; i < 32.0; i += 1.0, n *= step) {
        if (floor(n) > last)
            evidence_point(out, floor(n), burst_model_p(&m, floor(n)));
        last = floor(n);
    }
    out->evidence.mark = cell->count;
}

static void say_edge(struct text *text, const struct burst_conf *conf, const struct burst_state *s,
                     const struct row *row)
{
    const struct pulse_cell *cell = burst_cell(&s->pulse[EDGE]);
    bool alike = __builtin_popcountll(cell->who) <= VARIED / 4;
    bool failed = s->crowd == TCP_FAILED || s->crowd == OTHER_FAILED;
    words_place(text, row->flow.src, &row->src);
    text_add(text, failed ? " tries to reach " : " connects to ");
    words_service(text, row);
    text_char(text, ' ');
    words_count(text, cell->count);
    text_add(text, " times in ");
    say_tick(text, conf);
    say_usual(text, cell);
    if (failed)
        text_add(text,
                 "; none was answered or completed (a flood, or a client that does not give up).");
    else if (s->crowd == LOGINS && alike)
        text_add(text, "; all send much the same amount (password guessing).");
    else if (s->crowd == LOGINS)
        text_add(text, " (password guessing, or a script that logs in).");
    else
        text_add(text, alike ? "; all send much the same amount (a flood, or a program gone wild)."
                             : " (a flood, or a program at work).");
}

/* A source whose flows go to this row's service for more than a half. */
static bool mostly_edge(const struct burst_state *s)
{
    return s->look == SOURCE && 2.0 * burst_count(&s->pulse[EDGE]) > burst_count(&s->pulse[SOURCE]);
}

static void say_end(struct text *text, const struct burst_conf *conf, const struct burst_state *s,
                    const struct row *row)
{
    const struct pulse_cell *cell = burst_cell(&s->pulse[s->look]);
    if (s->look == SOURCE)
        words_place(text, row->flow.src, &row->src);
    else if (s->look == SERVICE)
        words_service(text, row);
    else
        words_place(text, row->flow.dst, &row->dst);
    text_add(text, s->look == SOURCE ? " begins " : " is sent ");
    words_count(text, cell->count);
    text_add(text, s->crowd == LOGINS ? " logins in " : " connections in ");
    say_tick(text, conf);
    say_usual(text, cell);
    if (s->look == SERVICE && burst_one_source(s)) {
        text_add(text, "; most of them from ");
        words_place(text, row->flow.src, &row->src);
        text_char(text, '.');
        return;
    }
    text_add(text, s->look == SOURCE ? "; to" : "; from");
    say_kinds(text, s->look == SOURCE ? "destination" : "source", cell);
    if (s->crowd == LOGINS)
        text_add(text, s->look == SOURCE ? " (password spraying, or a sweep that is answered)"
                                         : " (password guessing)");
    else if (s->look != SOURCE)
        text_add(text, " (a flood, or a rush of clients)");
    if (mostly_edge(s)) {
        text_add(text, ", most of them to ");
        words_service(text, row);
    }
    text_char(text, '.');
}

void burst_explain(const void *state, const void *settings, const struct row *row,
                   struct explanation *out)
{
    const struct burst_state *s = state;
    const struct burst_conf *conf = settings;
    struct text text = text_over(out->sentence, sizeof out->sentence);
    explain_count(conf, s, out);
    explain_doubts(conf, s, row, out);
    plot(conf, s, out);
    if (s->look == EDGE)
        say_edge(&text, conf, s, row);
    else
        say_end(&text, conf, s, row);
    if (s->crowd == LOGINS)
        explanation_technique(out, "T1110"); /* Brute Force */
    else if (s->crowd == TCP)
        explanation_technique(out, "T1499"); /* Endpoint DoS: what answers is kept busy */
    out->names_port = s->look == EDGE || s->look == SERVICE || mostly_edge(s);
    out->names_peer = out->names_port && (s->look != SERVICE || burst_one_source(s));
}
