/* SPDX-License-Identifier: MIT */
/* settings.c - the `eddy:` map of an eve-log in suricata.yaml, kept as text. */
#include "settings.h"

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
        if (strcmp(s->list[i].section, OWN) == 0 && strcasecmp(s->list[i].name, "config") == 0)
            return s->list[i].value;
    return "";
}

size_t settings_of_library(const struct settings *s, char *text, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->list[i].section, OWN) != 0 && count++ == 0)
            (void)snprintf(text, size, "%s.%s", s->list[i].section, s->list[i].name);
    return count;
}

/* What YAML calls yes and true is `on` to eddy; tried where the word itself is not taken. */
static int set(eddy_config *config, const struct entry *e, eddy_error *err)
{
    static const char *const words[][2] = {
        {"yes", "on"}, {"true", "on"}, {"no", "off"}, {"false", "off"}};
    int status = setting_set(config, e->section, e->name, e->value, err);
    for (size_t i = 0; status < 0 && i < sizeof words / sizeof *words; i++)
        if (strcasecmp(e->value, words[i][0]) == 0 &&
            setting_set(config, e->section, e->name, words[i][1], NULL) == EDDY_OK)
            status = EDDY_OK;
    return status;
}

int settings_config(const struct settings *s, const char *jsonl, const char *textfile,
                    eddy_config **out, eddy_error *err)
{
    eddy_config *config = eddy_config_new();
    if (config == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    int status = host_options_declare(config, err);
    if (status == EDDY_OK && jsonl != NULL)
        status = eddy_config_set(config, "jsonl.path", jsonl, err);
    if (status == EDDY_OK && textfile != NULL)
        status = eddy_config_set(config, "textfile.path", textfile, err);
    if (status == EDDY_OK && *settings_file(s) != '\0')
        status = eddy_config_load(config, settings_file(s), err);
    for (size_t i = 0; status == EDDY_OK && i < s->count; i++)
        status = set(config, &s->list[i], err);
    if (status < 0)
        eddy_config_free(config);
    else
        *out = config;
    return status;
}
