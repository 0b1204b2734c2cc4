# Images of docker and OCI run as pods: see ../make-oci for what is in these two.

t_what_docker_saves_runs() {
	pod app-docker.tar >$OUT/stdout 2>$OUT/stderr
	expect status 0 $? && expect stdout "hello from a layer" "$(cat $OUT/stdout)"
}

t_a_layout_runs_with_its_user_and_environment() {
	pod app-layout:v1 --exec=/bin/sh -- -c 'id -u; id -g; echo $GREETING; pwd; ls /etc/removed /etc/group' \
		>$OUT/stdout 2>$OUT/stderr
	expect stdout "7 8 hi /tmp /etc/group" "$(echo $(cat $OUT/stdout))" &&
		expect stderr 1 "$(grep -c '/etc/removed: No such file' $OUT/stderr)"
}
