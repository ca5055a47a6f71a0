// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smoke guest's whole user space: says that it is up, and powers off.
 * No libc: the archive stays at a few KiB, and nothing but the kernel is on trial.
 */
#include <linux/reboot.h>
#include <linux/utsname.h>
#include <sys/syscall.h>

static long sys(long nr, long a, long b, long c, long d)
{
#ifdef __x86_64__
	register long r10 asm("r10") = d;

	asm volatile("syscall" : "+a"(nr) : "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return nr;
#else
	register long x8 asm("x8") = nr, x0 asm("x0") = a, x1 asm("x1") = b, x2 asm("x2") = c, x3 asm("x3") = d;

	asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
#endif
}

static char line[256], *end = line;

static void str(const char *s)
{
	while (*s)
		*end++ = *s++;
}

static void num(unsigned int n)
{
	if (n >= 10)
		num(n / 10);
	*end++ = '0' + n % 10;
}

#ifdef __x86_64__
__attribute__((force_align_arg_pointer))	/* nobody called it: the stack is not as after a call */
#endif
void _start(void)
{
	static unsigned long mask[1024 / 64];
	static struct new_utsname uts;
	unsigned int cpus = 0;

	sys(SYS_uname, (long)&uts, 0, 0, 0);
	sys(SYS_sched_getaffinity, 0, sizeof(mask), (long)mask, 0);
	for (int i = 0; i < 1024; i++)
		cpus += mask[i / 64] >> (i % 64) & 1;

	str("guest: up ");
	str(uts.release);
	str(" cpus=");
	num(cpus);
	str("\n");
	sys(SYS_write, 1, (long)line, end - line, 0);
	sys(SYS_fsync, 1, 0, 0, 0);
	sys(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0);
	for (;;)
		;
}
