/* SPDX-License-Identifier: MIT */
/* setting.h - one setting: what may be written for it, and reading what was written. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "part.h"
#include "util/text.h"

/* What may be written. */
struct range {
    enum option_type type;
    double low, high;  /* as in struct option */
    const char *words; /* "on|off" or a host's "tcp|udp"; NULL for other types */
};

/* What was written. Texts and lists stay text. */
union setting_value {
    bool flag;
    double number;
    uint64_t count; /* also bytes */
    int64_t duration_us;
};

struct range range_of(const struct option *option);

/* Reads a range as range_text writes it: "on|off", "0..1", "1..65535, whole", "4K..16M bytes",
 * "1s..7d", "text", "path", "list". False if it is none of these. */
bool range_parse(const char *words, struct range *out);

/* Writes the range for a person. */
void range_text(struct text *text, const struct range *range);

/* Reads `written` strictly. False if it is not in the range; `why` then says what was expected,
 * as the end of "beacon.min_flows = '9': ". */
bool setting_parse(const struct range *range, const char *written, union setting_value *out,
                   struct text *why);

/* Puts the value into the part's conf struct. `kept` is the text as stored by the caller, to which
 * texts and lists will point. */
void setting_store(const struct option *option, const union setting_value *value, const char *kept,
                   void *conf);
