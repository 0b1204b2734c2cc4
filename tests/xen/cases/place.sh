# Where in the host a pod's vCPUs run.

# affinity: of each vCPU of the pod, hard and soft
affinity() { xl vcpu-list "rkt-$(uuid)" | awk 'NR > 1 { print $7, $8, $9 }' | sort -u; }

t_place_on_cpus_and_in_a_pool() {
	sh_pod 'echo no' --pod-annotation=stage1-xen/cpus=0,9
	expect_refused "annotation 'stage1-xen/cpus': the host has no CPU 9 for pods" || return 1
	sh_pod 'echo no' --pod-annotation=stage1-xen/cpupool=pods
	expect_refused "annotation 'stage1-xen/cpupool': 'pods' is none of Xen's cpupools (see xl cpupool-list)" || return 1
	start 'echo up; sleep 1000' --pod-annotation=stage1-xen/cpus=1 --pod-annotation=stage1-xen/vcpus=1 || return 1
	expect "affinity" "1 / all" "$(affinity)" || { xl vcpu-list; return 1; }
	stage0 stop --dir=$DATA "$(uuid)" >/dev/null
	finish
	expect status 0 "$(status)" || return 1
	xl cpupool-cpu-remove Pool-0 1 && xl cpupool-create 'name="pods"' 'cpus="1"' >/dev/null || return 1
	start 'echo up; sleep 1000' --pod-annotation=stage1-xen/cpupool=pods
	in_pool=$(xl list -c "rkt-$(uuid)" | awk 'NR == 2 { print $NF }')
	sh_pod 'echo no' --pod-annotation=stage1-xen/cpupool=pods --pod-annotation=stage1-xen/cpus=0
	refused=$(grep '^stage1 run:' $OUT/stderr)
	for pod in "$DATA"/pods/run/*; do
		stage0 stop --dir=$DATA "${pod##*/}"
	done >/dev/null
	wait $started
	ended=$?
	xl cpupool-destroy pods && xl cpupool-cpu-add Pool-0 1 || return 1
	expect "pool" pods "$in_pool" && expect status 0 $ended &&
		expect "refused" "stage1 run: annotation 'stage1-xen/cpus': CPU 0 is not in the cpupool 'pods'" "$refused"
}
