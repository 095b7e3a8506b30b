/* SPDX-License-Identifier: MIT */
/* files.h - watches the two files that people write and reads them again when they change.
 *
 * A file that does not exist when it is first looked for is an empty one: eddyd may start before
 * the first rule is written. A file that vanishes later, or has a fault, leaves what was said
 * before in force. Used by the housekeeping alone, which may block. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "util/log.h"
#include "vet/vet.h"

struct vet_file {
    char *path;    /* as last set; NULL: none yet */
    bool present;  /* it has been read */
    bool troubled; /* it can't be read now, and that was said */
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
    bool unsettled;   /* it may change again without its time changing */
    uint64_t content; /* hash of what was read last */
};

/* Zeroed is ready. */
struct vet_files {
    struct vet_file suppressions, feedback;
};

/* What there is to publish: a new set in the place of the present one, and counts to add. */
struct vet_news {
    bool rules_changed, marks_changed;
    struct rules *rules; /* NULL: none any more */
    struct marks *marks;
    struct vet_counts suppressions, feedback;
};

/* What the engine has, for warnings. */
struct vet_means {
    bool asn, country; /* a database is configured */
};

/* Looks at both files. True if there is news. `now` is what is in force: only this function's
 * caller ever replaces it. Failures are logged once for each change of a file. */
bool vet_files_look(struct vet_files *files, const struct vet_conf *conf,
                    const struct vet_means *means, const struct vet_state *now, struct log *log,
                    struct vet_news *out);

/* Puts the news in force and frees what was replaced; under the engine's lock. */
void vet_publish(struct vet_state *state, const struct vet_news *news);

void vet_files_done(struct vet_files *files);
