# Images of docker and OCI run as pods: see ../make-oci for what is in these two. And what is not signed does
# not run.

t_what_docker_saves_runs() {
	pod app-docker.tar >$OUT/stdout 2>$OUT/stderr
	expect status 0 $? && bare $OUT/stdout &&
		expect stdout "hello from a layer 1000 1000" "$(echo $(cat $OUT/stdout))"
}

t_a_layout_runs_with_its_user_and_environment() {
	pod app-layout:v1 --exec=/bin/sh -- -c 'id -u; id -g; echo $GREETING; pwd; ls /etc/removed /etc/group' \
		>$OUT/stdout 2>$OUT/stderr
	bare $OUT/stdout
	expect stdout "7 8 hi /tmp /etc/group" "$(echo $(cat $OUT/stdout))" &&
		expect stderr 1 "$(grep -c '/etc/removed: No such file' $OUT/stderr)"
}

t_unsigned_images_are_refused_by_default() {
	stage0 run --net=none --dir=$DATA --stage1-path=$STAGE1 $IMAGE >$OUT/stdout 2>$OUT/stderr
	expect status 254 $? &&
		expect stderr "stage0: image $STAGE1: no signature $STAGE1.asc: sign it, or use --insecure-options=image" \
			"$(cat $OUT/stderr)" && expect "a pod" "" "$(ls $DATA 2>/dev/null)"
}
