// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events into the guest (SDM vol. 3 24.8.3, 26.6): what an exit interrupted comes first, then
 * exceptions, NMI, interrupts; what can't go in yet opens a window.
 */
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "due.h"
#include "vmcs.h"

#define INFO_ERROR		BIT(11)
#define INFO_VECTOR		GENMASK(7, 0)
#define INFO_TYPE		GENMASK(10, 8)
#define TYPE_EXT		(0 << 8)
#define TYPE_NMI		(2 << 8)
#define TYPE_HARD_EXC		(3 << 8)
#define TYPE_SOFT_INT		(4 << 8)
#define TYPE_PRIV_EXC		(5 << 8)
#define TYPE_SOFT_EXC		(6 << 8)

#define SHADOWS	(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)

static bool is_contributory(unsigned int vector)
{
	return vector == 0 || (vector >= 10 && vector <= 13);
}

/* What restarts its instruction (table 6-1). Not #DB, which may be either: then RF is its handler's. */
static bool is_fault(unsigned int vector)
{
	return vector != X86_XCPT_DB && vector != X86_XCPT_DF && vector != 3 && vector != 4 &&
	       vector != 18;
}

/* SDM vol. 3 table 6-5: an exception while another is delivered. */
static bool makes_double_fault(unsigned int first, unsigned int second)
{
	if (is_contributory(first))
		return is_contributory(second);
	return first == X86_XCPT_PF && (is_contributory(second) || second == X86_XCPT_PF);
}

void x86_inject_exception(struct qvm_vcpu *vcpu, unsigned int vector, int error)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	u32 old = vmx->inject.info;

	vcpu->stats.undefined += vector == X86_XCPT_UD;
	if (old & VMX_INFO_VALID && (old & INFO_TYPE) == TYPE_HARD_EXC) {
		if ((old & INFO_VECTOR) == X86_XCPT_DF) {
			qvm_vm_end_system(vcpu->vm, vcpu, QVM_SYSTEM_RESET, 0);
			return;		/* triple fault */
		}
		if (makes_double_fault(old & INFO_VECTOR, vector)) {
			vector = X86_XCPT_DF;
			error = 0;
		}
	}
	vmx->inject.info = VMX_INFO_VALID | TYPE_HARD_EXC | vector;
	/* The image that a fault pushes has RF set (17.3.1.1), which an injected one takes from RFLAGS. */
	if (is_fault(vector))
		x86_set_rflags(vcpu, x86_get_rflags(vcpu) | X86_EFLAGS_RF);
	/* Real mode pushes no error code (26.2.1.3). */
	if (error >= 0 && vcpu->arch.cr0 & X86_CR0_PE)
		vmx->inject.info |= INFO_ERROR;
	vmx->inject.error = error;
}

void x86_inject_page_fault(struct qvm_vcpu *vcpu, u64 address, u32 error)
{
	vcpu->arch.regs.cr2 = address;
	x86_inject_exception(vcpu, X86_XCPT_PF, error);
}

static void window(struct vmx_vcpu *vmx, u32 control, bool open)
{
	u32 proc = open ? vmx->proc_now | control : vmx->proc_now & ~control;

	if (proc == vmx->proc_now)
		return;
	vmx->proc_now = proc;
	vmcs_write32(CPU_BASED_VM_EXEC_CONTROL, proc);
}

static void inject(struct vmx_vcpu *vmx, u32 info, u32 error, u32 length)
{
	vmcs_write32(VM_ENTRY_INTR_INFO_FIELD, info);
	if (info & INFO_ERROR)
		vmcs_write32(VM_ENTRY_EXCEPTION_ERROR_CODE, error);
	if ((info & INFO_TYPE) >= TYPE_SOFT_INT)
		vmcs_write32(VM_ENTRY_INSTRUCTION_LEN, length);
}

static int pending_vector(struct qvm_vcpu *vcpu)
{
	if (!vcpu->index && vpic_has_pending(vcpu->vm) && vlapic_accepts_extint(vcpu))
		return 256;
	return vmx_of(vcpu)->apicv ? -1 : vlapic_pending_vector(vcpu);
}

static u8 take_vector(struct qvm_vcpu *vcpu, int vector)
{
	if (vector == 256)
		return vpic_acknowledge(vcpu->vm);
	vlapic_take(vcpu, vector);
	return vector;
}

static bool interrupts_open(const struct vmx_state *state)
{
	return state->rflags & X86_EFLAGS_IF && !(state->interruptibility & SHADOWS);
}

/* The processor begins one of those that wait. */
static void take_nmi(struct qvm_vcpu *vcpu)
{
	if (!(atomic_long_fetch_andnot(BIT(EVENT_NMI_AGAIN), &vcpu->arch.events) &
	      BIT(EVENT_NMI_AGAIN)))
		atomic_long_andnot(BIT(EVENT_NMI), &vcpu->arch.events);
}

/* Before vmx_state_flush(): what is not in the state yet is read here. */
void vmx_events_flush(struct qvm_vcpu *vcpu)
{
	bool nmi = x86_nmi_is_pending(vcpu);
	int vector = pending_vector(vcpu);
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	struct vmx_state *state = &vmx->state;
	bool used = vmx->inject.info & VMX_INFO_VALID, open, sti;

	if (vector < 0 && !nmi && !used && !(vmx->proc_now & VMX_WINDOWS))
		return;
	vmx_state_sync(vcpu, VMX_G_RFLAGS | VMX_G_SHADOW);
	if (used) {
		inject(vmx, vmx->inject.info, vmx->inject.error, vmx->inject.length);
		vmx->inject.info = 0;
	}
	if (nmi && !used && !(state->interruptibility & (SHADOWS | GUEST_INTR_STATE_NMI))) {
		take_nmi(vcpu);
		inject(vmx, VMX_INFO_VALID | TYPE_NMI | X86_XCPT_NMI, 0, 0);
		used = true;
		nmi = x86_nmi_is_pending(vcpu);
	} else if (state->interruptibility & GUEST_INTR_STATE_NMI &&
		   x86_event_is_set(vcpu, EVENT_NMI)) {
		/* amid one NMI, no more than one is remembered */
		atomic_long_andnot(BIT(EVENT_NMI_AGAIN), &vcpu->arch.events);
	}
	/*
	 * Behind STI an NMI window may be open (25.2: it is up to the processor), an NMI must not go in (26.3.1.5):
	 * an exit without end. There interrupts are on: their window opens behind the next instruction.
	 */
	sti = state->interruptibility & GUEST_INTR_STATE_STI;
	window(vmx, CPU_BASED_NMI_WINDOW_EXITING, nmi && !sti);
	open = vector >= 0 && !used && interrupts_open(state);
	if (open)
		inject(vmx, VMX_INFO_VALID | TYPE_EXT | take_vector(vcpu, vector), 0, 0);
	/* Another one behind it, or this one later: an exit as soon as it can be taken. */
	window(vmx, CPU_BASED_INTR_WINDOW_EXITING,
	       (nmi && sti) || (open ? pending_vector(vcpu) >= 0 : vector >= 0));
}

/* IRET ends an NMI's blocking before it faults: as it will run again, the blocking is back (27.2.3). */
static void reblock_nmi(struct vmx_vcpu *vmx)
{
	u32 basic = vmx->exit.reason & 0xffff;
	bool unblocked = basic == EXIT_REASON_EPT_VIOLATION ?
				 vmx->exit.qualification & UNBLOCKED_NMI :
			 basic == EXIT_REASON_EXCEPTION_NMI && vmx->exit.intr_info & UNBLOCKED_NMI;

	if (!unblocked)
		return;
	vmx_state_sync(vmx->vcpu, VMX_G_SHADOW);
	vmx->state.interruptibility |= GUEST_INTR_STATE_NMI;
	vmx->state.dirty |= VMX_G_SHADOW;
}

/* What the exit cut short is delivered again (27.2.4); an NMI's blocking ends until then. */
void vmx_events_sync(struct qvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	u32 info = vmcs_read(IDT_VECTORING_INFO_FIELD);

	if (!(info & VMX_INFO_VALID)) {
		reblock_nmi(vmx);
		return;
	}
	vmx->inject.info = info & (VMX_INFO_VALID | INFO_ERROR | INFO_TYPE | INFO_VECTOR);
	vmx->inject.error = info & INFO_ERROR ? vmcs_read(IDT_VECTORING_ERROR_CODE) : 0;
	vmx->inject.length = vmcs_read(VM_EXIT_INSTRUCTION_LEN);
	vmx_state_sync(vcpu, VMX_G_SHADOW);
	if ((info & INFO_TYPE) == TYPE_NMI) {
		vmx->state.interruptibility &= ~GUEST_INTR_STATE_NMI;
		vmx->state.dirty |= VMX_G_SHADOW;
	}
}
