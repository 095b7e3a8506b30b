/* SPDX-License-Identifier: MIT */
/* setting.c - one setting: what may be written for it, and reading what was written.
 *
 * Ranges are data for parts (low and high of struct option) and text for hosts (eddy_option);
 * both end up as struct range, so that the same words mean the same everywhere. */
#include "setting.h"

#include <math.h>
#include <string.h>

struct unit {
    const char *name;
    double factor;
};

/* Largest first: the first that divides a value evenly is the one a person would write. */
static const struct unit byte_units[] = {
    {"T", 1099511627776.0}, {"G", 1073741824.0}, {"M", 1048576.0}, {"K", 1024.0}, {"", 1.0}};
static const struct unit time_units[] = {/* in microseconds */
                                         {"d", 86400e6}, {"h", 3600e6}, {"m", 60e6},
                                         {"s", 1e6},     {"ms", 1e3},   {"us", 1.0}};
#define UNIT_COUNT(units) (sizeof(units) / sizeof *(units))

static const char flag_words[] = "on|off";

struct range range_of(const struct option *option)
{
    return (struct range){.type = option->type,
                          .low = option->low,
                          .high = option->high,
                          .words = option->type == OPTION_FLAG ? flag_words : NULL};
}

/* ---- Reading values ---- */

static const struct unit *find_unit(const struct unit *units, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(units[i].name, name) == 0)
            return &units[i];
    }
    return NULL;
}

static bool parse_bytes(const char *written, uint64_t *out)
{
    uint64_t count;
    const char *rest = text_to_count(written, &count);
    if (rest == NULL)
        return false;
    const struct unit *unit = find_unit(byte_units, UNIT_COUNT(byte_units), rest);
    return unit != NULL && !__builtin_mul_overflow(count, (uint64_t)unit->factor, out);
}

static bool parse_duration(const char *written, int64_t *out)
{
    char number[32];
    size_t length = strspn(written, "0123456789.");
    const struct unit *unit = find_unit(time_units, UNIT_COUNT(time_units), written + length);
    if (unit == NULL || length >= sizeof number)
        return false;
    memcpy(number, written, length);
    number[length] = '\0';
    double count;
    if (!text_to_number(number, &count) || count * unit->factor >= 9.2e18) /* INT64_MAX us */
        return false;
    *out = (int64_t)llround(count * unit->factor);
    return true;
}

static bool is_one_of(const char *words, const char *written)
{
    size_t length = strlen(written);
    while (length > 0 && words != NULL) {
        const char *end = strchr(words, '|');
        size_t word = end != NULL ? (size_t)(end - words) : strlen(words);
        if (word == length && memcmp(words, written, length) == 0)
            return true;
        words = end != NULL ? end + 1 : NULL;
    }
    return false;
}

static bool has_control(const char *written)
{
    for (; *written != '\0'; written++) {
        if (((unsigned char)*written < 0x20 && *written != '\t') || *written == 0x7F)
            return true;
    }
    return false;
}

/* Reads by type only. Returns what was expected if it does not fit, else NULL; `size` is the value
 * in the unit of low and high. */
static const char *parse_by_type(const struct range *range, const char *written,
                                 union setting_value *out, double *size)
{
    *size = range->low; /* texts have none and are always in range */
    switch (range->type) {
    case OPTION_FLAG:
        out->flag = strcmp(written, "on") == 0;
        return is_one_of(range->words, written) ? NULL : "";
    case OPTION_NUMBER:
        if (!text_to_number(written, &out->number))
            return "not a number";
        *size = out->number;
        return NULL;
    case OPTION_COUNT: {
        const char *rest = text_to_count(written, &out->count);
        *size = rest != NULL ? (double)out->count : 0;
        return rest != NULL && *rest == '\0' ? NULL : "not a whole number";
    }
    case OPTION_BYTES:
        if (!parse_bytes(written, &out->count))
            return "not a size such as 4096, 64K, 128M or 1G";
        *size = (double)out->count;
        return NULL;
    case OPTION_DURATION:
        if (!parse_duration(written, &out->duration_us))
            return "not a duration such as 500ms, 30s, 5m, 1h or 7d";
        *size = (double)out->duration_us / 1e6;
        return NULL;
    default: /* texts and lists: one line each, for lists are joined by newlines */
        return has_control(written) ? "has a control character" : NULL;
    }
}

bool setting_parse(const struct range *range, const char *written, union setting_value *out,
                   struct text *why)
{
    union setting_value value = {0};
    double size;
    const char *problem = parse_by_type(range, written, &value, &size);
    if (problem == NULL && range->type < OPTION_TEXT && range->type != OPTION_FLAG &&
        !(size >= range->low && size <= range->high))
        problem = "";
    if (problem == NULL) {
        *out = value;
        return true;
    }
    if (*problem != '\0') {
        text_add(why, problem);
    } else {
        text_add(why, range->type == OPTION_FLAG ? "not " : "not in ");
        range_text(why, range);
    }
    return false;
}

void setting_store(const struct option *option, const union setting_value *value, const char *kept,
                   void *conf)
{
    unsigned char *field = (unsigned char *)conf + option->offset;
    switch (option->type) {
    case OPTION_FLAG:
        memcpy(field, &value->flag, sizeof value->flag);
        break;
    case OPTION_NUMBER:
        memcpy(field, &value->number, sizeof value->number);
        break;
    case OPTION_COUNT:
    case OPTION_BYTES:
        memcpy(field, &value->count, sizeof value->count);
        break;
    case OPTION_DURATION:
        memcpy(field, &value->duration_us, sizeof value->duration_us);
        break;
    default:
        memcpy(field, &kept, sizeof kept);
        break;
    }
}

/* ---- Ranges ---- */

static void add_with_unit(struct text *text, double value, const struct unit *units, size_t count)
{
    size_t i = 0;
    while (i + 1 < count && (value < units[i].factor || fmod(value, units[i].factor) != 0))
        i++;
    text_number(text, value / units[i].factor);
    text_add(text, units[i].name);
}

static void add_bound(struct text *text, enum option_type type, double bound)
{
    if (type == OPTION_DURATION && bound == 0)
        text_add(text, "0s");
    else if (type == OPTION_BYTES)
        add_with_unit(text, bound, byte_units, UNIT_COUNT(byte_units));
    else if (type == OPTION_DURATION)
        add_with_unit(text, bound * 1e6, time_units, UNIT_COUNT(time_units));
    else
        text_number(text, bound);
}

void range_text(struct text *text, const struct range *range)
{
    switch (range->type) {
    case OPTION_FLAG:
        text_add(text, range->words);
        return;
    case OPTION_TEXT:
        text_add(text, "text");
        return;
    case OPTION_LIST:
        text_add(text, "list");
        return;
    default:
        break;
    }
    add_bound(text, range->type, range->low);
    text_add(text, "..");
    add_bound(text, range->type, range->high);
    if (range->type == OPTION_COUNT)
        text_add(text, ", whole");
    else if (range->type == OPTION_BYTES)
        text_add(text, " bytes");
}

static bool parse_bound(const char *written, struct range *range, double *out)
{
    union setting_value value = {0};
    const char *problem = parse_by_type(range, written, &value, out);
    return problem == NULL;
}

/* Do both ends of "low..high" read as this type? */
static bool parse_bounds(const char *low, const char *high, enum option_type type,
                         struct range *out)
{
    struct range range = {.type = type};
    if (!parse_bound(low, &range, &range.low) || !parse_bound(high, &range, &range.high) ||
        range.low > range.high)
        return false;
    *out = range;
    return true;
}

static bool cut_end(char *words, const char *end)
{
    size_t length = strlen(words), tail = strlen(end);
    if (length < tail || strcmp(words + length - tail, end) != 0)
        return false;
    words[length - tail] = '\0';
    return true;
}

bool range_parse(const char *words, struct range *out)
{
    if (strcmp(words, "text") == 0 || strcmp(words, "path") == 0) {
        *out = (struct range){.type = OPTION_TEXT};
        return true;
    }
    if (strcmp(words, "list") == 0) {
        *out = (struct range){.type = OPTION_LIST};
        return true;
    }
    const char *dots = strstr(words, "..");
    if (dots == NULL) {
        *out = (struct range){.type = OPTION_FLAG, .words = words};
        return strchr(words, '|') != NULL;
    }
    char low[48], high[48];
    size_t length = (size_t)(dots - words);
    if (length >= sizeof low || strlen(dots + 2) >= sizeof high)
        return false;
    memcpy(low, words, length);
    low[length] = '\0';
    memcpy(high, dots + 2, strlen(dots + 2) + 1);
    if (cut_end(high, " bytes"))
        return parse_bounds(low, high, OPTION_BYTES, out);
    if (cut_end(high, ", whole"))
        return parse_bounds(low, high, OPTION_COUNT, out);
    return parse_bounds(low, high, OPTION_NUMBER, out) ||
           parse_bounds(low, high, OPTION_DURATION, out);
}
