/*
 * What a pod's directory says -> what list, status and cat-manifest show. The input is the files `pod`,
 * `net-info.json`, an image's manifest and an app's status, apart by a byte 0xff. Whatever is in them, a
 * complaint is one harmless line, and JSON that is printed is JSON.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include <json-c/json.h>

#include "stage0/gojson.h"
#include "stage0/podjson.h"
#include "stage0/podread.h"
#include "stage0/root.h"
#include "stage1/common/util.h"
#include "tests/fuzz/fuzz.h"

static char home[] = "/tmp/fuzz_podview.XXXXXX";

static void clean_up(void)
{
	struct err ignored = ERR_INIT;
	int tmp = open("/tmp", O_PATH | O_DIRECTORY);

	(void)tree_remove(tmp, home + 5, &ignored);
}

/* Made once, and gone at the end. */
static int pod_dir(void)
{
	static int fd = -1;

	if (fd >= 0)
		return fd;
	MUST(mkdtemp(home));
	(void)atexit(clean_up);
	fd = open(home, O_RDONLY | O_DIRECTORY);
	MUST(mkdirat(fd, "appsinfo", 0700) == 0 && mkdirat(fd, "appsinfo/web", 0700) == 0);
	MUST(mkdirat(fd, "stage1", 0700) == 0 && mkdirat(fd, "stage1/rootfs", 0700) == 0);
	MUST(mkdirat(fd, "stage1/rootfs/rkt", 0700) == 0 && mkdirat(fd, "stage1/rootfs/rkt/status", 0700) == 0);
	return fd;
}

static void put_files(int pod, const uint8_t *data, size_t size)
{
	static const char *const files[] = { "pod", "net-info.json", "appsinfo/web/manifest",
		"stage1/rootfs/rkt/status/web" };

	for (size_t i = 0; i < COUNT(files); i++) {
		const uint8_t *end = size ? memchr(data, 0xff, size) : NULL;
		size_t len = end ? (size_t)(end - data) : size;
		AUTO_CLOSE int fd = openat(pod, files[i], O_WRONLY | O_CREAT | O_TRUNC, 0600);

		MUST(fd >= 0 && write_all(fd, data, len) == 0);
		data += len + !!end;
		size -= len + !!end;
	}
}

static void check_json(json_object *obj, bool pretty)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	enum json_tokener_error error;
	json_object *again;

	gojson_print(obj, pretty, out);
	MUST(fclose(out) == 0);
	again = json_tokener_parse_verbose(text, &error);
	MUST(error == json_tokener_success || error == json_tokener_error_depth);
	json_object_put(again);
	free(text);
}

static void show(struct known_pod *pod, struct err *e)
{
	json_object *obj;

	if (pod_json(pod, &obj, e) < 0)
		return;
	check_json(obj, false);
	check_json(obj, true);
	json_object_put(obj);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct known_pod pod = { .dir = PODDIR_INIT, .life = LIFE_EXITED };
	struct pod_meta meta = POD_META_INIT;
	struct err view = ERR_INIT, read = ERR_INIT, choose = ERR_INIT, image = ERR_INIT;
	const struct pod_app_ref *app;
	char *name;

	pod.dir.fd = pod_dir();
	put_files(pod.dir.fd, data, size);
	show(&pod, &view);
	must_be_harmless(view.msg);
	if (pod_read_meta(pod.dir.fd, &meta, &read) == 0) {
		check_json(meta.doc, true);
		(void)pod_choose_app(&meta, NULL, &app, &choose);
		(void)pod_choose_app(&meta, "web", &app, &choose);
		pod_meta_dispose(&meta);
	}
	must_be_harmless(read.msg);
	must_be_harmless(choose.msg);
	if (pod_image_name(pod.dir.fd, "web", &name, &image) == 0)
		free(name);
	must_be_harmless(image.msg);
	return 0;
}
