/* SPDX-License-Identifier: MIT */
/* config.h - every setting of every part: as text, and as the part's conf struct. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "eddy.h"
#include "part.h"

/* The part's conf struct, built from its settings; NULL if it has none (conf_size 0) or is not in
 * the registry. Valid until the config is changed or freed. */
const void *config_part(const eddy_config *config, const struct part *part);

/* A deep copy of the library's settings, for the engine. Without those a host has declared: their
 * declarations need not outlive the host's own config. */
int config_copy(const eddy_config *from, eddy_config **out);

/* The same with the host's, and the exchange of two configs: a file is read into a copy first. */
int config_copy_all(const eddy_config *from, eddy_config **out);
void config_swap(eddy_config *a, eddy_config *b);

/* How many settings there are, and which of them (0..count-1) the key names. False if unknown. */
size_t config_count(const eddy_config *config);
bool config_find(const eddy_config *config, const char *key, size_t *place, bool *is_list);

/* Reads the text of an eddy.conf. `name` is what messages call it. All or nothing: on failure the
 * config is as it was. Any bytes are safe to pass. */
int config_load_text(eddy_config *config, const char *name, const char *text, size_t length,
                     eddy_error *err);
