/* See attach_request.h. */
#include "stage1/attach_request.h"

#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/common/wire.h"

int attach_request_encode(uint32_t endpoints, const char *app, uint8_t buf_r[ATTACH_REQUEST_MAX], size_t *len_r,
	struct err *e)
{
	size_t n = strlen(app);

	if (n == 0 || n > ATTACH_NAME_MAX)
		return err_set(e, ERR_USAGE, "'%.*s' is not an app name", ATTACH_NAME_MAX, app);
	wire_put_u32(buf_r, endpoints);
	memcpy(buf_r + 4, app, n);
	*len_r = 4 + n;
	return 0;
}

int attach_request_decode(const uint8_t *buf, size_t len, struct attach_request *req_r, struct err *e)
{
	if (len <= 4 || len > ATTACH_REQUEST_MAX || memchr(buf + 4, '\0', len - 4))
		return err_set(e, ERR_INPUT, "no request to attach");
	req_r->endpoints = wire_u32(buf);
	memcpy(req_r->app, buf + 4, len - 4);
	req_r->app[len - 4] = '\0';
	return 0;
}

void endpoints_text(uint32_t endpoints, char text_r[ENDPOINTS_TEXT_MAX])
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ ENDPOINT_STDIN, "stdin" }, { ENDPOINT_STDOUT, "stdout" }, { ENDPOINT_STDERR, "stderr" },
		{ ENDPOINT_TTY_IN, "tty-in" }, { ENDPOINT_TTY_OUT, "tty-out" },
	};
	size_t n = 0;

	(void)snprintf(text_r, ENDPOINTS_TEXT_MAX, "none");
	for (size_t i = 0; i < COUNT(names); i++)
		if (endpoints & names[i].bit)
			n += (size_t)snprintf(text_r + n, ENDPOINTS_TEXT_MAX - n, "%s%s", n ? ", " : "",
				names[i].name);
}
