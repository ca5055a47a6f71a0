// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory by stage-2 lookup.
 *
 * LINK: kmod/guestmem.c kmod/pgtable.c
 * CFLAGS: -Ikmod/arch/x86
 */
#include <stdlib.h>

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "core.h"
#include "guestmem.h"
#include "unit.h"

#define PAGE	4096ULL
#define M2	0x200000ULL
#define RWX	(S2_READ | S2_WRITE | S2_EXEC)

/* RAM of a page and a half block, ROM behind it without a gap; a device page that is mapped. */
#define RAM_BASE	M2
#define RAM_SIZE	(M2 + PAGE)
#define ROM_BASE	(RAM_BASE + RAM_SIZE)
#define MAPPED_DEVICE	0x10000000ULL

static struct qvm_vm vm;
static u8 *ram, *rom;

/* A page's hpa is its address here. */
static void *table_alloc(struct s2_table *s2, unsigned int order)
{
	void *table = aligned_alloc(PAGE << order, PAGE << order);

	return memset(table, 0, PAGE << order);
}

static void table_free(struct s2_table *s2, void *table, unsigned int order)
{
	free(table);
}

static u64 to_hpa(const void *table)
{
	return (unsigned long)table;
}

static void *to_virt(u64 hpa)
{
	return (void *)(unsigned long)hpa;
}

static void flush(struct s2_table *s2, u64 gpa, u64 size)
{
}

static void sync_tables(struct s2_table *s2)
{
}

static const struct s2_ops ops = {
	.alloc = table_alloc, .free = table_free, .virt_to_hpa = to_hpa, .hpa_to_virt = to_virt,
	.flush = flush, .sync = sync_tables,
};

const struct qvm_mem *qvm_region_find(const struct qvm_vm *of, u64 gpa)
{
	unsigned int i;

	for (i = 0; i < of->region_count; i++)
		if (gpa - of->region[i].gpa < of->region[i].size)
			return &of->region[i];
	return NULL;
}

static void region(u64 gpa, u64 size, u32 kind, u8 *mem, u32 prot)
{
	struct qvm_mem *slot = &vm.region[vm.region_count++];

	slot->gpa = gpa;
	slot->size = size;
	slot->kind = kind;
	CHECK_EQ(s2_map(&vm.s2, gpa, to_hpa(mem), size, prot), 0);
}

static void start(void)
{
	unsigned int i;

	memset(&vm, 0, sizeof(vm));
	ram = aligned_alloc(M2, 2 * M2);
	rom = aligned_alloc(PAGE, PAGE);
	for (i = 0; i < 2 * M2; i++)
		ram[i] = i * 7 + (i >> 12);
	memset(rom, 0x5a, PAGE);
	CHECK_EQ(s2_init(&vm.s2, &ops, 40, PAGE | M2), 0);
	region(RAM_BASE, RAM_SIZE, QVM_REGION_RAM, ram, RWX);
	region(ROM_BASE, PAGE, QVM_REGION_ROM, rom, S2_READ | S2_EXEC);
	CHECK_EQ(s2_map(&vm.s2, MAPPED_DEVICE, to_hpa(ram), PAGE, S2_READ | S2_WRITE), 0);
}

static void finish(void)
{
	s2_destroy(&vm.s2);
	free(ram);
	free(rom);
}

TEST(reads_and_writes_at_every_length_and_alignment)
{
	unsigned int len, offset;
	u8 buf[17];

	start();
	for (len = 1; len <= 16; len++) {
		for (offset = 0; offset < 9; offset++) {
			u64 at = 0x1230 + offset;

			CHECK_EQ(qvm_guest_read(&vm, RAM_BASE + at, buf + 1, len), 0);
			CHECK(!memcmp(buf + 1, ram + at, len));
			memset(buf, len, sizeof(buf));
			CHECK_EQ(qvm_guest_write(&vm, RAM_BASE + at, buf + 1, len), 0);
			CHECK(!memcmp(buf + 1, ram + at, len));
			CHECK_EQ(ram[at - 1], offset ? len : (u8)((at - 1) * 7 + 1));
		}
	}
	finish();
}

TEST(copies_across_blocks)
{
	static u8 buf[3 * PAGE];
	u64 at = M2 - PAGE / 2;			/* the block's end, then the page behind it */

	start();
	CHECK_EQ(qvm_guest_read(&vm, RAM_BASE + at, buf, PAGE), 0);
	CHECK(!memcmp(buf, ram + at, PAGE));
	/* on into ROM, which reads like RAM */
	CHECK_EQ(qvm_guest_read(&vm, ROM_BASE - 4, buf, 8), 0);
	CHECK(!memcmp(buf, ram + RAM_SIZE - 4, 4));
	CHECK_EQ(buf[7], 0x5a);
	CHECK_EQ(qvm_guest_read(&vm, RAM_BASE, buf, 0), 0);
	finish();
}

TEST(refuses_what_is_no_memory)
{
	u8 buf[16] = { 0 };

	start();
	CHECK_EQ(qvm_guest_read(&vm, RAM_BASE - 1, buf, 1), -EFAULT);
	CHECK_EQ(qvm_guest_read(&vm, ROM_BASE + PAGE - 1, buf, 2), -EFAULT);
	CHECK_EQ(qvm_guest_write(&vm, ROM_BASE, buf, 1), -EFAULT);
	CHECK_EQ(qvm_guest_write(&vm, ROM_BASE - 4, buf, 8), -EFAULT);
	CHECK_EQ(rom[0], 0x5a);
	/* in the table, but not a region */
	CHECK_EQ(qvm_guest_read(&vm, MAPPED_DEVICE, buf, 4), -EFAULT);
	CHECK_EQ(qvm_guest_write(&vm, MAPPED_DEVICE, buf, 4), -EFAULT);
	CHECK_EQ(qvm_guest_read(&vm, ~0ULL - 3, buf, 8), -EFAULT);
	finish();
}

static void *whole_root;
static unsigned int faults;

/* Another vCPU's split ends while we wait for the lock. */
static void split_ends(struct rw_semaphore *sem)
{
	CHECK(sem == &vm.s2_lock);
	vm.s2.root = whole_root;
}

TEST(waits_for_a_block_that_is_being_split)
{
	void *empty = table_alloc(&vm.s2, 0);
	u8 buf = 0;

	start();
	whole_root = vm.s2.root;
	vm.s2.root = empty;
	fake_rwsem_hook = split_ends;
	CHECK_EQ(qvm_guest_read(&vm, RAM_BASE + 5, &buf, 1), 0);
	CHECK_EQ(buf, ram[5]);
	CHECK(!vm.s2_lock.held);
	fake_rwsem_hook = NULL;
	table_free(&vm.s2, empty, 0);
	finish();
}

/* fault.c: what was discarded comes back, or can't. */
int qvm_region_fault(struct qvm_vm *touched, u64 gpa)
{
	CHECK(touched == &vm);
	CHECK(!vm.s2_lock.held);
	faults++;
	if (gpa >= RAM_BASE + 0x2000)
		return -EHWPOISON;
	return s2_map(&vm.s2, gpa & ~(PAGE - 1), (u64)(ram + 0x1000), PAGE, S2_READ | S2_WRITE);
}

TEST(touches_what_was_discarded)
{
	u8 buf[8] = {};

	start();
	faults = 0;
	CHECK_EQ(s2_unmap(&vm.s2, RAM_BASE + 0x1000, 2 * PAGE), 0);
	ram[0x1004] = 0x77;
	CHECK_EQ(qvm_guest_read(&vm, RAM_BASE + 0x1004, buf, 1), 0);
	CHECK_EQ(buf[0], 0x77);
	CHECK_EQ(faults, 1);
	CHECK_EQ(qvm_guest_write(&vm, RAM_BASE + 0x1008, buf, 8), 0);
	CHECK_EQ(faults, 1);
	/* the second half of it failed */
	CHECK_EQ(qvm_guest_write(&vm, RAM_BASE + 0x1ffc, buf, 8), -EFAULT);
	CHECK_EQ(faults, 2);
	CHECK(!vm.s2_lock.held);
	finish();
}

TEST(cmpxchg)
{
	u64 *word;

	start();
	word = (u64 *)(ram + 0x1000);
	*word = 0x1122334455667788ULL;
	CHECK_EQ(qvm_guest_cmpxchg64(&vm, RAM_BASE + 0x1000, 5, 6), -EAGAIN);
	CHECK_EQ(*word, 0x1122334455667788ULL);
	CHECK_EQ(qvm_guest_cmpxchg64(&vm, RAM_BASE + 0x1000, *word, 6), 0);
	CHECK_EQ(*word, 6);
	CHECK_EQ(qvm_guest_cmpxchg32(&vm, RAM_BASE + 0x1004, 0, 7), 0);
	CHECK_EQ(*word, 0x700000006ULL);
	CHECK_EQ(qvm_guest_cmpxchg32(&vm, RAM_BASE + 0x1002, 0, 0), -EFAULT);
	CHECK_EQ(qvm_guest_cmpxchg64(&vm, RAM_BASE + 0x1004, 7, 0), -EFAULT);
	CHECK_EQ(qvm_guest_cmpxchg64(&vm, ROM_BASE, 0x5a5a5a5a5a5a5a5aULL, 0), -EFAULT);
	CHECK_EQ(qvm_guest_cmpxchg32(&vm, 0, 0, 0), -EFAULT);
	finish();
}
