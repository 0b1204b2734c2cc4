/* An image's /etc/passwd or /etc/group (the first byte says which). Found at most one way. */
#include <sys/mman.h>
#include <unistd.h>

#include "init/passwd.h"
#include "stage1/common/util.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct err e = ERR_INIT;
	uint32_t id = UINT32_MAX;
	int ret;

	if (size == 0)
		return 0;
	if (fd < 0)
		fd = memfd_create("passwd", MFD_CLOEXEC);
	MUST(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	MUST(write_all(fd, data + 1, size - 1) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	ret = passwd_search(fd, "/etc/passwd", data[0] & 1 ? PASSWD_GROUP : PASSWD_USER, "www", &id, &e);
	MUST((ret > 0) == (id != UINT32_MAX));
	MUST((ret < 0) == (e.kind != ERR_NONE));
	must_be_harmless(e.msg);
	return 0;
}
