/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The launcher's bus: which device answers at a gpa, or at an I/O port of x86. Built once, before
 * the guest starts.
 */
#ifndef QVM_DEV_BUS_H
#define QVM_DEV_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/device_host.h"

struct machine;
struct vm;

struct bus {
	struct device_host *devices;	/* memory before ports, by address; NULL: none created */
	size_t count;
	bool lanes;			/* of a PC: an access that no device takes whole goes in parts */
	unsigned long number;		/* another one for each bus that is created; 0: none */
};

/*
 * Create the machine's devices but those of the module, all or none; @bus is zero before. The
 * machine is valid: no two ranges overlap. 0 or -errno, message printed.
 */
int bus_create(struct bus *bus, struct vm *vm, const struct machine *machine);
/* Destroy them in reverse order of the addresses. Fine for a zero bus. */
void bus_destroy(struct bus *bus);

/*
 * One access of @len bytes at @gpa; a device sees 1, 2, 4 or 8. False: nobody's address, because no
 * device is there, the access crosses the end of its window or is not aligned to @len. On a PC such
 * a one is taken apart, down to bytes, as its buses do it: false if no part is anybody's, and what
 * is nobody's of it reads as ones. Any thread.
 */
bool bus_read(const struct bus *bus, uint64_t gpa, unsigned int len, uint64_t *value);
bool bus_write(const struct bus *bus, uint64_t gpa, unsigned int len, uint64_t value);

/*
 * The same for @len bytes (1, 2, 4) at I/O port @port. One byte that is nobody's may be at one of
 * those that a device has elsewhere (device_config.ports), and has an offset behind its size then.
 */
bool bus_port_read(const struct bus *bus, uint64_t port, unsigned int len, uint64_t *value);
bool bus_port_write(const struct bus *bus, uint64_t port, unsigned int len, uint64_t value);

/* The device that takes this access, or a part of it, may have posted writes (vm/post.h): they come first. */
bool bus_posts(const struct bus *bus, uint64_t addr, bool port, unsigned int len);

/* Tell each device that the VM has come to this state. */
void bus_state(const struct bus *bus, enum device_vm_state state);

/* Press the first power button whose guest listens. False: there is none. In the loop's thread. */
bool bus_button(const struct bus *bus);

/* Let each device say its status. */
void bus_status(const struct bus *bus);

#endif
