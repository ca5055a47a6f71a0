/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A dump of a guest as an ELF64 core file, which gdb opens: PT_NOTE has the registers of each
 * vCPU (a thread each), PT_LOAD guest memory. Nothing in here knows a running VM. What a Linux
 * guest keeps for a dump of its own (VMCOREINFO) is found in its memory and is a note, too: by
 * that crash(8) knows where the kernel is.
 *
 * Memory stands in the file once. Each stretch has a PT_LOAD with p_vaddr = p_paddr = gpa;
 * core_segment.gva adds one that shows the same bytes where the guest's kernel has them.
 */
#ifndef QVM_VM_CORE_H
#define QVM_VM_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CORE_ARM64	183	/* EM_AARCH64 */
#define CORE_X86	62	/* EM_X86_64 */

/* Registers as Linux has them in a core: NT_PRSTATUS and NT_FPREGSET of the machine. */
#define CORE_REGS_ARM64	34	/* x0 … x30, sp, pc, pstate */
#define CORE_REGS_X86	27	/* struct user_regs_struct */
#define CORE_FP_ARM64	528	/* q0 … q31, fpsr, fpcr */
#define CORE_FP_X86	512	/* FXSAVE */

/* What has no place in those: pairs of a register's id (uapi) and its value. */
struct core_register {
	uint64_t id, value[2];
};

struct core_cpu {
	uint64_t regs[CORE_REGS_ARM64];
	uint8_t fp[CORE_FP_ARM64];
	struct core_register *system;	/* owned by the caller */
	size_t system_count;
};

/* Guest memory. */
struct core_memory {
	uint64_t gpa, size;		/* bytes */
	const void *data;
};

/* Guest virtual addresses of a part of it. */
struct core_segment {
	uint64_t gva, gpa, size;	/* bytes; all of it in one core_memory */
};

struct core {
	uint16_t machine;		/* CORE_ARM64, CORE_X86 */
	const char *why;		/* note of type CORE_NOTE_WHY: name of the VM, and what happened */
	const struct core_cpu *cpu;		size_t cpu_count;
	const struct core_memory *memory;	size_t memory_count;
	const struct core_segment *segment;	size_t segment_count;
};

/* Notes of owner "QVM". */
#define CORE_NOTE_WHY		0x101	/* text */
#define CORE_NOTE_SYSTEM	0x102	/* array of struct core_register, after each NT_PRSTATUS's own */

#define CORE_SEGMENTS_MAX	16384	/* of core.segment: e_phnum has 16 bits */

/*
 * Write it to @fd, from where that stands. Zero pages become holes if it can seek and @sparse is
 * set. 0 or -errno of write(2).
 */
int core_write(const struct core *core, int fd, bool sparse);

#endif
