/* SPDX-License-Identifier: MIT */
/*
 * sync/rwlock_word.h - the word of a read-write lock, which counts the readers
 * that are not on their own lines.
 */
#ifndef WEFT_SYNC_RWLOCK_WORD_H
#define WEFT_SYNC_RWLOCK_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include <weft/deadline.h>
#include <weft/rwlock.h>
#include <weft/status.h>

#define WEFT_WRITER_ 1u  /* a writer has it */
#define WEFT_READER_ 32u /* one of the readers that have it */

/*
 * Take the word, to read or to write.
 *
 *   requires   the thread does not have it
 *   returns    WEFT_OK; WEFT_TIMEOUT; what weft_watch_block_ said
 */
enum weft_status weft_rwlock_acquire_(weft_rwlock *l, bool writes,
                                      weft_deadline deadline);

/* Take `less`, one of the two above, away, and wake who can go in then. */
void weft_rwlock_let_go_(weft_rwlock *l, uint32_t less);

/* Whether in a word of that value readers sleep, and only a writer that waits
 * for its turn, or for readers on their own lines, can let them in. */
bool weft_rwlock_is_shut_(uint32_t word);

#endif /* WEFT_SYNC_RWLOCK_WORD_H */
