#!/bin/sh
# Every C file of ours goes through the other compiler too, with the same warnings. TAP. CORPUS is the one
# macro that single files get (tests/fuzz.mk); $BUILD/clang.flags holds the rest, one a line.
flags=$(cat "${BUILD:-build}/clang.flags") || exit 1
files=$(find stage0 stage1 init scripts tests -name '*.c' | sort)
# shellcheck disable=SC2086 # words are meant
said=$(echo "$files" | xargs -P "$(nproc)" -n 8 clang -fsyntax-only -Wno-unused-command-line-argument \
	-DCORPUS=\"\" $flags 2>&1)
status=$?
if [ $status -eq 0 ] && [ -z "$said" ]; then
	echo "ok 1 - clang has nothing to say about $(echo "$files" | wc -l) files"
else
	echo "not ok 1 - clang complains"
	echo "$said" | sed 's/^/# /'
fi
echo 1..1
[ $status -eq 0 ] && [ -z "$said" ]
