/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unit tests that print KTAP. A test program is one .c file that includes this, has
 *
 *	TEST(what_it_shows)
 *	{
 *		CHECK(condition);		goes on after a failure
 *		CHECK_EQ(value, expected);	the same, prints both
 *		REQUIRE(condition);		leaves the test after a failure
 *	}
 *
 * and no main(). Tests run in the order of the file; an argument runs those whose name has it.
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdio.h>
#include <string.h>

#define UNIT_MAX_TESTS		256
#define UNIT_MAX_MESSAGES	20	/* a failing loop says enough with these */

static struct {
	const char *name;
	void (*run)(void);
} unit_test[UNIT_MAX_TESTS];
static unsigned int unit_test_count, unit_failures;

#define TEST(_name)								\
	static void test_##_name(void);						\
	__attribute__((constructor)) static void register_##_name(void)		\
	{									\
		unit_test[unit_test_count].name = #_name;			\
		unit_test[unit_test_count++].run = test_##_name;		\
	}									\
	static void test_##_name(void)

#define unit_fail(format, ...)							\
	(unit_failures++ < UNIT_MAX_MESSAGES ?					\
	 (void)printf("# %s:%d: " format "\n", __FILE__, __LINE__, ##__VA_ARGS__) : (void)0)

#define CHECK(condition) \
	((condition) ? (void)0 : unit_fail("%s", #condition))

#define CHECK_EQ(value, expected) do {						\
	long long unit_value = (long long)(value), unit_want = (long long)(expected); \
										\
	if (unit_value != unit_want)						\
		unit_fail("%s is %lld (%#llx), not %lld (%#llx)", #value,	\
			  unit_value, unit_value, unit_want, unit_want);	\
} while (0)

#define CHECK_STR(value, expected) do {						\
	const char *unit_value = (value), *unit_want = (expected);		\
										\
	if (strcmp(unit_value, unit_want))					\
		unit_fail("%s is \"%s\", not \"%s\"", #value, unit_value, unit_want); \
} while (0)

#define REQUIRE(condition) do {							\
	if (!(condition)) {							\
		unit_fail("%s", #condition);					\
		return;								\
	}									\
} while (0)

int main(int argc, char **argv)
{
	unsigned int i, number = 0, plan = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < unit_test_count; i++)
		plan += argc < 2 || strstr(unit_test[i].name, argv[1]);
	printf("TAP version 13\n1..%u\n", plan);
	for (i = 0; i < unit_test_count; i++) {
		if (argc > 1 && !strstr(unit_test[i].name, argv[1]))
			continue;
		unit_failures = 0;
		unit_test[i].run();
		printf("%sok %u %s\n", unit_failures ? "not " : "", ++number, unit_test[i].name);
		failed += unit_failures != 0;
	}
	return failed != 0;
}

#endif /* UNIT_H */
