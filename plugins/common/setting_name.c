/* SPDX-License-Identifier: MIT */
/* setting_name.c - settings as other configuration languages write them: "MinGaps", "min-gaps".
 */
#include "setting_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

struct wanted {
    const char *section, *name;
    char key[128]; /* found; empty: none */
};

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* Compares up to the end of `written` and `length` bytes of `key`. */
static bool same(const char *written, const char *key, size_t length)
{
    size_t i = 0;
    for (;;) {
        while (*written == '-' || *written == '_')
            written++;
        while (i < length && key[i] == '_')
            i++;
        if (*written == '\0' || i == length)
            return *written == '\0' && i == length;
        if (lower(*written++) != key[i++])
            return false;
    }
}

bool setting_is(const char *written, const char *name)
{
    return same(written, name, strlen(name));
}

static int compare(const eddy_option *option, void *user)
{
    struct wanted *wanted = user;
    const char *dot = strchr(option->key, '.');
    if (dot == NULL || !same(wanted->section, option->key, (size_t)(dot - option->key)) ||
        !same(wanted->name, dot + 1, strlen(dot + 1)))
        return 0;
    (void)snprintf(wanted->key, sizeof wanted->key, "%s", option->key); /* gone after this call */
    return 1;
}

int setting_set(eddy_config *config, const char *section, const char *name, const char *value,
                eddy_error *err)
{
    struct wanted wanted = {.section = section, .name = name};
    if (eddy_config_options(config, compare, &wanted) == 0)
        return fault(err, EDDY_ECONFIG, "%.60s.%.60s: there is no such setting", section, name);
    return eddy_config_set(config, wanted.key, value, err);
}

static int compare_section(const eddy_option *option, void *user)
{
    return same(user, option->key, strcspn(option->key, "."));
}

bool setting_is_section(const eddy_config *config, const char *written)
{
    char copy[128]; /* the visit takes no const */
    return (size_t)snprintf(copy, sizeof copy, "%s", written) < sizeof copy &&
           eddy_config_options(config, compare_section, copy) != 0;
}

uint64_t setting_bytes(const eddy_config *config, const char *key)
{
    char *unit;
    unsigned long long value = strtoull(eddy_config_value(config, key), &unit, 10);
    const char *at = *unit != '\0' ? strchr("KMGT", *unit) : NULL;
    return at != NULL ? value << 10 * (at - "KMGT" + 1) : value;
}

int64_t setting_milliseconds(const eddy_config *config, const char *key)
{
    /* NUMBER and ms, s, m or h (us and d are out of range or odd, and read too). */
    char *unit;
    double value = strtod(eddy_config_value(config, key), &unit);
    double factor = strcmp(unit, "us") == 0   ? 0.001
                    : strcmp(unit, "ms") == 0 ? 1
                    : strcmp(unit, "m") == 0  ? 60e3
                    : strcmp(unit, "h") == 0  ? 3600e3
                    : strcmp(unit, "d") == 0  ? 86400e3
                                              : 1000;
    return (int64_t)(value * factor);
}
