// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE	/* process_vm_readv */
#include "vm/core.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE		4096u
#define CHUNK		(1u << 20)
#define LINUX_NOTE	"VMCOREINFO"
#define LINUX_TEXT	24u		/* bytes into the note */

/* Linux's struct elf_prstatus: the same on both up to the registers. */
#define PRSTATUS_PID	32
#define PRSTATUS_REGS	112

static size_t regs_size(const struct core *core)
{
	return 8 * (core->machine == CORE_X86 ? CORE_REGS_X86 : CORE_REGS_ARM64);
}

static size_t fp_size(const struct core *core)
{
	return core->machine == CORE_X86 ? CORE_FP_X86 : CORE_FP_ARM64;
}

/* pr_fpvalid and what fills the structure up to 8 bytes come behind the registers. */
static size_t prstatus_size(const struct core *core)
{
	return PRSTATUS_REGS + regs_size(core) + 8;
}

/* ---- notes: measured with @at NULL, then written ---- */

struct notes {
	uint8_t *at;
	size_t size;
	const uint8_t *linux_text;	/* where its kernel tells crash(8) what is where, or NULL */
	size_t linux_size;
};

/* Room for a note's data, zeroed, or NULL. */
static uint8_t *note_add(struct notes *notes, const char *owner, uint32_t type, size_t size)
{
	const Elf64_Nhdr header = {
		.n_namesz = (uint32_t)strlen(owner) + 1, .n_descsz = (uint32_t)size, .n_type = type,
	};
	size_t name = (header.n_namesz + 3u) & ~3u, data = (size + 3) & ~(size_t)3;
	uint8_t *at = notes->at ? notes->at + notes->size : NULL;

	notes->size += sizeof(header) + name + data;
	if (!at)
		return NULL;
	memset(at, 0, sizeof(header) + name + data);
	memcpy(at, &header, sizeof(header));
	memcpy(at + sizeof(header), owner, header.n_namesz);
	return at + sizeof(header) + name;
}

static void note_cpu(struct notes *notes, const struct core *core, size_t index)
{
	const struct core_cpu *cpu = &core->cpu[index];
	const uint32_t pid = (uint32_t)index + 1, valid = 1;
	uint8_t *data = note_add(notes, "CORE", NT_PRSTATUS, prstatus_size(core));

	if (data) {
		memcpy(data + PRSTATUS_PID, &pid, sizeof(pid));
		memcpy(data + PRSTATUS_REGS, cpu->regs, regs_size(core));
		memcpy(data + PRSTATUS_REGS + regs_size(core), &valid, sizeof(valid));
	}
	data = note_add(notes, "CORE", NT_FPREGSET, fp_size(core));
	if (data)
		memcpy(data, cpu->fp, fp_size(core));
	data = note_add(notes, "QVM", CORE_NOTE_SYSTEM, cpu->system_count * sizeof(*cpu->system));
	if (data && cpu->system_count)
		memcpy(data, cpu->system, cpu->system_count * sizeof(*cpu->system));
}

static void notes_fill(struct notes *notes, const struct core *core)
{
	uint8_t *data;

	for (size_t i = 0; i < core->cpu_count; i++)
		note_cpu(notes, core, i);
	data = note_add(notes, "QVM", CORE_NOTE_WHY, strlen(core->why) + 1);
	if (data)
		memcpy(data, core->why, strlen(core->why) + 1);
	data = notes->linux_text ? note_add(notes, LINUX_NOTE, 0, notes->linux_size) : NULL;
	if (data)
		memcpy(data, notes->linux_text, notes->linux_size);
}

/* ---- program headers ---- */

static uint64_t page_up(uint64_t value)
{
	return (value + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

/* Where in the file this gpa stands, memory beginning at @begin; it is in one of them. */
static uint64_t file_offset(const struct core *core, uint64_t begin, uint64_t gpa)
{
	for (size_t i = 0; i < core->memory_count; i++) {
		if (gpa - core->memory[i].gpa < core->memory[i].size)
			return begin + gpa - core->memory[i].gpa;
		begin += page_up(core->memory[i].size);
	}
	return begin;
}

/* Without an alignment, as Linux's own dumps: by that crash(8) tells them from others. */
static Elf64_Phdr load(uint64_t offset, uint64_t gva, uint64_t gpa, uint64_t size)
{
	return (Elf64_Phdr){
		.p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X, .p_offset = offset,
		.p_vaddr = gva, .p_paddr = gpa, .p_filesz = size, .p_memsz = size,
	};
}

static void headers_fill(const struct core *core, uint8_t *at, size_t count, const struct notes *notes,
			 uint64_t begin)
{
	const Elf64_Ehdr file = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE, .e_machine = core->machine, .e_version = EV_CURRENT,
		.e_phoff = sizeof(file), .e_ehsize = sizeof(file),
		.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = (uint16_t)count,
	};
	Elf64_Phdr *phdr = (Elf64_Phdr *)(at + sizeof(file));

	memcpy(at, &file, sizeof(file));
	*phdr++ = (Elf64_Phdr){
		.p_type = PT_NOTE, .p_filesz = notes->size, .p_align = 4,
		.p_offset = sizeof(file) + count * sizeof(*phdr),
	};
	for (size_t i = 0; i < core->memory_count; i++) {
		const struct core_memory *m = &core->memory[i];

		*phdr++ = load(file_offset(core, begin, m->gpa), m->gpa, m->gpa, m->size);
	}
	for (size_t i = 0; i < core->segment_count; i++) {
		const struct core_segment *s = &core->segment[i];

		*phdr++ = load(file_offset(core, begin, s->gpa), s->gva, s->gpa, s->size);
	}
}

/* ---- reading the guest ---- */

/*
 * The kernel copies, and says where it can't: to touch memory of the host's that has failed would be
 * a SIGBUS. What can't be had is zero.
 */
static void read_memory(uint8_t *buffer, const uint8_t *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		const struct iovec to = { buffer + done, size - done };
		const struct iovec from = { (void *)(data + done), size - done };
		ssize_t got = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
		size_t lost = PAGE - (uintptr_t)(data + done) % PAGE;

		if (got > 0) {
			done += (size_t)got;
			continue;
		}
		lost = lost < size - done ? lost : size - done;
		memset(buffer + done, 0, lost);
		done += lost;
	}
}

/* Linux has it at the beginning of a page, as it is to stand in a dump: header, name, text. */
static bool is_linux_note(const uint8_t *page)
{
	Elf64_Nhdr header;

	memcpy(&header, page, sizeof(header));
	return header.n_namesz == sizeof(LINUX_NOTE) && header.n_type == 0 &&
	       header.n_descsz <= PAGE - LINUX_TEXT &&
	       !memcmp(page + sizeof(header), LINUX_NOTE, sizeof(LINUX_NOTE)) &&
	       !memcmp(page + LINUX_TEXT, "OSRELEASE=", 10);
}

/* The page of the guest that has it, copied into @buffer of CHUNK bytes, or NULL. */
static const uint8_t *find_linux_note(const struct core_memory *memory, uint8_t *buffer)
{
	for (uint64_t done = 0; done < memory->size; done += CHUNK) {
		size_t size = memory->size - done < CHUNK ? memory->size - done : CHUNK;

		read_memory(buffer, (const uint8_t *)memory->data + done, size);
		for (size_t at = 0; at + PAGE <= size; at += PAGE)
			if (is_linux_note(buffer + at))
				return buffer + at;
	}
	return NULL;
}

/* ---- writing ---- */

static int write_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t done = write(fd, data, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		data += done;
		size -= (size_t)done;
	}
	return 0;
}

static bool is_zero(const uint8_t *data, size_t size)
{
	return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

/* How many bytes from here on are in pages that are zero, or are in pages that are not. */
static size_t run_length(const uint8_t *data, size_t size, bool *zero)
{
	size_t done = size < PAGE ? size : PAGE;

	*zero = is_zero(data, done);
	while (done < size) {
		size_t next = size - done < PAGE ? size - done : PAGE;

		if (is_zero(data + done, next) != *zero)
			break;
		done += next;
	}
	return done;
}

static int write_chunk(const uint8_t *data, size_t size, int fd, bool sparse)
{
	int error = 0;

	while (size && !error) {
		bool zero = false;
		size_t length = sparse ? run_length(data, size, &zero) : size;

		if (!zero)
			error = write_all(fd, data, length);
		else if (lseek(fd, (off_t)length, SEEK_CUR) < 0)
			error = -errno;
		data += length;
		size -= length;
	}
	return error;
}

static int write_memory(const struct core_memory *memory, int fd, bool sparse)
{
	uint8_t *buffer = malloc(CHUNK);
	int error = buffer ? 0 : -ENOMEM;

	for (uint64_t done = 0; !error && done < memory->size; done += CHUNK) {
		size_t size = memory->size - done < CHUNK ? memory->size - done : CHUNK;

		read_memory(buffer, (const uint8_t *)memory->data + done, size);
		error = write_chunk(buffer, size, fd, sparse);
	}
	free(buffer);
	return error;
}

static int write_headers(const struct core *core, struct notes notes, int fd)
{
	size_t count = 1 + core->memory_count + core->segment_count;
	size_t headers = sizeof(Elf64_Ehdr) + count * sizeof(Elf64_Phdr);
	uint64_t begin;
	uint8_t *data;
	int error;

	notes_fill(&notes, core);
	begin = page_up(headers + notes.size);
	data = calloc(1, begin);
	if (!data)
		return -ENOMEM;
	headers_fill(core, data, count, &notes, begin);
	notes.at = data + headers;
	notes.size = 0;
	notes_fill(&notes, core);
	error = write_all(fd, data, begin);
	free(data);
	return error;
}

static int write_begin(const struct core *core, int fd)
{
	uint8_t *buffer = malloc(CHUNK);
	struct notes notes = { NULL };
	const uint8_t *page = NULL;
	Elf64_Nhdr header;
	int error;

	for (size_t i = 0; buffer && !page && i < core->memory_count; i++)
		page = find_linux_note(&core->memory[i], buffer);
	if (page) {
		memcpy(&header, page, sizeof(header));
		notes.linux_text = page + LINUX_TEXT;
		notes.linux_size = header.n_descsz;
	}
	error = write_headers(core, notes, fd);
	free(buffer);
	return error;
}

int core_write(const struct core *core, int fd, bool sparse)
{
	off_t end;
	int error = write_begin(core, fd);

	for (size_t i = 0; !error && i < core->memory_count; i++)
		error = write_memory(&core->memory[i], fd, sparse);
	if (error || !sparse)
		return error;
	/* what ends with a hole has to be made that long */
	end = lseek(fd, 0, SEEK_CUR);
	return end < 0 || ftruncate(fd, end) ? -errno : 0;
}
