// SPDX-License-Identifier: GPL-2.0-only
/* After ACPI 6.5, 4.8.3 (fixed hardware features) and 4.8.4.6 (reset register). */
#include "dev/acpi_pm.h"

#include <pthread.h>
#include <time.h>

#define TIMER_HZ	3579545ULL
#define NS_PER_S	1000000000ULL

enum {
	STATUS_BUTTON = 1 << 8, STATUS_ALL = 0x8521,
	ENABLE_BUTTON = 1 << 8, ENABLE_ALL = 0x0521,
	CONTROL_SCI_EN = 1 << 0, CONTROL_TYPE_SHIFT = 10, CONTROL_TYPE_MASK = 7,
	CONTROL_SLP_EN = 1 << 13,
	CF9_RESET = 1 << 2,	/* a soft reset is one of the machine here too */
	PORT92_RESET = 1 << 0, PORT92_A20 = 1 << 1,	/* A20 is there whatever is written */
};

struct acpi_pm {
	struct device *dev;
	pthread_mutex_t lock;		/* all below */
	uint16_t status, enable, control;
	uint8_t cf9, port92;
	struct timespec start;
};

/* Of the timer's 32 bits none is ever enabled to interrupt: the guest has better timers. */
static uint32_t timer_count(const struct acpi_pm *pm)
{
	struct timespec now;
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (uint64_t)(now.tv_sec - pm->start.tv_sec) * NS_PER_S +
	     (uint64_t)now.tv_nsec - (uint64_t)pm->start.tv_nsec;
	return (uint32_t)((__uint128_t)ns * TIMER_HZ / NS_PER_S);
}

/* The whole window as bytes, so that any width reads what is there. */
static uint64_t window_read(const struct acpi_pm *pm, uint64_t offset)
{
	switch (offset & ~3ULL) {
	case ACPI_PM1_EVENT:
		return pm->status | (uint32_t)pm->enable << 16;
	case ACPI_PM1_CONTROL:
		return pm->control | CONTROL_SCI_EN;
	case ACPI_PM_TIMER:
		return timer_count(pm);
	case ACPI_PM_CF9:
		return pm->cf9 | pm->port92 << 8;
	default:
		return 0;
	}
}

static uint64_t acpi_pm_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct acpi_pm *pm = dev->state;
	uint64_t value;

	pthread_mutex_lock(&pm->lock);
	value = window_read(pm, offset) >> 8 * (offset & 3);
	pthread_mutex_unlock(&pm->lock);
	return len < 8 ? value & ((1ULL << 8 * len) - 1) : value;
}

/* True: the machine is to be reset. */
static bool write_reset(struct acpi_pm *pm, uint64_t offset, uint8_t value)
{
	bool rises = value & ~pm->port92 & PORT92_RESET;

	if (offset == ACPI_PM_RESET)
		return value == ACPI_RESET_VALUE;
	if (offset == ACPI_PM_92) {
		pm->port92 = value;
		return rises;
	}
	pm->cf9 = value & ~CF9_RESET;		/* which is seen by nobody who is still there */
	return value & CF9_RESET;
}

/* @value and @mask are shifted to where the bytes are in the register. */
static void write_event(struct acpi_pm *pm, uint32_t value, uint32_t mask)
{
	pm->status &= ~(value & mask & STATUS_ALL);	/* write one to clear */
	pm->enable = (pm->enable & ~(mask >> 16)) | ((value & mask) >> 16 & ENABLE_ALL);
	device_set_irq(pm->dev, pm->status & pm->enable);
}

/* True: the machine is to be switched off. */
static bool write_control(struct acpi_pm *pm, uint32_t value, uint32_t mask)
{
	uint16_t all = (uint16_t)((pm->control & ~mask) | (value & mask));

	pm->control = all & ~CONTROL_SLP_EN;		/* which always reads as zero */
	return all & CONTROL_SLP_EN && (all >> CONTROL_TYPE_SHIFT & CONTROL_TYPE_MASK) == ACPI_S5;
}

static void acpi_pm_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct acpi_pm *pm = dev->state;
	unsigned int shift = 8 * (offset & 3);
	uint32_t mask = (uint32_t)((1ULL << 8 * (len & 7)) - 1) << shift;
	bool off = false, reset = false;

	pthread_mutex_lock(&pm->lock);
	if (offset == ACPI_PM_RESET || offset >= ACPI_PM_SIZE)
		reset = write_reset(pm, offset, (uint8_t)value);
	else if ((offset & ~3ULL) == ACPI_PM1_EVENT)
		write_event(pm, (uint32_t)value << shift, mask);
	else if ((offset & ~3ULL) == ACPI_PM1_CONTROL)
		off = write_control(pm, (uint32_t)value << shift, mask);
	pthread_mutex_unlock(&pm->lock);
	if (off || reset)
		device_power(dev, reset);
}

static bool acpi_pm_button(struct device *dev)
{
	struct acpi_pm *pm = dev->state;
	bool heard;

	pthread_mutex_lock(&pm->lock);
	heard = pm->enable & ENABLE_BUTTON && !(pm->status & STATUS_BUTTON);
	pm->status |= STATUS_BUTTON;
	device_set_irq(dev, pm->status & pm->enable);
	pthread_mutex_unlock(&pm->lock);
	return heard;
}

static int acpi_pm_create(struct device *dev)
{
	struct acpi_pm *pm = dev->state;

	pm->dev = dev;
	pm->port92 = PORT92_A20;
	pthread_mutex_init(&pm->lock, NULL);
	clock_gettime(CLOCK_MONOTONIC, &pm->start);
	return 0;
}

static void acpi_pm_destroy(struct device *dev)
{
	struct acpi_pm *pm = dev->state;

	pthread_mutex_destroy(&pm->lock);
}

static void acpi_pm_status(struct device *dev)
{
	struct acpi_pm *pm = dev->state;

	pthread_mutex_lock(&pm->lock);
	device_log(dev, DEVICE_INFO, "acpi-pm: status %#x, enable %#x, line %d", pm->status, pm->enable,
		   device_irq_level(dev));
	pthread_mutex_unlock(&pm->lock);
}

const struct device_type acpi_pm_type = {
	.abi = DEVICE_ABI,
	.flags = DEVICE_F_ONCE | DEVICE_F_PORT,
	.name = "acpi-pm",
	.doc = "ACPI's fixed hardware: power button, power-off, timer, reset; a PC's reset ports 0xcf9 and 0x92",
	.size = ACPI_PM_SIZE,
	.arch = DEVICE_X86,
	.state_size = sizeof(struct acpi_pm),
	.create = acpi_pm_create,
	.destroy = acpi_pm_destroy,
	.read = acpi_pm_read,
	.write = acpi_pm_write,
	.status = acpi_pm_status,
	.button = acpi_pm_button,
};
