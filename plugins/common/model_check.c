/* SPDX-License-Identifier: MIT */
/* model_check.c - can the model files that settings name be used? An engine that has no other
 * settings says it in the library's own words. */
#include "model_check.h"

#include <stdbool.h>
#include <string.h>

#include "say.h"

struct copy {
    const eddy_config *from;
    eddy_config *to;
    eddy_error *err;
};

static bool ends_in(const char *key, const char *ending)
{
    size_t length = strlen(key), of = strlen(ending);
    return length > of && strcmp(key + length - of, ending) == 0;
}

static int copy_option(const eddy_option *option, void *user)
{
    const struct copy *c = user;
    if (!ends_in(option->key, ".model") && !ends_in(option->key, ".challenger"))
        return EDDY_OK;
    return eddy_config_set(c->to, option->key, eddy_config_value(c->from, option->key), c->err);
}

/* The fault is returned, not logged. */
static void ignore(int level, const char *message, void *user)
{
    (void)level;
    (void)message;
    (void)user;
}

int model_check(const eddy_config *config, eddy_error *err)
{
    const eddy_hooks hooks = {.size = sizeof hooks, .log = ignore};
    eddy_engine *engine = NULL;
    struct copy c = {config, eddy_config_new(), err};
    if (c.to == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    int status = eddy_config_options(config, copy_option, &c);
    if (status == EDDY_OK)
        status = eddy_config_set(c.to, "engine.thread", "off", err);
    if (status == EDDY_OK)
        status = eddy_config_set(c.to, "state.memory", "4M", err);
    if (status == EDDY_OK)
        status = eddy_engine_new(c.to, &hooks, &engine, err);
    eddy_engine_free(engine);
    eddy_config_free(c.to);
    return status;
}
