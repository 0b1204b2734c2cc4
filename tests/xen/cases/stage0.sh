# What only stage0's command line can show on real Xen: several apps on one line, each with its flags, and
# pods whose layers lie over trees that pods share, as rkt's do by default.

t_stage0_two_apps_and_overlays() {
	modprobe overlay 2>/dev/null
	pod --no-overlay=false --volume=v,kind=empty,mode=1777 --mount=volume=v,target=/v --set-env=S=set \
		--hostname=duo --hosts-entry=10.0.0.1=gate \
		$IMAGE --name=one --environment=E=one --mount=volume=v,target=/own/../v/ \
		-- -c 'until [ -e /v/done ]; do sleep 0.1; done; cat /v/two; echo "$E $S $(hostname)"; grep gate /etc/hosts; echo mine >/written; exit 3' \
		--- $IMAGE --name=two --user=1000 --group=33 --supplementary-gids=7 --readonly-rootfs \
		-- -c 'echo "$(id -u) $(id -G) $E$S" >/v/two; (echo x >/tmp/x) 2>&1 | grep -o "Read-only file system" >>/v/two
			echo >/v/done' >$OUT/stdout 2>$OUT/stderr
	echo $? >$OUT/status
	bare $OUT/stdout
	expect status 3 "$(status)" && expect stdout "1000 33 7 set
Read-only file system
one set duo
10.0.0.1 gate" "$(cat $OUT/stdout)" || return 1
	dir=$(poddir)
	id=$(cat $dir/appsinfo/one/treeStoreID)
	expect trees 2 "$(ls $DATA/cas/tree | wc -l)" &&
		expect written "mine" "$(cat $dir/overlay/$id/upper/one/written)" &&
		expect tree "" "$(ls $DATA/cas/tree/$id/rootfs/written 2>/dev/null)" &&
		expect codes "app-one=3 app-two=0" "$(echo $(stage0 status --dir=$DATA $(uuid) | grep ^app-))" || return 1
	stage0 rm --dir=$DATA $(uuid) 2>>$OUT/stderr && expect pods "" "$(find $DATA/pods -mindepth 2)"
}
