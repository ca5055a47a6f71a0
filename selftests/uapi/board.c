// SPDX-License-Identifier: GPL-2.0-only
/* The board of a VM: regions, vdevs, vCPUs, its assembly, and what QVM_VM_INFO says of it. */
#include <kselftest_harness.h>

#include <sys/resource.h>

#include "vm.h"

#define RAM	QVM_REGION_RAM
#define ROM	QVM_REGION_ROM
#define MIB	0x100000UL
#define GIC	QVM_VDEV_ARM64_GICV3
#define TIMER	QVM_VDEV_ARM64_TIMER

FIXTURE(board)
{
	int sys, vm;
	char *memory;		/* 8 MiB, aligned to 2 MiB */
};

FIXTURE_SETUP(board)
{
	char *p = map_memory(10 * MIB);

	self->sys = must(open("/dev/qvm", O_RDWR | O_CLOEXEC));
	self->vm = must(create_vm(self->sys, "board", 2));
	self->memory = (char *)(((uintptr_t)p + 2 * MIB - 1) & -(2 * MIB));
}

FIXTURE_TEARDOWN(board)
{
	close(self->vm);
	close(self->sys);
}

/* ---- regions ---- */

TEST_F(board, misaligned_region)
{
	char *p = self->memory;

	EXPECT_EQ(-EINVAL, add_region(self->vm, 0, p, 0, RAM));
	EXPECT_EQ(-EINVAL, add_region(self->vm, 1, p, PAGE, RAM));
	EXPECT_EQ(-EINVAL, add_region(self->vm, PAGE / 2, p, PAGE, RAM));
	EXPECT_EQ(-EINVAL, add_region(self->vm, 0, p, PAGE + 1, RAM));
	EXPECT_EQ(-EINVAL, add_region(self->vm, 0, p, PAGE / 2, RAM));
	EXPECT_EQ(-EINVAL, add_region(self->vm, 0, p + 8, PAGE, RAM));
	EXPECT_EQ(0, vm_info(self->vm).region_count);
}

TEST_F(board, region_kind_and_flags)
{
	struct qvm_region region = { .size = PAGE, .hva = (uintptr_t)self->memory };
	uint32_t kind;

	for (kind = 0; kind < 32; kind++)
		if (kind != RAM && kind != ROM)
			EXPECT_EQ(-EINVAL, add_region(self->vm, 0, self->memory, PAGE, kind));
	EXPECT_EQ(-EINVAL, add_region(self->vm, 0, self->memory, PAGE, -1));
	region.kind = RAM;
	region.flags = QVM_REGION_F_DIRTY_LOG;
	EXPECT_EQ(-EOPNOTSUPP, call(self->vm, QVM_VM_ADD_REGION, &region));
	for (region.flags = 4; region.flags; region.flags <<= 1)
		EXPECT_EQ(-EINVAL, call(self->vm, QVM_VM_ADD_REGION, &region));
	region.flags = QVM_REGION_F_DIRTY_LOG | 4;
	EXPECT_EQ(-EINVAL, call(self->vm, QVM_VM_ADD_REGION, &region));
	region.flags = 0;
	region.as_id = 1;
	EXPECT_EQ(-EINVAL, call(self->vm, QVM_VM_ADD_REGION, &region));
	region.as_id = 0;
	EXPECT_EQ(0, call(self->vm, QVM_VM_ADD_REGION, &region));
}

TEST_F(board, region_out_of_range)
{
	char *p = self->memory;
	uint64_t top = 1ULL << 40;

	EXPECT_EQ(-ERANGE, add_region(self->vm, top, p, PAGE, RAM));
	EXPECT_EQ(-ERANGE, add_region(self->vm, top - PAGE, p, 2 * PAGE, RAM));
	EXPECT_EQ(-ERANGE, add_region(self->vm, -PAGE, p, PAGE, RAM));
	EXPECT_EQ(-ERANGE, add_region(self->vm, -PAGE, p, 2 * PAGE, RAM));
	EXPECT_EQ(-ERANGE, add_region(self->vm, PAGE, p, -PAGE, RAM));
	EXPECT_EQ(-ERANGE, add_region(self->vm, 1ULL << 63, p, 1ULL << 63, RAM));
	EXPECT_EQ(0, add_region(self->vm, top - PAGE, p, PAGE, RAM));
}

TEST_F(board, region_without_memory)
{
	char *p = self->memory;

	EXPECT_EQ(-EFAULT, add_region(self->vm, 0, NULL, PAGE, RAM));
	EXPECT_EQ(-EFAULT, add_region(self->vm, 0, (void *)-PAGE, PAGE, RAM));
	EXPECT_EQ(-EFAULT, add_region(self->vm, 0, (void *)(1UL << 48), PAGE, RAM));
	EXPECT_EQ(-EFAULT, add_region(self->vm, 0, (void *)(-2 * MIB), 2 * MIB, RAM));
	must(mprotect(p + PAGE, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, add_region(self->vm, 0, p, 2 * PAGE, RAM));
	EXPECT_EQ(-EFAULT, add_region(self->vm, 0, p, 2 * PAGE, ROM));
	must(mprotect(p + PAGE, PAGE, PROT_NONE));
	EXPECT_EQ(-EFAULT, add_region(self->vm, 0, p, 2 * PAGE, RAM));
	/* a hole far behind: what was pinned before it is given back */
	must(mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE));
	must(munmap(p + 7 * MIB, PAGE));
	EXPECT_EQ(-EFAULT, add_region(self->vm, 0, p, 8 * MIB, RAM));
	EXPECT_EQ(-EFAULT, add_region(self->vm, PAGE, p + PAGE, 8 * MIB - PAGE, RAM));
	EXPECT_EQ(0, module_count("pinned_pages"));
	EXPECT_EQ(0, vm_info(self->vm).pinned);
	EXPECT_EQ(0, vm_info(self->vm).region_count);
	/* and its range is free */
	EXPECT_EQ(0, add_region(self->vm, 0, p, 7 * MIB, RAM));
}

TEST_F(board, region_of_a_file_opened_for_reading)
{
	int fd = must(open("/proc/self/exe", O_RDONLY));
	void *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(-EFAULT, add_region(self->vm, 0, p, PAGE, ROM));
	EXPECT_EQ(-EFAULT, add_region(self->vm, 0, p, PAGE, RAM));
}

TEST_F(board, overlapping_regions)
{
	char *p = self->memory;
	static const struct { uint64_t gpa, size; } bad[] = {
		{ 4, 4 }, { 4, 1 }, { 7, 1 }, { 5, 2 }, { 3, 2 }, { 7, 2 }, { 0, 16 }, { 0, 5 },
	};
	unsigned int i;

	ASSERT_EQ(0, add_region(self->vm, 4 * PAGE, p, 4 * PAGE, RAM));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EEXIST, add_region(self->vm, bad[i].gpa * PAGE, p, bad[i].size * PAGE, RAM));
		EXPECT_EQ(-EEXIST, add_region(self->vm, bad[i].gpa * PAGE, p, bad[i].size * PAGE, ROM));
	}
	EXPECT_EQ(0, add_region(self->vm, 0, p, 4 * PAGE, RAM));
	EXPECT_EQ(0, add_region(self->vm, 8 * PAGE, p, PAGE, ROM));
	EXPECT_EQ(3, vm_info(self->vm).region_count);
	EXPECT_EQ(9 * PAGE, vm_info(self->vm).pinned);
}

TEST_F(board, too_many_regions)
{
	unsigned int i;

	/* from above, so that each is put before the others */
	for (i = QVM_MAX_REGIONS; i > 0; i--)
		ASSERT_EQ(0, add_region(self->vm, i * 2 * PAGE, self->memory, PAGE, RAM));
	EXPECT_EQ(-ENOSPC, add_region(self->vm, 0, self->memory, PAGE, RAM));
	EXPECT_EQ(-EEXIST, add_region(self->vm, 2 * PAGE, self->memory, PAGE, RAM));
	EXPECT_EQ(QVM_MAX_REGIONS, vm_info(self->vm).region_count);
	EXPECT_EQ(QVM_MAX_REGIONS * PAGE, vm_info(self->vm).pinned);
}

/* A limit of 16 pages; whoever has no CAP_IPC_LOCK is held to it, over all of its VMs. */
TEST_F(board, locked_memory_limit)
{
	struct rlimit limit = { 16 * PAGE, 16 * PAGE };
	int status;
	pid_t child = fork();

	if (!child) {
		int vm = must(create_vm(self->sys, "limited", 1)), other;

		must(setrlimit(RLIMIT_MEMLOCK, &limit));
		/* root may */
		if (add_region(vm, 0, self->memory, 32 * PAGE, RAM))
			_exit(1);
		close(vm);
		must(setuid(1));
		vm = must(create_vm(self->sys, "limited", 1));
		other = must(create_vm(self->sys, "other", 1));
		if (add_region(vm, 0, self->memory, 17 * PAGE, RAM) != -EPERM)
			_exit(2);
		if (add_region(vm, 0, self->memory, 10 * PAGE, RAM))
			_exit(3);
		if (add_region(other, 0, self->memory, 7 * PAGE, RAM) != -EPERM)
			_exit(4);
		if (vm_info(other).pinned || vm_info(vm).pinned != 10 * PAGE)
			_exit(5);
		/* what failed or was closed is not charged any more */
		if (add_region(other, 0, (char *)NULL + PAGE, 6 * PAGE, RAM) != -EFAULT)
			_exit(6);
		close(vm);
		if (add_region(other, 0, self->memory, 16 * PAGE, RAM))
			_exit(7);
		_exit(0);
	}
	must(waitpid(child, &status, 0));
	EXPECT_EQ(0, status >> 8);
	EXPECT_EQ(0, status & 0xff);
}

/* QVM_VM_ADD_REGION tells how memory was mapped. */
TEST_F(board, blocks)
{
	struct qvm_region region = { .gpa = 64 * MIB, .size = 8 * MIB, .kind = RAM,
				     .hva = (uintptr_t)self->memory, .blocks = { 9, 9, 9 } };
	int huge;

	madvise(self->memory, 8 * MIB, MADV_HUGEPAGE);
	memset(self->memory, 0, 8 * MIB);
	ASSERT_EQ(0, call(self->vm, QVM_VM_ADD_REGION, &region));
	huge = region.blocks[1];
	EXPECT_EQ(0, region.blocks[2]);
	EXPECT_EQ(8 * MIB, region.blocks[0] * PAGE + region.blocks[1] * 2 * MIB);
	EXPECT_LT(0, huge) { TH_LOG("no huge page was mapped by one entry"); }

	/* the same memory where the guest's address is not aligned as it is */
	region.gpa = 128 * MIB + PAGE;
	ASSERT_EQ(0, call(self->vm, QVM_VM_ADD_REGION, &region));
	EXPECT_EQ(8 * MIB / PAGE, region.blocks[0]);
	EXPECT_EQ(0, region.blocks[1]);
	EXPECT_EQ(16 * MIB, vm_info(self->vm).pinned);
	EXPECT_EQ(16 * MIB / PAGE, module_count("pinned_pages"));
}

TEST_F(board, page_table_pages)
{
	uint64_t root = vm_info(self->vm).table_pages;

	EXPECT_LT(0, root);
	ASSERT_EQ(0, add_region(self->vm, 0, self->memory, PAGE, RAM));
	EXPECT_LT(root, vm_info(self->vm).table_pages);
	EXPECT_GE(root + 3, vm_info(self->vm).table_pages);
}

/* Memory that is the module's own: the run page of a vCPU as RAM of the guest. */
TEST_F(board, region_of_a_run_page)
{
	int vcpu = must(create_vcpu(self->vm, 0));
	struct qvm_run *run = map_run(vcpu);
	int ret = add_region(self->vm, 0, run, PAGE, RAM);

	EXPECT_TRUE(ret == 0 || ret == -EFAULT);
	munmap(run, PAGE);
	close(vcpu);
}

/* ---- vdevs ---- */

TEST_F(board, unknown_vdev)
{
	uint32_t type;

	for (type = 0; type < 64; type++)
		if (type != GIC && type != TIMER)
			EXPECT_EQ(-ENOENT, create_vdev(self->vm, type, 0, 0, 0));
	EXPECT_EQ(-ENOENT, create_vdev(self->vm, -1, 0, 0, 0));
}

TEST_F(board, gic_parameters)
{
	uint64_t top = 1ULL << 40, lines;

	EXPECT_EQ(-EINVAL, create_vdev(self->vm, GIC, GICD_GPA + PAGE, GICR_GPA, 64));
	EXPECT_EQ(-EINVAL, create_vdev(self->vm, GIC, GICD_GPA, GICR_GPA + PAGE, 64));
	for (lines = 0; lines < 1100; lines++) {
		bool good = (lines >= 64 && lines < 1020 && lines % 32 == 0) || lines == 1020;

		if (!good)
			EXPECT_EQ(-EINVAL, create_vdev(self->vm, GIC, GICD_GPA, GICR_GPA, lines));
	}
	EXPECT_EQ(-EINVAL, create_vdev(self->vm, GIC, GICD_GPA, GICR_GPA, 1ULL << 32 | 64));
	EXPECT_EQ(-ERANGE, create_vdev(self->vm, GIC, top, GICR_GPA, 64));
	EXPECT_EQ(-ERANGE, create_vdev(self->vm, GIC, GICD_GPA, top - 0x20000, 64));	/* room for one */
	EXPECT_EQ(-ERANGE, create_vdev(self->vm, GIC, -0x10000ULL, GICR_GPA, 64));
	EXPECT_EQ(-ERANGE, create_vdev(self->vm, GIC, GICD_GPA, -0x10000ULL, 64));
	EXPECT_EQ(-EEXIST, create_vdev(self->vm, GIC, GICD_GPA, GICD_GPA, 64));
	EXPECT_EQ(-EEXIST, create_vdev(self->vm, GIC, GICR_GPA + 0x30000, GICR_GPA, 64));
	EXPECT_EQ(0, create_vdev(self->vm, GIC, GICD_GPA, top - 0x40000, 64));
	EXPECT_EQ(-EEXIST, create_vdev(self->vm, GIC, 0x10000, 0x20000, 64));	/* once */
}

TEST_F(board, timer_parameters)
{
	EXPECT_EQ(-EINVAL, create_vdev(self->vm, TIMER, 15, 30, 0));
	EXPECT_EQ(-EINVAL, create_vdev(self->vm, TIMER, 32, 30, 0));
	EXPECT_EQ(-EINVAL, create_vdev(self->vm, TIMER, 27, 15, 0));
	EXPECT_EQ(-EINVAL, create_vdev(self->vm, TIMER, 27, 32, 0));
	EXPECT_EQ(-EINVAL, create_vdev(self->vm, TIMER, 27, 27, 0));
	EXPECT_EQ(-EINVAL, create_vdev(self->vm, TIMER, 0, 0, 0));
	EXPECT_EQ(-EINVAL, create_vdev(self->vm, TIMER, 1ULL << 32 | 27, 30, 0));
	EXPECT_EQ(0, create_vdev(self->vm, TIMER, 16, 31, 0));
	EXPECT_EQ(-EEXIST, create_vdev(self->vm, TIMER, 27, 30, 0));
}

TEST_F(board, region_then_vdev)
{
	ASSERT_EQ(0, add_region(self->vm, GICD_GPA + 0xf000, self->memory, PAGE, RAM));
	EXPECT_EQ(-EEXIST, create_vdev(self->vm, GIC, GICD_GPA, GICR_GPA, 64));
	/* the last page of the second redistributor */
	ASSERT_EQ(0, add_region(self->vm, GICR_GPA + 0x3f000, self->memory, PAGE, ROM));
	EXPECT_EQ(-EEXIST, create_vdev(self->vm, GIC, 0x10000, GICR_GPA, 64));
	EXPECT_EQ(0, create_vdev(self->vm, GIC, GICD_GPA - 0x10000, GICR_GPA + 0x40000, 64));
}

TEST_F(board, vdev_then_region)
{
	char *p = self->memory;

	ASSERT_EQ(0, create_vdev(self->vm, GIC, GICD_GPA, GICR_GPA, 64));
	EXPECT_EQ(-EEXIST, add_region(self->vm, GICD_GPA, p, PAGE, RAM));
	EXPECT_EQ(-EEXIST, add_region(self->vm, GICD_GPA + 0xf000, p, PAGE, RAM));
	EXPECT_EQ(-EEXIST, add_region(self->vm, GICD_GPA - PAGE, p, 2 * PAGE, RAM));
	EXPECT_EQ(-EEXIST, add_region(self->vm, GICR_GPA + 0x3f000, p, PAGE, ROM));
	EXPECT_EQ(-EEXIST, add_region(self->vm, GICD_GPA - MIB, p, 4 * MIB, RAM));
	EXPECT_EQ(0, add_region(self->vm, GICD_GPA - PAGE, p, PAGE, RAM));
	EXPECT_EQ(0, add_region(self->vm, GICD_GPA + 0x10000, p, PAGE, RAM));
	EXPECT_EQ(0, add_region(self->vm, GICR_GPA + 0x40000, p, PAGE, RAM));
}

/* ---- vCPUs, assembly ---- */

TEST_F(board, vcpu_index)
{
	int vcpu;

	EXPECT_EQ(-EINVAL, create_vcpu(self->vm, 2));
	EXPECT_EQ(-EINVAL, create_vcpu(self->vm, QVM_MAX_VCPUS));
	EXPECT_EQ(-EINVAL, create_vcpu(self->vm, -1));
	vcpu = create_vcpu(self->vm, 1);
	EXPECT_LE(0, vcpu);
	EXPECT_EQ(-EEXIST, create_vcpu(self->vm, 1));
	close(vcpu);
	EXPECT_EQ(-EEXIST, create_vcpu(self->vm, 1));		/* it is part of the machine */
	EXPECT_EQ(1, vm_info(self->vm).vcpu_count);
	EXPECT_LE(0, create_vcpu(self->vm, 0));
	EXPECT_EQ(2, vm_info(self->vm).vcpu_count);
	EXPECT_EQ(2, module_count("vcpu_count"));
}

TEST_F(board, assembly_needs)
{
	EXPECT_EQ(-EINVAL, call(self->vm, QVM_VM_ASSEMBLE, NULL));	/* a vCPU */
	must(create_vcpu(self->vm, 0));
	must(create_vdev(self->vm, TIMER, 27, 30, 0));
	EXPECT_EQ(-EINVAL, call(self->vm, QVM_VM_ASSEMBLE, NULL));	/* a GIC for the timer */
	EXPECT_EQ(QVM_VM_BUILDING, vm_info(self->vm).state);
	must(create_vdev(self->vm, GIC, GICD_GPA, GICR_GPA, 64));
	EXPECT_EQ(0, call(self->vm, QVM_VM_ASSEMBLE, NULL));
	EXPECT_EQ(-EBUSY, call(self->vm, QVM_VM_ASSEMBLE, NULL));
}

TEST_F(board, irq_lines)
{
	struct machine bare;

	EXPECT_EQ(-EAGAIN, set_irq(self->vm, SPI, 1));
	must(create_vcpu(self->vm, 0));
	must(create_vdev(self->vm, GIC, GICD_GPA, GICR_GPA, 96));
	must(call(self->vm, QVM_VM_ASSEMBLE, NULL));
	EXPECT_EQ(0, set_irq(self->vm, 32, 1));
	EXPECT_EQ(0, set_irq(self->vm, 95, 1));
	EXPECT_EQ(0, set_irq(self->vm, 95, 0));
	EXPECT_EQ(-ENXIO, set_irq(self->vm, 96, 1));
	EXPECT_EQ(-ENXIO, set_irq(self->vm, 31, 1));
	EXPECT_EQ(-ENXIO, set_irq(self->vm, 0, 1));
	EXPECT_EQ(-ENXIO, set_irq(self->vm, -1, 1));
	EXPECT_EQ(-EINVAL, set_irq(self->vm, 32, 2));
	EXPECT_EQ(-EINVAL, set_irq(self->vm, 32, -1));
	must(call(self->vm, QVM_VM_END, NULL));
	EXPECT_EQ(-ESHUTDOWN, set_irq(self->vm, 32, 1));

	machine_start(&bare, &guest_off, 1);
	EXPECT_EQ(-ENXIO, set_irq(bare.vm, SPI, 1));
}

/* ---- QVM_VM_INFO ---- */

TEST_F(board, info)
{
	struct qvm_vm_info info;
	struct machine m;

	machine_build(&m, &guest_off, 2);
	info = vm_info(m.vm);
	EXPECT_EQ(QVM_VM_BUILDING, info.state);
	EXPECT_EQ(2, info.vcpu_count);
	EXPECT_EQ(1, info.region_count);
	EXPECT_EQ(RAM_SIZE, info.pinned);
	EXPECT_EQ(0, info.cleaned);
	EXPECT_EQ(0, info.end_reason);
	machine_assemble(&m);
	info = vm_info(m.vm);
	EXPECT_EQ(QVM_VM_ASSEMBLED, info.state);
	/* with FEAT_S2FWB, which user space is not told of, nothing has to be */
	EXPECT_EQ(getenv("QVM_FWB") ? 0 : RAM_SIZE, info.cleaned);
	EXPECT_EQ(QVM_EXIT_SYSTEM, run_vcpu(&m, 0));
	info = vm_info(m.vm);
	EXPECT_EQ(QVM_VM_ENDED, info.state);
	EXPECT_EQ(QVM_EXIT_SYSTEM, info.end_reason);
	EXPECT_EQ(QVM_SYSTEM_OFF, info.end_event);
	EXPECT_EQ(RAM_SIZE, info.pinned);
}

/* The policies' values: each of the three, all that there are. */
TEST_F(board, policy_values)
{
	uint32_t policy[4] = { 0 };
	unsigned int i, value;

	for (i = 0; i < 3; i++)
		for (value = 0; value < 8; value++) {
			policy[i] = value;
			EXPECT_EQ(value <= QVM_POLICY_ABORT ? 0 : -EINVAL,
				  call(self->vm, QVM_VM_SET_POLICY, policy));
			policy[i] = 0;
		}
	policy[1] = -1;
	EXPECT_EQ(-EINVAL, call(self->vm, QVM_VM_SET_POLICY, policy));
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
