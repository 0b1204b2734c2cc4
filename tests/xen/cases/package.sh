# The Debian package on a host with Xen: what it installs works, and all of it goes again.

t_the_package() {
	dpkg -i /job/stage1-xen_*.deb >$OUT/dpkg 2>&1 || { sed 's/^/# /' $OUT/dpkg; return 1; }
	dpkg -L stage1-xen | while read -r file; do [ -d "$file" ] || echo "$file"; done >$OUT/files
	expect "stage0" "/usr/bin/stage0" "$(grep -x /usr/bin/stage0 $OUT/files)" || return 1
	PATH=/usr/bin:/usr/sbin:/bin:/sbin stage0 run --insecure-options=image --net=none --dir=$DATA \
		--uuid-file-save=$OUT/uuid $IMAGE -- -c 'echo from the package; exit 5' >$OUT/stdout 2>$OUT/stderr
	echo $? >$OUT/status
	bare $OUT/stdout
	expect "status, stdout" "5 from the package" "$(status) $(cat $OUT/stdout)" || return 1
	verb rm "$(uuid)" >/dev/null || return 1
	dpkg -P stage1-xen >$OUT/dpkg 2>&1 || { sed 's/^/# /' $OUT/dpkg; return 1; }
	expect "files left" "" "$(while read -r file; do [ ! -e "$file" ] || echo "$file"; done <$OUT/files)" &&
		expect "known to dpkg" "" "$(dpkg -l stage1-xen 2>/dev/null | grep ^[a-z]i)"
}
