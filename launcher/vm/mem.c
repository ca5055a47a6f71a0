// SPDX-License-Identifier: GPL-2.0-only
#include "vm/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "machine/machine.h"
#include "util/log.h"
#include "vm/sys.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23	/* Linux 5.14 */
#endif

#define BLOCK_SIZE	(2ull << 20)
#define MIB		(1ull << 20)

static const char *kind_name(const struct memory *memory)
{
	return memory->kind == MEMORY_ROM ? "rom" : "ram";
}

/* Bytes that the host can give without swapping, or UINT64_MAX if it doesn't say. */
static uint64_t host_available(void)
{
	unsigned long long kib = 0;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "re");
	bool found = false;

	if (!file)
		return UINT64_MAX;
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "MemAvailable: %llu kB", &kib) == 1;
	fclose(file);
	return found ? kib * 1024 : UINT64_MAX;
}

/* Guest memory is pinned: without this check the OOM killer would choose a victim later. */
static int check_available(const struct machine *machine)
{
	uint64_t wanted = 0, available = host_available();

	for (size_t i = 0; i < machine->memory_count; i++)
		wanted += machine->memory[i].lazy ? 0 : machine->memory[i].size;
	if (wanted <= available)
		return 0;
	log_error("the VM's memory is %llu MiB and the host has %llu MiB left: give it less (ram), or end something",
		  (unsigned long long)(wanted / MIB), (unsigned long long)(available / MIB));
	return -ENOMEM;
}

static int mem_alloc(struct memory *memory)
{
	/* hva and gpa are equal modulo the block size: only then can a block map both. */
	uint64_t offset = memory->gpa % BLOCK_SIZE;
	size_t size = memory->size + 2 * BLOCK_SIZE;
	uint8_t *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t head, tail;

	if (area == MAP_FAILED)
		return -errno;
	head = (offset - (uintptr_t)area) % BLOCK_SIZE;
	tail = size - head - memory->size;
	if (head)
		munmap(area, head);
	if (tail)
		munmap(area + head + memory->size, tail);
	memory->hva = area + head;
	/* A child's copy-on-write would move pages away from under the guest. */
	if (madvise(memory->hva, memory->size, MADV_DONTFORK))
		return -errno;
	/* Only a wish: without it the guest runs, with more entries in its tables. */
	madvise(memory->hva, memory->size, MADV_HUGEPAGE);
	/* Another: faulted in huge pages at a time, it is pinned many times faster. */
	if (!memory->lazy)
		madvise(memory->hva, memory->size, MADV_POPULATE_WRITE);
	return 0;
}

int mem_create(struct machine *machine)
{
	int error = check_available(machine);

	for (size_t i = 0; !error && i < machine->memory_count; i++) {
		struct memory *memory = &machine->memory[i];

		error = mem_alloc(memory);
		if (error)
			log_at(&memory->origin, kind_name(memory), "can't allocate %llu MiB: %s",
			       (unsigned long long)(memory->size / MIB), strerror(-error));
	}
	if (error)
		mem_destroy(machine);
	return error;
}

void mem_destroy(struct machine *machine)
{
	for (size_t i = 0; i < machine->memory_count; i++) {
		if (machine->memory[i].hva)
			munmap(machine->memory[i].hva, machine->memory[i].size);
		machine->memory[i].hva = NULL;
	}
}

static void say_memlock(const struct memory *memory)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_MEMLOCK, &limit);
	log_at(&memory->origin, kind_name(memory),
	       "pinning %llu MiB passes RLIMIT_MEMLOCK (%llu KiB): run as root, or type 'ulimit -l unlimited' first (needs 'memlock' in /etc/security/limits.conf)",
	       (unsigned long long)(memory->size / MIB), (unsigned long long)limit.rlim_cur / 1024);
}

static int map_one(const struct memory *memory, struct sys_vm *sys_vm)
{
	struct qvm_region region = {
		.gpa = memory->gpa,
		.size = memory->size,
		.hva = (uintptr_t)memory->hva,
		.kind = memory->kind == MEMORY_ROM ? QVM_REGION_ROM : QVM_REGION_RAM,
		.flags = memory->lazy ? QVM_REGION_F_LAZY : 0,
	};
	int error = sys_add_region(sys_vm, &region);

	if (error == -EPERM)
		say_memlock(memory);
	else if (error)
		log_at(&memory->origin, kind_name(memory), "the VM refuses %#llx-%#llx: %s",
		       (unsigned long long)memory->gpa,
		       (unsigned long long)(memory->gpa + memory->size - 1), strerror(-error));
	else
		log_debug("%s %#llx: blocks of page, 2 MiB, 1 GiB: %llu %llu %llu",
			  kind_name(memory), (unsigned long long)memory->gpa,
			  (unsigned long long)region.blocks[0], (unsigned long long)region.blocks[1],
			  (unsigned long long)region.blocks[2]);
	return error;
}

/* A window has nothing behind it till its device shares something. */
static int map_window(const struct device_config *device, struct sys_vm *sys_vm)
{
	struct qvm_region region = {
		.gpa = device->window, .size = device->window_size, .kind = QVM_REGION_SHARED,
	};
	int error = device->window_size ? sys_add_region(sys_vm, &region) : 0;

	if (error)
		log_at(&device->origin, device->name, "the VM refuses its window at %#llx: %s",
		       (unsigned long long)device->window, strerror(-error));
	return error;
}

int mem_map(const struct machine *machine, struct sys_vm *sys_vm)
{
	for (size_t i = 0; i < machine->device_count; i++) {
		int error = map_window(&machine->device[i], sys_vm);

		if (error)
			return error;
	}
	for (size_t i = 0; i < machine->memory_count; i++) {
		int error = map_one(&machine->memory[i], sys_vm);

		if (error)
			return error;
	}
	return 0;
}

uint64_t mem_end(const struct machine *machine)
{
	uint64_t end = 0;

	for (size_t i = 0; i < machine->memory_count; i++) {
		uint64_t this_end = machine->memory[i].gpa + machine->memory[i].size;

		end = this_end > end ? this_end : end;
	}
	for (size_t i = 0; i < machine->device_count; i++) {
		uint64_t this_end = machine->device[i].window + machine->device[i].window_size;

		if (machine->device[i].window_size && this_end > end)
			end = this_end;
	}
	return end;
}
