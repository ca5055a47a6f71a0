# SPDX-License-Identifier: GPL-2.0-only
# One Makefile for all but the module, which kbuild makes from ./Kbuild. `make help` says what there is.

B := build
LAB := selftests/lab
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

# what demo, test, deps and images are for; the lab-ARCH targets say it themselves
ARCH := arm64
ifeq ($(filter $(ARCH),arm64 x86),)
$(error ARCH=$(ARCH): there are arm64 and x86)
endif

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
	@echo 'make test-full    the long ones too; RESUME=1: go on with a run that was broken off'
	@echo 'make mutants      break one rule at a time: is it seen? M="a b": these of selftests/mutants'
	@echo 'make check        sparse and W=1 on every kernel built for: a warning is a failure'
	@echo 'make check-exports  build the module against every header package of Debian that it is for, booting none'
	@echo 'make deps         packages, stock kernels, headers (the above do this where it matters)'
	@echo 'make images       build/images/arm64: guest kernel and initramfs images'
	@echo 'make kmod         qvm.ko for the running kernel, or for KDIR=headers: build/kmod/qvm.ko'
	@echo 'make insmod       ask build/qvm host whether this machine can, then load it (as root)'
	@echo 'make lab-arm64    what selftests/lab/lab needs, for KERNEL=6.1, 6.12 or 6.12-rt; make lab-x86'
	@echo 'make install      qvm, its manual page, completion, device.h and a template for vdevs: PREFIX=/usr/local, DESTDIR='
	@echo 'make bench        figures, qvm beside KVM, in the lab; ROWS=a,b SIDE=qvm|kvm JSON=file'
	@echo 'make clean        all of build/ but what was downloaded; make distclean that too'
	@echo 'ARCH=x86          with demo, deps, images: an emulated PC instead of the arm64 machine'
	@echo 'V=1 shows the commands'

# ---- the launcher

# the device API, for vdevs that are loaded
EXPORTS := launcher/dev/device.list
EXPORT := -Wl,--dynamic-list=$(EXPORTS)

$(B)/qvm: $(LAUNCHER:%.c=$(B)/obj/%.o) $(EXPORTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $(EXPORT) -o $@ $(filter %.o,$^) $(LIBS)

$(B)/obj/%.o: %.c
	$(call say,CC,$<)
	$(dir)
	$(Q)$(CC) $(C) -Iuapi -Ilauncher -c -o $@ $<

# ---- where it goes; vdevs that are loaded by name are looked for in LIBDIR

PREFIX ?= /usr/local
LIBDIR := $(PREFIX)/lib/qvm
INCLUDEDIR := $(PREFIX)/include/qvm
SHAREDIR := $(PREFIX)/share
INSTALL ?= install

# what was built for another PREFIX is built anew
$(B)/prefix: FORCE
	$(dir)
	@echo $(PREFIX) | cmp -s - $@ || echo $(PREFIX) > $@
FORCE:

$(B)/obj/launcher/dev/load.o: C += -DQVM_LIBDIR='"$(LIBDIR)"'
$(B)/obj/launcher/dev/load.o: $(B)/prefix

.PHONY: install
install: $(B)/qvm
	$(call say,INSTALL,$(DESTDIR)$(PREFIX))
	$(Q)$(INSTALL) -D -m 755 $(B)/qvm $(DESTDIR)$(PREFIX)/bin/qvm
	$(Q)$(INSTALL) -d $(DESTDIR)$(LIBDIR)
	$(Q)$(INSTALL) -D -m 644 launcher/dev/device.h $(DESTDIR)$(INCLUDEDIR)/dev/device.h
	$(Q)$(INSTALL) -D -m 644 -t $(DESTDIR)$(SHAREDIR)/qvm/vdev-template selftests/vdev/template/Makefile selftests/vdev/template/template.c
	$(Q)$(INSTALL) -D -m 644 -t $(DESTDIR)$(SHAREDIR)/qvm configs/qvm.schema.json
	$(Q)$(INSTALL) -D -m 644 configs/README.md $(DESTDIR)$(SHAREDIR)/doc/qvm/config.md
	$(Q)$(INSTALL) -D -m 644 launcher/qvm.8 $(DESTDIR)$(SHAREDIR)/man/man8/qvm.8
	$(Q)$(INSTALL) -d $(DESTDIR)$(SHAREDIR)/bash-completion/completions
	$(Q)$(B)/qvm completion bash > $(DESTDIR)$(SHAREDIR)/bash-completion/completions/qvm

# ---- what is downloaded

.PHONY: deps
deps:
	$(Q)$(LAB)/deps$(if $(filter x86,$(ARCH)), x86)

# what it gets may have grown; others depend on these by order only
$(B)/deps/arm64/.done $(B)/deps/kselftest/.done &: $(LAB)/deps
	$(Q)$(LAB)/deps arm64
	$(Q)touch $(B)/deps/arm64/.done $(B)/deps/kselftest/.done

$(B)/deps/x86/.done: $(LAB)/deps | $(B)/deps/kselftest/.done
	$(Q)$(LAB)/deps x86-host
	$(Q)$(LAB)/deps x86-libs
	$(Q)touch $@

$(B)/deps/kernel-%/.done:
	$(Q)$(LAB)/deps kernel $*

$(B)/deps/x86-kernel-%/.done:
	$(Q)$(LAB)/deps x86-kernel $*

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

# ---- the lab's programs, for each architecture, against libraries that are unpacked and not installed: static,
# but for the C library of the launcher, which loads vdevs: it comes along

CROSS_arm64 := aarch64-linux-gnu-
CROSS_x86 := x86_64-linux-gnu-
KBUILD_arm64 := ARCH=arm64
KBUILD_x86 := ARCH=x86
# the dynamic linker
LD_arm64 := ld-linux-aarch64.so.1
LD_x86 := ld-linux-x86-64.so.2
# what a line of the build is called: CC64, CC86
TAG_arm64 := 64
TAG_x86 := 86
# a stock kernel's folder under build/deps, and what it is called as a guest: as it is in its package
KERNELS_arm64 := kernel-
KERNELS_x86 := x86-kernel-
IMAGE_arm64 := Image
IMAGE_x86 := bzImage
# assembly may name FP registers, C never uses them behind one's back; no unaligned access: the MMU may be off
GUEST_C := -ffreestanding -nostdlib -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables -Iuapi
GUEST_C_arm64 := -mno-outline-atomics
GUEST_CC_arm64 := -mgeneral-regs-only -mstrict-align
GUEST_CC_x86 := -mno-red-zone -mgeneral-regs-only -mcmodel=small -fcf-protection=none
# the launcher over /dev/kvm, to compare with
KVM_arm64 := $(wildcard selftests/bench/sys_kvm.c selftests/bench/sys_kvm_arm64.c)
KVM_x86 := $(wildcard selftests/bench/sys_kvm.c selftests/bench/sys_kvm_x86.c)
# what else the emulator wants
MORE_x86 := $(B)/x86/x86.rom

# which of some tests are for an architecture: x86_NAME.c for x86 alone, any other for arm64, and for x86 if it has
# the word x86 in it (a guest of x86's own, say)
for_arm64 = $(foreach f,$(1),$(if $(filter x86_%,$(notdir $(f))),,$(f)))
for_x86 = $(if $(1),$(shell grep -lE '(^|[^0-9])x86' $(1)))

# of the lab's kernels: KERNEL is a name that deps knows, or any name together with KDIR
KERNEL ?= 6.1

.SECONDEXPANSION:

define lab_rules
# $(1): the architecture
ROOT_$(1) := $(B)/deps/$(1)/usr
LINK_$(1) = $(CROSS_$(1))gcc $(EXPORT) -o $$@ $$(filter %.o,$$^) -L$$(ROOT_$(1))/lib/$(CROSS_$(1):-=) -Wl,-Bstatic $(LIBS) -Wl,-Bdynamic
LIBC_$(1) := $(B)/$(1)/lib/$(LD_$(1)) $(B)/$(1)/lib/libc.so.6

$$(LIBC_$(1)):
	$$(call say,LIB,$$@)
	$$(dir)
	$(Q)cp -L $$$$($(CROSS_$(1))gcc -print-file-name=$$(@F)) $$@

$(B)/$(1)/qvm: $(LAUNCHER:%.c=$(B)/$(1)/obj/%.o) $(EXPORTS)
	$$(call say,LD,$$@)
	$(Q)$$(LINK_$(1))

$(B)/$(1)/qvm-kvm: $(patsubst %.c,$(B)/$(1)/obj/%.o,$(filter-out launcher/vm/sys.c,$(LAUNCHER)) $(KVM_$(1))) $(EXPORTS)
	$$(call say,LD,$$@)
	$(Q)$$(LINK_$(1))

$(B)/$(1)/obj/%.o: %.c | $(B)/deps/$(1)/.done
	$$(call say,CC$(TAG_$(1)),$$<)
	$$(dir)
	$(Q)$(CROSS_$(1))gcc $(C) -Iuapi -Ilauncher -isystem $$(ROOT_$(1))/include -c -o $$@ $$<

$(B)/$(1)/lab-init: $(LAB)/init.c
	$$(call say,CC$(TAG_$(1)),$$<)
	$$(dir)
	$(Q)$(CROSS_$(1))gcc -std=gnu11 -O2 -Wall -Wextra -Wno-unused-result -static -s -o $$@ $$<

# guest images

IMAGES_$(1) := $(addprefix $(B)/images/$(1)/,$(IMAGE_$(1)) linux.cpio smoke.cpio)

$(B)/images/$(1)/$(IMAGE_$(1)): $(B)/deps/$(KERNELS_$(1))6.1/.done
	$$(call say,IMAGE,$$@)
	$$(dir)
	$(Q)cp -L $$(<D)/vmlinuz $$@

$(B)/images/$(1)/linux.cpio: $(LAB)/images $(LAB)/cpio.py | $(B)/deps/$(1)/.done
	$$(call say,CPIO,$$@)
	$$(dir)
	$(Q)$(LAB)/images linux $$@ $(B)/deps/$(1)/bin/busybox

$(B)/images/$(1)/smoke.cpio: $(B)/$(1)/smoke $(LAB)/images $(LAB)/cpio.py
	$$(call say,CPIO,$$@)
	$$(dir)
	$(Q)$(LAB)/images smoke $$@ $$<

$(B)/$(1)/smoke: $(LAB)/smoke.c
	$$(call say,CC$(TAG_$(1)),$$<)
	$$(dir)
	$(Q)$(CROSS_$(1))gcc -O2 -Wall -static -nostdlib -ffreestanding -fno-stack-protector -Wl,-z,max-page-size=16384,--build-id=none -s -o $$@ $$<

# the module

$(B)/$(1)/kmod-%/qvm.ko: $(KMOD) $(LAB)/kbuild $$$$(if $$$$(findstring path-,$$$$*),,$(B)/deps/$(KERNELS_$(1))$$$$*/.done)
	$$(call say,KBUILD,$$@)
	$(Q)grep -q kmod/arch/$(1) Kbuild || { echo 'Kbuild knows no kmod/arch/$(1): lab run --no-module leaves qvm.ko out' >&2; exit 1; }
	+$(Q)V=$(V) $(LAB)/kbuild $$(@D) $$(if $$(findstring path-,$$*),$(KDIR),$(CURDIR)/$(B)/deps/$(KERNELS_$(1))$$*/headers) \
		$(KBUILD_$(1)) CROSS_COMPILE=$(CROSS_$(1)) CC=$(CROSS_$(1))gcc
	$(Q)touch $$@

# one that says how long it keeps interrupts off
$(B)/$(1)/irqsoff/qvm.ko: $(KMOD) $(LAB)/kbuild $(B)/deps/$(KERNELS_$(1))6.1/.done
	$$(call say,KBUILD,$$@)
	+$(Q)V=$(V) $(LAB)/kbuild $$(@D) $(CURDIR)/$(B)/deps/$(KERNELS_$(1))6.1/headers \
		$(KBUILD_$(1)) CROSS_COMPILE=$(CROSS_$(1)) CC=$(CROSS_$(1))gcc QVM_IRQSOFF=1
	$(Q)touch $$@

# one that can be told to meet errors that no guest can cause, for tests
$(B)/$(1)/inject/qvm.ko: $(KMOD) $(LAB)/kbuild $(B)/deps/$(KERNELS_$(1))6.1/.done
	$$(call say,KBUILD,$$@)
	+$(Q)V=$(V) $(LAB)/kbuild $$(@D) $(CURDIR)/$(B)/deps/$(KERNELS_$(1))6.1/headers \
		$(KBUILD_$(1)) CROSS_COMPILE=$(CROSS_$(1)) CC=$(CROSS_$(1))gcc QVM_INJECT=1
	$(Q)touch $$@

# one that uses vector registers in the kernel, for tests
$(B)/$(1)/simd/simd.ko: $(wildcard selftests/simd/*) $(LAB)/kbuild $(B)/deps/$(KERNELS_$(1))6.1/.done
	$$(call say,KBUILD,$$@)
	+$(Q)V=$(V) SOURCES=selftests/simd $(LAB)/kbuild $$(@D) $(CURDIR)/$(B)/deps/$(KERNELS_$(1))6.1/headers \
		$(KBUILD_$(1)) CROSS_COMPILE=$(CROSS_$(1)) CC=$(CROSS_$(1))gcc
	$(Q)touch $$@

# tests and benchmarks

TESTS_$(1) := $(patsubst selftests/uapi/%.c,$(B)/$(1)/selftests/%,$(call for_$(1),$(wildcard selftests/uapi/*.c)))
TESTS_$(1) += $(patsubst selftests/bench/%.c,$(B)/$(1)/selftests/%,$(call for_$(1),$(filter-out selftests/bench/sys_%,$(wildcard selftests/bench/*.c))))
TESTS_$(1) += $(patsubst selftests/vdev/%.c,$(B)/$(1)/selftests/%.so,$(wildcard selftests/vdev/*.c))
TEST_CC_$(1) = $(CROSS_$(1))gcc $(C) -MF $$(@D)/.$$*.d -MT $$@ -static -Iuapi -Iselftests/include -isystem $(B)/deps/kselftest -o $$@ $$< -lpthread

$(B)/$(1)/selftests/%: selftests/uapi/%.c | $(B)/deps/kselftest/.done
	$$(call say,CC$(TAG_$(1)),$$<)
	$$(dir)
	$(Q)$$(TEST_CC_$(1))

$(B)/$(1)/selftests/%: selftests/bench/%.c | $(B)/deps/kselftest/.done
	$$(call say,CC$(TAG_$(1)),$$<)
	$$(dir)
	$(Q)$$(TEST_CC_$(1))

$(B)/$(1)/selftests/%.so: selftests/vdev/%.c launcher/dev/device.h
	$$(call say,CC$(TAG_$(1)),$$<)
	$$(dir)
	$(Q)$(CROSS_$(1))gcc -std=gnu11 -O2 -g $(WARN) -Ilauncher -shared -fPIC -o $$@ $$<

# bare-metal guests

G_$(1) := selftests/guest/$(1)
GUESTS_$(1) := $$(patsubst $$(G_$(1))/%,$(B)/$(1)/guest/%.bin,$$(basename $$(wildcard $$(G_$(1))/*.[cS])))
GUEST_LIB_$(1) := $$(patsubst $$(G_$(1))/lib/%,$(B)/$(1)/obj/guest/lib/%.o,$$(basename $$(wildcard $$(G_$(1))/lib/*.[cS])))

$(B)/$(1)/obj/guest/%.o: $$(G_$(1))/%.c
	$$(call say,CC$(TAG_$(1)),$$<)
	$$(dir)
	$(Q)$(CROSS_$(1))gcc $(C) $(GUEST_C) $(GUEST_C_$(1)) -I$$(G_$(1))/lib $(GUEST_CC_$(1)) -c -o $$@ $$<

$(B)/$(1)/obj/guest/%.o: $$(G_$(1))/%.S
	$$(call say,AS$(TAG_$(1)),$$<)
	$$(dir)
	$(Q)$(CROSS_$(1))gcc -g -MMD -MP $(GUEST_C) $(GUEST_C_$(1)) -I$$(G_$(1))/lib -c -o $$@ $$<

$(B)/$(1)/guest/%.bin: $(B)/$(1)/obj/guest/%.o $$(GUEST_LIB_$(1)) $$(wildcard $$(G_$(1))/lib/guest.lds)
	$$(call say,GUEST,$$@)
	$$(dir)
	$(Q)$(CROSS_$(1))gcc -static -nostdlib -no-pie -Wl,--build-id=none -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments \
		-T $$(G_$(1))/lib/guest.lds -o $$(@:.bin=.elf) $$< $$(GUEST_LIB_$(1))
	$(Q)$(CROSS_$(1))objcopy -O binary $$(@:.bin=.elf) $$@

# lab-ARCH-base is what any command in the lab needs, lab-ARCH has the test programs too
.PHONY: lab-$(1) lab-$(1)-base
lab-$(1): lab-$(1)-base $$(TESTS_$(1)) $$(GUESTS_$(1))
	@:
lab-$(1)-base: $(B)/$(1)/lab-init $(MORE_$(1)) $$(IMAGES_$(1)) $(if $(LAUNCHER),$(B)/$(1)/qvm $$(LIBC_$(1))) $(if $(KVM_$(1)),$(B)/$(1)/qvm-kvm) \
		$(if $(NO_MODULE),,$(B)/$(1)/kmod-$(KERNEL)/qvm.ko) \
		| $(B)/deps/$(1)/.done $(if $(filter path-%,$(KERNEL)),,$(B)/deps/$(KERNELS_$(1))$(KERNEL)/.done)
	@:
endef

$(foreach a,arm64 x86,$(eval $(call lab_rules,$(a))))

.PHONY: images
images: $(IMAGES_$(ARCH))

# Bochs's way into a kernel that is in RAM already
$(B)/x86/x86.rom: $(LAB)/x86rom.S
	$(call say,ROM,$@)
	$(dir)
	$(Q)$(CROSS_x86)gcc -m32 -nostdlib -static -Wl,-Ttext=0,--build-id=none,--oformat=binary -o $@ $<

# ---- unit tests: pure parts, on this machine, under the sanitizers

UNIT := $(patsubst selftests/unit/%.c,$(B)/unit/%,$(wildcard selftests/unit/*_test.c))
UNIT_C := -std=gnu11 -O1 -g $(WARN) -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-Iselftests/unit/fake -Iselftests/unit -Ikmod -Iuapi -Ilauncher
# a test names the sources it is linked with, and flags, in lines near its top: // LINK: a.c b.c   // CFLAGS: -I…
unit_says = $(shell sed -n '1,15s,^[/ ]*\*\? *$(1): *\(.*[^ */]\)[ */]*$$,\1,p' $<)
unit_cc = $(CC) $(UNIT_C) $(call unit_says,CFLAGS)
# by itself: of -MMD with several sources the last one's is all that is left
unit_depends = $(Q)$(unit_cc) -MM -MP -MT $@ $< $(filter %.c,$(call unit_says,LINK)) > $@.d

$(B)/unit/%: selftests/unit/%.c
	$(call say,UNIT,$@)
	$(dir)
	$(unit_depends)
	$(Q)$(unit_cc) -o $@ $< $(call unit_says,LINK) $(LIBS)

.PHONY: unit
unit: $(UNIT)

# a pure part against another's, over generated input
$(B)/fuzz/%: selftests/fuzz/%.c
	$(call say,FUZZ,$@)
	$(dir)
	$(unit_depends)
	$(Q)$(unit_cc) -o $@ $< $(call unit_says,LINK)

include selftests/bench/rules.mk

# ---- running it

.PHONY: demo test test-full mutants bench check check-exports
demo:
	$(Q)$(LAB)/deps$(if $(filter x86,$(ARCH)), x86)
	$(Q)$(LAB)/demo $(ARCH)

test test-full:
	$(Q)$(LAB)/deps
	$(Q)selftests/run $(if $(filter test-full,$@),--full) $(if $(RESUME),--resume) $(if $(T),'$(T)')

# M: names
mutants:
	$(Q)$(LAB)/deps
	$(Q)selftests/mutants/run $(M)

bench:
	$(Q)$(LAB)/deps
	$(Q)selftests/bench/run $(if $(filter command,$(origin ARCH)),--arch $(ARCH)) $(if $(ROWS),--rows $(ROWS)) $(if $(SIDE),--side $(SIDE)) \
		$(if $(JSON),--json $(JSON))

check:
	$(Q)$(LAB)/deps
	$(Q)$(LAB)/check

check-exports:
	$(Q)$(LAB)/deps
	$(Q)$(LAB)/deps x86-host
	$(Q)$(LAB)/check-exports

# ---- cleaning

.PHONY: clean distclean
clean:
	$(Q)rm -rf $(filter-out $(B)/deps,$(wildcard $(B)/*))
distclean:
	$(Q)rm -rf $(B)

-include $(shell find $(B) -path $(B)/deps -prune -o -path '*/kmod-*' -prune -o -name '*.d' -print 2>/dev/null)
