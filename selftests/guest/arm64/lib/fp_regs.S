/* SPDX-License-Identifier: GPL-2.0-only */
	.macro	fp_all op
	.irp	pair, "0,q1", "2,q3", "4,q5", "6,q7", "8,q9", "10,q11", "12,q13", "14,q15", \
		"16,q17", "18,q19", "20,q21", "22,q23", "24,q25", "26,q27", "28,q29", "30,q31"
	\op	q\pair, [x0], #32
	.endr
	.endm

	.text
	.global fp_load, fp_save
fp_load:
	fp_all	ldp
	ldp	x1, x2, [x0]
	msr	fpcr, x1
	msr	fpsr, x2
	ret

fp_save:
	fp_all	stp
	mrs	x1, fpcr
	mrs	x2, fpsr
	stp	x1, x2, [x0]
	ret
