/* SPDX-License-Identifier: MIT */
/* conf.c - eddyd's own settings, section [eddyd] of eddy.conf. */
#include "conf.h"

#include <stdlib.h>
#include <string.h>

#include "host_options.h"
#include "journal.h"
#include "say.h"
#include "setting_name.h"

static int take(const eddy_config *config, const char *key, char **out, eddy_error *err)
{
    const char *value = eddy_config_value(config, key);
    *out = strdup(value != NULL ? value : "");
    return *out != NULL ? EDDY_OK : fault(err, EDDY_ENOMEM, "out of memory");
}

/* One entry of a list. */
static int read_input(const eddy_config *config, const char *entry, bool is_log,
                      struct input_list *out, eddy_error *err)
{
    struct input_conf input;
    int status = input_parse(entry, is_log, &input, err);
    if (status < 0)
        return status;
    input.skip_existing = strcmp(eddy_config_value(config, "eddyd.existing"), "skip") == 0;
    status = take(config, "eddyd.archive", &input.archive, err);
    if (status == EDDY_OK)
        return input_list_add(out, &input, err);
    input_conf_done(&input);
    return status;
}

/* All entries of a list, which are joined by newlines. */
static int read_inputs(const eddy_config *config, const char *key, bool is_log,
                       struct input_list *out, eddy_error *err)
{
    char *list;
    char *rest;
    eddy_error why;
    int status = take(config, key, &list, err);
    if (status < 0)
        return status;
    for (char *entry = strtok_r(list, "\n", &rest); entry != NULL && status == EDDY_OK;
         entry = strtok_r(NULL, "\n", &rest))
        status = read_input(config, entry, is_log, out, &why);
    free(list);
    return status == EDDY_OK ? status : fault(err, status, "%s = %s", key, why.message);
}

static int read_conf(const eddy_config *config, struct conf *out, eddy_error *err)
{
    struct conf c = {0};
    int status = rest_conf_read(config, &c.rest, err);
    if (status == EDDY_OK)
        status = take(config, "eddyd.checkpoint", &c.checkpoint, err);
    if (status == EDDY_OK)
        status = take(config, "eddyd.flows", &c.flows, err);
    if (status == EDDY_OK)
        status = read_inputs(config, "eddyd.follow", true, &c.inputs, err);
    if (status == EDDY_OK)
        status = read_inputs(config, "eddyd.listen", false, &c.inputs, err);
    if (status < 0) {
        conf_done(&c);
        return status;
    }
    c.checkpoint_ms = setting_milliseconds(config, "eddyd.checkpoint_interval");
    *out = c;
    return EDDY_OK;
}

bool conf_follows(const struct conf *c)
{
    for (size_t i = 0; i < c->inputs.count; i++)
        if (c->inputs.items[i].is_log)
            return true;
    return false;
}

static int set_all(eddy_config *config, const struct conf_source *source, eddy_error *err)
{
    for (int i = 0; i < source->set_count; i++) {
        const char *equals = strchr(source->sets[i], '=');
        char key[128];
        size_t length = equals != NULL ? (size_t)(equals - source->sets[i]) : sizeof key;
        if (length >= sizeof key)
            return fault(err, EDDY_ECONFIG, "-s %s: not KEY=VALUE", source->sets[i]);
        memcpy(key, source->sets[i], length);
        key[length] = '\0';
        int status = eddy_config_set(config, key, equals + 1, err);
        if (status < 0)
            return status;
    }
    return EDDY_OK;
}

int conf_load(const struct conf_source *source, eddy_config **config, struct conf *out,
              eddy_error *err)
{
    eddy_config *c = eddy_config_new();
    if (c == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    int status = host_options_sensor(c, err);
    if (status == EDDY_OK && source->file != NULL)
        status = eddy_config_load(c, source->file, err);
    if (status == EDDY_OK)
        status = set_all(c, source, err);
    if (status == EDDY_OK)
        status = read_conf(c, out, err);
    if (status < 0) {
        eddy_config_free(c);
        return status;
    }
    *config = c;
    return EDDY_OK;
}

void conf_done(struct conf *c)
{
    input_list_done(&c->inputs);
    rest_conf_done(&c->rest);
    free(c->checkpoint);
    free(c->flows);
    *c = (struct conf){0};
}

int conf_check(const struct conf *c, eddy_error *err)
{
    eddy_error why;
    int status = EDDY_OK;
    for (size_t i = 0; i < c->inputs.count && status == EDDY_OK; i++)
        if (input_check(&c->inputs.items[i], &why) < 0)
            status = fault(err, EDDY_ECONFIG, "eddyd.%s = %s",
                           c->inputs.items[i].is_log ? "follow" : "listen", why.message);
    if (status == EDDY_OK)
        status = rest_conf_check(&c->rest, err);
    if (status == EDDY_OK)
        status = journal_check("eddyd.checkpoint", c->checkpoint, err);
    if (status == EDDY_OK)
        status = journal_check("eddyd.flows", c->flows, err);
    return status;
}
