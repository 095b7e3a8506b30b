/* SPDX-License-Identifier: MIT */
/* eddy_plugin.c - the callbacks of collectd. Nothing here ever fails collectd: where we can't work
 * we say why, show config_ok 0, and leave it running. */
#include <syslog.h>

#include "clock.h"
#include "metrics.h"
#include "scorer.h"

#define BLOCKS_MAX 16 /* <Plugin eddy> may come in several files */
#define SLOW_NS    1000000

/* collectd's callbacks have no argument to find this by. Configuration, init and shutdown come from
 * its main thread; the read callback from one thread at a time, and not after shutdown has begun. A
 * flush comes from any thread at any time after init: collectd drops its callback only when all
 * plugins are shut down. */
static struct {
    struct cd_config *blocks[BLOCKS_MAX];
    size_t block_count;
    struct settings settings;
    pthread_mutex_t lock;  /* for `scorer`; held for some instructions only */
    struct scorer *scorer; /* NULL: off */
    unsigned long slow;    /* reads that took over SLOW_NS; the read callback's own */
} plugin = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void line(int level, const char *message, void *user)
{
    (void)user;
    plugin_log(level < LOG_ERR ? LOG_ERR : level, "eddy plugin: %s", message);
}

static const struct say log_to = {.line = line};

/* Called for each <Plugin eddy>, before collectd forks: only kept here. */
static int on_config(struct cd_config *block)
{
    struct cd_config *copy = plugin.block_count < BLOCKS_MAX ? oconfig_clone(block) : NULL;
    if (copy != NULL)
        plugin.blocks[plugin.block_count++] = copy;
    else
        say(&log_to, LOG_ERR, "<Plugin eddy>: out of memory, or over %d blocks", BLOCKS_MAX);
    return 0; /* anything else stops collectd */
}

static struct scorer *exchange_scorer(struct scorer *new)
{
    (void)pthread_mutex_lock(
        &plugin.lock); /* a normal mutex, locked by its own rules: can't fail */
    struct scorer *before = plugin.scorer;
    plugin.scorer = new;
    (void)pthread_mutex_unlock(&plugin.lock);
    return before;
}

static int start(eddy_error *err)
{
    struct scorer *scorer;
    int status = settings_read(plugin.blocks, plugin.block_count, &plugin.settings, err);
    if (status < 0)
        return status;
    struct scorer_options options = {.blocks = plugin.blocks,
                                     .block_count = plugin.block_count,
                                     .settings = &plugin.settings,
                                     .say = &log_to};
    if (plugin.settings.inputs.count == 0)
        return fault(err, EDDY_ECONFIG, "nothing to read: there is no <Input>");
    if (settings_lose_inputs(&plugin.settings))
        say(&log_to, LOG_WARNING,
            "%s: follow and listen of [eddyd] are not read here, only <Input>s of collectd.conf",
            plugin.settings.file);
    status = scorer_new(&options, &scorer, err);
    if (status == EDDY_OK)
        (void)exchange_scorer(scorer); /* there was none */
    return status;
}

static int on_init(void)
{
    eddy_error err;
    if (plugin.scorer != NULL)
        return 0;
    if (start(&err) < 0)
        say(&log_to, LOG_ERR, "<Plugin eddy>: %s; eddy is off, collectd runs on", err.message);
    else
        say(&log_to, LOG_NOTICE, "eddy %s, %zu inputs", eddy_version(),
            plugin.settings.inputs.count);
    return 0; /* an error would take our read callback away, and with it config_ok */
}

static int on_read(struct cd_user_data *user)
{
    int64_t begin = clock_ns();
    (void)user;
    (void)pthread_mutex_lock(&plugin.lock); /* as above */
    bool off = plugin.scorer == NULL;
    if (!off)
        scorer_show(plugin.scorer, plugin.slow);
    (void)pthread_mutex_unlock(&plugin.lock);
    if (off)
        metrics_own(OWN_CONFIG_OK, "", 0);
    if (clock_ns() - begin > SLOW_NS)
        plugin.slow++;
    return 0; /* an error would double our interval */
}

static int on_flush(cd_time timeout, const char *identifier, struct cd_user_data *user)
{
    (void)timeout;
    (void)identifier;
    (void)user;
    (void)pthread_mutex_lock(&plugin.lock); /* as above */
    if (plugin.scorer != NULL)
        scorer_flush(plugin.scorer);
    (void)pthread_mutex_unlock(&plugin.lock);
    return 0;
}

static int on_shutdown(void)
{
    if (!scorer_free(exchange_scorer(NULL))) /* a flush that comes now finds none */
        return 0;                            /* what it hangs with uses the rest */
    settings_done(&plugin.settings);
    while (plugin.block_count > 0)
        oconfig_free(plugin.blocks[--plugin.block_count]);
    return 0;
}

__attribute__((visibility("default"))) void module_register(void);

void module_register(void)
{
    /* A failure was logged by collectd, which is out of memory then. */
    metrics_register();
    (void)plugin_register_complex_config("eddy", on_config);
    (void)plugin_register_init("eddy", on_init);
    (void)plugin_register_complex_read(NULL, "eddy", on_read, 0, NULL);
    (void)plugin_register_flush("eddy", on_flush, NULL);
    (void)plugin_register_shutdown("eddy", on_shutdown);
}
