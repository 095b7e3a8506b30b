/* SPDX-License-Identifier: MIT */
/* dns.c - tunnels: a host that asks for many names below one domain, which carry much.
 *
 * A tunnel writes its data into names that nobody has asked for before, for a name asked again may
 * be answered from a cache and never arrive. So the new names that a host asks for below a
 * registered domain bound what it can send there (Paxson, Christodorescu, Javed, Rao, Sailer,
 * Schales, Stoecklin, Thomas, Venema, Weaver: Practical Comprehensive Bounds on Surreptitious
 * Communication over DNS, USENIX Security 2013). What a name can carry is taken from its length
 * and the entropy of its characters (state/domain.h); of the first name as of the last, so that
 * no codec need be known. The count of names alone is what RITA judges (100 to 1000 a day), and
 * what makes every content network look like a tunnel.
 *
 * p falls as a power of the factor over the usual: (bytes / usual)^-power, never for less than the
 * usual or fewer than LEAST_NAMES names. Usual is what is usual for any host and domain, or, if it
 * is more, what this host has sent to this domain in past windows: antivirus and blocklist lookups
 * carry kilobytes an hour, every hour. Paxson et al. found that 4 kB a day, from one client to
 * one domain, is so rare that analysts can look at each; with 64 bytes usual in an hour and a power
 * of 4, 4 kB within an hour have p = (4096 / 64)^-4 = 6e-8, which is an incident of a host that
 * asked for some twenty domains. Names below a domain that many of ours ask for count less: one
 * host of many is infected before all are. So do those that a resolver asks for which others of
 * ours are seen to use: what it passes on is theirs, and they are judged for it.
 *
 * Not found: tunnels below some 5 kB an hour, and what is asked over DoH or DoT. Not told apart,
 * but by the pair's past and by how many ask: lookups of hashes in names, in the first hours of a
 * host that alone makes them. Generated names, each under a domain of its own, are no tunnel. */
#include <math.h>
#include <string.h>

#include "ingest/context.h"
#include "row.h"
#include "score/explanation.h"
#include "score/words.h"
#include "state/asked.h"

struct dns_conf {
    double usual_bytes, power, prior_windows;
    double common, resolver;
    uint64_t common_hosts;
};

#define CONF(field) offsetof(struct dns_conf, field)

static const struct option options[] = {
    {"usual_bytes", OPTION_NUMBER, CONF(usual_bytes), "64", 1, 1e9,
     "Bytes that the names below one domain usually carry in a window (state.names_window)."},
    {"power", OPTION_NUMBER, CONF(power), "4", 0.5, 20,
     "How fast p falls with the factor over the usual, before calibration."},
    {"prior_windows", OPTION_NUMBER, CONF(prior_windows), "3", 0.1, 1e6,
     "How many windows of its own outweigh what is usual for any host and domain."},
    {"common_hosts", OPTION_COUNT, CONF(common_hosts), "3", 2, 1e9,
     "From so many of our hosts on, a domain counts as commonly asked for."},
    {"common", OPTION_NUMBER, CONF(common), "0.35", 0, 1,
     "What is left of the score when the domain is commonly asked for."},
    {"resolver", OPTION_NUMBER, CONF(resolver), "0.35", 0, 1,
     "What is left of the score of a host that others of ours ask for names: it passes on theirs."},
    {0},
};

#define LEAST_NAMES 10  /* ten names of the greatest length hold 2.5 kB: no tunnel has fewer */
#define MOST_WEIGHT 168 /* a week of windows of an hour: older ones fade */

/* What the host's names below this domain usually carry in a window. */
static double usual_bytes(const struct dns_conf *conf, const struct asked *a)
{
    double own = (double)a->bytes_mean * (double)a->weight;
    double mean = (log(conf->usual_bytes) * conf->prior_windows + own) /
                  (conf->prior_windows + (double)a->weight);
    return fmax(conf->usual_bytes, exp(mean));
}

/* The same of the names themselves; for words only, and only once there was a window. */
static double usual_names(const struct asked *a)
{
    return round(exp((double)a->names_mean));
}

/* What is left of the score, and what took the rest. */
struct doubts {
    double common, resolver;
};

static struct doubts doubts_of(const struct dns_conf *conf, const struct row *row)
{
    return (struct doubts){row->users >= conf->common_hosts ? conf->common : 1.0,
                           row->clients > 0 ? conf->resolver : 1.0};
}

static void dns_score(void *state, const void *settings, struct row *row, struct finding *out)
{
    const struct dns_conf *conf = settings;
    struct asked *a = row->asked;
    (void)state;
    if (a->closed && a->was.teach > 0.0f)
        out->sample = (double)a->was.score;
    out->sample_of = OF_PAST;
    if (!a->fresh || a->names < LEAST_NAMES)
        return;
    double factor = asked_bytes(a) / usual_bytes(conf, a);
    struct doubts left = doubts_of(conf, row);
    out->score = factor > 1.0 ? conf->power * log10(factor) * left.common * left.resolver : 0.0;
    out->tests = fmax(1.0, row->domains);
    a->score = (float)fmax(out->score, (double)a->score);
}

/* Teaches what a closed window came to, as much as the row of it that may teach least. */
static void dns_learn(void *state, const void *settings, struct row *row)
{
    struct asked *a = row->asked;
    (void)state;
    (void)settings;
    if (a->closed && a->was.teach > 0.0f) {
        float total = a->weight + a->was.teach, share = a->was.teach / total;
        a->bytes_mean += (logf(fmaxf(1.0f, a->was.bytes)) - a->bytes_mean) * share;
        a->names_mean += (logf(fmaxf(1.0f, a->was.names)) - a->names_mean) * share;
        a->weight = fminf(total, MOST_WEIGHT);
    }
    a->closed = false; /* told once, also if the row is asked of again */
    a->teach = fminf(a->teach, (float)row->teach);
}

/* ---- why ---- */

static struct text reason(struct explanation *out, const char *feature, double value, double usual,
                          double share)
{
    struct explained *added = explanation_add(out, feature, value, usual, share);
    return text_over(added->text, sizeof added->text);
}

static void explain_names(const struct asked *a, double usual, struct explanation *out)
{
    double bits = (double)a->bits / a->names;
    struct text text = reason(out, "dns_bytes", asked_bytes(a), usual, 1.0);
    text_add(&text, "new names carry about ");
    words_bytes(&text, asked_bytes(a));
    text_add(&text, ", usual ");
    words_bytes(&text, usual);
    bool known = a->weight >= 1.0f;
    text = reason(out, "dns_names", asked_names(a), known ? usual_names(a) : NAN, 0.0);
    words_count(&text, round(asked_names(a)));
    text_add(&text, " different names below the domain");
    if (known) {
        text_add(&text, ", usual ");
        words_count(&text, usual_names(a));
    }
    text = reason(out, "dns_entropy", bits, NAN, 0.0);
    text_digits(&text, bits, 2);
    text_format(&text, " bits a character, %.0f bytes a name", (double)a->bytes / a->names);
}

static void explain_records(const struct asked *a, struct explanation *out)
{
    if (a->carrying > 0) {
        double share = (double)a->carrying / a->records;
        struct text text = reason(out, "dns_types", share, NAN, 0.0);
        text_format(&text, "%.0f %% of the records are of type TXT or NULL", 100.0 * share);
    }
    if (a->answered > 0 && 2 * a->no_domain > a->answered) {
        double share = (double)a->no_domain / a->answered;
        struct text text = reason(out, "dns_no_domain", share, NAN, 0.0);
        text_format(&text, "%.0f %% of the answers say that there is no such name", 100.0 * share);
    }
}

static void plot(const struct asked *a, struct explanation *out)
{
    double minutes = a->window_s / 60.0;
    size_t last = ASKED_STEPS;
    while (last > 0 && a->step[last - 1] == 0)
        last--;
    evidence_begin(out, "over_time", "minutes", "new names");
    for (size_t i = 0; i < last; i++)
        evidence_point(out, minutes * (double)i / ASKED_STEPS, a->step[i]);
}

/* What an explanation has room for: the end, where the domain is. */
static const char *end_of(const char *name)
{
    const size_t most = sizeof((struct explained_name *)0)->value - 1;
    size_t length = strlen(name);
    return length > most ? name + length - most : name;
}

static void dns_explain(const void *state, const void *settings, const struct row *row,
                        struct explanation *out)
{
    const struct dns_conf *conf = settings;
    const struct asked *a = row->asked;
    double usual = usual_bytes(conf, a);
    struct doubts left = doubts_of(conf, row);
    (void)state;
    explain_names(a, usual, out);
    explain_records(a, out);
    if (left.common < 1.0) {
        struct text text = reason(out, "prevalence", row->users, NAN, left.common - 1.0);
        text_format(&text, "%u of our hosts ask for names below it", row->users);
    }
    if (left.resolver < 1.0) {
        struct text text = reason(out, "resolver", row->clients, NAN, left.resolver - 1.0);
        text_format(&text, "%u of our hosts ask it for names, which it passes on", row->clients);
    }
    struct text text = text_over(out->sentence, sizeof out->sentence);
    words_place(&text, row->flow.src, &row->src);
    text_add(&text, " asked for about ");
    words_count(&text, round(asked_names(a)));
    text_format(&text, " names below %s in ", row->domain);
    words_seconds(&text, fmax(1.0, a->last_s));
    if (a->weight >= 1.0f) {
        text_add(&text, ", usual ");
        words_count(&text, usual_names(a));
    }
    text_add(&text, "; they carry about ");
    words_bytes(&text, asked_bytes(a));
    text_add(&text, ", as a tunnel's do; ");
    if (row->users <= 1)
        text_add(&text, "no other host of ours asks there.");
    else
        text_format(&text, "%u hosts of ours ask there.", row->users);
    explanation_name(out, "dns", end_of(row->context->name));
    out->since_us = a->start_us;
    plot(a, out);
}

const struct detector score_dns = {
    .part = {.name = "dns",
             .help = "Tunnels: many names below one domain, which carry much.",
             .conf_size = sizeof(struct dns_conf),
             .options = options},
    .technique = "T1071.004", /* Application Layer Protocol: DNS */
    .judges = ROW_NAME,
    .score = dns_score,
    .learn = dns_learn,
    .explain = dns_explain,
};
