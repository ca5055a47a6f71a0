// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions: their frames and error codes, those that meet while another event is delivered, single
 * steps, breakpoints, and what of it survives an exit.
 */
#include "apic.h"

#define DR6_BS		BIT(14)
#define DR6_BD		BIT(13)

/* ---- frames ---- */

static void test_vectors(void)
{
	struct fault f;

	f = FAULT_OF("xor %%ecx, %%ecx\n div %%ecx", : : "eax", "ecx", "edx", "cc", "memory");
	check_eq(f.vector, DE);
	f = FAULT_OF("int3", : : "memory");
	check_eq(f.vector, BP);
	check_eq(f.flags & EFLAGS_RF, 0);
	f = FAULT_OF("ud2", : : "memory");
	check_eq(f.vector, UD);
	check(f.flags & EFLAGS_RF);
	f = FAULT_OF("mov %0, %%ds", : "r"(0x7f8) : "memory");
	check_eq(f.vector, GP);
	check_eq(f.error, 0x7f8);
	f = FAULT_OF("int $0x7b", : : "memory");
	check_eq(f.count, 0);				/* a vector that is counted */
	f = FAULT_OF("movl (%0), %%eax", : "D"(0x800000000000) : "eax", "memory");
	check_eq(f.vector, GP);
	f = FAULT_OF("mov %%rbp, %%rbx\n mov %0, %%rbp\n movq $1f, %%gs:" STRING(CPU_FIXUP) "\n"
		     "movl (%%rbp), %%eax\n1: mov %%rbx, %%rbp", : "D"(0x800000000000)
		     : "eax", "rbx", "memory");
	check_eq(f.vector, SS);
}

/* By an exit of ours: the frame is the same as the hardware's own. */
static void test_injected_frames(void)
{
	struct fault f;

	f = FAULT_OF("vmxoff", : : "memory");
	check_eq(f.vector, UD);
	check(f.flags & EFLAGS_RF);
	f = FAULT_OF("rdmsr", : "c"(0x1fff) : "eax", "edx", "memory");
	check_eq(f.vector, GP);
	check_eq(f.error, 0);
	check(f.flags & EFLAGS_RF);
	f = FAULT_OF("wrmsr", : "c"(0x277), "a"(2), "d"(0) : "memory");
	check_eq(f.vector, GP);
	f = FAULT_OF("mov %0, %%cr4", : "r"(BIT(40)) : "memory");
	check_eq(f.vector, GP);
	check_eq(f.error, 0);
}

/* ---- page faults ---- */

static void test_page_fault_codes(void)
{
	u64 va = WINDOW + 0x600000;
	struct fault f;

	f = FAULT_OF("movb $1, (%0)", : "r"(va + 0x123) : "memory");
	check_eq(f.vector, PF);
	check_eq(f.error, 2);
	check_eq(f.cr2, va + 0x123);
	*page_entry(va) = (u64)page_alloc() | PTE_P;
	page_flush(va);
	f = FAULT_OF("movb (%0), %%al", : "r"(va) : "eax", "memory");
	check_eq(f.count, 0);
	check(*page_entry(va) & PTE_A);
	f = FAULT_OF("movb $1, (%0)", : "r"(va + 5) : "memory");
	check_eq(f.error, 3);
	*page_entry(va) = 0;
	page_flush(va);
}

static struct fault user_fault;
#define USER_VA		(WINDOW + 0x700000)
static void user_read(void)
{
	user_fault = FAULT_OF("movb (%0), %%al", : "r"(USER_VA + 9) : "eax", "memory");
}

static void user_hlt(void)
{
	user_fault = FAULT_OF("hlt", : : "memory");
}

static void test_user_faults(void)
{
	user_call(user_read);
	check_eq(user_fault.vector, PF);
	check_eq(user_fault.error, 4);
	check_eq(user_fault.cr2, USER_VA + 9);
	*page_entry(USER_VA) = (u64)page_alloc() | PTE_P | PTE_W;
	page_flush(USER_VA);
	user_call(user_read);
	check_eq(user_fault.error, 5);
	*page_entry(USER_VA) |= PTE_U;
	page_flush(USER_VA);
	user_call(user_read);
	check_eq(user_fault.count, 0);
	*page_entry(USER_VA) = 0;
	page_flush(USER_VA);
	user_call(user_hlt);
	check_eq(user_fault.vector, GP);
}

/* ---- an event meets a fault: the fault comes, then the event is not lost ---- */

extern u8 idt[];
#define IDT_COPY	(WINDOW + 0x800000)

static unsigned int pf_count;
static u64 pf_cr2;
static void map_idt(struct frame *frame)
{
	(void)frame;
	pf_count++;
	pf_cr2 = read_cr2();
	*page_entry(IDT_COPY) |= PTE_P;
	page_flush(IDT_COPY);
}

struct table_pointer {
	u16 limit;
	u64 base;
} __attribute__((packed));

static void load_idt(u64 base)
{
	struct table_pointer p = { 4095, base };

	asm volatile("lidt %0" : : "m"(p) : "memory");
}

/* The gate's page is away, #PF's own gate is in another: the last entries, vector 255 and the like. */
static void test_stack_fault_in_delivery(void)
{
	u64 stack = WINDOW + 0x900000;
	u64 saved;

	/*
	 * The stack's page is away when an interrupt is delivered: #PF would use the same stack, so
	 * that is #DF, which has its own.
	 */
	*page_entry(stack) = (u64)page_alloc() | PTE_W;
	page_flush(stack);
	this_cpu()->fault = (struct fault){};
	asm volatile("mov %%rsp, %0\n"
		     "movq $1f, %%gs:" STRING(CPU_FIXUP) "\n"
		     "lea 4096(%1), %%rsp\n"
		     "ud2\n"
		     "1: movq $0, %%gs:" STRING(CPU_FIXUP) "\n"
		     "mov %0, %%rsp" : "=&b"(saved) : "r"(stack) : "memory");
	check_eq(this_cpu()->fault.count, 1);
	check_eq(this_cpu()->fault.vector, DF);
	check_eq(this_cpu()->fault.error, 0);
	*page_entry(stack) = 0;
}

/* An external interrupt whose delivery faults in the IDT: first #PF, then it comes again? It is lost. */
static void test_idt_fault_in_delivery(void)
{
	u8 *copy_of_idt = page_alloc();
	u32 before = irqs_of(0x51);

	copy(copy_of_idt, idt, 4096);
	*page_entry(IDT_COPY) = (u64)copy_of_idt | PTE_P | PTE_W;
	page_flush(IDT_COPY);
	load_idt(IDT_COPY);
	apic_send(0, ICR_SELF | ICR_ASSERT | 0x51);
	irqs_enable();
	check(wait_for(irqs_of(0x51) == before + 1, SECOND));
	irqs_disable();
	check_eq(VECTOR_OF("ud2", : : "memory"), UD);
	check_eq(VECTOR_OF("rdmsr", : "c"(0x1fff) : "eax", "edx", "memory"), GP);
	load_idt((u64)idt);
	*page_entry(IDT_COPY) = 0;
	page_flush(IDT_COPY);
	(void)map_idt;
	(void)pf_count;
	(void)pf_cr2;
}

/* A vector beyond the IDT's limit: #GP with its number; no gate at all: #NP. */
static void test_bad_gates(void)
{
	struct table_pointer p = { 0x50 * 16 - 1, (u64)idt };
	struct fault f;

	asm volatile("lidt %0" : : "m"(p) : "memory");
	f = FAULT_OF("int $0x55", : : "memory");
	check_eq(f.vector, GP);
	check_eq(f.error, 0x55 * 8 + 2);
	load_idt((u64)idt);
	idt[0x55 * 16 + 5] &= ~0x80;
	f = FAULT_OF("int $0x55", : : "memory");
	check_eq(f.vector, NP);
	check_eq(f.error, 0x55 * 8 + 2);
	/* of an injected interrupt: EXT is set */
	apic_send(0, ICR_SELF | ICR_ASSERT | 0x55);
	f = FAULT_OF("sti\n nop\n nop\n cli", : : "memory");
	check_eq(f.vector, NP);
	check_eq(f.error, 0x55 * 8 + 3);
	irqs_disable();
	apic_eoi();
	/* of an exception that we inject: contributory on contributory is #DF */
	idt[GP * 16 + 5] &= ~0x80;
	f = FAULT_OF("rdmsr", : "c"(0x1fff) : "eax", "edx", "memory");
	check_eq(f.vector, DF);
	idt[GP * 16 + 5] |= 0x80;
	/* benign: #NP comes instead of #UD */
	idt[UD * 16 + 5] &= ~0x80;
	f = FAULT_OF("vmxoff", : : "memory");
	check_eq(f.vector, NP);
	check_eq(f.error, UD * 8 + 3);
	f = FAULT_OF("ud2", : : "memory");
	check_eq(f.vector, NP);
	idt[UD * 16 + 5] |= 0x80;
	idt[0x55 * 16 + 5] |= 0x80;
}

/* ---- single steps ---- */

#define STEPS_MAX	12
static unsigned int steps;
static u64 step_rip[STEPS_MAX], step_dr6[STEPS_MAX], step_flags[STEPS_MAX];

static void take_db(struct frame *frame)
{
	if (steps < STEPS_MAX) {
		step_rip[steps] = frame->rip;
		step_dr6[steps] = read_dr6();
		step_flags[steps] = frame->flags;
	}
	steps++;
	write_dr6(0);
	if (steps >= STEPS_MAX)
		frame->flags &= ~EFLAGS_TF;
}

#define STEPPED(what, ...) ({							\
	steps = 0;								\
	handlers[DB] = take_db;							\
	asm volatile("pushfq\n orl $0x100, (%%rsp)\n popfq\n" what "\n"		\
		     "pushfq\n andl $~0x100, (%%rsp)\n popfq\n nop" : __VA_ARGS__);	\
	handlers[DB] = NULL;							\
	steps; })

/* One for each instruction behind POPF to the POPF that ends it: that one still steps. */
static void test_single_step(void)
{
	check_eq(STEPPED("nop\n nop", : : "memory", "cc"), 5);
	check_eq(step_rip[1] - step_rip[0], 1);
	for (unsigned int i = 0; i < 5; i++)
		check_eq(step_dr6[i] & (DR6_BS | 0xf), DR6_BS);
}

/* The same over instructions that exit. */
static void test_single_step_over_exits(void)
{
	check_eq(STEPPED("cpuid", : "a"(0), "c"(0) : "ebx", "edx", "memory", "cc"), 4);
	check_eq(step_rip[1] - step_rip[0], 1);		/* behind CPUID, and behind PUSHF */
	check_eq(STEPPED("rdmsr", : "c"(MSR_APIC_BASE) : "eax", "edx", "memory", "cc"), 4);
	check_eq(STEPPED("inb %%dx, %%al", : "d"(COM1_SCRATCH) : "eax", "memory", "cc"), 4);
	check_eq(STEPPED("outb %%al, %%dx", : "d"(COM1_SCRATCH), "a"(0) : "memory", "cc"), 4);
	check_eq(STEPPED("movl (%0), %%eax", : "r"(LAPIC + APIC_VERSION) : "eax", "memory", "cc"), 4);
	check_eq(STEPPED("movl (%0), %%eax", : "r"(NOBODY) : "eax", "memory", "cc"), 4);
	check_eq(STEPPED("mov %%cr0, %%rax\n mov %%rax, %%cr0", : : "rax", "memory", "cc"), 5);
	check_eq(STEPPED("vmcall", : "a"(0x7fff) : "memory", "cc"), 4);
	check_eq(STEPPED("wbinvd", : : "memory", "cc"), 4);
	for (unsigned int i = 0; i < 4; i++)
		check_eq(step_dr6[i] & (DR6_BS | 0xf), DR6_BS);
}

static void check_steps_of_3(unsigned int got, u64 flags)
{
	check_eq(got, 6);
	check_eq(step_rip[1], step_rip[0]);
	check_eq(step_rip[2] - step_rip[0], 2);
	for (unsigned int i = 0; i < 6; i++) {
		check_eq(step_dr6[i] & (DR6_BS | 0xf), DR6_BS);
		check_eq(step_flags[i] & flags, i < 2 ? flags : 0);
	}
}

/*
 * A string's elements are a step each, in memory and in devices alike; between them RF is set, which
 * Bochs forgets where it does them by itself.
 */
static void test_single_step_over_elements(void)
{
	static u8 buffer[3];
	u64 count = 3, to = (u64)buffer;

	check_steps_of_3(STEPPED("rep stosb", "+c"(count), "+D"(to) : "a"(0) : "memory", "cc"), 0);
	count = 3;
	to = NOBODY;
	check_steps_of_3(STEPPED("rep stosb", "+c"(count), "+D"(to) : "a"(0) : "memory", "cc"), EFLAGS_RF);
	count = 3;
	to = (u64)buffer;
	check_steps_of_3(STEPPED("rep insb", "+c"(count), "+D"(to) : "d"(COM1_SCRATCH) : "memory", "cc"), EFLAGS_RF);
}

/* The trap is behind HLT, which therefore does not wait. */
static void test_single_step_over_hlt(void)
{
	check_eq(STEPPED("hlt", : : "memory", "cc"), 4);
	check_eq(step_rip[1] - step_rip[0], 1);
}

/* MOV SS keeps one back; STI does not. */
static void test_single_step_shadows(void)
{
	check_eq(STEPPED("mov %0, %%ss\n nop", : "r"(DATA) : "memory", "cc"), 4);
	check_eq(STEPPED("cli\n sti\n nop\n cli", : : "memory", "cc"), 7);
}

static void test_icebp(void)
{
	u64 behind;

	steps = 0;
	handlers[DB] = take_db;
	asm volatile(".byte 0xf1\n1: mov $1b, %0" : "=r"(behind) : : "memory");
	handlers[DB] = NULL;
	check_eq(steps, 1);
	check_eq(step_rip[0], behind);
	check_eq(step_dr6[0] & (DR6_BS | 0xf), 0);
}

/* DR7.GD: any access to a debug register is #DB before it, once. */
static void take_gd(struct frame *frame)
{
	(void)frame;
	steps++;
	step_dr6[0] = read_dr6();		/* GD is clear in here */
	write_dr6(0);
}

static void test_general_detect(void)
{
	steps = 0;
	handlers[DB] = take_gd;
	write_dr7(0x400 | BIT(13));
	asm volatile("mov %%dr0, %%rax" : : : "rax", "memory");
	handlers[DB] = NULL;
	check_eq(steps, 1);
	check_eq(step_dr6[0] & DR6_BD, DR6_BD);
	check_eq(read_dr7(), 0x400);
}

/* Ring 3 has no debug registers, whatever exits first. */
static void user_debug(void)
{
	user_fault = FAULT_OF("mov %0, %%dr0", : "r"(0x1000ULL) : "memory");
}

static void user_debug_read(void)
{
	user_fault = FAULT_OF("mov %%dr7, %%rax", : : "rax", "memory");
}

static void test_user_debug_registers(void)
{
	write_dr0(0x5000);
	user_call(user_debug);
	check_eq(user_fault.vector, GP);
	check_eq(user_fault.error, 0);
	user_call(user_debug_read);
	check_eq(user_fault.vector, GP);
	check_eq(read_dr0(), 0x5000);
}

/* ---- breakpoints ---- */

static u32 watched[4];

static void take_breakpoint(struct frame *frame)
{
	take_db(frame);
	frame->flags |= EFLAGS_RF;
}

static void test_watchpoint(void)
{
	steps = 0;
	handlers[DB] = take_db;
	write_dr0((u64)watched);
	write_dr7(0x400 | 1 << 1 | 1 << 16 | 3 << 18);		/* a write of 4 bytes */
	for (unsigned int i = 0; i < 3; i++) {
		cpuid(0, 0);
		*(volatile u32 *)watched = i;
	}
	write_dr7(0x400);
	handlers[DB] = NULL;
	check_eq(steps, 3);
	check_eq(step_dr6[0] & 0xf, 1);
}

static void test_breakpoint(void)
{
	u64 at;

	steps = 0;
	handlers[DB] = take_breakpoint;
	asm volatile("mov $1f, %0" : "=r"(at));
	write_dr1(at);
	write_dr7(0x400 | 1 << 3);
	asm volatile("nop\n1: cpuid" : : "a"(0), "c"(0) : "ebx", "edx", "memory");
	write_dr7(0x400);
	handlers[DB] = NULL;
	check_eq(steps, 1);
	check_eq(step_rip[0], at);
	check_eq(step_dr6[0] & 0xf, 2);
}

/* #AC and alignment: in ring 3 alone. */
static void user_unaligned(void)
{
	asm volatile("pushfq\n orl $0x40000, (%%rsp)\n popfq" : : : "memory", "cc");
	user_fault = FAULT_OF("movl 1(%0), %%eax", : "r"(watched) : "eax", "memory");
	asm volatile("pushfq\n andl $~0x40000, (%%rsp)\n popfq" : : : "memory", "cc");
}

static void test_alignment(void)
{
	write_cr0(read_cr0() | CR0_AM);
	user_call(user_unaligned);
	check_eq(user_fault.vector, AC);
	check_eq(user_fault.error, 0);
	write_cr0(read_cr0() & ~CR0_AM);
	user_call(user_unaligned);
	check_eq(user_fault.count, 0);
}

const struct test tests[] = {
	TEST(vectors),
	TEST(injected_frames),
	TEST(page_fault_codes),
	TEST(user_faults),
	TEST(stack_fault_in_delivery),
	TEST(idt_fault_in_delivery),
	TEST(bad_gates),
	TEST(single_step),
	TEST(single_step_over_exits),
	TEST(single_step_over_elements),
	TEST(single_step_over_hlt),
	TEST(single_step_shadows),
	TEST(icebp),
	TEST(general_detect),
	TEST(user_debug_registers),
	TEST(watchpoint),
	TEST(breakpoint),
	TEST(alignment),
	{},
};
