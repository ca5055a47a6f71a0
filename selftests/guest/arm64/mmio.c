// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every form of load and store that a syndrome describes, against devices that remember what was
 * written: GICD_IPRIORITYR (bytes, words), GICD_IROUTER (words, double words), and, where the
 * launcher answers, the UART's baud rate divisor.
 */
#include "gic.h"

#define PRIO		(GICD + GIC_IPRIORITYR + SPI)
#define ROUTER		(GICD + GICD_IROUTER + 8 * SPI)
#define UARTIBRD	(UART_BASE + 0x24)	/* 16 bits */
#define UARTFBRD	(UART_BASE + 0x28)	/* 6 bits */

#define ONES		0xffffffffffffffffULL

/* What @insn leaves of a register that was all ones. */
#define LOADED(insn, reg, addr) ({				\
	u64 value_ = ONES;					\
	asm volatile(insn " %" reg "0, [%1]" : "+r"(value_) : "r"((u64)(addr)) : "memory"); \
	value_; })
#define STORE(insn, reg, value, addr) \
	asm volatile(insn " %" reg "0, [%1]" : : "r"((u64)(value)), "r"((u64)(addr)) : "memory")

static void test_loads_of_bytes(void)
{
	write32(PRIO, 0x78d0f008);
	check_eq(LOADED("ldrb", "w", PRIO), 0x08);
	check_eq(LOADED("ldrb", "w", PRIO + 1), 0xf0);
	check_eq(LOADED("ldrb", "w", PRIO + 3), 0x78);
	check_eq(LOADED("ldrsb", "w", PRIO), 0x08);
	check_eq(LOADED("ldrsb", "w", PRIO + 1), 0xfffffff0);
	check_eq(LOADED("ldrsb", "x", PRIO + 1), 0xfffffffffffffff0);
	check_eq(LOADED("ldrsb", "x", PRIO + 2), 0xffffffffffffffd0);
	check_eq(LOADED("ldrsb", "x", PRIO + 3), 0x78);
}

static void test_loads_of_words(void)
{
	write32(PRIO, 0xf8d0f008);
	check_eq(LOADED("ldr", "w", PRIO), 0xf8d0f008);
	check_eq(LOADED("ldrsw", "x", PRIO), 0xfffffffff8d0f008);
	write32(PRIO, 0x78d0f008);
	check_eq(LOADED("ldrsw", "x", PRIO), 0x78d0f008);
	check_eq(LOADED("ldur", "w", PRIO), 0x78d0f008);
	check_eq(LOADED("ldar", "w", PRIO), 0x78d0f008);
	write32(PRIO, 0);
}

static void test_double_words(void)
{
	write64(ROUTER, 0x0000000000010203);
	check_eq(LOADED("ldr", "x", ROUTER), 0x10203);
	check_eq(LOADED("ldr", "w", ROUTER), 0x10203);
	check_eq(LOADED("ldr", "w", ROUTER + 4), 0);
	check_eq(LOADED("ldrsw", "x", ROUTER), 0x10203);
	STORE("str", "w", 0xffffffff00000405, ROUTER);
	check_eq(LOADED("ldr", "x", ROUTER), 0x405);
	STORE("str", "x", 0x708, ROUTER);
	check_eq(LOADED("ldr", "x", ROUTER), 0x708);
	asm volatile("str xzr, [%0]" : : "r"(ROUTER) : "memory");
	check_eq(LOADED("ldr", "x", ROUTER), 0);
}

static void test_stores(void)
{
	write32(PRIO, 0);
	STORE("strb", "w", 0xffffffffffffff18, PRIO + 2);
	check_eq(read32(PRIO), 0x180000);
	STORE("str", "w", 0xdeadbeef20406080, PRIO);
	check_eq(read32(PRIO), 0x20406080);
	STORE("stur", "w", 0x08101820, PRIO);
	check_eq(read32(PRIO), 0x08101820);
	STORE("stlr", "w", 0x28303840, PRIO);
	check_eq(read32(PRIO), 0x28303840);
	asm volatile("strb wzr, [%0]" : : "r"(PRIO + 3) : "memory");
	check_eq(read32(PRIO), 0x00303840);
	asm volatile("str wzr, [%0]" : : "r"(PRIO) : "memory");
	check_eq(read32(PRIO), 0);
}

/* The launcher's device: half-words, too, and whole registers. */
static void test_launcher(void)
{
	write32(UARTIBRD, 0x9234);
	check_eq(LOADED("ldr", "w", UARTIBRD), 0x9234);
	check_eq(LOADED("ldrsw", "x", UARTIBRD), 0x9234);
	check_eq(LOADED("ldrh", "w", UARTIBRD), 0x9234);
	check_eq(LOADED("ldrsh", "w", UARTIBRD), 0xffff9234);
	check_eq(LOADED("ldrsh", "x", UARTIBRD), 0xffffffffffff9234);
	check_eq(LOADED("ldrb", "w", UARTIBRD), 0x34);
	check_eq(LOADED("ldrsb", "x", UARTIBRD), 0x34);
	STORE("strh", "w", 0xffffffffffff5678, UARTIBRD);
	check_eq(read32(UARTIBRD), 0x5678);
	asm volatile("str wzr, [%0]" : : "r"(UARTIBRD) : "memory");
	check_eq(read32(UARTIBRD), 0);
	write32(UARTFBRD, 0x2a);
	check_eq(read32(UARTFBRD), 0x2a);
	write32(UARTFBRD, 0);
}

/* ---- to and from each register ---- */

#define TO_REGISTER(n)								\
	({									\
		u64 value_;							\
		asm volatile("mov x" #n ", #-1\n ldr w" #n ", [%1]\n mov %0, x" #n	\
			     : "=r"(value_) : "r"(PRIO) : "x" #n, "memory");	\
		check_eq(value_, 0x78d0f008);					\
	})
#define FROM_REGISTER(n)							\
	({									\
		asm volatile("mov x" #n ", %0\n str w" #n ", [%1]"		\
			     : : "r"(n * 8ULL), "r"(PRIO) : "x" #n, "memory");	\
		check_eq(read32(PRIO), n * 8);					\
	})
#define EACH_REGISTER(X)							\
	X(0); X(1); X(2); X(3); X(4); X(5); X(6); X(7); X(8); X(9); X(10); X(11); X(12); X(13); X(14);	\
	X(15); X(16); X(17); X(18); X(19); X(20); X(21); X(22); X(23); X(24); X(25); X(26); X(27); X(28); X(30)

static void test_to_each_register(void)
{
	write32(PRIO, 0x78d0f008);
	EACH_REGISTER(TO_REGISTER);
	/* to nowhere: SP is no target, and is kept */
	asm volatile("ldr wzr, [%0]" : : "r"(PRIO) : "memory");
	asm volatile("ldrb wzr, [%0]" : : "r"(PRIO) : "memory");
	write32(PRIO, 0);
}

static void test_from_each_register(void)
{
	write32(PRIO, 0);
	EACH_REGISTER(FROM_REGISTER);
	write32(PRIO, 0);
}

/* Offsets and extended indexes without write-back are described as well. */
static void test_addressing(void)
{
	u64 value;

	write32(PRIO, 0x40302010);
	asm volatile("ldrb %w0, [%1, #2]" : "=r"(value) : "r"(PRIO) : "memory");
	check_eq(value, 0x30);
	asm volatile("ldrb %w0, [%1, %2]" : "=r"(value) : "r"(PRIO), "r"(3ULL) : "memory");
	check_eq(value, 0x40);
	asm volatile("ldrb %w0, [%1, %w2, sxtw]" : "=r"(value) : "r"(PRIO + 4), "r"(-3) : "memory");
	check_eq(value, 0x20);
	asm volatile("ldr %w0, [%1, %2, lsl #2]" : "=r"(value) : "r"(PRIO - 8), "r"(2ULL) : "memory");
	check_eq(value, 0x40302010);
	/* the address register is the target */
	value = PRIO;
	asm volatile("ldr %w0, [%0]" : "+r"(value) : : "memory");
	check_eq(value, 0x40302010);
	write32(PRIO, 0);
}

/* ---- a big-endian CPU: data accesses are swapped, instructions are not ---- */

struct big {
	u64 word, byte, half, router;
};

/*
 * With the MMU off, as its tables would be swapped, too, and nothing of memory is touched. A word,
 * a byte, and a double word are read; a word is written first.
 */
void big_endian(u64 prio, u64 router, u64 ibrd, struct big *big);
asm(".pushsection .text\n"
    "big_endian:\n"
    "	mov	x15, x30\n"
    "	mrs	x9, sctlr_el1\n"
    "	mov	x10, #1\n"
    "	bic	x10, x9, x10\n"
    "	orr	x10, x10, #1 << 25\n"
    "	dsb	sy\n"
    "	msr	sctlr_el1, x10\n"
    "	isb\n"
    "	movz	w11, #0x4030, lsl #16\n"
    "	movk	w11, #0x2010\n"
    "	str	w11, [x0]\n"
    "	ldr	w4, [x0]\n"
    "	ldrb	w5, [x0]\n"
    "	mov	w11, #0x1234\n"
    "	strh	w11, [x2]\n"
    "	ldrsh	x6, [x2]\n"
    "	movz	x11, #0x0302, lsl #48\n"
    "	str	x11, [x1]\n"
    "	ldr	x7, [x1]\n"
    "	msr	sctlr_el1, x9\n"
    "	isb\n"
    "	stp	x4, x5, [x3]\n"
    "	stp	x6, x7, [x3, #16]\n"
    "	ret	x15\n"
    ".popsection\n");

static void test_big_endian(void)
{
	struct big big;

	if (!(read_sysreg(id_aa64mmfr0_el1) >> 8 & 15)) {
		test_skip("this CPU has no mixed endianness");
		return;
	}
	big_endian(PRIO, ROUTER, UARTIBRD, &big);
	check_eq(big.word, 0x40302010);
	check_eq(big.byte, 0x40);		/* the lowest address holds the top */
	check_eq(read32(PRIO), 0x10203040);
	check_eq(big.half, 0x1234);
	check_eq(read16(UARTIBRD), 0x3412);
	check_eq(big.router, 0x0302000000000000);
	check_eq(read64(ROUTER), 0x0203);
	write32(PRIO, 0);
	write32(UARTIBRD, 0);
	write64(ROUTER, 0);
}

const struct test tests[] = {
	TEST(loads_of_bytes),
	TEST(loads_of_words),
	TEST(double_words),
	TEST(stores),
	TEST(launcher),
	TEST(to_each_register),
	TEST(from_each_register),
	TEST(addressing),
	TEST(big_endian),
	{},
};
