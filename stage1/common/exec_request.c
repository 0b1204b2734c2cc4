/*
 * The encoding of an exec request: u32 app, the three kinds, rows, columns, argc, nenv, port, all
 * little-endian; then argc + nenv strings, each with its NUL.
 */
#include "stage1/common/exec_request.h"

#include <stdlib.h>
#include <string.h>

#include "stage1/common/wire.h"

enum { HEAD = 9 * 4 };

static uint8_t *put_strings(uint8_t *p, char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p = (uint8_t *)memcpy(p, list[i], strlen(list[i]) + 1) + strlen(list[i]) + 1;
	return p;
}

static size_t size_of(char *const *list, size_t n)
{
	size_t size = 0;

	for (size_t i = 0; i < n; i++)
		size += strlen(list[i]) + 1;
	return size;
}

int exec_request_encode(const struct exec_request *req, uint8_t **data_r, size_t *len_r, struct err *e)
{
	size_t len = HEAD + size_of(req->argv, req->argc) + size_of(req->env, req->nenv);
	const uint32_t head[] = { req->app, req->io.kind[0], req->io.kind[1], req->io.kind[2], req->io.rows,
		req->io.cols, (uint32_t)req->argc, (uint32_t)req->nenv, req->port };
	uint8_t *data;

	_Static_assert(sizeof(head) == HEAD, "nine numbers");
	if (len > WIRE_EXEC_MAX)
		return err_set(e, ERR_INPUT, "the command takes %zu bytes, over %d", len, WIRE_EXEC_MAX);
	data = malloc(len);
	if (!data)
		return err_set(e, ERR_SYSTEM, "out of memory");
	for (size_t i = 0; i < HEAD / 4; i++)
		wire_put_u32(data + 4 * i, head[i]);
	(void)put_strings(put_strings(data + HEAD, req->argv, req->argc), req->env, req->nenv);
	*data_r = data;
	*len_r = len;
	return 0;
}

/* `n` strings that begin at *at; false when they do not all end before `end`. */
static bool take_strings(char **list, size_t n, char **at, const char *end)
{
	for (size_t i = 0; i < n; i++) {
		char *nul = memchr(*at, 0, (size_t)(end - *at));

		if (!nul)
			return false;
		list[i] = *at;
		*at = nul + 1;
	}
	return true;
}

int exec_request_decode(uint8_t *data, size_t len, struct exec_request *req_r, struct err *e)
{
	struct exec_request req = EXEC_REQUEST_INIT;
	char *at = (char *)data + HEAD, *end = (char *)data + len;

	if (len < HEAD)
		return err_set(e, ERR_INPUT, "the exec request is malformed");
	req.app = wire_u32(data);
	for (size_t i = 0; i < GUEST_IO_STREAMS; i++)
		req.io.kind[i] = wire_u32(data + 4 + 4 * i);
	req.io.rows = wire_u32(data + 16);
	req.io.cols = wire_u32(data + 20);
	req.argc = wire_u32(data + 24);
	req.nenv = wire_u32(data + 28);
	req.port = wire_u32(data + 32);
	if (!guest_io_valid(&req.io) || (req.argc == 0) == (req.port == 0) || req.argc > len || req.nenv > len ||
		req.port > UINT16_MAX)
		return err_set(e, ERR_INPUT, "the exec request is malformed");
	req.argv = calloc(req.argc + 1, sizeof(*req.argv));
	req.env = calloc(req.nenv + 1, sizeof(*req.env));
	if (!req.argv || !req.env) {
		exec_request_dispose(&req);
		return err_set(e, ERR_SYSTEM, "no memory for the exec request");
	}
	if (!take_strings(req.argv, req.argc, &at, end) || !take_strings(req.env, req.nenv, &at, end) ||
		at != end) {
		exec_request_dispose(&req);
		return err_set(e, ERR_INPUT, "the exec request is malformed");
	}
	*req_r = req;
	return 0;
}

void exec_request_dispose(struct exec_request *req)
{
	free(req->argv);
	free(req->env);
	*req = (struct exec_request)EXEC_REQUEST_INIT;
}
