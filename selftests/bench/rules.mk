# SPDX-License-Identifier: GPL-2.0-only
# Included by the Makefile at the top: the bare-metal guests that selftests/bench/run measures with.
BENCH_CC := -std=gnu11 -O2 -g -Wall -Wextra -Wmissing-prototypes $(if $(WERROR),-Werror) -MMD -MP \
	-ffreestanding -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables -mgeneral-regs-only
BENCH_CC_arm64 := -mstrict-align -ffixed-x18
BENCH_CC_x86 := -mno-red-zone -mcmodel=small -fcf-protection=none

BENCH_PROGRAMS_arm64 := count vm_calls vm_calls-kvm
BENCH_PROGRAMS_x86 := count x86_calls

define bench_rules
# $(1): the architecture
BENCH_GUEST_$(1) := $(addprefix $(B)/$(1)/obj/bench/,$(addsuffix .o,$(notdir $(basename $(wildcard selftests/bench/$(1)/*.[cS])))))

$(B)/$(1)/obj/bench/%.o: selftests/bench/$(1)/%.c selftests/bench/rules.mk
	$$(call say,CC$(TAG_$(1)),$$<)
	$$(dir)
	$(Q)$(CROSS_$(1))gcc $(BENCH_CC) $(BENCH_CC_$(1)) -c -o $$@ $$<

$(B)/$(1)/obj/bench/%.o: selftests/bench/$(1)/%.S selftests/bench/rules.mk
	$$(call say,AS$(TAG_$(1)),$$<)
	$$(dir)
	$(Q)$(CROSS_$(1))gcc $(BENCH_CC) $(BENCH_CC_$(1)) -c -o $$@ $$<

$(B)/$(1)/guest/bench.bin: $$(BENCH_GUEST_$(1)) selftests/bench/$(1)/guest.lds
	$$(call say,GUEST,$$@)
	$$(dir)
	$(Q)$(CROSS_$(1))gcc -static -nostdlib -no-pie -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments \
		-T selftests/bench/$(1)/guest.lds -o $$(@:.bin=.elf) $$(BENCH_GUEST_$(1))
	$(Q)$(CROSS_$(1))objcopy -O binary $$(@:.bin=.elf) $$@

# the same program over both seams
$(B)/$(1)/selftests/vm_calls: $(B)/$(1)/obj/selftests/bench/calls/vm_$(1).o $(B)/$(1)/obj/launcher/vm/sys.o
	$$(call say,LD,$$@)
	$$(dir)
	$(Q)$(CROSS_$(1))gcc -static -o $$@ $$^

$(B)/$(1)/selftests/vm_calls-kvm: $(B)/$(1)/obj/selftests/bench/calls/vm_$(1).o $(KVM_$(1):%.c=$(B)/$(1)/obj/%.o)
	$$(call say,LD,$$@)
	$$(dir)
	$(Q)$(CROSS_$(1))gcc -static -o $$@ $$^ -lpthread

# all that a run needs; the lab is then told not to build
.PHONY: bench-$(1)
bench-$(1): lab-$(1)-base $(B)/$(1)/guest/bench.bin $(BENCH_PROGRAMS_$(1):%=$(B)/$(1)/selftests/%)
	@:
endef

$(foreach a,arm64 x86,$(eval $(call bench_rules,$(a))))
