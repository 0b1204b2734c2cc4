/* See source.h. */
#include "stage0/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "stage0/spool.h"
#include "stage1/common/util.h"

static const struct aci_limits limits = ACI_LIMITS_DEFAULT;

static int open_aci(struct source *src, mode_t type, const char *tag, struct err *e)
{
	if (S_ISDIR(type))
		return err_set(e, ERR_INPUT, "a directory without 'oci-layout': no OCI image");
	if (!S_ISREG(type))
		return err_set(e, ERR_INPUT, "not a regular file");
	if (tag)
		return err_set(e, ERR_USAGE, "a tag is for OCI images, and this is none");
	return aci_peek(src->fd, &limits, &src->aci, e);
}

static int keep(struct source *src, struct err *e)
{
	int copy;

	if (!S_ISREG(src->st.st_mode) || (src->st.st_uid == 0 && !(src->st.st_mode & (S_IWGRP | S_IWOTH))))
		return 0;
	copy = spool_copy(src->fd, limits.bytes, e);
	if (copy < 0)
		return -1;
	(void)close(src->fd);
	src->fd = copy;
	return 0;
}

static int open_image(struct source *src, bool kept, struct err *e)
{
	const char *tag;
	int ret;

	oci_split_path(src->path, &src->file, &tag);
	/* not blocking: it might be a fifo */
	src->fd = open(src->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (src->fd < 0 || fstat(src->fd, &src->st) < 0)
		return err_sys(e, "open");
	if (kept && keep(src, e) < 0)
		return -1;
	src->is_oci = oci_store_detect(src->fd);
	if (src->is_oci)
		ret = oci_open(src->fd, src->file, tag, &limits, &src->oci, &src->aci, e);
	else
		ret = open_aci(src, src->st.st_mode, tag, e);
	if (ret < 0 || image_parse(src->aci.manifest, src->aci.manifest_len, &src->image, e) < 0)
		return -1;
	return image_check_whole(&src->image, e);
}

int source_open(const char *path, bool kept, struct source *src_r, struct err *e)
{
	struct source src = SOURCE_INIT;

	src.path = path;
	if (open_image(&src, kept, e) < 0) {
		source_dispose(&src);
		return err_prefix(e, "image %s", path);
	}
	*src_r = src;
	return 0;
}

int source_identify(struct source *src, struct err *e)
{
	struct tar_stream stream = TAR_STREAM_INIT;
	struct archive_entry *ent;
	int ret;

	if (*src->aci.id)
		return 0;
	ret = tar_stream_open(&stream, src->fd, limits.bytes, e);
	while (ret == 0 && (ret = tar_stream_next(&stream, &ent, e)) > 0)
		ret = 0;
	if (ret == 0)
		ret = tar_stream_finish(&stream, src->aci.id, e);
	tar_stream_dispose(&stream);
	return ret < 0 ? err_prefix(e, "image %s", src->path) : 0;
}

/* Learns the id; the manifest must be the one that was checked. */
static int unpack_aci(struct source *src, int dir, struct err *e)
{
	struct aci aci = ACI_INIT;
	bool same;

	if (aci_unpack(src->fd, dir, &limits, &aci, e) < 0)
		return -1;
	same = aci.manifest_len == src->aci.manifest_len &&
		!memcmp(aci.manifest, src->aci.manifest, aci.manifest_len) &&
		(!*src->aci.id || !strcmp(src->aci.id, aci.id));
	(void)memcpy(src->aci.id, aci.id, sizeof(aci.id));
	aci_dispose(&aci);
	return same ? 0 : err_set(e, ERR_INPUT, "changed while it was read");
}

int source_unpack(struct source *src, int dir, mode_t mode, struct err *e)
{
	if ((src->is_oci ? oci_unpack(&src->oci, dir, &limits, e) : unpack_aci(src, dir, e)) < 0)
		return err_prefix(e, "image %s", src->path);
	return write_file_atomic(dir, "manifest", src->aci.manifest, src->aci.manifest_len, mode, e);
}

void source_dispose(struct source *src)
{
	if (src->fd >= 0)
		(void)close(src->fd);
	if (src->is_oci)
		oci_dispose(&src->oci);
	free(src->file);
	aci_dispose(&src->aci);
	image_dispose(&src->image);
	*src = (struct source)SOURCE_INIT;
}
