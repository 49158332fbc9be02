/* SPDX-License-Identifier: MIT */
/*
 * deadlock/confirm.h - run a program again for each deadlock that was predicted,
 * with its threads held up so that it happens.
 */
#ifndef WEFT_DEADLOCK_CONFIRM_H
#define WEFT_DEADLOCK_CONFIRM_H

/*
 * Run a program, then again; say what came true.  The environment has all else
 * that the shim is to know.
 *
 *   argv       the program and its arguments
 *   output     where reports go; NULL: standard error
 *   status     of the tool, when something came true
 *   returns    the status to end with: else that of the first run, the signal of
 *              which is sent to this process
 */
int weft_confirm_(char **argv, const char *output, int status);

#endif /* WEFT_DEADLOCK_CONFIRM_H */
