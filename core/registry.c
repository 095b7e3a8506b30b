/* SPDX-License-Identifier: MIT */
/* registry.c - the lists of parts, made from parts.def. To add a part, add a line there. */
#include "part.h"

/* One macro for each step turns its lines into a declaration or a list entry, the others into
 * nothing. */
#define PART(step, name)     DECLARE_##step(name)
#define DECLARE_ingest(name) extern const struct input ingest_##name;
#define DECLARE_score(name)  extern const struct detector score_##name;
#define DECLARE_emit(name)   extern const struct output emit_##name;
#include "parts.def"
#undef PART

#define PART(step, name)   INPUT_##step(name)
#define INPUT_ingest(name) &ingest_##name,
#define INPUT_score(name)
#define INPUT_emit(name)
const struct input *const registry_inputs[] = {
#include "parts.def"
    NULL};
#undef PART

#define PART(step, name) DETECTOR_##step(name)
#define DETECTOR_ingest(name)
#define DETECTOR_score(name) &score_##name,
#define DETECTOR_emit(name)
const struct detector *const registry_detectors[] = {
#include "parts.def"
    NULL};
#undef PART

#define PART(step, name) OUTPUT_##step(name)
#define OUTPUT_ingest(name)
#define OUTPUT_score(name)
#define OUTPUT_emit(name) &emit_##name,
const struct output *const registry_outputs[] = {
#include "parts.def"
    NULL};
#undef PART

/* What a whole step can be set to, in the order of the pipeline. */
extern const struct part ingest_part, clean_part, geoip_part, nets_part, state_part, calibrate_part,
    suppress_part, feedback_part, decide_part, emit_part, engine_part;

const struct part *const registry_steps[] = {
    &engine_part,    &ingest_part,   &clean_part,    &geoip_part,  &nets_part, &state_part,
    &calibrate_part, &suppress_part, &feedback_part, &decide_part, &emit_part, NULL};
