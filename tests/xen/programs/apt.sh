# apt and dpkg: what is installed is what was packed, and what is removed is gone.

PACKAGES="hello jq libjq1 libonig5 tree"
debs() { for p; do echo /debs/${p}_*.deb; done; }
installs() {
	apt-get install -y --no-install-recommends $(debs $PACKAGES) && apt-get check && same "" "$(dpkg --audit)"
}
is_whole() {
	same 5 "$(dpkg-query -W -f '${Status}\n' $PACKAGES | grep -c '^install ok installed$')" || return 1
	# what the image's path-excludes keep away is missing by intent
	dpkg -V $PACKAGES | grep -v '^missing' && return 1
	same 'Hello, world!' "$(hello)" && echo '{"a": [1, 2]}' | jq -e '.a[1] == 2'
}
again() {
	apt-get install -y --reinstall --no-install-recommends $(debs hello tree) && is_whole
}
removes() {
	apt-get purge -y hello jq && ! [ -e /usr/bin/hello ] && ! [ -e /usr/share/doc/hello ] && ! dpkg -s hello && same "" "$(dpkg --audit)"
}
check "apt-get installs packages" installs
check "their files are those of the packages, and run" is_whole
check "apt-get installs over what is there" again
check "apt-get purges" removes
