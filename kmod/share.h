/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that VMs share: pinned like a region, but come and gone while vCPUs run. The window that it
 * lies in is a region of the board (QVM_REGION_SHARED), settled when that is assembled.
 *
 * The module itself never touches it (guestmem.h): then nothing but stage 2 has to be waited for
 * when it goes.
 */
#ifndef QVM_SHARE_H
#define QVM_SHARE_H

struct qvm_share;
struct qvm_vm;

/* As at QVM_VM_SHARE. VM mutex held; may sleep, and be ended by a fatal signal (EINTR). */
int qvm_share_set(struct qvm_vm *vm, const struct qvm_share *param);

/* For what of the caller's @hva … @end - 1 is shared, part by part. s2_lock held. */
void qvm_share_for_each_part(struct qvm_vm *vm, u64 hva, u64 end,
			     void (*act)(struct qvm_vm *vm, u64 gpa, u64 size));

/* Unmap, unpin and uncharge everything. No vCPU runs. */
void qvm_share_release_all(struct qvm_vm *vm);

#endif /* QVM_SHARE_H */
