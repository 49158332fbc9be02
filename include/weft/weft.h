/* SPDX-License-Identifier: MIT */
/*
 * weft.h - all of Weft.
 */
#ifndef WEFT_WEFT_H
#define WEFT_WEFT_H

#include <weft/barrier.h>
#include <weft/base.h>
#include <weft/cond.h>
#include <weft/counter.h>
#include <weft/deadline.h>
#include <weft/deadlock.h>
#include <weft/deque.h>
#include <weft/dump.h>
#include <weft/event.h>
#include <weft/fail.h>
#include <weft/fifo.h>
#include <weft/future.h>
#include <weft/guard.h>
#include <weft/heap.h>
#include <weft/local.h>
#include <weft/mutex.h>
#include <weft/once.h>
#include <weft/parallel.h>
#include <weft/pool.h>
#include <weft/queue.h>
#include <weft/ring.h>
#include <weft/rmutex.h>
#include <weft/rwlock.h>
#include <weft/semaphore.h>
#include <weft/spsc.h>
#include <weft/stack.h>
#include <weft/status.h>
#include <weft/thread.h>
#include <weft/timer.h>
#include <weft/version.h>

#endif /* WEFT_WEFT_H */
