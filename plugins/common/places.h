/* SPDX-License-Identifier: MIT */
/* places.h - the directories in which parts of one log can be. */
#pragma once

#include <stddef.h>

#include "siblings.h"

struct places {
    int fd[PLACES_MAX]; /* open directories, none twice; the first is that of the followed path,
                           or -1 if that can't be opened */
    size_t count;
};

/* `folder` of the path, `home` where the current part was found (it may have been moved since;
 * -1: none), and `archive`: directory patterns joined by newlines, of each the last 8 by name
 * (NULL: none). */
void places_open(const char *folder, int home, const char *archive, struct places *out);
void places_close(struct places *p);
