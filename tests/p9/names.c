/* Extended attributes, ACLs and file capabilities. See p9test.h. */
#include "tests/p9/p9test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MUST(cond) \
	do { \
		if (!(cond)) { \
			printf("line %d: %s does not hold: %s\n", __LINE__, #cond, strerror(errno)); \
			exit(1); \
		} \
	} while (0)

#define FAILS(call, why) MUST((call) < 0 && errno == (why))

/* An access ACL as the kernel has it: user, user 1000, group, mask, others. */
static const uint8_t acl[] = { 2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xe8, 3, 0, 0, 4, 0, 4, 0, 255, 255,
	255, 255, 0x10, 0, 4, 0, 255, 255, 255, 255, 0x20, 0, 0, 0, 255, 255, 255, 255 };

static void user_attributes(const char *f)
{
	static char big[60000];
	char v[60000];

	FAILS(getxattr(f, "user.a", v, sizeof(v)), ENODATA);
	MUST(setxattr(f, "user.a", "one", 3, XATTR_CREATE) == 0);
	FAILS(setxattr(f, "user.a", "two", 3, XATTR_CREATE), EEXIST);
	MUST(setxattr(f, "user.a", "three", 5, XATTR_REPLACE) == 0);
	MUST(getxattr(f, "user.a", v, sizeof(v)) == 5 && !memcmp(v, "three", 5));
	FAILS(getxattr(f, "user.a", v, 4), ERANGE);
	MUST(setxattr(f, "user.empty", "", 0, 0) == 0 && getxattr(f, "user.empty", v, sizeof(v)) == 0);
	MUST(listxattr(f, v, sizeof(v)) == 18);
	MUST(removexattr(f, "user.a") == 0);
	FAILS(removexattr(f, "user.a"), ENODATA);
	FAILS(setxattr(f, "user.none", "x", 1, XATTR_REPLACE), ENODATA);
	FAILS(setxattr(f, "user.big", big, sizeof(big), 0), ENOSPC); /* of ext4, whose block is smaller */
	MUST(removexattr(f, "user.empty") == 0 && listxattr(f, v, sizeof(v)) == 0);
}

static void unlinked(const char *f)
{
	int fd = open(f, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	struct stat st;
	char v[10];

	MUST(fd >= 0 && unlink(f) == 0);
	MUST(fsetxattr(fd, "user.late", "v", 1, 0) == 0 && fgetxattr(fd, "user.late", v, sizeof(v)) == 1);
	MUST(write(fd, "text", 4) == 4 && ftruncate(fd, 2) == 0 && fchmod(fd, 0600) == 0 && fchown(fd, 3, 4) == 0);
	MUST(fstat(fd, &st) == 0 && st.st_size == 2 && st.st_uid == 3 && st.st_gid == 4 && (st.st_mode & 07777) == 0600);
	MUST(pread(fd, v, sizeof(v), 0) == 2 && !memcmp(v, "te", 2) && fsync(fd) == 0 && close(fd) == 0);
}

static void acls(const char *f)
{
	uint8_t v[100];
	struct stat st;

	MUST(setxattr(f, "system.posix_acl_access", acl, sizeof(acl), 0) == 0);
	MUST(getxattr(f, "system.posix_acl_access", v, sizeof(v)) == sizeof(acl) && !memcmp(v, acl, sizeof(acl)));
	MUST(stat(f, &st) == 0 && (st.st_mode & 0777) == 0640);
	MUST(removexattr(f, "system.posix_acl_access") == 0);
	FAILS(getxattr(f, "system.posix_acl_access", v, sizeof(v)), ENODATA);
}

int names(char **argv)
{
	MUST(mkdir(argv[1], 0755) == 0 && chdir(argv[1]) == 0);
	MUST(mknod("f", S_IFREG | 0644, 0) == 0);
	user_attributes("f");
	acls("f");
	unlinked("g");
	MUST(unlink("f") == 0 && chdir("/") == 0 && rmdir(argv[1]) == 0);
	printf("attributes are kept\n");
	return 0;
}
