/* SPDX-License-Identifier: MIT */
/* explanation.h - why: what a detector says of a row in numbers and in words. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPLANATION_REASONS 6
#define EXPLANATION_NAMES   6
#define EVIDENCE_POINTS     64

struct explained {
    const char *feature; /* static: what was measured */
    char text[128];
    double value, usual; /* usual: NAN if there is none */
    double share;        /* of the evidence; negative = it lowered the score */
};

/* A name that the sensor saw beside the flows: "sni" "updates.example.com". */
struct explained_name {
    const char *kind; /* static */
    char value[88];   /* printable ASCII */
};

/* What a person would want to see as a plot. */
struct evidence {
    const char *kind;            /* static: "gaps", "over_time", "distribution"; NULL: none */
    const char *x_name, *y_name; /* static: what the axes are, with units */
    float x[EVIDENCE_POINTS], y[EVIDENCE_POINTS];
    size_t count;
    bool grows;  /* goes on where the incident's last one of its kind ended */
    double mark; /* where on the x axis of a distribution this is; NAN if nowhere */
};

struct explanation {
    struct explained reason[EXPLANATION_REASONS];
    size_t count;
    char sentence[480];
    char technique[16]; /* MITRE ATT&CK; "": the detector's own */
    bool names_peer;    /* the row's destination is the other end of it all */
    bool names_port;    /* its destination port is the one port of it all */
    int64_t since_us;   /* when what is told of began; 0: with the row */
    struct evidence evidence;
    struct explained_name name[EXPLANATION_NAMES];
    size_t name_count;
};

/* Room for one more reason; the last one again when it is full. */
struct explained *explanation_add(struct explanation *e, const char *feature, double value,
                                  double usual, double share);

/* A copy: a model that names one may be gone before the incident is told. */
void explanation_technique(struct explanation *e, const char *technique);

/* Begins the plot; then one call for each point, of which it takes EVIDENCE_POINTS. */
void evidence_begin(struct explanation *e, const char *kind, const char *x_name,
                    const char *y_name);
void evidence_point(struct explanation *e, double x, double y);

/* A plot over time of something that grows with the incident: `value` is the point of now. The
 * incident keeps the earlier ones. */
void evidence_grow(struct explanation *e, const char *y_name, double value);

/* Puts the points of `before` in front, if the plot grows; `now_s` is the place of the new one. */
void evidence_continue(struct evidence *evidence, const struct evidence *before, double now_s);

/* Adds a name, cut to its room, if it is not there and there is room. What is not printable ASCII
 * becomes '?'. */
void explanation_name(struct explanation *e, const char *kind, const char *value);
