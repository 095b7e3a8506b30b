/* SPDX-License-Identifier: MIT */
/* settings.h - the `eddy:` map of an eve-log in suricata.yaml, kept as text. */
#pragma once

#include "eddy.h"

#include "abi.h"

struct settings;

/* Copies the map `eddy:` below this node; there may be none. */
int settings_read(const struct abi_node *eve_log, struct settings **out, eddy_error *err);
void settings_free(struct settings *s);

/* A config of the file that the map names, read once, and the map, which wins. Can be called again:
 * the file may have changed. */
int settings_config(const struct settings *s, eddy_config **out, eddy_error *err);

/* Then: files that have no path of their own are NAME.json and NAME.prom in `folder`, and unless it
 * is "eddy" the name is a label in the latter. */
int settings_place(eddy_config *config, const char *folder, const char *name, eddy_error *err);

/* The file that the map names; "" if none. */
const char *settings_file(const struct settings *s);

/* The first setting of the map that is of no use where nothing is scored, as written in `text`, and
 * how many there are. */
size_t settings_unused(const struct settings *s, char *text, size_t size);
