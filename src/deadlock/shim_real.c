/* SPDX-License-Identifier: MIT */
/*
 * shim_real.c - the functions of libc behind the hooks.
 *
 * They are looked up on the first call of any hook, which may come from the
 * constructor of another library, before the one of the shim.  At that time
 * there is one thread.  A lookup that succeeds calls no malloc; those that a
 * libc before 2.34 may lack come last, when all others are there.
 *
 * dlsym without a version would find the oldest pthread_cond_wait of x86-64,
 * whose conditions have another layout.
 */
#include <dlfcn.h>
#include <string.h>

#include "deadlock/shim.h"

struct weft_shim_real weft_shim_real_;

/* The version that the conditions of today have. */
#if defined(__x86_64__)
#define COND "GLIBC_2.3.2"
#else
#define COND "GLIBC_2.17"
#endif

struct wanted {
    const char *name;
    const char *version; /* NULL: the default one */
    size_t at;
};

#define WANT(name, field)                                  \
    {                                                      \
        name, NULL, offsetof(struct weft_shim_real, field) \
    }
#define WANT_VERSION(name, version, field)                    \
    {                                                         \
        name, version, offsetof(struct weft_shim_real, field) \
    }

static const struct wanted wanted[] = {
    WANT("pthread_mutex_lock", mutex_lock),
    WANT("pthread_mutex_trylock", mutex_trylock),
    WANT("pthread_mutex_timedlock", mutex_timedlock),
    WANT("pthread_mutex_unlock", mutex_unlock),
    WANT("pthread_create", create),
    WANT("pthread_join", join),
    WANT("pthread_timedjoin_np", timedjoin),
    WANT("pthread_exit", exit),
    WANT("pthread_spin_lock", spin_lock),
    WANT("pthread_spin_trylock", spin_trylock),
    WANT("pthread_spin_unlock", spin_unlock),
    WANT("pthread_rwlock_rdlock", rdlock),
    WANT("pthread_rwlock_tryrdlock", tryrdlock),
    WANT("pthread_rwlock_timedrdlock", timedrdlock),
    WANT("pthread_rwlock_wrlock", wrlock),
    WANT("pthread_rwlock_trywrlock", trywrlock),
    WANT("pthread_rwlock_timedwrlock", timedwrlock),
    WANT("pthread_rwlock_unlock", rwunlock),
    WANT_VERSION("pthread_cond_wait", COND, cond_wait),
    WANT_VERSION("pthread_cond_timedwait", COND, cond_timedwait),
    WANT("pthread_barrier_wait", barrier_wait),
    WANT("pthread_once", once),
    WANT("sem_wait", sem_wait),
    WANT("sem_trywait", sem_trywait),
    WANT("sem_timedwait", sem_timedwait),
    WANT("mtx_lock", mtx_lock),
    WANT("mtx_trylock", mtx_trylock),
    WANT("mtx_timedlock", mtx_timedlock),
    WANT("mtx_unlock", mtx_unlock),
    WANT("cnd_wait", cnd_wait),
    WANT("cnd_timedwait", cnd_timedwait),
    WANT("thrd_create", thrd_create),
    WANT("thrd_join", thrd_join),
    WANT("thrd_exit", thrd_exit),
    WANT("call_once", call_once),
    WANT("pthread_tryjoin_np", tryjoin),
    WANT("pthread_detach", detach),
    WANT("thrd_detach", thrd_detach),
    WANT("pthread_mutex_init", mutex_init),
    WANT("pthread_mutex_destroy", mutex_destroy),
    WANT("pthread_spin_init", spin_init),
    WANT("pthread_spin_destroy", spin_destroy),
    WANT("pthread_rwlock_init", rwlock_init),
    WANT("pthread_rwlock_destroy", rwlock_destroy),
    WANT("pthread_barrier_init", barrier_init),
    WANT("pthread_barrier_destroy", barrier_destroy),
    WANT("mtx_init", mtx_init),
    WANT("mtx_destroy", mtx_destroy),
    WANT_VERSION("pthread_cond_init", COND, cond_init),
    WANT_VERSION("pthread_cond_signal", COND, cond_signal),
    WANT_VERSION("pthread_cond_broadcast", COND, cond_broadcast),
    WANT("cnd_init", cnd_init),
    WANT("cnd_signal", cnd_signal),
    WANT("cnd_broadcast", cnd_broadcast),
    WANT("sem_init", sem_init),
    WANT("sem_destroy", sem_destroy),
    WANT("sem_open", sem_open),
    WANT("sem_close", sem_close),
    WANT("sem_post", sem_post),
    WANT("munmap", munmap),
    WANT("_exit", exit_now),
    WANT("execve", execve),
    WANT("execvpe", execvpe),
    WANT("fexecve", fexecve),
#if defined(__x86_64__)
    WANT_VERSION("pthread_cond_wait", "GLIBC_2.2.5", cond_wait_elder),
    WANT_VERSION("pthread_cond_timedwait", "GLIBC_2.2.5", cond_timedwait_elder),
    WANT_VERSION("pthread_cond_init", "GLIBC_2.2.5", cond_init_elder),
    WANT_VERSION("pthread_cond_signal", "GLIBC_2.2.5", cond_signal_elder),
    WANT_VERSION("pthread_cond_broadcast", "GLIBC_2.2.5", cond_broadcast_elder),
#endif
    WANT("pthread_mutex_clocklock", mutex_clocklock),
    WANT("pthread_rwlock_clockrdlock", clockrdlock),
    WANT("pthread_rwlock_clockwrlock", clockwrlock),
    WANT("pthread_cond_clockwait", cond_clockwait),
    WANT("pthread_clockjoin_np", clockjoin),
    WANT("sem_clockwait", sem_clockwait),
};

void
weft_shim_resolve_(void)
{
    static bool begun;

    if (begun)
        return;
    begun = true;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        const struct wanted *w = &wanted[i];
        void *f = w->version != NULL ? dlvsym(RTLD_NEXT, w->name, w->version)
                                     : dlsym(RTLD_NEXT, w->name);
        memcpy((char *)&weft_shim_real_ + w->at, &f, sizeof(f));
    }
}
