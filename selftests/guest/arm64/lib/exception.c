// SPDX-License-Identifier: GPL-2.0-only
/* Where the vectors lead. */
#include "guest.h"

/* Kinds in the order of the vector table; each for EL1t, EL1h, EL0, EL0 in AArch32. */
enum { SYNC, IRQ, FIQ, SERROR };

void (*irq_handler)(void);
void (*fiq_handler)(void);
void (*svc_handler)(struct frame *frame);
void (*step_handler)(struct frame *frame);

static struct fault faults[CPU_MAX];
static bool expecting[CPU_MAX];

void fault_expect(void)
{
	faults[cpu_index()] = (struct fault){};
	expecting[cpu_index()] = true;
	barrier();
}

struct fault fault_taken(void)
{
	barrier();
	expecting[cpu_index()] = false;
	return faults[cpu_index()];
}

static void unexpected(unsigned int vector, struct frame *frame)
{
	print("# CPU %u: vector %u: esr 0x%lx far 0x%lx elr 0x%lx spsr 0x%lx x30 0x%lx\n"
	      "Bail out! unexpected exception\n",
	      cpu_index(), vector, read_sysreg(esr_el1), read_sysreg(far_el1), frame->elr,
	      frame->spsr, frame->x[30]);
	power_off();
}

static void sync_note(unsigned int vector, struct frame *frame)
{
	struct fault *fault = &faults[cpu_index()];

	fault->count++;
	fault->vector = vector;
	fault->esr = read_sysreg(esr_el1);
	fault->far = read_sysreg(far_el1);
	fault->elr = frame->elr;
	fault->spsr = frame->spsr;
	frame->elr = ESR_EC(fault->esr) == EC_IABT_EL1 ? frame->x[30] : frame->elr + 4;
}

/* From start.S. */
void exception(unsigned int vector, struct frame *frame);
void exception(unsigned int vector, struct frame *frame)
{
	unsigned int kind = vector % 4;

	if (kind == IRQ && irq_handler)
		irq_handler();
	else if (kind == FIQ && fiq_handler)
		fiq_handler();
	else if (kind == SYNC && svc_handler && ESR_EC(read_sysreg(esr_el1)) == EC_SVC)
		svc_handler(frame);
	else if (kind == SYNC && step_handler && ESR_EC(read_sysreg(esr_el1)) == EC_STEP)
		step_handler(frame);
	else if (kind == SYNC && expecting[cpu_index()])
		sync_note(vector, frame);
	else
		unexpected(vector, frame);
}
