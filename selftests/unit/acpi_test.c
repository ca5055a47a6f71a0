// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/config/yaml.c launcher/config/node.c launcher/config/schema.c launcher/config/schema_table.c launcher/config/schema_device.c launcher/dev/load.c launcher/config/value.c launcher/config/override.c launcher/config/config.c launcher/config/nearest.c launcher/config/subst.c launcher/config/text.c launcher/config/asinfo.c launcher/config/qvmconf.c launcher/config/qvmconf_lex.c launcher/config/qvmconf_value.c launcher/config/qvmconf_words.c
// LINK: launcher/machine/*.c launcher/dev/device_option.c launcher/dev/device_host.c launcher/dev/device_node.c launcher/util/log.c launcher/util/alloc.c launcher/boot/acpi.c launcher/boot/aml.c launcher/boot/mptable.c
/* The ACPI tables: checksums, what they say of the board, and what ACPICA's compiler makes of them. */
#include "launcher.h"

#include "boot/acpi.h"
#include "boot/mptable.h"

#define GPA	0xe0000

static uint8_t area[ACPI_SIZE_MAX];

static uint64_t get(const uint8_t *bytes, size_t at, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)bytes[at + i] << 8 * i;
	return value;
}

static size_t tables_build(const char *yaml)
{
	struct node *root = launcher_config(yaml);
	struct machine m;
	size_t size;

	machine_build(&m, root);
	memset(area, 0, sizeof(area));
	size = acpi_build(&m, area, GPA);
	machine_fini(&m);
	node_destroy(root);
	return size;
}

static uint8_t sum(const uint8_t *bytes, size_t size)
{
	uint8_t all = 0;

	for (size_t i = 0; i < size; i++)
		all += bytes[i];
	return all;
}

/* The table at @gpa, which must be whole. */
static const uint8_t *table_at(uint64_t gpa, const char *signature)
{
	static const uint8_t none[512];
	const uint8_t *table = area + (gpa - GPA);

	if (gpa < GPA || gpa >= GPA + sizeof(area) || memcmp(table, signature, 4)) {
		unit_fail("no %s at %#llx", signature, (unsigned long long)gpa);
		return none;
	}
	if (memcmp(signature, "FACS", 4))
		CHECK_EQ(sum(table, get(table, 4, 4)), 0);
	return table;
}

static const uint8_t *find_table(const char *signature)
{
	const uint8_t *xsdt = table_at(get(area, 24, 8), "XSDT");
	unsigned int row = memcmp(signature, "FACP", 4) ? 1 : 0;

	return table_at(get(xsdt, 36 + 8 * row, 8), signature);
}

#define PC	"arch: x86\nmemory: [ram: 64M]\ncpus: 3\n" \
		"devices: [8259: {}, ioapic: {}, timer8254: {}, mc146818: {}, acpi-pm: {}, " \
		"pckeyboard: {}, ser8250: {}, ser8250: {}]\n"

TEST(roots_lead_to_the_tables)
{
	const uint8_t *rsdt, *xsdt, *fadt;
	size_t size = tables_build(PC);

	CHECK(size < ACPI_SIZE_MAX);
	CHECK(!memcmp(area, "RSD PTR ", 8));
	CHECK_EQ(sum(area, 20), 0);
	CHECK_EQ(sum(area, 36), 0);
	rsdt = table_at(get(area, 16, 4), "RSDT");
	xsdt = table_at(get(area, 24, 8), "XSDT");
	CHECK_EQ(get(rsdt, 36, 4), get(xsdt, 36, 8));
	CHECK_EQ(get(rsdt, 40, 4), get(xsdt, 44, 8));
	fadt = find_table("FACP");
	CHECK_EQ(get(fadt, 4, 4), 276);
	table_at(get(fadt, 40, 4), "DSDT");
	CHECK_EQ(get(fadt, 40, 4), get(fadt, 140, 8));
	table_at(get(fadt, 36, 4), "FACS");
	CHECK_EQ(get(fadt, 36, 4) % 64, 0);
	find_table("APIC");
}

TEST(fadt_says_what_is_there)
{
	const uint8_t *fadt;

	tables_build(PC);
	fadt = find_table("FACP");
	CHECK_EQ(get(fadt, 46, 2), 9);
	CHECK_EQ(get(fadt, 56, 4), 0x600);
	CHECK_EQ(get(fadt, 64, 4), 0x604);
	CHECK_EQ(get(fadt, 76, 4), 0x608);
	CHECK_EQ(get(fadt, 120, 8), 0x60c);		/* reset register */
	CHECK_EQ(fadt[128], 6);
	CHECK_EQ(get(fadt, 109, 2), 0x0f);		/* legacy, 8042, no VGA, no MSI */
	CHECK_EQ(get(fadt, 112, 4), 0x565);
	tables_build("arch: x86\nmemory: [ram: 64M]\n");
	fadt = find_table("FACP");
	CHECK_EQ(get(fadt, 109, 2), 0x2c);		/* no VGA, MSI, RTC */
	CHECK_EQ(get(fadt, 112, 4), 0x100075);		/* hardware-reduced */
	CHECK_EQ(get(fadt, 56, 4), 0);
}

TEST(madt_lists_the_controllers)
{
	const uint8_t *madt;

	tables_build(PC);
	madt = find_table("APIC");
	CHECK_EQ(get(madt, 36, 4), 0xfee00000);
	CHECK_EQ(get(madt, 40, 4), 1);
	for (unsigned int i = 0; i < 3; i++) {
		const uint8_t *lapic = madt + 44 + 8 * i;

		CHECK_EQ(get(lapic, 0, 2), 0x0800);
		CHECK_EQ(lapic[2], i);
		CHECK_EQ(lapic[3], i);
		CHECK_EQ(get(lapic, 4, 4), 1);
	}
	CHECK_EQ(get(madt, 68, 2), 0x0c01);
	CHECK_EQ(get(madt, 72, 4), 0xfec00000);
	CHECK_EQ(get(madt, 80, 8), 0x200000a02);	/* timer: bus 0, line 0 is GSI 2 */
	CHECK_EQ(get(madt, 90, 8), 0x909000a02);
	CHECK_EQ(get(madt, 98, 2), 0xd);
	CHECK_EQ(get(madt, 100, 6), 0x10000ff0604);
	CHECK_EQ(get(madt, 4, 4), 106);
}

/* What the config brings is in both roots: in the area, or where it says. */
TEST(tables_of_the_config)
{
	static uint8_t ssdt[40] = "SSDT\x28";
	struct node *root = launcher_config(PC "load: [{acpi: a}, {acpi: b, at: 0x200000}, {acpi: c}]\n");
	const uint8_t *xsdt, *rsdt;
	struct machine m;

	machine_build(&m, root);
	ssdt[9] = (uint8_t)-sum(ssdt, sizeof(ssdt));
	for (size_t i = 0; i < m.image_count; i++) {
		m.image[i].kind = IMAGE_ACPI;
		m.image[i].data = memcpy(malloc(sizeof(ssdt)), ssdt, sizeof(ssdt));
		m.image[i].data_size = sizeof(ssdt);
	}
	m.image[2].bad = true;
	memset(area, 0, sizeof(area));
	CHECK(acpi_build(&m, area, GPA) < ACPI_SIZE_MAX);
	rsdt = table_at(get(area, 16, 4), "RSDT");
	xsdt = table_at(get(area, 24, 8), "XSDT");
	CHECK_EQ(get(rsdt, 4, 4), 36 + 4 * 4);
	CHECK_EQ(get(xsdt, 4, 4), 36 + 4 * 8);
	table_at(get(xsdt, 36 + 2 * 8, 8), "SSDT");
	CHECK_EQ(get(rsdt, 36 + 2 * 4, 4), get(xsdt, 36 + 2 * 8, 8));
	CHECK_EQ(get(xsdt, 36 + 3 * 8, 8), 0x200000);
	CHECK_EQ(get(rsdt, 36 + 3 * 4, 4), 0x200000);
	machine_fini(&m);
	node_destroy(root);
}

TEST(largest_machine_fits)
{
	char yaml[2048] = "arch: x86\nmemory: [ram: 64M]\ncpus: 64\ndevices: [8259: {}, ioapic: {}, "
			  "acpi-pm: {}, mc146818: {}";

	for (int i = 0; i < 12; i++)
		strcat(yaml, ", ser8250: {}");
	strcat(yaml, "]\n");
	CHECK(tables_build(yaml) < ACPI_SIZE_MAX);
	CHECK_EQ(get(find_table("APIC"), 4, 4), 44 + 64 * 8 + 12 + 10 + 6);
}

/* ---- MP table ---- */

static size_t mptable_of(const char *yaml)
{
	struct node *root = launcher_config(yaml);
	struct machine m;
	size_t size;

	machine_build(&m, root);
	memset(area, 0, sizeof(area));
	size = mptable_build(&m, area, 0xf0000);
	machine_fini(&m);
	node_destroy(root);
	return size;
}

TEST(mptable)
{
	const uint8_t *table = area + 16, *entry = table + 44;
	size_t size = mptable_of(PC);

	CHECK_EQ(size, 16 + get(table, 4, 2));
	CHECK(!memcmp(area, "_MP_", 4));
	CHECK_EQ(get(area, 4, 4), 0xf0010);
	CHECK_EQ(get(area, 8, 2), 0x401);
	CHECK_EQ(sum(area, 16), 0);
	CHECK_EQ(get(area, 11, 5), 0);			/* no default configuration, virtual wire */
	CHECK(!memcmp(table, "PCMP", 4));
	CHECK_EQ(table[6], 4);
	CHECK_EQ(sum(table, get(table, 4, 2)), 0);
	CHECK_EQ(get(table, 34, 2), 3 + 1 + 1 + 15 + 2);
	CHECK_EQ(get(table, 36, 4), 0xfee00000);
	for (unsigned int i = 0; i < 3; i++, entry += 20) {
		CHECK_EQ(get(entry, 0, 4), (i ? 1 : 3) << 24 | 0x14 << 16 | i << 8);
		CHECK_EQ(get(entry, 8, 4), 0x201);
	}
	CHECK(!memcmp(entry, "\1\0ISA   ", 8));
	CHECK_EQ(get(entry, 8, 8), 0xfec0000001200002);
	entry += 16;
	for (unsigned int irq = 0; irq < 16; irq++) {
		if (irq == 2)
			continue;
		CHECK_EQ(get(entry, 0, 4), (irq == 9 ? 0xd : 0) << 16 | 3);
		CHECK_EQ(get(entry, 4, 4), (irq ? irq : 2) << 24 | irq << 8);
		entry += 8;
	}
	CHECK_EQ(get(entry, 0, 8), 0x0000000000000304);		/* ExtINT: LINT0 of the first */
	CHECK_EQ(get(entry, 8, 8), 0x01ff000000000104);		/* NMI: LINT1 of all */
	CHECK(entry + 16 == area + size);
}

TEST(mptable_of_other_boards)
{
	const uint8_t *table = area + 16;

	CHECK_EQ(mptable_of("arch: x86\nmemory: [ram: 64M]\ndevices: [8259: {}]\n"), 0);
	/* no timer: no line is elsewhere */
	CHECK_EQ(mptable_of("arch: x86\nmemory: [ram: 64M]\ndevices: [ioapic: {}]\n"), 16 + 44 + 20 + 19 * 8);
	CHECK_EQ(get(table, 34, 2), 1 + 1 + 1 + 16 + 1);
	CHECK_EQ(get(table, 44 + 20 + 16 + 4, 4), 0);
	CHECK_EQ(get(table, 44 + 20 + 16 + 20, 4), 0x02000200);
	CHECK(mptable_of("arch: x86\nmemory: [ram: 64M]\ncpus: 64\ndevices: [ioapic: {}, 8259: {}]\n") <
	      MPTABLE_SIZE_MAX);
	CHECK_EQ(sum(table, get(table, 4, 2)), 0);
}

/* ---- by ACPICA's compiler, iasl ---- */

static char folder[] = "/tmp/qvm-acpi-XXXXXX";

static void save(const char *name, const uint8_t *table)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.aml", folder, name);
	file = fopen(path, "w");
	if (!file || fwrite(table, get(table, 4, 4), 1, file) != 1)
		abort();
	fclose(file);
}

static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int run(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command);
}

TEST(iasl_reads_every_table)
{
	static const char *const names[] = { "FACP", "APIC", "DSDT" };

	if (run("command -v iasl > /dev/null")) {
		unit_fail("no iasl here: make deps");
		return;
	}
	REQUIRE(mkdtemp(folder));
	tables_build(PC);
	save("FACP", find_table("FACP"));
	save("APIC", find_table("APIC"));
	save("DSDT", table_at(get(find_table("FACP"), 40, 4), "DSDT"));
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(run("cd %s && iasl -d %s.aml > %s.log 2>&1", folder, names[i], names[i]), 0);
		CHECK(run("grep -qi 'invalid\\|error\\|warning\\|incorrect' %s/%s.log", folder,
			  names[i]));
	}
	/* Back again: the same bytes but for who compiled it, and the checksum. */
	CHECK_EQ(run("cd %s && iasl -oa -p again DSDT.dsl > again.log 2>&1", folder), 0);
	CHECK_EQ(run("grep -q '0 Errors' %s/again.log", folder), 0);
	CHECK_EQ(run("cd %s && grep -q 'Device (COM2)' DSDT.dsl && grep -q 'PNP0501' DSDT.dsl && "
		     "grep -q 'PNP0B00' DSDT.dsl && grep -q '_S5' DSDT.dsl && grep -q '0x02F8' DSDT.dsl",
		     folder), 0);
	run("rm -r %s", folder);
}
