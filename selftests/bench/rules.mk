# SPDX-License-Identifier: GPL-2.0-only
# Included by the Makefile at the top: the bare-metal guest that selftests/bench/run measures with.
BENCH_GUEST := $(addprefix $(B)/arm64/obj/bench/,$(addsuffix .o,$(notdir $(basename $(wildcard selftests/bench/arm64/*.[cS])))))
BENCH_GUEST_CC := aarch64-linux-gnu-gcc -std=gnu11 -O2 -g -Wall -Wextra -Wmissing-prototypes $(if $(WERROR),-Werror) -MMD -MP \
	-ffreestanding -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables \
	-mgeneral-regs-only -mstrict-align -ffixed-x18

$(B)/arm64/obj/bench/%.o: selftests/bench/arm64/%.c selftests/bench/rules.mk
	$(call say,CC64,$<)
	$(dir)
	$(Q)$(BENCH_GUEST_CC) -c -o $@ $<

$(B)/arm64/obj/bench/%.o: selftests/bench/arm64/%.S selftests/bench/rules.mk
	$(call say,AS64,$<)
	$(dir)
	$(Q)$(BENCH_GUEST_CC) -c -o $@ $<

$(B)/arm64/guest/bench.bin: $(BENCH_GUEST) selftests/bench/arm64/guest.lds
	$(call say,GUEST,$@)
	$(dir)
	$(Q)aarch64-linux-gnu-gcc -static -nostdlib -no-pie -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments \
		-T selftests/bench/arm64/guest.lds -o $(@:.bin=.elf) $(BENCH_GUEST)
	$(Q)aarch64-linux-gnu-objcopy -O binary $(@:.bin=.elf) $@

# all that a run needs; the lab is then told not to build
.PHONY: bench-arm64
bench-arm64: lab-arm64-base $(B)/arm64/guest/bench.bin $(B)/arm64/selftests/count
	@:
