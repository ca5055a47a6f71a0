// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual CPU interface of an nVHE host: ICH_*_EL2 are out of reach, so what vgic_v3.c writes
 * into registers goes into struct arm64_nvhe, and el2.S moves it at the next entry and exit.
 */
#include <linux/bitfield.h>
#include <linux/io.h>

#include "arm64.h"
#include "nvhe.h"
#include "vgic_state.h"
#include "vgic_v3.h"

static struct arm64_nvhe *cpu_to_nvhe(struct vgic_cpu *cpu)
{
	return &container_of(cpu, struct vgic_vcpu, cpu)->vcpu->arch.nvhe;
}

static void nvhe_load(struct vgic_cpu *cpu)
{
	struct arm64_nvhe *nvhe = cpu_to_nvhe(cpu);
	unsigned int i;

	nvhe->ich_hcr = 0;
	nvhe->lr_used = 0;
	nvhe->ich_vmcr = cpu->vmcr;
	for (i = 0; i < ARRAY_SIZE(nvhe->ap0r); i++) {
		nvhe->ap0r[i] = cpu->ap0r[i];
		nvhe->ap1r[i] = cpu->ap1r[i];
	}
	arm64_nvhe_call(EL2_GIC_LOAD, virt_to_phys(nvhe), 0);
}

static void nvhe_put(struct vgic_cpu *cpu)
{
	struct arm64_nvhe *nvhe = cpu_to_nvhe(cpu);
	unsigned int i;

	arm64_nvhe_call(EL2_GIC_PUT, virt_to_phys(nvhe), 0);
	cpu->vmcr = nvhe->ich_vmcr;
	for (i = 0; i < ARRAY_SIZE(nvhe->ap0r); i++) {
		cpu->ap0r[i] = nvhe->ap0r[i];
		cpu->ap1r[i] = nvhe->ap1r[i];
	}
	vgic_v3_set_limits(cpu);
}

static void nvhe_look(struct vgic_cpu *cpu)
{
	nvhe_put(cpu);
	nvhe_load(cpu);
}

static void nvhe_flush(struct vgic_cpu *cpu)
{
	struct arm64_nvhe *nvhe = cpu_to_nvhe(cpu);
	unsigned int i;

	for (i = 0; i < cpu->used; i++)
		nvhe->lr[i] = vgic_v3_lr_encode(&cpu->lr[i]);
	nvhe->lr_used = cpu->used;
	nvhe->ich_hcr = vgic_v3_hcr_encode(cpu);
}

/* EL2 has cleared the registers; also where the guest was not entered after all. */
static void nvhe_sync(struct vgic_cpu *cpu)
{
	struct arm64_nvhe *nvhe = cpu_to_nvhe(cpu);
	unsigned int i;

	cpu->unlisted = vgic_v3_unlisted(nvhe->ich_hcr, nvhe->ich_vmcr);
	for (i = 0; i < cpu->used; i++)
		cpu->lr[i].state = vgic_v3_lr_state(nvhe->lr[i]);
	nvhe->lr_used = 0;
	nvhe->ich_hcr = 0;
}

static u32 nvhe_groups(struct vgic_cpu *cpu)
{
	return cpu_to_nvhe(cpu)->ich_vmcr & VGIC_GROUPS;
}

struct vgic_cpuif vgic_nvhe_cpuif = {
	.load = nvhe_load,
	.put = nvhe_put,
	.look = nvhe_look,
	.flush = nvhe_flush,
	.sync = nvhe_sync,
	.groups = nvhe_groups,
	.deactivate = vgic_v3_deactivate,
};
