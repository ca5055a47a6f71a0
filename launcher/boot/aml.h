/* SPDX-License-Identifier: GPL-2.0-only */
/* Writer of AML, as far as a description of devices needs it (ACPI 6.5, chapter 20). */
#ifndef QVM_BOOT_AML_H
#define QVM_BOOT_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
	uint8_t *data;
	size_t size, room;	/* beyond room bytes are counted, not written */
};

/* What is open between begin and end, at most 4095 bytes: its length is filled in at the end. */
struct aml_scope {
	size_t length_at;
};

void aml_byte(struct aml *aml, uint8_t byte);
void aml_bytes(struct aml *aml, const void *bytes, size_t size);
/* Little-endian, @size bytes. */
void aml_number(struct aml *aml, uint64_t value, unsigned int size);

/* Name(@name, …): the value comes next. @name: four characters, or a backslash before them. */
void aml_name(struct aml *aml, const char *name);
/* An integer object in its shortest form. */
void aml_integer(struct aml *aml, uint64_t value);
/* EISAID(@id), as "PNP0501". */
void aml_eisa_id(struct aml *aml, const char *id);
/* Package() of @count integers. */
void aml_package(struct aml *aml, const uint8_t *values, uint8_t count);

struct aml_scope aml_begin_scope(struct aml *aml, const char *name);
struct aml_scope aml_begin_device(struct aml *aml, const char *name);
void aml_end(struct aml *aml, struct aml_scope scope);

/* A string object. */
void aml_string(struct aml *aml, const char *text);
/* Package() of what comes next; its count of elements is filled in at the end. */
struct aml_scope aml_begin_package(struct aml *aml);
void aml_end_package(struct aml *aml, struct aml_scope scope, uint8_t count);
/* A buffer of these bytes. */
void aml_buffer(struct aml *aml, const void *bytes, uint8_t size);

/* A ResourceTemplate() of @count ports from @port on and, unless 0, one edge interrupt. */
void aml_resources(struct aml *aml, uint16_t port, uint8_t count, unsigned int irq);

/* The same of ports, or (@port false) memory at @base, and unless 0 one interrupt: level, high. */
void aml_resources_level(struct aml *aml, bool port, uint64_t base, uint64_t size, uint32_t irq);

#endif
