#!/bin/sh
# SPDX-License-Identifier: MIT
# test_soak.sh - `weft-stress soak sync`, `soak containers` and `soak pool` through
# the command line, for some seconds.  That their checks can fail is shown by
# test_soak_sync, test_soak_containers and test_soak_pool.
: "${srcdir:=$(dirname "$0")/..}"
. "$srcdir/tests/tap.sh"
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

soak() { # OPTIONS...
    # shellcheck disable=SC2086 # RUN may be an emulator with options
    ${RUN-} ./weft-stress soak sync "$@"
}

all() { # a row for each primitive, and all of them ok
    soak --duration 5 --csv "$temp/all.csv" >"$temp/out" || {
        cat "$temp/out"
        return 1
    }
    soak --help | sed -n 's/.*sync: which of \([a-z,]*\);.*$/\1/p' | grep rmutex |
        tr , '\n' >"$temp/names"
    [ "$(wc -l <"$temp/names")" -ge 10 ] || return 1
    while read -r name; do
        grep -q "^sync,sync,$name,[0-9]*,[1-9].*,ok," "$temp/all.csv" || {
            echo "no turn of $name:"
            cat "$temp/all.csv"
            return 1
        }
    done <"$temp/names"
}
ok "each primitive keeps what it promises" all
ok "the seed comes first" eval 'head -n 1 "$temp/out" | grep "^seed "'
ok "the verdict has counts and the seed" \
    grep -q '^soak sync: ok: [0-9]* held, 0 failed, .* turns in .* seed 0x' \
    "$temp/out"
ok "the replay command comes last" eval 'tail -n 1 "$temp/out" |
    grep "^replay .* soak sync --duration 5 --seed 0x[0-9a-f]*$"'

only() {
    soak --only once,barrier --threads 3,5 --duration 0.4 \
        --csv "$temp/only.csv" >/dev/null || return 1
    [ "$(grep -c '^sync,sync,\(once\|barrier\),[35],' "$temp/only.csv")" = 4 ] &&
        ! grep -q mutex "$temp/only.csv"
}
ok "only: those, and with each number of threads" only
fails "only: a name that none has" soak --only mutex,nonesuch

contain() { # OPTIONS...
    # shellcheck disable=SC2086 # RUN may be an emulator with options
    ${RUN-} ./weft-stress soak containers "$@"
}

every() { # a row for each form of each container, and all of them ok
    contain --duration 10 --seed 0x5eed --csv "$temp/every.csv" >"$temp/out" || {
        cat "$temp/out"
        return 1
    }
    for name in deque fifo/lockfree fifo/lockless fifo/mutex \
        heap/compare/lockfree heap/compare/mutex \
        heap/keyed/lockfree heap/keyed/mutex queue/fifo/lockfree/bounded \
        queue/fifo/lockfree/unbounded queue/fifo/lockless/bounded \
        queue/fifo/lockless/unbounded queue/fifo/mutex/bounded \
        queue/fifo/mutex/unbounded queue/lifo/lockfree/bounded \
        queue/lifo/lockfree/unbounded queue/lifo/lockless/bounded \
        queue/lifo/lockless/unbounded queue/lifo/mutex/bounded \
        queue/lifo/mutex/unbounded queue/priority/lockfree/bounded \
        queue/priority/lockfree/unbounded queue/priority/lockless/bounded \
        queue/priority/lockless/unbounded queue/priority/mutex/bounded \
        queue/priority/mutex/unbounded ring/lockfree ring/lockless \
        ring/mutex spsc/lockfree spsc/mutex stack/lockfree stack/mutex; do
        grep -q "^containers,containers,$name,[0-9]*,[1-9].*,ok," \
            "$temp/every.csv" || {
            echo "no turn of $name:"
            cat "$temp/every.csv"
            return 1
        }
    done
}
ok "each container keeps what it promises" every
ok "containers: the verdict has counts and the seed" \
    grep -q '^soak containers: ok: [0-9]* held, 0 failed, .* seed 0x5eed$' \
    "$temp/out"
ok "containers: the replay command comes last" eval 'tail -n 1 "$temp/out" |
    grep "^replay .* soak containers --duration 10 --seed 0x5eed$"'

some() { # a family, and one form of another
    contain --only ring,spsc/mutex --threads 2,5 --duration 0.8 \
        --csv "$temp/some.csv" >/dev/null || return 1
    [ "$(grep -c '^containers,containers,ring/[a-z]*,[25],' \
        "$temp/some.csv")" = 6 ] &&
        [ "$(grep -c '^containers,containers,spsc/mutex,[25],' \
            "$temp/some.csv")" = 2 ] &&
        ! grep -q spsc/lockfree "$temp/some.csv"
}
ok "containers: only a family, only a form" some
fails "containers: a form that none has" contain --only ring/nonesuch
fails "containers: only what is none" contain --only mutex
fails "sync: only what is none" soak --only ring

pools() { # a row for each form and number of workers, and all of them ok
    # shellcheck disable=SC2086
    ${RUN-} ./weft-stress soak pool --duration 3 --csv "$temp/pool.csv" \
        >"$temp/out" || {
        cat "$temp/out"
        return 1
    }
    for name in lockfree/1 lockfree/2 lockfree/8 mutex/1 mutex/2 mutex/8; do
        grep -q "^pool,pool,$name,[0-9]*,[1-9].*,ok," "$temp/pool.csv" || {
            echo "no turn of $name:"
            cat "$temp/pool.csv"
            return 1
        }
    done
}
ok "each pool keeps what it promises" pools

flat() { # a tenth of what the page shows, by four threads
    # shellcheck disable=SC2086
    ${RUN-} ./weft-stress soak fifo --items 2 --threads 4 \
        --csv "$temp/fifo.csv" >"$temp/out" || {
        cat "$temp/out"
        return 1
    }
    for form in lockfree lockless mutex; do
        [ "$(grep -c "^soak,fifo,$form,.*,ok," "$temp/fifo.csv")" = 10 ] || {
            cat "$temp/fifo.csv"
            return 1
        }
    done
}
ok "fifo: memory stays where it is" flat
tap_end
