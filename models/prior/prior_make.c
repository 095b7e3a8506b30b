/* SPDX-License-Identifier: MIT */
/* prior_make.c - FILE... -> lines of core/score/prior.inc, on standard output.
 *
 * Flows take the way of core/worker.c up to their columns. All of them count alike: the files are
 * known to be benign. Sums above 65535 are scaled down. */
#define score_tail score_tail_of_prior_make /* for its bins and kinds */
#include "score/tail.c"
#undef score_tail

#include <stdio.h>
#include <stdlib.h>

#include "clean/clean.h"
#include "config.h"
#include "enrich/enrich.h"
#include "ingest/stream.h"
#include "state/state.h"

struct make {
    eddy_config *config;
    struct nets *nets;
    struct geoip *geoip;
    struct enrich_cache *cache;
    struct state *state;
    struct row row;
    uint32_t count[KINDS + 1][TAIL_COLUMNS][BINS];
    unsigned flows;
};

static void count(void *user, const struct stream_record *record)
{
    struct make *m = user;
    uint64_t corrected[CORRECTION_COUNT] = {0};
    if (record->reason != REASON_NONE || record->flow == NULL)
        return;
    m->row.flow = *record->flow;
    if (clean(config_part(m->config, &clean_part), &m->row, corrected) != REASON_NONE)
        return;
    state_prepare(m->state, &m->row);
    enrich(m->geoip, m->nets, m->cache, &m->row);
    state_update(m->state, config_part(m->config, &state_part), &m->row);
    features(&m->row);
    for (size_t i = 0; i < TAIL_COLUMNS; i++) {
        unsigned bin = bin_of(&measures[i], &m->row);
        m->count[kind_of(&m->row)][i][bin]++;
        m->count[KINDS][i][bin]++;
    }
    m->flows++;
}

static int read_file(struct make *m, const char *path)
{
    static char buffer[65536];
    struct stream *stream;
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        return -1;
    }
    int status = stream_new(config_part(m->config, &ingest_part), NULL, &stream, NULL);
    for (size_t n; status == EDDY_OK && (n = fread(buffer, 1, sizeof buffer, f)) > 0;)
        status = stream_feed(stream, buffer, n, count, m);
    if (status == EDDY_OK)
        status = stream_end(stream, count, m);
    stream_free(stream);
    (void)fclose(f); /* read only */
    return status;
}

static void print_line(const struct make *m, size_t kind, size_t column)
{
    const uint32_t *count = m->count[kind][column];
    uint64_t sum = 0;
    unsigned lowest = BINS, highest = 0;
    for (unsigned bin = 0; bin < BINS; bin++) {
        if (count[bin] == 0)
            continue;
        sum += count[bin];
        lowest = lowest == BINS ? bin : lowest;
        highest = bin;
    }
    if (sum == 0)
        return;
    uint64_t divisor = 1 + sum / 65536;
    printf("PRIOR(%zu, %zu, %u, %u", kind, column, lowest, highest - lowest + 1);
    for (unsigned bin = lowest; bin <= highest; bin++)
        printf(", %llu", (unsigned long long)((count[bin] + divisor - 1) / divisor));
    puts(")");
}

int main(int argc, char **argv)
{
    struct make *m = calloc(1, sizeof *m);
    if (m == NULL || (m->config = eddy_config_new()) == NULL ||
        (m->cache = calloc(1, sizeof *m->cache)) == NULL ||
        nets_new(config_part(m->config, &nets_part), &m->nets, NULL) != EDDY_OK ||
        geoip_open(config_part(m->config, &geoip_part), &m->geoip, NULL) != EDDY_OK ||
        state_new(config_part(m->config, &state_part), &m->state, NULL) != EDDY_OK) {
        fputs("prior_make: out of memory\n", stderr);
        return 1;
    }
    for (int i = 1; i < argc; i++)
        if (read_file(m, argv[i]) < 0)
            return 1;
    for (size_t kind = 0; kind <= KINDS; kind++)
        for (size_t column = 0; column < TAIL_COLUMNS; column++)
            print_line(m, kind, column);
    fprintf(stderr, "%u flows\n", m->flows);
    state_free(m->state);
    geoip_close(m->geoip);
    nets_free(m->nets);
    free(m->cache);
    eddy_config_free(m->config);
    free(m);
    return 0;
}
