/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small machine for the tests of the ioctl interface: 64 KiB of RAM, a guest of a few
 * instructions at its start, up to eight vCPUs. What fails here is not what is tested: it ends the
 * test with the line that failed.
 */
#ifndef SELFTESTS_VM_H
#define SELFTESTS_VM_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <qvm.h>
#include <qvm_run.h>
#include <arm64/qvm_reg.h>
#include <arm64/qvm_vdev.h>

/* The harness defines fixture functions without a prototype. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define RAM_GPA		0x40000000ULL
#define RAM_SIZE	0x10000ULL
#define VECTORS		0x8000ULL	/* offset in RAM of the guest's exception vectors */
#define SHARED		0xf000ULL	/* offset in RAM of words that guest and test share */
#define DEVICE_GPA	0x09000000ULL	/* nobody's: accesses come to the test */
#define GICD_GPA	0x08000000ULL
#define GICR_GPA	0x080a0000ULL
#define SPI		40		/* an interrupt line of the board */
#define VCPUS		8
#define PAGE		4096UL

#define SYS_MPIDR	QVM_REG_SYS(3, 0, 0, 0, 5)
#define SYS_VBAR	QVM_REG_SYS(3, 0, 12, 0, 0)
#define SYS_SCTLR	QVM_REG_SYS(3, 0, 1, 0, 0)

/* Guest code, position independent: GUEST(name, "text") */
struct guest {
	const char *code;
	uint64_t size;		/* bytes */
};

#define GUEST(name, text)							\
	asm(".pushsection .data.rel.ro.guest, \"aw\"\n"			\
	    ".balign 2048\n"							\
	    #name "_begin:\n" text "\n"						\
	    #name "_end:\n"							\
	    ".balign 8\n"							\
	    ".globl " #name "\n"	/* a local one has no GOT entry of its own */ \
	    #name ": .quad " #name "_begin, " #name "_end - " #name "_begin\n"	\
	    ".popsection");							\
	extern const struct guest name

/* Pieces of guest code. The device's address is kept in x28, the shared words' in x27. */
#define G_DEVICE	"mov x28, #0x09000000\n"
#define G_SHARED	"mov x27, #0x40000000\n movk x27, #0xf000\n"
#define G_PSCI(n)	"mov w0, #0x84000000\n movk w0, #" #n "\n hvc #0\n"
#define G_OFF		G_PSCI(8) "b .\n"
/* A vector table whose every entry stores ESR_EL1 to the device, then ELR_EL1, and goes on behind. */
#define G_VECTOR	".balign 128\n mov x28, #0x09000000\n mrs x26, esr_el1\n str x26, [x28]\n" \
			"mrs x26, elr_el1\n str x26, [x28, #8]\n add x26, x26, #4\n msr elr_el1, x26\n eret\n"
#define G_VECTORS	".rept 16\n" G_VECTOR ".endr\n"

GUEST(guest_vectors, G_VECTORS);
GUEST(guest_off, G_OFF);
GUEST(guest_spin, "b .");
GUEST(guest_wfi, "1: wfi\n b 1b");

struct machine {
	int sys, vm, vcpu[VCPUS];
	struct qvm_run *run[VCPUS];
	char *ram;
	char name[QVM_NAME_SIZE];
};

#define must(expr) ({								\
	long must_ret = (long)(expr);						\
	if (must_ret < 0) {							\
		fprintf(stderr, "# %s:%d: %s: %s\n", __FILE__, __LINE__, #expr,	\
			strerror(must_ret == -1 ? errno : -must_ret));		\
		abort();							\
	}									\
	must_ret; })

/* An ioctl as the kernel sees it: its result, or -errno. */
static inline int call(int fd, unsigned long cmd, const void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static inline long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

/* QVM_LONG=SECONDS in the environment asks for a long test: what each of its loops may take. 0: the short one. */
static inline int long_seconds(void)
{
	const char *seconds = getenv("QVM_LONG");

	return seconds ? atoi(seconds) : 0;
}

static inline void sleep_us(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&t, NULL);
}

static inline void *map_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p == MAP_FAILED ? -1 : 0);
	return p;
}

/* The number in a file of this folder; -1 where there is none. */
static inline long number_in(const char *folder, const char *name)
{
	char path[64];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/* One of the module's counters. */
static inline long module_count(const char *name)
{
	return number_in("/sys/kernel/debug/qvm", name);
}

/* Nothing of any VM is left in the module, at once or within a moment. */
static inline bool module_is_empty(void)
{
	long end = milliseconds() + 3000;

	while (module_count("vm_count") || module_count("vcpu_count") || module_count("pinned_pages")) {
		if (milliseconds() > end) {
			fprintf(stderr, "# left in the module: %ld VMs, %ld vCPUs, %ld pages\n",
				module_count("vm_count"), module_count("vcpu_count"),
				module_count("pinned_pages"));
			return false;
		}
		sleep_us(1000);
	}
	return true;
}

/* ---- building ---- */

static inline int create_vm(int sys, const char *name, uint32_t max_vcpus)
{
	struct qvm_create_vm param = { .max_vcpus = max_vcpus };

	memcpy(param.name, name, strnlen(name, sizeof(param.name)));
	return call(sys, QVM_CREATE_VM, &param);
}

static inline int add_region(int vm, uint64_t gpa, const void *hva, uint64_t size, uint32_t kind)
{
	struct qvm_region region = { .gpa = gpa, .size = size, .hva = (uintptr_t)hva, .kind = kind };

	return call(vm, QVM_VM_ADD_REGION, &region);
}

static inline int create_vdev(int vm, uint32_t type, uint64_t a, uint64_t b, uint64_t c)
{
	struct qvm_create_vdev vdev = { .type = type, .param = { a, b, c } };

	return call(vm, QVM_VM_CREATE_VDEV, &vdev);
}

static inline int create_vcpu(int vm, uint32_t index)
{
	struct qvm_create_vcpu vcpu = { .index = index };

	return call(vm, QVM_VM_CREATE_VCPU, &vcpu);
}

static inline int set_irq(int vm, uint32_t line, uint32_t level)
{
	struct qvm_irq irq = { .line = line, .level = level };

	return call(vm, QVM_VM_SET_IRQ, &irq);
}

static inline int set_reg(int vcpu, uint64_t id, uint64_t value)
{
	struct qvm_reg reg = { .id = id, .value = { value } };

	return call(vcpu, QVM_VCPU_SET_REG, &reg);
}

static inline uint64_t get_reg(int vcpu, uint64_t id)
{
	struct qvm_reg reg = { .id = id };

	must(call(vcpu, QVM_VCPU_GET_REG, &reg));
	return reg.value[0];
}

static inline struct qvm_vm_info vm_info(int vm)
{
	struct qvm_vm_info info = { 0 };

	must(call(vm, QVM_VM_INFO, &info));
	return info;
}

static inline struct qvm_vcpu_stats vcpu_stats(int vcpu)
{
	struct qvm_vcpu_stats stats;

	must(call(vcpu, QVM_VCPU_STATS, &stats));
	return stats;
}

static inline struct qvm_run *map_run(int vcpu)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);

	must(p == MAP_FAILED ? -1 : 0);
	return p;
}

static inline void add_vcpu(struct machine *m, unsigned int index)
{
	m->vcpu[index] = must(create_vcpu(m->vm, index));
	m->run[index] = map_run(m->vcpu[index]);
}

/* Guest code to an offset of RAM; byte by byte, for memcpy() may use SVE: lab/README.md, Traps. */
static inline void load_guest(struct machine *m, uint64_t offset, const struct guest *guest)
{
	volatile char *to = m->ram + offset;
	size_t i;

	for (i = 0; i < guest->size; i++)
		to[i] = guest->code[i];
}

/* RAM, vCPUs and their PCs at the guest's start, exception vectors; still BUILDING. */
static inline void machine_build(struct machine *m, const struct guest *guest, unsigned int vcpus)
{
	static atomic_uint serial;
	unsigned int i;

	memset(m, 0, sizeof(*m));
	snprintf(m->name, sizeof(m->name), "t%d-%u", getpid(), atomic_fetch_add(&serial, 1));
	m->sys = must(open("/dev/qvm", O_RDWR | O_CLOEXEC));
	m->vm = must(create_vm(m->sys, m->name, VCPUS));
	m->ram = map_memory(RAM_SIZE);
	load_guest(m, 0, guest);
	load_guest(m, VECTORS, &guest_vectors);
	must(add_region(m->vm, RAM_GPA, m->ram, RAM_SIZE, QVM_REGION_RAM));
	for (i = 0; i < vcpus; i++) {
		add_vcpu(m, i);
		must(set_reg(m->vcpu[i], QVM_REG_PC, RAM_GPA));
		must(set_reg(m->vcpu[i], SYS_VBAR, RAM_GPA + VECTORS));
	}
}

static inline void machine_add_gic(struct machine *m)
{
	must(create_vdev(m->vm, QVM_VDEV_ARM64_GICV3, GICD_GPA, GICR_GPA, 64));
	must(create_vdev(m->vm, QVM_VDEV_ARM64_TIMER, 27, 30, 0));
}

static inline void machine_assemble(struct machine *m)
{
	must(call(m->vm, QVM_VM_ASSEMBLE, NULL));
}

static inline void machine_start(struct machine *m, const struct guest *guest, unsigned int vcpus)
{
	machine_build(m, guest, vcpus);
	machine_assemble(m);
}

static inline void machine_close(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < VCPUS; i++) {
		if (!m->run[i])
			continue;
		munmap(m->run[i], PAGE);
		close(m->vcpu[i]);
	}
	close(m->vm);
	close(m->sys);
	munmap(m->ram, RAM_SIZE);
}

/* A word that guest and test share. */
static inline volatile uint64_t *shared(struct machine *m, unsigned int n)
{
	return (volatile uint64_t *)(m->ram + SHARED) + n;
}

/* ---- running ---- */

/* Until there is an exit, in spite of signals: its reason, or -errno. */
static inline int run_vcpu(struct machine *m, unsigned int index)
{
	int ret;

	do
		ret = call(m->vcpu[index], QVM_VCPU_RUN, NULL);
	while (ret == -EINTR);
	return ret ?: (int)m->run[index]->exit_reason;
}

static inline uint64_t mmio_data(const struct qvm_run *run)
{
	uint64_t data = 0;

	memcpy(&data, (const void *)run->mmio.data, run->mmio.len <= 8 ? run->mmio.len : 8);
	return data;
}

/* The guest's next exit is a write to the device at @offset: its value, else ~0 - reason. */
static inline uint64_t next_write(struct machine *m, unsigned int index, uint64_t offset)
{
	const struct qvm_run *run = m->run[index];
	int reason = run_vcpu(m, index);

	if (reason != QVM_EXIT_MMIO || !run->mmio.is_write || run->mmio.gpa != DEVICE_GPA + offset)
		return ~0ULL - reason;
	return mmio_data(run);
}

static inline bool is_off(const struct qvm_run *run)
{
	return run->exit_reason == QVM_EXIT_SYSTEM && run->system.event == QVM_SYSTEM_OFF;
}

/* A thread that runs a vCPU to its first exit. */
struct runner {
	struct machine *m;
	unsigned int index;
	int result;		/* of run_vcpu() */
	atomic_bool done;
	pthread_t thread;
};

static inline void *runner_main(void *arg)
{
	struct runner *r = arg;

	r->result = run_vcpu(r->m, r->index);
	atomic_store(&r->done, true);
	return NULL;
}

static inline void runner_start(struct runner *r, struct machine *m, unsigned int index)
{
	r->m = m;
	r->index = index;
	r->result = -ECANCELED;
	atomic_store(&r->done, false);
	must(-pthread_create(&r->thread, NULL, runner_main, r));
}

static inline int runner_join(struct runner *r)
{
	must(-pthread_join(r->thread, NULL));
	return r->result;
}

/* Wait until a condition holds, 20 s at most (an emulator has slow moments); says if it does. */
#define eventually(condition) ({						\
	long eventually_end = milliseconds() + 20000;				\
	while (!(condition) && milliseconds() < eventually_end)			\
		sleep_us(500);							\
	(condition); })

/* A signal handler that does nothing but interrupt. */
static inline void on_signal(int sig)
{
	(void)sig;
}

static inline void catch_signal(int sig)
{
	struct sigaction action = { .sa_handler = on_signal };

	must(sigaction(sig, &action, NULL));
}

/* The last test of a file: the module has nothing left of all the others. (TEST()s come first.) */
#define TEST_NOTHING_IS_LEFT							\
	FIXTURE(end) { char unused; };						\
	FIXTURE_SETUP(end) { }							\
	FIXTURE_TEARDOWN(end) { }						\
	TEST_F(end, nothing_is_left)						\
	{									\
		EXPECT_TRUE(module_is_empty());					\
	}

#endif /* SELFTESTS_VM_H */
