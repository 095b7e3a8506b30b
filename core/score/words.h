/* SPDX-License-Identifier: MIT */
/* words.h - quantities as a person says them: "31 MB", "5.2 s", "10.1.2.3 port 443". */
#pragma once

#include "row.h"
#include "util/text.h"

void words_bytes(struct text *text, double bytes);
void words_seconds(struct text *text, double seconds);
/* Whole numbers in full up to 9999, then with k or M. */
void words_count(struct text *text, double count);
/* "10.1.2.3" or "203.0.113.9 (DE, AS64500)" */
void words_place(struct text *text, const uint8_t address[16], const struct place *place);
/* "203.0.113.9 (DE, AS64500) port 443/tcp", with the row's name in front if there is one:
 * "updates.example.com (203.0.113.9, DE, AS64500) port 443/tcp" */
void words_service(struct text *text, const struct row *row);
