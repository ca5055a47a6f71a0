/* SPDX-License-Identifier: GPL-2.0-only */
/* The program for EL2 (el2.S), as data: nvhe.c copies it to where it runs. */
	.section .rodata, "a"
	.balign	8
	.globl	qvm_el2_blob
qvm_el2_blob:
	.incbin	"el2.bin"
	.globl	qvm_el2_blob_end
qvm_el2_blob_end:
