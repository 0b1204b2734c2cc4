/*
 * A hostile image is unpacked into one half of a scratch directory; the other half must stay as it
 * is, whatever the image says, and what was made must be removable. The checksums of tar headers
 * are set right, or no change would get past them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage0/root.h"
#include "stage0/unpack.h"
#include "stage1/common/util.h"
#include "tests/fuzz/fuzz.h"

enum { BLOCK = 512, SUM_AT = 148, SIZE_AT = 124, MAGIC_AT = 257 };

static char path[] = "/tmp/fuzz_aci.XXXXXX"; /* holds in/ and outside/victim */
static int top = -1, in = -1;
static struct stat before;

static void clean_up(void)
{
	AUTO_CLOSE int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = ERR_INIT;

	(void)tree_remove(tmp, strrchr(path, '/') + 1, &e);
}

static void set_up(void)
{
	AUTO_CLOSE int fd = -1;

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	MUST(mkdtemp(path) != NULL);
	(void)atexit(clean_up);
	top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(mkdirat(top, "in", 0755) == 0 && mkdirat(top, "outside", 0755) == 0);
	in = openat(top, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(top, "outside/victim", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	MUST(write(fd, "safe", 4) == 4);
	MUST(fstat(fd, &before) == 0);
}

static int entries(const char *name)
{
	int fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	DIR *d = fdopendir(fd);

	MUST(d != NULL);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n - 2;
}

static void must_be_untouched(void)
{
	struct stat now;

	MUST(entries(".") == 2 && entries("outside") == 1 && entries("in") <= 1);
	MUST(fstatat(top, "outside/victim", &now, AT_SYMLINK_NOFOLLOW) == 0);
	MUST(now.st_ino == before.st_ino && now.st_size == 4 && now.st_nlink == 1);
	MUST(now.st_mode == before.st_mode && now.st_uid == before.st_uid && now.st_gid == before.st_gid);
	MUST(now.st_mtim.tv_sec == before.st_mtim.tv_sec && now.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
	MUST(now.st_ctim.tv_sec == before.st_ctim.tv_sec && now.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
}

static void set_checksums(uint8_t *tar, size_t size)
{
	for (size_t at = 0; at + BLOCK <= size;) {
		uint8_t *head = tar + at;
		unsigned long sum = 0, len = 0;

		if (memcmp(head + MAGIC_AT, "ustar", 5) != 0)
			return; /* compressed, or at its end */
		memset(head + SUM_AT, ' ', 8);
		for (size_t i = 0; i < BLOCK; i++)
			sum += head[i];
		for (size_t i = SIZE_AT; i < SIZE_AT + 11 && head[i] >= '0' && head[i] <= '7'; i++)
			len = len * 8 + (unsigned long)(head[i] - '0');
		(void)snprintf((char *)head + SUM_AT, 8, "%06lo", sum);
		if (len > size)
			return;
		at += BLOCK + (len + BLOCK - 1) / BLOCK * BLOCK;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct aci_limits limits = { .bytes = 1 << 20, .entries = 50, .manifest = 1000 };
	AUTO_CLOSE int fd = memfd_create("image", MFD_CLOEXEC);
	AUTO_FREE uint8_t *tar = xmalloc(size);
	struct aci aci = ACI_INIT;
	struct err e = ERR_INIT;

	if (top < 0)
		set_up();
	memcpy(tar, data, size);
	set_checksums(tar, size);
	MUST(write_all(fd, tar, size) == 0);
	if (aci_unpack(fd, in, &limits, &aci, &e) == 0) {
		MUST(e.kind == ERR_NONE && aci.manifest && strlen(aci.id) == IMAGE_ID_LEN);
		MUST(aci.manifest_len <= limits.manifest && entries("in") == 1);
	} else {
		MUST(*e.msg);
	}
	must_be_harmless(e.msg);
	must_be_untouched();
	aci_dispose(&aci);
	e = (struct err)ERR_INIT;
	MUST(tree_remove(in, "rootfs", &e) == 0);
	MUST(entries("in") == 0);
	return 0;
}
