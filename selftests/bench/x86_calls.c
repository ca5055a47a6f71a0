// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86_calls qvm|kvm: what calls of the device cost by themselves, as "bench: NAME TICKS" of the x86 TSC, which in
 * the lab counts instructions.
 *   null_ioctl          an ioctl that the device does not know
 *   vm_create           an empty VM
 *   vm_destroy          the close of its fd
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>
#include <qvm.h>

#define CHUNKS		100
#define CHUNK_LENGTH	20
#define VMS		21
#define UNKNOWN(type)	_IO(type, 0xef)

static uint64_t counter(void)
{
	return __builtin_ia32_rdtsc();
}

static int create_vm(int fd, int is_qvm)
{
	struct qvm_create_vm create = { .name = "bench", .max_vcpus = 1 };

	return is_qvm ? ioctl(fd, QVM_CREATE_VM, &create) : ioctl(fd, KVM_CREATE_VM, 0);
}

static uint64_t null_ioctl(int fd, unsigned long command)
{
	uint64_t best = ~0ULL;

	for (int chunk = 0; chunk < CHUNKS; chunk++) {
		uint64_t begin = counter();

		for (int i = 0; i < CHUNK_LENGTH; i++)
			ioctl(fd, command, NULL);
		begin = counter() - begin;
		if (begin < best)
			best = begin;
	}
	return best / CHUNK_LENGTH;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void row(const char *name, uint64_t value)
{
	printf("bench: %s %llu\n", name, (unsigned long long)value);
}

int main(int argc, char **argv)
{
	int is_qvm = argc == 2 && !strcmp(argv[1], "qvm");
	uint64_t create[VMS], destroy[VMS];
	int fd;

	if (!is_qvm && (argc != 2 || strcmp(argv[1], "kvm"))) {
		fputs("usage: x86_calls qvm|kvm\n", stderr);
		return 64;
	}
	fd = open(is_qvm ? "/dev/qvm" : "/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		perror("x86_calls: open");
		return 64;
	}
	row("null_ioctl", null_ioctl(fd, is_qvm ? UNKNOWN(QVM_IOC) : UNKNOWN(KVMIO)));
	for (int i = 0; i < VMS; i++) {
		uint64_t begin = counter(), created;
		int vm = create_vm(fd, is_qvm);

		if (vm < 0) {
			perror("x86_calls: create a VM");
			return 71;
		}
		created = counter();
		close(vm);
		destroy[i] = counter() - created;
		create[i] = created - begin;
	}
	qsort(create, VMS, sizeof(create[0]), compare);
	qsort(destroy, VMS, sizeof(destroy[0]), compare);
	row("vm_create", create[VMS / 2]);
	row("vm_destroy", destroy[VMS / 2]);
	return 0;
}
