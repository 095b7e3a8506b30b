/* SPDX-License-Identifier: MIT */
/* jsonl.c - incidents as lines of JSON in a file, for whatever reads eve.json. */
#include "emit/line_file.h"
#include "part.h"

struct jsonl_conf {
    const char *path;
    bool withheld;
};

static const struct option options[] = {
    {"path", OPTION_TEXT, offsetof(struct jsonl_conf, path), "", 0, 0,
     "File that incidents are appended to, one line of JSON each; empty: none."},
    {"withheld", OPTION_FLAG, offsetof(struct jsonl_conf, withheld), "off", 0, 0,
     "Whether incidents that the budget withholds are written too, with \"withheld\":true."},
    {0}};

struct jsonl {
    struct line_file file;
    bool withheld;
};

static bool jsonl_wanted(const void *conf)
{
    const struct jsonl_conf *c = conf;
    return c->path[0] != '\0';
}

static int jsonl_open(void *state, const void *conf, eddy_error *err)
{
    const struct jsonl_conf *c = conf;
    struct jsonl *jsonl = state;
    jsonl->withheld = c->withheld;
    return line_file_open(&jsonl->file, c->path, err);
}

static int jsonl_incident(void *state, const eddy_incident *incident, eddy_error *err)
{
    struct jsonl *jsonl = state;
    if (incident->withheld && !jsonl->withheld)
        return EDDY_OK;
    return line_file_add(&jsonl->file, incident, err);
}

static int jsonl_flush(void *state, eddy_error *err)
{
    struct jsonl *jsonl = state;
    (void)err;
    line_file_look(&jsonl->file);
    return EDDY_OK;
}

static void jsonl_close(void *state)
{
    struct jsonl *jsonl = state;
    line_file_close(&jsonl->file);
}

const struct output emit_jsonl = {
    .part = {.name = "jsonl",
             .help = "Incidents as lines of JSON in a file.",
             .conf_size = sizeof(struct jsonl_conf),
             .options = options},
    .state_size = sizeof(struct jsonl),
    .wanted = jsonl_wanted,
    .open = jsonl_open,
    .incident = jsonl_incident,
    .flush = jsonl_flush,
    .close = jsonl_close,
};
