/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Into the guest and out again (SDM vol. 3 ch. 26, 27): save, load, VMLAUNCH or VMRESUME, save,
 * load.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

#include "compat.h"
#include "entry_offsets.h"

#define HOST_RSP_FIELD	0x6c14

	.section .noinstr.text, "ax"

/*
 * u64 vmx_enter(struct x86_regs *regs, u64 launched): interrupts off, VMCS current. Guest GPRs but
 * RSP are exchanged with *regs; CR2 is the caller's. 0: an exit happened; 1: the entry instruction
 * failed, RFLAGS.ZF or CF said so.
 */
SYM_FUNC_START(vmx_enter)
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%rsi			/* launched */
	push	%rdi			/* regs: found again at (%rsp) after the exit */
	cmp	%rsp, REGS_HOST_RSP(%rdi)
	je	6f
	mov	%rsp, REGS_HOST_RSP(%rdi)
	mov	$HOST_RSP_FIELD, %eax
	vmwrite	%rsp, %rax
6:
	UNWIND_HINT_SAVE
	mov	REGS_GPR(0)(%rdi), %rax
	mov	REGS_GPR(1)(%rdi), %rcx
	mov	REGS_GPR(2)(%rdi), %rdx
	mov	REGS_GPR(3)(%rdi), %rbx
	mov	REGS_GPR(5)(%rdi), %rbp
	mov	REGS_GPR(6)(%rdi), %rsi
	mov	REGS_GPR(8)(%rdi), %r8
	mov	REGS_GPR(9)(%rdi), %r9
	mov	REGS_GPR(10)(%rdi), %r10
	mov	REGS_GPR(11)(%rdi), %r11
	mov	REGS_GPR(12)(%rdi), %r12
	mov	REGS_GPR(13)(%rdi), %r13
	mov	REGS_GPR(14)(%rdi), %r14
	mov	REGS_GPR(15)(%rdi), %r15
	mov	REGS_GPR(7)(%rdi), %rdi
	/*
	 * VERW comes last: it empties buffers that loads and stores before it filled with the
	 * host's data. It changes ZF alone, BT changes CF alone.
	 */
	cmpb	$0, vmx_verw(%rip)
	btl	$0, 8(%rsp)
	je	4f
	verw	vmx_verw_selector(%rip)
4:	jnc	1f
0:	vmresume
	jmp	2f
1:	vmlaunch
	jmp	2f
	_ASM_EXTABLE(0b, 2f)
	_ASM_EXTABLE(1b, 2f)

/* HOST_RIP. RSP is as at the entry, RFLAGS is 2: interrupts are off, DF is clear. */
SYM_INNER_LABEL(vmx_exit_label, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR
	push	%rdi
	mov	8(%rsp), %rdi
	mov	%rax, REGS_GPR(0)(%rdi)
	mov	%rcx, REGS_GPR(1)(%rdi)
	mov	%rdx, REGS_GPR(2)(%rdi)
	mov	%rbx, REGS_GPR(3)(%rdi)
	mov	%rbp, REGS_GPR(5)(%rdi)
	mov	%rsi, REGS_GPR(6)(%rdi)
	pop	%rax
	mov	%rax, REGS_GPR(7)(%rdi)
	mov	%r8,  REGS_GPR(8)(%rdi)
	mov	%r9,  REGS_GPR(9)(%rdi)
	mov	%r10, REGS_GPR(10)(%rdi)
	mov	%r11, REGS_GPR(11)(%rdi)
	mov	%r12, REGS_GPR(12)(%rdi)
	mov	%r13, REGS_GPR(13)(%rdi)
	mov	%r14, REGS_GPR(14)(%rdi)
	mov	%r15, REGS_GPR(15)(%rdi)
	xor	%ebx, %ebx
	/*
	 * No guest value is left where speculation could use it, no return is predicted by the
	 * guest. What is returned waits in RBX: the steps below use RAX.
	 */
3:	xor	%ebp, %ebp
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
		X86_FEATURE_RSB_VMEXIT_LITE
	/*
	 * IBRS must be written anew after the guest, where the kernel relies on it (retbleed): what it has in
	 * the register now. No branch decides that, for it could be predicted past.
	 */
	ALTERNATIVE "jmp 5f", "", X86_FEATURE_KERNEL_IBRS
	mov	(%rsp), %rdx
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	mov	REGS_SPEC_CTRL(%rdx), %eax
	mov	REGS_SPEC_CTRL + 4(%rdx), %edx
	wrmsr
5:	QVM_CLEAR_BRANCH_HISTORY
	mov	%ebx, %eax
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	add	$16, %rsp
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET

	/* VMfail, or a fault where VMX is off: nothing was loaded but the GPRs */
2:	mov	$1, %ebx
	jmp	3b
SYM_FUNC_END(vmx_enter)

#ifdef QVM_OWN_CLEAR_BRANCH_HISTORY
/*
 * The branch history of the guest gives way to that of these branches: the longer of the two
 * sequences in Intel's guidance on Branch History Injection, which CPUs since Alder Lake need and
 * earlier ones may have. RAX and RCX change. Each RET lies in the upper half of its cache line,
 * where indirect target selection (CVE-2024-28956) does no harm.
 */
	.balign	64, 0xcc
	.skip	32, 0xcc
SYM_FUNC_START_LOCAL(clear_history)
	mov	$12, %ecx
	ANNOTATE_INTRA_FUNCTION_CALL
	call	1f
	lfence
	ANNOTATE_UNRET_SAFE
	ret
	int3
	.balign	64, 0xcc
	.skip	32, 0xcc
	ANNOTATE_INTRA_FUNCTION_CALL
1:	call	2f
	ANNOTATE_UNRET_SAFE
	ret
	int3
	.balign	64, 0xcc
	.skip	32, 0xcc
2:	mov	$7, %eax
3:	jmp	4f
	nop
4:	dec	%eax
	jnz	3b
	dec	%ecx
	jnz	1b
	ANNOTATE_UNRET_SAFE
	ret
	int3
SYM_FUNC_END(clear_history)
STACK_FRAME_NON_STANDARD clear_history	/* the calls nest, up to 13 deep */
#endif
