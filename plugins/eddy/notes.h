/* SPDX-License-Identifier: MIT */
/* notes.h - what people wrote of incidents and rules, by id: the files of marks and suppressions.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "eddy.h"

struct note {
    char *id;      /* of the incident that was marked, or of the suppression */
    char *verdict; /* "benign", "malicious"; "" of a suppression */
    char *who;     /* by, owner; "" if it is not said */
    char *why;
    int64_t when_us; /* marked; expires, or INT64_MAX: never */
    size_t order;    /* in the file */
};

/* Zeroed is empty. */
struct notes {
    struct note *notes; /* by id, one each: the last one counts, "none" is none */
    size_t count, room;
    int out_of_memory;
};

/* Reads a file as an engine does; a missing one, or "", is empty. */
int notes_read(struct notes *notes, eddy_said which, const char *path, eddy_error *err);

/* Likewise the file that a setting of `config` names; NULL: of /etc/eddy/eddy.conf, if that can be
 * read. */
int notes_of_config(struct notes *notes, eddy_said which, const char *config_path, eddy_error *err);

const struct note *notes_find(const struct notes *notes, const char *id);

/* "benign, by ann at 2026-01-02 03:04:05: the backup". Hostile: it comes from a file. */
void notes_mark_text(const struct note *note, char *out, size_t size);

void notes_done(struct notes *notes);
