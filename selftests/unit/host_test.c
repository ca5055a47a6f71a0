// SPDX-License-Identifier: GPL-2.0-only
// LINK: launcher/host.c
/* `qvm host` on machines that nobody has here: a folder stands in for what each has in /proc, /sys and /dev. */
#include "unit.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

static char files[] = "/tmp/qvm-host-XXXXXX";
static char report[8192];

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command))
		abort();
}

static void put(const char *path, const void *data, size_t size)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", files, path);
	run("mkdir -p $(dirname %s)", full);
	file = fopen(full, "w");
	if (!file || fwrite(data, 1, size, file) != size)
		abort();
	fclose(file);
}

static void put_text(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

/* What IA32_FEATURE_CONTROL reads as: behind 0x3a bytes of the device's file. */
static void put_feature_control(unsigned char value)
{
	unsigned char msrs[0x3a + 8] = { 0 };

	msrs[0x3a] = value;
	put("/dev/cpu/0/msr", msrs, sizeof(msrs));
}

static void put_cpu(const char *vendor, const char *flags)
{
	char text[512];

	snprintf(text, sizeof(text), "processor\t: 0\nvendor_id\t: %s\nmodel name\t: Some CPU\nflags\t\t: %s\n",
		 vendor, flags);
	put_text("/proc/cpuinfo", text);
}

/* A PC that can, but for what a test changes. */
static void set_up(void)
{
	if (files[sizeof(files) - 2] == 'X' && !mkdtemp(files))
		abort();
	run("rm -rf %s", files);
	put_cpu("GenuineIntel", "fpu vmx ept");
	put_feature_control(5);
	put_text("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	put_text("/sys/module/module/parameters/sig_enforce", "N\n");
}

static bool cpuid_vmx;

/* host_report_of(), its output in `report`. */
static int look(const char *machine, const char *release)
{
	char path[256];
	int saved = dup(1), status;
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "%s/report", files);
	fflush(stdout);
	if (!freopen(path, "w", stdout))
		abort();
	status = host_report_of(files, machine, release, cpuid_vmx);
	fflush(stdout);
	dup2(saved, 1);
	close(saved);
	file = fopen(path, "r");
	length = fread(report, 1, sizeof(report) - 1, file);
	report[length] = '\0';
	fclose(file);
	return status;
}

#define SAYS(text)	CHECK(strstr(report, text))
#define SAYS_NOT(text)	CHECK(!strstr(report, text))

TEST(a_pc_that_can)
{
	set_up();
	CHECK_EQ(look("x86_64", "6.1.0-50-amd64"), 0);
	SAYS("ok    cpu          Some CPU: VT-x (vmx)");
	SAYS("ok    firmware     it leaves VMX on");
	SAYS("ok    VMX          not held by KVM");
	SAYS("ok    FRED         not in use");
	SAYS("ok    secure boot  off, lockdown none");
	SAYS("can run: yes");
}

TEST(no_vmx)
{
	set_up();
	put_cpu("GenuineIntel", "fpu");
	CHECK_EQ(look("x86_64", "6.1.0"), 1);
	SAYS("no    cpu          Some CPU: no vmx; look for virtualisation in the firmware's settings");
	put_cpu("GenuineIntel", "fpu hypervisor");
	CHECK_EQ(look("x86_64", "6.1.0"), 1);
	SAYS("no vmx, for this is a VM; give it nested virtualisation");
	SAYS_NOT("firmware ");
}

TEST(amd)
{
	set_up();
	put_cpu("AuthenticAMD", "fpu svm npt");
	CHECK_EQ(look("x86_64", "6.12.1"), 1);
	SAYS("no    cpu          Some CPU: AMD's CPUs have AMD-V (svm), and this version needs VT-x");
	SAYS("can run: no");
	put_cpu("AuthenticAMD", "fpu");		/* switched off by firmware */
	CHECK_EQ(look("x86_64", "6.12.1"), 1);
	SAYS("AMD's CPUs");
}

TEST(the_firmware_has_locked_it)
{
	set_up();
	put_cpu("GenuineIntel", "fpu ept");	/* Linux takes it out */
	cpuid_vmx = true;
	put_feature_control(1);
	CHECK_EQ(look("x86_64", "6.1.0"), 1);
	SAYS("no    firmware     it has locked VMX off; switch virtualisation on in its settings");
	run("rm %s/dev/cpu/0/msr", files);	/* not root */
	CHECK_EQ(look("x86_64", "6.1.0"), 1);
	SAYS("no    firmware     it has locked VMX off");
	put_feature_control(3);			/* in SMX operation alone */
	CHECK_EQ(look("x86_64", "6.1.0"), 1);
	SAYS("no    firmware     it has locked VMX off");
	put_feature_control(5);
	CHECK_EQ(look("x86_64", "6.1.0"), 1);
	SAYS("no    firmware     it leaves VMX on, and the kernel hides it; see clearcpuid=");
	put_cpu("GenuineIntel", "fpu vmx ept");	/* a kernel that does not look */
	put_feature_control(1);
	CHECK_EQ(look("x86_64", "6.1.0"), 1);
	SAYS("no    firmware     it has locked VMX off");
	cpuid_vmx = false;
}

TEST(kvm_has_it)
{
	set_up();
	put_text("/sys/module/kvm_intel/refcnt", "0\n");
	CHECK_EQ(look("x86_64", "6.1.0"), 1);
	SAYS("no    VMX          held by KVM; modprobe -r kvm_intel\n");
	put_text("/sys/module/kvm_intel/refcnt", "3\n");
	CHECK_EQ(look("x86_64", "6.1.0"), 1);
	SAYS("no    VMX          held by KVM; end the VMs that it runs, then modprobe -r kvm_intel\n");
	put_text("/sys/module/kvm/parameters/enable_virt_at_load", "Y\n");
	CHECK_EQ(look("x86_64", "6.12.1"), 1);
	SAYS("load it with kvm.enable_virt_at_load=0");
	run("rm %s/sys/module/kvm_intel/refcnt", files);
	CHECK_EQ(look("x86_64", "6.12.1"), 1);
	SAYS("KVM, which is built into this kernel");
	put_text("/dev/qvm", "");
	CHECK_EQ(look("x86_64", "6.12.1"), 0);
	SAYS("ok    VMX          held by qvm");
}

TEST(fred)
{
	set_up();
	put_cpu("GenuineIntel", "fpu vmx fred ept");
	CHECK_EQ(look("x86_64", "6.12.1"), 1);
	SAYS("no    FRED         in use; boot with fred=off");
}

TEST(secure_boot)
{
	set_up();
	put("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", "\6\0\0\0\1", 5);
	put_text("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	CHECK_EQ(look("x86_64", "6.1.0"), 0);
	SAYS("note  secure boot  on, lockdown integrity: only signed modules load; sign qvm.ko with a key of yours");
	put("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", "\6\0\0\0\0", 5);
	put_text("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	put_text("/sys/module/module/parameters/sig_enforce", "Y\n");
	CHECK_EQ(look("x86_64", "6.1.0"), 0);
	SAYS("note  secure boot  off, lockdown none: only signed modules load");
}

TEST(kernels)
{
	set_up();
	CHECK_EQ(look("x86_64", "5.10.0-8-amd64"), 1);
	SAYS("no    kernel       5.10.0-8-amd64; 6.1 is the oldest that the module is built for");
	CHECK_EQ(look("x86_64", "7.2.13+deb14-amd64"), 0);
	SAYS("note  exports      no cr4 helpers since 6.19: VMX is entered and left in each run section");
	CHECK_EQ(look("riscv64", "6.12.1"), 1);
	SAYS("no    support      this version supports: ");
}

TEST(arm64_without_el2)
{
	set_up();
	put_text("/proc/cpuinfo", "CPU implementer\t: 0x41\nFeatures\t: fp asimd atomics\nCPU part\t: 0xd0b\n");
	put_text("/proc/interrupts", " 11:  0  GICv3  27 Level  arch_timer\n");
	put_text("/dev/kvm", "");
	CHECK_EQ(look("aarch64", "6.1.0-50-arm64"), 1);
	SAYS("held by KVM; boot with kvm-arm.mode=none");
	run("rm %s/dev/kvm", files);
	put_text("/proc/cmdline", "quiet kvm-arm.mode=none\n");
	CHECK_EQ(look("aarch64", "6.1.0-50-arm64"), 0);
	SAYS("ok    EL2          left free by kvm-arm.mode=none");
	run("rm -rf %s", files);
}
