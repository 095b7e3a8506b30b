/* SPDX-License-Identifier: MIT */
/* version.c - which eddy this is, and what it was built with. */
#include "eddy.h"

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

const char *eddy_version(void)
{
    return TEXT(EDDY_VERSION_MAJOR) "." TEXT(EDDY_VERSION_MINOR) "." TEXT(EDDY_VERSION_PATCH);
}

const char *eddy_built_with(void)
{
    return EDDY_BUILT_WITH; /* from core/CMakeLists.txt, which knows what pkg-config found */
}
