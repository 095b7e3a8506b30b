/* SPDX-License-Identifier: MIT */
/* keeper.h - the housekeeping, on a thread of its own or in eddy_engine_tick(): outputs, metrics,
 * databases that have changed. The only place of the library that may block. */
#pragma once

#include "decide/incidents.h"
#include "eddy.h"

#define OUTPUTS_MAX 8 /* more than parts.def will ever name */

struct keeper;
struct settings;

/* Opens the outputs of the engine's settings. No thread yet. */
int keeper_new(eddy_engine *engine, struct keeper **out, eddy_error *err);

/* Starts the thread. */
int keeper_start(struct keeper *keeper, eddy_error *err);

/* Hands over an event; called with the engine's lock held, never blocks. A full queue drops it. */
void keeper_tell(struct keeper *keeper, const struct incident_event *event);

/* One round of housekeeping on the calling thread. */
void keeper_tick(struct keeper *keeper);

/* Is it a setting of an output? */
bool keeper_is_output(const char *key);

/* Opens the outputs of other settings in place of the present ones and puts the settings in force
 * (taking over the caller's hold); on failure all stays as it was. */
int keeper_reopen(struct keeper *keeper, struct settings *settings, eddy_error *err);

/* Stops the thread, does a last round and closes the outputs. */
void keeper_free(struct keeper *keeper);

struct keeper_counts {
    uint64_t dropped; /* events that found the queue full */
    uint64_t errors[OUTPUTS_MAX];
};

void keeper_counts(struct keeper *keeper, struct keeper_counts *out);
