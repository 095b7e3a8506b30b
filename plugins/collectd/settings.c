/* SPDX-License-Identifier: MIT */
/* settings.c - <Plugin eddy> of collectd.conf as settings of libeddy and as inputs. Names are
 * passed through: what the library or `[collectd]` has as a setting can be set here. */
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host_options.h"
#include "metrics.h"
#include "setting_name.h"

#define VALUE_SIZE 1024

/* The one value of `item` as text. */
static int value_of(const struct cd_config *item, char text[VALUE_SIZE], eddy_error *err)
{
    const struct cd_config_value *v = item->values;
    if (item->value_count != 1 || item->child_count != 0)
        return fault(err, EDDY_ECONFIG, "%s: takes one value", item->key);
    int length = v->type == CD_STRING ? snprintf(text, VALUE_SIZE, "%s", v->value.string)
                 : v->type == CD_BOOLEAN
                     ? snprintf(text, VALUE_SIZE, v->value.boolean ? "on" : "off")
                     : snprintf(text, VALUE_SIZE, "%.15g", v->value.number);
    return length < VALUE_SIZE ? EDDY_OK : fault(err, EDDY_ECONFIG, "%s: too long", item->key);
}

static int set(eddy_config *config, const char *section, const struct cd_config *item,
               eddy_error *err)
{
    char text[VALUE_SIZE];
    int status = value_of(item, text, err);
    return status < 0 ? status : setting_set(config, section, item->key, text, err);
}

/* ---- <Input "name"> ---- */

struct block {
    char where[VALUE_SIZE], format[VALUE_SIZE], archive[VALUE_SIZE], existing[VALUE_SIZE];
    int places; /* Follow and Listen */
    bool is_log;
};

/* What may be set once. */
static int read_once(const struct cd_config *item, char text[VALUE_SIZE], eddy_error *err)
{
    if (*text != '\0')
        return fault(err, EDDY_ECONFIG, "%s: set twice", item->key);
    return value_of(item, text, err);
}

static int read_item(const struct cd_config *item, struct block *b, eddy_error *err)
{
    bool follow = strcasecmp(item->key, "Follow") == 0;
    if (follow || strcasecmp(item->key, "Listen") == 0) {
        b->is_log = follow;
        b->places++;
        return value_of(item, b->where, err);
    }
    if (strcasecmp(item->key, "Format") == 0)
        return read_once(item, b->format, err);
    if (strcasecmp(item->key, "Existing") == 0)
        return read_once(item, b->existing, err);
    if (strcasecmp(item->key, "Archive") != 0)
        return fault(err, EDDY_ECONFIG, "%s: there is no such setting", item->key);
    size_t used = strlen(b->archive); /* directories add up, joined by newlines */
    char more[VALUE_SIZE];
    int status = value_of(item, more, err);
    if (status < 0 || strlen(more) + used + 2 > VALUE_SIZE)
        return status < 0 ? status : fault(err, EDDY_ECONFIG, "Archive: too long");
    (void)snprintf(b->archive + used, VALUE_SIZE - used, "%s%s", used > 0 ? "\n" : "", more);
    return EDDY_OK;
}

static int check_block(const char *name, const struct block *b, eddy_error *err)
{
    bool skip = strcmp(b->existing, "skip") == 0;
    if (!input_name_good(name) || strcmp(name, METRICS_ALL) == 0)
        return fault(err, EDDY_ECONFIG,
                     "a name has 1 to %d letters, digits, '-', '_' and '.', and is not '%s'",
                     INPUT_NAME_MAX, METRICS_ALL);
    if (b->places != 1)
        return fault(err, EDDY_ECONFIG, "needs one Follow or one Listen");
    if (*b->format != '\0' && input_format(b->format, strlen(b->format)) == NULL)
        return fault(err, EDDY_ECONFIG, "Format '%.60s': not eve, zeek-json or zeek-tsv",
                     b->format);
    if (*b->existing != '\0' && !skip && strcmp(b->existing, "read") != 0)
        return fault(err, EDDY_ECONFIG, "Existing '%.60s': not read or skip", b->existing);
    if (!b->is_log && (*b->archive != '\0' || *b->existing != '\0'))
        return fault(err, EDDY_ECONFIG, "Archive and Existing are for Follow");
    return EDDY_OK;
}

/* As eddyd reads it: NAME=FORMAT:PLACE. */
static int read_block(const char *name, const struct cd_config *item, struct input_conf *out,
                      eddy_error *err)
{
    struct block b = {0};
    char entry[3 * VALUE_SIZE];
    int status = EDDY_OK;
    for (int i = 0; i < item->child_count && status == EDDY_OK; i++)
        status = read_item(&item->children[i], &b, err);
    if (status == EDDY_OK)
        status = check_block(name, &b, err);
    if (status < 0)
        return status;
    (void)snprintf(entry, sizeof entry, "%s=%s%s%s", name, b.format, *b.format != '\0' ? ":" : "",
                   b.where);
    struct input_conf c;
    status = input_parse(entry, b.is_log, &c, err);
    if (status < 0)
        return status;
    c.skip_existing = strcmp(b.existing, "skip") == 0;
    c.archive = strdup(b.archive);
    status = c.archive != NULL ? input_check(&c, err) : fault(err, EDDY_ENOMEM, "out of memory");
    if (status < 0)
        input_conf_done(&c);
    else
        *out = c;
    return status;
}

static int read_input(const struct cd_config *item, struct input_list *list, eddy_error *err)
{
    const char *name =
        item->value_count == 1 && item->values->type == CD_STRING ? item->values->value.string : "";
    struct input_conf input;
    eddy_error why;
    int status = read_block(name, item, &input, &why);
    if (status == EDDY_OK)
        status = input_list_add(list, &input, &why);
    return status == EDDY_OK ? status : fault(err, status, "<Input \"%s\">: %s", name, why.message);
}

/* ---- all of it ---- */

/* A section of eddy.conf. Those of other programs are for their own configuration. */
static int read_section(const struct cd_config *item, eddy_config *config, eddy_error *err)
{
    int status = EDDY_OK;
    if (item->value_count > 0)
        return fault(err, EDDY_ECONFIG, "takes no name");
    if (!setting_is_section(config, item->key))
        return fault(err, EDDY_ECONFIG, "there is no such section");
    if (setting_is(item->key, "eddyd") || setting_is(item->key, "rest") ||
        setting_is(item->key, "suricata"))
        return fault(err, EDDY_ECONFIG, "is of no use in collectd; logs and sockets are <Input>s");
    for (int i = 0; i < item->child_count && status == EDDY_OK; i++)
        status = set(config, item->key, &item->children[i], err);
    return status;
}

/* A statement of <Plugin eddy>. Empty blocks without a name are not seen: the parser drops them. */
static int read_statement(const struct cd_config *item, struct settings *s, eddy_error *err)
{
    eddy_error why;
    if (strcasecmp(item->key, "Config") == 0)
        return EDDY_OK; /* was read before */
    if (strcasecmp(item->key, "Input") == 0)
        return read_input(item, &s->inputs, err);
    if (item->child_count == 0 && item->value_count > 0)
        return set(s->config, "collectd", item, err);
    int status = read_section(item, s->config, &why);
    return status == EDDY_OK ? status : fault(err, status, "<%s>: %s", item->key, why.message);
}

static int find_file(const struct cd_config *item, struct settings *s, eddy_error *err)
{
    const struct cd_config_value *v = item->values;
    if (strcasecmp(item->key, "Config") != 0)
        return EDDY_OK;
    if (item->value_count != 1 || v->type != CD_STRING || *v->value.string == '\0')
        return fault(err, EDDY_ECONFIG, "Config: takes the name of a file");
    if (s->file != NULL)
        return fault(err, EDDY_ECONFIG, "Config: set twice");
    s->file = v->value.string;
    return EDDY_OK;
}

typedef int statement_fn(const struct cd_config *item, struct settings *s, eddy_error *err);

static int each_statement(struct cd_config *const *blocks, size_t count, statement_fn *each,
                          struct settings *s, eddy_error *err)
{
    int status = EDDY_OK;
    for (size_t b = 0; b < count; b++)
        for (int i = 0; i < blocks[b]->child_count && status == EDDY_OK; i++)
            status = each(&blocks[b]->children[i], s, err);
    return status;
}

int settings_read(struct cd_config *const *blocks, size_t count, struct settings *out,
                  eddy_error *err)
{
    struct settings s = {.config = eddy_config_new()};
    if (s.config == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    int status = host_options_sensor(s.config, err);
    if (status == EDDY_OK)
        status = each_statement(blocks, count, find_file, &s, err);
    if (status == EDDY_OK && s.file != NULL)
        status = eddy_config_load(s.config, s.file, err);
    if (status == EDDY_OK)
        status = each_statement(blocks, count, read_statement, &s, err);
    if (status < 0)
        settings_done(&s);
    else
        *out = s;
    return status;
}

bool settings_lose_inputs(const struct settings *s)
{
    return *eddy_config_value(s->config, "eddyd.follow") != '\0' ||
           *eddy_config_value(s->config, "eddyd.listen") != '\0';
}

void settings_done(struct settings *s)
{
    eddy_config_free(s->config);
    input_list_done(&s->inputs);
    *s = (struct settings){0};
}
