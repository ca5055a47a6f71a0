// SPDX-License-Identifier: GPL-2.0-only
/* This host: what it must have, what it gets enabled, CPU by CPU. */
#include <linux/cpu.h>
#include <linux/cpu_pm.h>
#include <linux/cpuhotplug.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <asm/cpufeature.h>
#include <asm/sysreg.h>
#include <asm/virt.h>

#include "arm64.h"
#include "compat.h"
#include "el2_regs.h"
#include "nvhe/nvhe.h"
#include "s2pte.h"
#include "traps.h"

#include <qvm_vdev.h>

struct arm64_cpu_features arm64_host;
DEFINE_PER_CPU(bool, qvm_arm64_enabled);

static unsigned int vmid_bits;
module_param(vmid_bits, uint, 0444);
MODULE_PARM_DESC(vmid_bits, "use only so many bits of VMID, if that does for the CPUs (test; default all)");

static bool tid2;
module_param(tid2, bool, 0444);
MODULE_PARM_DESC(tid2, "cache registers trap even if all cores have the same (test)");

static enum cpuhp_state hotplug_state;

#define CTR_L1IP_VPIPT		2	/* CTR_EL0.L1Ip */

#define FIELD4(reg, shift)	((read_sanitised_ftr_reg(reg) >> (shift)) & 15)

/*
 * Firmware may keep MPAM's registers to itself and then dies of who touches them: a kernel that knows of
 * MPAM has asked for them at boot, where an older one never does.
 */
static void probe_mpam(void)
{
	u64 id;

	if (!QVM_HOST_KNOWS_MPAM || !is_kernel_in_hyp_mode() ||
	    !(FIELD4(SYS_ID_AA64PFR0_EL1, 40) || FIELD4(SYS_ID_AA64PFR1_EL1, 16)))
		return;
	id = read_sysreg_s(EL1_MPAMIDR);
	arm64_host.has_mpamhcr = id & MPAMIDR_HAS_HCR;
	arm64_host.mpam_traps = MPAM2_TRAP_EL1 | (id & MPAMIDR_HAS_TIDR ? MPAM2_TIDR : 0);
}

static void probe_features(void)
{
	static const u8 pa_bits[] = { 32, 36, 40, 42, 44, 48 };
	u64 ctr = read_sanitised_ftr_reg(SYS_CTR_EL0);
	u64 range = FIELD4(SYS_ID_AA64MMFR0_EL1, 0);

	arm64_host.pa_bits = pa_bits[min_t(u64, range, ARRAY_SIZE(pa_bits) - 1)];
	/* Not sanitised by 6.1; a field that traps enabling would be the same on all CPUs. */
	arm64_host.has_hcx = (read_sysreg(id_aa64mmfr1_el1) >> 40) & 15;
	arm64_host.has_dit = FIELD4(SYS_ID_AA64PFR0_EL1, 48);
	arm64_host.has_ssbs = FIELD4(SYS_ID_AA64PFR1_EL1, 4) >= 2;
	arm64_host.has_ras = FIELD4(SYS_ID_AA64PFR0_EL1, 28);
	arm64_host.has_tco = FIELD4(SYS_ID_AA64PFR1_EL1, 8) >= 2;
	arm64_host.has_fgt = (read_sysreg(id_aa64mmfr0_el1) >> 56) & 15;
	arm64_host.has_fgt2 = QVM_HOST_KNOWS_FGT2 &&
			      ((read_sysreg(id_aa64mmfr0_el1) >> 56) & 15) >= 2;
	arm64_host.has_tpidr2 = !arm64_host.has_fgt && (read_sysreg(id_aa64pfr1_el1) >> 24) & 15;
	arm64_host.has_fwb = FIELD4(SYS_ID_AA64MMFR2_EL1, 40);
	arm64_host.idc = ctr & BIT(28);
	arm64_host.dic = ctr & BIT(29);
	arm64_host.unlike_caches = tid2 || cpus_have_cap(ARM64_MISMATCHED_CACHE_TYPE);
	probe_mpam();
	arm64_host.guest_hcr = arm64_guest_hcr();
}

/* A pCPU holds one at most, and there is none for VMID 0: so many that a new one is always free. */
static unsigned int probe_vmid_bits(void)
{
	unsigned int host = FIELD4(SYS_ID_AA64MMFR1_EL1, 4) == 2 ? 16 : 8;
	unsigned int least = max(2, order_base_2(num_possible_cpus() + 1));

	return min(max(vmid_bits ?: host, least), host);
}

static int check_host(void)
{
	if (!is_kernel_in_hyp_mode() && !FIELD4(SYS_ID_AA64PFR0_EL1, 8)) {
		pr_err("qvm: this CPU has no EL2\n");
		return -ENODEV;
	}
	if (PAGE_SIZE != SZ_4K) {
		pr_err("qvm: this kernel has %lu KiB pages; boot one with 4 KiB pages\n", PAGE_SIZE / 1024);
		return -EOPNOTSUPP;
	}
	if (system_uses_irq_prio_masking()) {
		pr_err("qvm: this kernel masks interrupts by priority; boot it without irqchip.gicv3_pseudo_nmi=1\n");
		return -EOPNOTSUPP;
	}
	if ((read_sanitised_ftr_reg(SYS_CTR_EL0) >> 14 & 3) == CTR_L1IP_VPIPT) {
		pr_err("qvm: instruction caches tagged by VMID (VPIPT) are not supported\n");
		return -EOPNOTSUPP;
	}
	if (!read_sysreg(cntfrq_el0)) {
		pr_err("qvm: firmware has not set CNTFRQ_EL0, which guests read\n");
		return -EOPNOTSUPP;
	}
	if (num_possible_cpus() + 1 > 1 << (FIELD4(SYS_ID_AA64MMFR1_EL1, 4) == 2 ? 16 : 8)) {
		pr_err("qvm: more CPUs than VMIDs\n");
		return -EOPNOTSUPP;
	}
	/* EL1 can't ask for more yet: arm64_nvhe_init() does. */
	if (!FIELD4(SYS_ID_AA64PFR0_EL1, 24) || (is_kernel_in_hyp_mode() && qvm_vgic_probe())) {
		pr_err("qvm: no GICv3 with a virtual CPU interface in system registers; GICv2 is not supported\n");
		return -ENODEV;
	}
	return 0;
}

/* At EL1 the timer may also be the tick of a kernel that was not entered at EL2. */
static void say_busy(void)
{
	pr_err("qvm: KVM holds EL2%s; boot with kvm-arm.mode=none on the kernel command line (GRUB: GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub; extlinux: the append line of extlinux.conf; Raspberry Pi: cmdline.txt)\n",
	       is_kernel_in_hyp_mode() ? "" : ", or firmware did not enter this kernel at EL2");
}

static int take_interrupts(void)
{
	int ret = arm64_vtimer_init();

	if (ret == -EBUSY)
		say_busy();
	else if (ret)
		pr_err("qvm: the virtual timer's or the GIC's maintenance interrupt was not found or could not be set up: %d\n",
		       ret);
	return ret;
}

static int take_el2(void)
{
	int ret = is_kernel_in_hyp_mode() ? 0 : arm64_nvhe_init();

	if (ret == -EBUSY)
		say_busy();
	else if (ret)
		pr_err("qvm: EL2 could not be taken from the kernel's stub, or has no GICv3: %d\n", ret);
	return ret;
}

static void give_back(void)
{
	if (arm64_is_nvhe())
		arm64_nvhe_fini();
	arm64_vtimer_fini();
}

/* On that pCPU, preemptible: its translations of guests are unknown (it may have been reset). */
static int cpu_up_callback(unsigned int cpu)
{
	unsigned long flags;
	int ret;

	preempt_disable();
	ret = arm64_errata_cpu_up();
	if (ret)
		goto out;
	arm64_mitig_cpu_up();
	arm64_trace_cpu_up();
	arm64_switch_cpu_up();
	local_irq_save(flags);
	if (arm64_is_nvhe())
		ret = arm64_nvhe_cpu_up();
	if (!ret)
		arm64_s2_flush_local_all();
	local_irq_restore(flags);
	if (ret)
		goto out;
	arm64_vtimer_cpu_up();
	__this_cpu_write(qvm_arm64_enabled, true);
out:
	preempt_enable();
	/* One that comes later may come, but no guest runs there. */
	return hotplug_state ? 0 : ret;
}

/* vCPU threads may still be here: load and entry look at the flag with preemption off. */
static int cpu_down_callback(unsigned int cpu)
{
	unsigned long flags;

	preempt_disable();
	if (__this_cpu_read(qvm_arm64_enabled)) {
		__this_cpu_write(qvm_arm64_enabled, false);
		arm64_unpark_cpu();
		arm64_vtimer_cpu_down();
		local_irq_save(flags);
		if (arm64_is_nvhe())
			arm64_nvhe_cpu_down();
		local_irq_restore(flags);
	}
	preempt_enable();
	return 0;
}

/* EL2 is the stub's again, should it come back with another in its place. */
static void cpu_sleeps(void)
{
	arm64_unpark_cpu();
	if (arm64_is_nvhe())
		arm64_nvhe_cpu_down();
}

static void cpu_wakes(void)
{
	if (!__this_cpu_read(qvm_arm64_enabled))
		return;
	if (arm64_is_nvhe() && arm64_nvhe_cpu_up())
		__this_cpu_write(qvm_arm64_enabled, false);
	else
		arm64_s2_flush_local_all();
	arm64_vtimer_cpu_wakes();
}

/*
 * A pCPU loses power (suspend, deep idle) and comes back, without going through hotplug. Idle and
 * the suspending thread have no vCPU loaded, and one that is parked goes: so nothing of ours is in
 * its registers; its TLBs may hold anything. The cluster's events are those of a suspend.
 */
static int cpu_pm_event(struct notifier_block *nb, unsigned long event, void *unused)
{
	switch (event) {
	case CPU_CLUSTER_PM_ENTER:
		arm64_vtimer_suspend();
		break;
	case CPU_CLUSTER_PM_EXIT:
		arm64_vtimer_resume();
		break;
	case CPU_PM_ENTER:
		cpu_sleeps();
		break;
	case CPU_PM_ENTER_FAILED:
	case CPU_PM_EXIT:
		cpu_wakes();
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block cpu_pm_notifier = { .notifier_call = cpu_pm_event };

int qvm_arch_init(void)
{
	int ret = check_host();

	if (ret)
		return ret;
	probe_features();
	arm64_s2_probe(probe_vmid_bits());
	ret = take_interrupts();
	if (ret)
		return ret;
	ret = take_el2();
	if (ret) {
		arm64_vtimer_fini();
		return ret;
	}
	/* First: a pCPU that sleeps at once is to be told of it. Until it is taken nothing is done there. */
	cpu_pm_register_notifier(&cpu_pm_notifier);
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "qvm:online", cpu_up_callback,
				cpu_down_callback);
	if (ret < 0) {
		cpu_pm_unregister_notifier(&cpu_pm_notifier);
		if (ret != -ENODEV)	/* else the CPU's erratum was named */
			pr_err("qvm: no CPU hotplug state is free, or EL2 of a CPU is: %d\n", ret);
		give_back();
		return ret;
	}
	hotplug_state = ret;
	arm64_ack_probe();
	pr_info("qvm: EL2 by %s, %u-bit physical addresses, %u-bit VMIDs%s\n",
		arm64_is_nvhe() ? "the stub" : "VHE", arm64_host.pa_bits, probe_vmid_bits(),
		arm64_host.has_fwb ? ", guests always cached" : "");
	return 0;
}

void qvm_arch_fini(void)
{
	cpu_pm_unregister_notifier(&cpu_pm_notifier);
	cpuhp_remove_state(hotplug_state);
	give_back();
}

void qvm_arch_query(struct qvm_query *query)
{
	query->arch = QVM_ARCH_ARM64;
	query->ipa_bits = arm64_host.pa_bits;
	query->block_sizes = qvm_arch_s2_block_sizes();
}

int qvm_arch_vm_create_vdev(struct qvm_vm *vm, const struct qvm_create_vdev *param)
{
	const u64 *p = param->param;
	unsigned int used = param->type == QVM_VDEV_ARM64_GICV3 ? 3 : 2;

	if (param->type != QVM_VDEV_ARM64_GICV3 && param->type != QVM_VDEV_ARM64_TIMER)
		return -ENOENT;
	if (memchr_inv(p + used, 0, sizeof(param->param) - used * sizeof(*p)))
		return -EINVAL;
	if (param->type == QVM_VDEV_ARM64_GICV3)
		return qvm_vgic_create(vm, p[QVM_GICV3_GICD], p[QVM_GICV3_GICR], p[QVM_GICV3_LINES]);
	if (p[0] < 16 || p[0] > 31 || p[1] < 16 || p[1] > 31 || p[0] == p[1])
		return -EINVAL;
	if (vm->arch.timer_intid[0])
		return -EEXIST;
	vm->arch.timer_intid[QVM_TIMER_VIRT] = p[QVM_TIMER_VIRT];
	vm->arch.timer_intid[QVM_TIMER_PHYS] = p[QVM_TIMER_PHYS];
	return 0;
}

int qvm_arch_vm_assemble(struct qvm_vm *vm)
{
	u32 i;
	int ret;

	if (vm->arch.timer_intid[0] && !vm->arch.vgic)
		return -EINVAL;
	if (vm->arch.vgic) {
		ret = qvm_vgic_assemble(vm);
		if (ret)
			return ret;
		arm64_idreg_set_gic(vm);
	}
	for (i = 0; i < vm->max_vcpus; i++) {
		ret = vm->vcpu[i] ? arm64_vtimer_assemble(vm->vcpu[i]) : 0;
		if (ret)
			return ret;
	}
	down_read(&vm->s2_lock);
	qvm_arch_s2_clean_all(vm);
	up_read(&vm->s2_lock);
	return 0;
}

int qvm_arch_vm_set_irq(struct qvm_vm *vm, u32 line, bool level)
{
	if (!vm->arch.vgic || line < 32)
		return -ENXIO;
	return qvm_vgic_set_irq(vm, NULL, line, level);
}

int qvm_arch_vm_set_resample(struct qvm_vm *vm, u32 line, bool on)
{
	return qvm_vgic_set_resample(vm, line, on);
}

/* Affinity as most boards have it: sixteen to a cluster (a GICv3 SGI reaches sixteen at once). */
static u64 mpidr(u32 index)
{
	return BIT_ULL(31) | (u64)(index / 16) << 8 | index % 16;
}

int qvm_arch_vcpu_create(struct qvm_vcpu *vcpu)
{
	vcpu->arch.midr = read_sysreg(midr_el1);
	vcpu->arch.mpidr = mpidr(vcpu->index);
	arm64_vtimer_vcpu_init(vcpu);
	arm64_vcpu_reset(vcpu, 0, 0);
	return arm64_is_nvhe() ? arm64_nvhe_vcpu_create(vcpu) : 0;
}

/* Also after a creation that failed before the timers were set up: they are the first to be. */
void qvm_arch_vcpu_destroy(struct qvm_vcpu *vcpu)
{
	arm64_unpark(vcpu);
	if (vcpu->arch.mpidr)
		arm64_vtimer_vcpu_fini(vcpu);
	if (arm64_is_nvhe())
		arm64_nvhe_vcpu_destroy(vcpu);
}

bool qvm_arch_vcpu_runnable(struct qvm_vcpu *vcpu)
{
	return vcpu->arch.vgic && qvm_vgic_has_pending(vcpu);
}

/* A WFI may end for any reason (Arm ARM DDI 0487, D1.6, Wait for Interrupt mechanism). */
bool qvm_arch_vcpu_waits(struct qvm_vcpu *vcpu)
{
	return false;
}

void qvm_arch_vcpu_block(struct qvm_vcpu *vcpu)
{
	arm64_vtimer_block(vcpu);
}

void qvm_arch_vcpu_unblock(struct qvm_vcpu *vcpu)
{
	arm64_vtimer_unblock(vcpu);
}

/* The timer is in the hardware, whose interrupt the host takes. */
void qvm_arch_vcpu_poll(struct qvm_vcpu *vcpu)
{
	preempt_disable();
	if (vcpu->loaded)		/* else the last put did it */
		qvm_vgic_look(vcpu);
	preempt_enable();
}

void qvm_arch_vcpu_unpoll(struct qvm_vcpu *vcpu)
{
}
