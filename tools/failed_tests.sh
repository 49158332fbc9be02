#!/bin/sh
# SPDX-License-Identifier: MIT
# failed_tests.sh - which test programs failed in a build folder, one a line,
# and what each said of it; ends with 1 if a sanitizer spoke in one of them.
#
#   usage: failed_tests.sh [--names] BUILD-DIR
set -eu
names=
[ "$1" != --names ] || {
    names=1
    shift
}
dir=$1
[ -d "$dir/tests" ] || exit 0
said='^not ok|:[FE]:|Assertion|[Ee]xpected|ERROR|runtime error|exit status'
sanitizer='(Thread|Address|Leak|UndefinedBehavior)Sanitizer|runtime error:'
status=0
for result in $(find "$dir/tests" -name '*.trs' | sort |
    xargs -r grep -lE '^:global-test-result: (FAIL|ERROR|XPASS)'); do
    test=${result%.trs}
    echo "${test#"$dir"/}"
    ! grep -qE "$sanitizer" "$test.log" || status=1
    [ -n "$names" ] || grep -E "$said" "$test.log" | tail -n 12 | cut -c1-160
done
exit "$status"
