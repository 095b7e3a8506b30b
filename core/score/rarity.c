/* SPDX-License-Identifier: MIT */
/* rarity.c - new to this host, and to nearly everybody here: peers, services, networks, countries.
 *
 * Something new is no news: browsing meets new networks all day. So it is counted how many new
 * things of one kind a host meets within a window, less those that many of our hosts know, and
 * compared with how many it usually meets:
 *
 *   lateral    a host of ours whose remote-login or file service it never used (lateral movement)
 *   peer       a host of ours it never spoke to
 *   service    a well-known port it never used
 *   asn        an autonomous system it never spoke to   (needs GeoIP)
 *   country    a country it never spoke to              (needs GeoIP)
 *
 * New things come in clumps: nothing for days, then a new project. So their number in a window is
 * negative binomial, with a shape near 0 while little is known, as Fisher took it for new species
 * (J. Animal Ecology 12, 1943): N given any is then nearly logarithmic. Its mean is
 *
 *     m = (site rate prior_windows + things met) / (prior_windows + windows)
 *
 * things that were met once and counted new being Good's estimate of how likely the next is new
 * (Biometrika 40, 1953), per window instead of per flow. A young host has the site's rate. As long
 * as a host has made fewer than rarity.settle flows, all is new to it and nothing counts.
 *
 * What a host meets in a suspicious flow is known to it from then on, and to nobody else.
 *
 * What was met is remembered in bitmaps, one bit a thing: a host that meets very many takes new
 * ones for known, and never known ones for new. Only answered flows of our hosts count: who fails
 * at many is found by fanout. */
#include <math.h>
#include <string.h>

#include "row.h"
#include "score/explanation.h"
#include "score/words.h"
#include "state/host.h"
#include "state/lincount.h"
#include "state/window.h"
#include "util/hash.h"

enum kind { LATERAL, PEER, SERVICE, ASN, COUNTRY, KINDS };

_Static_assert(KINDS == RARITY_KINDS, "host.h has room for these kinds");

struct rarity_conf {
    uint64_t settle, least;
    double usual[KINDS];
    double prior_windows, site_windows;
    double clumped, even;
    uint64_t common_hosts;
    int64_t old_us;
    double suspicious, leak;
};

#define CONF(field) offsetof(struct rarity_conf, field)

static const struct option options[] = {
    {"settle", OPTION_COUNT, CONF(settle), "200", 1, 1e9,
     "Flows that a host must have made before anything is new to it."},
    {"least", OPTION_COUNT, CONF(least), "3", 2, 100,
     "Fewer new things of a kind in a window than this are never unusual."},
    {"usual_lateral", OPTION_NUMBER, CONF(usual[LATERAL]), "0.005", 1e-6, 1000,
     "Hosts of ours whose login or file service a host uses for the first time in a window, at a "
     "site not yet known: 0.005 is once in a working week."},
    {"usual_peers", OPTION_NUMBER, CONF(usual[PEER]), "0.05", 1e-6, 1000,
     "The same for hosts of ours spoken to for the first time: once in a working day."},
    {"usual_services", OPTION_NUMBER, CONF(usual[SERVICE]), "0.05", 1e-6, 1000,
     "The same for well-known ports used for the first time."},
    {"usual_asns", OPTION_NUMBER, CONF(usual[ASN]), "2", 1e-6, 1000,
     "The same for autonomous systems: browsing meets new ones all day."},
    {"usual_countries", OPTION_NUMBER, CONF(usual[COUNTRY]), "0.1", 1e-6, 1000,
     "The same for countries."},
    {"prior_windows", OPTION_NUMBER, CONF(prior_windows), "12", 0.1, 1e6,
     "How many windows of its own outweigh the site's rate for a host."},
    {"site_windows", OPTION_NUMBER, CONF(site_windows), "200", 0.1, 1e9,
     "How many windows of all hosts outweigh these usual rates for the site."},
    {"clumped", OPTION_NUMBER, CONF(clumped), "0.1", 0.01, 10,
     "Shape of the negative binomial while a host has met nothing new: the smaller, the more new "
     "things are thought to come together."},
    {"even", OPTION_NUMBER, CONF(even), "8", 0.01, 1000,
     "The largest shape, however many new things a host has met."},
    {"common_hosts", OPTION_COUNT, CONF(common_hosts), "3", 1, 1e9,
     "What so many other hosts of ours know does not count as new."},
    {"old", OPTION_DURATION, CONF(old_us), "7d", 1, 31536000,
     "What others of ours have known for longer counts half, but for lateral movement."},
    {"suspicious", OPTION_NUMBER, CONF(suspicious), "1e-3", 0, 1,
     "A window with a lower p teaches a host's rate only by rarity.leak."},
    {"leak", OPTION_NUMBER, CONF(leak), "0.05", 0, 1, "How much a suspicious window teaches."},
    {0},
};

#define THINGS       4096 /* remembered at the site, of all kinds: 164 KB */
#define MOST_WINDOWS 1000 /* a week: then windows and things are halved */
#define QUARTERS     4    /* units of `met`, of `unusual` and of `known` in a thing */
#define STALE_S      (30 * 86400)

/* Something that hosts of ours have met. Direct-mapped: a newcomer takes the place of what only
 * one host knows, or what nobody met for a month. */
struct thing {
    uint64_t key; /* 0: free */
    struct lincount users;
    uint32_t first_s, last_s;
};

struct rarity_state {
    struct thing things[THINGS];
    double windows, met[KINDS]; /* of all hosts */

    /* of the latest row */
    uint64_t key[KINDS];  /* 0: has none of this kind, or it is known */
    double closed[KINDS]; /* new things of the window that it has closed */
    double closed_score;
    enum kind kind; /* the one that was told */
    uint32_t users; /* others that know that thing */
};

/* ---- things ---- */

/* What of this kind is in the row, as a hash; 0 if there is nothing. */
static uint64_t key_of(const struct row *row, enum kind kind)
{
    uint64_t value = 0;
    switch (kind) {
    case LATERAL:
        if (row->dst.local && (row->service == SERVICE_REMOTE || row->service == SERVICE_FILES))
            value = hash_add(row->hash.destination, row->service);
        break;
    case PEER:
        value = row->dst.local ? row->hash.destination : 0;
        break;
    case SERVICE: /* beyond these, ports are drawn at random */
        value = row->service == SERVICE_OTHER_HIGH || row->service == SERVICE_ICMP ||
                        row->service == SERVICE_LOCAL
                    ? 0
                    : (uint64_t)row->flow.dst_port << 8 | row->flow.proto;
        break;
    case ASN:
        value = row->dst.asn;
        break;
    default:
        value =
            (uint64_t)(unsigned char)row->dst.country[0] << 8 | (unsigned char)row->dst.country[1];
        break;
    }
    return value == 0 ? 0 : hash_add((uint64_t)kind + 1, value) | 1;
}

/* Is the thing's bit in the host's bitmap set? */
static bool is_met(const struct rarity_memory *m, enum kind kind, uint64_t key)
{
    switch (kind) {
    case LATERAL:
        return m->lateral >> (key >> 58) & 1;
    case PEER:
        return m->peers[key >> 57 & 1] >> (key >> 58) & 1;
    case SERVICE:
        return m->services >> (key >> 58) & 1;
    case ASN:
        return m->asns >> (key >> 58) & 1;
    default:
        return m->countries >> (key >> 59) & 1;
    }
}

static void meet(struct rarity_memory *m, enum kind kind, uint64_t key)
{
    uint64_t bit = UINT64_C(1) << (key >> 58);
    switch (kind) {
    case LATERAL:
        m->lateral |= bit;
        return;
    case PEER:
        m->peers[key >> 57 & 1] |= bit;
        return;
    case SERVICE:
        m->services |= bit;
        return;
    case ASN:
        m->asns |= bit;
        return;
    default:
        m->countries |= UINT32_C(1) << (key >> 59);
    }
}

static struct thing *thing_of(struct rarity_state *s, uint64_t key)
{
    return &s->things[(key >> 8) % THINGS];
}

/* How many others of ours know it; *first_s: since when. */
static uint32_t users_of(struct rarity_state *s, uint64_t key, uint32_t *first_s)
{
    const struct thing *thing = thing_of(s, key);
    if (thing->key != key)
        return 0;
    *first_s = thing->first_s;
    return lincount_estimate(&thing->users);
}

static void thing_add(struct rarity_state *s, uint64_t key, const struct row *row)
{
    struct thing *thing = thing_of(s, key);
    uint32_t now_s = (uint32_t)(row->end_us / 1000000);
    if (thing->key != key) {
        bool stale = thing->last_s + STALE_S < now_s;
        if (thing->key != 0 && !stale && lincount_estimate(&thing->users) > 1)
            return;
        *thing = (struct thing){.key = key, .first_s = now_s};
    }
    lincount_add(&thing->users, row->hash.source);
    if (now_s > thing->last_s)
        thing->last_s = now_s;
}

/* In quarters, what meeting it counts: 4, 2 or 0. */
static unsigned worth(const struct rarity_state *s, const struct rarity_conf *conf, enum kind kind,
                      uint32_t first_s, const struct row *row)
{
    if (s->users >= conf->common_hosts)
        return 0;
    bool old = s->users > 0 && row->end_us - (int64_t)first_s * 1000000 > conf->old_us;
    return old && kind != LATERAL ? QUARTERS / 2 : QUARTERS;
}

/* ---- the null model ---- */

struct model {
    double mean, shape;
};

static struct model model_of(const struct rarity_state *s, const struct rarity_conf *conf,
                             const struct rarity_memory *m, enum kind kind)
{
    double site =
        (conf->usual[kind] * conf->site_windows + s->met[kind]) / (conf->site_windows + s->windows);
    double met = (double)m->met[kind] / QUARTERS;
    double mean = (site * conf->prior_windows + met) / (conf->prior_windows + m->windows);
    return (struct model){.mean = mean, .shape = fmin(conf->clumped + met, conf->even)};
}

/* P(N >= count) of a negative binomial variable: the sum of its terms from there on. */
static double model_p(const struct model *m, unsigned count)
{
    double q = m->mean / (m->mean + m->shape), sum = 0.0;
    double term = pow(1.0 - q, m->shape); /* P(N = 0) */
    for (unsigned n = 0; n < count + 10000; n++) {
        if (n >= count)
            sum += term;
        if (n >= count && term < sum * 1e-9)
            break;
        term *= q * (n + m->shape) / (n + 1.0);
    }
    return sum;
}

static double kind_score(const struct rarity_state *s, const struct rarity_conf *conf,
                         const struct rarity_memory *m, enum kind kind)
{
    unsigned count = m->unusual[kind] / QUARTERS;
    if (count < conf->least)
        return 0.0;
    struct model model = model_of(s, conf, m, kind);
    /* The best of several looks: half of the chance is lateral movement's. */
    double looks = kind == LATERAL ? 2.0 : 2.0 * (KINDS - 1);
    return fmax(0.0, -log10(fmax(model_p(&model, count), 1e-300) * looks));
}

/* ---- the detector ---- */

static uint8_t capped(unsigned count)
{
    return count > UINT8_MAX ? UINT8_MAX : (uint8_t)count;
}

/* Also of a window that was evicted, which is no sample and is not learned from. */
static void close_window(struct rarity_state *s, struct rarity_memory *m)
{
    for (enum kind kind = 0; kind < KINDS; kind++) {
        s->closed[kind] = (double)m->unusual[kind] / QUARTERS;
        m->unusual[kind] = m->known[kind] = 0;
    }
    s->closed_score = (double)m->score / RARITY_SCORE;
    m->score = 0;
}

/* Counts the row's new things; the kind that is most unusual with it. */
static double count_new(struct rarity_state *s, const struct rarity_conf *conf,
                        const struct row *row, struct rarity_memory *m)
{
    double most = -1.0;
    for (enum kind kind = 0; kind < KINDS; kind++) {
        uint64_t key = key_of(row, kind);
        if (key == 0 || is_met(m, kind, key))
            continue;
        s->key[kind] = key;
        if (!m->settled)
            continue;
        uint32_t first_s = 0, before = s->users;
        s->users = users_of(s, key, &first_s);
        unsigned counts = worth(s, conf, kind, first_s, row);
        m->unusual[kind] = capped(m->unusual[kind] + counts);
        m->known[kind] = capped(m->known[kind] + QUARTERS - counts);
        double score = counts > 0 ? kind_score(s, conf, m, kind) : -1.0;
        if (score > most) {
            most = score;
            s->kind = kind;
        } else {
            s->users = before;
        }
    }
    return most;
}

static void rarity_score(void *state, const void *settings, struct row *row, struct finding *out)
{
    struct rarity_state *s = state;
    const struct rarity_conf *conf = settings;
    struct rarity_memory *m = &row->host->rarity;
    memset(s->key, 0, sizeof s->key);
    out->sample_of = OF_WINDOW;
    if (window_begins(row))
        close_window(s, m);
    if (row->closed && m->settled)
        out->sample = s->closed_score;
    if (!row->fresh || row->failed || row->late || row->dst.group || !row->src.local)
        return;
    double score = count_new(s, conf, row, m);
    if (score < 0.0)
        return;
    out->score = score;
    m->score = (uint16_t)fmin(fmax(m->score, score * RARITY_SCORE), UINT16_MAX);
}

/* So that the past fades and nothing overflows. */
static void halve(struct rarity_memory *m)
{
    m->windows /= 2;
    for (enum kind kind = 0; kind < KINDS; kind++)
        m->met[kind] /= 2;
}

static void learn_window(struct rarity_state *s, const struct rarity_conf *conf,
                         struct rarity_memory *m)
{
    double weight = s->closed_score > -log10(conf->suspicious) ? conf->leak : 1.0;
    bool full = m->windows >= MOST_WINDOWS;
    for (enum kind kind = 0; kind < KINDS; kind++)
        full = full || m->met[kind] + weight * s->closed[kind] * QUARTERS > UINT8_MAX;
    if (full)
        halve(m);
    m->windows++;
    s->windows += 1.0;
    for (enum kind kind = 0; kind < KINDS; kind++) {
        double met = weight * s->closed[kind];
        s->met[kind] += met;
        m->met[kind] = capped(m->met[kind] + (unsigned)lround(met * QUARTERS));
    }
}

static void rarity_learn(void *state, const void *settings, struct row *row)
{
    struct rarity_state *s = state;
    const struct rarity_conf *conf = settings;
    struct rarity_memory *m = &row->host->rarity;
    if (row->closed && m->settled && !row->was.pinned)
        learn_window(s, conf, m);
    if (row->host->flows >= conf->settle)
        m->settled = 1;
    if (row->teach <= 0.0)
        return;
    for (enum kind kind = 0; kind < KINDS; kind++) {
        if (s->key[kind] == 0)
            continue;
        meet(m, kind, s->key[kind]);
        if (row->teach >= 1.0) /* or three hosts of an attacker would excuse the fourth */
            thing_add(s, s->key[kind], row);
    }
}

/* ---- why ---- */

static const char *const kinds[KINDS] = {
    [LATERAL] = "hosts of ours whose login or file services it never used",
    [PEER] = "hosts of ours it never spoke to",
    [SERVICE] = "services it never used",
    [ASN] = "networks (AS) it never spoke to",
    [COUNTRY] = "countries it never spoke to",
};

static void say_usual(struct text *text, double mean)
{
    if (mean >= 0.095)
        text_digits(text, mean, 2);
    else
        text_format(text, "one in %.0f windows", 1.0 / mean);
}

static void explain_reasons(const struct rarity_state *s, const struct rarity_memory *m,
                            const struct model *model, struct explanation *out)
{
    double count = (double)m->unusual[s->kind] / QUARTERS;
    double known = (double)m->known[s->kind] / QUARTERS;
    struct explained *reason = explanation_add(out, "rarity_new", count + known, model->mean, 1.0);
    struct text text = text_over(reason->text, sizeof reason->text);
    text_digits(&text, count + known, 2);
    text_add(&text, " new to this host in the window, usual ");
    say_usual(&text, model->mean);
    if (known > 0.0) {
        reason = explanation_add(out, "prevalence", known, NAN, -known / (count + known));
        text = text_over(reason->text, sizeof reason->text);
        text_digits(&text, known, 2);
        text_add(&text, " of them not counted: other hosts of ours know them, or have for long");
    }
}

/* Which share of windows has so many or more, by the null model; the mark is this one. */
static void plot(const struct model *model, unsigned count, struct explanation *out)
{
    evidence_begin(out, "distribution", "new things in a window",
                   "share of windows with so many or more");
    for (unsigned n = 1; n <= 2 * count && n <= EVIDENCE_POINTS; n++)
        evidence_point(out, n, model_p(model, n));
    out->evidence.mark = count;
}

static void rarity_explain(const void *state, const void *settings, const struct row *row,
                           struct explanation *out)
{
    const struct rarity_state *s = state;
    const struct rarity_memory *m = &row->host->rarity;
    unsigned count = m->unusual[s->kind] / QUARTERS;
    struct model model = model_of(s, settings, m, s->kind);
    explain_reasons(s, m, &model, out);
    plot(&model, count, out);
    struct text text = text_over(out->sentence, sizeof out->sentence);
    words_place(&text, row->flow.src, &row->src);
    text_format(&text, " met %u ", count);
    text_add(&text, kinds[s->kind]);
    text_add(&text, ", within ");
    words_seconds(&text, fmax(1.0, (double)(row->host->last_us - row->window->start_us) * 1e-6));
    text_add(&text, ", usually ");
    say_usual(&text, model.mean);
    text_add(&text, "; the latest is ");
    words_service(&text, row);
    if (s->users == 0)
        text_add(&text, ", which no other host of ours knows.");
    else
        text_format(&text, ", which %u other%s of ours know%s.", s->users, s->users > 1 ? "s" : "",
                    s->users > 1 ? "" : "s");
    if (s->kind == LATERAL)
        explanation_technique(out, "T1021"); /* Remote Services */
    else if (s->kind == PEER)
        explanation_technique(out, "T1018"); /* Remote System Discovery */
    out->since_us = row->window->start_us;
}

const struct detector score_rarity = {
    .part = {.name = "rarity",
             .help = "Many things new to a host at once: peers, services, networks, countries.",
             .conf_size = sizeof(struct rarity_conf),
             .options = options},
    .technique =
        "T1071", /* Application Layer Protocol: to a place or by a protocol not used before */
    .state_size = sizeof(struct rarity_state),
    .score = rarity_score,
    .learn = rarity_learn,
    .explain = rarity_explain,
};
