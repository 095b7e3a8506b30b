/* SPDX-License-Identifier: MIT */
/* report_html.h - writes HTML. The one place where text from outside becomes markup. */
#pragma once

#include <stdint.h>
#include <stdio.h>

/* Markup of ours. Numbers and our own words only: text from outside goes through html_text. */
void html(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text from outside, for use between tags and in quoted attributes. What could be markup is
 * escaped; control characters, those that turn the direction of text, and bytes that are not UTF-8
 * become U+FFFD. At most `most` characters, then an ellipsis; 0: all. */
void html_text(FILE *to, const char *text, size_t most);

/* A number for a person: "1,234", "0.198", "4.7e-14", "–" if it is none. */
void html_number(FILE *to, double number);
/* A number of bytes as the sentences have it: "143 MB". */
void html_bytes(FILE *to, double bytes);
void html_count(FILE *to, uint64_t count);

/* "23 Nov 2026 07:06:40", in <time>. */
void html_time(FILE *to, int64_t us);
