// SPDX-License-Identifier: GPL-2.0-only
/*
 * Vector registers of guests and of the host's threads, while the kernel uses them in softirq and in
 * threads of its own (selftests/simd).
 */
#include <kselftest_harness.h>

#include "vm.h"

#define PARAMETERS	"/sys/module/simd/parameters"
#define GUESTS		2
#define THREADS		3

/*
 * A pattern in every register, a moment, and all of them looked at: counted at [x27]; what is wrong
 * goes to the device.
 */
#define ALL "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"
#define FILL	".irp n," ALL "\n add x22, x20, #\\n\n dup v\\n\\().2d, x22\n .endr\n"
#define LOOK	".irp n," ALL "\n umov x22, v\\n\\().d[0]\n umov x23, v\\n\\().d[1]\n"	\
		"sub x22, x22, x20\n cmp x22, #\\n\n b.ne 9f\n"				\
		"sub x23, x23, x20\n cmp x23, #\\n\n b.ne 9f\n .endr\n"
#define MOMENT	"mov x21, #3000\n 2: subs x21, x21, #1\n b.ne 2b\n"

GUEST(guest_vectors_kept, G_DEVICE G_SHARED
      "mov x0, #0x300000\n msr cpacr_el1, x0\n isb\n mov x20, #0\n"
      "1: add x20, x20, #256\n" FILL MOMENT LOOK
      "ldr x22, [x27]\n add x22, x22, #1\n str x22, [x27]\n b 1b\n"
      "9: str x22, [x28]\n b .");

/* Rounds until *stop, or 0 after a mistake. */
static uint64_t host_rounds(const atomic_bool *stop)
{
	uint64_t rounds = 0, wrong;

	while (!atomic_load(stop)) {
		asm volatile("lsl x20, %1, #8\n" FILL MOMENT LOOK
			     "mov %0, #0\n b 3f\n 9: mov %0, #1\n 3:\n"
			     : "=r"(wrong) : "r"(rounds)
			     : "x20", "x21", "x22", "x23", "cc", "memory",
			       "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11",
			       "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21",
			       "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
		if (wrong)
			return 0;
		rounds++;
	}
	return rounds;
}

struct host_thread {
	pthread_t thread;
	const atomic_bool *stop;
	uint64_t rounds;
};

static void *host_main(void *arg)
{
	struct host_thread *t = arg;

	t->rounds = host_rounds(t->stop);
	return NULL;
}

static long parameter(const char *name)
{
	return number_in(PARAMETERS, name);
}

TEST(kernel_guests_and_threads)
{
	struct host_thread host[THREADS];
	static struct machine m[GUESTS];
	struct runner r[GUESTS];
	atomic_bool stop = false;
	long softirqs = parameter("softirqs"), threads = parameter("threads");
	unsigned int i;

	if (softirqs < 0)
		SKIP(return, "the module of selftests/simd is not loaded");
	for (i = 0; i < GUESTS; i++) {
		machine_start(&m[i], &guest_vectors_kept, 1);
		runner_start(&r[i], &m[i], 0);
	}
	for (i = 0; i < THREADS; i++) {
		host[i].stop = &stop;
		must(-pthread_create(&host[i].thread, NULL, host_main, &host[i]));
	}
	sleep_us(4000000);
	atomic_store(&stop, true);
	for (i = 0; i < THREADS; i++) {
		must(-pthread_join(host[i].thread, NULL));
		EXPECT_GT(host[i].rounds, 0);
	}
	for (i = 0; i < GUESTS; i++) {
		EXPECT_FALSE(atomic_load(&r[i].done));
		must(call(m[i].vm, QVM_VM_END, NULL));
		EXPECT_EQ(QVM_EXIT_SYSTEM, runner_join(&r[i]));
		EXPECT_GT(*shared(&m[i], 0), 100);
		EXPECT_GT(vcpu_stats(m[i].vcpu[0]).entries, 100);
		machine_close(&m[i]);
	}
	EXPECT_GT(parameter("softirqs") - softirqs, 500);
	EXPECT_GT(parameter("threads") - threads, 500);
	EXPECT_EQ(0, parameter("mistakes"));
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
