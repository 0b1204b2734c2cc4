/* See tar.h. */
#include "tests/fuzz/tar.h"

#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

#include "stage0/root.h"
#include "stage1/common/util.h"
#include "tests/fuzz/fuzz.h"

enum { BLOCK = 512, SUM_AT = 148, SIZE_AT = 124, MAGIC_AT = 257 };

static struct sandbox *made;

static void clean_up(void)
{
	AUTO_CLOSE int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = ERR_INIT;

	(void)tree_remove(tmp, strrchr(made->path, '/') + 1, &e);
}

void sandbox_ready(struct sandbox *box)
{
	AUTO_CLOSE int fd = -1;

	if (box->top >= 0)
		return;
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	MUST(!made && mkdtemp(box->path) != NULL);
	made = box;
	(void)atexit(clean_up);
	box->top = open(box->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(mkdirat(box->top, "in", 0755) == 0 && mkdirat(box->top, "outside", 0755) == 0);
	box->in = openat(box->top, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(box->top, "outside/victim", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	MUST(write(fd, "safe", 4) == 4);
	MUST(fstat(fd, &box->before) == 0);
}

int sandbox_entries(const struct sandbox *box, const char *name)
{
	int fd = openat(box->top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	DIR *d = fdopendir(fd);

	MUST(d != NULL);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n - 2;
}

static void must_be_untouched(const struct sandbox *box)
{
	const struct stat *before = &box->before;
	struct stat now;

	MUST(sandbox_entries(box, ".") == 2 && sandbox_entries(box, "outside") == 1);
	MUST(sandbox_entries(box, "in") <= 1);
	MUST(fstatat(box->top, "outside/victim", &now, AT_SYMLINK_NOFOLLOW) == 0);
	MUST(now.st_ino == before->st_ino && now.st_size == 4 && now.st_nlink == 1);
	MUST(now.st_mode == before->st_mode && now.st_uid == before->st_uid && now.st_gid == before->st_gid);
	MUST(now.st_mtim.tv_sec == before->st_mtim.tv_sec && now.st_mtim.tv_nsec == before->st_mtim.tv_nsec);
	MUST(now.st_ctim.tv_sec == before->st_ctim.tv_sec && now.st_ctim.tv_nsec == before->st_ctim.tv_nsec);
}

void sandbox_check_and_clean(struct sandbox *box)
{
	struct err e = ERR_INIT;

	must_be_untouched(box);
	MUST(tree_remove(box->in, "rootfs", &e) == 0);
	MUST(sandbox_entries(box, "in") == 0);
}

void tar_set_checksums(uint8_t *tar, size_t size)
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
