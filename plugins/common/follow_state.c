/* SPDX-License-Identifier: MIT */
/* follow_state.c - recognises the parts of a log that were read, or read in part, before. */
#include "follow_state.h"

bool follow_state_finished(const struct follow_state *s, struct print print)
{
    size_t n = s->done_count < FOLLOW_DONE_MAX ? s->done_count : FOLLOW_DONE_MAX;
    for (size_t i = 0; i < n; i++)
        if (s->done[i].length == print.length && s->done[i].hash == print.hash)
            return true;
    return false;
}

void follow_state_finish(struct follow_state *s, struct print print)
{
    if (print.length > 0 && !follow_state_finished(s, print))
        s->done[s->done_count++ % FOLLOW_DONE_MAX] = print;
}

/* Is this open file the part wanted? */
static bool fits(const struct follow_state *s, const struct generation *g, uint64_t size)
{
    return !follow_state_finished(s, g->print) && generation_is(g, s->print) &&
           (g->kind == GENERATION_GZIP || generation_size(g) >= size);
}

int follow_state_find(const struct follow_state *s, const struct places *p, const char *base,
                      const struct follow_want *want, struct generation *out, struct sibling *where)
{
    struct siblings siblings;
    if (s->print.length == 0) /* nothing read, nothing to find */
        return 0;
    if (siblings_scan(p->fd, p->count, base, s->newest_ns - FOLLOW_SLACK_NS, &siblings) != 0)
        return -1;
    int found = 0;
    /* First the same inode, then the same beginning under any inode. */
    for (size_t i = want->copy ? siblings.count : 0; i < siblings.count * 2 && found == 0; i++) {
        const struct sibling *x = &siblings.list[i % siblings.count];
        bool same_inode = x->dev == s->dev && x->ino == s->ino;
        struct generation g;
        if ((i < siblings.count) != same_inode)
            continue;
        int opened = sibling_open(p->fd, x, &g);
        if (opened < 0) {
            found = -1; /* it may be the one, under another name now */
        } else if (opened > 0 && fits(s, &g, want->size)) {
            *out = g;
            *where = *x;
            found = 1;
        } else if (opened > 0) {
            generation_close(&g);
        }
    }
    siblings_free(&siblings);
    return found;
}
