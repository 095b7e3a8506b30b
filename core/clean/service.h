/* SPDX-License-Identifier: MIT */
/* service.h - which kind of conversation a flow is. */
#pragma once

#include "row.h"

enum service service_of(const eddy_flow *flow);

/* "web", "dns": for sentences. */
const char *service_name(enum service service);
