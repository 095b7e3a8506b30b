/* SPDX-License-Identifier: MIT */
/* looks.h - how many windows of hosts are looked at in a day: the chances that chance has.
 *
 * If p is right, n looks bring n p incidents by chance. So a limit on p that suits an office of a
 * hundred hosts would give an Internet provider hundreds a day, and one that suits the provider
 * would blind the office. The limit is what a number of false alarms a day, divided by the looks
 * a day, allows (the per-family error rate of Bonferroni's correction, Tukey 1953), with a
 * ceiling for the smallest networks, where p is not that exact. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Zeroed at birth. Old looks fade with a time constant of a day of event time. */
struct looks {
    double faded;
    int64_t since_us, last_us;
    bool begun;
};

/* A window of a host has begun. */
void looks_add(struct looks *looks, int64_t now_us);

/* Looks in a day at the present rate; taken over at least ten minutes, as hosts begin together. */
double looks_per_day(const struct looks *looks);

/* The p that so many false alarms a day allow, at most `ceiling`, but no less than a thousandth of
 * it: whoever makes up sources makes looks. */
double looks_limit(const struct looks *looks, double false_per_day, double ceiling);
