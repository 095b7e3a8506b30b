/* SPDX-License-Identifier: MIT */
/* budget.c - how many incidents a day, and which: a closed loop. */
#include "decide/budget.h"

#include <math.h>

#define DAY_US 86400e6

/* Half a day's number, but room for one however small the budget. */
static double capacity(const struct budget_conf *conf)
{
    return fmax(1.0, conf->per_day / 2.0);
}

static void refill(struct budget *b, const struct budget_conf *conf, int64_t now_us)
{
    double full = capacity(conf);
    if (b->last_us == 0)
        b->tokens = full;
    else if (now_us > b->last_us)
        b->tokens += (double)(now_us - b->last_us) / DAY_US * conf->per_day / 2.0;
    b->tokens = fmin(b->tokens, full);
    bool given_up = now_us < b->last_us - (int64_t)DAY_US; /* time was set back: see watermark.h */
    if (now_us > b->last_us || given_up)
        b->last_us = now_us;
}

bool budget_take(struct budget *b, const struct budget_conf *conf, double p, int64_t now_us)
{
    if (conf->per_day <= 0.0)
        return false;
    refill(b, conf, now_us);
    double full = capacity(conf), reserve = full >= 4.0 ? full / 4.0 : 0.0;
    double needed = p <= conf->extreme ? 1.0 : 1.0 + reserve;
    double limit = conf->p * pow(10.0, -4.0 * (1.0 - b->tokens / full));
    if (b->tokens < needed || (p > limit && p > conf->extreme))
        return false;
    b->tokens -= 1.0;
    return true;
}

double budget_left(const struct budget *b, const struct budget_conf *conf)
{
    return b->last_us == 0 ? capacity(conf) : b->tokens;
}
