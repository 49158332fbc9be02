/* SPDX-License-Identifier: MIT */
/*
 * fence.c - membarrier(2), private and expedited.
 *
 * A process registers once; a forked child inherits it.  Registering while the
 * process has one thread costs nothing, later up to some milliseconds, so it
 * is done before main.
 */
#include "base/fence.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/panic.h"

static bool is_there;

static bool
membarrier(int command)
{
    const int saved = errno;
    const bool done = syscall(SYS_membarrier, command, 0, 0) == 0;

    errno = saved;
    return done;
}

__attribute__((constructor(101))) static void
begin(void)
{
    is_there = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

bool
weft_fence_is_there_(void)
{
    return is_there;
}

void
weft_fence_heavy_(void)
{
    if (!membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED))
        weft_panic_("fence: the system refuses to fence", &is_there);
}
