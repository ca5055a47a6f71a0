# SPDX-License-Identifier: GPL-2.0-only
# One Makefile for all but the module, which kbuild makes from ./Kbuild. `make help` says what there is.

B := build
LAB := selftests/lab
CROSS := aarch64-linux-gnu-
HOSTARCH := $(shell uname -m)

ifeq ($(V),1)
Q :=
else
Q := @
MAKEFLAGS += --no-print-directory
endif
say = @printf '  %-7s %s\n' $(1) $(2)
dir = @mkdir -p $(@D)

WARN := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes $(if $(WERROR),-Werror)
CFLAGS ?= -O2 -g
C := -std=gnu11 $(CFLAGS) $(WARN) -MMD -MP

LIBS := -lyaml -lfdt -lz -lpthread
LAUNCHER := $(shell find launcher -name '*.c' 2>/dev/null)
# folders too, so that a file removed is seen; with the slash, for kmod alone is a goal
KMOD := $(wildcard Kbuild) $(shell find kmod/ uapi/ -name '[!.]*' 2>/dev/null)

.PHONY: all
all: $(if $(LAUNCHER),$(B)/qvm)

.PHONY: help
help:
	@echo 'make              build/qvm, the launcher of this machine'
	@echo 'make demo         a stock Linux in a VM on an emulated host: its shell, or without a terminal its first words'
	@echo 'make test         all tests but the long ones; T=pattern selects by name'
	@echo 'make test-full    the long ones too'
	@echo 'make check        sparse and W=1 on every kernel built for: a warning is a failure'
	@echo 'make deps         packages, stock arm64 kernels, headers (the above do this where it matters)'
	@echo 'make images       build/images/arm64: guest kernel and initramfs images'
	@echo 'make kmod         qvm.ko for the running kernel, or for KDIR=headers: build/kmod/qvm.ko'
	@echo 'make insmod       ask build/qvm host whether this machine can, then load it (as root)'
	@echo 'make lab-arm64    what selftests/lab/lab needs, for KERNEL=6.1, 6.12 or 6.12-rt'
	@echo 'make bench        figures, in the lab'
	@echo 'make clean        all of build/ but what was downloaded; make distclean that too'
	@echo 'V=1 shows the commands'

# ---- the launcher

$(B)/qvm: $(LAUNCHER:%.c=$(B)/obj/%.o)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/obj/%.o: %.c
	$(call say,CC,$<)
	$(dir)
	$(Q)$(CC) $(C) -Iuapi -Ilauncher -c -o $@ $<

# the lab's: static, against libraries that are unpacked and not installed
ROOT64 := $(B)/deps/arm64/usr

$(B)/arm64/qvm: $(LAUNCHER:%.c=$(B)/arm64/obj/%.o)
	$(call say,LD,$@)
	$(Q)$(CROSS)gcc -static -o $@ $^ -L$(ROOT64)/lib/aarch64-linux-gnu $(LIBS)

# the same launcher over /dev/kvm, to compare with
$(B)/arm64/qvm-kvm: $(patsubst %.c,$(B)/arm64/obj/%.o,$(filter-out launcher/vm/sys.c,$(LAUNCHER)) selftests/bench/sys_kvm.c)
	$(call say,LD,$@)
	$(Q)$(CROSS)gcc -static -o $@ $^ -L$(ROOT64)/lib/aarch64-linux-gnu $(LIBS)

$(B)/arm64/obj/%.o: %.c | $(B)/deps/arm64/.done
	$(call say,CC64,$<)
	$(dir)
	$(Q)$(CROSS)gcc $(C) -Iuapi -Ilauncher -isystem $(ROOT64)/include -c -o $@ $<

# ---- what is downloaded

.PHONY: deps
deps:
	$(Q)$(LAB)/deps

# what it gets may have grown; others depend on these by order only
$(B)/deps/arm64/.done $(B)/deps/kselftest/.done &: $(LAB)/deps
	$(Q)$(LAB)/deps arm64
	$(Q)touch $(B)/deps/arm64/.done $(B)/deps/kselftest/.done

$(B)/deps/kernel-%/.done:
	$(Q)$(LAB)/deps kernel $*

# ---- guest images: the stock kernel, as it is in its package

IMAGES := $(addprefix $(B)/images/arm64/,Image linux.cpio smoke.cpio)

.PHONY: images
images: $(IMAGES)

$(B)/images/arm64/Image: $(B)/deps/kernel-6.1/.done
	$(call say,IMAGE,$@)
	$(dir)
	$(Q)cp -L $(B)/deps/kernel-6.1/vmlinuz $@

$(B)/images/arm64/linux.cpio: $(LAB)/images $(LAB)/cpio.py | $(B)/deps/arm64/.done
	$(call say,CPIO,$@)
	$(dir)
	$(Q)$(LAB)/images linux $@ $(B)/deps/arm64/bin/busybox

$(B)/images/arm64/smoke.cpio: $(B)/arm64/smoke $(LAB)/images $(LAB)/cpio.py
	$(call say,CPIO,$@)
	$(dir)
	$(Q)$(LAB)/images smoke $@ $<

$(B)/arm64/smoke: $(LAB)/smoke.c
	$(call say,CC64,$<)
	$(dir)
	$(Q)$(CROSS)gcc -O2 -Wall -static -nostdlib -ffreestanding -fno-stack-protector -Wl,-z,max-page-size=4096,--build-id=none -s -o $@ $<

# ---- the module

# of this machine
KDIR ?= /lib/modules/$(shell uname -r)/build

.PHONY: kmod
kmod:
	$(call say,KBUILD,$(B)/kmod/qvm.ko)
	+$(Q)V=$(V) $(LAB)/kbuild $(B)/kmod $(KDIR)

.PHONY: insmod
insmod: all kmod
	$(Q)$(B)/qvm host || { echo 'insmod: not on this machine, see above; make demo runs an emulated one' >&2; exit 1; }
	$(Q)insmod $(B)/kmod/qvm.ko || { echo 'insmod: refused; the reason is the last line of: dmesg | grep qvm' >&2; exit 1; }
	@echo '/dev/qvm is there: build/qvm run configs/arm64-linux.yaml'

# of the lab's kernels: KERNEL is a name that deps knows, or any name together with KDIR
KERNEL ?= 6.1
ARM64_KBUILD := ARCH=arm64 CROSS_COMPILE=$(CROSS) CC=$(CROSS)gcc
lab_kdir = $(if $(findstring path-,$*),$(KDIR),$(CURDIR)/$(B)/deps/kernel-$*/headers)

.SECONDEXPANSION:
$(B)/arm64/kmod-%/qvm.ko: $(KMOD) $(LAB)/kbuild $$(if $$(findstring path-,$$*),,$(B)/deps/kernel-$$*/.done)
	$(call say,KBUILD,$@)
	+$(Q)V=$(V) $(LAB)/kbuild $(@D) $(lab_kdir) $(ARM64_KBUILD)
	$(Q)touch $@

# ---- user programs and bare-metal guests of the lab

UAPI_TESTS := $(patsubst selftests/uapi/%.c,$(B)/arm64/selftests/%,$(wildcard selftests/uapi/*.c))
BENCHES := $(patsubst selftests/bench/%.c,$(B)/arm64/selftests/%,$(filter-out selftests/bench/sys_%,$(wildcard selftests/bench/*.c)))

$(B)/arm64/selftests/%: selftests/uapi/%.c | $(B)/deps/kselftest/.done
	$(call say,CC64,$<)
	$(dir)
	$(Q)$(CROSS)gcc $(C) -MF $(@D)/.$*.d -MT $@ -static -Iuapi -Iselftests/include -isystem $(B)/deps/kselftest -o $@ $< -lpthread

$(B)/arm64/selftests/%: selftests/bench/%.c | $(B)/deps/kselftest/.done
	$(call say,CC64,$<)
	$(dir)
	$(Q)$(CROSS)gcc $(C) -MF $(@D)/.$*.d -MT $@ -static -Iuapi -Iselftests/include -isystem $(B)/deps/kselftest -o $@ $< -lpthread

G := selftests/guest/arm64
GUESTS := $(patsubst $(G)/%,$(B)/arm64/guest/%.bin,$(basename $(wildcard $(G)/*.[cS])))
GUEST_LIB := $(patsubst $(G)/lib/%,$(B)/arm64/obj/guest/lib/%.o,$(basename $(wildcard $(G)/lib/*.[cS])))
# assembly may name FP registers, C never uses them behind one's back; no unaligned access: the MMU may be off
GUEST_C := -ffreestanding -mno-outline-atomics -nostdlib -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables -I$(G)/lib -Iuapi

.PRECIOUS: $(B)/arm64/obj/guest/%.o
$(B)/arm64/obj/guest/%.o: $(G)/%.c
	$(call say,CC64,$<)
	$(dir)
	$(Q)$(CROSS)gcc $(C) $(GUEST_C) -mgeneral-regs-only -mstrict-align -c -o $@ $<

$(B)/arm64/obj/guest/%.o: $(G)/%.S
	$(call say,AS64,$<)
	$(dir)
	$(Q)$(CROSS)gcc -g -MMD -MP $(GUEST_C) -c -o $@ $<

$(B)/arm64/guest/%.bin: $(B)/arm64/obj/guest/%.o $(GUEST_LIB) $(wildcard $(G)/lib/guest.lds)
	$(call say,GUEST,$@)
	$(dir)
	$(Q)$(CROSS)gcc -static -nostdlib -no-pie -Wl,--build-id=none -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments \
		-T $(G)/lib/guest.lds -o $(@:.bin=.elf) $< $(GUEST_LIB)
	$(Q)$(CROSS)objcopy -O binary $(@:.bin=.elf) $@

$(B)/arm64/lab-init: $(LAB)/init.c
	$(call say,CC64,$<)
	$(dir)
	$(Q)$(CROSS)gcc -std=gnu11 -O2 -Wall -Wextra -Wno-unused-result -static -s -o $@ $<

# lab-arm64-base is what any command in the lab needs, lab-arm64 has the test programs too
.PHONY: lab-arm64 lab-arm64-base
lab-arm64: lab-arm64-base $(UAPI_TESTS) $(BENCHES) $(GUESTS)
	@:
lab-arm64-base: $(B)/arm64/lab-init $(IMAGES) $(if $(LAUNCHER),$(B)/arm64/qvm) $(if $(wildcard selftests/bench/sys_kvm.c),$(B)/arm64/qvm-kvm) \
		$(if $(NO_MODULE),,$(B)/arm64/kmod-$(KERNEL)/qvm.ko) \
		| $(B)/deps/arm64/.done $(if $(filter path-%,$(KERNEL)),,$(B)/deps/kernel-$(KERNEL)/.done)
	@:

# ---- unit tests: pure parts, on this machine, under the sanitizers

UNIT := $(patsubst selftests/unit/%.c,$(B)/unit/%,$(wildcard selftests/unit/*_test.c))
UNIT_C := -std=gnu11 -O1 -g $(WARN) -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-Iselftests/unit/fake -Iselftests/unit -Ikmod -Iuapi -Ilauncher
# a test names the sources it is linked with, and flags, in lines near its top: // LINK: a.c b.c   // CFLAGS: -I…
unit_says = $(shell sed -n '1,15s,^[/ ]*\*\? *$(1): *\([^*]*\).*,\1,p' $<)

$(B)/unit/%: selftests/unit/%.c
	$(call say,UNIT,$@)
	$(dir)
	$(Q)rm -f $@-*.d
	$(Q)$(CC) $(UNIT_C) $(call unit_says,CFLAGS) -MMD -MP -MT $@ -o $@ $< $(call unit_says,LINK) $(LIBS)

.PHONY: unit
unit: $(UNIT)

# ---- running it

.PHONY: demo test test-full bench check
demo:
	$(Q)$(LAB)/deps
	$(Q)$(LAB)/demo

test test-full:
	$(Q)$(LAB)/deps
	$(Q)selftests/run $(if $(filter test-full,$@),--full) $(if $(T),'$(T)')

bench:
	$(Q)$(LAB)/deps
	$(Q)selftests/bench/run

check:
	$(Q)$(LAB)/deps
	$(Q)$(LAB)/check

# ---- cleaning

.PHONY: clean distclean
clean:
	$(Q)rm -rf $(filter-out $(B)/deps,$(wildcard $(B)/*))
distclean:
	$(Q)rm -rf $(B)

-include $(shell find $(B) -path $(B)/deps -prune -o -path '*/kmod-*' -prune -o -name '*.d' -print 2>/dev/null)
