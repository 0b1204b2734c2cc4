/*
 * OCI images from hostile bytes. Digests would stop every change, so the first byte says what the
 * rest is, and the right digests are put around it:
 *   A  a whole archive, as it is
 *   D  documents with a NUL between them: docker's manifest.json, its configuration c.json, index.json
 *   L  layers, each a tar with the header checksums set right: NNNNNNN and a newline before each, its
 *      length in decimal digits
 * Unpacked into one half of a scratch directory; the other half must stay as it is.
 */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage0/oci.h"
#include "stage0/oci_layers.h"
#include "stage0/root.h"
#include "stage1/common/util.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/tar.h"

static const struct aci_limits limits = { .bytes = 1 << 20, .entries = 50, .manifest = 4000 };

static struct sandbox box = SANDBOX_INIT("/tmp/fuzz_oci.XXXXXX");

static void add(struct archive *a, const char *name, const void *data, size_t len)
{
	struct archive_entry *ent = archive_entry_new();

	archive_entry_copy_pathname(ent, name);
	archive_entry_set_filetype(ent, AE_IFREG);
	archive_entry_set_perm(ent, 0644);
	archive_entry_set_size(ent, (la_int64_t)len);
	MUST(archive_write_header(a, ent) == ARCHIVE_OK);
	MUST(len == 0 || archive_write_data(a, data, len) == (la_ssize_t)len);
	archive_entry_free(ent);
}

static struct archive *new_archive(int fd)
{
	struct archive *a = archive_write_new();

	(void)archive_write_set_format_pax_restricted(a);
	MUST(archive_write_open_fd(a, fd) == ARCHIVE_OK);
	return a;
}

static void open_whole(int fd)
{
	struct oci oci = OCI_INIT;
	struct aci aci = ACI_INIT;
	struct err e = ERR_INIT;

	(void)oci_store_detect(fd);
	if (oci_open(fd, "image.tar", NULL, &limits, &oci, &aci, &e) == 0) {
		MUST(e.kind == ERR_NONE && strlen(aci.id) == IMAGE_ID_LEN && oci.image.n > 0);
		if (oci_unpack(&oci, box.in, &limits, &e) < 0)
			MUST(*e.msg);
	} else {
		MUST(*e.msg);
	}
	must_be_harmless(e.msg);
	oci_dispose(&oci);
	aci_dispose(&aci);
}

static void try_documents(int fd, const uint8_t *data, size_t size)
{
	static const char *const names[] = { "manifest.json", "c.json", "index.json" };
	struct archive *a = new_archive(fd);

	for (size_t i = 0; i < COUNT(names) && size > 0; i++) {
		const uint8_t *nul = memchr(data, 0, size);
		size_t len = nul ? (size_t)(nul - data) : size;

		add(a, names[i], data, len);
		data += len + (nul != NULL);
		size -= len + (nul != NULL);
	}
	MUST(archive_write_free(a) == ARCHIVE_OK);
	open_whole(fd);
}

/* What they would be described as. */
static void describe(const uint8_t *tar, size_t len, size_t i, struct oci_layer *layer, char *diff_id)
{
	struct digest hash;

	digest_init(&hash, DIGEST_SHA256);
	digest_update(&hash, tar, len);
	digest_text(&hash, diff_id);
	*layer = (struct oci_layer){ .file = xasprintf("%zu", i), .size = len, .diff_id = diff_id };
}

static void try_layers(int fd, const uint8_t *data, size_t size)
{
	struct oci_layer layers[4];
	struct oci_image image = { .layers = layers };
	struct oci_store store = OCI_STORE_INIT;
	char diff_ids[COUNT(layers)][DIGEST_MAX + 1];
	struct archive *a = new_archive(fd);
	struct err e = ERR_INIT;

	while (size >= 8 && image.n < COUNT(layers)) {
		char digits[8] = "";
		size_t len;

		memcpy(digits, data, 7);
		len = strtoul(digits, NULL, 10);
		data += 8;
		size -= 8;
		if (len > size)
			len = size;
		AUTO_FREE uint8_t *tar = xmalloc(len + 1);

		memcpy(tar, data, len);
		tar_set_checksums(tar, len);
		describe(tar, len, image.n, &layers[image.n], diff_ids[image.n]);
		add(a, layers[image.n].file, tar, len);
		image.n++;
		data += len;
		size -= len;
	}
	MUST(archive_write_free(a) == ARCHIVE_OK);
	if (oci_store_open(fd, limits.bytes, &store, &e) == 0 &&
		oci_layers_unpack(&store, &image, box.in, &limits, &e) == 0)
		MUST(e.kind == ERR_NONE);
	else
		MUST(*e.msg);
	must_be_harmless(e.msg);
	oci_store_dispose(&store);
	for (size_t i = 0; i < image.n; i++)
		free(layers[i].file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_CLOSE int fd = memfd_create("image", MFD_CLOEXEC);

	sandbox_ready(&box);
	if (size < 1)
		return 0;
	switch (*data) {
	case 'A':
		MUST(write_all(fd, data + 1, size - 1) == 0);
		open_whole(fd);
		break;
	case 'D':
		try_documents(fd, data + 1, size - 1);
		break;
	case 'L':
		try_layers(fd, data + 1, size - 1);
		break;
	default:
		break;
	}
	sandbox_check_and_clean(&box);
	return 0;
}
