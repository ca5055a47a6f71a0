/* SPDX-License-Identifier: GPL-2.0-only */
/* This CPU's LAPIC by either interface, and the I/O APIC. SDM vol. 3 chapter 10. */
#ifndef GUEST_APIC_H
#define GUEST_APIC_H

#include "guest.h"

/* Offsets of the xAPIC; the x2APIC's MSR is 0x800 + offset / 16. */
#define APIC_ID		0x20
#define APIC_VERSION	0x30
#define APIC_TPR	0x80
#define APIC_PPR	0xa0
#define APIC_EOI	0xb0
#define APIC_LDR	0xd0
#define APIC_DFR	0xe0
#define APIC_SVR	0xf0
#define APIC_ISR	0x100
#define APIC_TMR	0x180
#define APIC_IRR	0x200
#define APIC_ESR	0x280
#define APIC_ICR	0x300
#define APIC_ICR2	0x310
#define APIC_LVT_TIMER	0x320
#define APIC_LVT_THERMAL 0x330
#define APIC_LVT_PERF	0x340
#define APIC_LVT_LINT0	0x350
#define APIC_LVT_LINT1	0x360
#define APIC_LVT_ERROR	0x370
#define APIC_TIMER_INIT	0x380
#define APIC_TIMER_NOW	0x390
#define APIC_TIMER_DIV	0x3e0
#define APIC_SELF_IPI	0x3f0

#define APIC_BASE_BSP	BIT(8)
#define APIC_BASE_X2	BIT(10)
#define APIC_BASE_ON	BIT(11)
#define SVR_ON		BIT(8)
#define VECTOR_SPURIOUS	0xff
#define LVT_MASKED	BIT(16)
#define LVT_PERIODIC	BIT(17)
#define LVT_DEADLINE	BIT(18)
#define DIV_BY_1	0xb

/* Of the ICR. */
#define ICR_FIXED	0x000
#define ICR_LOWEST	0x100
#define ICR_NMI		0x400
#define ICR_INIT	0x500
#define ICR_SIPI	0x600
#define ICR_LOGICAL	BIT(11)
#define ICR_BUSY	BIT(12)
#define ICR_ASSERT	BIT(14)
#define ICR_LEVEL	BIT(15)
#define ICR_SELF	(1 << 18)
#define ICR_ALL		(2 << 18)
#define ICR_OTHERS	(3 << 18)

bool apic_is_x2(void);			/* this CPU's */
void apic_enable(void);			/* on, by software too, in the mode that it is in */
void apic_to_x2(void);
void apic_to_xapic(void);		/* by way of off */
u32 apic_read(u32 reg);
void apic_write(u32 reg, u32 value);
void apic_eoi(void);
/* @dest: an APIC id, or logical, as @icr says; for xAPIC in bits 0 to 7. Waits till it is sent. */
void apic_send(u32 dest, u32 icr);
/* Bit @vector of ISR, TMR or IRR. */
bool apic_bit(u32 reg, unsigned int vector);
/* Ticks of the timer, divided by 1, in a µs. */
u64 apic_ticks_of_us(u64 us);
void apic_timer_stop(void);

/* Index 0x10 + 2 × pin is its low half. */
u32 ioapic_read(u8 index);
void ioapic_write(u8 index, u32 value);
void ioapic_route(unsigned int pin, u64 entry);
#define IOAPIC_PIN(n)	(0x10 + 2 * (n))
#define RTE_LOW		BIT(13)		/* active low */
#define RTE_REMOTE_IRR	BIT(14)
#define RTE_LEVEL	BIT(15)
#define RTE_MASKED	BIT(16)
#define RTE_LOGICAL	BIT(11)

void pic_mask_all(void);

#endif /* GUEST_APIC_H */
