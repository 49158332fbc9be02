/* SPDX-License-Identifier: MIT */
/*
 * step_x86_64.c - single steps by the trap flag.
 *
 * With the trap flag set the processor raises a debug exception after each
 * instruction, which Linux turns into SIGTRAP.  The handler runs with the flag
 * clear; returning from it brings the flag back.
 *
 * ThreadSanitizer puts its own code before and behind each handler, and takes
 * locks in it that the interrupted instruction may hold: there a program cannot
 * step itself.
 *
 * A restartable sequence is started over by every signal that finds a thread in
 * it, so a stepped one never comes to its end and no signal can stop a thread
 * inside it.  The caller bounds the numbers of its stops; after the last one
 * the flag is off and the sequence runs through.
 *
 * Linux ends a process that traps with SIGTRAP blocked, and the start of a
 * thread, or its entry into a registry, blocks all signals for a moment: so the
 * system call that does this is given a set without SIGTRAP.  A thread that is
 * started inherits the flag, and loses it in the handler.
 */
#include "stall/step.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define TRAP_FLAG 0x100
#define SYSCALL   "\x0f\x05" /* the instruction */

/*
 * Calls call(arg) with the flag set.  It is no inline assembly within a
 * function, whose red zone a push would overwrite.
 */
void step_trapped_(void (*call)(void *), void *arg);
extern const char step_trapped_end_[];

__asm__(".text\n"
        ".type step_trapped_, @function\n"
        "step_trapped_:\n"
        "    .cfi_startproc\n"
        "    pushq %rbx\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    movq %rdi, %rax\n"
        "    movq %rsi, %rdi\n"
        "    pushfq\n"
        "    orl $0x100, (%rsp)\n"
        "    popfq\n"
        "    call *%rax\n"
        "    pushfq\n"
        "    andl $~0x100, (%rsp)\n"
        "    popfq\n"
        "    popq %rbx\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    ret\n"
        "    .cfi_endproc\n"
        "step_trapped_end_:\n"
        ".size step_trapped_, . - step_trapped_\n");

/* Of the one thread that steps; its handler reads what it wrote before. */
static const struct step *plan;
static unsigned long count;
static unsigned reached;
static struct sigaction before;
static pthread_t stepped; /* the thread */

/* What a system call blocks in the place of what it was given. */
static uint64_t blocked;
static greg_t given; /* 0: no such system call is under way */

extern void __tsan_init(void) __attribute__((weak));

uintptr_t
step_place(const void *ucontext)
{
    const ucontext_t *u = ucontext;

    return (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
}

/* If the next instruction is the system call that blocks signals: not ours. */
static void
spare_the_trap(greg_t *registers)
{
    const void *next = (const void *)registers[REG_RIP];
    const void *set = (const void *)registers[REG_RSI];

    if (memcmp(next, SYSCALL, 2) != 0 ||
        registers[REG_RAX] != SYS_rt_sigprocmask ||
        registers[REG_RDI] == SIG_UNBLOCK || set == NULL)
        return;
    memcpy(&blocked, set, sizeof(blocked));
    blocked &= ~(UINT64_C(1) << (SIGTRAP - 1));
    given = registers[REG_RSI];
    registers[REG_RSI] = (greg_t)&blocked;
}

static void
trapped(int number, siginfo_t *info, void *ucontext)
{
    ucontext_t *u = ucontext;
    const uintptr_t place = step_place(u);

    (void)number;
    (void)info;
    if (place >= (uintptr_t)&step_trapped_ &&
        place < (uintptr_t)step_trapped_end_) {
        u->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG; /* it has returned */
        return;
    }
    if (!pthread_equal(pthread_self(), stepped)) {
        u->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
        return;
    }
    if (given != 0)
        u->uc_mcontext.gregs[REG_RSI] = given;
    given = 0;
    count++;
    if (reached < STEP_STOPS && count == plan->stops[reached]) {
        reached++;
        plan->stopped(plan->context, place);
    }
    if (reached == STEP_STOPS || plan->stops[reached] == 0)
        u->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    else
        spare_the_trap(u->uc_mcontext.gregs);
}

void
step_begin(void)
{
    struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO};

    sigemptyset(&action.sa_mask);
    sigaction(SIGTRAP, &action, &before);
}

void
step_end(void)
{
    sigaction(SIGTRAP, &before, NULL);
}

unsigned
step_call(const struct step *s, void (*call)(void *), void *arg)
{
    plan = s;
    count = 0;
    reached = 0;
    given = 0;
    stepped = pthread_self();
    if (s->stops[0] == 0)
        call(arg);
    else
        step_trapped_(call, arg);
    return reached;
}

static void
count_stop(void *context, uintptr_t place)
{
    (void)place;
    ++*(unsigned *)context;
}

static void
do_nothing(void *arg)
{
    (void)arg;
}

bool
step_works(void)
{
    unsigned stops = 0;
    const struct step s = {
        .stops = {1}, .stopped = count_stop, .context = &stops};

    if (&__tsan_init != NULL)
        return false;
    step_call(&s, do_nothing, NULL);
    return stops == 1;
}
