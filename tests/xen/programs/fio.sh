# fio and dbench: what was written is read again, by each way to do it.

D=/var/fio
mkdir -p $D
verify() { # NAME OPTIONS...
	name=$1
	shift
	fio --name=$name --directory=$D --size=3m --bs=4k --rw=randwrite --verify=crc32c --verify_fatal=1 --do_verify=1 \
		--group_reporting --minimal "$@"
	ret=$?
	rm -f $D/$name.*
	return $ret
}
check "fio: pwrite through the cache, fsync" verify psync --ioengine=psync --fsync=16
check "fio: O_DIRECT" verify direct --ioengine=psync --direct=1
check "fio: libaio, O_DIRECT, 16 deep" verify aio --ioengine=libaio --direct=1 --iodepth=16
check "fio: shared writable mappings" verify mmap --ioengine=mmap
check "fio: odd sizes, four jobs" verify odd --ioengine=psync --numjobs=4 --size=1m --bsrange=512-17k --bs_unaligned
check "dbench, 4 clients" dbench -c /usr/share/dbench/client.txt -t 20 -D $D 4
