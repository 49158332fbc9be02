/* SPDX-License-Identifier: MIT */
/*
 * fuzz_play.h - plays programs with the locks and threads of the system.
 */
#ifndef TESTS_FUZZ_PLAY_H
#define TESTS_FUZZ_PLAY_H

#include "fuzz_program.h"

#define PLAYS 64 /* that a process has places for */

/* What is played: a file has some of these. */
struct play {
    struct program program;
    struct run run;
};

/* Play, one after another, each with new objects in memory that was used
 * before.  Threads are named by play and number, as "12.3". */
void play_all(const struct play *plays, int count);

#endif /* TESTS_FUZZ_PLAY_H */
