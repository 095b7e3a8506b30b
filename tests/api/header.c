/* SPDX-License-Identifier: MIT */
/* header.c - eddy.h stands alone, in C and in C++. */
#include "eddy.h"
#include "eddy.h" /* twice is fine */

#ifdef __cplusplus
extern "C" int header_alone(void);
#else
int header_alone(void);
#endif

int header_alone(void)
{
    eddy_flow flow;
    flow.size = (uint32_t)sizeof flow;
    return (int)flow.size + (eddy_version() != NULL);
}
