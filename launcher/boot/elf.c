// SPDX-License-Identifier: GPL-2.0-only
/* ELF: PT_LOAD segments at their physical addresses. 32-bit ones for x86 alone. */
#include "boot/elf.h"

#include <inttypes.h>
#include <string.h>

#include "boot/format.h"
#include "machine/machine.h"

static bool elf_probe(const uint8_t *data, size_t size)
{
	return size >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG);
}

bool elf_is_32(const struct image *image)
{
	return image->data[EI_CLASS] == ELFCLASS32;
}

static size_t segment_size(const struct image *image)
{
	return elf_is_32(image) ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
}

Elf64_Ehdr elf_header(const struct image *image)
{
	Elf64_Ehdr header;
	Elf32_Ehdr small;

	memcpy(&header, image->data, sizeof(header));
	if (!elf_is_32(image))
		return header;
	memcpy(&small, image->data, sizeof(small));
	header.e_entry = small.e_entry;
	header.e_phoff = small.e_phoff;
	header.e_phentsize = small.e_phentsize;
	header.e_phnum = small.e_phnum;
	return header;
}

static bool is_for(const struct image *image, const Elf64_Ehdr *header)
{
	if (header->e_ident[EI_DATA] != ELFDATA2LSB)
		return false;
	if (header->e_ident[EI_CLASS] == ELFCLASS32)
		return image->arch == MACHINE_X86 && header->e_machine == EM_386;
	return header->e_ident[EI_CLASS] == ELFCLASS64 &&
	       header->e_machine == (image->arch == MACHINE_X86 ? EM_X86_64 : EM_AARCH64);
}

static int elf_check_header(const struct image *image, Elf64_Ehdr *header)
{
	bool x86 = image->arch == MACHINE_X86;
	uint64_t table;

	if (image->data_size < sizeof(*header)) {
		image_error(image, "is an ELF of %zu bytes, cut in its header", image->data_size);
		return -1;
	}
	*header = elf_header(image);
	if (!is_for(image, header)) {
		image_error(image, "is an ELF for another machine (class %u, machine %u), this VM is "
			    "%s", header->e_ident[EI_CLASS], header->e_machine, x86 ? "x86" : "arm64");
		return -1;
	}
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN) {
		image_error(image, "is an ELF, but no program (type %u)", header->e_type);
		return -1;
	}
	table = (uint64_t)header->e_phnum * segment_size(image);
	if (header->e_phentsize != segment_size(image) || header->e_phoff > image->data_size ||
	    table > image->data_size - header->e_phoff) {
		image_error(image, "is an ELF without whole program headers");
		return -1;
	}
	return 0;
}

/* The table is inside the file, elf_check_header() has seen to it. */
Elf64_Phdr elf_segment(const struct image *image, const Elf64_Ehdr *header, unsigned int index)
{
	const uint8_t *at = image->data + header->e_phoff + index * segment_size(image);
	Elf64_Phdr segment;
	Elf32_Phdr small;

	if (!elf_is_32(image)) {
		memcpy(&segment, at, sizeof(segment));
		return segment;
	}
	memcpy(&small, at, sizeof(small));
	return (Elf64_Phdr){
		.p_type = small.p_type, .p_offset = small.p_offset, .p_vaddr = small.p_vaddr,
		.p_paddr = small.p_paddr, .p_filesz = small.p_filesz, .p_memsz = small.p_memsz,
	};
}

static int elf_check_segment(const struct image *image, const Elf64_Phdr *segment,
			     unsigned int index)
{
	uint64_t end;

	if (segment->p_filesz > segment->p_memsz || segment->p_offset > image->data_size ||
	    segment->p_filesz > image->data_size - segment->p_offset) {
		image_error(image, "is an ELF whose segment %u is not all in the file", index);
		return -1;
	}
	if (__builtin_add_overflow(segment->p_paddr, segment->p_memsz, &end)) {
		image_error(image, "is an ELF whose segment %u wraps the address space", index);
		return -1;
	}
	return 0;
}

/* e_entry is a virtual address: what is it physically? */
static void elf_set_entry(struct image *image, uint64_t entry, const Elf64_Phdr *segment)
{
	if (entry >= segment->p_vaddr && entry - segment->p_vaddr < segment->p_memsz)
		image->entry = entry - segment->p_vaddr + segment->p_paddr;
}

static int elf_measure(struct image *image)
{
	uint64_t low = UINT64_MAX, high = 0;
	Elf64_Ehdr header;

	if (elf_check_header(image, &header))
		return -1;
	if (image->gpa != MACHINE_AUTO) {
		image_error(image, "is an ELF, which says itself where it goes; leave `at` out");
		return -1;
	}
	image->entry = header.e_entry;
	for (unsigned int i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr segment = elf_segment(image, &header, i);

		if (segment.p_type != PT_LOAD || !segment.p_memsz)
			continue;
		if (elf_check_segment(image, &segment, i))
			return -1;
		low = segment.p_paddr < low ? segment.p_paddr : low;
		high = segment.p_paddr + segment.p_memsz > high ?
		       segment.p_paddr + segment.p_memsz : high;
		elf_set_entry(image, header.e_entry, &segment);
	}
	if (low >= high) {
		image_error(image, "is an ELF with nothing to load");
		return -1;
	}
	if (image->entry < low || image->entry >= high) {
		image_error(image, "is an ELF whose entry 0x%" PRIx64 " is in none of its segments",
			    image->entry);
		return -1;
	}
	image->kind = IMAGE_ELF;
	image->gpa = low;
	image->size = high - low;
	return 0;
}

static bool elf_part(const struct image *image, unsigned int index, struct image_part *part)
{
	Elf64_Ehdr header = elf_header(image);
	Elf64_Phdr segment;

	if (index >= header.e_phnum)
		return false;
	segment = elf_segment(image, &header, index);
	*part = (struct image_part){ segment.p_paddr, segment.p_memsz, segment.p_offset,
				     segment.p_filesz };
	if (segment.p_type != PT_LOAD)
		*part = (struct image_part){ 0 };
	return true;
}

const struct image_format image_format_elf = {
	.name = "ELF", .probe = elf_probe, .measure = elf_measure, .part = elf_part,
};
