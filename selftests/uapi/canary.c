// SPDX-License-Identifier: GPL-2.0-only
/*
 * What guests must leave as it was on the host: the registers that the module of selftests/simd looks at
 * on each CPU, a thread's pointer, hardware watchpoint and clock. The guests have other values in all of them.
 */
#define _GNU_SOURCE	/* affinity */
#include <sched.h>

#include <kselftest_harness.h>

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "pin.h"
#include "vm.h"

#define PARAMETERS	"/sys/module/canary/parameters"
#define GUESTS		4
#define WATCHERS	2
#define STORM_MS	4000

/*
 * Debug is armed, at an address that the guest never touches and a thread of the host does (x24); FP is in use
 * and FPCR strange; the thread registers count; the timer's interrupt ends a WFI at every eighth round. At
 * every fourth the device is told its number, and at once what is not as it was left.
 */
GUEST(guest_storm, G_DEVICE G_SHARED
      "mov w0, #2\n movz x1, #0x0800, lsl #16\n str w0, [x1]\n"		/* GICD_CTLR */
      "movz x1, #0x080a, lsl #16\n str wzr, [x1, #0x14]\n"			/* GICR_WAKER */
      "movz x1, #0x080b, lsl #16\n mov w0, #-1\n"
      "str w0, [x1, #0x80]\n str w0, [x1, #0x100]\n"				/* group 1, enabled */
      "mov x0, #0xf0\n msr S3_0_C4_C6_0, x0\n"				/* ICC_PMR_EL1 */
      "mov x0, #1\n msr S3_0_C12_C12_7, x0\n"					/* ICC_IGRPEN1_EL1 */
      "mov x0, #0x300000\n msr cpacr_el1, x0\n isb\n msr oslar_el1, xzr\n"
      "msr dbgwvr0_el1, x24\n mov x0, #0x1ff7\n msr dbgwcr0_el1, x0\n"	/* EL1, EL0 */
      "msr dbgbvr0_el1, x24\n mov x0, #0x1e7\n msr dbgbcr0_el1, x0\n"
      "mov x0, #0xa000\n msr mdscr_el1, x0\n msr daifclr, #8\n isb\n"	/* MDE, KDE */
      "mov x20, #0\n"
      "1: add x20, x20, #1\n"
      "msr tpidr_el0, x20\n msr tpidrro_el0, x20\n msr tpidr_el1, x20\n msr contextidr_el1, x20\n"
      "and x1, x20, #15\n msr csselr_el1, x1\n msr cntkctl_el1, x1\n msr amair_el1, x20\n msr par_el1, x20\n"
      "mov x1, #0x1c00000\n msr fpcr, x1\n dup v31.2d, x20\n"
      "mrs x1, cntfrq_el0\n mov x2, #2000\n udiv x1, x1, x2\n msr cntv_tval_el0, x1\n"
      "mov x1, #1\n msr cntv_ctl_el0, x1\n isb\n"
      "mov x21, #2000\n 2: subs x21, x21, #1\n b.ne 2b\n"
      "tst x20, #7\n b.ne 3f\n wfi\n"
      "3: mrs x1, S3_0_C12_C12_0\n cmp x1, #27\n b.ne 4f\n"			/* ICC_IAR1_EL1 */
      "msr cntv_ctl_el0, xzr\n isb\n msr S3_0_C12_C12_1, x1\n isb\n"		/* ICC_EOIR1_EL1 */
      "4: umov x22, v31.d[0]\n cmp x22, x20\n b.ne 9f\n mrs x22, tpidr_el0\n cmp x22, x20\n b.ne 9f\n"
      "str x20, [x27]\n tst x20, #3\n b.ne 1b\n str x20, [x28]\n b 1b\n"
      "9: str x22, [x28, #8]\n b .");

static volatile uint64_t watched[WATCHERS];

struct storm {
	struct machine m;
	pthread_t thread;
	unsigned long exits, mistakes, other_pointer;
	uint64_t got;
};

/* RUN, and what the thread's pointers are before and after; made right again, for the C library's sake. */
static long run_and_compare(struct storm *s)
{
	register long x0 asm("x0") = s->m.vcpu[0];
	register long x1 asm("x1") = QVM_VCPU_RUN;
	register long x2 asm("x2") = 0;
	register long x8 asm("x8") = __NR_ioctl;
	uint64_t before, after, ro_before, ro_after;

	asm volatile("mrs %[before], tpidr_el0\n mrs %[ro_before], tpidrro_el0\n"
		     "svc #0\n"
		     "mrs %[after], tpidr_el0\n mrs %[ro_after], tpidrro_el0\n"
		     "msr tpidr_el0, %[before]\n"
		     : "+r"(x0), [before] "=&r"(before), [after] "=&r"(after),
		       [ro_before] "=&r"(ro_before), [ro_after] "=&r"(ro_after)
		     : "r"(x1), "r"(x2), "r"(x8) : "memory");
	if (after != before || ro_after != ro_before) {
		s->got = after != before ? after : ro_after;
		s->other_pointer++;
	}
	return x0;
}

static void *storm_main(void *arg)
{
	struct storm *s = arg;
	const struct qvm_run *run = s->m.run[0];
	long ret;

	for (;;) {
		ret = run_and_compare(s);
		if (ret == -EINTR)
			continue;
		if (ret || run->exit_reason != QVM_EXIT_MMIO)
			return NULL;
		s->exits++;
		s->mistakes += run->mmio.gpa != DEVICE_GPA || mmio_data(run) != 4 * s->exits;
	}
}

static void storm_start(struct storm *s)
{
	machine_build(&s->m, &guest_storm, 1);
	machine_add_gic(&s->m);
	/* the host's variable, as if the guest had it at that address */
	must(set_reg(s->m.vcpu[0], QVM_REG_X(24), (uintptr_t)&watched[0]));
	machine_assemble(&s->m);
	must(-pthread_create(&s->thread, NULL, storm_main, s));
}

/* ---- a thread of the host beside them, with a watchpoint, a pointer and a clock ---- */

struct watcher {
	volatile uint64_t *word;
	const atomic_bool *stop;
	pthread_t thread;
	int fd;
	uint64_t rounds, hits, other_pointer, clock_mistakes;
	long worst_ns;
};

static int watchpoint(volatile uint64_t *word)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr), .bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)word, .bp_len = HW_BREAKPOINT_LEN_8, .exclude_kernel = 1,
		.exclude_hv = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t now_by_call(void)
{
	struct timespec t;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t now_by_counter(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);		/* CNTVCT_EL0, by the vDSO */
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *watcher_main(void *arg)
{
	struct watcher *w = arg;
	uint64_t pointer, now;

	asm volatile("mrs %0, tpidr_el0" : "=r"(pointer));
	w->fd = watchpoint(w->word);
	while (!atomic_load(w->stop)) {
		uint64_t before = now_by_call(), between = now_by_counter(), after = now_by_call();

		w->clock_mistakes += between < before || between > after;
		*w->word = ++w->rounds;
		for (volatile unsigned int i = 0; i < 3000; i++)
			;
		asm volatile("mrs %0, tpidr_el0" : "=r"(now));
		w->other_pointer += now != pointer;
		if (w->rounds % 16 == 0)
			sleep_us(500);
	}
	if (w->fd >= 0 && read(w->fd, &w->hits, sizeof(w->hits)) != sizeof(w->hits))
		w->hits = 0;
	return NULL;
}

static long parameter(const char *name)
{
	return number_in(PARAMETERS, name);
}

static const char *first_mistake(void)
{
	static char text[80];
	FILE *f = fopen(PARAMETERS "/first", "r");

	if (f && !fgets(text, sizeof(text), f))
		text[0] = 0;
	if (f)
		fclose(f);
	text[strcspn(text, "\n")] = 0;
	return text;
}

FIXTURE(canary) { char unused; };
FIXTURE_SETUP(canary) { }
FIXTURE_TEARDOWN(canary) { }

/* Two guests stay where they are, two are moved; threads of the host everywhere between them. */
TEST_F_TIMEOUT(canary, host_beside_guests, 120)
{
	long inside = parameter("inside"), threads = parameter("threads"), end;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct watcher w[WATCHERS] = { 0 };
	static struct storm s[GUESTS];
	atomic_bool stop = false;
	unsigned int i, hop = 0;

	if (inside < 0)
		TH_LOG("the module of selftests/simd is not loaded: it looks at nothing");
	for (i = 0; i < GUESTS; i++) {
		storm_start(&s[i]);
		pin_thread(s[i].thread, i % cpus);
	}
	for (i = 0; i < WATCHERS; i++) {
		w[i].word = &watched[i];
		w[i].stop = &stop;
		must(-pthread_create(&w[i].thread, NULL, watcher_main, &w[i]));
		pin_thread(w[i].thread, i % cpus);
	}
	for (end = milliseconds() + STORM_MS; milliseconds() < end; hop++) {
		for (i = GUESTS / 2; i < GUESTS; i++)
			pin_thread(s[i].thread, (hop + i) % cpus);
		sleep_us(2000);
	}
	EXPECT_EQ(0, parameter("mistakes") > 0) { TH_LOG("the host's %s", first_mistake()); }
	atomic_store(&stop, true);
	for (i = 0; i < WATCHERS; i++) {
		must(-pthread_join(w[i].thread, NULL));
		EXPECT_LT(100, w[i].rounds);
		EXPECT_EQ(0, w[i].other_pointer);
		EXPECT_EQ(0, w[i].clock_mistakes);
		EXPECT_LE(0, w[i].fd);
		EXPECT_EQ(w[i].rounds, w[i].hits);
		close(w[i].fd);
	}
	for (i = 0; i < GUESTS; i++) {
		must(call(s[i].m.vm, QVM_VM_END, NULL));
		must(-pthread_join(s[i].thread, NULL));
		EXPECT_LT(20, s[i].exits);
		EXPECT_LT(100, *shared(&s[i].m, 0));
		EXPECT_EQ(0, s[i].mistakes);
		EXPECT_EQ(0, s[i].other_pointer) { TH_LOG("a thread's pointer was 0x%lx", (long)s[i].got); }
		machine_close(&s[i].m);
	}
	if (inside < 0)
		return;
	EXPECT_LT(500, parameter("inside") - inside);
	EXPECT_LT(500, parameter("threads") - threads);
	EXPECT_EQ(0, parameter("mistakes"));
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
