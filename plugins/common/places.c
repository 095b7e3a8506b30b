/* SPDX-License-Identifier: MIT */
/* places.c - opens the directories in which parts of one log can be. */
#include "places.h"

#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARCHIVE_DIRS 8 /* of one pattern: day directories sort by date, the last ones matter */

void places_close(struct places *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->fd[i] >= 0)
            (void)close(p->fd[i]); /* read only */
    p->count = 0;
}

/* Takes `fd` over, unless it is negative, known already or one too many. */
static void add_place(struct places *p, int fd)
{
    struct stat have;
    struct stat new;
    if (fd < 0)
        return;
    int known = p->count == PLACES_MAX;
    for (size_t i = 0; i < p->count && !known; i++)
        known = fstat(p->fd[i], &have) == 0 && fstat(fd, &new) == 0 &&
                have.st_dev == new.st_dev &&have.st_ino == new.st_ino;
    if (known)
        (void)close(fd); /* read only */
    else
        p->fd[p->count++] = fd;
}

static void add_pattern(struct places *p, const char *pattern)
{
    glob_t found = {0};
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    size_t first = found.gl_pathc > ARCHIVE_DIRS ? found.gl_pathc - ARCHIVE_DIRS : 0;
    for (size_t i = first; i < found.gl_pathc; i++)
        add_place(p, open(found.gl_pathv[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    globfree(&found);
}

void places_open(const char *folder, int home, const char *archive, struct places *out)
{
    struct places p = {.count = 1};
    p.fd[0] = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (home >= 0)
        add_place(&p, fcntl(home, F_DUPFD_CLOEXEC, 0));
    while (archive != NULL && *archive != '\0') {
        char pattern[PATH_MAX];
        size_t length = strcspn(archive, "\n");
        if (length < sizeof pattern) {
            memcpy(pattern, archive, length);
            pattern[length] = '\0';
            add_pattern(&p, pattern);
        }
        archive += length;
        archive += *archive == '\n';
    }
    *out = p;
}
