/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bare-metal guest in 64-bit mode: CPU, exceptions, other CPUs, console, and the tests' own
 * results. A guest is a table of tests:
 *
 *	const struct test tests[] = { TEST(ticks), TEST(stops), {} };
 *
 * lib/main.c runs them in order on CPU 0, prints KTAP, and powers off. Addresses are what they are
 * called: the first 4 GiB are mapped to themselves, for ring 3 too.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define BIT(n)		(1ULL << (n))

#define STRING_OF(text)	#text
#define STRING(macro)	STRING_OF(macro)

#define barrier()	asm volatile("" : : : "memory")
#define pause()		asm volatile("pause" : : : "memory")
#define irqs_enable()	asm volatile("sti; nop" : : : "memory")
#define irqs_disable()	asm volatile("cli" : : : "memory")
#define hlt_enabled()	asm volatile("sti; hlt; cli" : : : "memory")

/* ---- registers ---- */

#define REGISTER(name)								\
	static inline u64 read_##name(void)					\
	{									\
		u64 value;							\
		asm volatile("mov %%" #name ", %0" : "=r"(value) : : "memory");	\
		return value;							\
	}									\
	static inline void write_##name(u64 value)				\
	{									\
		asm volatile("mov %0, %%" #name : : "r"(value) : "memory");	\
	}
REGISTER(cr0)
REGISTER(cr2)
REGISTER(cr3)
REGISTER(cr4)
REGISTER(cr8)
REGISTER(dr0)
REGISTER(dr1)
REGISTER(dr2)
REGISTER(dr3)
REGISTER(dr6)
REGISTER(dr7)

#define CR0_PE		BIT(0)
#define CR0_MP		BIT(1)
#define CR0_EM		BIT(2)
#define CR0_TS		BIT(3)
#define CR0_ET		BIT(4)
#define CR0_NE		BIT(5)
#define CR0_WP		BIT(16)
#define CR0_AM		BIT(18)
#define CR0_NW		BIT(29)
#define CR0_CD		BIT(30)
#define CR0_PG		BIT(31)
#define CR4_DE		BIT(3)
#define CR4_PAE		BIT(5)
#define CR4_PGE		BIT(7)
#define CR4_OSFXSR	BIT(9)
#define CR4_OSXMMEXCPT	BIT(10)
#define CR4_VMXE	BIT(13)
#define CR4_PCIDE	BIT(17)
#define CR4_OSXSAVE	BIT(18)
#define EFLAGS_FIXED	BIT(1)
#define EFLAGS_TF	BIT(8)
#define EFLAGS_IF	BIT(9)
#define EFLAGS_RF	BIT(16)

static inline u64 read_flags(void)
{
	u64 value;

	asm volatile("pushfq; pop %0" : "=r"(value) : : "memory");
	return value;
}

static inline u64 rdmsr(u32 index)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index) : "memory");
	return (u64)high << 32 | low;
}

static inline void wrmsr(u32 index, u64 value)
{
	asm volatile("wrmsr" : : "a"((u32)value), "d"((u32)(value >> 32)), "c"(index) : "memory");
}

#define MSR_TSC		0x10
#define MSR_APIC_BASE	0x1b
#define MSR_TSC_ADJUST	0x3b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_EFER	0xc0000080
#define MSR_STAR	0xc0000081
#define MSR_LSTAR	0xc0000082
#define MSR_CSTAR	0xc0000083
#define MSR_SFMASK	0xc0000084
#define MSR_FS_BASE	0xc0000100
#define MSR_GS_BASE	0xc0000101
#define MSR_KERNEL_GS	0xc0000102
#define MSR_TSC_AUX	0xc0000103

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid r;

	asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(subleaf) : "memory");
	return r;
}

static inline u64 tsc(void)
{
	u32 low, high;

	asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

/* ---- memory and ports: exactly one access each ---- */

#define MMIO(bits, suffix, reg)							\
	static inline u##bits read##bits(u64 addr)				\
	{									\
		u##bits value;							\
		asm volatile("mov" suffix " (%1), %" reg "0" : "=r"(value) : "r"(addr) : "memory"); \
		return value;							\
	}									\
	static inline void write##bits(u64 addr, u##bits value)			\
	{									\
		asm volatile("mov" suffix " %" reg "0, (%1)" : : "r"(value), "r"(addr) : "memory"); \
	}
MMIO(8, "b", "b")
MMIO(16, "w", "w")
MMIO(32, "l", "k")
MMIO(64, "q", "q")

#define PORT(bits, suffix, reg)							\
	static inline u##bits in##bits(u16 port)				\
	{									\
		u##bits value;							\
		asm volatile("in" suffix " %w1, %" reg "0" : "=a"(value) : "Nd"(port) : "memory"); \
		return value;							\
	}									\
	static inline void out##bits(u16 port, u##bits value)			\
	{									\
		asm volatile("out" suffix " %" reg "0, %w1" : : "a"(value), "Nd"(port) : "memory"); \
	}
PORT(8, "b", "b")
PORT(16, "w", "w")
PORT(32, "l", "k")

void copy(void *to, const void *from, size_t size);
void fill(void *to, u8 byte, size_t size);
bool same(const void *a, const void *b, size_t size);

/* ---- board ---- */

#define COM1		0x3f8
#define COM1_IRQ	4
#define COM1_SCRATCH	(COM1 + 7)	/* a byte that is kept, by the launcher */
#define PM1_STATUS	0x600
#define PM1_CONTROL	0x604
#define RESET_PORT	0xcf9
#define PORT_92		0x92
#define NOBODY_PORT	0x2700		/* nothing is there */
#define NOBODY		0xe0000000ULL	/* nor there */
#define LAPIC		0xfee00000ULL
#define IOAPIC		0xfec00000ULL

/* ---- CPUs ---- */

/* Of each CPU, at its GS: layout.h. */
struct fault {
	unsigned int count, vector, error;
	u64 cr2, rip, flags, rsp;
};

struct cpu {
	u64 index;
	u64 fixup;			/* where an expected fault goes on */
	u64 kernel_rsp;
	struct fault fault;
	u32 irqs[256];			/* taken, by vector */
	bool came, done;
	void (*fn)(void);
};

_Static_assert(offsetof(struct cpu, index) == CPU_INDEX, "as assembly has it");
_Static_assert(offsetof(struct cpu, fixup) == CPU_FIXUP, "as assembly has it");
_Static_assert(offsetof(struct cpu, kernel_rsp) == CPU_KERNEL_RSP, "as assembly has it");

extern struct cpu cpus[CPU_MAX];

static inline unsigned int cpu_index(void)
{
	u32 index;

	asm volatile("movl %%gs:" STRING(CPU_INDEX) ", %0" : "=r"(index));
	return index;
}

static inline struct cpu *this_cpu(void)
{
	return &cpus[cpu_index()];
}

/* How many CPUs the board has, by CPUID. */
unsigned int cpu_count(void);

/*
 * Start @cpu in @fn, in 64-bit mode with its LAPIC on and interrupts off; when @fn returns it
 * halts for good. Waits until it is there; false: not within ten seconds.
 */
bool cpu_start(unsigned int cpu, void (*fn)(void));
void cpu_start_all(void (*fn)(void));		/* all but CPU 0 */
bool cpu_wait_done(unsigned int cpu);
bool cpu_wait_all_done(void);

/* INIT, then SIPI to @page << 12: whatever is there runs in real mode. */
void cpu_send_init(unsigned int cpu);
void cpu_send_sipi(unsigned int cpu, u8 page);

/* All of @count CPUs come here before one goes on; false after ten seconds. */
struct gate {
	unsigned int arrived, passed;
};
bool gate_pass(struct gate *gate, unsigned int count);

/* ---- time ---- */

u64 tsc_of_us(u64 us);
u64 us_of_tsc(u64 ticks);
void delay_us(u64 us);

/* True as soon as @cond is, false if it isn't within @us. */
#define wait_for(cond, us) ({						\
	u64 end_ = tsc() + tsc_of_us(us);				\
	bool done_;							\
	while (!(done_ = (cond)) && tsc() < end_)			\
		pause();						\
	done_ || (cond); })

#define SECOND		1000000ULL	/* for wait_for */

/* ---- paging ---- */

#define PTE_P		BIT(0)
#define PTE_W		BIT(1)
#define PTE_U		BIT(2)
#define PTE_PWT		BIT(3)
#define PTE_PCD		BIT(4)
#define PTE_A		BIT(5)
#define PTE_D		BIT(6)
#define PTE_PS		BIT(7)
#define PTE_NX		BIT(63)

#define WINDOW		0x8000000000ULL	/* free addresses from here on: 1 GiB of them */

/* A page of zeros, for good. */
void *page_alloc(void);
/* The entry that maps @va by 4 KiB, with tables above it; @va from WINDOW on. Flushes nothing. */
u64 *page_entry(u64 va);
static inline void page_flush(u64 va)
{
	asm volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* Run @fn in ring 3 on a stack of its own; returns when it does. */
void user_call(void (*fn)(void));

/* ---- exceptions and interrupts ---- */

struct frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error, rip, cs, flags, rsp, ss;
};

enum { DE = 0, DB = 1, NMI = 2, BP = 3, OF = 4, BR = 5, UD = 6, NM = 7, DF = 8, TS = 10, NP = 11,
       SS = 12, GP = 13, PF = 14, MF = 16, AC = 17, XM = 19 };

/*
 * Called for its vector instead of what happens by itself: exceptions that nobody expects end the
 * guest; interrupts are counted in cpus[].irqs and get an EOI if their vector is 32 or more.
 */
extern void (*handlers[256])(struct frame *frame);
void idt_set(unsigned int vector, void *entry, unsigned int dpl);	/* a gate of one's own */

static inline u32 irqs_of(unsigned int vector)
{
	return __atomic_load_n(&this_cpu()->irqs[vector], __ATOMIC_RELAXED);
}

/* What @insn (an asm string with operands) gave: .count is 0 if nothing. */
#define FAULT_OF(insn, ...) ({							\
	this_cpu()->fault = (struct fault){};					\
	asm volatile("movq $991f, %%gs:" STRING(CPU_FIXUP) "\n\t" insn		\
		     "\n991:\tmovq $0, %%gs:" STRING(CPU_FIXUP) : __VA_ARGS__);	\
	barrier();								\
	this_cpu()->fault; })
/* The vector, or NONE. */
#define VECTOR_OF(insn, ...) ({							\
	struct fault f_ = FAULT_OF(insn, __VA_ARGS__);				\
	f_.count ? f_.vector : NONE; })
#define NONE		256u

/* ---- console ---- */

void uart_init(void);
__attribute__((format(printf, 1, 2))) void print(const char *fmt, ...);	/* %s %c %d %u %x %lx … */

/* ---- results ---- */

struct test {
	const char *name;
	void (*fn)(void);
};

#define TEST(f)	{ #f, test_##f }
extern const struct test tests[];

/* Multiboot information, as the loader handed it; and ESP at the entry. */
extern u32 boot_magic, boot_info, boot_stack;
const char *boot_cmdline(void);
bool boot_cmdline_is(const char *word);

bool check_note(bool ok, const char *file, int line, const char *text);
bool check_note_eq(u64 got, u64 want, const char *file, int line, const char *text);
void test_skip(const char *why);

/* Note a mismatch and go on; the value says whether it held. Legal on every CPU. */
#define check(cond)	check_note((cond), __FILE__, __LINE__, #cond)
#define check_eq(got, want) check_note_eq((u64)(got), (u64)(want), __FILE__, __LINE__, #got " == " #want)

__attribute__((noreturn)) void power_off(void);

#endif /* GUEST_H */
