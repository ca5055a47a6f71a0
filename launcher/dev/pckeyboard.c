// SPDX-License-Identifier: GPL-2.0-only
/*
 * After Intel's 8042 data sheet and the IBM PC/AT technical reference. Its two ports are 4
 * apart; what is between them belongs to others, the timer's port 0x61 among them, which the
 * module answers before the launcher is asked.
 */
#include "dev/pckeyboard.h"

#include <pthread.h>

#define WINDOW_SIZE	5

enum { PORT_DATA = 0, PORT_COMMAND = 4 };

enum {
	STATUS_OUTPUT = 1 << 0,		/* a byte waits to be read */
	STATUS_SYSTEM = 1 << 2,		/* the self test has passed */
	STATUS_UNLOCKED = 1 << 4,

	COMMAND_READ = 0x20, COMMAND_WRITE = 0x60, COMMAND_TEST_AUX = 0xa9, COMMAND_SELF_TEST = 0xaa,
	COMMAND_TEST_KEYBOARD = 0xab, COMMAND_READ_OUTPUT = 0xd0, COMMAND_WRITE_OUTPUT = 0xd1,
	COMMAND_PULSE = 0xf0,		/* … 0xff: lines 0 … 3 whose bit is 0; line 0 is reset */

	SELF_TEST_PASSED = 0x55,
	AUX_CLOCK_LOW = 0x01,		/* nobody is there; Linux takes 0xff for a mouse */

	KEYBOARD_RESET = 0xff,		/* sent to the keyboard, and what it says */
	KEYBOARD_ACK = 0xfa, KEYBOARD_PASSED = 0xaa,

	OUTPUT_RUN = 1 << 0,		/* 0 is reset */
	OUTPUT_IDLE = 0xcf,
};

struct pckeyboard {
	pthread_mutex_t lock;		/* all below */
	uint8_t mode;			/* the controller's command byte */
	uint8_t output;			/* what a read of the data port gives */
	bool full;			/* … and has not yet given */
	uint8_t next;			/* what it gives after that, or 0 */
	uint8_t pending;		/* the command whose argument comes next, or 0 */
};

static void answer(struct pckeyboard *kbd, uint8_t byte)
{
	kbd->output = byte;
	kbd->full = true;
	kbd->next = 0;
}

/*
 * Nothing is ever typed, but there is an answer to everything: who waits for one, with no end to it,
 * goes on.
 */
static void answer_as_keyboard(struct pckeyboard *kbd, uint8_t byte)
{
	answer(kbd, KEYBOARD_ACK);
	if (byte == KEYBOARD_RESET)
		kbd->next = KEYBOARD_PASSED;
}

/* True: reset. */
static bool write_command(struct pckeyboard *kbd, uint8_t command)
{
	kbd->pending = 0;
	switch (command) {
	case COMMAND_READ:
		answer(kbd, kbd->mode);
		break;
	case COMMAND_WRITE:
	case COMMAND_WRITE_OUTPUT:
		kbd->pending = command;
		break;
	case COMMAND_SELF_TEST:
		answer(kbd, SELF_TEST_PASSED);
		break;
	case COMMAND_TEST_KEYBOARD:
		answer(kbd, 0);
		break;
	case COMMAND_TEST_AUX:
		answer(kbd, AUX_CLOCK_LOW);
		break;
	case COMMAND_READ_OUTPUT:
		answer(kbd, OUTPUT_IDLE);
		break;
	}
	return command >= COMMAND_PULSE && !(command & OUTPUT_RUN);
}

static bool write_data(struct pckeyboard *kbd, uint8_t value)
{
	uint8_t command = kbd->pending;

	kbd->pending = 0;
	if (!command)
		answer_as_keyboard(kbd, value);
	else if (command == COMMAND_WRITE)
		kbd->mode = value;
	return command == COMMAND_WRITE_OUTPUT && !(value & OUTPUT_RUN);
}

static uint64_t pckeyboard_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct pckeyboard *kbd = dev->state;
	uint64_t value = UINT64_MAX;

	(void)len;
	pthread_mutex_lock(&kbd->lock);
	if (offset == PORT_DATA) {
		value = kbd->output;
		kbd->full = kbd->next;
		if (kbd->next)
			kbd->output = kbd->next;
		kbd->next = 0;
	} else if (offset == PORT_COMMAND) {
		value = STATUS_SYSTEM | STATUS_UNLOCKED | (kbd->full ? STATUS_OUTPUT : 0);
	}
	pthread_mutex_unlock(&kbd->lock);
	return value;
}

static void pckeyboard_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct pckeyboard *kbd = dev->state;
	bool reset = false;

	(void)len;
	pthread_mutex_lock(&kbd->lock);
	if (offset == PORT_DATA)
		reset = write_data(kbd, (uint8_t)value);
	else if (offset == PORT_COMMAND)
		reset = write_command(kbd, (uint8_t)value);
	pthread_mutex_unlock(&kbd->lock);
	if (reset)
		device_power(dev, true);
}

static int pckeyboard_create(struct device *dev)
{
	struct pckeyboard *kbd = dev->state;

	pthread_mutex_init(&kbd->lock, NULL);
	return 0;
}

static void pckeyboard_destroy(struct device *dev)
{
	struct pckeyboard *kbd = dev->state;

	pthread_mutex_destroy(&kbd->lock);
}

const struct device_type pckeyboard_type = {
	.abi = DEVICE_ABI,
	.flags = DEVICE_F_ONCE | DEVICE_F_PORT | DEVICE_F_NO_IRQ,
	.name = "pckeyboard",
	.doc = "keyboard controller, and a keyboard on which nobody types: a guest can reset by it",
	.size = WINDOW_SIZE,
	.arch = DEVICE_X86,
	.widths = 1 << 1,
	.state_size = sizeof(struct pckeyboard),
	.create = pckeyboard_create,
	.destroy = pckeyboard_destroy,
	.read = pckeyboard_read,
	.write = pckeyboard_write,
};
