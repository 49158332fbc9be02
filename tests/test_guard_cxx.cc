/* SPDX-License-Identifier: MIT */
/*
 * The guards and the inline calls as a C++ program gets them; ends with the
 * number of the line that is not true.
 */
#include <weft/guard.h>
#include <weft/mutex.h>
#include <weft/rmutex.h>

#include <stdio.h>
#include <stdlib.h>

#define CHECK(truth) ((truth) ? (void)0 : fail(__LINE__, #truth))

static weft_mutex m = WEFT_MUTEX_INIT;
static weft_rmutex r = WEFT_RMUTEX_INIT;

static void
fail(int line, const char *what)
{
    printf("line %d: not true: %s\n", line, what);
    exit(1);
}

static void
test_the_inline_calls()
{
    CHECK(weft_mutex_lock(&m) == WEFT_OK);
    CHECK(weft_mutex_trylock(&m) == WEFT_BUSY);
    CHECK(weft_mutex_lock(&m) == WEFT_DEADLOCK);
    CHECK(weft_mutex_unlock(&m) == WEFT_OK);
    CHECK(weft_mutex_unlock(&m) == WEFT_NOT_OWNER);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(weft_rmutex_depth(&r) == i);
        CHECK(weft_rmutex_lock(&r) == WEFT_OK);
    }
    for (uint32_t i = 3; i > 0; i--) {
        CHECK(weft_rmutex_depth(&r) == i);
        CHECK(weft_rmutex_unlock(&r) == WEFT_OK);
    }
    CHECK(weft_rmutex_unlock(&r) == WEFT_NOT_OWNER);
}

static int
leave_by_return()
{
    WEFT_WITH(&m)
    {
        WEFT_WITH(&r)
        {
            CHECK(weft_mutex_is_locked(&m));
            CHECK(weft_rmutex_depth(&r) == 1);
            return 1;
        }
    }
    return 2;
}

static void
test_every_way_out_releases()
{
    CHECK(leave_by_return() == 1);
    CHECK(!weft_mutex_is_locked(&m));
    CHECK(!weft_rmutex_is_locked(&r));
    int rounds = 0;
    for (int i = 0; i < 4; i++) {
        WEFT_WITH(&m)
        {
            if (i % 2 == 0)
                break;
            continue;
        }
        CHECK(!weft_mutex_is_locked(&m));
        rounds++;
    }
    CHECK(rounds == 4);
    WEFT_WITH(&m)
    {
        goto out;
    }
    CHECK(false);
out:
    CHECK(!weft_mutex_is_locked(&m));
}

static void
test_a_guard_holds_until_its_block_ends()
{
    for (int i = 0; i < 2; i++) {
        WEFT_GUARD(&m);
        WEFT_GUARD(&r);
        WEFT_GUARD(&r);
        CHECK(weft_mutex_is_locked(&m));
        CHECK(weft_rmutex_depth(&r) == 2);
        if (i == 0)
            continue;
        break;
    }
    CHECK(!weft_mutex_is_locked(&m));
    CHECK(!weft_rmutex_is_locked(&r));
}

static void
test_an_exception_releases()
{
    int caught = 0;

    try {
        WEFT_GUARD(&r);
        WEFT_WITH(&m)
        {
            throw 1;
        }
    } catch (int thrown) {
        caught = thrown;
    }
    CHECK(caught == 1);
    CHECK(!weft_mutex_is_locked(&m));
    CHECK(!weft_rmutex_is_locked(&r));
}

int
main()
{
    test_the_inline_calls();
    test_every_way_out_releases();
    test_a_guard_holds_until_its_block_ends();
    test_an_exception_releases();
    return 0;
}
