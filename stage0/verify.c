/* See verify.h. */
#include "stage0/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "stage0/cmds.h"
#include "stage0/signature.h"
#include "stage1/common/util.h"

#define HINT "use --insecure-options=image"

static const struct aci_limits limits = ACI_LIMITS_DEFAULT;

static bool is_directory(const struct source *src)
{
	return src->is_oci && src->oci.store.dir;
}

/* The index.json that was read when the image was opened, whatever is there now. */
static int open_index(const struct source *src, struct err *e)
{
	AUTO_CLOSE int fd = memfd_create("index", MFD_CLOEXEC);
	AUTO_FREE char *text = NULL;
	size_t len;

	if (oci_store_text(&src->oci.store, "index.json", src->oci.image.index, limits.manifest, &text,
		&len, e) < 0)
		return -1;
	if (fd < 0 || write_all(fd, text, len) < 0)
		return err_sys(e, "keep index.json in memory");
	return STEAL_FD(fd);
}

static int check(const struct source *src, const char *asc, const struct keyring *ring, struct err *e)
{
	AUTO_CLOSE int index = is_directory(src) ? open_index(src, e) : -1;

	if (is_directory(src) && index < 0)
		return -1;
	if (signature_check(index >= 0 ? index : src->fd, asc, ring, e) < 0)
		return err_prefix(e, "signature %s", asc);
	return 0;
}

static int verify(const struct source *src, const struct trust *trust, struct err *e)
{
	AUTO_FREE char *asc = xasprintf("%s%s.asc", src->file, is_directory(src) ? "/index.json" : "");
	struct keyring ring = KEYRING_INIT;
	int ret;

	if (access(asc, F_OK) < 0 && errno == ENOENT)
		return err_set(e, ERR_INPUT, "no signature %s: sign it, or " HINT, asc);
	if (keyring_load(trust->system, trust->local, src->image.name, &ring, e) < 0)
		return -1;
	if (ring.n == 0)
		ret = err_set(e, ERR_INPUT, "no key is trusted for '%s': add one with stage0 trust, or " HINT,
			src->image.name);
	else
		ret = check(src, asc, &ring, e);
	keyring_dispose(&ring);
	return ret;
}

int source_verify(const struct source *src, const struct trust *trust, struct err *e)
{
	if (trust->all || verify(src, trust, e) == 0)
		return 0;
	return err_prefix(e, "image %s", src->path);
}

/* That very file, whatever a path leads to by now. */
static bool is_installed(const struct source *src)
{
	struct stat st;

	return stat(STAGE1_PATH_DEFAULT, &st) == 0 && st.st_ino == src->st.st_ino && st.st_dev == src->st.st_dev;
}

int verify_all(const struct content *content, const struct source *stage1, const struct trust *trust,
	struct err *e)
{
	if (!is_installed(stage1) && source_verify(stage1, trust, e) < 0)
		return -1;
	for (size_t i = 0; i < content->nsources; i++)
		if (source_verify(&content->sources[i], trust, e) < 0)
			return -1;
	return 0;
}
