/* SPDX-License-Identifier: MIT */
/* notify.h - tells systemd how we are: READY=1, STATUS=..., WATCHDOG=1. */
#pragma once

#include <stdint.h>

/* Sends lines such as "READY=1\nSTATUS=reading" to NOTIFY_SOCKET; does nothing without one. */
void notify(const char *lines);

/* How often WATCHDOG=1 must be sent, at least; 0 if never. Half of what systemd waits. */
int64_t notify_watchdog_ms(void);
