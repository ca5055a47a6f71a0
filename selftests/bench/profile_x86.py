# SPDX-License-Identifier: GPL-2.0-only
"""Rounds of the x86 bench guest, traced or sampled by Bochs's debugger. See profile, which uses this."""
import os
import re
import subprocess
import sys

GUEST, USER, KERNEL = "guest", "user", "kernel"
LAUNCHER, LIBRARIES = 0x555555554000, 0x7f0000000000   # of a process whose addresses are not random
# Bochs, which the debugger ends, takes what is in buffers with it: hence the filling.
SECTIONS = "cd /sys/module/qvm/sections && grep . .text .noinstr.text .text.unlikely; cd /qvm; yes | head -c 12000; "
SECTION = re.compile(r"^(\.[a-z.]+):0x([0-9a-f]+)")
TEXT, MODULES = 0xffffffff80000000, 0xffffffffc0000000   # of the host's kernel, at its physical address more
STEP = re.compile(r"\((\d+)\)\.\[\d+\] \[0x[0-9a-f]+\] [0-9a-f]{4}:([0-9a-f]{16}) \([^)]*\): (.*?)\s*;")
STOP = re.compile(r"\((\d+)\) \[0x([0-9a-f]+)\] [0-9a-f]{4}:([0-9a-f]{16}) ")
# A function name is the first word of an instruction that a real CPU pays more for.
KINDS = {"vmread": "VMREAD", "vmwrite": "VMWRITE", "vmresume": "VM entry", "vmlaunch": "VM entry", "vmptrld": "VMCS",
         "vmclear": "VMCS", "wrmsr": "WRMSR", "rdmsr": "RDMSR", "rdtsc": "RDTSC", "xsave": "XSAVE", "xrstor": "XSAVE",
         "xsetbv": "XSETBV", "xgetbv": "XGETBV", "invvpid": "INVVPID", "invept": "INVEPT", "lgdt": "LGDT", "lidt": "LGDT",
         "sti": "STI", "cli": "CLI", "syscall": "SYSCALL", "sysret": "SYSRET", "iret": "IRET", "iretq": "IRET",
         "swapgs": "SWAPGS", "verw": "VERW", "lock": "atomic", "xchg": "atomic", "mfence": "fence", "lfence": "fence",
         "str": "segment", "ltr": "segment", "lldt": "segment", "out": "port", "in": "port", "cpuid": "CPUID"}


class X86:
    cpu = "corei7_haswell_4770"
    nm = "x86_64-linux-gnu-nm"
    smoke = "configs/x86-smoke.yaml"
    options = ("--set 'devices+={ns16550: {at: 0xd0000000, hostdev: /dev/null, irq: none}}' "
               "--set 'devices+={test-bell: {at: 0xd0010000}}' --set 'devices+={test-bell-port: {}}'")
    # The guest's function whose first instruction begins a round is that of the row, but for these.
    functions = {"ipi_running": "ipi", "ipi_blocked": "ipi"}
    # as the guest goes through them
    rows = ("lapic_read cpuid hypercall msr_read ioapic_read pio_doorbell mmio_doorbell posted_write pio_user_write mmio_user_write "
            "mmio_user_read eoi self_ipi timer_latency hlt_short hlt ipi_running ipi_blocked").split()
    skipped, traced = 30, 9             # rounds: before, to be warm, and those that are looked at

    def function(self, row):
        return self.functions.get(row, row)

    def space(self, pc):
        return KERNEL if pc >> 47 else GUEST if pc < 0x400000 else USER

    def kind(self, text):
        words = text.split()
        if not words:
            return None
        if words[0] == "mov" and len(words) > 1 and re.match(r"(cr|dr)\d", words[1].strip(",")):
            return "MOV CR/DR"
        if words[0] == "xchg" and "ptr" not in text:
            return None
        return KINDS.get(words[0].rstrip("0123456789"))

    nothing = ""                        # stands for an instruction that was not seen

    def text(self, text):
        return text

    def in_user(self, pc):
        """(address in the launcher's file, or None; else what to call it)"""
        return (pc - LAUNCHER if LAUNCHER <= pc < LIBRARIES else None), "libraries, vdso"

    def is_call(self, text):
        return text.startswith("call")

    def is_return(self, text):
        return text.startswith("ret")

    def sample_name(self, symbols, sample):
        """A guest's kernel is at the host's addresses, but not in the host's memory."""
        pc, physical = sample
        space, name = symbols.name(pc)
        guest = space == KERNEL and TEXT <= pc < MODULES and pc - TEXT != physical
        return ("guest", name) if guest or space == KERNEL and pc < TEXT else (space, name)

    def run(self, opt, lab, command, smp, debugger):
        """The host's output, and what the debugger printed."""
        argv = [lab, "run", "--arch", "x86", "--no-build", "--smp", str(smp), "--kernel", opt.kernel, "--cpu", opt.cpu,
                "--append", f"norandmaps mitigations={opt.mitigations}", "--timeout", "280"]
        argv += ["--kvm"] if opt.side == "kvm" else [w for p in opt.param for w in ("--param", p)]
        argv += [w for c in debugger for w in ("--qemu", f"debugger: {c}")]
        out = subprocess.run(argv + ["--", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, errors="replace")
        # the debugger ends the emulator: for the lab the host died, and it says where its log is
        found = re.search(r"its log: (\S+)", out.stderr)
        if not found:
            sys.exit(f"profile: the lab ended with {out.returncode}: {out.stderr[-2000:]}")
        folder = os.path.dirname(found[1])
        return out.stdout, os.path.join(folder, "qemu.log")

    def module_symbols(self, opt, text):
        """As lines of nm: where the sections are, of the module that the lab loaded."""
        at = {m[1]: int(m[2], 16) for m in map(SECTION.match, text.splitlines()) if m}
        out = subprocess.run(["x86_64-linux-gnu-objdump", "-t", f"build/x86/kmod-{opt.kernel}/qvm.ko"],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
        words = [line.split() for line in out.splitlines()]
        return [f"{at[w[-3]] + int(w[0], 16):x} t {w[-1]}" for w in words if len(w) > 4 and w[-3] in at and "F" in w]

    def trace(self, opt, lab, qvm, addresses):
        """(steps, words, symbols of the module): steps are (CPU, pc), words the instruction by pc."""
        two = "-c 2" if any(row.startswith("ipi") for row in opt.row) else ""
        command = SECTIONS + f"{qvm} run -k guest/bench.bin -m 256M {self.options} {two} -a rows={','.join(opt.row)}"
        debugger = []
        for i, row in enumerate(sorted(opt.row, key=self.rows.index)):
            debugger += [f"lb 0x{addresses[row]:x}"] + ["c"] * self.skipped + ["trace on"] + ["c"] * self.traced
            debugger += ["trace off", f"d {i + 1}"]
        out, log = self.run(opt, lab, command, 2 if two else 1, debugger + ["quit"])
        steps, words = [], {}
        with open(log, errors="replace") as f:
            for line in f:
                if m := STEP.match(line):
                    pc = int(m[2], 16)
                    steps.append((int(m[1]), pc))
                    words[pc] = m[3]
        return steps, words, self.module_symbols(opt, out)

    def sample(self, opt, lab, qvm, whole):
        """((pc, physical address) of each sample, symbols of the module)."""
        command = SECTIONS + f"while :; do {whole.format(qvm)}; done"       # until the debugger ends it
        debugger = ["sb 560000000", "c"]                # the host's own boot
        for i in range(opt.samples):
            debugger += [f"sb {1000003 + 7919 * (i % 13)}", "c"]
        out, log = self.run(opt, lab, command, 1, debugger + ["quit"])
        seen = []
        with open(log, errors="replace") as f:
            for line in f:
                if m := STOP.match(line):
                    seen.append((int(m[3], 16), int(m[2], 16)))
        return seen[1:], self.module_symbols(opt, out)
