/* See unpack.h. */
#include "stage0/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "stage0/names.h"
#include "stage0/place.h"
#include "stage0/root.h"
#include "stage1/common/util.h"

struct unpack {
	const struct aci_limits *limits;
	struct tar_stream stream;
	struct place place;
	struct aci aci;
	bool peek, have_rootfs;
};

/* The part below rootfs, "" for rootfs itself; NULL for a name elsewhere. */
static const char *below_rootfs(const char *clean)
{
	if (!strcmp(clean, "rootfs"))
		return "";
	return str_has_prefix(clean, "rootfs/") ? clean + strlen("rootfs/") : NULL;
}

static int read_manifest(struct unpack *u, struct archive_entry *ent, struct err *e)
{
	AUTO_FREE char *text = NULL;
	la_int64_t size = archive_entry_size(ent);
	size_t len = 0;

	if (u->aci.manifest)
		return err_set(e, ERR_INPUT, "a second one");
	if (archive_entry_filetype(ent) != AE_IFREG || archive_entry_hardlink(ent))
		return err_set(e, ERR_INPUT, "must be a regular file");
	if (size < 0 || (uint64_t)size > u->limits->manifest)
		return err_set(e, ERR_INPUT, "larger than %zu bytes", u->limits->manifest);
	text = xcalloc((size_t)size + 1, 1);
	while (len < (size_t)size) {
		la_ssize_t n = archive_read_data(u->stream.tar, text + len, (size_t)size - len);

		if (n < 0)
			return tar_stream_err(&u->stream, e);
		if (n == 0)
			return err_set(e, ERR_INPUT, "ends too early");
		len += (size_t)n;
	}
	u->aci.manifest = STEAL(text);
	u->aci.manifest_len = len;
	return 0;
}

static int handle_entry(struct unpack *u, struct archive_entry *ent, const char *name, struct err *e)
{
	AUTO_FREE char *clean = NULL;
	AUTO_FREE char *clean_link = NULL;
	const char *link = archive_entry_hardlink(ent), *path, *below = NULL;

	if (name_clean(name, &clean, e) < 0)
		return -1;
	if (!strcmp(clean, "manifest"))
		return read_manifest(u, ent, e);
	if (u->peek || (!*clean && archive_entry_filetype(ent) == AE_IFDIR))
		return 0; /* "./" is no news */
	path = below_rootfs(clean);
	if (!path)
		return err_set(e, ERR_INPUT, "neither 'manifest' nor below 'rootfs'");
	if (link) {
		if (name_clean(link, &clean_link, e) < 0)
			return err_prefix(e, "hard link to '%.100s'", link);
		below = below_rootfs(clean_link);
		if (!below || !*below)
			return err_set(e, ERR_INPUT, "hard link to '%.100s': not below 'rootfs'", link);
	}
	u->have_rootfs = true;
	return place_entry(&u->place, u->stream.tar, ent, path, below, e);
}

static int read_entries(struct unpack *u, struct err *e)
{
	struct archive_entry *ent;
	uint64_t n = 0;
	int ret;

	while ((ret = tar_stream_next(&u->stream, &ent, e)) > 0) {
		const char *name = archive_entry_pathname(ent);

		if (++n > u->limits->entries)
			return err_set(e, ERR_INPUT, "more than %" PRIu64 " entries", u->limits->entries);
		if (!name)
			return err_set(e, ERR_INPUT, "entry %" PRIu64 ": a name that is not UTF-8", n);
		if (handle_entry(u, ent, name, e) < 0)
			return err_prefix(e, "entry '%.150s'", name);
		if (u->peek && u->aci.manifest)
			return 0;
	}
	if (ret == 0 && n == 0)
		return err_set(e, ERR_INPUT, "an empty archive");
	return ret;
}

static int unpack(struct unpack *u, int fd, struct err *e)
{
	if (tar_stream_open(&u->stream, fd, u->limits->bytes, e) < 0 || read_entries(u, e) < 0)
		return -1;
	if (!u->aci.manifest)
		return err_set(e, ERR_INPUT, "no 'manifest' in it");
	if (u->peek)
		return 0;
	if (!u->have_rootfs)
		return err_set(e, ERR_INPUT, "no 'rootfs' in it");
	if (tar_stream_finish(&u->stream, u->aci.id, e) < 0)
		return -1;
	return place_finish(&u->place, e);
}

static int unpack_or_undo(struct unpack *u, int fd, struct aci *aci_r, struct err *e)
{
	int ret = unpack(u, fd, e);

	tar_stream_dispose(&u->stream);
	place_dispose(&u->place);
	if (ret < 0)
		aci_dispose(&u->aci);
	else
		*aci_r = u->aci;
	return ret;
}

int aci_peek(int fd, const struct aci_limits *limits, struct aci *aci_r, struct err *e)
{
	struct unpack u = { .limits = limits, .peek = true };

	return unpack_or_undo(&u, fd, aci_r, e);
}

int aci_unpack(int fd, int dir, const struct aci_limits *limits, struct aci *aci_r, struct err *e)
{
	AUTO_CLOSE int root = -1;
	struct unpack u = { .limits = limits, .place.bytes_left = limits->bytes };

	if (mkdirat(dir, "rootfs", 0755) < 0)
		return err_sys(e, "create directory 'rootfs'");
	root = openat(dir, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "open directory 'rootfs'");
	u.place.root = root;
	return unpack_or_undo(&u, fd, aci_r, e);
}

void aci_dispose(struct aci *aci)
{
	free(aci->manifest);
	*aci = (struct aci)ACI_INIT;
}
