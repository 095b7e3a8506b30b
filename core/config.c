/* SPDX-License-Identifier: MIT */
/* config.c - every setting of every part: as text, and as the part's conf struct.
 *
 * Settings are one array in the order of eddy.conf: the steps, the parts in the order of
 * parts.def, then what the host has declared. Each part's conf struct is rebuilt field by field as
 * its settings are set, so reading it costs nothing. */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "setting.h"
#include "util/error.h"

#define KEY_SIZE   128
#define VALUE_SIZE 65536 /* of a list with all its entries */

struct section {
    const struct part *part;
    void *conf; /* part->conf_size bytes */
};

struct setting {
    const struct section *section;  /* NULL for a host's */
    const struct option *option;    /* NULL for a host's */
    const eddy_option *declaration; /* NULL for a part's; kept */
    char *written;                  /* NULL: never set */
};

struct eddy_config {
    struct section *sections;
    size_t section_count;
    struct setting *settings;
    size_t setting_count;
};

/* ---- Parts ---- */

typedef int part_fn(const struct part *part, void *user);

static int each_part(part_fn *each, void *user)
{
    int status = 0;
    for (size_t i = 0; status == 0 && registry_steps[i] != NULL; i++)
        status = each(registry_steps[i], user);
    for (size_t i = 0; status == 0 && registry_inputs[i] != NULL; i++)
        status = each(&registry_inputs[i]->part, user);
    for (size_t i = 0; status == 0 && registry_detectors[i] != NULL; i++)
        status = each(&registry_detectors[i]->part, user);
    for (size_t i = 0; status == 0 && registry_outputs[i] != NULL; i++)
        status = each(&registry_outputs[i]->part, user);
    return status;
}

static bool has_options(const struct part *part)
{
    return part->conf_size > 0 && part->options != NULL;
}

static int count_part(const struct part *part, void *user)
{
    eddy_config *counts = user;
    if (!has_options(part))
        return 0;
    counts->section_count++;
    for (const struct option *o = part->options; o->type != OPTION_END; o++)
        counts->setting_count++;
    return 0;
}

/* Adds the part with its initial values. There is room: count_part has counted it. */
static int add_part(const struct part *part, void *user)
{
    eddy_config *config = user;
    if (!has_options(part))
        return 0;
    struct section *section = &config->sections[config->section_count];
    section->conf = calloc(1, part->conf_size);
    if (section->conf == NULL)
        return EDDY_ENOMEM;
    section->part = part;
    config->section_count++;
    for (const struct option *o = part->options; o->type != OPTION_END; o++) {
        struct range range = range_of(o);
        union setting_value value = {0};
        struct text why = text_over(NULL, 0);
        bool good = o->type == OPTION_LIST /* has newlines */ ||
                    setting_parse(&range, o->initial, &value, &why);
        assert(good); /* an initial value that its own range forbids is our bug */
        (void)good;
        setting_store(o, &value, o->initial, section->conf);
        config->settings[config->setting_count++] =
            (struct setting){.section = section, .option = o};
    }
    return 0;
}

eddy_config *eddy_config_new(void)
{
    eddy_config counts = {0};
    (void)each_part(count_part, &counts);
    eddy_config *config = calloc(1, sizeof *config);
    if (config == NULL)
        return NULL;
    config->sections = calloc(counts.section_count + 1, sizeof *config->sections);
    config->settings = calloc(counts.setting_count + 1, sizeof *config->settings);
    if (config->sections == NULL || config->settings == NULL || each_part(add_part, config) != 0) {
        eddy_config_free(config);
        return NULL;
    }
    return config;
}

void eddy_config_free(eddy_config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->setting_count; i++)
        free(config->settings[i].written);
    for (size_t i = 0; i < config->section_count; i++)
        free(config->sections[i].conf);
    free(config->settings);
    free(config->sections);
    free(config);
}

const void *config_part(const eddy_config *config, const struct part *part)
{
    for (size_t i = 0; i < config->section_count; i++) {
        if (config->sections[i].part == part)
            return config->sections[i].conf;
    }
    return NULL;
}

/* ---- One setting ---- */

static void add_key(struct text *text, const struct setting *setting)
{
    if (setting->declaration != NULL) {
        text_add(text, setting->declaration->key);
        return;
    }
    text_add(text, setting->section->part->name);
    text_char(text, '.');
    text_add(text, setting->option->name);
}

static const char *initial_of(const struct setting *setting)
{
    return setting->declaration != NULL ? setting->declaration->initial : setting->option->initial;
}

static struct range range_of_setting(const struct setting *setting)
{
    if (setting->option != NULL)
        return range_of(setting->option);
    struct range range = {0};
    (void)range_parse(setting->declaration->range, &range); /* checked when it was declared */
    return range;
}

static struct setting *find_setting(const eddy_config *config, const char *key)
{
    for (size_t i = 0; i < config->setting_count; i++) {
        char name[KEY_SIZE];
        struct text text = text_over(name, sizeof name);
        add_key(&text, &config->settings[i]);
        if (text_fits(&text) && strcmp(name, key) == 0)
            return &config->settings[i];
    }
    return NULL;
}

bool config_find(const eddy_config *config, const char *key, size_t *place, bool *is_list)
{
    const struct setting *setting = find_setting(config, key);
    if (setting == NULL)
        return false;
    *place = (size_t)(setting - config->settings);
    *is_list = range_of_setting(setting).type == OPTION_LIST;
    return true;
}

size_t config_count(const eddy_config *config)
{
    return config->setting_count;
}

const char *eddy_config_value(const eddy_config *config, const char *key)
{
    const struct setting *setting = find_setting(config, key);
    if (setting == NULL)
        return NULL;
    return setting->written != NULL ? setting->written : initial_of(setting);
}

/* What is stored when `value` is set: the value, or the list it is added to. An empty value empties
 * a list; the first entry replaces the initial ones. */
static char *join(const struct setting *setting, enum option_type type, const char *value)
{
    const char *before = setting->written;
    if (type != OPTION_LIST || before == NULL || *before == '\0' || *value == '\0')
        return strdup(value);
    size_t size = strlen(before) + strlen(value) + 2; /* a newline and the NUL */
    char *joined = malloc(size);
    if (joined == NULL)
        return NULL;
    struct text text = text_over(joined, size);
    text_add(&text, before);
    text_char(&text, '\n');
    text_add(&text, value);
    return joined;
}

/* Puts `written` (given) in the place of what was there. */
static void replace(struct setting *setting, const union setting_value *value, char *written)
{
    free(setting->written);
    setting->written = written;
    if (setting->option != NULL)
        setting_store(setting->option, value, written, setting->section->conf);
}

static int set(struct setting *setting, const char *key, const char *value, eddy_error *err)
{
    struct range range = range_of_setting(setting);
    union setting_value parsed = {0};
    char expected[160];
    struct text why = text_over(expected, sizeof expected);
    if (!setting_parse(&range, value, &parsed, &why))
        return error_set(err, EDDY_ECONFIG, "%s = '%.60s': %s", key, value, expected);
    size_t before = setting->written != NULL ? strlen(setting->written) : 0;
    if (strlen(value) >= VALUE_SIZE ||
        (range.type == OPTION_LIST && before + strlen(value) >= VALUE_SIZE))
        return error_set(err, EDDY_ECONFIG, "%s: more than %d bytes", key, VALUE_SIZE);
    char *written = join(setting, range.type, value);
    if (written == NULL)
        return error_nomem(err);
    replace(setting, &parsed, written);
    return EDDY_OK;
}

/* ---- Unknown settings ---- */

#define NEAR_SIZE 40

/* Levenshtein's distance, for words under NEAR_SIZE bytes; else as far as can be. */
static size_t distance(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    size_t row[NEAR_SIZE];
    if (a_length >= NEAR_SIZE || b_length >= NEAR_SIZE)
        return NEAR_SIZE;
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b_length];
}

/* Adds the setting of this key's section, all of them if there is no near match. */
static int unknown_setting(const eddy_config *config, const char *key, eddy_error *err)
{
    char near[KEY_SIZE] = "", known[160];
    struct text list = text_over(known, sizeof known);
    const char *dot = strchr(key, '.');
    size_t section = dot != NULL ? (size_t)(dot - key) + 1 : 0; /* with its dot */
    size_t best = 4;                                            /* further is no likely slip */
    for (size_t i = 0; i < config->setting_count; i++) {
        char name[KEY_SIZE];
        struct text text = text_over(name, sizeof name);
        add_key(&text, &config->settings[i]);
        size_t far = distance(key, name);
        if (far < best) {
            best = far;
            memcpy(near, name, sizeof near);
        }
        if (section > 0 && strncmp(name, key, section) == 0)
            text_format(&list, "%s%s", list.length > 0 ? ", " : "", name + section);
    }
    if (near[0] != '\0')
        return error_set(err, EDDY_ECONFIG, "%.60s: no such setting; did you mean %s?", key, near);
    if (list.length > 0)
        return error_set(err, EDDY_ECONFIG, "%.60s: no such setting; known in [%.*s]: %s", key,
                         (int)section - 1, key, known);
    return error_set(err, EDDY_ECONFIG, "%.60s: no such setting; see `eddy options`", key);
}

int eddy_config_set(eddy_config *config, const char *key, const char *value, eddy_error *err)
{
    struct setting *setting = find_setting(config, key);
    if (setting == NULL)
        return unknown_setting(config, key, err);
    return set(setting, key, value, err);
}

/* ---- A host's own settings ---- */

static int check_declaration(const eddy_config *config, const eddy_option *option, eddy_error *err)
{
    struct range range = {0};
    union setting_value value;
    char expected[160];
    struct text why = text_over(expected, sizeof expected);
    const char *dot = strchr(option->key, '.');
    if (dot == NULL || dot == option->key || dot[1] == '\0' || strlen(option->key) >= KEY_SIZE)
        return error_set(err, EDDY_EUSAGE, "%.60s: a key is section.name", option->key);
    if (find_setting(config, option->key) != NULL)
        return error_set(err, EDDY_EUSAGE, "%s: there is such a setting already", option->key);
    if (!range_parse(option->range, &range))
        return error_set(err, EDDY_EUSAGE, "%s: can't read the range '%.60s'", option->key,
                         option->range);
    if (*option->initial != '\0' && !setting_parse(&range, option->initial, &value, &why))
        return error_set(err, EDDY_EUSAGE, "%s = '%.60s': %s", option->key, option->initial,
                         expected);
    return EDDY_OK;
}

int eddy_config_declare(eddy_config *config, const eddy_option *options, size_t count,
                        eddy_error *err)
{
    size_t room;
    if (__builtin_add_overflow(config->setting_count, count, &room) ||
        __builtin_mul_overflow(room, sizeof *config->settings, &room))
        return error_nomem(err);
    struct setting *settings = realloc(config->settings, room + sizeof *settings);
    if (settings == NULL)
        return error_nomem(err);
    config->settings = settings;
    size_t before = config->setting_count;
    for (size_t i = 0; i < count; i++) {
        int status = check_declaration(config, &options[i], err); /* also against each other */
        if (status != EDDY_OK) {
            config->setting_count = before;
            return status;
        }
        settings[config->setting_count++] = (struct setting){.declaration = &options[i]};
    }
    return EDDY_OK;
}

int eddy_config_options(const eddy_config *config, eddy_option_fn *each, void *user)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < config->setting_count; i++) {
        const struct setting *setting = &config->settings[i];
        if (setting->declaration != NULL) {
            status = each(setting->declaration, user);
            continue;
        }
        char key[KEY_SIZE], range[96];
        struct text key_text = text_over(key, sizeof key), text = text_over(range, sizeof range);
        struct range r = range_of(setting->option);
        add_key(&key_text, setting);
        range_text(&text, &r);
        status = each(&(eddy_option){.key = key,
                                     .initial = setting->option->initial,
                                     .range = range,
                                     .help = setting->option->help,
                                     .section = setting->section->part->help},
                      user);
    }
    return status;
}

/* ---- Copies ---- */

/* Sets in `to` what is set in `from`; `to` has at least the settings of `from`, in its order. */
static int copy_settings(const eddy_config *from, eddy_config *to)
{
    for (size_t i = 0; i < from->setting_count && i < to->setting_count; i++) {
        const struct setting *setting = &from->settings[i];
        if (setting->written == NULL)
            continue;
        struct range range = range_of_setting(setting);
        union setting_value value = {0};
        if (range.type != OPTION_LIST) { /* a list is text and was checked entry by entry */
            struct text why = text_over(NULL, 0);
            (void)setting_parse(&range, setting->written, &value, &why); /* it was good before */
        }
        char *written = strdup(setting->written);
        if (written == NULL)
            return EDDY_ENOMEM;
        replace(&to->settings[i], &value, written);
    }
    return EDDY_OK;
}

/* Gives a new config the declarations of `from`. */
static int copy_declarations(const eddy_config *from, eddy_config *to)
{
    for (size_t i = to->setting_count; i < from->setting_count; i++) {
        int status = eddy_config_declare(to, from->settings[i].declaration, 1, NULL);
        if (status != EDDY_OK)
            return status;
    }
    return EDDY_OK;
}

static int copy(const eddy_config *from, bool with_declarations, eddy_config **out)
{
    eddy_config *to = eddy_config_new();
    if (to == NULL)
        return EDDY_ENOMEM;
    if ((with_declarations && copy_declarations(from, to) != EDDY_OK) ||
        copy_settings(from, to) != EDDY_OK) {
        eddy_config_free(to);
        return EDDY_ENOMEM;
    }
    *out = to;
    return EDDY_OK;
}

int config_copy(const eddy_config *from, eddy_config **out)
{
    return copy(from, false, out);
}

int config_copy_all(const eddy_config *from, eddy_config **out)
{
    return copy(from, true, out);
}

void config_swap(eddy_config *a, eddy_config *b)
{
    eddy_config keep = *a;
    *a = *b;
    *b = keep;
}
