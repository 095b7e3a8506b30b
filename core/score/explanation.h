/* SPDX-License-Identifier: MIT */
/* explanation.h - why: what a detector says of a row in numbers and in words. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPLANATION_REASONS 6

struct explained {
    const char *feature; /* static: what was measured */
    char text[128];
    double value, usual; /* usual: NAN if there is none */
    double share;        /* of the evidence; negative = it lowered the score */
};

struct explanation {
    struct explained reason[EXPLANATION_REASONS];
    size_t count;
    char sentence[480];
    bool names_peer;  /* the row's destination is the other end of it all */
    bool names_port;  /* its destination port is the one port of it all */
    int64_t since_us; /* when what is told of began; 0: with the row */
};

/* Room for one more reason; the last one again when it is full. */
struct explained *explanation_add(struct explanation *e, const char *feature, double value,
                                  double usual, double share);
