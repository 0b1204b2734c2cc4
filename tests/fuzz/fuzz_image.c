/*
 * An image's manifest and a command line -> the pod's manifest. The input is lines of flags up to an
 * empty one, then the image's manifest. What is refused is refused in one harmless line; what is made
 * is what stage1 reads, and the same when it is made of it once more.
 */
#include "stage0/runline.h"
#include "stage1/common/util.h"
#include "stage1/pod/pod.h"
#include "tests/fuzz/fuzz.h"

enum { WORDS = 32 };

/* The flags' lines, NUL-terminated in place; what follows them. */
static char *split(char *text, char **argv, int *argc)
{
	*argc = 0;
	argv[(*argc)++] = (char *)"run";
	argv[(*argc)++] = (char *)"image";
	while (*argc < WORDS - 1 && *text && *text != '\n') {
		char *end = strchr(text, '\n');

		/* files of ours are none of the fuzzer's business, nor is our environment */
		if (strncmp(text, "--set-env-file", 14) != 0 && strncmp(text, "--inherit-env", 13) != 0 &&
			strncmp(text, "-set-env-file", 13) != 0 && strncmp(text, "-inherit-env", 12) != 0 &&
			strncmp(text, "--help", 6) != 0 && strncmp(text, "-help", 5) != 0)
			argv[(*argc)++] = text;
		if (!end)
			return text + strlen(text);
		*end = '\0';
		text = end + 1;
	}
	argv[*argc] = NULL;
	return *text == '\n' ? text + 1 : text;
}

static void make(const struct run_line *line, const struct image *image, struct err *e)
{
	struct app_image list[WORDS];
	struct pod pod = POD_INIT;
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < line->pod.napps; i++)
		list[i] = (struct app_image){ image, "sha512-0" };
	if (pod_manifest(&line->pod, list, &text, e) < 0)
		return;
	MUST(pod_parse(text, strlen(text), &pod, e) == 0);
	MUST(pod.napps == line->pod.napps && pod.napps > 0);
	for (size_t i = 0; i < pod.napps; i++)
		MUST(pod.apps[i].has_app && pod.apps[i].nexec > 0 && *pod.apps[i].user && *pod.apps[i].group);
	MUST(pod_note(pod.notes, pod.nnotes, "coreos.com/rkt/stage1/mutable"));
	pod_dispose(&pod);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run_line line = RUN_LINE_INIT;
	AUTO_FREE char *copy = xcalloc(size + 1, 1);
	struct image image = IMAGE_INIT;
	char *argv[WORDS + 1], *doc;
	struct err e = ERR_INIT;
	int argc;

	(void)memcpy(copy, data, size);
	doc = split(copy, argv, &argc);
	argv[argc] = NULL;
	if (run_line_read(argc, argv, LINE_PREPARE | LINE_LAUNCH, &line, &e) == 0 &&
		image_parse(doc, size - (size_t)(doc - copy), &image, &e) == 0) {
		bool good = true;

		for (size_t i = 0; i < line.pod.napps; i++)
			good = good && image_check_app(&image, &line.pod.apps[i], &e) == 0;
		if (good)
			make(&line, &image, &e);
	}
	MUST(e.kind == ERR_NONE || *e.msg);
	must_be_harmless(e.msg);
	image_dispose(&image);
	run_line_dispose(&line);
	return 0;
}
