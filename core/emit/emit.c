/* SPDX-License-Identifier: MIT */
/* emit.c - what outputs have in common. */
#include "emit.h"

const char *emit_state(int state)
{
    switch (state) {
    case EDDY_INCIDENT_NEW:
        return "new";
    case EDDY_INCIDENT_GROWING:
        return "growing";
    case EDDY_INCIDENT_QUIET:
        return "quiet";
    default:
        return "closed";
    }
}

const char *emit_severity(int severity)
{
    switch (severity) {
    case EDDY_HIGH:
        return "high";
    case EDDY_MEDIUM:
        return "medium";
    default:
        return "low";
    }
}

static const struct option options[] = {
    {"interval", OPTION_DURATION, offsetof(struct emit_conf, interval_us), "15s", 1, 3600,
     "How often metrics are written to outputs that take them, such as textfile."},
    {0}};

const struct part emit_part = {.name = "emit",
                               .help = "What all outputs have in common.",
                               .conf_size = sizeof(struct emit_conf),
                               .options = options};
