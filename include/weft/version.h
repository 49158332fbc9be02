/* SPDX-License-Identifier: MIT */
/*
 * version.h - the version of these headers, and of the library in use.
 *
 * The one place the version is written: configure and the pages read it here.
 *
 *       printf("built with %s, running %s\n", WEFT_VERSION, weft_version());
 */
#ifndef WEFT_VERSION_H
#define WEFT_VERSION_H

#include <weft/base.h>

#define WEFT_VERSION_MAJOR 0
#define WEFT_VERSION_MINOR 1
#define WEFT_VERSION_PATCH 0
#define WEFT_VERSION       "0.1.0"

WEFT_BEGIN_DECLS

/* Return the version of the library in use, "major.minor.patch". */
WEFT_API const char *weft_version(void);

WEFT_END_DECLS

#endif /* WEFT_VERSION_H */
