/* SPDX-License-Identifier: MIT */
/* instance.h - one eve-log with our file type: a ring, a thread, and an engine or a socket. */
#pragma once

#include <stddef.h>

#include "eddy.h"

#include "abi.h"

struct instance;

/* `eve_log` is used until the call returns. NULL in `out` is success too: under `suricata -T` the
 * settings are checked, and nothing is made. */
int instance_new(const struct abi_node *eve_log, struct instance **out, eddy_error *err);

/* Nobody writes any more: what is in the ring is scored, incidents are closed, all within
 * seconds. */
void instance_free(struct instance *instance);

/* Any thread, any number at once. */
void instance_write(const struct instance *instance, const char *record, size_t length);
