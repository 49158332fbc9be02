#!/bin/sh
# SPDX-License-Identifier: MIT
# count_tests.sh - counts what the test programs of build folders said, over
# all of them, in one line.
#
#   usage: count_tests.sh BUILD-DIR...
set -eu
for dir in "$@"; do
    find "$dir" -path '*/tests/*' -name '*.log' -not -name test-suite.log
done | sort | xargs -r awk '
    # Check: "97%: Checks: 31, Failures: 1, Errors: 0"
    /^[0-9]+%: Checks: / {
        gsub(/,/, "")
        failed += $5 + $7
        passed += $3 - $5 - $7
    }
    # Test Anything Protocol
    /^ok [0-9]+/ { if ($0 ~ /# SKIP/) skipped++; else passed++ }
    /^not ok [0-9]+/ { failed++ }
    # A program that ended without a word, as the harness of Automake says.
    /^(FAIL|ERROR) [^ ]+ \(exit status: / { ended[FILENAME] = 1 }
    END {
        for (f in ended)
            silent++
        if (failed == 0)
            failed = silent + 0
        printf "%d passed, %d failed", passed, failed
        if (skipped)
            printf ", %d skipped", skipped
        print ""
    }'
