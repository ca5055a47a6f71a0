// SPDX-License-Identifier: GPL-2.0-only
#include "boot/aml.h"

#include <string.h>

enum {
	OP_ZERO = 0x00, OP_ONE = 0x01, OP_NAME = 0x08, OP_BYTE = 0x0a, OP_WORD = 0x0b,
	OP_DWORD = 0x0c, OP_STRING = 0x0d, OP_SCOPE = 0x10, OP_BUFFER = 0x11, OP_PACKAGE = 0x12, OP_EXT = 0x5b,
	OP_EXT_DEVICE = 0x82,
};

enum {		/* 6.4.2, small resource items: tag and length */
	RESOURCE_IRQ = 0x22, RESOURCE_IO = 0x47, RESOURCE_END = 0x79,
	IO_DECODE16 = 1,
};

enum {		/* 6.4.3, large ones */
	RESOURCE_INTERRUPT = 0x89, RESOURCE_QWORD = 0x8a,
	CONSUMER = 1 << 0,		/* of both; an interrupt's 0 elsewhere: level, high */
	FIXED = 1 << 2 | 1 << 3,	/* the address is what it is */
	WRITABLE = 1 << 0,
};

void aml_byte(struct aml *aml, uint8_t byte)
{
	if (aml->size < aml->room)
		aml->data[aml->size] = byte;
	aml->size++;
}

void aml_bytes(struct aml *aml, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		aml_byte(aml, ((const uint8_t *)bytes)[i]);
}

void aml_number(struct aml *aml, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		aml_byte(aml, (uint8_t)(value >> 8 * i));
}

void aml_name(struct aml *aml, const char *name)
{
	aml_byte(aml, OP_NAME);
	aml_bytes(aml, name, strlen(name));
}

void aml_integer(struct aml *aml, uint64_t value)
{
	unsigned int size = value > 0xffff ? 4 : value > 0xff ? 2 : 1;

	if (value <= 1) {
		aml_byte(aml, value ? OP_ONE : OP_ZERO);
		return;
	}
	aml_byte(aml, size == 4 ? OP_DWORD : size == 2 ? OP_WORD : OP_BYTE);
	aml_number(aml, value, size);
}

static unsigned int hex_digit(char c)
{
	return c <= '9' ? (unsigned int)(c - '0') : (unsigned int)(c - 'A') + 10;
}

void aml_eisa_id(struct aml *aml, const char *id)
{
	uint32_t value = 0;

	/* 19.3.4: three letters of 5 bits, four hexadecimal digits, and all that big-endian. */
	for (unsigned int i = 0; i < 3; i++)
		value = value << 5 | (uint32_t)(id[i] - '@');
	for (unsigned int i = 3; i < 7; i++)
		value = value << 4 | hex_digit(id[i]);
	aml_byte(aml, OP_DWORD);
	aml_number(aml, __builtin_bswap32(value), 4);
}

/* PkgLength in its form of two bytes counts itself (20.2.4). */
static struct aml_scope begin(struct aml *aml)
{
	struct aml_scope scope = { aml->size };

	aml_number(aml, 0, 2);
	return scope;
}

void aml_end(struct aml *aml, struct aml_scope scope)
{
	size_t length = aml->size - scope.length_at;

	if (aml->size > aml->room)
		return;
	aml->data[scope.length_at] = 0x40 | (length & 0xf);
	aml->data[scope.length_at + 1] = (uint8_t)(length >> 4);
}

struct aml_scope aml_begin_scope(struct aml *aml, const char *name)
{
	struct aml_scope scope;

	aml_byte(aml, OP_SCOPE);
	scope = begin(aml);
	aml_bytes(aml, name, strlen(name));
	return scope;
}

struct aml_scope aml_begin_device(struct aml *aml, const char *name)
{
	struct aml_scope scope;

	aml_byte(aml, OP_EXT);
	aml_byte(aml, OP_EXT_DEVICE);
	scope = begin(aml);
	aml_bytes(aml, name, strlen(name));
	return scope;
}

void aml_package(struct aml *aml, const uint8_t *values, uint8_t count)
{
	struct aml_scope scope;

	aml_byte(aml, OP_PACKAGE);
	scope = begin(aml);
	aml_byte(aml, count);
	for (uint8_t i = 0; i < count; i++)
		aml_integer(aml, values[i]);
	aml_end(aml, scope);
}

static void put_io(struct aml *aml, uint64_t port, uint64_t count)
{
	aml_byte(aml, RESOURCE_IO);
	aml_byte(aml, IO_DECODE16);
	aml_number(aml, port, 2);			/* lowest and highest that it could have */
	aml_number(aml, port, 2);
	aml_byte(aml, 1);
	aml_byte(aml, (uint8_t)count);
}

void aml_resources(struct aml *aml, uint16_t port, uint8_t count, unsigned int irq)
{
	struct aml_scope scope;

	aml_byte(aml, OP_BUFFER);
	scope = begin(aml);
	aml_integer(aml, 8 + (irq ? 3 : 0) + 2);	/* of the three below */
	put_io(aml, port, count);
	if (irq) {
		aml_byte(aml, RESOURCE_IRQ);
		aml_number(aml, 1ULL << irq, 2);
	}
	aml_byte(aml, RESOURCE_END);
	aml_byte(aml, 0);				/* no checksum */
	aml_end(aml, scope);
}

void aml_string(struct aml *aml, const char *text)
{
	aml_byte(aml, OP_STRING);
	aml_bytes(aml, text, strlen(text) + 1);
}

struct aml_scope aml_begin_package(struct aml *aml)
{
	struct aml_scope scope;

	aml_byte(aml, OP_PACKAGE);
	scope = begin(aml);
	aml_byte(aml, 0);
	return scope;
}

void aml_end_package(struct aml *aml, struct aml_scope scope, uint8_t count)
{
	aml_end(aml, scope);
	if (aml->size <= aml->room)
		aml->data[scope.length_at + 2] = count;
}

void aml_buffer(struct aml *aml, const void *bytes, uint8_t size)
{
	struct aml_scope scope;

	aml_byte(aml, OP_BUFFER);
	scope = begin(aml);
	aml_integer(aml, size);
	aml_bytes(aml, bytes, size);
	aml_end(aml, scope);
}

/* 6.4.3.5.1: granularity, lowest, highest, translation, length */
static void put_qword(struct aml *aml, uint64_t base, uint64_t size)
{
	aml_byte(aml, RESOURCE_QWORD);
	aml_number(aml, 43, 2);
	aml_byte(aml, 0);				/* memory */
	aml_byte(aml, CONSUMER | FIXED);
	aml_byte(aml, WRITABLE);
	aml_number(aml, 0, 8);
	aml_number(aml, base, 8);
	aml_number(aml, base + size - 1, 8);
	aml_number(aml, 0, 8);
	aml_number(aml, size, 8);
}

/* 6.4.3.6 */
static void put_interrupt(struct aml *aml, uint32_t irq)
{
	aml_byte(aml, RESOURCE_INTERRUPT);
	aml_number(aml, 6, 2);
	aml_byte(aml, CONSUMER);
	aml_byte(aml, 1);
	aml_number(aml, irq, 4);
}

void aml_resources_level(struct aml *aml, bool port, uint64_t base, uint64_t size, uint32_t irq)
{
	struct aml_scope scope;

	aml_byte(aml, OP_BUFFER);
	scope = begin(aml);
	aml_integer(aml, (port ? 8 : 46) + (irq ? 9 : 0) + 2U);
	if (port)
		put_io(aml, base, size);
	else
		put_qword(aml, base, size);
	if (irq)
		put_interrupt(aml, irq);
	aml_byte(aml, RESOURCE_END);
	aml_byte(aml, 0);				/* no checksum */
	aml_end(aml, scope);
}
