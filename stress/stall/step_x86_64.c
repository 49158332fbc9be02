/* SPDX-License-Identifier: MIT */
/*
 * step_x86_64.c - single steps by the trap flag.
 *
 * With the trap flag set the processor raises a debug exception after each
 * instruction, which Linux turns into SIGTRAP.  The handler runs with the flag
 * clear; returning from it brings the flag back.
 *
 * The signal is installed by the system call, not by sigaction(): that of
 * ThreadSanitizer would run its own code before ours, and it takes locks that
 * the interrupted instruction may hold.  The kernel wants a restorer then.
 *
 * A restartable sequence is started over by every signal that finds a thread in
 * it, so a stepped one never comes to its end and no signal can stop a thread
 * inside it.  The caller bounds the numbers of its stops; after the last one
 * the flag is off and the sequence runs through.
 */
#include "stall/step.h"

#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <weft/ring.h>

#define TRAP_FLAG   0x100
#define SA_RESTORER 0x04000000

/*
 * step_trapped calls call(arg) with the flag set.  It is no inline assembly
 * within a function, whose red zone a push would overwrite.
 */
void step_trapped_(void (*call)(void *), void *arg);
void step_restorer_(void);
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
        ".size step_trapped_, . - step_trapped_\n"
        ".type step_restorer_, @function\n"
        "step_restorer_:\n"
        "    movl $15, %eax\n" /* rt_sigreturn */
        "    syscall\n"
        ".size step_restorer_, . - step_restorer_\n");

/* What the kernel takes, not what sigaction() does. */
struct kernel_action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

/* Of the one thread that steps; its handler reads what it wrote before. */
static const struct step *plan;
static unsigned long count;
static unsigned reached;
static uintptr_t first; /* only from here */
static uintptr_t end;   /* to before here; 0: everywhere */
static struct kernel_action before;

extern void __tsan_init(void) __attribute__((weak));

uintptr_t
step_place(const void *ucontext)
{
    const ucontext_t *u = ucontext;

    return (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
}

__attribute__((no_sanitize("thread"))) static void
trapped(int number, siginfo_t *info, void *ucontext)
{
    ucontext_t *u = ucontext;
    const uintptr_t place = (uintptr_t)u->uc_mcontext.gregs[REG_RIP];

    (void)number;
    (void)info;
    if (place >= (uintptr_t)&step_trapped_ &&
        place < (uintptr_t)step_trapped_end_) {
        u->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG; /* it has returned */
        return;
    }
    if (end != 0 && (place < first || place >= end))
        return;
    count++;
    if (reached < STEP_STOPS && count == plan->stops[reached]) {
        reached++;
        plan->stopped(plan->context, place);
    }
    if (reached == STEP_STOPS || plan->stops[reached] == 0)
        u->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

/* Find the executable part of the object that holds the library's code. */
static int
find_library(struct dl_phdr_info *info, size_t size, void *unused)
{
    const uintptr_t inside = (uintptr_t)&weft_ring_push;

    (void)size;
    (void)unused;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        const uintptr_t from = info->dlpi_addr + p->p_vaddr;

        if (p->p_type == PT_LOAD && (p->p_flags & PF_X) != 0 &&
            inside >= from && inside < from + p->p_memsz) {
            first = from;
            end = from + p->p_memsz;
            return 1;
        }
    }
    return 0;
}

bool
step_is_filtered(void)
{
    return &__tsan_init != NULL;
}

void
step_begin(void)
{
    const struct kernel_action action = {
        .handler = trapped,
        .flags = SA_SIGINFO | SA_RESTORER,
        .restorer = step_restorer_,
    };

    if (step_is_filtered())
        dl_iterate_phdr(find_library, NULL);
    syscall(SYS_rt_sigaction, SIGTRAP, &action, &before, sizeof(action.mask));
}

void
step_end(void)
{
    syscall(SYS_rt_sigaction, SIGTRAP, &before, NULL, sizeof(before.mask));
}

unsigned
step_call(const struct step *s, void (*call)(void *), void *arg)
{
    plan = s;
    count = 0;
    reached = 0;
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
probe(void *arg)
{
    (void)!weft_ring_capacity(arg);
}

bool
step_works(void)
{
    weft_ring *r;
    unsigned stops = 0;
    const struct step s = {
        .stops = {1}, .stopped = count_stop, .context = &stops};

    /* Where the runtime lies in the same object it cannot be passed over. */
    if (step_is_filtered()) {
        Dl_info library;
        Dl_info runtime;
        if (dladdr((void *)(uintptr_t)&weft_ring_push, &library) == 0 ||
            dladdr((void *)(uintptr_t)&__tsan_init, &runtime) == 0 ||
            library.dli_fbase == runtime.dli_fbase)
            return false;
    }
    if (weft_ring_create(&r, 1, WEFT_MUTEX) != WEFT_OK)
        return false;
    step_begin();
    step_call(&s, probe, r);
    step_end();
    weft_ring_destroy(r);
    return stops == 1;
}
