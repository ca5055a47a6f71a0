// SPDX-License-Identifier: GPL-2.0-only
/* The core file of a guest, and what its own page tables say. */
// LINK: launcher/vm/core.c launcher/vm/walk.c
#define _GNU_SOURCE	/* F_SETPIPE_SZ */
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"
#include "vm/core.h"
#include "vm/walk.h"

#define RAM	0x40000000ull
#define SIZE	(16ull << 20)
#define KERNEL	0xffff800008000000ull

static uint8_t *ram;

__attribute__((constructor)) static void make_ram(void)
{
	ram = calloc(1, SIZE);
}

static const void *memory(void *arg, uint64_t gpa, uint64_t size)
{
	(void)arg;
	return gpa >= RAM && gpa - RAM < SIZE && size <= SIZE - (gpa - RAM) ? ram + (gpa - RAM) : NULL;
}

static uint64_t *table(unsigned int page)
{
	return (uint64_t *)(ram + 4096 * page);
}

static uint64_t table_gpa(unsigned int page)
{
	return RAM + 4096 * page;
}

/* ---- the file ---- */

static uint8_t *written(const struct core *core, bool sparse, struct stat *status)
{
	const char *kept = getenv("QVM_CORE_OUT");	/* for a test with gdb */
	char path[256] = "/tmp/core_test.XXXXXX";
	uint8_t *data;
	int fd;

	if (kept)
		snprintf(path, sizeof(path), "%s.%u", kept, core->machine);
	fd = kept ? open(path, O_RDWR | O_CREAT | O_TRUNC, 0600) : mkstemp(path);
	if (!kept)
		unlink(path);
	CHECK(core_write(core, fd, sparse) == 0);
	CHECK(fstat(fd, status) == 0);
	data = malloc((size_t)status->st_size);
	CHECK(pread(fd, data, (size_t)status->st_size, 0) == (ssize_t)status->st_size);
	close(fd);
	return data;
}

/* The data of the n-th note of this type. */
static const uint8_t *note(const uint8_t *file, uint32_t type, unsigned int n, uint32_t *size)
{
	const Elf64_Phdr *phdr = (const Elf64_Phdr *)(file + sizeof(Elf64_Ehdr));
	const uint8_t *at = file + phdr->p_offset, *end = at + phdr->p_filesz;

	while (at < end) {
		const Elf64_Nhdr *header = (const Elf64_Nhdr *)at;
		const uint8_t *data = at + sizeof(*header) + ((header->n_namesz + 3) & ~3u);

		if (header->n_type == type && !n--) {
			*size = header->n_descsz;
			return data;
		}
		at = data + ((header->n_descsz + 3) & ~3u);
	}
	return NULL;
}

static void check_core(uint16_t machine, unsigned int regs, unsigned int pc, uint32_t prstatus, uint32_t fpregs)
{
	static const struct core_segment segment = { KERNEL, RAM + 0x3000, 0x2000 };
	struct core_memory stretches[] = { { RAM, SIZE, ram }, { 0, 0x1000, NULL } };
	static uint8_t rom[0x1000] = "rom";
	struct core_cpu cpus[2] = { 0 };
	struct core core = {
		.machine = machine, .why = "g: test", .cpu = cpus, .cpu_count = 2, .memory = stretches,
		.memory_count = 2, .segment = &segment, .segment_count = 1,
	};
	const Elf64_Phdr *phdr;
	struct stat status;
	const uint8_t *data;
	uint8_t *file;
	uint32_t size, pid;
	uint64_t value;

	stretches[1].data = rom;
	memset(ram, 0, SIZE);
	memcpy(ram + 0x3010, "here", 4);
	/* one that is too long to be in its page, one that is none, then what Linux has */
	memcpy(ram + 0x5000, "\13\0\0\0\0\20\0\0\0\0\0\0VMCOREINFO\0\0OSRELEASE=5", 35);
	memcpy(ram + 0x6010, "\13\0\0\0\21\0\0\0\0\0\0\0VMCOREINFO\0\0OSRELEASE=6.1-arm", 41);
	memcpy(ram + SIZE - 0x1000, "\13\0\0\0\16\0\0\0\0\0\0\0VMCOREINFO\0\0OSRELEASE=6.1\n", 38);
	cpus[1].regs[pc] = 0x1234567890;
	cpus[1].fp[20] = 7;
	file = written(&core, true, &status);
	CHECK(status.st_blocks * 512 < 256 * 1024);
	CHECK(((Elf64_Ehdr *)file)->e_machine == machine && ((Elf64_Ehdr *)file)->e_phnum == 4);
	data = note(file, NT_PRSTATUS, 1, &size);
	CHECK(data && size == prstatus);
	memcpy(&pid, data + 32, 4);
	memcpy(&value, data + 112 + 8 * pc, 8);
	CHECK(pid == 2 && value == 0x1234567890);
	CHECK(size == 112 + 8 * regs + 8);
	data = note(file, NT_FPREGSET, 1, &size);
	CHECK(data && size == fpregs && data[20] == 7);
	data = note(file, 0, 0, &size);
	CHECK(data && size == 14 && !memcmp(data, "OSRELEASE=6.1\n", 14) && !note(file, 0, 1, &size));
	phdr = (const Elf64_Phdr *)(file + sizeof(Elf64_Ehdr));
	CHECK(phdr[1].p_vaddr == RAM && phdr[1].p_paddr == RAM && phdr[1].p_filesz == SIZE);
	CHECK(!memcmp(file + phdr[1].p_offset + 0x3010, "here", 4));
	CHECK(phdr[2].p_vaddr == 0 && !memcmp(file + phdr[2].p_offset, "rom", 4));
	CHECK(phdr[3].p_vaddr == KERNEL && phdr[3].p_paddr == RAM + 0x3000);
	CHECK(!memcmp(file + phdr[3].p_offset + 0x10, "here", 4));
	free(file);
}

/* struct elf_prstatus is 392 bytes on arm64 and 336 on x86-64. */
TEST(core_arm64)
{
	check_core(CORE_ARM64, CORE_REGS_ARM64, 32, 392, 528);
}

TEST(core_x86)
{
	check_core(CORE_X86, CORE_REGS_X86, 16, 336, 512);
}

/* A pipe has no holes. */
TEST(core_pipe)
{
	struct core_memory stretch = { RAM, 0x10000, ram };
	struct core core = { .machine = CORE_ARM64, .why = "", .memory = &stretch, .memory_count = 1 };
	static uint8_t data[0x20000];
	int fds[2];

	memset(ram, 0, 0x10000);
	CHECK(pipe(fds) == 0 && fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) > 0);
	CHECK(core_write(&core, fds[1], false) == 0);
	close(fds[1]);
	CHECK(read(fds[0], data, sizeof(data)) == 0x11000);
	close(fds[0]);
}

/* ---- page tables ---- */

TEST(walk_arm64)
{
	const struct walk walk = {
		.format = &walk_arm64, .root = table_gpa(0), .page_shift = 12, .bits = 48,
		.base = 0xffff000000000000, .memory = memory,
	};
	struct core_segment s[8];

	memset(ram, 0, 4096 * 8);
	table(0)[256] = table_gpa(1) | 3;
	table(1)[0] = table_gpa(2) | 3;
	table(2)[64] = table_gpa(3) | 3;
	table(2)[65] = (RAM + 0x200000) | 1;	/* a block */
	table(2)[66] = (RAM + 0x400000) | 1;	/* joined with it */
	table(2)[67] = 0x09000000 | 1;		/* a device */
	table(3)[5] = (RAM + 0x5000) | 3 | 1ull << 54;
	table(3)[6] = (RAM + 0x5000) | 3;
	table(3)[7] = (RAM + 0x6000) | 1;	/* reserved at the last level */
	CHECK(walk_tables(&walk, s, 8) == 3);
	CHECK(s[0].gva == 0xffff800008005000 && s[0].gpa == RAM + 0x5000 && s[0].size == 0x1000);
	CHECK(s[1].gva == 0xffff800008006000 && s[1].gpa == RAM + 0x5000);
	CHECK(s[2].gva == 0xffff800008200000 && s[2].gpa == RAM + 0x200000 && s[2].size == 0x400000);
	CHECK(walk_tables(&walk, s, 1) == 1);
}

TEST(walk_x86)
{
	const struct walk walk = {
		.format = &walk_x86, .root = table_gpa(0), .page_shift = 12, .bits = 48,
		.base = 0xffff000000000000, .from = 0xffff800000000000, .memory = memory,
	};
	struct core_segment s[8];

	memset(ram, 0, 4096 * 8);
	table(0)[0] = table_gpa(1) | 7;		/* the lower half is left out */
	table(0)[511] = table_gpa(1) | 3;
	table(1)[510] = table_gpa(2) | 3;
	table(2)[8] = (RAM + 0x200000) | 0x83;
	table(2)[9] = table_gpa(3) | 3;
	table(3)[0] = (RAM + 0x400000) | 0x83;	/* PAT, not a large page */
	CHECK(walk_tables(&walk, s, 8) == 1);
	CHECK(s[0].gva == 0xffffffff81000000 && s[0].gpa == RAM + 0x200000 && s[0].size == 0x201000);
}

/* Tables in themselves would be read 2^36 times. */
TEST(walk_loop)
{
	const struct walk walk = {
		.format = &walk_x86, .root = table_gpa(0), .page_shift = 12, .bits = 48, .memory = memory,
	};
	struct core_segment *s = calloc(CORE_SEGMENTS_MAX, sizeof(*s));

	for (unsigned int i = 0; i < 512; i++)
		table(0)[i] = table_gpa(0) | 3;
	CHECK(walk_tables(&walk, s, CORE_SEGMENTS_MAX) <= CORE_SEGMENTS_MAX);
	free(s);
}
