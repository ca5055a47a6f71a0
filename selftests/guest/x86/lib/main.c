// SPDX-License-Identifier: GPL-2.0-only
/* Runs a guest's tests and says in KTAP what came of them. */
#include "apic.h"

#define NOTES_MAX	8	/* of one test: a loop that fails is not to fill the console */

u32 boot_magic, boot_info, boot_stack;

static unsigned int failures;		/* of this test */
static const char *skipped;

static bool note_failure(void)
{
	return __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED) < NOTES_MAX;
}

bool check_note(bool ok, const char *file, int line, const char *text)
{
	if (!ok && note_failure())
		print("# %s:%d: CPU %u: %s\n", file, line, cpu_index(), text);
	return ok;
}

bool check_note_eq(u64 got, u64 want, const char *file, int line, const char *text)
{
	if (got != want && note_failure())
		print("# %s:%d: CPU %u: %s: got 0x%lx, want 0x%lx\n", file, line, cpu_index(), text,
		      got, want);
	return got == want;
}

void test_skip(const char *why)
{
	skipped = why;
}

/* Multiboot 3.3: flags, then at 16 the command line if bit 2 is set. Its first word is the image's name. */
const char *boot_cmdline(void)
{
	const char *line = read32(boot_info) & BIT(2) ? (const char *)(u64)read32(boot_info + 16) : "";

	while (*line && *line != ' ')
		line++;
	return *line ? line + 1 : line;
}

bool boot_cmdline_is(const char *word)
{
	const char *line = boot_cmdline();

	while (*word && *line == *word) {
		line++;
		word++;
	}
	return *line == *word;
}

static void run(unsigned int number, const struct test *test)
{
	failures = 0;
	skipped = NULL;
	test->fn();
	irqs_disable();
	print("%sok %u %s", failures ? "not " : "", number, test->name);
	if (skipped && !failures)
		print(" # SKIP %s", skipped);
	print("\n");
}

void power_off(void)
{
	out16(PM1_CONTROL, 1 << 13);		/* SLP_TYP of S5, which is 0, and SLP_EN */
	for (;;)
		;
}

void exceptions_init(void);

/* From start.S. */
void guest_main(void);
void guest_main(void)
{
	unsigned int count = 0;

	exceptions_init();
	uart_init();
	pic_mask_all();
	apic_enable();
	while (tests[count].fn)
		count++;
	print("TAP version 13\n1..%u\n", count);
	for (unsigned int i = 0; i < count; i++)
		run(i + 1, &tests[i]);
	power_off();
}
