/* SPDX-License-Identifier: MIT */
/* output.h - eddyd's log: lines on standard error, for a person or for the journal. */
#pragma once

/* Has the shape of eddy_hooks.log and of struct say. `user` is NULL for plain lines, else they get
 * the <level> prefix that systemd's journal reads. Any thread may call it. */
void output_line(int level, const char *message, void *user);

/* What to pass as `user`: not NULL if standard error is the journal. */
void *output_style(void);
