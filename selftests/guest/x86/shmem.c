// SPDX-License-Identifier: GPL-2.0-only
/* Memory shared with another VM, as selftests/guest/common/shmem.h says. */
#include "apic.h"

#define FACTORY		0xd0000000ULL
#define VECTOR		10
#define IDT_VECTOR	0x51

static void line_end(void)
{
	apic_eoi();
}

static void line_init(u32 me);

static u64 map(u64 at, u32 pages)
{
	static u64 next = WINDOW;
	u64 va = next;

	for (; pages; pages--, at += 4096, next += 4096)
		*page_entry(next) = at | PTE_P | PTE_W;
	return va;
}

#include "../common/shmem.h"

static void on_irq(struct frame *frame)
{
	(void)frame;
	take();
}

/* A level to the one, an edge to the other: the device does for both. */
static void line_init(u32 index)
{
	apic_enable();
	handlers[IDT_VECTOR] = on_irq;
	ioapic_route(VECTOR, IDT_VECTOR | (index ? 0 : RTE_LEVEL));
}
