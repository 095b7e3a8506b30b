/* SPDX-License-Identifier: MIT */
/* flows.c - what libeddy makes of logs: every flow with its fields and feature columns, as CSV.
 *
 *     sensor_flows SETTING=VALUE... < list of logs, one a line
 *
 * Each log has an engine of its own, so nothing is remembered from one to the next. Unset counts
 * are empty. Fields of no log have a comma in them: ingest replaces it. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eddy.h"

struct table {
    const char *log; /* the one being read */
    int columns;
};

/* ---- Output ------------------------------------------------------------- */

static void put_count(uint64_t count)
{
    if (count == EDDY_UNSET)
        (void)putchar(',');
    else
        printf(",%" PRIu64, count);
}

static void put_place(const uint8_t address[16], uint16_t port)
{
    char text[46];
    printf(",%s,%u", eddy_address_text(address, text), (unsigned)port);
}

static void on_scored(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                      void *user)
{
    const struct table *table = user;
    (void)verdict;
    printf("%s,%.40s,%" PRId64, table->log, flow->id, flow->start_us);
    put_count(flow->duration_us);
    printf(",%u", (unsigned)flow->proto);
    put_place(flow->src, flow->src_port);
    put_place(flow->dst, flow->dst_port);
    put_count(flow->bytes_out);
    put_count(flow->bytes_in);
    put_count(flow->packets_out);
    put_count(flow->packets_in);
    printf(",%u,%u,%u,%u,%.15s", (unsigned)flow->state, (unsigned)flow->tcp_out,
           (unsigned)flow->tcp_in, (unsigned)flow->quality, flow->app);
    for (int i = 0; i < table->columns; i++)
        printf(",%.17g", columns[i]);
    (void)putchar('\n');
}

static int put_name(const eddy_feature *feature, void *user)
{
    (void)user;
    printf(",column.%s", feature->name);
    return 0;
}

/* ---- Input -------------------------------------------------------------- */

static bool feed(eddy_worker *worker, const char *path)
{
    static char bytes[1 << 16];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    size_t n;
    int status = 0;
    while (status >= 0 && (n = fread(bytes, 1, sizeof bytes, file)) > 0)
        status = eddy_worker_feed(worker, bytes, n);
    if (status >= 0)
        status = eddy_worker_end(worker);
    bool good = status >= 0 && !ferror(file);
    (void)fclose(file);
    return good;
}

static bool read_log(const eddy_config *config, struct table *table, eddy_error *err)
{
    eddy_hooks hooks = {.size = sizeof hooks, .user = table, .scored = on_scored};
    eddy_engine *engine;
    eddy_worker *worker;
    if (eddy_engine_new(config, &hooks, &engine, err) != EDDY_OK)
        return false;
    bool good = eddy_worker_new(engine, table->log, NULL, &worker, err) == EDDY_OK;
    if (good) {
        good = feed(worker, table->log);
        eddy_worker_free(worker);
        (void)snprintf(err->message, sizeof err->message, "%s: can't be read", table->log);
    }
    eddy_engine_free(engine);
    return good;
}

static bool read_logs(const eddy_config *config, struct table *table, eddy_error *err)
{
    char path[4096];
    while (fgets(path, sizeof path, stdin) != NULL) {
        path[strcspn(path, "\n")] = '\0';
        table->log = path;
        if (!read_log(config, table, err))
            return false;
    }
    return true;
}

static bool set_all(eddy_config *config, char **settings, eddy_error *err)
{
    for (; *settings != NULL; settings++) {
        char *value = strchr(*settings, '=');
        if (value == NULL)
            return false;
        *value++ = '\0';
        if (eddy_config_set(config, *settings, value, err) != EDDY_OK)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    eddy_error err = {0};
    struct table table = {.columns = eddy_features(NULL, NULL)};
    eddy_config *config = eddy_config_new();
    if (argc < 1 || config == NULL)
        return EXIT_FAILURE;
    (void)fputs("log,id,start_us,duration_us,proto,src,src_port,dst,dst_port,bytes_out,bytes_in,"
                "packets_out,packets_in,state,tcp_out,tcp_in,quality,app",
                stdout);
    (void)eddy_features(put_name, NULL);
    (void)putchar('\n');
    bool good = set_all(config, argv + 1, &err) && read_logs(config, &table, &err);
    eddy_config_free(config);
    if (!good)
        (void)fprintf(stderr, "sensor_flows: %s\n", err.message);
    return good && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
