// SPDX-License-Identifier: GPL-2.0-only
#include "boot/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/bzimage.h"
#include "boot/fdt.h"
#include "boot/format.h"
#include "boot/x86.h"
#include "machine/machine.h"
#include "util/alloc.h"

#define FDT_BYTES	"\xd0\x0d\xfe\xed"
#define FILE_MAX	(4ULL << 30)	/* no kernel, and no RAM disk that one waits for */
#define ACPI_HEADER_SIZE	36
#define BOOT_SECTOR	0x7c00		/* where a PC's firmware puts it, at 0:7c00 */

/* For `kernel`: the first that knows the file; raw takes all. */
static const struct image_format *const kernel_formats[] = {
	&image_format_arm64, &image_format_elf, &image_format_foreign, &image_format_raw,
};
static const struct image_format *const kernel_formats_x86[] = {
	&image_format_bzimage, &image_format_multiboot, &image_format_elf, &image_format_foreign,
	&image_format_raw,
};

void image_error(const struct image *image, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_at(&image->origin, image->key, "%s %s", image->path, text);
}

uint16_t image_le16(const uint8_t *data, size_t offset)
{
	return data[offset] | (uint16_t)(data[offset + 1] << 8);
}

uint32_t image_le32(const uint8_t *data, size_t offset)
{
	return image_le16(data, offset) | (uint32_t)image_le16(data, offset + 2) << 16;
}

uint64_t image_le64(const uint8_t *data, size_t offset)
{
	return image_le32(data, offset) | (uint64_t)image_le32(data, offset + 4) << 32;
}

static int read_all(int fd, uint8_t *data, size_t size)
{
	while (size) {
		ssize_t got = read(fd, data, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EIO;
		data += got;
		size -= got;
	}
	return 0;
}

static int image_read(struct image *image)
{
	int fd = open(image->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	int ret = -1;

	if (fd < 0 || fstat(fd, &status)) {
		image_error(image, "can't be opened: %s", strerror(errno));
	} else if (!S_ISREG(status.st_mode)) {
		image_error(image, "is no file");
	} else if (!status.st_size || (uint64_t)status.st_size > FILE_MAX) {
		image_error(image, "is %s", status.st_size ? "larger than 4G" : "empty");
	} else {
		image->data_size = status.st_size;
		image->data = xcalloc(image->data_size, 1);
		ret = read_all(fd, image->data, image->data_size);
		if (ret)
			image_error(image, "can't be read: %s", strerror(-ret));
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

static uint64_t ram_size(const struct machine *m)
{
	uint64_t size = 0;

	for (size_t i = 0; i < m->memory_count; i++)
		size += m->memory[i].kind == MEMORY_RAM ? m->memory[i].size : 0;
	return size && !m->memory_incomplete ? size : FILE_MAX;
}

const struct image_format *image_format_of(const struct image *image)
{
	static const struct image_format *const formats[] = {
		[IMAGE_UNKNOWN]		= &image_format_raw,
		[IMAGE_LINUX_ARM64]	= &image_format_arm64,
		[IMAGE_ELF]		= &image_format_elf,
		[IMAGE_RAW]		= &image_format_raw,
		[IMAGE_INITRD]		= &image_format_raw,
		[IMAGE_FDT]		= &image_format_raw,
		[IMAGE_LINUX_X86]	= &image_format_bzimage,
		[IMAGE_MULTIBOOT]	= &image_format_multiboot,
		[IMAGE_ACPI]		= &image_format_raw,
	};

	return formats[image->kind];
}

static int recognise_kernel(struct image *image)
{
	const struct image_format *const *formats = kernel_formats;
	int ret;

	if (image->arch == MACHINE_X86)
		formats = kernel_formats_x86;
	while (!(*formats)->probe(image->data, image->data_size))
		formats++;
	ret = (*formats)->measure(image);
	if (image->arch == MACHINE_X86 && image->kind == IMAGE_RAW && image->gpa == MACHINE_AUTO)
		image->gpa = BOOT_SECTOR;
	return ret;
}

static int recognise_elf(struct image *image)
{
	if (image->arch == MACHINE_X86 &&
	    image_format_multiboot.probe(image->data, image->data_size))
		return image_format_multiboot.measure(image);
	if (image_format_elf.probe(image->data, image->data_size))
		return image_format_elf.measure(image);
	image_error(image, "is no ELF, use `kernel` or `data`");
	return -1;
}

static int recognise_fdt(struct image *image)
{
	image->kind = IMAGE_FDT;
	if (image->arch != MACHINE_ARM64) {
		image_error(image, "is a device tree, and the guest of an x86 board gets none here; use `acpi`");
		return -1;
	}
	if (image->gpa != MACHINE_AUTO)
		log_warn_at(&image->origin, image->key, "goes into the board's own tree, and not to 0x%" PRIx64,
			    image->gpa);
	image->size = 0;	/* merged into the board's tree, nowhere by itself */
	return fdt_check_user(image);
}

static int recognise_initrd(struct image *image)
{
	int ret = image_format_raw.measure(image);

	image->kind = IMAGE_INITRD;
	return ret;
}

/* ACPI 6.5, 5.2.6: it has its length at 4, and all of its bytes add up to 0. */
static int check_acpi_table(const struct image *image)
{
	uint8_t sum = 0;

	if (image->arch != MACHINE_X86) {
		image_error(image, "is for the ACPI tables, and an arm64 board has none here; use `fdt`");
		return -1;
	}
	for (size_t i = 0; i < image->data_size; i++)
		sum += image->data[i];
	if (image->data_size < ACPI_HEADER_SIZE || image_le32(image->data, 4) != image->data_size || sum) {
		image_error(image, "is no ACPI table, or a broken one; iasl makes them");
		return -1;
	}
	if (image->gpa != MACHINE_AUTO && image->gpa >> 32) {
		image_error(image, "is an ACPI table above 4G, where the RSDT can't name it; write a lower "
			    "address");
		return -1;
	}
	return 0;
}

/* Without an address it goes among the board's own tables. */
static int recognise_acpi(struct image *image)
{
	image->kind = IMAGE_ACPI;
	image->size = image->gpa == MACHINE_AUTO ? 0 : image->data_size;
	return check_acpi_table(image);
}

static const struct {
	const char *key;
	int (*recognise)(struct image *image);
} recognisers[] = {
	{ "kernel", recognise_kernel },
	{ "elf", recognise_elf },
	{ "fdt", recognise_fdt },
	{ "initrd", recognise_initrd },
	{ "acpi", recognise_acpi },
	{ "data", NULL },
};

static int image_recognise(struct image *image)
{
	size_t i = 0;

	while (recognisers[i].recognise && strcmp(recognisers[i].key, image->key))
		i++;
	return recognisers[i].recognise ? recognisers[i].recognise(image) :
					  image_format_raw.measure(image);
}

static bool starts(const struct image *image)
{
	return !strcmp(image->key, "kernel") || !strcmp(image->key, "elf");
}

/* `file` is what its content says: from here on the word for that. */
static void resolve_file(const struct machine *m, struct image *image)
{
	bool later = false;

	for (const struct image *before = m->image; before < image; before++)
		later |= starts(before);
	if (image->data_size >= 4 && !memcmp(image->data, FDT_BYTES, 4))
		image->key = "fdt";
	else if (!later)
		image->key = "kernel";
	else
		image->key = image_format_elf.probe(image->data, image->data_size) ? "elf" : "data";
}

static int image_prepare(const struct machine *m, struct image *image)
{
	int ret = image_read(image);

	if (!ret && !strcmp(image->key, "file"))
		resolve_file(m, image);
	if (!ret && !strcmp(image->key, "kernel"))
		ret = image_unpack(image, ram_size(m));
	if (!ret)
		ret = image_recognise(image);
	image->bad = ret;
	if (ret)
		image->size = 0;	/* out of the placement and of every check */
	return ret;
}

/* Where vCPU 0 begins: in the first image that can be started. */
static void set_entries(struct machine *m)
{
	m->entry = MACHINE_AUTO;
	for (size_t i = 0; i < m->image_count; i++) {
		struct image *image = &m->image[i];

		if (!image->size || !starts(image))
			continue;
		if (image->kind != IMAGE_ELF && image->kind != IMAGE_MULTIBOOT)
			image->entry = image->gpa;
		if (image->kind == IMAGE_LINUX_X86 && bzimage_is_64(image))
			image->entry += BZIMAGE_ENTRY_64;
		if (m->entry == MACHINE_AUTO)
			m->entry = image->entry;
	}
}

static int write_fdt(struct machine *m)
{
	size_t size;

	if (!m->fdt_wanted)
		return 0;
	free(m->fdt_blob);
	if (fdt_build(m, &m->fdt_blob, &size))
		return -1;
	for (size_t i = 0; i < m->image_count; i++) {
		const struct image *image = &m->image[i];

		if (image->kind == IMAGE_FDT && image->data && !image->bad &&
		    fdt_merge(m, image, &m->fdt_blob, &size))
			return -1;
	}
	m->fdt_size = size;
	return 0;
}

int boot_prepare(struct machine *m)
{
	unsigned int before = log_error_count();

	for (size_t i = 0; i < m->image_count; i++)
		image_prepare(m, &m->image[i]);
	image_split(m);
	if (write_fdt(m))		/* for its size */
		return -1;
	boot_place(m);
	set_entries(m);
	if (write_fdt(m))		/* with the final addresses */
		return -1;
	if (m->arch == MACHINE_X86 && x86_boot_prepare(m))
		return -1;
	return log_error_count() == before ? 0 : -1;
}

static int load_blobs(const struct machine *m)
{
	for (size_t i = 0; i < m->blob_count; i++) {
		const struct blob *blob = &m->blob[i];
		void *memory = machine_hva(m, blob->gpa, blob->size);

		if (!memory) {
			log_error("%s: no memory at 0x%" PRIx64, blob->name, blob->gpa);
			return -1;
		}
		memcpy(memory, blob->data, blob->size);
	}
	return 0;
}

int boot_load(struct machine *m)
{
	void *memory;

	for (size_t i = 0; i < m->image_count; i++) {
		struct image *image = &m->image[i];

		if (image->kind == IMAGE_FDT || !image->size)
			continue;	/* it is inside something else */
		memory = machine_hva(m, image->gpa, image->size);
		if (!memory) {
			log_error("%s: no memory at 0x%" PRIx64, image->path, image->gpa);
			return -1;
		}
		if (image_format_of(image)->part)
			image_copy_parts(image, memory);
		else
			image_format_of(image)->copy(image, memory);
		free(image->data);
		image->data = NULL;
	}
	if (load_blobs(m))
		return -1;
	if (!m->fdt_wanted)
		return 0;
	memory = machine_hva(m, m->fdt_gpa, m->fdt_size);
	if (!memory) {
		log_error("fdt: no memory at 0x%" PRIx64, m->fdt_gpa);
		return -1;
	}
	memcpy(memory, m->fdt_blob, m->fdt_size);
	return 0;
}

int boot_dump_fdt(const struct machine *m)
{
	FILE *file;
	bool done;

	if (!m->fdt_dump_file || !m->fdt_blob)
		return 0;
	file = fopen(m->fdt_dump_file, "we");
	done = file && fwrite(m->fdt_blob, m->fdt_size, 1, file) == 1;
	if (file && fclose(file))
		done = false;
	if (!done) {
		log_error("FDT not saved to '%s': %s", m->fdt_dump_file, strerror(errno));
		return -1;
	}
	log_info("FDT saved to '%s'", m->fdt_dump_file);
	return 0;
}
