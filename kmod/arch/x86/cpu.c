// SPDX-License-Identifier: GPL-2.0-only
/* The seam of arch.h on x86, above VMX. */
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "compat.h"
#include "emulate.h"
#include "x86.h"

#include <qvm_vdev.h>

int qvm_arch_init(void)
{
	x86_cpuid_init();
	return virt_init();
}

void qvm_arch_fini(void)
{
	virt_fini();
}

void qvm_arch_query(struct qvm_query *query)
{
	query->arch = QVM_ARCH_X86;
	query->ipa_bits = min_t(u32, x86_maxphyaddr(), 48);
	query->block_sizes = virt_block_sizes();
}

u64 qvm_arch_s2_block_sizes(void)
{
	return virt_block_sizes();
}

bool x86_rdmsr_safe(u32 index, u64 *value)
{
	return !qvm_rdmsr_safe(index, value);
}

/* ---- VM ---- */

int qvm_arch_vm_create(struct qvm_vm *vm)
{
	vm->arch.tsc_offset = -rdtsc();
	vm->arch.tsc_lost = x86_tsc_lost;
	vlapic_vm_init(vm);
	return virt_vm_create(vm);
}

void qvm_arch_vm_destroy(struct qvm_vm *vm)
{
	vpit_destroy(vm);
	vpic_destroy(vm);
	vioapic_destroy(vm);
	virt_vm_destroy(vm);
}

int qvm_arch_vm_create_vdev(struct qvm_vm *vm, const struct qvm_create_vdev *param)
{
	static const u8 used[] = {
		[QVM_VDEV_X86_IOAPIC] = 3, [QVM_VDEV_X86_PIC] = 3, [QVM_VDEV_X86_PIT] = 4,
	};
	const u64 *p = param->param;

	if (!param->type || param->type >= ARRAY_SIZE(used))
		return -ENOENT;
	if (memchr_inv(p + used[param->type], 0,
		       sizeof(param->param) - used[param->type] * sizeof(*p)))
		return -EINVAL;
	switch (param->type) {
	case QVM_VDEV_X86_IOAPIC:
		return vioapic_create(vm, p[QVM_IOAPIC_BASE], p[QVM_IOAPIC_ID],
				      p[QVM_IOAPIC_GSI_BASE]);
	case QVM_VDEV_X86_PIC:
		return vpic_create(vm, p[QVM_PIC_MASTER], p[QVM_PIC_SLAVE], p[QVM_PIC_ELCR]);
	default:
		return vpit_create(vm, p[QVM_PIT_BASE], p[QVM_PIT_CONTROL], p[QVM_PIT_PIC_LINE],
				   p[QVM_PIT_IOAPIC_LINE]);
	}
}

int qvm_arch_vm_assemble(struct qvm_vm *vm)
{
	return virt_vm_assemble(vm);	/* caches are coherent with a guest whatever it has in CR0.CD */
}

int qvm_arch_vm_set_irq(struct qvm_vm *vm, u32 line, bool level)
{
	return x86_set_gsi(vm, line, level);
}

int qvm_arch_vm_set_resample(struct qvm_vm *vm, u32 line, bool on)
{
	return x86_set_resample(vm, line, on);
}

/* ---- vCPU ---- */

/* One page holds x87, SSE, AVX and AVX-512 (2,688 bytes at most) in the standard format. */
#define XSAVE_SIZE	PAGE_SIZE

int qvm_arch_vcpu_create(struct qvm_vcpu *vcpu)
{
	int ret;

	vcpu->arch.xsave = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vcpu->arch.xsave)
		return -ENOMEM;
	ret = x86_emulate_create(vcpu);
	if (!ret)
		ret = virt_vcpu_create(vcpu);
	if (!ret)
		ret = vlapic_create(vcpu);
	if (ret)
		return ret;
	x86_msr_power_on(vcpu);
	x86_vcpu_reset(vcpu);
	return 0;
}

void qvm_arch_vcpu_destroy(struct qvm_vcpu *vcpu)
{
	vlapic_destroy(vcpu);
	virt_vcpu_destroy(vcpu);
	x86_emulate_destroy(vcpu);
	free_page((unsigned long)vcpu->arch.xsave);
}

static bool event_take(struct qvm_vcpu *vcpu, enum x86_event event)
{
	return atomic_long_fetch_andnot(BIT(event), &vcpu->arch.events) & BIT(event);
}

/*
 * HLT ends by an interrupt only while RFLAGS.IF lets it in, by an NMI unless it is amid another
 * (SDM vol. 3 6.7.1), by INIT always.
 */
bool qvm_arch_vcpu_runnable(struct qvm_vcpu *vcpu)
{
	if (x86_event_is_set(vcpu, EVENT_INIT) || (x86_nmi_is_pending(vcpu) && !vcpu->arch.halted_in_nmi))
		return true;
	if (!(x86_get_rflags(vcpu) & X86_EFLAGS_IF))
		return false;
	return vlapic_has_pending(vcpu) ||
	       (!vcpu->index && vpic_has_pending(vcpu->vm) && vlapic_accepts_extint(vcpu));
}

/* Nothing but these ends a HLT (SDM vol. 2, HLT): a guest may have no loop around it. */
bool qvm_arch_vcpu_waits(struct qvm_vcpu *vcpu)
{
	if (vcpu->arch.halted)
		vcpu->arch.halted = !qvm_arch_vcpu_runnable(vcpu);
	return vcpu->arch.halted;
}

void qvm_arch_vcpu_block(struct qvm_vcpu *vcpu)
{
	vlapic_block(vcpu);
}

void qvm_arch_vcpu_unblock(struct qvm_vcpu *vcpu)
{
	vlapic_unblock(vcpu);
}

void qvm_arch_vcpu_park(struct qvm_vcpu *vcpu)
{
	qvm_arch_vcpu_put(vcpu);
}

void qvm_arch_vcpu_poll(struct qvm_vcpu *vcpu)
{
	vlapic_block(vcpu);
}

void qvm_arch_vcpu_unpoll(struct qvm_vcpu *vcpu)
{
	vlapic_unblock(vcpu);
}

/*
 * INIT: wait for SIPI, the bootstrap processor starts at the reset vector (SDM vol. 3 8.4). A SIPI
 * that came before the INIT was seen here is not lost.
 */
bool x86_power_events(struct qvm_vcpu *vcpu)
{
	if (!x86_event_is_set(vcpu, EVENT_INIT))
		return false;
	vlapic_reset(vcpu);
	x86_vcpu_reset(vcpu);
	atomic_long_andnot(EVENT_NMIS, &vcpu->arch.events);
	if (!vcpu->index) {
		event_take(vcpu, EVENT_INIT);
		return true;
	}
	/* In this order: a SIPI finds INIT pending and leaves EVENT_SIPI, or finds the vCPU off. */
	atomic_set(&vcpu->power, VCPU_OFF);
	event_take(vcpu, EVENT_INIT);
	if (event_take(vcpu, EVENT_SIPI))
		atomic_cmpxchg(&vcpu->power, VCPU_OFF, VCPU_ON_PENDING);
	return true;
}

void qvm_arch_vcpu_power_on(struct qvm_vcpu *vcpu)
{
	event_take(vcpu, EVENT_INIT);
	event_take(vcpu, EVENT_SIPI);
	/* One that came meanwhile found nobody: there is no handler yet. */
	atomic_long_andnot(EVENT_NMIS, &vcpu->arch.events);
	x86_vcpu_sipi(vcpu, vcpu->arch.sipi_vector);
}
