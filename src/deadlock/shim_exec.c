/* SPDX-License-Identifier: MIT */
/*
 * shim_exec.c - a program that executes another one in its place, or ends by
 * quick_exit: what it has shown is told before it is gone.
 *
 * The process goes on, and is watched, with the same number.  That something was
 * found is left to it in its environment, so that its status says so in the end;
 * whoever else gets that environment has another number.
 *
 * A child of vfork has the memory of its parent, and nothing to tell; so lists
 * of arguments are on the stack.
 */
#include <alloca.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "deadlock/shim_order.h"

/* Tell; whether something was found, now or before. */
static bool
tell(void)
{
    weft_shim_self_();
    if (!weft_shim_options_.on || weft_shim_options_.pid != getpid())
        return false;
    weft_shim_tell_predicted_();
    return atomic_load_explicit(&weft_shim_options_.found,
                                memory_order_relaxed);
}

static size_t
length_of(char *const *list)
{
    size_t n = 0;

    while (list != NULL && list[n] != NULL)
        n++;
    return n;
}

/* `old` and what was found, in room for two more. */
static char *const *
add_found(char **list, char *const *old, size_t n, char *found, size_t room)
{
    snprintf(found, room, "WEFT_DEADLOCK_FOUND=%d", (int)getpid());
    list[0] = found; /* before one that was there */
    for (size_t i = 0; i <= n; i++)
        list[1 + i] = old != NULL ? old[i] : NULL;
    return list;
}

/* Whatever is executed, with its environment. */
#define EXECUTE(env, call)                                                \
    do {                                                                  \
        const bool found_ = tell();                                       \
        char *const *e_ = (env);                                          \
        const size_t n_ = found_ ? length_of(e_) : 0;                     \
        char **list_ = found_ ? alloca((n_ + 2) * sizeof(*list_)) : NULL; \
        char text_[40];                                                   \
        if (found_)                                                       \
            e_ = add_found(list_, e_, n_, text_, sizeof(text_));          \
        return call;                                                      \
    } while (0)

/* The arguments of a call that has them one by one, behind `first`, in a list on
 * the stack of the caller; `rest` is behind the last. */
#define GATHER(first, argv, rest)                    \
    do {                                             \
        size_t n_ = 1;                               \
        va_start(rest, first);                       \
        while (va_arg(rest, char *) != NULL)         \
            n_++;                                    \
        va_end(rest);                                \
        (argv) = alloca((n_ + 1) * sizeof(*(argv))); \
        va_start(rest, first);                       \
        (argv)[0] = (char *)(uintptr_t)(first);      \
        for (size_t i_ = 1; i_ <= n_; i_++)          \
            (argv)[i_] = va_arg(rest, char *);       \
    } while (0)

WEFT_HOOK int
execve(const char *path, char *const *argv, char *const *env)
{
    EXECUTE(env, weft_shim_real_.execve(path, argv, e_));
}

WEFT_HOOK int
execvpe(const char *file, char *const *argv, char *const *env)
{
    EXECUTE(env, weft_shim_real_.execvpe(file, argv, e_));
}

WEFT_HOOK int
fexecve(int fd, char *const *argv, char *const *env)
{
    EXECUTE(env, weft_shim_real_.fexecve(fd, argv, e_));
}

WEFT_HOOK int
execv(const char *path, char *const *argv)
{
    return execve(path, argv, environ);
}

WEFT_HOOK int
execvp(const char *file, char *const *argv)
{
    return execvpe(file, argv, environ);
}

WEFT_HOOK int
execl(const char *path, const char *first, ...)
{
    va_list rest;
    char **argv;

    GATHER(first, argv, rest);
    va_end(rest);
    return execve(path, argv, environ);
}

WEFT_HOOK int
execlp(const char *file, const char *first, ...)
{
    va_list rest;
    char **argv;

    GATHER(first, argv, rest);
    va_end(rest);
    return execvpe(file, argv, environ);
}

WEFT_HOOK int
execle(const char *path, const char *first, ...)
{
    va_list rest;
    char **argv;

    GATHER(first, argv, rest);
    char *const *env = va_arg(rest, char *const *);
    va_end(rest);
    return execve(path, argv, env);
}

/* --- quick_exit ----------------------------------------------------------- */

/* Registered before those of the program, so it is the last to run. */
static void
end_quickly(void)
{
    const int status = weft_shim_finish_(-1);

    if (status != -1)
        weft_shim_real_.exit_now(status);
}

__attribute__((constructor)) static void
begin(void)
{
    weft_shim_self_();
    if (weft_shim_options_.on)
        at_quick_exit(end_quickly);
}
