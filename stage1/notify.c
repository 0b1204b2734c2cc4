/* See notify.h. */
#include "stage1/notify.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "stage1/common/util.h"

int notify_manager(const char *socket_path, bool ready, struct err *e)
{
	const char *text = ready ? "READY=1\nSTATUS=The pod runs." : "STOPPING=1\nSTATUS=The pod ends.";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = -1;
	size_t len;

	if (!socket_path || !*socket_path)
		return 0;
	len = strlen(socket_path);
	if ((*socket_path != '/' && *socket_path != '@') || len < 2 || len > sizeof(addr.sun_path))
		return err_set(e, ERR_USAGE, "NOTIFY_SOCKET=%s is not a socket's address", socket_path);
	memcpy(addr.sun_path, socket_path, len);
	if (*addr.sun_path == '@') /* the abstract namespace: sd_notify(3) */
		*addr.sun_path = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&addr,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return err_sys(e, "tell NOTIFY_SOCKET=%s of the pod", socket_path);
	return 0;
}
