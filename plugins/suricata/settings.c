/* SPDX-License-Identifier: MIT */
/* settings.c - the `eddy:` map of an eve-log in suricata.yaml, kept as text. */
#include "settings.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host.h"
#include "host_options.h"
#include "say.h"
#include "setting_name.h"

#define OWN         "suricata" /* section of what stands directly in the map */
#define ENTRIES_MAX 1024

struct entry {
    char *section, *name, *value;
};

struct settings {
    struct entry *list;
    size_t count;
};

void settings_free(struct settings *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++) {
        free(s->list[i].section);
        free(s->list[i].name);
        free(s->list[i].value);
    }
    free(s->list);
    free(s);
}

/* Suricata has no function to walk through children. So its lists are read directly, once they are
 * found to be what abi.h says: each child is the one that Suricata itself finds by its name. */
static bool is_as_expected(const struct abi_node *node)
{
    size_t children = 0;
    for (const struct abi_node *at = node->first; at != NULL; at = at->next)
        if (++children > ENTRIES_MAX || at->name == NULL || host.child(node, at->name) != at)
            return false;
    return true;
}

static int add(struct settings *s, const char *section, const char *name, const char *value,
               eddy_error *err)
{
    struct entry *e = &s->list[s->count];
    if (s->count == ENTRIES_MAX)
        return fault(err, EDDY_ECONFIG, "the map 'eddy' has more than %d settings", ENTRIES_MAX);
    *e = (struct entry){strdup(section), strdup(name), strdup(value != NULL ? value : "")};
    s->count++;
    return e->section != NULL && e->name != NULL && e->value != NULL
               ? EDDY_OK
               : fault(err, EDDY_ENOMEM, "out of memory");
}

/* A value, or a list of them, named section.name. */
static int read_value(struct settings *s, const char *section, const struct abi_node *node,
                      eddy_error *err)
{
    if (node->first == NULL)
        return add(s, section, node->name, node->value, err);
    int status = EDDY_OK;
    for (const struct abi_node *at = node->first; status == EDDY_OK && at != NULL; at = at->next)
        status = node->is_sequence != 0 && at->first == NULL && is_as_expected(node)
                     ? add(s, section, node->name, at->value, err)
                     : fault(err, EDDY_ECONFIG, "%.60s.%.60s: neither a value nor a list of them",
                             section, node->name);
    return status;
}

static int read_map(struct settings *s, const struct abi_node *map, eddy_error *err)
{
    int status = EDDY_OK;
    if (map->is_sequence != 0 || (map->first == NULL && map->value != NULL && *map->value != '\0'))
        return fault(err, EDDY_ECONFIG,
                     "eddy: %.100s: not a map of settings, as in eddy: {config: FILE}",
                     map->value != NULL ? map->value : "a list");
    bool good = strcmp(map->name, "eddy") == 0 && is_as_expected(map);
    for (const struct abi_node *at = map->first; good && at != NULL && status == EDDY_OK;
         at = at->next) {
        good = is_as_expected(at);
        if (good && at->first == NULL)
            status = read_value(s, OWN, at, err);
        for (const struct abi_node *in = at->first; good && in != NULL && status == EDDY_OK;
             in = in->next)
            status = read_value(s, at->name, in, err);
    }
    return good ? status
                : fault(err, EDDY_ECONFIG,
                        "the map 'eddy' is not laid out as in the Suricata "
                        "versions that this plugin knows");
}

int settings_read(const struct abi_node *eve_log, struct settings **out, eddy_error *err)
{
    const struct abi_node *map = host.child(eve_log, "eddy");
    struct settings *s = calloc(1, sizeof *s);
    if (s != NULL)
        s->list = calloc(ENTRIES_MAX, sizeof *s->list);
    int status = s == NULL || s->list == NULL ? fault(err, EDDY_ENOMEM, "out of memory")
                 : map != NULL                ? read_map(s, map, err)
                                              : EDDY_OK;
    if (status < 0)
        settings_free(s);
    else
        *out = s;
    return status;
}

const char *settings_file(const struct settings *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (setting_is(s->list[i].section, OWN) && setting_is(s->list[i].name, "config"))
            return s->list[i].value;
    return "";
}

/* Also where nothing is scored: it tells where the metrics go and how often, and what is handed
 * over.
 */
static bool is_used_isolated(const struct entry *e)
{
    return setting_is(e->section, "textfile") ||
           (setting_is(e->section, "emit") && setting_is(e->name, "interval")) ||
           (setting_is(e->section, "ingest") && setting_is(e->name, "context"));
}

size_t settings_unused(const struct settings *s, char *text, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        if (!setting_is(s->list[i].section, OWN) && !is_used_isolated(&s->list[i]) && count++ == 0)
            (void)snprintf(text, size, "%s.%s", s->list[i].section, s->list[i].name);
    return count;
}

/* What YAML calls yes and true is `on` to eddy; tried where the word itself is not taken. */
static int set(eddy_config *config, const struct entry *e, eddy_error *err)
{
    static const char *const words[][2] = {
        {"yes", "on"}, {"true", "on"}, {"no", "off"}, {"false", "off"}};
    if (strcmp(e->section, OWN) == 0 && setting_is_section(config, e->name))
        return fault(err, EDDY_ECONFIG,
                     "the section '%.60s' is empty: no setting is indented below it", e->name);
    int status = setting_set(config, e->section, e->name, e->value, err);
    for (size_t i = 0; status < 0 && i < sizeof words / sizeof *words; i++)
        if (strcasecmp(e->value, words[i][0]) == 0 &&
            setting_set(config, e->section, e->name, words[i][1], NULL) == EDDY_OK)
            status = EDDY_OK;
    return status;
}

/* Where files go is known once the name is. Until then, or unless it is told: */
static const struct {
    const char *key, *until;
} placed[] = {
    {"jsonl.path", "NAME.json"}, {"textfile.path", "NAME.prom"}, {"textfile.sensor", "NAME"}};
#define PLACED (sizeof placed / sizeof *placed)

int settings_place(eddy_config *config, const char *folder, const char *name, eddy_error *err)
{
    const bool first = strcmp(name, "eddy") == 0; /* needs nothing to tell it from others */
    char values[PLACED][PATH_MAX];
    int status = EDDY_OK;
    (void)snprintf(values[0], PATH_MAX, "%s/%s.json", folder, name);
    (void)snprintf(values[1], PATH_MAX, "%s/%s.prom", folder, name);
    (void)snprintf(values[2], PATH_MAX, "%s", first ? "" : name);
    for (size_t i = 0; status == EDDY_OK && i < PLACED; i++)
        if (strcmp(eddy_config_value(config, placed[i].key), placed[i].until) == 0)
            status = eddy_config_set(config, placed[i].key, values[i], err);
    return status;
}

static int load_file(const struct settings *s, eddy_config *config, eddy_error *err)
{
    const char *file = settings_file(s);
    int status = *file != '\0' ? eddy_config_load(config, file, err) : EDDY_OK;
    if (status == EDDY_OK && *eddy_config_value(config, "suricata.config") != '\0')
        status = fault(err, EDDY_ECONFIG, "%.150s: suricata.config: only in suricata.yaml", file);
    return status;
}

int settings_config(const struct settings *s, eddy_config **out, eddy_error *err)
{
    eddy_config *config = eddy_config_new();
    if (config == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    int status = host_options_sensor(config, err);
    for (size_t i = 0; status == EDDY_OK && i < PLACED; i++)
        status = eddy_config_set(config, placed[i].key, placed[i].until, err);
    if (status == EDDY_OK)
        status = load_file(s, config, err);
    for (size_t i = 0; status == EDDY_OK && i < s->count; i++)
        status = set(config, &s->list[i], err);
    if (status < 0)
        eddy_config_free(config);
    else
        *out = config;
    return status;
}
