#!/bin/bash
# What bash offers for stage0 at the press of a tab. TAP.
BUILD=${BUILD:-build}
PATH=$(realpath "$BUILD/stage0"):$PATH
. /usr/share/bash-completion/bash_completion
. scripts/dist/stage0.bash-completion
n=0 bad=0

# offers LINE WANTED: WANTED are patterns of words that must be among the offers; !WORD must not.
offers() {
	n=$((n + 1))
	COMP_LINE=$1 COMP_POINT=${#1}
	read -ra COMP_WORDS <<<"$1"
	[[ $1 != *" " ]] || COMP_WORDS+=("")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	_stage0 stage0 2>/dev/null
	for want in $2; do
		[[ " ${COMPREPLY[*]} " == *" ${want#!} "* ]] && found=1 || found=0
		[[ $want == !* ]] && found=$((1 - found))
		[ $found = 1 ] && continue
		bad=1
		echo "not ok $n - '$1' ($want of ${COMPREPLY[*]})"
		return
	done
	echo "ok $n - '$1'"
}
compopt() { :; } # there is no real completion going on

offers "stage0 " "run prepare run-prepared gc check help !--version"
offers "stage0 ru" "run run-prepared !gc"
offers "stage0 run --no" "--no-overlay !--net"
offers "stage0 run --vol" "--volume="
offers "stage0 list --f" "--full --format= !--no-legend"
offers "stage0 list --format=json" "json json-pretty"
offers "stage0 --debug stop --fo" "--force"
offers "stage0 run READM" "README.md"
offers "stage0 help tru" "trust"
echo "1..$n"
exit $bad
