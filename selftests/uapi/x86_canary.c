// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest must leave as it was: this thread's GPRs, x87, SSE and AVX registers, segment bases, CPU
 * number in TSC_AUX, hardware breakpoint, and the host's MSRs; those of another thread on the same CPU
 * too. The guest, in real mode, has other values in all of them, and other ones at each exit.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <cpuid.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <qvm.h>
#include <qvm_run.h>
#include <x86/qvm_reg.h>

#define CODE		0x1000		/* offset in RAM, and gpa */
#define RAM_SIZE	0x10000
#define ROUNDS		400

#define WRMSR(index)	"mov $" #index ", %ecx\n wrmsr\n"

/*
 * EBP counts; FP from 0x2000, by XRSTOR where word 0x800 says that the CPU has it. Breakpoints are armed
 * on what nobody touches. A write to port 0x80 ends each round.
 */
asm(".pushsection .rodata\n"
    ".code16\n"
    "guest_begin:\n"
    "mov %cr4, %eax\n or $0x600, %eax\n testb $1, 0x800\n jz 1f\n or $0x40000, %eax\n1: mov %eax, %cr4\n"
    "testb $1, 0x800\n jz 2f\n xor %ecx, %ecx\n xor %edx, %edx\n mov 0x804, %eax\n xsetbv\n"
    "2: inc %ebp\n"
    "mov %ebp, %eax\n and $0xffff, %eax\n add $0x100000, %eax\n mov %eax, %dr0\n mov %eax, %dr1\n"
    "mov %eax, %dr2\n mov %eax, %dr3\n mov $0xffff04ff, %eax\n mov %eax, %dr7\n"
    "mov %ebp, %eax\n xor %edx, %edx\n"
    WRMSR(0xc0000081) WRMSR(0xc0000082) WRMSR(0xc0000083) WRMSR(0xc0000084)
    WRMSR(0xc0000102) WRMSR(0xc0000100) WRMSR(0xc0000101) WRMSR(0x174) WRMSR(0x175) WRMSR(0x176)
    "testb $2, 0x800\n jz 3f\n" WRMSR(0xc0000103)
    "3: testb $1, 0x800\n jz 4f\n mov 0x804, %eax\n xrstor 0x2000\n jmp 5f\n"
    "4: fxrstor 0x2000\n"
    "5: mov %ebp, %eax\n mov %ebp, %ebx\n mov %ebp, %ecx\n mov %ebp, %edx\n mov %ebp, %esi\n mov %ebp, %edi\n"
    "out %al, $0x80\n"
    "jmp 2b\n"
    "guest_end:\n"
    ".code64\n"
    ".popsection\n");
extern const char guest_begin[], guest_end[];

static int tests, vm, vcpu;
static struct qvm_run *run;
static char *ram;
static bool has_avx;

static void check(bool good, const char *what)
{
	printf("%s %d %s\n", good ? "ok" : "not ok", ++tests, what);
	fflush(stdout);
}

static int must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

static void set_reg(uint64_t id, uint64_t low, uint64_t high)
{
	struct qvm_reg reg = { .id = id, .value = { low, high } };

	must(ioctl(vcpu, QVM_VCPU_SET_REG, &reg), "QVM_VCPU_SET_REG");
}

static void build(void)
{
	struct qvm_create_vm create = { .name = "canary", .max_vcpus = 1 };
	struct qvm_create_vcpu create_vcpu = { .index = 0 };
	struct qvm_region region = { .size = RAM_SIZE, .kind = QVM_REGION_RAM };
	int sys = must(open("/dev/qvm", O_RDWR | O_CLOEXEC), "/dev/qvm");
	unsigned int a, b, c, d;

	vm = must(ioctl(sys, QVM_CREATE_VM, &create), "QVM_CREATE_VM");
	ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(ram == MAP_FAILED ? -1 : 0, "mmap");
	memcpy(ram + CODE, guest_begin, (size_t)(guest_end - guest_begin));
	memset(ram + 0x2000, 0xa5, 0x400);
	memcpy(ram + 0x2000, "\x7f\x0f\0\0\0\0\0\0", 8);	/* FCW, FSW, tags */
	memset(ram + 0x2018, 0, 8);
	memcpy(ram + 0x2018, "\xc0\x5f", 2);			/* MXCSR */
	memset(ram + 0x2200, 0, 64);				/* XSAVE header */
	__cpuid(1, a, b, c, d);
	has_avx = c & bit_OSXSAVE && c & bit_AVX;
	ram[0x800] = has_avx;
	ram[0x804] = 7;
	ram[0x2200] = 7;
	__cpuid(0x80000001, a, b, c, d);
	ram[0x800] |= d & 1 << 27 ? 2 : 0;
	region.hva = (uintptr_t)ram;
	must(ioctl(vm, QVM_VM_ADD_REGION, &region), "QVM_VM_ADD_REGION");
	vcpu = must(ioctl(vm, QVM_VM_CREATE_VCPU, &create_vcpu), "QVM_VM_CREATE_VCPU");
	run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	must(run == MAP_FAILED ? -1 : 0, "mmap of the run page");
	set_reg(QVM_REG_SEG(1), 0, QVM_SEG_ATTR(0, 0x9b, 0xffff));
	set_reg(QVM_REG_RIP, CODE, 0);
	must(ioctl(vm, QVM_VM_ASSEMBLE), "QVM_VM_ASSEMBLE");
}

/* ---- this thread's registers around the call ---- */

struct regs {
	uint64_t gpr[12];		/* rbx rbp r8 r9 r10 r12 r13 r14 r15 rdi rsi rdx */
	uint8_t ymm[16][32];
	uint16_t fcw, fsw;
	uint32_t mxcsr;
	uint64_t flags;
} __attribute__((aligned(64)));

struct regs canary_in, canary_out;
long canary_number, canary_fd, canary_cmd, canary_avx;

/* Load canary_in, make the system call, store canary_out: RAX, RCX and R11 are the kernel's to change. */
long canary_call(void);

#define GPRS(mov_in_or_out)							\
	mov_in_or_out(0, rbx) mov_in_or_out(8, rbp) mov_in_or_out(16, r8) mov_in_or_out(24, r9)	\
	mov_in_or_out(32, r10) mov_in_or_out(40, r12) mov_in_or_out(48, r13)	\
	mov_in_or_out(56, r14) mov_in_or_out(64, r15)
#define LOAD(at, reg)	"mov canary_in+" #at "(%rip), %" #reg "\n"
#define STORE(at, reg)	"mov %" #reg ", canary_out+" #at "(%rip)\n"
#define VECTORS(line)	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n" line ".endr\n"

asm(".text\n"
    "canary_call:\n"
    "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
    "fninit\n fldcw canary_in+608(%rip)\n ldmxcsr canary_in+612(%rip)\n"
    "cmpq $0, canary_avx(%rip)\n je 1f\n"
    VECTORS("vmovdqu canary_in+96+32*\\n(%rip), %ymm\\n\n") "jmp 2f\n"
    "1:\n" VECTORS("movdqu canary_in+96+32*\\n(%rip), %xmm\\n\n")
    "2:\n" GPRS(LOAD)
    "mov canary_fd(%rip), %rdi\n mov canary_cmd(%rip), %rsi\n xor %edx, %edx\n"
    "mov canary_number(%rip), %rax\n"
    "syscall\n"
    "pushfq\n popq canary_out+616(%rip)\n"
    GPRS(STORE) STORE(72, rdi) STORE(80, rsi) STORE(88, rdx)
    "fnstcw canary_out+608(%rip)\n fnstsw canary_out+610(%rip)\n stmxcsr canary_out+612(%rip)\n"
    "cmpq $0, canary_avx(%rip)\n je 3f\n"
    VECTORS("vmovdqu %ymm\\n, canary_out+96+32*\\n(%rip)\n") "vzeroupper\n jmp 4f\n"
    "3:\n" VECTORS("movdqu %xmm\\n, canary_out+96+32*\\n(%rip)\n")
    "4: fninit\n ldmxcsr 5f(%rip)\n"
    "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
    "ret\n"
    "5: .long 0x1f80\n");

_Static_assert(offsetof(struct regs, ymm) == 96, "as assembly has it");
_Static_assert(offsetof(struct regs, fcw) == 608, "as assembly has it");
_Static_assert(offsetof(struct regs, mxcsr) == 612, "as assembly has it");
_Static_assert(offsetof(struct regs, flags) == 616, "as assembly has it");

static void fill(struct regs *regs, unsigned int round)
{
	memset(regs, 0, sizeof(*regs));
	for (unsigned int i = 0; i < 12; i++)
		regs->gpr[i] = 0x1111111111111111u * (i + 1) ^ round;
	for (unsigned int i = 0; i < 16; i++)
		for (unsigned int k = 0; k < (has_avx ? 32 : 16); k++)
			regs->ymm[i][k] = (uint8_t)(i * 16 + k + round);
	regs->fcw = round & 1 ? 0x037f : 0x0a7f;
	regs->mxcsr = round & 1 ? 0x1f80 : 0x7f80;
}

/* The guest ran in there: it has counted, and in its FP registers is what it put there. */
static bool call_and_compare(unsigned int round)
{
	unsigned int eax, ecx, edx, cpu;

	fill(&canary_in, round);
	canary_in.gpr[9] = (uint64_t)canary_fd;
	canary_in.gpr[10] = (uint64_t)canary_cmd;
	canary_in.gpr[11] = 0;
	canary_in.flags = 0x246;		/* of the XOR, and IF */
	memset(&canary_out, 0xcc, sizeof(canary_out));
	canary_out.fsw = 0;
	if (!has_avx)
		for (unsigned int i = 0; i < 16; i++)
			memset(canary_out.ymm[i] + 16, 0, 16);
	canary_call();
	for (size_t i = 0; i < offsetof(struct regs, flags) + 8; i++) {
		if (((uint8_t *)&canary_in)[i] != ((uint8_t *)&canary_out)[i]) {
			printf("# round %u: byte %zu is 0x%02x, not 0x%02x\n", round, i,
			       ((uint8_t *)&canary_out)[i], ((uint8_t *)&canary_in)[i]);
			return false;
		}
	}
	if (!(ram[0x800] & 2))
		return true;
	asm volatile("rdtscp" : "=a"(eax), "=c"(ecx), "=d"(edx));
	cpu = (unsigned int)sched_getcpu();
	return (ecx & 0xfff) == cpu;
}

static void test_this_thread(void)
{
	unsigned int round, good = 0, exits = 0;

	canary_number = __NR_ioctl;
	canary_fd = vcpu;
	canary_cmd = QVM_VCPU_RUN;
	canary_avx = has_avx;
	for (round = 0; round < ROUNDS && good == round; round++) {
		good += call_and_compare(round);
		exits += run->exit_reason == QVM_EXIT_PIO && run->mmio.gpa == 0x80;
	}
	check(good == ROUNDS, "GPRs, flags, x87, SSE, AVX, TSC_AUX are this thread's after each exit");
	check(exits >= ROUNDS / 2, "and the guest had others");
}

/* ---- segment bases ---- */

static __thread uint64_t local = 0x1234567890abcdef;
static uint64_t behind_gs = 0xfedcba0987654321;

static void test_segments(void)
{
	unsigned int good = 0;
	uint64_t value;

	must((int)syscall(SYS_arch_prctl, ARCH_SET_GS, &behind_gs), "ARCH_SET_GS");
	for (unsigned int round = 0; round < ROUNDS; round++) {
		ioctl(vcpu, QVM_VCPU_RUN);
		asm volatile("mov %%gs:0, %0" : "=r"(value));
		good += value == behind_gs && local == 0x1234567890abcdef;
	}
	check(good == ROUNDS, "FS and GS bases");
}

/* ---- a breakpoint of the host's, on memory that this thread writes ---- */

static volatile uint64_t watched;

static void test_breakpoint(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr), .bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&watched, .bp_len = HW_BREAKPOINT_LEN_8, .exclude_kernel = 1,
		.exclude_hv = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	uint64_t count = 0;

	if (fd < 0) {
		printf("ok %d a hardware breakpoint # SKIP perf_event_open: %s\n", ++tests, strerror(errno));
		return;
	}
	for (unsigned int round = 0; round < ROUNDS; round++) {
		ioctl(vcpu, QVM_VCPU_RUN);
		watched = round;
	}
	if (read(fd, &count, sizeof(count)) != sizeof(count) || count != ROUNDS)
		printf("# %lu hits\n", count);
	check(count == ROUNDS, "a hardware breakpoint");
	close(fd);
}

/* ---- another thread, here, while the guest is loaded ---- */

static volatile bool stop, other_failed;
static volatile unsigned long other_rounds;

static void *other(void *arg)
{
	uint8_t pattern[32] __attribute__((aligned(32))), found[32] __attribute__((aligned(32)));
	size_t size = has_avx ? 32 : 16;

	(void)arg;
	memset(pattern, 0x3c, sizeof(pattern));
	while (!stop) {
		uint64_t a = 0x123456789abcdef, b = ~a, count = 20000;

		/* in registers, over as many interrupts as come */
		if (has_avx)
			asm volatile("vmovdqa %4, %%ymm7\n1: dec %2\n jnz 1b\n vmovdqa %%ymm7, %3\n vzeroupper"
				     : "+r"(a), "+r"(b), "+r"(count), "=m"(found) : "m"(pattern) : "xmm7");
		else
			asm volatile("movdqa %4, %%xmm7\n1: dec %2\n jnz 1b\n movdqa %%xmm7, %3"
				     : "+r"(a), "+r"(b), "+r"(count), "=m"(found) : "m"(pattern) : "xmm7");
		if (memcmp(pattern, found, size) || a != 0x123456789abcdef || b != ~a)
			other_failed = true;
		other_rounds++;
	}
	return NULL;
}

static void test_other_thread(void)
{
	cpu_set_t one;
	pthread_t thread;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	must(sched_setaffinity(0, sizeof(one), &one), "sched_setaffinity");
	must(-pthread_create(&thread, NULL, other, NULL), "pthread_create");
	for (unsigned int round = 0; round < 20 * ROUNDS || other_rounds < 10; round++)
		ioctl(vcpu, QVM_VCPU_RUN);
	stop = true;
	pthread_join(thread, NULL);
	check(!other_failed && other_rounds >= 10, "registers of a thread that shares the CPU");
}

/* ---- MSRs, where the host has its msr driver ---- */

static const uint32_t msrs[] = {
	0x174, 0x175, 0x176, 0x1d9, 0x277, 0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
	0xc0000103, 0xda0,
};

#define MSRS	(sizeof(msrs) / sizeof(msrs[0]))

static unsigned int read_msrs(int fd, uint64_t values[MSRS])
{
	unsigned int there = 0;

	for (unsigned int i = 0; i < MSRS; i++) {
		values[i] = 0;
		there += pread(fd, &values[i], 8, msrs[i]) == 8;
	}
	return there;
}

static void test_msrs(void)
{
	uint64_t before[MSRS], after[MSRS];
	unsigned int there, differ = 0;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/cpu/%d/msr", sched_getcpu());
	fd = open(path, O_RDONLY);
	if (fd < 0) {
		printf("ok %d MSRs # SKIP %s: %s\n", ++tests, path, strerror(errno));
		return;
	}
	there = read_msrs(fd, before);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		ioctl(vcpu, QVM_VCPU_RUN);
		read_msrs(fd, after);
		for (unsigned int i = 0; i < MSRS; i++) {
			if (before[i] != after[i] && !differ++)
				printf("# MSR 0x%x: 0x%lx, not 0x%lx\n", msrs[i], after[i], before[i]);
		}
	}
	check(there >= 8 && !differ, "MSRs");
	close(fd);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..6\n");
	build();
	test_this_thread();
	test_segments();
	test_breakpoint();
	test_other_thread();
	test_msrs();
	return 0;
}
