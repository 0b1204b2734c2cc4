/*
 * A hostile image is unpacked into one half of a scratch directory; the other half must stay as it
 * is, whatever the image says, and what was made must be removable.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "stage0/unpack.h"
#include "stage1/common/util.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/tar.h"

static struct sandbox box = SANDBOX_INIT("/tmp/fuzz_aci.XXXXXX");

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct aci_limits limits = { .bytes = 1 << 20, .entries = 50, .manifest = 1000 };
	AUTO_CLOSE int fd = memfd_create("image", MFD_CLOEXEC);
	AUTO_FREE uint8_t *tar = xmalloc(size);
	struct aci aci = ACI_INIT;
	struct err e = ERR_INIT;

	sandbox_ready(&box);
	memcpy(tar, data, size);
	tar_set_checksums(tar, size);
	MUST(write_all(fd, tar, size) == 0);
	if (aci_unpack(fd, box.in, &limits, &aci, &e) == 0) {
		MUST(e.kind == ERR_NONE && aci.manifest && strlen(aci.id) == IMAGE_ID_LEN);
		MUST(aci.manifest_len <= limits.manifest && sandbox_entries(&box, "in") == 1);
	} else {
		MUST(*e.msg);
	}
	must_be_harmless(e.msg);
	sandbox_check_and_clean(&box);
	aci_dispose(&aci);
	return 0;
}
