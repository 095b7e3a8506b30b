/* SPDX-License-Identifier: MIT */
/* settings.h - the `eddy:` map of an eve-log in suricata.yaml, kept as text. */
#pragma once

#include "eddy.h"

#include "abi.h"

struct settings;

/* Copies the map `eddy:` below this node; there may be none. */
int settings_read(const struct abi_node *eve_log, struct settings **out, eddy_error *err);
void settings_free(struct settings *s);

/* A config of `jsonl` and `textfile` (paths, unless NULL), the file that the map names, and the
 * map; the later wins. Can be called again: the file may have changed. */
int settings_config(const struct settings *s, const char *jsonl, const char *textfile,
                    eddy_config **out, eddy_error *err);

/* The file that the map names; "" if none. */
const char *settings_file(const struct settings *s);

/* The first setting of the map that is the library's and not the plugin's own, as written in
 * `text`, and how many there are. */
size_t settings_of_library(const struct settings *s, char *text, size_t size);
