# SPDX-License-Identifier: GPL-2.0-only
"""The x86 lab machine: a PC with VT-x, emulated by Bochs; or by QEMU where KVM offers nested VMX.

A backend says what a host of this architecture is: which kernels there are, how a kernel is booted,
and where its two serial ports go. `lab` does the rest.
"""
import gzip
import hashlib
import lzma
import os
import platform
import pty
import shutil
import struct
import subprocess
import time
import tty

KERNELS = ("6.1", "6.1-generic", "6.12", "6.1-rt", "6.12-rt", "sid")
DEPS_PREFIX = "x86-"
GET = "make deps ARCH=x86"
KVM_MODULES = ["kvm_intel"]
CPU = "corei7_haswell_4770"             # APIC virtualization, EPT A/D, shadow VMCS; no PML, no posted interrupts
LAB_TTY = "/dev/ttyS1"
CONSOLE = "ttyS0"
DEBUGGER = "debugger:"                  # --qemu words that begin so are commands for Bochs's debugger, not lines of bochsrc

# Bochs executes IPS instructions in a second of its own time, and its TSC counts them. A small number makes what
# waits quick, a large one lets the kernel's tick weigh less. The kernel is told, for CPUID would tell it wrong.
IPS = 20_000_000

# What each word is for, and what it saves in Bochs: README.md, "x86"
TRIM = ("nokaslr mitigations=off cryptomgr.notests=1 random.trust_cpu=on audit=0 apparmor=0 "
        "initcall_blacklist=load_system_certificate_list,trace_eval_init,init_kprobe_trace,cubictcp_register,ftrace_check_for_weak_functions").split()
BOCHS_TRIM = f"tsc=reliable no_timer_check tsc_early_khz={IPS // 1000} idle=halt clearcpuid=fsrm,xsaves,xsavec,pku,ht".split()


NESTED, KVM = "/sys/module/kvm_intel/parameters/nested", "/dev/kvm"


def nested():
    """Whether this machine's KVM gives VMX to its guests."""
    try:
        with open(NESTED) as f:
            return f.read().strip() in ("Y", "1") and os.access(KVM, os.R_OK | os.W_OK)
    except OSError:
        return False


def accel(opt):
    if opt.accel == "auto":
        return "kvm" if nested() else "emul"
    if opt.accel == "kvm" and not nested():
        raise ValueError("--accel kvm: this machine has no KVM with nested VMX (kvm_intel.nested=1) that we may use")
    return opt.accel


def emulator(opt):
    return "qemu-system-x86_64" if accel(opt) == "kvm" else "bochs-bin"


def cpu(opt):
    return opt.cpu or ("host" if accel(opt) == "kvm" else CPU)


def strip(module):
    """A stock module without its signature, which takes seconds to verify in Bochs."""
    end = b"~Module signature appended~\n"
    if not module.endswith(end):
        return module
    (length,) = struct.unpack(">I", module[-len(end) - 4:-len(end)])
    return module[:-len(end) - 12 - length]


def cmdline(opt):
    words = [f"console={CONSOLE},115200", "loglevel=5", "reboot=t", *TRIM]
    if accel(opt) != "kvm":
        words += BOCHS_TRIM
    return " ".join(words + opt.append)


def params(opt):
    """What qvm.ko is loaded with, before --param: Bochs delivers a virtual interrupt whatever IF says."""
    return [] if accel(opt) == "kvm" else ["apicv=0"]


def command(opt, run):
    """The emulator's argument vector. The kernel's log goes to a file; the command's tty to stdin and stdout (QEMU),
    to the FIFO run.fifo (Bochs, output alone), or to the pty whose master is run.pty (Bochs, a terminal)."""
    if accel(opt) == "kvm":
        return ["qemu-system-x86_64", "-accel", "kvm", "-cpu", cpu(opt), "-smp", str(opt.smp), "-m", str(opt.mem),
                "-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot",
                "-chardev", f"file,id=log,path={run.path('serial.log')}", "-serial", "chardev:log",
                "-chardev", "stdio,id=io,signal=off", "-serial", "chardev:io",
                "-kernel", run.kernel, "-initrd", run.path("initrd.cpio"), "-append", cmdline(opt),
                *[w for words in opt.qemu for w in words.split()]]
    with open(run.path("initrd.cpio"), "rb") as f:
        initrd = f.read()
    memory(run, opt.mem << 20, cmdline(opt), initrd)
    if opt.terminal:
        run.pty, slave = pty.openpty()
        tty.setraw(slave)
        port = f"mode=term, dev={os.ttyname(slave)}"
        run.keep = slave                        # without a slave that is open, the master reads as ended
    else:
        run.fifo = run.path("output")
        os.mkfifo(run.fifo)
        port = f"mode=file, dev={run.fifo}"
    with open(run.path("bochsrc"), "w") as f:
        f.write(f"""config_interface: textconfig
display_library: rfb, options="timeout=0"
romimage: file={bios(run)}, options=fastboot
vgaromimage: file={run.path('x86.rom')}
optramimage1: file={run.path('ram')}, address=0
memory: guest={opt.mem}, host={opt.mem}
cpu: model={cpu(opt)}, count={opt.smp}, ips={IPS}, quantum=16, reset_on_triple_fault=0, ignore_bad_msrs=1
clock: sync=none, time0={int(time.time())}
pci: enabled=1, chipset=i440fx
ata0: enabled=0
ata1: enabled=0
floppya: type=none
boot: disk
speaker: enabled=0
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
com1: enabled=1, mode=file, dev={run.path('serial.log')}
com2: enabled=1, {port}
log: {run.path('bochs.log')}
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
""" + "".join(words + "\n" for words in opt.qemu if not words.startswith(DEBUGGER)))
    commands = [words[len(DEBUGGER):].strip() for words in opt.qemu if words.startswith(DEBUGGER)]
    with open(run.path("debugger"), "w") as f:  # Debian's Bochs starts in its debugger
        f.write("".join(words + "\n" for words in commands or ["c"] * 20))      # and is back there after each reset
    return ["bochs-bin", "-q", "-f", run.path("bochsrc"), "-rc", run.path("debugger")]


BIOS = "/usr/share/bochs/BIOS-bochs-latest"


def bios(run):
    """The BIOS; with --vmx-lock one that locks IA32_FEATURE_CONTROL on each CPU as Bochs's own does, but with VMX off."""
    if not run.vmx_lock:
        return BIOS
    with open(BIOS, "rb") as f:
        image = f.read()
    # mov $0x3a, %ecx; rdmsr; or $5, %eax
    for code in (b"\xb9\x3a\0\0\0\x0f\x32\x83\xc8", b"\xb9\x3a\0\0\0\x0f\x32\x66\x83\xc8"):
        if image.count(code + b"\5") != 1:
            raise ValueError(f"--vmx-lock: {BIOS} is not the one that this knows")
        image = image.replace(code + b"\5", code + b"\1")
    with open(run.path("bios"), "wb") as f:
        f.write(image)
    return run.path("bios")


def clean(run):
    for name in ("bios", "initrd.cpio", "ram", "x86.rom", "output"):
        if os.path.exists(run.path(name)):
            os.unlink(run.path(name))


# ---- what is in RAM when Bochs starts; x86rom.S says why

SETUP, ROM, TABLES = 0x10000, 0xc0000, 0x100000
MIB = 1 << 20


def memory(run, size, words, initrd):
    """Write the file that Bochs reads to address 0, and the ROM that enters the kernel there."""
    with open(run.kernel, "rb") as f:
        image = f.read()
    if image[0x202:0x206] != b"HdrS":
        raise ValueError(f"{run.kernel} is no bzImage")
    sectors = image[0x1f1] or 4
    setup, protected = bytearray(image[:(sectors + 1) * 512]), image[(sectors + 1) * 512:]
    (version,) = struct.unpack_from("<H", image, 0x206)
    payload, length = struct.unpack_from("<II", image, 0x248)
    preferred, init_size = struct.unpack_from("<QI", image, 0x258)

    entry = 0
    vmlinux = decompress(run.kernel, protected[payload:payload + length])
    if vmlinux:
        entry, parts = segments(vmlinux)
    else:
        parts = [(0x100000, protected)]         # then the kernel does it
    high = max([preferred + init_size] + [at + len(data) for at, data in parts])
    words_at = (high + 2 * MIB - 1) // (2 * MIB) * 2 * MIB
    initrd_at = words_at + 0x1000               # the kernel takes 2 KiB of command line
    end = initrd_at + len(initrd)
    if end + 64 * MIB > size:
        raise ValueError(f"--mem {size // MIB} is too small: kernel and initramfs end at {end // MIB} MiB")

    setup[0x210] = 0xff                         # a loader without a number
    setup[0x211] |= 0x80                        # heap_end_ptr holds
    struct.pack_into("<I", setup, 0x214, ROM + 0x100 if entry else 0x100000)
    struct.pack_into("<II", setup, 0x218, initrd_at, len(initrd))
    struct.pack_into("<H", setup, 0x224, 0xfe00)
    struct.pack_into("<I", setup, 0x228, words_at)

    with open(run.path("ram"), "wb") as f:
        for at, data in [(SETUP, setup), (words_at, words.encode() + b"\0"), *parts, (initrd_at, initrd)]:
            f.seek(at)
            f.write(data)
        if entry:
            f.seek(TABLES)
            f.write(identity(TABLES))
    rom = bytearray(run.rom())
    struct.pack_into("<III", rom, 8, end, TABLES, entry)
    rom[-1] = -sum(rom[:-1]) & 0xff
    with open(run.path("x86.rom"), "wb") as f:
        f.write(rom)


def identity(at):
    """Page tables that map the first 4 GiB to themselves by 2 MiB pages."""
    table = 0x003
    pages = [[at + 0x1000 | table], [at + 0x2000 + i * 0x1000 | table for i in range(4)]]
    pages += [[(i << 30) + (j << 21) | 0x083 for j in range(512)] for i in range(4)]
    return b"".join(struct.pack(f"<{len(p)}Q", *p).ljust(0x1000, b"\0") for p in pages)


def segments(elf):
    """(physical entry, [(physical address, data)]) of a kernel's ELF file."""
    (entry,) = struct.unpack_from("<Q", elf, 24)
    (phoff,), (size, count) = struct.unpack_from("<Q", elf, 32), struct.unpack_from("<HH", elf, 54)
    parts = []
    for i in range(count):
        kind, _, offset, virt, phys, filesz, memsz, _ = struct.unpack_from("<IIQQQQQQ", elf, phoff + i * size)
        if kind == 1:
            parts.append((phys, elf[offset:offset + filesz]))
            if virt <= entry < virt + memsz:    # the entry may be given as a virtual address
                entry += phys - virt
    return entry, parts


def decompress(path, payload):
    """The kernel's ELF file out of a bzImage's payload, None where it is packed in an unknown way."""
    head = payload[:6]
    if head[:4] == b"\x7fELF":
        return payload
    packed = payload[:-4]                       # the length of the whole stands behind it, but for gzip's own
    if head[:2] == b"\x1f\x8b":
        data = gzip.decompress(payload)
    elif head == b"\xfd7zXZ\0":
        data = lzma.decompress(packed)
    elif head[:4] in (b"\x02\x21\x4c\x18", b"\x28\xb5\x2f\xfd"):
        tool = "lz4" if head[0] == 2 else "zstd"
        if not shutil.which(tool):
            return None
        data = subprocess.run([tool, "-d", "-c", "-q"], input=packed, stdout=subprocess.PIPE, check=True).stdout
    else:
        return None
    return data if data[:4] == b"\x7fELF" else None
