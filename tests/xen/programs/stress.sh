# stress-ng's stressors of files, names and locks: each verifies what it does, for two seconds, in two processes.

D=/var/stress
mkdir -p $D && cd $D || exit
stress() { stress-ng --"$1" 2 --timeout 2s --verify --temp-path $D $2 && same "" "$(ls $D)"; }
for what in access chdir chmod chown dentry dir dirdeep dirmany dup fallocate fcntl file-ioctl filename flock fpunch fstat getdent hdd \
	iomix lease link locka lockf lockofd mknod open rename revio seek sendfile sockfd splice symlink sync-file touch utime xattr \
	chattr inode-flags msync; do
	case $what in
	fallocate | hdd | iomix | revio | sync-file | msync) size="--$what-bytes 4m" ;;
	seek) size="--seek-size 4m" ;;
	*) size= ;;
	esac
	check "stress-ng $what" stress $what "$size"
done
