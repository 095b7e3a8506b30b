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

void follow_family_join(struct follow_family *family, struct follow_member member)
{
    if (family != NULL && family->count < FOLLOW_FAMILY_MAX)
        family->members[family->count++] = member;
}

void follow_family_leave(struct follow_family *family, const struct follow_state *state)
{
    for (size_t i = 0; family != NULL && i < family->count; i++)
        if (family->members[i].state == state)
            family->members[i--] = family->members[--family->count];
}

/* Is `now` open on this part, under whatever name? A gzip file that is being read can't be asked
 * for its beginning again, but its print is final. */
static bool reads(const struct generation *now, const struct generation *part)
{
    if (now->dev == part->dev && now->ino == part->ino)
        return true;
    if (now->kind == GENERATION_GZIP)
        return now->print.length == part->print.length && now->print.hash == part->print.hash;
    return part->print.length > 0 && generation_is(now, part->print);
}

static bool has(const struct follow_state *s, const struct generation *now,
                const struct generation *part)
{
    return follow_state_finished(s, part->print) || (now->fd >= 0 && reads(now, part));
}

int follow_family_free(const struct follow_family *family, const struct follow_state *self,
                       const struct generation *part)
{
    int result = 1;
    for (size_t i = 0; family != NULL && i < family->count; i++) {
        const struct follow_state *other = family->members[i].state;
        const struct generation *now = family->members[i].now;
        if (other == self)
            continue;
        if (has(other, now, part))
            return 0;
        if (now->fd >= 0 || !other->reading || other->print.length == 0 ||
            !generation_is(part, other->print))
            continue;
        if (!family->members[i].look(family->members[i].follow))
            result = PART_HELD;
        else if (has(other, now, part))
            return 0;
    }
    return result;
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
