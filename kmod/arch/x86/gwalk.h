/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest's addresses: from segment and offset to linear (SDM vol. 3 ch. 3, 5), from linear to
 * physical by the guest's own page tables as its CR0, CR3, CR4 and EFER say: none, 32-bit, PAE,
 * 4 or 5 levels (ch. 4).
 */
#ifndef QVM_X86_GWALK_H
#define QVM_X86_GWALK_H

#include <linux/bits.h>
#include <linux/types.h>

struct qvm_vcpu;

/* What the access is, and the error code of the page fault; the bits are the architecture's. */
#define PFEC_PRESENT	BIT(0)
#define PFEC_WRITE	BIT(1)
#define PFEC_USER	BIT(2)
#define PFEC_RESERVED	BIT(3)
#define PFEC_FETCH	BIT(4)

/*
 * 0 and *gpa: the access is permitted, accessed and dirty flags are set as the processor would. Or
 * -EFAULT and *error for x86_inject_page_fault(): nothing changed. @access: PFEC_WRITE, _USER,
 * _FETCH. The vCPU's own thread.
 *
 * An entry that lies where no memory is reads as ones. PDPTEs of PAE paging are read from memory,
 * though the processor holds those of the last MOV to CR3. No protection keys: no guest has them.
 */
int gwalk(struct qvm_vcpu *vcpu, u64 linear, u32 access, u64 *gpa, u32 *error);

#define GWALK_LEVELS	5

/* The entries of a walk through 4 or 5 levels, and where it ended. */
struct gwalk_path {
	unsigned int count;
	u64 gpa[GWALK_LEVELS], entry[GWALK_LEVELS];
	u64 leaf;			/* gpa of the byte at the linear address */
};

/* As gwalk(). False: no IA-32e mode, or not permitted: then nothing is raised. */
bool gwalk_path(struct qvm_vcpu *vcpu, u64 linear, u32 access, struct gwalk_path *path);

/*
 * Linear address of @len bytes at @offset in segment @seg (enum x86_seg). 0, or the vector of the
 * exception that the access raises, with error code 0: general protection, or stack fault. @offset
 * has no bits beyond the address size. In other than 64-bit mode linear addresses wrap at 4 GiB.
 */
unsigned int gwalk_linear(struct qvm_vcpu *vcpu, unsigned int seg, u64 offset, unsigned int len,
			  bool write, u64 *linear);

#endif /* QVM_X86_GWALK_H */
