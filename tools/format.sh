#!/bin/sh
# SPDX-License-Identifier: MIT
# format.sh - brings every C file to the layout of .clang-format; with --check
# it changes nothing and fails when a file differs.
set -eu
cd "$(dirname "$0")/.."
: "${CLANG_FORMAT:=clang-format}"
command -v "$CLANG_FORMAT" >/dev/null || {
    echo "format.sh: $CLANG_FORMAT not found: install the package clang-format" >&2
    exit 1
}
files=$(find include src stress tests examples -name '*.[ch]' | sort)
case ${1-} in
--check) exec "$CLANG_FORMAT" --dry-run --Werror $files ;;
"") exec "$CLANG_FORMAT" -i $files ;;
*)
    echo "usage: tools/format.sh [--check]" >&2
    exit 2
    ;;
esac
