// SPDX-License-Identifier: GPL-2.0-only
/*
 * `qvm host`. Everything is read from files that any user can read; what those can't tell is
 * said to be unknown, and insmod has the last word.
 */
#include "host.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

#define bit_VMX		(1 << 5)

#define COUNT(array)		(sizeof(array) / sizeof((array)[0]))
#define TEXT_SIZE		4096
#define KERNEL_OLDEST		(6 * 1000 + 1)		/* 6.1 */
#define KERNEL_NO_CR4_EXPORT	(6 * 1000 + 19)		/* 6.19 */
#define PAGE_SIZE_NEEDED	4096
#define SUPPORTED		"arm64 VHE and nVHE, x86 VMX"
#define FEATURE_CONTROL		0x3a	/* SDM vol. 4, IA32_FEATURE_CONTROL */
#define FEATURE_LOCKED		(1 << 0)
#define FEATURE_VMX		(1 << 2)	/* outside of SMX */

enum verdict {
	GOOD,
	NOTE,		/* worth doing, doesn't stop a VM */
	STOPS,		/* no VM before this is cured */
};

struct host {
	const char *machine, *release;		/* as uname has them */
	bool cpuid_vmx;				/* x86: the CPU's own word; the kernel hides what is locked */
	enum verdict worst;
};

static const char *root = "";			/* before every path: a test's own files */

static void say(struct host *host, enum verdict verdict, const char *topic, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void say(struct host *host, enum verdict verdict, const char *topic, const char *format, ...)
{
	static const char *const marks[] = { [GOOD] = "ok", [NOTE] = "note", [STOPS] = "no" };
	va_list args;

	printf("%-5s %-12s ", marks[verdict], topic);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (verdict > host->worst)
		host->worst = verdict;
}

/* ---- files ---- */

static FILE *open_file(const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return fopen(full, "re");
}

static bool exists(const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return access(full, F_OK) == 0;
}

/* Up to size - 1 bytes of the file, as a string ("" if it can't be read); how many. */
static size_t read_text(const char *path, char *text, size_t size)
{
	FILE *file = open_file(path);
	size_t length = 0;

	if (file) {
		length = fread(text, 1, size - 1, file);
		fclose(file);
	}
	text[length] = '\0';
	return length;
}

/* True if @word stands alone in @text, between blanks or ends. */
static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
		if ((at == text || strchr(" \t\n", at[-1])) && strchr(" \t\n", at[length]))
			return true;
	}
	return false;
}

/* The line of /proc/cpuinfo that begins with @key, from its colon on; "" if there is none. */
static void cpuinfo(const char *key, char *text, size_t size)
{
	char line[TEXT_SIZE];
	FILE *file = open_file("/proc/cpuinfo");

	text[0] = '\0';
	while (file && text[0] == '\0' && fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');

		if (!colon || strncmp(line, key, strlen(key)))
			continue;
		line[strcspn(line, "\n")] = '\0';
		colon += strspn(colon, ": \t");
		snprintf(text, size, "%s", colon);
	}
	if (file)
		fclose(file);
}

/* Where the file has "[word]", as sysfs marks the choice in force, copy the word. */
static void read_choice(const char *path, char *choice, size_t size)
{
	char text[256], *open, *close;

	read_text(path, text, sizeof(text));
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	snprintf(choice, size, "%.*s", close ? (int)(close - open - 1) : 0, close ? open + 1 : "");
}

/* ---- arm64 ---- */

/* VHE came with Armv8.1, and so did the LSE atomics, which user space is told of. */
static void check_cpu_arm64(struct host *host)
{
	char implementer[64], part[64], features[TEXT_SIZE];

	cpuinfo("CPU implementer", implementer, sizeof(implementer));
	cpuinfo("CPU part", part, sizeof(part));
	cpuinfo("Features", features, sizeof(features));
	if (has_word(features, "atomics"))
		say(host, GOOD, "cpu", "implementer %s, part %s: Armv8.1 or newer, so it has VHE",
		    implementer, part);
	else
		say(host, GOOD, "cpu", "implementer %s, part %s: Armv8.0, without VHE: the kernel is at EL1, guests are entered by its stub at EL2",
		    implementer, part);
}

static void check_owner_arm64(struct host *host)
{
	char cmdline[TEXT_SIZE], method[16];

	read_text("/proc/cmdline", cmdline, sizeof(cmdline));
	read_text("/proc/device-tree/psci/method", method, sizeof(method));
	if (exists("/dev/qvm"))
		say(host, GOOD, "EL2", "held by qvm");
	else if (exists("/dev/kvm"))
		say(host, STOPS, "EL2", "held by KVM; boot with kvm-arm.mode=none (GRUB: GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub; extlinux.conf: append; Raspberry Pi: cmdline.txt)");
	else if (strcmp(method, "hvc") == 0)
		say(host, STOPS, "EL2", "belongs to a hypervisor below this machine; use the machine itself, or a VM with nested virtualisation");
	else if (has_word(cmdline, "kvm-arm.mode=none"))
		say(host, GOOD, "EL2", "left free by kvm-arm.mode=none");
	else if (exists("/sys/module/kvm"))
		say(host, STOPS, "EL2", "KVM is in the kernel and found no EL2: firmware started the kernel at EL1; look for virtualisation in its settings");
	else
		say(host, NOTE, "EL2", "no KVM in this kernel, so it should be free; insmod will say");
}

static void check_gic(struct host *host)
{
	char line[1024];
	FILE *file = open_file("/proc/interrupts");
	bool v3 = false, v2 = false;

	while (file && fgets(line, sizeof(line), file)) {
		v3 |= has_word(line, "GICv3");
		v2 |= has_word(line, "GICv2") || has_word(line, "GIC-0");
	}
	if (file)
		fclose(file);
	if (v3)
		say(host, GOOD, "GIC", "GICv3 or newer");
	else if (v2)
		say(host, STOPS, "GIC", "GICv2; this version needs a GICv3 with its virtual interface");
	else
		say(host, NOTE, "GIC", "unknown from /proc/interrupts; a GICv3 is needed, insmod will say");
}

/* ---- x86 ---- */

static void check_cpu_x86(struct host *host)
{
	char model[256], vendor[64], flags[TEXT_SIZE];

	cpuinfo("model name", model, sizeof(model));
	cpuinfo("vendor_id", vendor, sizeof(vendor));
	cpuinfo("flags", flags, sizeof(flags));
	if (has_word(flags, "vmx") || host->cpuid_vmx)
		say(host, GOOD, "cpu", "%s: VT-x (vmx)", model);
	else if (has_word(flags, "svm") || !strcmp(vendor, "AuthenticAMD"))
		say(host, STOPS, "cpu", "%s: AMD's CPUs have AMD-V (svm), and this version needs VT-x", model);
	else if (has_word(flags, "hypervisor"))
		say(host, STOPS, "cpu", "%s: no vmx, for this is a VM; give it nested virtualisation, or use the machine itself", model);
	else
		say(host, STOPS, "cpu", "%s: no vmx; look for virtualisation in the firmware's settings", model);
}

/* A module that can be unloaded has a reference count; what is built in has none. */
static void check_owner_x86(struct host *host)
{
	char enabled[8], users[16];

	read_text("/sys/module/kvm/parameters/enable_virt_at_load", enabled, sizeof(enabled));
	read_text("/sys/module/kvm_intel/refcnt", users, sizeof(users));
	if (exists("/dev/qvm"))
		say(host, GOOD, "VMX", "held by qvm");
	else if (users[0])
		say(host, STOPS, "VMX", "held by KVM; %smodprobe -r kvm_intel%s",
		    users[0] == '0' ? "" : "end the VMs that it runs, then ", enabled[0] == 'Y' ?
		    "; or, to keep it for later, load it with kvm.enable_virt_at_load=0" : "");
	else if (exists("/sys/module/kvm_intel"))
		say(host, STOPS, "VMX", "held by KVM, which is built into this kernel; boot with initcall_blacklist=vmx_init, or another kernel");
	else
		say(host, GOOD, "VMX", "not held by KVM");
}

/*
 * Linux takes vmx out of the flags where firmware has locked it off. Who looks closer, at
 * IA32_FEATURE_CONTROL, must be root and have the msr driver.
 */
static void check_firmware_x86(struct host *host)
{
	char flags[TEXT_SIZE];
	uint64_t value;
	FILE *file = open_file("/dev/cpu/0/msr");
	bool known = file && !fseek(file, FEATURE_CONTROL, SEEK_SET) &&
		     fread(&value, sizeof(value), 1, file) == 1;
	bool locked = known && (value & FEATURE_LOCKED) && !(value & FEATURE_VMX);
	bool is_seen;

	if (file)
		fclose(file);
	cpuinfo("flags", flags, sizeof(flags));
	is_seen = has_word(flags, "vmx");
	if (!is_seen && !host->cpuid_vmx)
		return;		/* the CPU's line has said it */
	if (locked || (!is_seen && !known))
		say(host, STOPS, "firmware", "it has locked VMX off; switch virtualisation on in its settings");
	else if (!is_seen)
		say(host, STOPS, "firmware", "it leaves VMX on, and the kernel hides it; see clearcpuid= on its command line");
	else
		say(host, GOOD, "firmware", "it leaves VMX on");
}

/* With FRED an event reaches the kernel in another way than this version hands them over. */
static void check_fred(struct host *host)
{
	char flags[TEXT_SIZE];

	cpuinfo("flags", flags, sizeof(flags));
	if (has_word(flags, "fred"))
		say(host, STOPS, "FRED", "in use; boot with fred=off");
	else
		say(host, GOOD, "FRED", "not in use");
}

/* ---- both ---- */

static unsigned int kernel_version(const struct host *host)
{
	unsigned int major = 0, minor = 0;

	sscanf(host->release, "%u.%u", &major, &minor);
	return major * 1000 + minor;
}

static void check_kernel(struct host *host)
{
	if (kernel_version(host) < KERNEL_OLDEST)
		say(host, STOPS, "kernel", "%s; 6.1 is the oldest that the module is built for", host->release);
	else
		say(host, GOOD, "kernel", "%s; tested are 6.1 and 6.12", host->release);
}

static void check_exports_arm64(struct host *host)
{
	say(host, GOOD, "exports", "all that the module needs has been exported since 6.1");
}

static void check_exports_x86(struct host *host)
{
	if (kernel_version(host) >= KERNEL_NO_CR4_EXPORT)
		say(host, NOTE, "exports", "no cr4 helpers since 6.19: VMX is entered and left in each run section");
	else
		say(host, GOOD, "exports", "cr4 helpers are exported: VMX stays on while the module is loaded");
}

static void check_headers(struct host *host)
{
	char path[512];

	snprintf(path, sizeof(path), "/lib/modules/%s/build", host->release);
	if (exists(path))
		say(host, GOOD, "headers", "%s", path);
	else
		say(host, NOTE, "headers", "not here, so the module can't be built here; apt install linux-headers-%s",
		    host->release);
}

static void check_page_size(struct host *host)
{
	long size = sysconf(_SC_PAGESIZE);

	if (size == PAGE_SIZE_NEEDED)
		say(host, GOOD, "page size", "4 KiB");
	else
		say(host, STOPS, "page size", "%ld KiB; boot a kernel with 4 KiB pages (Debian: linux-image-arm64; Raspberry Pi: kernel=kernel8.img in config.txt)",
		    size / 1024);
}

static bool is_secure_boot(void)
{
	/* 4 bytes of attributes, 1 of data */
	char value[8];
	size_t size = read_text("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
				value, sizeof(value));

	return size == 5 && value[4] == 1;
}

static void check_lockdown(struct host *host)
{
	const char *boot = is_secure_boot() ? "on" : "off";
	char lockdown[32], enforce[8];

	read_choice("/sys/kernel/security/lockdown", lockdown, sizeof(lockdown));
	read_text("/sys/module/module/parameters/sig_enforce", enforce, sizeof(enforce));
	if ((lockdown[0] && strcmp(lockdown, "none")) || enforce[0] == 'Y')
		say(host, NOTE, "secure boot", "%s, lockdown %s: only signed modules load; sign qvm.ko with a key of yours and enrol that (mokutil --import), or switch Secure Boot off",
		    boot, lockdown[0] ? lockdown : "unknown");
	else
		say(host, GOOD, "secure boot", "%s, lockdown %s", boot, lockdown[0] ? lockdown : "none");
}

static void check_memlock(struct host *host)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur == RLIM_INFINITY)
		say(host, GOOD, "memlock", "unlimited");
	else if (geteuid() == 0)
		say(host, GOOD, "memlock", "no limit for root");
	else
		say(host, NOTE, "memlock", "a VM of this user can have %llu MiB; as root, or after 'ulimit -l unlimited' (memlock in /etc/security/limits.conf), more",
		    (unsigned long long)limit.rlim_cur >> 20);
}

static void check_huge_pages(struct host *host)
{
	char mode[32];

	read_choice("/sys/kernel/mm/transparent_hugepage/enabled", mode, sizeof(mode));
	if (strcmp(mode, "always") == 0 || strcmp(mode, "madvise") == 0)
		say(host, GOOD, "huge pages", "transparent, %s", mode);
	else
		say(host, NOTE, "huge pages", "%s: a VM runs, slower; echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
		    mode[0] ? mode : "not in this kernel");
}

static void check_module(struct host *host)
{
	if (exists("/dev/qvm"))
		say(host, GOOD, "module", "loaded");
	else
		say(host, NOTE, "module", "not loaded; make insmod");
}

/* ---- what this version supports ---- */

typedef void (*check)(struct host *host);

static const check checks_arm64[] = {
	check_cpu_arm64, check_owner_arm64, check_kernel, check_exports_arm64, check_headers,
	check_page_size, check_gic, check_lockdown, check_memlock, check_huge_pages, check_module,
	NULL,
};

static const check checks_x86[] = {
	check_cpu_x86, check_firmware_x86, check_owner_x86, check_fred, check_kernel, check_exports_x86, check_headers,
	check_page_size, check_lockdown, check_memlock, check_huge_pages, check_module,
	NULL,
};

static const check checks_other[] = { check_kernel, check_page_size, NULL };

/* The first row whose machine is uname's; the last one is for any. */
static const struct platform {
	const char *machine;
	enum verdict verdict;
	const char *text;
	const check *checks;
} platforms[] = {
	{ "aarch64", GOOD, "this version supports: " SUPPORTED, checks_arm64 },
	{ "x86_64", GOOD, "this version supports: " SUPPORTED, checks_x86 },
	{ "", STOPS, "this version supports: " SUPPORTED, checks_other },
};

static const struct platform *platform_find(const char *machine)
{
	const struct platform *platform = platforms;

	while (platform->machine[0] && strcmp(platform->machine, machine))
		platform++;
	return platform;
}

int host_report_of(const char *files, const char *machine, const char *release, bool cpuid_vmx)
{
	struct host host = { machine, release, cpuid_vmx, GOOD };
	const struct platform *platform = platform_find(machine);

	root = files;
	for (const check *next = platform->checks; *next; next++)
		(*next)(&host);
	say(&host, platform->verdict, "support", "%s", platform->text);
	puts(host.worst == STOPS ? "can run: no, use make demo" : "can run: yes");
	return host.worst == STOPS;
}

/* CPUID.1:ECX.VMX (SDM vol. 3 23.6). */
static bool cpuid_has_vmx(void)
{
#ifdef __x86_64__
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & bit_VMX;
#else
	return false;
#endif
}

int host_report(void)
{
	struct utsname uts;

	uname(&uts);
	return host_report_of("", uts.machine, uts.release, cpuid_has_vmx());
}
