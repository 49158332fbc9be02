# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# tap.sh - for shell tests, to be sourced: each `ok NAME COMMAND…` is one test,
# which passes when the command ends with 0; `fails NAME COMMAND…` when it ends
# with anything else; `skip NAME WHY` is a test left out.  End with `tap_end`.
tap_count=0
tap_failed=0

tap_result() { # STATUS NAME
    tap_count=$((tap_count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $tap_count - $2"
    else
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_count - $2"
    fi
}

ok() { # NAME COMMAND...
    tap_name=$1
    shift
    tap_status=0
    tap_output=$("$@" 2>&1) || tap_status=$?
    [ -z "$tap_output" ] || printf '%s\n' "$tap_output" | sed 's/^/# /'
    tap_result "$tap_status" "$tap_name"
}

fails() { # NAME COMMAND...
    tap_name=$1
    shift
    tap_status=0
    tap_output=$("$@" 2>&1) || tap_status=$?
    [ -z "$tap_output" ] || printf '%s\n' "$tap_output" | sed 's/^/# /'
    if [ "$tap_status" = 0 ]; then
        tap_result 1 "$tap_name"
    else
        tap_result 0 "$tap_name"
    fi
}

skip() { # NAME WHY
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

tap_end() {
    echo "1..$tap_count"
    [ "$tap_failed" = 0 ]
}
