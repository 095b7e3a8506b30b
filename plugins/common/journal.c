/* SPDX-License-Identifier: MIT */
/* journal.c - what a host has done so far, on disk: the flows file and the checkpoint. */
#include "journal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>

struct journal {
    struct say log;
    char *path;              /* of the checkpoint; empty: none */
    struct flows_csv *flows; /* NULL: none */
    struct checkpoint last;  /* as read, or as gathered last */
    uint64_t sum;
    bool failed; /* the last save: told once */
    struct journal_stats stats;
};

/* A checkpoint that can't be used must not stop scoring: it is put aside, and we begin as at the
 * very first start. */
static void set_aside(struct journal *j, const eddy_error *why)
{
    char aside[PATH_MAX];
    (void)snprintf(aside, sizeof aside, "%s.damaged", j->path);
    bool moved = strlen(j->path) + 9 < sizeof aside && rename(j->path, aside) == 0;
    say(&j->log, LOG_ERR, "%s; there is no older one: beginning anew, records may be repeated%s%s",
        why->message, moved ? "; kept as " : "", moved ? aside : "");
}

static void read_checkpoint(struct journal *j)
{
    eddy_error err = {0};
    if (*j->path == '\0')
        return;
    int status = checkpoint_load(j->path, &j->last, &err);
    if (status < 0)
        set_aside(j, &err);
    else if (status == 2)
        say(&j->log, LOG_WARNING, "%s; going on from the one before, %s.old", err.message, j->path);
}

static int open_flows(struct journal *j, const struct journal_options *options, eddy_error *err)
{
    if (*options->flows == '\0')
        return EDDY_OK;
    int status = flows_csv_open(options->flows, &j->flows, err);
    if (status < 0)
        return status;
    if (!j->last.flows.regular || !options->logs)
        return EDDY_OK; /* what came by sockets can't be read again: keep it all */
    status = flows_csv_rewind(j->flows, &j->last.flows, err);
    if (status == 0)
        say(&j->log, LOG_WARNING,
            "%s: is another or a shorter file than at the last stop: only added to, lines since "
            "the last checkpoint may be missing or twice",
            options->flows);
    return status < 0 ? status : EDDY_OK;
}

int journal_check(const char *key, const char *path, eddy_error *err)
{
    char folder[PATH_MAX];
    size_t length = strlen(path);
    struct stat st;
    if (length == 0)
        return EDDY_OK;
    if (length >= sizeof folder || path[length - 1] == '/')
        return fault(err, EDDY_ECONFIG, "%s = '%s': not the name of a file", key, path);
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
        return fault(err, EDDY_ECONFIG, "%s = '%s': is a symlink, which is not followed", key,
                     path);
    if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return fault(err, EDDY_ECONFIG, "%s = '%s': is a directory", key, path);
    memcpy(folder, path, length + 1);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        memcpy(folder, ".", 2);
    else
        slash[slash == folder ? 1 : 0] = '\0';
    if (stat(folder, &st) != 0)
        return fault(err, EDDY_ECONFIG, "%s = '%s': directory %s: %s", key, path, folder,
                     strerror(errno));
    return S_ISDIR(st.st_mode)
               ? EDDY_OK
               : fault(err, EDDY_ECONFIG, "%s = '%s': %s is not a directory", key, path, folder);
}

int journal_open(const struct journal_options *options, const struct say *say, struct journal **out,
                 eddy_error *err)
{
    struct journal *j = calloc(1, sizeof *j);
    if (j == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    j->log = *say;
    j->path = strdup(options->checkpoint);
    int status = j->path != NULL ? EDDY_OK : fault(err, EDDY_ENOMEM, "out of memory");
    if (status == EDDY_OK) {
        read_checkpoint(j);
        status = open_flows(j, options, err);
    }
    if (status < 0) {
        journal_close(j);
        return status;
    }
    *out = j;
    return EDDY_OK;
}

const struct checkpoint *journal_positions(const struct journal *j)
{
    return &j->last;
}

void journal_scored(struct journal *j, const eddy_flow *flow, const eddy_verdict *verdict)
{
    /* A failure is told by journal_save(), and logs wait then; lost lines are counted. */
    if (j->flows != NULL)
        (void)flows_csv_add(j->flows, flow, verdict);
}

void journal_flush(struct journal *j)
{
    if (j->flows != NULL)
        (void)flows_csv_flush(j->flows, NULL); /* a failure is told by journal_save() */
}

/* The checkpoint of this moment: the inputs of now, and those that may come back. */
static int gather(struct journal *j, const struct inputs *in, struct checkpoint *now,
                  eddy_error *err)
{
    int status = inputs_positions(in, now, err);
    for (size_t i = 0; i < j->last.count && status > 0; i++) {
        const struct checkpoint_input *old = &j->last.inputs[i];
        if (checkpoint_find(now, old->path) == NULL && now->count < CHECKPOINT_INPUTS_MAX &&
            checkpoint_add(now, old->path, &old->state, err) < 0)
            status = EDDY_ENOMEM;
    }
    return status;
}

static int save(struct journal *j, const struct inputs *in, eddy_error *err)
{
    struct checkpoint now = {0};
    bool on_disk = *j->path != '\0';
    int status = EDDY_OK;
    if (j->flows != NULL)
        status =
            on_disk ? flows_csv_sync(j->flows, &now.flows, err) : flows_csv_flush(j->flows, err);
    int gathered = gather(j, in, &now, status < 0 ? NULL : err);
    if (gathered <= 0) { /* 0: ask again, nothing is wrong */
        checkpoint_done(&now);
        return status < 0 ? status : gathered;
    }
    checkpoint_done(
        &j->last); /* kept whatever the disk says: an input may be closed and come back */
    j->last = now;
    if (status < 0 || !on_disk)
        return status;
    status = checkpoint_save(&j->last, j->path, &j->sum, err);
    if (status == EDDY_OK)
        j->stats.checkpoint_s = (int64_t)time(NULL);
    return status;
}

void journal_save(struct journal *j, const struct inputs *in)
{
    eddy_error err = {0};
    int status = save(j, in, &err);
    if (status < 0) {
        j->stats.failures++;
        if (!j->failed)
            say(&j->log, LOG_ERR, "%s; trying again, %s", err.message,
                journal_stuck(j) ? "logs wait meanwhile" : "scoring goes on");
    } else if (j->failed) {
        say(&j->log, LOG_NOTICE, "the checkpoint and the flows file can be written again");
    }
    j->failed = status < 0;
}

bool journal_stuck(const struct journal *j)
{
    return j->flows != NULL && flows_csv_failing(j->flows);
}

void journal_reopen(struct journal *j)
{
    eddy_error err;
    if (j->flows != NULL && flows_csv_reopen(j->flows, &err) < 0)
        say(&j->log, LOG_ERR, "%s", err.message);
}

void journal_stats(const struct journal *j, struct journal_stats *out)
{
    *out = j->stats;
    out->lost_lines = j->flows != NULL ? flows_csv_lost(j->flows) : 0;
}

void journal_close(struct journal *j)
{
    if (j == NULL)
        return;
    eddy_error err;
    if (flows_csv_close(j->flows, &err) < 0)
        say(&j->log, LOG_ERR, "%s", err.message);
    checkpoint_done(&j->last);
    free(j->path);
    free(j);
}
