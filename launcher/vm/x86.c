// SPDX-License-Identifier: GPL-2.0-only
#include "vm/x86.h"

#include <errno.h>
#include <string.h>

#include "boot/x86.h"
#include "dev/device.h"
#include "machine/machine.h"
#include "util/log.h"
#include "vm/sys.h"
#include "x86/qvm_reg.h"
#include "x86/qvm_vdev.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* ---- vdevs ---- */

static void fill_ioapic(struct qvm_create_vdev *vdev, const struct device_config *device)
{
	vdev->type = QVM_VDEV_X86_IOAPIC;
	vdev->param[QVM_IOAPIC_BASE] = device->gpa;
}

/* The slave and the ports for level or edge are as far from the master as in a PC. */
static void fill_pic(struct qvm_create_vdev *vdev, const struct device_config *device)
{
	vdev->type = QVM_VDEV_X86_PIC;
	vdev->param[QVM_PIC_MASTER] = device->gpa;
	vdev->param[QVM_PIC_SLAVE] = device->gpa + 0x80;
	vdev->param[QVM_PIC_ELCR] = 0x4d0;
}

static void fill_pit(struct qvm_create_vdev *vdev, const struct device_config *device)
{
	vdev->type = QVM_VDEV_X86_PIT;
	vdev->param[QVM_PIT_BASE] = device->gpa;
	vdev->param[QVM_PIT_CONTROL] = 0x61;
	vdev->param[QVM_PIT_PIC_LINE] = 0;
	vdev->param[QVM_PIT_IOAPIC_LINE] = 2;	/* as the MADT says */
}

/* In this order: the controllers before what drives their lines. */
static const struct {
	const char *name;
	void (*fill)(struct qvm_create_vdev *vdev, const struct device_config *device);
} vdevs[] = {
	{ "8259", fill_pic },
	{ "ioapic", fill_ioapic },
	{ "timer8254", fill_pit },
};

static int create_vdev(const struct device_config *device, size_t row, struct sys_vm *sys_vm)
{
	struct qvm_create_vdev vdev = { 0 };
	int error;

	vdevs[row].fill(&vdev, device);
	error = sys_create_vdev(sys_vm, &vdev);
	if (error)
		log_at(&device->origin, device->name, "the VM refuses it: %s", strerror(-error));
	return error;
}

int x86_create_vdevs(const struct machine *machine, struct sys_vm *sys_vm)
{
	int error = 0;

	for (size_t row = 0; row < COUNT(vdevs); row++)
		for (size_t i = 0; !error && i < machine->device_count; i++)
			if (!strcmp(machine->device[i].type->name, vdevs[row].name))
				error = create_vdev(&machine->device[i], row, sys_vm);
	return error;
}

/* ---- registers ---- */

enum { RAX = 0, RBX = 3, RSP = 4, RSI = 6 };
enum { ES, CS, SS, DS, FS, GS, LDTR, TR };

/* Access rights as in the VMCS (SDM vol. 3, table 25-2): type, S, DPL, P, AVL, L, D/B, G. */
enum {
	RIGHTS_CODE64 = 0xa09b, RIGHTS_CODE32 = 0xc09b, RIGHTS_DATA32 = 0xc093, RIGHTS_CODE16 = 0x9b,
	RIGHTS_DATA16 = 0x93, RIGHTS_TSS = 0x8b,
};

#define CR0_PE		(1ULL << 0)
#define CR0_ET		(1ULL << 4)
#define CR0_NE		(1ULL << 5)
#define CR0_WP		(1ULL << 16)
#define CR0_PG		(1ULL << 31)
#define CR4_PAE		(1ULL << 5)
#define MSR_EFER	0xc0000080
#define EFER_LME	(1ULL << 8)
#define EFER_LMA	(1ULL << 10)
#define RFLAGS_FIXED	2
#define MULTIBOOT_MAGIC	0x2badb002
#define REAL_LIMIT	0xffff
#define REAL_END	0x100000	/* what a selector of real mode can reach, in paragraphs */

/* The first error is what counts; nothing is set after it. */
struct setter {
	struct sys_vcpu *vcpu;
	int error;
};

static void set(struct setter *s, uint64_t id, uint64_t value)
{
	if (!s->error)
		s->error = sys_set_reg(s->vcpu, id, value);
}

static void set_segment(struct setter *s, unsigned int segment, uint64_t base, uint64_t attributes)
{
	if (!s->error)
		s->error = sys_set_reg_pair(s->vcpu, QVM_REG_SEG(segment), base, attributes);
}

/*
 * Code and data that reach all of the linear address space, and a TSS, which VMX wants. No protocol
 * promises a stack; kernels that push before they have one of their own find one all the same.
 */
static void set_flat(struct setter *s, unsigned int code_rights)
{
	set_segment(s, CS, 0, QVM_SEG_ATTR(X86_BOOT_CS, code_rights, UINT32_MAX));
	for (unsigned int i = 0; i <= GS; i++)
		if (i != CS)
			set_segment(s, i, 0, QVM_SEG_ATTR(X86_BOOT_DS, RIGHTS_DATA32, UINT32_MAX));
	set_segment(s, TR, 0, QVM_SEG_ATTR(0, RIGHTS_TSS, 0x67));
	set(s, QVM_REG_GPR(RSP), X86_BOOT_STACK);
	if (!s->error)
		s->error = sys_set_reg_pair(s->vcpu, QVM_REG_GDTR, X86_BOOT_GDT, X86_BOOT_GDT_SIZE - 1);
}

static void set_linux64(struct setter *s, const struct machine *machine)
{
	set_flat(s, RIGHTS_CODE64);
	set(s, QVM_REG_CR(3), X86_BOOT_PAGES);
	set(s, QVM_REG_CR(4), CR4_PAE);
	set(s, QVM_REG_MSR_ID(MSR_EFER), EFER_LME | EFER_LMA);
	set(s, QVM_REG_CR(0), CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE);
	set(s, QVM_REG_GPR(RSI), machine->x86.info);
}

static void set_linux32(struct setter *s, const struct machine *machine)
{
	set_flat(s, RIGHTS_CODE32);
	set(s, QVM_REG_CR(0), CR0_ET | CR0_PE);
	set(s, QVM_REG_GPR(RSI), machine->x86.info);
}

static void set_pvh(struct setter *s, const struct machine *machine)
{
	set_flat(s, RIGHTS_CODE32);
	set(s, QVM_REG_CR(0), CR0_ET | CR0_PE);
	set(s, QVM_REG_GPR(RBX), machine->x86.info);
}

static void set_multiboot(struct setter *s, const struct machine *machine)
{
	set_pvh(s, machine);
	set(s, QVM_REG_GPR(RAX), MULTIBOOT_MAGIC);
}

/* CS:IP is the entry: its paragraph and 0; beyond 1 MiB the base is what no selector could say. */
static void set_real(struct setter *s, const struct machine *machine)
{
	uint64_t base = machine->entry & ~0xfULL;
	uint64_t selector = base < REAL_END ? base >> 4 : 0xf000;

	if (machine->entry < 0x10000)		/* as firmware enters a boot sector: 0:7c00 */
		base = selector = 0;
	set_segment(s, CS, base, QVM_SEG_ATTR(selector, RIGHTS_CODE16, REAL_LIMIT));
	set(s, QVM_REG_RIP, machine->entry - base);
	set(s, QVM_REG_GPR(RSP), machine->entry < 0x10000 ? machine->entry : 0);
}

int x86_set_entry(const struct machine *machine, struct sys_vcpu *vcpu)
{
	static void (*const starts[])(struct setter *s, const struct machine *machine) = {
		[X86_START_REAL] = set_real,
		[X86_START_LINUX64] = set_linux64,
		[X86_START_LINUX32] = set_linux32,
		[X86_START_PVH] = set_pvh,
		[X86_START_MULTIBOOT] = set_multiboot,
	};
	struct setter s = { vcpu, 0 };

	set(&s, QVM_REG_RIP, machine->entry);
	set(&s, QVM_REG_RFLAGS, RFLAGS_FIXED);
	starts[machine->x86.start](&s, machine);
	if (s.error)
		log_error("can't set the registers of vCPU 0: %s", strerror(-s.error));
	return s.error;
}
