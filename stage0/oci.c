/* See oci.h. */
#include "stage0/oci.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stage0/oci_convert.h"
#include "stage0/oci_layers.h"
#include "stage1/common/util.h"

void oci_split_path(const char *path, char **file_r, const char **tag_r)
{
	*tag_r = NULL;
	for (const char *colon = strchr(path, ':'); colon && access(path, F_OK) < 0;
		colon = strchr(colon + 1, ':')) {
		AUTO_FREE char *file = xstrndup(path, (size_t)(colon - path));

		if (*file && colon[1] && access(file, F_OK) == 0) {
			*tag_r = colon + 1;
			*file_r = STEAL(file);
			return;
		}
	}
	*file_r = xstrdup(path);
}

/* The last part of what `path` is in truth: "." has a name too. */
static char *base_name(const char *path)
{
	AUTO_FREE char *real = realpath(path, NULL);
	const char *text = real ? real : path, *slash = strrchr(text, '/');

	return xstrdup(slash ? slash + 1 : text);
}

static void make_id(const struct oci_image *image, const char *manifest, char id_r[IMAGE_ID_LEN + 1])
{
	char text[DIGEST_MAX + 1];
	struct digest hash;

	digest_init(&hash, DIGEST_SHA512);
	digest_update(&hash, manifest, strlen(manifest) + 1);
	digest_update(&hash, image->text, image->len);
	digest_text(&hash, text);
	(void)snprintf(id_r, IMAGE_ID_LEN + 1, "sha512-%s", digest_hex(text));
}

int oci_open(int fd, const char *path, const char *tag, const struct aci_limits *limits,
	struct oci *oci_r, struct aci *aci_r, struct err *e)
{
	AUTO_FREE char *base = base_name(path);
	AUTO_FREE char *manifest = NULL;
	struct aci aci = ACI_INIT;
	struct oci oci = OCI_INIT;

	if (oci_store_open(fd, limits->bytes, &oci.store, e) < 0 ||
		oci_image_read(&oci.store, tag, limits->manifest, &oci.image, e) < 0 ||
		oci_convert(&oci.image, base, &manifest, e) < 0) {
		oci_dispose(&oci);
		return -1;
	}
	make_id(&oci.image, manifest, aci.id);
	aci.manifest_len = strlen(manifest);
	aci.manifest = STEAL(manifest);
	*aci_r = aci;
	*oci_r = oci;
	return 0;
}

int oci_unpack(const struct oci *oci, int dir, const struct aci_limits *limits, struct err *e)
{
	return oci_layers_unpack(&oci->store, &oci->image, dir, limits, e);
}

void oci_dispose(struct oci *oci)
{
	oci_image_dispose(&oci->image);
	oci_store_dispose(&oci->store);
	*oci = (struct oci)OCI_INIT;
}
