/* SPDX-License-Identifier: GPL-2.0-only */
/* From files to guest memory: recognise, measure, place and copy what the VM starts with. */
#ifndef QVM_BOOT_H
#define QVM_BOOT_H

#include <stdint.h>

struct machine;

/*
 * Open, recognise, measure and place every image of the model and write the FDT for it:
 * afterwards gpa, size, data of each image and fdt_gpa, fdt_size, entry are final. Errors are
 * said by log_at(), all of them. Returns 0, or -1 after any error.
 */
int boot_prepare(struct machine *m);

/*
 * Copy all images and the FDT into guest memory, once: after boot_prepare(), and after
 * memory[].hva is set. Guest memory is zero before. The launcher's own copies of the images
 * are freed. Returns 0, or -1 (message printed).
 */
int boot_load(struct machine *m);

/*
 * Write the FDT to the file that the config names, if it names one. After boot_prepare().
 * Returns 0, or -1 (message printed).
 */
int boot_dump_fdt(const struct machine *m);

#endif
