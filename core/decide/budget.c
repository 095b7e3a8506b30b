/* SPDX-License-Identifier: MIT */
/* budget.c - how many incidents a day, and which: a closed loop. */
#include "decide/budget.h"

#include <math.h>
#include <stdlib.h>

#define DAY_US (86400 * INT64_C(1000000))

/* Within 24 hours, on either side: a clock that was set back must not open the gates. */
static bool counts(const struct budget_asked *asked, int64_t now_us)
{
    return asked->used && llabs(now_us - asked->at_us) < DAY_US;
}

static size_t spent(const struct budget *b, int64_t now_us)
{
    size_t sent = 0;
    for (size_t i = 0; i < BUDGET_MOST; i++)
        sent += b->asked[i].sent && counts(&b->asked[i], now_us);
    return sent;
}

/* Its own entry, a free one, or that of the least unusual that was not sent; NULL if all others
 * matter more. */
static struct budget_asked *entry_of(struct budget *b, uint64_t key, float score, int64_t now_us)
{
    struct budget_asked *found = NULL;
    for (size_t i = 0; i < BUDGET_MOST; i++) {
        struct budget_asked *asked = &b->asked[i];
        if (!counts(asked, now_us))
            *asked = (struct budget_asked){0};
        if (asked->key == key && asked->used)
            return asked;
        if (asked->sent || (found != NULL && !found->used))
            continue;
        if (!asked->used ||
            (asked->score < score && (found == NULL || asked->score < found->score)))
            found = asked;
    }
    return found;
}

static size_t more_unusual(const struct budget *b, float score)
{
    size_t count = 0;
    for (size_t i = 0; i < BUDGET_MOST; i++)
        count += b->asked[i].used && b->asked[i].score > score;
    return count;
}

/* The p that is needed when so many have been sent. */
static double limit_of(const struct budget_conf *conf, size_t sent)
{
    double share = (double)sent / (double)conf->per_day;
    double beyond = fmin(1.0, fmax(0.0, (share - 0.5) / 0.25));
    return share >= 0.75 && conf->per_day >= 4 ? conf->extreme
                                               : conf->p * pow(conf->extreme / conf->p, beyond);
}

bool budget_take(struct budget *b, const struct budget_conf *conf, uint64_t key, double p,
                 int64_t now_us)
{
    if (conf->per_day == 0)
        return false;
    float score = (float)-log10(fmax(p, 1e-300));
    struct budget_asked *asked = entry_of(b, key, score, now_us);
    if (asked == NULL)
        return false;
    if (!asked->used || asked->key != key)
        *asked = (struct budget_asked){.key = key, .at_us = now_us, .used = true};
    asked->score = fmaxf(asked->score, score);
    size_t sent = spent(b, now_us);
    if (sent >= conf->per_day || more_unusual(b, asked->score) >= conf->per_day ||
        p > limit_of(conf, sent))
        return false;
    asked->sent = true;
    asked->at_us = now_us;
    return true;
}

size_t budget_left(const struct budget *b, const struct budget_conf *conf, int64_t now_us)
{
    size_t sent = spent(b, now_us);
    return sent < conf->per_day ? (size_t)conf->per_day - sent : 0;
}
