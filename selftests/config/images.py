# SPDX-License-Identifier: GPL-2.0-only
"""Files for errors.cases to load: headers of what could be started, each with one thing wrong, and no code behind."""
import gzip
import struct


def arm64(flags=2, size=0x10000, offset=0):
    """Documentation/arch/arm64/booting.rst of Linux"""
    return struct.pack("<IIQQQQQQ4sI", 0, 0, offset, size, flags, 0, 0, 0, b"ARM\x64", 0)


def bzimage(version=0x20f, size=0x3000, init=0x100000, relocatable=1, pref=0x1000000, align=0x200000,
            initrd_max=0x7fffffff, cmdline=2047, flags=1):
    """Documentation/arch/x86/boot.rst of Linux"""
    b = bytearray(size)
    for at, form, value in ((0x1f1, "<B", 4), (0x201, "<B", 0x66), (0x206, "<H", version), (0x22c, "<I", initrd_max),
                            (0x230, "<I", align), (0x234, "<B", relocatable), (0x236, "<H", flags),
                            (0x238, "<I", cmdline), (0x258, "<Q", pref), (0x260, "<I", init)):
        struct.pack_into(form, b, at, value)
    b[0x202:0x206] = b"HdrS"
    return bytes(b)


def elf(machine=183, kind=2, entry=0x40000000, segments=((0x40000000, 64, 64),), phentsize=56):
    """segments: (address, bytes in the file, bytes in memory)"""
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", kind, machine, 1, entry, 64, 0, 0, 64, phentsize,
                       len(segments), 0, 0, 0)
    for gpa, filesz, memsz in segments:
        head += struct.pack("<IIQQQQQQ", 1, 7, 0, gpa, gpa, filesz, memsz, 4096)
    return head.ljust(4096, b"\0")


def multiboot(flags=1 << 16, load=0x100000, end=0x100800, bss=0x101000, entry=0x100000, size=4096):
    """Multiboot specification 0.6.96, 3.1"""
    magic = 0x1badb002
    return struct.pack("<8I", magic, flags, -(magic + flags) & 0xffffffff, load, load, end, bss, entry).ljust(size, b"\0")


def zboot(kind=b"zstd", offset=64, size=64):
    return (b"MZ\0\0zimg" + struct.pack("<II8x", offset, size) + kind).ljust(4096, b"\0")


def acpi(length=None, size=40, fix=0):
    """ACPI 6.5, 5.2.6"""
    b = bytearray(struct.pack("<4sIBB6s8sI4sI", b"SSDT", length or size, 2, 0, b"TEST  ", b"TEST    ", 1, b"TEST", 1))
    b = b.ljust(size, b"\0")[:size]
    b[9] = (fix - sum(b)) & 0xff
    return bytes(b)


def dtb():
    """A root without a property: devicetree specification 0.4, 5.1 to 5.4."""
    tree = struct.pack(">IIII", 1, 0, 2, 9)
    head = struct.pack(">10I", 0xd00dfeed, 56 + len(tree), 56, 56 + len(tree), 40, 17, 16, 0, 0, len(tree))
    return head + bytes(16) + tree


IMAGES = {
    "k": bytes(64),
    "k.so": b"no ELF",
    "empty": b"",
    "Image": arm64(),
    "Image-16k": arm64(flags=4),
    "Image-big-endian": arm64(flags=3),
    "Image-broken": arm64(size=1 << 40),
    "Image-huge": arm64(size=1 << 30),
    "Image.gz": gzip.compress(bytes((1 << 26) + 4096)),
    "Image-cut.gz": gzip.compress(arm64() + bytes(range(256)) * 16)[:-60],
    "Image.zst": b"\x28\xb5\x2f\xfd" + bytes(64),
    "vmlinuz-zstd": zboot(),
    "vmlinuz-cut": zboot(offset=1 << 20),
    "bzImage": bzimage(),
    "bzImage-old": bzimage(version=0x204),
    "bzImage-cut": bzimage(size=0x300),
    "bzImage-fixed": bzimage(relocatable=0),
    "bzImage-huge": bzimage(init=1 << 30),
    "bzImage-low": bzimage(initrd_max=0x1000, cmdline=10),
    "elf": elf(),
    "elf-x86": elf(machine=62),
    "elf-object": elf(kind=1),
    "elf-cut": elf()[:40],
    "elf-headers": elf(phentsize=32),
    "elf-segment": elf(segments=((0x40000000, 1 << 20, 1 << 20),)),
    "elf-wraps": elf(segments=((2**64 - 4096, 64, 8192),)),
    "elf-nothing": elf(segments=()),
    "elf-entry": elf(entry=0x10),
    "elf-64": elf(machine=62, entry=0x80000000, segments=((0x80000000, 64, 64),)),
    "dtb": dtb(),
    "ssdt": acpi(),
    "ssdt-sum": acpi(fix=1),
    "ssdt-big": acpi(size=0x4000),
    "multiboot": multiboot(),
    "multiboot-asks": multiboot(flags=1 << 16 | 1 << 5),
    "multiboot-cut": multiboot()[:20],
    "multiboot-part": multiboot(end=0x200000),
    "multiboot-high": multiboot(load=0xfffff800, end=0, bss=0, entry=0xfffff800),
    "multiboot-entry": multiboot(entry=0x10),
}
