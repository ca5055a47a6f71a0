/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bare-metal guest at EL1: CPU, exceptions, other CPUs, console, and the tests' own results.
 * A guest is a table of tests and a main:
 *
 *	const struct test tests[] = { TEST(ticks), TEST(stops), {} };
 *
 * lib/main.c runs them in order on CPU 0 with the MMU on, prints KTAP, and powers off.
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

/* A name that the assembler knows, or an encoding, S3_0_C12_C12_0, or a macro for it. */
#define read_sysreg(reg) \
	({ u64 value_; asm volatile("mrs %0, " STRING(reg) : "=r"(value_)); value_; })
#define write_sysreg(value, reg) \
	asm volatile("msr " STRING(reg) ", %x0" : : "rZ"((u64)(value)) : "memory")
#define isb()		asm volatile("isb" : : : "memory")
#define dsb()		asm volatile("dsb sy" : : : "memory")
#define wfi()		asm volatile("dsb sy\n wfi" : : : "memory")
#define barrier()	asm volatile("" : : : "memory")
#define irqs_enable()	asm volatile("msr daifclr, #3" : : : "memory")	/* IRQ and FIQ */
#define irqs_disable()	asm volatile("msr daifset, #3" : : : "memory")

/* ---- MMIO: exactly one access that the syndrome describes ---- */

#define MMIO_READ(name, type, insn, width)				\
	static inline type name(u64 addr)				\
	{								\
		type value;						\
		asm volatile(insn " %" width "0, [%1]" : "=r"(value) : "r"(addr) : "memory"); \
		return value;						\
	}
#define MMIO_WRITE(name, type, insn, width)				\
	static inline void name(u64 addr, type value)			\
	{								\
		asm volatile(insn " %" width "0, [%1]" : : "rZ"(value), "r"(addr) : "memory"); \
	}
MMIO_READ(read8, u8, "ldrb", "w")
MMIO_READ(read16, u16, "ldrh", "w")
MMIO_READ(read32, u32, "ldr", "w")
MMIO_READ(read64, u64, "ldr", "x")
MMIO_WRITE(write8, u8, "strb", "w")
MMIO_WRITE(write16, u16, "strh", "w")
MMIO_WRITE(write32, u32, "str", "w")
MMIO_WRITE(write64, u64, "str", "x")

/* ---- board ---- */

#define RAM_BASE	0x40000000ULL
#define UART_BASE	0x1c090000ULL
#define UART_INTID	37
#define NOBODY		0x10000000ULL	/* nothing is there */
#define NOBODY_NORMAL	0x7f000000ULL	/* nor there, mapped as memory: 1008 MiB behind the start of RAM */

/* ---- CPUs ---- */

/* Index of this CPU: 16 a cluster, as affinities are given out. */
static inline unsigned int cpu_index(void)
{
	u64 mpidr = read_sysreg(mpidr_el1);

	return (mpidr >> 8 & 0xff) * 16 + (mpidr & 0xff);
}

static inline u64 cpu_affinity(unsigned int cpu)
{
	return (cpu / 16) << 8 | cpu % 16;
}

/* How many CPUs the board has (redistributors are counted). */
unsigned int cpu_count(void);

/*
 * Start @cpu in @fn with MMU and vectors set up and interrupts masked; it switches itself off when
 * @fn returns. Waits until it is there. False: PSCI refused.
 */
bool cpu_start(unsigned int cpu, void (*fn)(void));
void cpu_start_all(void (*fn)(void));		/* all but CPU 0 */
/* Wait until @cpu, or all but CPU 0, are off. False: not within five seconds. */
bool cpu_wait_off(unsigned int cpu);
bool cpu_wait_all_off(void);

/* All of @count CPUs come here before one goes on; false after ten seconds. */
struct gate {
	unsigned int arrived, passed;
};
bool gate_pass(struct gate *gate, unsigned int count);

void mmu_enable(void);	/* identity map; RAM cacheable, the rest device */
bool mmu_is_on(void);

/* ---- time ---- */

static inline u64 counter(void)
{
	isb();
	return read_sysreg(cntvct_el0);
}

u64 ticks_of_us(u64 us);
void delay_us(u64 us);

/* True as soon as @cond is, false if it isn't within @us. */
#define wait_for(cond, us) ({						\
	u64 end_ = counter() + ticks_of_us(us);				\
	bool done_;							\
	while (!(done_ = (cond)) && counter() < end_)			\
		asm volatile("yield" : : : "memory");			\
	done_ || (cond); })

#define SECOND		1000000ULL	/* for wait_for */

/* ---- exceptions ---- */

struct frame {
	u64 x[31], elr, spsr, unused;
};

_Static_assert(sizeof(struct frame) == FRAME_SIZE, "as the vectors have it");

/* Called for interrupts, which it has to acknowledge; none expected if NULL. */
extern void (*irq_handler)(void);
extern void (*fiq_handler)(void);
/* Called for SVC from EL0 or EL1; none expected if NULL. */
extern void (*svc_handler)(struct frame *frame);
/* Called for software steps of EL1; none expected if NULL. */
extern void (*step_handler)(struct frame *frame);

/*
 * What happened to the code between fault_expect() and fault_taken(), on this CPU: synchronous
 * exceptions are noted and the instruction is skipped (a fetch abort returns to x30).
 */
struct fault {
	unsigned int count;
	u64 esr, far, elr, spsr;
	unsigned int vector;
};

void fault_expect(void);
struct fault fault_taken(void);

#define ESR_EC(esr)	((esr) >> 26 & 0x3f)
#define ESR_IL		BIT(25)
#define ESR_WNR		BIT(6)
#define ESR_FSC(esr)	((esr) & 0x3f)
#define EC_UNKNOWN	0x00
#define EC_FP		0x07
#define EC_SVC		0x15
#define EC_SYS		0x18
#define EC_IABT_EL1	0x21
#define EC_DABT_EL0	0x24
#define EC_DABT_EL1	0x25
#define EC_BREAKPOINT	0x31	/* these three from EL1 */
#define EC_STEP		0x33
#define EC_WATCHPOINT	0x35
#define FSC_EXTERNAL	0x10
#define FSC_ALIGNMENT	0x21

/* One instruction, and what it gave: fault(…).count is 0 if nothing. */
#define fault_of(...) ({ fault_expect(); asm volatile(__VA_ARGS__); fault_taken(); })
#define is_undefined(fault) ((fault).count == 1 && (fault).esr == ((u64)EC_UNKNOWN << 26 | ESR_IL))

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

bool check_note(bool ok, const char *file, int line, const char *text);
bool check_note_eq(u64 got, u64 want, const char *file, int line, const char *text);
void test_skip(const char *why);

/* Note a mismatch and go on; the value says whether it held. Legal on every CPU. */
#define check(cond)	check_note((cond), __FILE__, __LINE__, #cond)
#define check_eq(got, want) check_note_eq((u64)(got), (u64)(want), __FILE__, __LINE__, #got " == " #want)

__attribute__((noreturn)) void power_off(void);

#endif /* GUEST_H */
