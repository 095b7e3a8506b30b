/* SPDX-License-Identifier: MIT */
/* decide.c - from p-values to incidents: groups evidence by host and detector, keeps the budget. */
#include "decide/decide.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/called.h"
#include "state/host.h"
#include "util/error.h"
#include "util/hash.h"

#define CONF(field) offsetof(struct decide_conf, field)

static const struct option options[] = {
    {"max_incidents_per_day", OPTION_COUNT, CONF(per_day), "20", 0, BUDGET_MOST,
     "No 24 hours bring more incidents than this: the most unusual; others are withheld and "
     "counted."},
    {"false_per_day", OPTION_NUMBER, CONF(false_per_day), "1", 1e-6, 1e9,
     "How many incidents a day chance alone may open on the whole network, as far as p is right: "
     "the larger the network, the lower the p that an incident needs."},
    {"p", OPTION_NUMBER, CONF(p), "1e-4", 0, 1,
     "A host's window is an incident if it would happen by chance less often than this, however "
     "small the network."},
    {"extreme", OPTION_NUMBER, CONF(extreme), "1e-9", 0, 1,
     "Below this p the last quarter of the budget may be used, and severity is high."},
    {"join", OPTION_NUMBER, CONF(join), "1e-3", 0, 1,
     "An open incident goes on with flows for which the host's p is below this."},
    {"quiet", OPTION_DURATION, CONF(quiet_us), "4h", 60, 2592000,
     "An incident without new evidence for this long is closed."},
    {0},
};

const struct part decide_part = {
    .name = "decide",
    .help = "When evidence becomes an incident, and how many a day.",
    .conf_size = sizeof(struct decide_conf),
    .options = options,
};

#define SWEEP_US (60 * INT64_C(1000000)) /* how often quiet incidents are looked for */
#define GROWS    16 /* flows at which the first growth is told, then doublings */

/* What a place in the pool is worth: nothing if it is free, and without price if what it holds was
 * sent. */
#define FREE (-1.0f)

static float worth_of(double p)
{
    return (float)-log10(fmax(p, 1e-300));
}

int decide_new(decide_fn *tell, void *user, struct decide_state **out, eddy_error *err)
{
    struct decide_state *s = calloc(1, sizeof *s);
    if (s == NULL)
        return error_nomem(err);
    s->pool = calloc(INCIDENTS_OPEN, sizeof *s->pool);
    if (s->pool == NULL) {
        free(s);
        return error_nomem(err);
    }
    for (size_t i = 0; i < INCIDENTS_OPEN; i++)
        s->worth[i] = FREE;
    s->tell = tell;
    s->user = user;
    *out = s;
    return EDDY_OK;
}

void decide_free(struct decide_state *s)
{
    if (s == NULL)
        return;
    free(s->pool);
    free(s);
}

static void tell(struct decide_state *s, struct incident *incident, eddy_incident_state state)
{
    if (s->names != NULL)
        called_add(s->names, incident);
    struct incident_event event = {.state = (int)state, .incident = *incident};
    incident->told_flows = incident->flows;
    incident->told_p = incident->p;
    incident->told_severity = incident->severity;
    s->tell(&event, s->user);
}

/* ---- the open ones, by key ---- */

/* Whom evidence is about, from which detector, and whether a rule covers it. */
struct key {
    const uint8_t *address;
    size_t detector;
    bool suppressed;
};

static uint16_t *bucket_of(struct decide_state *s, const struct key *key)
{
    uint64_t hash = hash_address(key->address, 2 * key->detector + key->suppressed);
    return &s->bucket[hash % INCIDENTS_OPEN];
}

static struct key key_of(const struct incident *incident)
{
    return (struct key){incident->host, incident->detector, incident->suppressed_by[0] != '\0'};
}

static struct incident *find(struct decide_state *s, const struct key *key)
{
    for (uint16_t at = *bucket_of(s, key); at != 0; at = s->pool[at - 1].next) {
        struct incident *incident = &s->pool[at - 1];
        struct key its = key_of(incident);
        if (its.detector == key->detector && its.suppressed == key->suppressed &&
            memcmp(its.address, key->address, 16) == 0)
            return incident;
    }
    return NULL;
}

static void link_in(struct decide_state *s, struct incident *incident)
{
    struct key key = key_of(incident);
    uint16_t *bucket = bucket_of(s, &key);
    incident->next = *bucket;
    *bucket = (uint16_t)(incident - s->pool + 1);
}

static void take_out(struct decide_state *s, const struct incident *incident)
{
    struct key key = key_of(incident);
    uint16_t *at = bucket_of(s, &key), number = (uint16_t)(incident - s->pool + 1);
    while (*at != number)
        at = &s->pool[*at - 1].next;
    *at = incident->next;
}

/* ---- opening and closing ---- */

static void close_incident(struct decide_state *s, struct incident *incident)
{
    tell(s, incident, EDDY_INCIDENT_CLOSED);
    take_out(s, incident);
    incident->open = false;
    s->worth[incident - s->pool] = FREE;
    s->counts.open--;
}

double decide_limit(const struct decide_state *s, const struct decide_conf *conf)
{
    return looks_limit(&s->looks, conf->false_per_day, conf->p);
}

#define ASK_AGAIN_US (60 * INT64_C(1000000))

/* A withheld incident asks again when it has become twice as unlikely, or extreme, or a minute
 * has passed. */
static bool may_be_sent(struct decide_state *s, const struct decide_conf *conf,
                        struct incident *incident, int64_t now_us)
{
    struct budget_conf budget = {
        .per_day = conf->per_day, .p = decide_limit(s, conf), .extreme = conf->extreme};
    bool again = incident->asked_p == 0.0 || incident->p <= 0.5 * incident->asked_p ||
                 (incident->p <= conf->extreme && incident->asked_p > conf->extreme) ||
                 now_us - incident->asked_us >= ASK_AGAIN_US || now_us < incident->asked_us;
    if (!incident->withheld || incident->suppressed_by[0] != '\0' || !again)
        return false;
    incident->asked_p = incident->p;
    incident->asked_us = now_us;
    return budget_take(&s->budget, &budget, incident->number, incident->p, now_us);
}

/* Told as new, also when it was told as withheld before. */
static void send(struct decide_state *s, struct incident *incident)
{
    incident->withheld = incident->quiet = false;
    s->worth[incident - s->pool] = INFINITY;
    s->counts.incidents[incident->detector]++;
    tell(s, incident, EDDY_INCIDENT_NEW);
}

static void sweep(struct decide_state *s, const struct decide_conf *conf, int64_t now_us)
{
    int64_t quiet_us = conf->quiet_us;
    for (size_t i = 0; i < INCIDENTS_OPEN; i++) {
        struct incident *incident = &s->pool[i];
        if (incident->open && may_be_sent(s, conf, incident, now_us)) /* room, though it is over */
            send(s, incident);
        if (incident->open && incident->seen_us + quiet_us < now_us) {
            close_incident(s, incident);
        } else if (incident->open && !incident->quiet &&
                   incident->seen_us + quiet_us / 4 < now_us) {
            incident->quiet = true;
            tell(s, incident, EDDY_INCIDENT_QUIET);
        }
    }
    s->swept_us = now_us;
}

/* A free place, or that of the least unusual one that was not sent, if `p` is less usual; NULL if
 * there is none: then what is open stays whole instead of closing and opening in turns. */
static struct incident *take_place(struct decide_state *s, double p)
{
    size_t least = 0;
    for (size_t i = 1; i < INCIDENTS_OPEN; i++)
        if (s->worth[i] < s->worth[least])
            least = i;
    if (s->worth[least] >= worth_of(p))
        return NULL;
    if (s->pool[least].open)
        close_incident(s, &s->pool[least]);
    return &s->pool[least];
}

/* NULL if there is no place for one with this p. */
static struct incident *open_new(struct decide_state *s, const struct row *row,
                                 const struct key *key, double p, int64_t now_us)
{
    const struct finding *finding = &row->finding[key->detector];
    struct incident *incident = take_place(s, p);
    if (incident == NULL)
        return NULL;
    int64_t start_us = row->flow.start_us < now_us ? row->flow.start_us : now_us;
    *incident = (struct incident){.open = true,
                                  .withheld = true, /* until the budget says otherwise */
                                  .detector = (uint8_t)key->detector,
                                  .start_us = start_us,
                                  .end_us = start_us,
                                  .host_place = finding->of_destination ? row->dst : row->src,
                                  .p = 1.0,
                                  .explained_score = -1.0};
    memcpy(incident->host, key->address, 16);
    if (key->suppressed)
        (void)snprintf(incident->suppressed_by, sizeof incident->suppressed_by, "%s",
                       finding->rule);
    incident_name(incident, registry_detectors[key->detector]->part.name);
    link_in(s, incident);
    s->counts.open++;
    return incident;
}

/* ---- evidence ---- */

/* High: extreme, or two detectors agree about the host. */
static int severity_of(struct decide_state *s, const struct decide_conf *conf,
                       const struct incident *incident)
{
    for (size_t i = 0; registry_detectors[i] != NULL; i++) {
        struct key other = {incident->host, i, false};
        if (i != incident->detector && find(s, &other) != NULL)
            return EDDY_HIGH;
    }
    if (incident->p <= conf->extreme)
        return EDDY_HIGH;
    return incident->p <= sqrt(conf->extreme * conf->p) ? EDDY_MEDIUM : EDDY_LOW;
}

/* Words for the strongest evidence so far, and anew when much has been added to it. */
static void explain(struct incident *incident, const struct score_state *score,
                    const struct score_conf *conf, const struct row *row)
{
    const struct finding *finding = &row->finding[incident->detector];
    bool stronger = finding->score > incident->explained_score + 0.05;
    bool longer = finding->score > incident->explained_score - 0.3 &&
                  incident->flows >= 2 * incident->explained_flows;
    if (!stronger && !longer)
        return;
    incident->explained_score = fmax(finding->score, incident->explained_score);
    incident->explained_flows = incident->flows;
    struct evidence before = incident->why.evidence;
    score_explain(score, conf, incident->detector, row, &incident->why);
    evidence_continue(&incident->why.evidence, &before,
                      (double)(row->flow.start_us - incident->activity.start_us) * 1e-6);
    if (incident->why.since_us != 0 && incident->why.since_us < incident->start_us)
        incident->start_us = incident->why.since_us;
    incident->proto = row->flow.proto;
    incident->peer_port = incident->why.names_port ? row->flow.dst_port : 0;
    memset(incident->peer, 0, 16);
    incident->peer_place = (struct place){0};
    if (incident->why.names_peer) {
        memcpy(incident->peer, finding->of_destination ? row->flow.src : row->flow.dst, 16);
        incident->peer_place = finding->of_destination ? row->src : row->dst;
    }
}

/* Has it grown: twice the flows, a hundredth of the p, or graver? */
static bool has_grown(const struct incident *incident)
{
    return (incident->flows >= GROWS && incident->flows >= 2 * incident->told_flows) ||
           incident->p <= incident->told_p * 0.01 || incident->severity > incident->told_severity;
}

/* Sends it if it may be sent, or says that it has grown. */
static void publish(struct decide_state *s, const struct decide_conf *conf,
                    struct incident *incident, bool opened, int64_t now_us)
{
    bool suppressed = incident->suppressed_by[0] != '\0';
    if (may_be_sent(s, conf, incident, now_us)) {
        send(s, incident);
    } else if (opened) {
        *(suppressed ? &s->counts.suppressed[incident->detector]
                     : &s->counts.withheld[incident->detector]) += 1;
        tell(s, incident, EDDY_INCIDENT_NEW);
    } else if (has_grown(incident) || incident->quiet) {
        incident->quiet = false;
        tell(s, incident, EDDY_INCIDENT_GROWING);
    }
}

static void weigh(struct decide_state *s, const struct decide_conf *conf,
                  const struct score_state *score, const struct score_conf *score_conf,
                  struct row *row, size_t detector, int64_t now_us)
{
    const struct finding *finding = &row->finding[detector];
    struct key key = {finding->of_destination ? row->flow.dst : row->flow.src, detector,
                      finding->rule != NULL};
    struct incident *incident = find(s, &key);
    double p = smallest_of(finding->p, finding->tests * (double)score->looking);
    bool opened = incident == NULL && p <= conf->p;
    if (opened)
        incident = open_new(s, row, &key, p, now_us);
    s->counts.no_place += opened && incident == NULL;
    if (incident == NULL || p > conf->join)
        return;
    incident->p = fmin(incident->p, p);
    incident_add(incident, row, now_us);
    if (s->names != NULL && row->kind == ROW_FLOW)
        row->name = names_call(s->names, row);
    explain(incident, score, score_conf, row);
    int severity = severity_of(s, conf, incident);
    incident->severity = severity > incident->severity ? severity : incident->severity;
    publish(s, conf, incident, opened, now_us);
    s->worth[incident - s->pool] = incident->withheld ? worth_of(incident->p) : INFINITY;
    *(key.suppressed ? &s->counts.suppressed_flows[detector] : &s->counts.flows[detector]) += 1;
    row->verdict.flags |= key.suppressed ? EDDY_SUPPRESSED : EDDY_IN_INCIDENT;
}

void decide(struct decide_state *s, const struct decide_conf *conf, const struct score_state *score,
            const struct score_conf *score_conf, struct row *row, int64_t now_us)
{
    /* Outsiders count from their second flow on: most have one, and anybody can make them up. */
    if (row->window != NULL && row->window->flows == (row->src.local ? 1 : 2) && !row->late)
        looks_add(&s->looks, now_us);
    for (size_t i = 0; i < score->count; i++)
        if (!isnan(row->finding[i].score) && row->finding[i].p <= conf->join)
            weigh(s, conf, score, score_conf, row, i, now_us);
    if (now_us - s->swept_us > SWEEP_US || now_us < s->swept_us)
        sweep(s, conf, now_us);
}

void decide_end(struct decide_state *s)
{
    for (size_t i = 0; i < INCIDENTS_OPEN; i++)
        if (s->pool[i].open)
            close_incident(s, &s->pool[i]);
}
