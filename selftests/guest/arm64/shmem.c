// SPDX-License-Identifier: GPL-2.0-only
/* Memory shared with another VM, as selftests/guest/common/shmem.h says. */
#include "gic.h"

#define FACTORY		0x1c050000ULL
#define VECTOR		38

static void line_end(void)
{
}

static void line_init(u32 me);

/* All addresses are mapped: as a device, which what is shared is not, but it does for words. */
static u64 map(u64 at, u32 pages)
{
	(void)pages;
	return at;
}

#include "../common/shmem.h"

static void on_irq(void)
{
	unsigned int intid = gic_ack();

	if (intid == VECTOR)
		take();
	gic_eoi(intid);
}

/* A level to the one, an edge to the other: the device does for both. */
static void line_init(u32 index)
{
	gic_init();
	gic_spi_setup(VECTOR, 0x80);
	gic_disable(0, VECTOR);
	gic_set_edge(VECTOR, index);
	gic_enable(0, VECTOR);
	irq_handler = on_irq;
}
