/* SPDX-License-Identifier: MIT */
/*
 * version.c - the version that this library was built as.
 */
#include <weft/version.h>

const char *
weft_version(void)
{
    return WEFT_VERSION;
}
