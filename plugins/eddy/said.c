/* SPDX-License-Identifier: MIT */
/* said.c - what `eddy suppress` and `eddy mark` have in common: where things are, and lines. */
#include "said.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "when.h"

#define EDDY_CONF "/etc/eddy/eddy.conf"

/* ---- lines ---- */

static void put(struct said_line *line, char c)
{
    if (line->length + 1 < sizeof line->text) {
        line->text[line->length] = c;
        line->text[line->length + 1] = '\0';
    }
    line->length++;
}

static void put_text(struct said_line *line, const char *text)
{
    for (; *text != '\0'; text++)
        put(line, *text);
}

void said_add(struct said_line *line, const char *key, const char *value)
{
    bool quoted = strpbrk(value, " \t\"\\#") != NULL;
    if (line->length > 0)
        put(line, ' ');
    put_text(line, key);
    put_text(line, quoted ? "=\"" : "=");
    for (; *value != '\0'; value++) {
        if (quoted && (*value == '"' || *value == '\\'))
            put(line, '\\');
        put(line, *value);
    }
    if (quoted)
        put(line, '"');
}

void said_add_number(struct said_line *line, const char *key, uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    said_add(line, key, text);
}

static bool time_text(int64_t us, char out[32])
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm utc;
    return gmtime_r(&seconds, &utc) != NULL && strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc) > 0;
}

void said_add_time(struct said_line *line, const char *key, int64_t us)
{
    char text[32];
    if (time_text(us, text))
        said_add(line, key, text);
}

bool said_fits(const struct said_line *line)
{
    return line->length < sizeof line->text;
}

char *said_append(const char *text, const struct said_line *line)
{
    size_t length = strlen(text);
    const char *gap = length > 0 && text[length - 1] != '\n' ? "\n" : "";
    size_t size = length + strlen(line->text) + 3;
    char *out = malloc(size);
    if (out != NULL)
        (void)snprintf(out, size, "%s%s%s\n", text, gap, line->text);
    return out;
}

/* ---- where things are ---- */

void said_default_config(struct run *run)
{
    if (run->config_path == NULL && access(EDDY_CONF, F_OK) == 0)
        run->config_path = EDDY_CONF;
}

int said_setting(const struct said *said, const char *key, char *out, size_t size)
{
    eddy_config *config;
    int status = run_config(said->run, RUN_SETTINGS, &config);
    if (status != EXIT_FINE)
        return status;
    const char *value = eddy_config_value(config, key);
    bool fits = snprintf(out, size, "%s", value != NULL ? value : "") < (int)size;
    eddy_config_free(config);
    if (fits)
        return EXIT_FINE;
    complain(&said->run->progress, "%s is too long", key);
    return EXIT_FAULT;
}

int said_path(const struct said *said, const char *key, char *out, size_t size)
{
    if (said->file != NULL) {
        (void)snprintf(out, size, "%s", said->file);
        return EXIT_FINE;
    }
    int status = said_setting(said, key, out, size);
    if (status != EXIT_FINE || out[0] != '\0')
        return status;
    complain(&said->run->progress,
             "%s is not set in %s: set it, so that the sensor reads the file; or name a FILE by "
             "--file",
             key, said->run->config_path != NULL ? said->run->config_path : EDDY_CONF);
    return EXIT_FAULT;
}

static void say(const char *message, void *user)
{
    complain(user, "%s", message);
}

int said_incidents(const struct said *said, struct store *store)
{
    char path[4096];
    eddy_error err = {0};
    int status = EDDY_OK;
    store->complain = say;
    store->user = &said->run->progress;
    for (size_t i = 0; i < said->in_count && status == EDDY_OK; i++)
        status = store_read(store, said->in[i], &err);
    if (said->in_count == 0) {
        int found = said_setting(said, "history.path", path, sizeof path);
        if (found != EXIT_FINE)
            return found;
        if (path[0] == '\0') {
            complain(&said->run->progress, "where are the incidents? history.path is not set; "
                                           "name a FILE of them by --in");
            return EXIT_FAULT;
        }
        status = store_read_history(store, path, &err);
    }
    if (status == EDDY_OK)
        return EXIT_FINE;
    complain(&said->run->progress, "%s", err.message);
    return EXIT_FAULT;
}

/* ---- words ---- */

const char *said_proto(uint8_t proto, char buf[16])
{
    static const struct {
        uint8_t number;
        const char *name;
    } names[] = {{1, "icmp"}, {6, "tcp"}, {17, "udp"}, {58, "ipv6-icmp"}};
    (void)snprintf(buf, 16, "%u", (unsigned)proto);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == proto)
            (void)snprintf(buf, 16, "%s", names[i].name);
    return buf;
}

const char *said_about(const struct stored *stored, char buf[160])
{
    char port[40] = "", proto[16];
    const eddy_incident *incident = &stored->incident;
    if (incident->peer_port != 0)
        (void)snprintf(port, sizeof port, " port %u/%s", (unsigned)incident->peer_port,
                       said_proto(incident->proto, proto));
    (void)snprintf(buf, 160, "%.23s, %s%s%s%s", incident->detector, stored->host,
                   stored->peer[0] != '\0' ? " -> " : "", stored->peer, port);
    return buf;
}

void said_json(const char *text)
{
    (void)putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            (void)putchar('\\');
        (void)putchar(*text == '\t' ? ' ' : *text);
    }
    (void)putchar('"');
}

bool said_clean(const char *value)
{
    for (const unsigned char *at = (const unsigned char *)value; *at != '\0'; at++)
        if ((*at < 0x20 && *at != '\t') || *at == 0x7F ||
            (*at == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0))
            return false;
    return true;
}

bool said_expiry(const char *text, int64_t least_us, char out[32])
{
    int64_t us;
    out[0] = '\0';
    if (strcmp(text, "never") == 0)
        return true;
    if (when_parse_span(text, &us)) {
        int64_t now_us = (int64_t)time(NULL) * 1000000;
        return us > 0 && us < INT64_C(100) * 366 * 86400 * 1000000 &&
               time_text((now_us > least_us ? now_us : least_us) + us, out);
    }
    return when_parse(text, &us) && time_text(us, out);
}
