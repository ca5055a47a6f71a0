// SPDX-License-Identifier: GPL-2.0-only
/*
 * The seam over /dev/kvm: what only x86 has. KVM's interrupt controllers and timer come all at
 * once and where a PC has them; a board that has less gets more than it asks for.
 */
#include "sys_kvm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "x86/qvm_reg.h"
#include "x86/qvm_vdev.h"

#define CPUID_MAX	128
#define TSS_ADDRESS	0xfffbd000ULL	/* three pages that VT-x needs where it can't do real mode */
#define IDENTITY_MAP	0xfffbc000ULL
#define IOAPIC_BASE	0xfec00000
#define IPA_BITS	36
#define CPUID1_TSC_DEADLINE	(1U << 24)

/* Got from KVM at the first use, given back before the next entry. */
struct kvm_cache {
	bool valid, dirty;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
};

const char sys_remedy[] = "modprobe kvm_intel";
const enum qvm_arch kvm_arch = QVM_ARCH_X86;

uint32_t kvm_arch_ipa_bits(struct sys *sys)
{
	(void)sys;
	return IPA_BITS;
}

unsigned long kvm_arch_vm_type(struct sys *sys, uint32_t ipa_bits)
{
	(void)sys;
	(void)ipa_bits;
	return 0;
}

/* ---- board ---- */

int kvm_arch_create_vm(struct sys_vm *vm)
{
	uint64_t identity = IDENTITY_MAP;
	int error = kvm_call_value(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDRESS);

	if (!error)
		error = kvm_call(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	return error ? error : kvm_call(vm->fd, KVM_CREATE_IRQCHIP, NULL);
}

void kvm_arch_destroy_vm(struct sys_vm *vm)
{
	(void)vm;
}

int sys_create_vdev(struct sys_vm *vm, const struct qvm_create_vdev *vdev)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

	switch (vdev->type) {
	case QVM_VDEV_X86_IOAPIC:
		return vdev->param[QVM_IOAPIC_BASE] == IOAPIC_BASE ? 0 : -EINVAL;
	case QVM_VDEV_X86_PIC:
		return vdev->param[QVM_PIC_MASTER] == 0x20 ? 0 : -EINVAL;
	case QVM_VDEV_X86_PIT:
		return vdev->param[QVM_PIT_BASE] == 0x40 ? kvm_call(vm->fd, KVM_CREATE_PIT2, &pit) :
		       -EINVAL;
	default:
		return -ENOENT;
	}
}

int kvm_arch_assemble(struct sys_vm *vm)
{
	(void)vm;
	return 0;
}

uint32_t kvm_arch_gsi(uint32_t line)
{
	return line;
}

struct kvm_irq_level kvm_arch_line(uint32_t line, bool level)
{
	return (struct kvm_irq_level){ .irq = line, .level = level };
}

/* ---- vCPU ---- */

/*
 * What KVM supports, with the numbers that differ between vCPUs. Of the TSC deadline it leaves to
 * its user to say that the LAPIC in the kernel has it.
 */
static int set_cpuid(struct sys_vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + CPUID_MAX * sizeof(cpuid->entries[0]));
	int error;

	if (!cpuid)
		return -ENOMEM;
	cpuid->nent = CPUID_MAX;
	error = kvm_call(vcpu->vm->sys->fd, KVM_GET_SUPPORTED_CPUID, cpuid);
	for (uint32_t i = 0; !error && i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *leaf = &cpuid->entries[i];

		if (leaf->function == 1) {
			leaf->ebx = (leaf->ebx & 0xffff) | vcpu->vm->vcpu_max << 16 |
				    vcpu->index << 24;
			leaf->ecx |= CPUID1_TSC_DEADLINE;
		}
		if (leaf->function == 0xb || leaf->function == 0x1f)
			leaf->edx = vcpu->index;
	}
	if (!error)
		error = kvm_call(vcpu->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return error;
}

int kvm_arch_create_vcpu(struct sys_vcpu *vcpu)
{
	int error = set_cpuid(vcpu);

	if (error)
		return error;
	vcpu->cache = calloc(1, sizeof(*vcpu->cache));
	return vcpu->cache ? 0 : -ENOMEM;
}

void kvm_arch_destroy_vcpu(struct sys_vcpu *vcpu)
{
	free(vcpu->cache);
}

/* Nothing but all ones: there is no fault to give. */
void kvm_arch_refuse(struct sys_vcpu *vcpu)
{
	memset(vcpu->kvm->mmio.data, 0xff, sizeof(vcpu->kvm->mmio.data));
}

/* ---- ports: one exit may be many accesses of a string instruction ---- */

static uint8_t *io_data(struct sys_vcpu *vcpu)
{
	struct kvm_run *kvm = vcpu->kvm;

	return (uint8_t *)kvm + kvm->io.data_offset + (size_t)vcpu->io_done * kvm->io.size;
}

static void start_io(struct sys_vcpu *vcpu)
{
	const struct kvm_run *kvm = vcpu->kvm;

	vcpu->run = (struct qvm_run){ .exit_reason = QVM_EXIT_PIO };
	vcpu->run.mmio.gpa = kvm->io.port;
	vcpu->run.mmio.len = kvm->io.size;
	vcpu->run.mmio.is_write = kvm->io.direction == KVM_EXIT_IO_OUT;
	if (vcpu->run.mmio.is_write)
		memcpy(vcpu->run.mmio.data, io_data(vcpu), kvm->io.size);
	vcpu->access_pending = true;
	vcpu->mmio_user++;
}

bool kvm_arch_complete(struct sys_vcpu *vcpu)
{
	const struct kvm_run *kvm = vcpu->kvm;

	if (!vcpu->run.mmio.is_write)
		memcpy(io_data(vcpu), vcpu->run.mmio.data, kvm->io.size);
	if (++vcpu->io_done == kvm->io.count)
		return false;
	start_io(vcpu);
	return true;
}

bool kvm_arch_exit(struct sys_vcpu *vcpu)
{
	vcpu->cache->valid = false;
	switch (vcpu->kvm->exit_reason) {
	case KVM_EXIT_IO:
		vcpu->io_done = 0;
		start_io(vcpu);
		return true;
	case KVM_EXIT_SHUTDOWN:		/* triple fault */
		kvm_vm_end_system(vcpu, QVM_SYSTEM_RESET);
		return true;
	case KVM_EXIT_INTERNAL_ERROR:
		kvm_vm_end_fatal(vcpu, QVM_FATAL_EXIT, vcpu->kvm->internal.suberror);
		return true;
	default:
		return false;
	}
}

/* ---- registers ---- */

static int fetch(struct sys_vcpu *vcpu)
{
	struct kvm_cache *cache = vcpu->cache;
	int error;

	if (cache->valid)
		return 0;
	error = kvm_call(vcpu->fd, KVM_GET_REGS, &cache->regs);
	if (!error)
		error = kvm_call(vcpu->fd, KVM_GET_SREGS, &cache->sregs);
	cache->valid = !error;
	return error;
}

int kvm_arch_flush(struct sys_vcpu *vcpu)
{
	struct kvm_cache *cache = vcpu->cache;
	int error = 0;

	if (cache->dirty) {
		cache->dirty = false;
		error = kvm_call(vcpu->fd, KVM_SET_SREGS, &cache->sregs);
		if (!error)
			error = kvm_call(vcpu->fd, KVM_SET_REGS, &cache->regs);
	}
	cache->valid = false;
	return error;
}

uint64_t kvm_arch_pc(struct sys_vcpu *vcpu)
{
	vcpu->cache->valid = false;
	return fetch(vcpu) ? 0 : vcpu->cache->regs.rip;
}

/* Where a register of 64 bits is in the cache, or NULL. */
static uint64_t *find_reg(struct kvm_cache *cache, uint64_t id)
{
	struct kvm_regs *r = &cache->regs;
	struct kvm_sregs *s = &cache->sregs;
	/* __u64 is not uint64_t, but as large */
	__u64 *const gprs[] = {
		&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi, &r->rdi, &r->r8, &r->r9,
		&r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15, &r->rip, &r->rflags,
	};

	if (id >= QVM_REG_GPR(0) && id <= QVM_REG_RFLAGS)
		return (uint64_t *)gprs[id - QVM_REG_GPR(0)];
	switch (id) {
	case QVM_REG_CR(0): return (uint64_t *)&s->cr0;
	case QVM_REG_CR(2): return (uint64_t *)&s->cr2;
	case QVM_REG_CR(3): return (uint64_t *)&s->cr3;
	case QVM_REG_CR(4): return (uint64_t *)&s->cr4;
	case QVM_REG_CR(8): return (uint64_t *)&s->cr8;
	case QVM_REG_MSR_ID(0xc0000080): return (uint64_t *)&s->efer;
	default: return NULL;
	}
}

int sys_get_reg(struct sys_vcpu *vcpu, uint64_t id, uint64_t *value)
{
	int error = fetch(vcpu);
	const uint64_t *reg = find_reg(vcpu->cache, id);

	if (error || !reg)
		return error ? error : -ENOENT;
	*value = *reg;
	return 0;
}

int sys_set_reg(struct sys_vcpu *vcpu, uint64_t id, uint64_t value)
{
	int error = fetch(vcpu);
	uint64_t *reg = find_reg(vcpu->cache, id);

	if (error || !reg)
		return error ? error : -ENOENT;
	*reg = value;
	vcpu->cache->dirty = true;
	return 0;
}

static void set_segment(struct kvm_segment *seg, uint64_t base, uint64_t attributes)
{
	uint32_t rights = (uint32_t)(attributes >> 16) & 0xffff;

	*seg = (struct kvm_segment){
		.base = base,
		.limit = (uint32_t)(attributes >> 32),
		.selector = (uint16_t)attributes,
		.type = rights & 15,
		.s = rights >> 4 & 1,
		.dpl = rights >> 5 & 3,
		.present = rights >> 7 & 1,
		.avl = rights >> 12 & 1,
		.l = rights >> 13 & 1,
		.db = rights >> 14 & 1,
		.g = rights >> 15 & 1,
		.unusable = (rights & QVM_SEG_UNUSABLE) != 0,
	};
}

int sys_set_reg_pair(struct sys_vcpu *vcpu, uint64_t id, uint64_t low, uint64_t high)
{
	struct kvm_sregs *s = &vcpu->cache->sregs;
	struct kvm_segment *const segments[] = {
		&s->es, &s->cs, &s->ss, &s->ds, &s->fs, &s->gs, &s->ldt, &s->tr,
	};
	int error = fetch(vcpu);

	if (error)
		return error;
	if (id == QVM_REG_GDTR || id == QVM_REG_IDTR) {
		struct kvm_dtable *table = id == QVM_REG_GDTR ? &s->gdt : &s->idt;

		table->base = low;
		table->limit = (uint16_t)high;
	} else if (id >= QVM_REG_SEG(0) && id <= QVM_REG_SEG(7)) {
		set_segment(segments[id - QVM_REG_SEG(0)], low, high);
	} else {
		return high ? -ENOENT : sys_set_reg(vcpu, id, low);
	}
	vcpu->cache->dirty = true;
	return 0;
}
