/* JSON as Go's encoding/json writes it, for readers of rkt's output. Knows nothing of pods. */
#ifndef STAGE0_GOJSON_H
#define STAGE0_GOJSON_H

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdio.h>

/* On one line, or indented by tabs; no newline behind it. NULL is null. */
void gojson_print(json_object *obj, bool pretty, FILE *out);

#endif
