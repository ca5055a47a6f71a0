/* SPDX-License-Identifier: GPL-2.0-only */
/* What an x86 machine finds in memory beside the images: ACPI tables and what kernels are handed. */
#ifndef QVM_BOOT_X86_H
#define QVM_BOOT_X86_H

struct machine;

/* Fixed places below 640K, which kernels that are started so leave alone until they have read them. */
#define X86_BOOT_BDA		0x400		/* what a PC's firmware leaves of itself */
#define X86_BOOT_STACK		0x6000		/* its top; nothing is below but the BDA */
#define X86_BOOT_GDT		0x6000
#define X86_BOOT_GDT_SIZE	32
#define X86_BOOT_INFO		0x7000		/* zero page, PVH start info or multiboot info */
#define X86_BOOT_PAGES		0x9000		/* page tables: the first 4 GiB, each at itself */
#define X86_BOOT_CMDLINE	0x20000

#define X86_BOOT_CS		0x10		/* of the GDT, as Linux wants them */
#define X86_BOOT_DS		0x18

/*
 * Decide how vCPU 0 starts (m->x86, m->entry) and write m->blob. After every image has its place;
 * twice is fine. Errors are said by log_at(). Returns 0, or -1 after any error.
 */
int x86_boot_prepare(struct machine *m);

#endif
