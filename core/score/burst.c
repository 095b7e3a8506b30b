/* SPDX-License-Identifier: MIT */
/* burst.c - floods and password guessing: far more connections in a minute than usual.
 *
 * The MIDAS family (Bhatia, Hooi, Yoon, Shin, Faloutsos, AAAI 2020; MIDAS-F: the same and Liu,
 * TKDD 2022) counts each edge and each of its ends in the current tick and in all before, in
 * count-min sketches (state/pulse.h), and asks how far the first is from the second. So here, of
 *
 *     edge      source, destination, port            a flood or a guesser at its one victim
 *     service   destination, port                    the same by many sources, on one of ours
 *     target    destination                          the same on many ports
 *     source    all that one address begins
 *
 * each apart for logins, for what was answered and for what was not.
 *
 * MIDAS takes chi-square of current against mean with one degree of freedom. That is a Poisson
 * world: people are not even, and where a fraction of a connection is expected, five have a p of
 * 1e-9. So p is exact, for a wilder world: connections in a tick that has any come at a rate that
 * varies from tick to tick as an exponential variable (gamma-Poisson of shape 1: N is geometric),
 * and how large it is on average is only known from k past ticks of mean m and from a prior, as
 * Beta(a, b) with a = sharp + k, b = sharp usual + k (m - 1). Then N - 1 is beta-geometric and
 *
 *     P(N >= n) = product over j = 0 .. a-1 of (b + j) / (b + n-1 + j),   a a whole number
 *
 * a power law of index a: wide for what is new, narrow for what is known. Being new is no evidence:
 * only ticks with a connection are compared. k stops at burst.sure, so that nothing is ever thought
 * to be more even than that; what is still wrong with it the calibration sees.
 *
 * A tick that would be rare teaches little, and no more than a few times the mean (MIDAS-F's
 * conditional merge, which takes the mean itself and so never learns what has come to stay). */
#include "score/burst.h"

#include <math.h>
#include <string.h>

#include "state/host.h"

#define CONF(field) offsetof(struct burst_conf, field)
#define SHARPEST    64

static const struct option options[] = {
    {"tick", OPTION_DURATION, CONF(tick_us), "60s", 1, 3600,
     "The span in which connections are counted together."},
    {"least", OPTION_COUNT, CONF(least), "10", 2, 1e6,
     "Fewer connections than this in a tick are no burst, whatever the past (Slips takes 9 logins "
     "for guessing)."},
    {"usual", OPTION_NUMBER, CONF(usual), "10", 0.1, 1e6,
     "Connections in a tick that are usual for a pair not yet known: a web page needs some fifty."},
    {"usual_failed", OPTION_NUMBER, CONF(usual_failed), "3", 0.1, 1e6,
     "The same for connections without an answer: a client tries again a few times."},
    {"usual_logins", OPTION_NUMBER, CONF(usual_logins), "1", 0.1, 1e6,
     "The same for login services (ssh, rdp, ftp, smb, mailboxes ...)."},
    {"sharp", OPTION_COUNT, CONF(sharp), "2", 1, SHARPEST,
     "Index of the power law by which pairs not yet known differ; with 2, a pair without a past "
     "needs tens of thousands of connections in a tick to be an incident."},
    {"sharp_failed", OPTION_COUNT, CONF(sharp_failed), "8", 1, SHARPEST,
     "The same for connections without an answer; with 8, some 200 are an incident (ntopng: 256)."},
    {"sharp_logins", OPTION_COUNT, CONF(sharp_logins), "16", 1, SHARPEST,
     "The same for login services; with 16, some 40 are an incident (Zeek: 30 in half an hour)."},
    {"sure", OPTION_COUNT, CONF(sure), "12", 0, SHARPEST,
     "After so many ticks of its own a key is known as well as it ever will be."},
    {"memory", OPTION_NUMBER, CONF(memory), "240", 1, PULSE_TICKS,
     "How many ticks the mean of a key remembers; older ones fade."},
    {"suspicious", OPTION_NUMBER, CONF(suspicious), "1e-3", 0, 1,
     "A tick with a lower p teaches only by burst.leak, and at most four times the mean."},
    {"leak", OPTION_NUMBER, CONF(leak), "0.05", 0, 1, "How much a suspicious tick teaches."},
    {"common_hosts", OPTION_COUNT, CONF(common_hosts), "3", 2, 1e9,
     "From so many of our hosts on, a service counts as commonly used."},
    {"common", OPTION_NUMBER, CONF(common), "0.7", 0, 1,
     "What is left of the score when the service is commonly used and answers."},
    {"varied", OPTION_NUMBER, CONF(varied), "0.7", 0, 1,
     "What is left of the score when the amounts sent differ widely, as in use and not in "
     "guessing."},
    {"nature", OPTION_NUMBER, CONF(nature), "0.5", 0, 1,
     "What is left of the score for DNS and ICMP: echoes of other connections, each a flow."},
    {0},
};

/* Shares of a row of cells: first and length in eighths. */
static const uint32_t part[CROWDS][2] = {
    [LOGINS] = {0, 1}, [TCP] = {1, 3},          [TCP_FAILED] = {4, 1},
    [OTHER] = {5, 2},  [OTHER_FAILED] = {7, 1},
};

/* ---- who shares a cell ---- */

static bool is_login(const struct row *row)
{
    if (row->service == SERVICE_REMOTE)
        return true;
    switch (row->flow.dst_port) {
    case 21:  /* ftp */
    case 110: /* pop3 */
    case 139: /* smb */
    case 143: /* imap */
    case 445: /* smb */
    case 465: /* submission */
    case 587: /* submission */
    case 993: /* imap */
    case 995: /* pop3 */
        return row->flow.proto == 6;
    default:
        return false;
    }
}

/* A TCP client that never acknowledged the other's SYN: what a SYN flood leaves of an open port. */
static bool is_half_open(const struct row *row)
{
    return row->flow.proto == 6 && row->flow.tcp_out != 0 && (row->flow.tcp_out & 0x10) == 0;
}

static enum burst_crowd crowd_of(const struct row *row)
{
    if (row->service == SERVICE_ICMP) /* errors have no answer: they are one */
        return OTHER;
    if (row->flow.proto != 6)
        return row->failed ? OTHER_FAILED : OTHER;
    if (row->failed || is_half_open(row))
        return TCP_FAILED;
    return is_login(row) ? LOGINS : TCP;
}

static struct pulse find(struct burst_state *s, enum burst_look look, enum burst_crowd crowd,
                         uint64_t hash)
{
    uint32_t cells = look == EDGE ? EDGE_CELLS : END_CELLS;
    struct pulse_cell *table = look == EDGE ? s->edge : s->end[look - 1];
    return pulse_find(table, cells, cells / 8 * part[crowd][0], cells / 8 * part[crowd][1], hash);
}

/* ---- the null model ---- */

struct burst_model burst_model(const struct burst_conf *conf, enum burst_look look,
                               enum burst_crowd crowd, const struct pulse_cell *cell)
{
    double usual = conf->usual;
    uint64_t sharp = conf->sharp;
    if (crowd == LOGINS) {
        usual = conf->usual_logins;
        sharp = conf->sharp_logins;
    } else if (crowd == TCP_FAILED || crowd == OTHER_FAILED) {
        usual = conf->usual_failed;
        sharp = conf->sharp_failed;
    }
    double k = floor(fmin(pulse_ticks(cell), (double)conf->sure));
    double b = (double)sharp * usual * (look == EDGE ? 1 : MANY);
    return (struct burst_model){.a = (unsigned)((double)sharp + k),
                                .b = b + k * fmax(0.0, pulse_mean(cell) - 1.0)};
}

/* P(N >= count). Two products and one division: each of some 30 factors is between 1 and 2^40. */
double burst_model_p(const struct burst_model *m, double count)
{
    double p = 1.0, beyond = fmax(0.0, count - 1.0);
    for (unsigned j = 0; j < m->a;) {
        double over = 1.0, under = 1.0;
        for (unsigned until = j + 16; j < m->a && j < until; j++) {
            over *= m->b + j;
            under *= m->b + beyond + j;
        }
        p *= over / under;
    }
    return p;
}

/* p of so many in a tick of this cell; 1 where that is not above the usual. */
static double cell_p(const struct burst_conf *conf, enum burst_look look, enum burst_crowd crowd,
                     const struct pulse_cell *cell)
{
    if (cell->count < conf->least)
        return 1.0;
    struct burst_model m = burst_model(conf, look, crowd, cell);
    return (cell->count - 1.0) * m.a <= m.b ? 1.0 : burst_model_p(&m, cell->count);
}

/* The row that speaks against it most: all its cells rise with a key, but others share them. */
static double look_score(const struct burst_conf *conf, enum burst_look look,
                         enum burst_crowd crowd, const struct pulse *pulse)
{
    double p = 0.0;
    for (unsigned row = 0; row < PULSE_ROWS; row++)
        p = fmax(p, cell_p(conf, look, crowd, pulse->cell[row]));
    if (p >= 1.0)
        return 0.0;
    /* The best of several looks: half of the chance is an edge's, the others share the rest. */
    return fmax(0.0, -log10(fmax(p, 1e-300) * (look == EDGE ? 2.0 : 2.0 * (LOOKS - 1))));
}

double burst_count(const struct pulse *pulse)
{
    uint32_t least = UINT32_MAX;
    for (unsigned row = 0; row < PULSE_ROWS; row++)
        least = pulse->cell[row]->count < least ? pulse->cell[row]->count : least;
    return least;
}

const struct pulse_cell *burst_cell(const struct pulse *pulse)
{
    unsigned best = 0;
    for (unsigned row = 1; row < PULSE_ROWS; row++)
        if (pulse->cell[row]->count < pulse->cell[best]->count)
            best = row;
    return pulse->cell[best];
}

/* ---- ticks begin and end ---- */

/* Merges what learn() has taught of a tick that is over. */
static void close_cell(const struct burst_conf *conf, enum burst_look look, enum burst_crowd crowd,
                       struct pulse_cell *cell)
{
    if (cell->taught == 0)
        return;
    double count = cell->taught;
    if (cell_p(conf, look, crowd, cell) > conf->suspicious) {
        pulse_merge(cell, 1.0, count, conf->memory);
        return;
    }
    struct burst_model m = burst_model(conf, look, crowd, cell);
    pulse_merge(cell, conf->leak, fmin(count, CLIP * (1.0 + m.b / m.a)), conf->memory);
}

/* Makes the cells ready for `tick`; a score for the calibration if that has ended a tick in which
 * the look was worth a look and nothing was pinned (in all its cells: in one it may be another's),
 * else NAN. */
static double turn(const struct burst_conf *conf, enum burst_look look, enum burst_crowd crowd,
                   const struct pulse *pulse, uint32_t tick)
{
    bool over[PULSE_ROWS], all = true, pinned = true;
    for (unsigned row = 0; row < PULSE_ROWS; row++) {
        over[row] = pulse_over(pulse->cell[row], tick);
        all = all && over[row] && pulse->cell[row]->count >= conf->least;
        pinned = pinned && pulse->cell[row]->pinned;
    }
    double closed = all && !pinned ? look_score(conf, look, crowd, pulse) : (double)NAN;
    for (unsigned row = 0; row < PULSE_ROWS; row++) {
        if (!over[row])
            continue;
        close_cell(conf, look, crowd, pulse->cell[row]);
        pulse_begin(pulse->cell[row], tick);
    }
    return closed;
}

/* The second pass begins at the first flow again. */
static void rewind_ticks(struct burst_state *s)
{
    for (size_t i = 0; i < PULSE_ROWS * EDGE_CELLS; i++)
        pulse_begin(&s->edge[i], 0);
    for (size_t look = 0; look < LOOKS - 1; look++)
        for (size_t i = 0; i < PULSE_ROWS * END_CELLS; i++)
            pulse_begin(&s->end[look][i], 0);
}

/* ---- counter-evidence ---- */

struct burst_doubts burst_doubts(const struct burst_conf *conf, const struct burst_state *s,
                                 const struct row *row)
{
    struct burst_doubts d = {1, 1, 1};
    if ((row->service == SERVICE_DNS || row->service == SERVICE_ICMP) && s->look != SERVICE &&
        s->look != TARGET)
        d.nature = conf->nature;
    if (s->look != EDGE)
        return d;
    if ((s->crowd == TCP || s->crowd == OTHER) && row->users >= conf->common_hosts)
        d.common = conf->common;
    if (__builtin_popcountll(burst_cell(&s->pulse[EDGE])->who) >= VARIED)
        d.varied = conf->varied;
    return d;
}

/* ---- the detector ---- */

/* Of failures at many destinations fanout tells. */
static bool is_ours(enum burst_look look, enum burst_crowd crowd)
{
    return look != SOURCE || (crowd != TCP_FAILED && crowd != OTHER_FAILED);
}

/* Whether a tick that ended is a sample: ends of victims count the same flows once more. */
static bool teaches(enum burst_look look, enum burst_crowd crowd)
{
    return look < SERVICE && is_ours(look, crowd);
}

/* In which looks the row is counted, and by what its kinds are told apart: the size on an edge,
 * who else is at the other end. */
static void count_in(struct burst_state *s, const struct burst_conf *conf, const struct row *row,
                     struct finding *out)
{
    uint32_t tick = (uint32_t)(row->flow.start_us / conf->tick_us);
    uint64_t size = (uint64_t)(4.0 * row->column[COLUMN_bytes_out]) << 58;
    const uint64_t key[LOOKS] = {row->hash.pair, row->hash.source, row->hash.service,
                                 row->hash.destination};
    const uint64_t kind[LOOKS] = {size, row->hash.destination, row->hash.source, row->hash.source};
    enum burst_look looks =
        row->dst.local ? LOOKS : SERVICE; /* floods of others' services have edges */
    for (enum burst_look look = 0; look < looks;
         look++) { /* all on their way before the first is read */
        s->pulse[look] = find(s, look, s->crowd, key[look]);
        for (unsigned i = 0; i < PULSE_ROWS; i++)
            __builtin_prefetch(s->pulse[look].cell[i], 1);
    }
    for (enum burst_look look = 0; look < looks; look++) {
        double closed = turn(conf, look, s->crowd, &s->pulse[look], tick);
        if (!isnan(closed) && teaches(look, s->crowd))
            out->sample = isnan(out->sample) ? closed : fmax(out->sample, closed);
        out->sample_of = OF_PAST;
        s->counted[look] = pulse_add(&s->pulse[look], tick, kind[look]);
    }
}

/* Does this row's source make up more than half of what its service is sent? */
bool burst_one_source(const struct burst_state *s)
{
    return 2.0 * burst_count(&s->pulse[EDGE]) > burst_count(&s->pulse[SERVICE]);
}

/* Is this look to be told of the row? Of one source at many ports fanout tells. */
static bool is_about(const struct burst_state *s, enum burst_look look)
{
    if (look == TARGET)
        return 2.0 * burst_count(&s->pulse[SOURCE]) <= burst_count(&s->pulse[TARGET]);
    return is_ours(look, s->crowd);
}

static void burst_score(void *state, const void *settings, struct row *row, struct finding *out)
{
    struct burst_state *s = state;
    const struct burst_conf *conf = settings;
    memset(s->counted, 0, sizeof s->counted);
    if (s->first_pass && !row->first_pass)
        rewind_ticks(s);
    s->first_pass = row->first_pass;
    if (row->late || row->dst.group || row->flow.start_us < 0)
        return;
    s->crowd = crowd_of(row);
    count_in(s, conf, row, out);

    double most = -1.0;
    for (enum burst_look look = 0; look < LOOKS; look++) {
        if (!s->counted[look] || burst_count(&s->pulse[look]) < (double)conf->least ||
            !is_about(s, look))
            continue;
        double score = look_score(conf, look, s->crowd, &s->pulse[look]);
        if (score > most) {
            most = score;
            s->look = look;
        }
    }
    if (most < 0.0)
        return;
    struct burst_doubts doubts = burst_doubts(conf, s, row);
    out->score = most * doubts.common * doubts.varied * doubts.nature;
    out->of_destination = s->look == TARGET || (s->look == SERVICE && !burst_one_source(s));
    /* A tick is looked at from `least` connections on: the window has no more such ticks than that.
     */
    double others = row->window->flows - burst_count(&s->pulse[s->look]);
    out->tests = out->of_destination ? VICTIM_TESTS : 1.0 + fmax(0.0, others) / (double)conf->least;
}

static void pin(struct burst_state *s)
{
    for (enum burst_look look = 0; look < LOOKS; look++)
        for (unsigned i = 0; s->counted[look] && i < PULSE_ROWS; i++)
            s->pulse[look].cell[i]->pinned = 1;
}

/* What the row is worth goes with its tick, and into the past when that ends. */
static void burst_learn(void *state, const void *settings, struct row *row)
{
    struct burst_state *s = state;
    (void)settings;
    if (!s->counted[EDGE])
        return;
    if (row->teach <= 0.0)
        pin(s);
    s->owed += row->teach;
    if (s->owed < 1.0)
        return;
    s->owed -= 1.0;
    for (enum burst_look look = 0; look < LOOKS; look++) {
        for (unsigned i = 0; s->counted[look] && i < PULSE_ROWS; i++) {
            struct pulse_cell *cell = s->pulse[look].cell[i];
            cell->taught = (uint16_t)(cell->taught + (cell->taught < UINT16_MAX));
        }
    }
}

const struct detector score_burst = {
    .part = {.name = "burst",
             .help = "Floods and password guessing: far more connections in a minute than usual.",
             .conf_size = sizeof(struct burst_conf),
             .options = options},
    .technique = "T1498", /* Network Denial of Service, where nothing more exact is told */
    .state_size = sizeof(struct burst_state),
    .score = burst_score,
    .learn = burst_learn,
    .explain = burst_explain,
};
