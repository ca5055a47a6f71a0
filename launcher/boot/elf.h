/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_BOOT_ELF_H
#define QVM_BOOT_ELF_H

#include <elf.h>
#include <stdbool.h>

struct image;

/*
 * Of an ELF that was measured, of either class: its header, and segment @index of e_phnum, in the
 * 64-bit form.
 */
Elf64_Ehdr elf_header(const struct image *image);
Elf64_Phdr elf_segment(const struct image *image, const Elf64_Ehdr *header, unsigned int index);
bool elf_is_32(const struct image *image);

#endif
