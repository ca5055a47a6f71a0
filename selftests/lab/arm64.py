# SPDX-License-Identifier: GPL-2.0-only
"""The arm64 lab machine: QEMU's `virt` with EL2, under TCG.

A backend says what a host of this architecture is: which kernels there are, how a kernel is booted,
and where its two serial ports go. `lab` does the rest.
"""
import os

QEMU = "qemu-system-aarch64"
GET = "make deps"
DEPS_PREFIX = ""
KVM_MODULES = []                        # built in
KERNELS = ("6.1", "6.12", "6.12-rt", "6.12-16k")
CPU = "cortex-a76"                      # has VHE: the kernel stays at EL2; cortex-a72 has not
LAB_TTY = "/dev/ttyS0"                  # pci-serial, whose driver (8250_pci) is built into the stock kernels
CONSOLE = "ttyAMA0"
EFI = "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"


def emulator(opt):
    return QEMU


def cpu(opt):
    return opt.cpu or CPU


def strip(module):
    return module


def cmdline(opt):
    """The host's command line: no more than is needed, so that what works here works elsewhere."""
    words = [f"console={CONSOLE}", "loglevel=5"]
    if not opt.kvm:
        words.append("kvm-arm.mode=none")       # built in, KVM takes EL2, the timer's PPI and the GIC's at boot
    if opt.acpi:
        words.append("acpi=force")
    return " ".join(words + opt.append)


def params(opt):
    return []


def command(opt, run):
    """QEMU's argument vector. The kernel's log goes to a file, the command's tty to QEMU's stdin and stdout."""
    model = cpu(opt)
    if model == "max":
        model += ",pauth-impdef=on"               # the architected PAC algorithm is several times slower under TCG
    machine = f"virt,virtualization=on,gic-version={opt.gic}"
    argv = [QEMU, "-M", machine, "-cpu", model, "-smp", str(opt.smp), "-m", str(opt.mem),
            "-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot",
            "-chardev", f"file,id=log,path={run.path('serial.log')}", "-serial", "chardev:log",
            "-chardev", "stdio,id=io,signal=off", "-device", "pci-serial,chardev=io",
            "-kernel", run.kernel, "-initrd", run.path("initrd.cpio"), "-append", cmdline(opt)]
    if opt.acpi:
        argv += ["-bios", EFI]
    if opt.icount:
        argv += ["-icount", "shift=0,sleep=off"]
    return argv + [w for words in opt.qemu for w in words.split()]


def clean(run):
    """Remove what is too big to keep."""
    os.unlink(run.path("initrd.cpio"))
