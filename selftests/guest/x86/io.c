// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports with their strings, and memory that is a device's: all widths and the instructions that the
 * decoder knows; ROM, holes, and accesses over the edge of a page.
 */
#include "apic.h"

#define PORTS		0xe0		/* keeps 4 bytes */
#define MEMORY		0xff000000ULL	/* keeps 64 KiB, each access an exit */
#define ROM		0x50000000ULL
#define RAM_END		(64ULL << 20)

static u8 buffer[3 * 4096] __attribute__((aligned(4096)));

/* ---- ports ---- */

static void test_port_widths(void)
{
	out32(PORTS, 0x11223344);
	check_eq(in32(PORTS), 0x11223344);
	check_eq(in16(PORTS), 0x3344);
	check_eq(in16(PORTS + 2), 0x1122);
	check_eq(in8(PORTS + 3), 0x11);
	out8(PORTS + 1, 0x99);
	check_eq(in32(PORTS), 0x11229944);
	out16(PORTS + 2, 0xabcd);
	check_eq(in32(PORTS), 0xabcd9944);
	check_eq(in8(NOBODY_PORT), 0xff);
	check_eq(in16(NOBODY_PORT), 0xffff);
	check_eq(in32(NOBODY_PORT), 0xffffffff);
	out32(NOBODY_PORT, 0);
	/* of an immediate */
	asm volatile("mov $0x5a, %%al\n outb %%al, $0xe0\n xor %%eax, %%eax\n inb $0xe0, %%al\n"
		     "mov %%eax, %0" : "=m"(buffer[0]) : : "eax", "memory");
	check_eq(buffer[0], 0x5a);
}

#define STRING_IN(suffix, prefix, to, n) ({					\
	void *at_ = (to);							\
	u64 n_ = (n);								\
	asm volatile(prefix " ins" suffix : "+D"(at_), "+c"(n_) : "d"(PORTS) : "memory"); \
	check_eq(n_, sizeof(prefix) > 1 ? 0 : (n));				\
	(u64)at_ - (u64)(to); })
#define STRING_OUT(suffix, prefix, from, n) ({					\
	const void *at_ = (from);						\
	u64 n_ = (n);								\
	asm volatile(prefix " outs" suffix : "+S"(at_), "+c"(n_) : "d"(PORTS) : "memory"); \
	check_eq(n_, sizeof(prefix) > 1 ? 0 : (n));				\
	(u64)at_ - (u64)(from); })

static void test_port_strings(void)
{
	fill(buffer, 0, sizeof(buffer));
	out32(PORTS, 0x44332211);
	check_eq(STRING_IN("b", "", buffer, 7), 1);
	check_eq(buffer[0], 0x11);
	check_eq(buffer[1], 0);
	check_eq(STRING_IN("b", "rep", buffer, 5), 5);
	check_eq(buffer[4], 0x11);
	check_eq(buffer[5], 0);
	check_eq(STRING_IN("w", "rep", buffer + 16, 3), 6);
	check_eq(*(u16 *)(buffer + 20), 0x2211);
	check_eq(STRING_IN("l", "rep", buffer + 32, 3), 12);
	check_eq(*(u32 *)(buffer + 40), 0x44332211);
	check_eq(STRING_IN("l", "rep", buffer, 0), 0);		/* nothing */
	copy(buffer, "\1\2\3\4\5\6\7\10\11\12\13\14", 12);
	check_eq(STRING_OUT("b", "rep", buffer, 3), 3);
	check_eq(in8(PORTS), 3);
	check_eq(STRING_OUT("w", "rep", buffer, 3), 6);
	check_eq(in16(PORTS), 0x0605);
	check_eq(STRING_OUT("l", "rep", buffer, 3), 12);
	check_eq(in32(PORTS), 0x0c0b0a09);
}

static void test_port_strings_backwards(void)
{
	void *at = buffer + 8;
	u64 n = 3;

	fill(buffer, 0, 32);
	out32(PORTS, 0x44332211);
	asm volatile("std; rep insw; cld" : "+D"(at), "+c"(n) : "d"(PORTS) : "memory");
	check_eq((u64)at, (u64)buffer + 2);
	check_eq(*(u16 *)(buffer + 4), 0x2211);
	check_eq(*(u16 *)(buffer + 8), 0x2211);
	check_eq(buffer[10], 0);
	check_eq(buffer[2], 0);
}

/* Each element over the edge of a page, to two pages that are not neighbours. */
static void test_port_strings_cross_pages(void)
{
	u64 va = WINDOW + 0x100000;
	u8 *first = page_alloc(), *second;

	page_alloc();
	second = page_alloc();
	*page_entry(va) = (u64)first | PTE_P | PTE_W;
	*page_entry(va + 4096) = (u64)second | PTE_P | PTE_W;
	out32(PORTS, 0x44332211);
	STRING_IN("l", "rep", (void *)(va + 4096 - 6), 3);
	check_eq(read32((u64)first + 4090), 0x44332211);
	check_eq(read16((u64)first + 4094), 0x2211);
	check_eq(read16((u64)second), 0x4433);
	check_eq(read32((u64)second + 2), 0x44332211);
	second[0] = 0xaa;
	second[1] = 0xbb;
	STRING_OUT("l", "", (void *)(va + 4094), 1);
	check_eq(in32(PORTS), 0xbbaa2211);
	/* the second is not there: #PF with what is done before it done */
	*page_entry(va + 4096) = 0;
	page_flush(va + 4096);
	{
		void *at = (void *)(va + 4096 - 8);
		u64 n = 5;
		struct fault fault = FAULT_OF("rep insl", "+D"(at), "+c"(n) : "d"(PORTS) : "memory");

		check_eq(fault.vector, PF);
		check_eq(fault.cr2, va + 4096);
		check_eq(fault.error, 2);
		check_eq(n, 3);
		check_eq((u64)at, va + 4096);
	}
	*page_entry(va) = 0;
	page_flush(va);
}

/* Ring 3 without IOPL, and with. */
static unsigned int user_vector;
static void user_port(void)
{
	user_vector = VECTOR_OF("inb $0xe0, %%al", : : "eax", "memory");
}

static void test_port_privilege(void)
{
	user_call(user_port);
	check_eq(user_vector, GP);
	asm volatile("pushfq; orl $0x3000, (%%rsp); popfq" : : : "memory", "cc");
	user_call(user_port);
	check_eq(user_vector, NONE);
	asm volatile("pushfq; andl $~0x3000, (%%rsp); popfq" : : : "memory", "cc");
}

/* ---- memory of a device ---- */

static void test_mmio_widths(void)
{
	write64(MEMORY, 0x8877665544332211);
	check_eq(read64(MEMORY), 0x8877665544332211);
	check_eq(read32(MEMORY), 0x44332211);
	check_eq(read32(MEMORY + 4), 0x88776655);
	check_eq(read16(MEMORY + 2), 0x4433);
	check_eq(read8(MEMORY + 7), 0x88);
	write8(MEMORY + 1, 0xaa);
	write16(MEMORY + 2, 0xbbcc);
	write32(MEMORY + 4, 0xddeeff00);
	check_eq(read64(MEMORY), 0xddeeff00bbccaa11);
	/* unaligned */
	check_eq(read32(MEMORY + 3), 0xeeff00bb);
	write64(MEMORY + 9, 0x0102030405060708);
	check_eq(read64(MEMORY + 9), 0x0102030405060708);
}

static void test_mmio_moves(void)
{
	u64 value;

	write64(MEMORY, 0x80fedcba98765432);
	asm volatile("movzbl 1(%1), %k0" : "=r"(value) : "r"(MEMORY) : "memory");
	check_eq(value, 0x54);
	asm volatile("movsbq 7(%1), %0" : "=r"(value) : "r"(MEMORY) : "memory");
	check_eq(value, 0xffffffffffffff80);
	asm volatile("movzwq 6(%1), %0" : "=r"(value) : "r"(MEMORY) : "memory");
	check_eq(value, 0x80fe);
	asm volatile("movswl 6(%1), %k0" : "=r"(value) : "r"(MEMORY) : "memory");
	check_eq(value, 0xffff80fe);
	asm volatile("movslq 4(%1), %0" : "=r"(value) : "r"(MEMORY) : "memory");
	check_eq(value, 0xffffffff80fedcba);
	asm volatile("movl $0x12345678, (%0)" : : "r"(MEMORY) : "memory");
	check_eq(read32(MEMORY), 0x12345678);
	asm volatile("movq $-2, (%0)" : : "r"(MEMORY) : "memory");
	check_eq(read64(MEMORY), ~1ULL);
	asm volatile("movb $0x7f, 3(%0)" : : "r"(MEMORY) : "memory");
	check_eq(read32(MEMORY), 0x7ffffffe);
	/* addresses of every form */
	asm volatile("movl %k1, 0x10(%0,%2,4)" : : "r"(MEMORY), "r"(0x31), "r"(3ULL) : "memory");
	check_eq(read32(MEMORY + 0x1c), 0x31);
	{
		register u64 base asm("r13") = MEMORY;
		register u32 got asm("r12");

		asm volatile("movl 0x1c(%1), %0" : "=r"(got) : "r"(base) : "memory");
		check_eq(got, 0x31);
	}
}

static void test_mmio_bits(void)
{
	u8 set;

	write32(MEMORY, 0x0f0f0f0f);
	asm volatile("orl $0xf0, (%0)" : : "r"(MEMORY) : "memory", "cc");
	check_eq(read32(MEMORY), 0x0f0f0fff);
	asm volatile("andl %k1, (%0)" : : "r"(MEMORY), "r"(0xff0000ff) : "memory", "cc");
	check_eq(read32(MEMORY), 0x0f0000ff);
	asm volatile("testl $0x80, (%1)\n setnz %0" : "=r"(set) : "r"(MEMORY) : "memory", "cc");
	check_eq(set, 1);
	asm volatile("cmpl $0x0f0000ff, (%1)\n sete %0" : "=r"(set) : "r"(MEMORY) : "memory", "cc");
	check_eq(set, 1);
	asm volatile("cmpb $0xff, (%1)\n setb %0" : "=r"(set) : "r"(MEMORY + 1) : "memory", "cc");
	check_eq(set, 1);
}

static void test_mmio_xchg(void)
{
	u32 value = 0x1234;

	write32(MEMORY, 0xcafe);
	asm volatile("xchgl %0, (%1)" : "+r"(value) : "r"(MEMORY) : "memory");
	check_eq(value, 0xcafe);
	check_eq(read32(MEMORY), 0x1234);
}

/* Those that a C compiler makes of a volatile pointer, or an atomic operation. */
static void test_mmio_more(void)
{
	u32 value = 5, was = 0x1234;
	u64 wide;
	u8 set;

	write64(MEMORY, 0x1234);
	asm volatile("lock cmpxchgl %2, (%3)\n setz %1"
		     : "+a"(was), "=q"(set) : "r"(0x5678), "r"(MEMORY) : "memory", "cc");
	check(set && was == 0x1234);
	check_eq(read32(MEMORY), 0x5678);
	asm volatile("lock cmpxchgl %2, (%3)\n setz %1"
		     : "+a"(was), "=q"(set) : "r"(0x9999), "r"(MEMORY) : "memory", "cc");
	check(!set && was == 0x5678);
	check_eq(read32(MEMORY), 0x5678);
	asm volatile("lock xaddl %0, (%1)" : "+r"(value) : "r"(MEMORY) : "memory", "cc");
	check_eq(value, 0x5678);
	check_eq(read32(MEMORY), 0x567d);
	asm volatile("stc\n adcl $2, (%0)" : : "r"(MEMORY) : "memory", "cc");
	check_eq(read32(MEMORY), 0x5680);
	asm volatile("stc\n sbbl %1, (%0)" : : "r"(MEMORY), "r"(0x7f) : "memory", "cc");
	check_eq(read32(MEMORY), 0x5600);
	asm volatile("shll $4, (%0)\n rorb $1, 1(%0)\n sarl %%cl, (%0)" : : "r"(MEMORY), "c"(8) : "memory", "cc");
	check_eq(read32(MEMORY), 0x530);
	asm volatile("cmpl $0x530, (%0)\n setzb 4(%0)\n setnzb 5(%0)" : : "r"(MEMORY) : "memory", "cc");
	check_eq(read16(MEMORY + 4), 1);
	wide = ~0ULL;
	asm volatile("cmpl $0x530, (%1)\n cmovnzl (%1), %k0" : "+r"(wide) : "r"(MEMORY) : "memory", "cc");
	check_eq(wide, 0xffffffff);		/* not moved, and 32 bits wide for all that */
	asm volatile("cmpl $0x530, (%1)\n cmovzq (%1), %0" : "+r"(wide) : "r"(MEMORY) : "memory", "cc");
	check_eq(wide, 0x100000530);
	asm volatile("imull $-2, (%1), %k0" : "=r"(value) : "r"(MEMORY) : "memory", "cc");
	check_eq(value, (u32)(-2 * 0x530));
	asm volatile("movnti %1, (%0)" : : "r"(MEMORY), "r"(0x11223344) : "memory");
	check_eq(read32(MEMORY), 0x11223344);
	asm volatile("bsfl (%1), %k0" : "=r"(value) : "r"(MEMORY) : "memory", "cc");
	check_eq(value, 2);
	asm volatile("bsrl (%1), %k0" : "=r"(value) : "r"(MEMORY) : "memory", "cc");
	check_eq(value, 28);
	asm volatile("rep bsrl (%1), %k0" : "=r"(value) : "r"(MEMORY) : "memory", "cc");
	check_eq(value, cpuid(0x80000001, 0).ecx & BIT(5) ? 3 : 28);	/* LZCNT, where there is one */
	asm volatile("pushq (%1)\n popw 8(%1)\n addq $6, %%rsp\n pushq 8(%1)\n popq %0"
		     : "=r"(wide) : "r"(MEMORY) : "memory", "cc");
	check_eq(wide & 0xffff, 0x3344);
	if (cpuid(1, 0).ecx & BIT(22)) {
		asm volatile("movbel (%1), %k0\n movbew %w0, (%1)" : "=&r"(value) : "r"(MEMORY) : "memory");
		check_eq(value, 0x44332211);
		check_eq(read16(MEMORY), 0x1122);
	}
}

static void test_mmio_strings(void)
{
	fill(buffer, 0, 256);
	fill((void *)MEMORY, 0x5a, 64);			/* rep stosb */
	check_eq(read64(MEMORY + 56), 0x5a5a5a5a5a5a5a5a);
	for (unsigned int i = 0; i < 64; i++)
		buffer[i] = i;
	copy((void *)MEMORY, buffer, 64);		/* rep movsb to it */
	check_eq(read64(MEMORY + 8), 0x0f0e0d0c0b0a0908);
	copy(buffer + 128, (void *)MEMORY, 64);		/* and from it */
	check(same(buffer, buffer + 128, 64));
	copy((void *)(MEMORY + 0x100), (void *)MEMORY, 16);	/* from device to device */
	check_eq(read64(MEMORY + 0x108), 0x0f0e0d0c0b0a0908);
	{
		void *to = (void *)MEMORY;
		u64 n = 4;

		asm volatile("rep stosq" : "+D"(to), "+c"(n) : "a"(0x1122334455667788) : "memory");
		check_eq((u64)to, MEMORY + 32);
		check_eq(read64(MEMORY + 24), 0x1122334455667788);
	}
}

/* REPE and REPNE end where they find it, at the end of the count otherwise. */
static void test_mmio_compares(void)
{
	static const u8 text[] = "where is x?";
	const void *from = text, *at = (void *)MEMORY;
	u64 n = sizeof(text);
	u8 equal;

	copy((void *)MEMORY, text, sizeof(text));
	asm volatile("repe cmpsb\n sete %0" : "=q"(equal), "+S"(from), "+D"(at), "+c"(n) : : "memory", "cc");
	check(equal && !n);
	check_eq((u64)at, MEMORY + sizeof(text));
	at = (void *)MEMORY;
	n = sizeof(text);
	asm volatile("repne scasb\n sete %0" : "=q"(equal), "+D"(at), "+c"(n) : "a"('x') : "memory", "cc");
	check(equal);
	check_eq((u64)at, MEMORY + 10);
	check_eq(n, 2);
	at = (void *)MEMORY;
	n = 3;
	asm volatile("repne scasw\n sete %0" : "=q"(equal), "+D"(at), "+c"(n) : "a"(0) : "memory", "cc");
	check(!equal && !n);
}

/* Half in RAM, half of the device: through two pages that are mapped side by side. */
static void test_mmio_crosses_pages(void)
{
	u64 va = WINDOW + 0x200000;
	u8 *ram = page_alloc();

	*page_entry(va) = (u64)ram | PTE_P | PTE_W;
	*page_entry(va + 4096) = MEMORY | PTE_P | PTE_W | PTE_PCD;
	*page_entry(va + 8192) = (u64)ram | PTE_P | PTE_W;
	write32(MEMORY, 0);
	write32(va + 4094, 0x44332211);
	check_eq(read16((u64)ram + 4094), 0x2211);
	check_eq(read16(MEMORY), 0x4433);
	check_eq(read32(va + 4094), 0x44332211);
	/* from the device into RAM */
	write8(MEMORY + 4095, 0x77);
	ram[0] = 0x66;
	check_eq(read16(va + 8191), 0x6677);
	/* the second page is not there: a fault, and nothing is done */
	*page_entry(va + 4096) = 0;
	page_flush(va + 4096);
	check_eq(VECTOR_OF("movl $-1, (%0)", : "r"(va + 4094) : "memory"), PF);
	check_eq(read16((u64)ram + 4094), 0x2211);
	for (unsigned int i = 0; i < 3; i++) {
		*page_entry(va + 4096 * i) = 0;
		page_flush(va + 4096 * i);
	}
}

/* Its pages have rights too. */
static void test_mmio_protection(void)
{
	u64 va = WINDOW + 0x300000;
	struct fault fault;

	*page_entry(va) = MEMORY | PTE_P;
	page_flush(va);
	write32(MEMORY, 5);
	check_eq(read32(va), 5);
	fault = FAULT_OF("movl $1, (%0)", : "r"(va) : "memory");
	check_eq(fault.vector, PF);
	check_eq(fault.error, 3);
	check_eq(fault.cr2, va);
	check(*page_entry(va) & PTE_A);
	check(!(*page_entry(va) & PTE_D));
	*page_entry(va) = MEMORY | PTE_P | PTE_W;
	page_flush(va);
	write32(va, 6);
	check_eq(read32(MEMORY), 6);
	check(*page_entry(va) & PTE_D);
	*page_entry(va) = 0;
	page_flush(va);
	check_eq(VECTOR_OF("movl (%0), %%eax", : "r"(va) : "eax", "memory"), PF);
}

/* Instructions that the decoder does not take: #UD, and the guest goes on. */
static void test_mmio_unknown(void)
{
	check_eq(VECTOR_OF("movups (%0), %%xmm0", : "r"(MEMORY) : "memory"), UD);
	check_eq(VECTOR_OF("mull (%0)", : "r"(MEMORY), "a"(0) : "rdx", "memory", "cc"), UD);
	check_eq(VECTOR_OF("fldl (%0)", : "r"(MEMORY) : "memory"), UD);
}

/* ---- what is not there, and what can't be written ---- */

static void test_holes(void)
{
	check_eq(read8(NOBODY), 0xff);
	check_eq(read32(NOBODY + 4), 0xffffffff);
	check_eq(read64(NOBODY + 8), ~0ULL);
	write32(NOBODY, 0x1234);
	check_eq(read32(NOBODY), 0xffffffff);
	check_eq(read32(RAM_END), 0xffffffff);
	check_eq(read32(0xa0000), 0xffffffff);		/* no VGA */
	/* over the end of RAM */
	write8(RAM_END - 1, 0x5a);
	check_eq(read32(RAM_END - 1), 0xffffff5a);
}

static void test_rom(void)
{
	u64 before = read64(ROM + 16);

	write32(ROM + 16, ~before);
	write8(ROM + 0xffff, 1);
	asm volatile("orl $1, (%0)" : : "r"(ROM + 16) : "memory", "cc");
	check_eq(read64(ROM + 16), before);
	check_eq(read32(ROM + 0x10000), 0xffffffff);
	fill((void *)(ROM + 0x100), 0xff, 16);
	check_eq(read64(ROM + 0x100), 0);
}

/* An address whose translation needs more bits than there are: reserved bits in the entry. */
static void test_reserved_bits(void)
{
	u64 va = WINDOW + 0x400000;
	struct fault fault;

	*page_entry(va) = BIT(45) | PTE_P | PTE_W;
	page_flush(va);
	fault = FAULT_OF("movl (%0), %%eax", : "r"(va) : "eax", "memory");
	check_eq(fault.vector, PF);
	check_eq(fault.error & 9, 9);
	*page_entry(va) = 0;
	page_flush(va);
	check_eq(VECTOR_OF("movl (%0), %%eax", : "r"(BIT(47)) : "eax", "memory"), GP);
}

/* High, where only an address bus of 40 bits reaches: nobody's. */
static void test_high_hole(void)
{
	u64 va = WINDOW + 0x500000;

	*page_entry(va) = BIT(38) | PTE_P | PTE_W;
	page_flush(va);
	check_eq(read32(va), 0xffffffff);
	write32(va, 1);
	check_eq(read32(va), 0xffffffff);
	*page_entry(va) = 0;
	page_flush(va);
}

const struct test tests[] = {
	TEST(port_widths),
	TEST(port_strings),
	TEST(port_strings_backwards),
	TEST(port_strings_cross_pages),
	TEST(port_privilege),
	TEST(mmio_widths),
	TEST(mmio_moves),
	TEST(mmio_bits),
	TEST(mmio_xchg),
	TEST(mmio_more),
	TEST(mmio_strings),
	TEST(mmio_compares),
	TEST(mmio_crosses_pages),
	TEST(mmio_protection),
	TEST(mmio_unknown),
	TEST(holes),
	TEST(rom),
	TEST(reserved_bits),
	TEST(high_hole),
	{},
};
