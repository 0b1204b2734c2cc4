/* See spool.h. */
#include "stage0/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/sendfile.h>

#include "stage1/common/util.h"

enum { STEP = 1 << 30 };

int spool_open(struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	AUTO_CLOSE int fd = open(tmp && *tmp ? tmp : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "make a temporary file in %s (see TMPDIR)", tmp && *tmp ? tmp : "/var/tmp");
	return STEAL_FD(fd);
}

int spool_copy(int from, uint64_t bytes, struct err *e)
{
	AUTO_CLOSE int fd = spool_open(e);
	off_t at = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = sendfile(fd, from, &at, STEP)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "copy to a temporary file (see TMPDIR)");
		if ((uint64_t)at > bytes)
			return err_set(e, ERR_INPUT, "more than %" PRIu64 " bytes", bytes);
	}
	return STEAL_FD(fd);
}
