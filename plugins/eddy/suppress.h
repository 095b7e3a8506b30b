/* SPDX-License-Identifier: MIT */
/* suppress.h - the parts of `eddy suppress`. */
#pragma once

#include "said.h"

#define SUPPRESS_FIELDS 10

/* What a rule matches, by name; values are borrowed or in `room`. */
struct suppress_fields {
    const char *value[SUPPRESS_FIELDS]; /* NULL: not named */
    char room[SUPPRESS_FIELDS][64];
};

struct suppress {
    struct run run;
    struct said said;
    const char *action;
    const char *from, *expires, *owner, *why, *id; /* as given, or NULL */
    const char **rules;                            /* --rule; test */
    size_t rule_count;
    const char **logs; /* --test, or the words of `test` */
    size_t log_count;
    const char **words; /* KEY=VALUE */
    size_t word_count;
    bool force, json;
};

/* Is it KEY=VALUE of a field? Else it is a file. */
bool suppress_is_field(const char *word);

/* Is it KEY=VALUE of no field, and the name of no file either? */
bool suppress_is_unknown(const char *word);

#define SUPPRESS_KEYS "detector, about, src, dst, host, port, proto, asn, country and direction"

/* Does a rule of these hold in some place only: an address, a network, a port? */
bool suppress_is_placed(const struct suppress_fields *fields);

/* The fields of the incident, then of the words, which replace those ("any" takes one away).
 * Returns an exit status; what is wrong was said. */
int suppress_fields(struct suppress *s, struct suppress_fields *out, int64_t *end_us);

/* Is the incident about what is between its host and its peer, not about the host altogether? Then
 * a rule or a mark for it names the peer. */
bool suppress_is_pair(const struct stored *stored);

/* What add --from would make of the incident, as KEY=VALUE words. They are as hostile as its
 * detector's name: nothing is quoted. */
void suppress_words(const struct stored *stored, char *out, size_t size);

/* The fields as KEY=VALUE words. */
void suppress_print(const struct suppress_fields *fields, char *out, size_t size);

/* The rule as a line, under the id that the library gives it. Returns an exit status. */
int suppress_line(struct suppress *s, const struct suppress_fields *fields, int64_t end_us,
                  struct said_line *out);

int suppress_list(struct suppress *s);
