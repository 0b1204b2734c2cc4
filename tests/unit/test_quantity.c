/* Quantities of resources: spelling and value as Kubernetes' code has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stage0/quantity.h"
#include "stage1/common/util.h"

static void spells_as_go_does(void **state)
{
	static const struct { const char *text, *canonical; int64_t value; } rows[] = {
		{ "0", "0", 0 }, { "-0", "0", 0 }, { "000", "0", 0 }, { "0Mi", "0", 0 },
		{ "1", "1", 1 }, { "+1", "+1", 1 }, { "-1", "-1", -1 }, { "007", "007", 7 },
		{ "128M", "128M", 128000000 }, { "16Mi", "16Mi", 16 << 20 }, { "1Gi", "1Gi", 1 << 30 },
		{ "1024Ki", "1Mi", 1 << 20 }, { "1536Mi", "1536Mi", 1536 << 20 }, { "2048Mi", "2Gi", 2LL << 30 },
		{ "1.5Gi", "1536Mi", 1536 << 20 }, { "0.5Ki", "512", 512 }, { "8Ki", "8Ki", 8192 },
		{ "500m", "500m", 1 }, { "1500m", "1500m", 2 }, { "-1500m", "-1500m", -1 },
		{ "1000m", "1", 1 }, { "0.5", "500m", 1 }, { "1.5", "1500m", 2 }, { ".5", "500m", 1 },
		{ "1.", "1.", 1 }, { "1000", "1k", 1000 }, { "1000k", "1M", 1000000 }, { "4096", "4096", 4096 },
		{ "12e3", "12e3", 12000 }, { "1E3", "1E3", 1000 }, { "120e2", "12e3", 12000 },
		{ "1E", "1E", 1000000000000000000 }, { "7Ei", "7Ei", 7LL << 60 },
		{ "1n", "1n", 1 }, { "0.1n", "1n", 1 }, { "1e-12", "1e-9", 1 }, { "100u", "100u", 1 },
		{ "0.3Ki", "307200m", 308 },
		{ "+9Ki", "+9Ki", 9216 }, { "+8Ki", "8Ki", 8192 }, { "0.9765625Ki", "1k", 1000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *canonical = NULL;
		struct err e = ERR_INIT;
		int64_t value;

		if (quantity_read(rows[i].text, &canonical, &value, &e) < 0)
			fail_msg("%s: %s", rows[i].text, e.msg);
		assert_string_equal(canonical, rows[i].canonical);
		assert_int_equal(value, rows[i].value);
	}
}

static void refuses_what_is_none(void **state)
{
	static const char *const none[] = { "", "M", ".", "-", "1 M", "1q", "1MM", "1Mib", "1e", "1e+", "1e1.5",
		"1.2.3", "0x10", "1234567890123456789", "1e9999999x", " 1", "1m ", "-+1" };
	static const char *const large[] = { "9.3E", "8Ei", "1e19", "999999999999999999G", "1e999", "1e99999999" };

	(void)state;
	for (size_t i = 0; i < COUNT(none) + COUNT(large); i++) {
		const char *text = i < COUNT(none) ? none[i] : large[i - COUNT(none)];
		AUTO_FREE char *want = xasprintf(i < COUNT(none) ?
			"'%s' is no quantity (500m, 16Mi, 1.5G; at most 18 digits)" :
			"'%s' is no quantity: too large", text);
		struct err e = ERR_INIT;
		char *canonical;
		int64_t value;

		assert_int_equal(quantity_read(text, &canonical, &value, &e), -1);
		assert_string_equal(e.msg, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spells_as_go_does),
		cmocka_unit_test(refuses_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
