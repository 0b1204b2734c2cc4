/* See appstate.h. */
#include "stage0/appstate.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "stage0/podread.h"
#include "stage0/root.h"
#include "stage1/common/util.h"

/* Whether the mark is there, and since when. */
static bool has_mark(int pod, const char *base, const char *app, const char *what, struct timespec *since_r)
{
	AUTO_FREE char *path = xasprintf("%s/rkt/status/%s%s", base, app, what);
	AUTO_CLOSE int fd = root_open(pod, path, O_PATH | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	*since_r = st.st_mtim;
	return true;
}

int app_state_read(const struct known_pod *pod, const char *app, struct app_state *state_r, struct err *e)
{
	struct app_state state = { .name = "unknown" };
	struct pod_times times = { .created = { 0 } };
	AUTO_FREE char *base = NULL;
	int fd = pod->dir.fd;

	if (pod_base(fd, &base, e) < 0)
		return -1;
	if (has_mark(fd, base, app, "-created", &state.created)) {
		state.name = "created";
		if (has_mark(fd, base, app, "-started", &state.started)) {
			state.name = "running";
			if (has_mark(fd, base, app, "", &state.finished)) {
				state.name = "exited";
				state.has_code = true;
				state.code = 1; /* of a file that says no number */
				(void)pod_exit_code(fd, app, &state.code);
			}
		}
	}
	if (pod_after_run(pod->life) && !state.has_code) { /* it was killed with its pod */
		state.name = "exited";
		if (pod_read_times(pod, &times, e) < 0)
			return -1;
		state.finished = times.marked;
	}
	*state_r = state;
	return 0;
}
