// SPDX-License-Identifier: GPL-2.0-only
/* Gates, where they lead, and each CPU's TSS. */
#include "apic.h"

struct gate64 {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_mid;
	u32 offset_high, reserved;
};

struct tss {
	u32 reserved;
	u64 rsp[3], reserved2, ist[7], reserved3;
	u16 reserved4, iomap;
} __attribute__((packed));

#define IST_DOUBLE	1
#define IST_STACK	2048

void (*handlers[256])(struct frame *frame);
struct cpu cpus[CPU_MAX];

extern struct gate64 idt[256];
extern u64 gdt[];
extern char stubs[], user_leave[], gdt_pointer[];

static struct tss tss[CPU_MAX];
static u8 double_stacks[CPU_MAX][IST_STACK] __attribute__((aligned(16)));
static u8 ring0_stacks[CPU_MAX][STACK_SIZE] __attribute__((aligned(16)));

void idt_set(unsigned int vector, void *entry, unsigned int dpl)
{
	u64 at = (u64)entry;

	idt[vector] = (struct gate64){
		.offset_low = at, .offset_mid = at >> 16, .offset_high = at >> 32,
		.selector = CODE64, .type = 0x8e | dpl << 5,
		.ist = vector == DF ? IST_DOUBLE : 0,
	};
}

/* From main.c. */
void exceptions_init(void);
void exceptions_init(void)
{
	for (unsigned int i = 0; i < 256; i++)
		idt_set(i, stubs + 16 * i, i == BP || i == OF ? 3 : 0);
	idt_set(VECTOR_USER_END, user_leave, 3);
}

/* From start.S: GS, the TSS. */
void cpu_setup(unsigned int index);
void cpu_setup(unsigned int index)
{
	struct tss *t = &tss[index];
	u64 base = (u64)t;
	unsigned int slot = TSS_FIRST / 8 + 2 * index;

	wrmsr(MSR_GS_BASE, (u64)&cpus[index]);
	cpus[index].index = index;
	t->rsp[0] = (u64)ring0_stacks[index] + STACK_SIZE;
	t->ist[IST_DOUBLE - 1] = (u64)double_stacks[index] + IST_STACK;
	t->iomap = sizeof(*t);
	gdt[slot] = (sizeof(*t) - 1) | (base & 0xffffff) << 16 | 0x89ULL << 40 |
		    (base >> 24 & 0xff) << 56;
	gdt[slot + 1] = base >> 32;
	asm volatile("lgdt (%0)" : : "r"(gdt_pointer) : "memory");
	asm volatile("ltr %w0" : : "r"(TSS_FIRST + 16 * index) : "memory");
}

static void unexpected(struct frame *frame)
{
	print("# CPU %u: vector %u: error 0x%x rip 0x%lx cs 0x%x flags 0x%lx rsp 0x%lx cr2 0x%lx\n"
	      "Bail out! unexpected exception\n",
	      cpu_index(), (u32)frame->vector, (u32)frame->error, frame->rip, (u32)frame->cs,
	      frame->flags, frame->rsp, read_cr2());
	power_off();
}

static void fault_note(struct frame *frame, struct cpu *cpu)
{
	struct fault *fault = &cpu->fault;

	fault->count++;
	fault->vector = frame->vector;
	fault->error = frame->error;
	fault->rip = frame->rip;
	fault->flags = frame->flags;
	fault->rsp = frame->rsp;
	fault->cr2 = read_cr2();
	frame->rip = cpu->fixup;
	frame->flags &= ~(EFLAGS_TF | EFLAGS_RF);
}

/* From start.S. */
void exception(struct frame *frame);
void exception(struct frame *frame)
{
	struct cpu *cpu = this_cpu();

	__atomic_fetch_add(&cpu->irqs[frame->vector], 1, __ATOMIC_RELAXED);
	if (handlers[frame->vector])
		handlers[frame->vector](frame);
	else if (frame->vector >= 32)
		apic_eoi();
	else if (frame->vector != NMI && cpu->fixup)
		fault_note(frame, cpu);
	else if (frame->vector != NMI)
		unexpected(frame);
}

/* ---- ring 3 ---- */

void user_enter(void (*fn)(void), u64 stack);

void user_call(void (*fn)(void))
{
	static u8 stacks3[CPU_MAX][STACK_SIZE] __attribute__((aligned(16)));

	user_enter(fn, (u64)stacks3[cpu_index()] + STACK_SIZE);
}
