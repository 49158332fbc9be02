/* SPDX-License-Identifier: MIT */
/*
 * main.c - the command line of weft-stress.
 */
#include <weft/weft.h>

#include <stdio.h>

int
main(void)
{
    printf("weft-stress %s\n", weft_version());
    return 0;
}
