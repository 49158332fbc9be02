#!/bin/sh
# SPDX-License-Identifier: MIT
# check_install.sh - what was installed is what a user needs: programs in C and
# C++ build with nothing but pkg-config, against the shared and the static
# library, and run; `make installcheck` gives the folders in the environment.
set -eu
: "${CC:=cc}" "${CXX:=c++}" "${PKG_CONFIG:=pkg-config}" "${RUN=}" "${DESTDIR=}"
here=$(cd "$(dirname "$0")" && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

fail() {
    echo "installcheck: $*"
    exit 1
}

PKG_CONFIG_PATH=$DESTDIR$pkgconfigdir${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
weft() { # ask pkg-config, as if DESTDIR were the root for Weft alone
    $PKG_CONFIG --define-variable=prefix="$DESTDIR$prefix" \
        --define-variable=libdir="$DESTDIR$libdir" \
        --define-variable=includedir="$DESTDIR$includedir" "$@" weft
}

# Headers: those and no others, each alone; and the symbols.
for header in $headers; do
    [ -f "$DESTDIR$includedir/weft/${header##*/}" ] ||
        fail "${header##*/} is not installed"
done
[ "$(ls "$DESTDIR$includedir/weft" | wc -l)" = "$(echo $headers | wc -w)" ] ||
    fail "headers that no list names are installed"
"$here/check_headers.sh" "$DESTDIR$includedir"
library=
if [ "$shared" = yes ]; then
    library=$DESTDIR$libdir/libweft.so
    readelf -d "$library" | grep -q 'SONAME.*libweft\.so\.[0-9]' ||
        fail "the shared library has no soname"
fi
"$here/check_symbols.sh" "$srcdir/src/weft.map" "$DESTDIR$includedir" $library

# A program, in both languages.
cat >"$temp/user.c" <<'C'
#include <stdio.h>
#include <weft/weft.h>

int
main(void)
{
    weft_ring *ring;
    int job = 42;
    void *item = NULL;

    if (weft_ring_create(&ring, 3, WEFT_LOCKFREE) != WEFT_OK)
        return 1;
    if (weft_ring_push(ring, &job) != WEFT_OK ||
        weft_ring_pop(ring, &item) != WEFT_OK || item != &job)
        return 2;
    weft_ring_destroy(ring);
    printf("%s\n", weft_version());
    return 0;
}
C
cp "$temp/user.c" "$temp/user.cc"
version=$(weft --modversion)

# try NAME COMPILER SOURCE FLAGS...: builds and runs one
try() {
    name=$1 compiler=$2 source=$3
    shift 3
    $compiler -Wall -Wextra -Werror -o "$temp/$name" "$temp/$source" "$@" ||
        fail "$name does not build"
    said=$(LD_LIBRARY_PATH=$DESTDIR$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
        $RUN "$temp/$name") || fail "$name ends with $?"
    [ "$said" = "$version" ] || fail "$name said '$said', not '$version'"
    echo "installcheck: $name runs"
}

if [ "$shared" = yes ]; then
    case $(weft --libs) in
    *urcu* | *lck*) fail "a program would link what only the library needs" ;;
    esac
    try c-shared "$CC -std=c11" user.c $(weft --cflags --libs)
    try c++-shared "$CXX -std=c++11" user.cc $(weft --cflags --libs)
    readelf -d "$temp/c-shared" | grep -q 'NEEDED.*libweft\.so\.[0-9]' ||
        fail "the shared library is not what the program links"
fi
if [ "$static" = yes ]; then
    [ -f "$DESTDIR$libdir/libweft.a" ] || fail "no static library"
    try c-static "$CC -std=c11 -static" user.c \
        $(weft --static --cflags --libs)
    try c++-static "$CXX -std=c++11 -static" user.cc \
        $(weft --static --cflags --libs)
fi

# The program of the README, by the line that the README gives.
if [ "$shared" = yes ] && [ -z "$DESTDIR" ]; then
    sed -n '/^```c$/,/^```$/p' "$srcdir/README.md" | sed '1d;$d' \
        >"$temp/first.c"
    line=$(sed -n 's/^    \(cc first\.c .*\)/\1/p' "$srcdir/README.md")
    [ -n "$line" ] || fail "the README has no line that builds its program"
    (cd "$temp" && eval "$line") || fail "the README's program does not build"
    LD_LIBRARY_PATH=$libdir $RUN "$temp/first" | grep -q '^20000000 ' ||
        fail "the README's program counts wrong"
    echo "installcheck: the program of the README runs"
fi

# The harness and its manual, the examples.
LD_LIBRARY_PATH=$DESTDIR$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
    $RUN "$DESTDIR$bindir/weft-stress" list >"$temp/list" ||
    fail "weft-stress list ends with $?"
grep -q race "$temp/list" || fail "weft-stress list names no race"
if [ -z "$RUN" ] && [ -x "$DESTDIR$bindir/weft-deadlock" ]; then
    $RUN "$DESTDIR$bindir/weft-deadlock" sh -c 'exit 7' && fail "no status"
    [ $? = 7 ] || fail "weft-deadlock does not run a program"
fi
for page in "$srcdir"/doc/man/*.[1-9]; do
    [ -f "$DESTDIR$mandir/man${page##*.}/${page##*/}" ] ||
        fail "${page##*/} is not installed"
done
for example in "$srcdir"/examples/*.c; do
    [ -f "$DESTDIR$docdir/examples/${example##*/}" ] ||
        fail "the example ${example##*/} is not installed"
done
echo "installcheck: all is there"
