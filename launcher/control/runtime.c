// SPDX-License-Identifier: GPL-2.0-only
#include "control/runtime.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dev/device.h"
#include "machine/board.h"
#include "machine/machine.h"
#include "util/log.h"
#include "vm/sys.h"
#include "vm/vm.h"

#define PATH_SIZE	108	/* of a socket's address, unix(7) */
#define NS_PER_S	1000000000ull

static const char *const files[] = { "control", "env.json", "env.json.new", "log" };

bool runtime_path(char *path, size_t size, const char *name, const char *file)
{
	const char *base = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");
	int length;

	if (!base || strchr(name, '/') || name[0] == '.')
		return false;
	length = snprintf(path, size, "%s/qvm/%s%s%s", base, name, file[0] ? "/" : "", file);
	return length > 0 && (size_t)length < size;
}

static void remove_files(const char *name, size_t count)
{
	char path[PATH_SIZE];

	for (size_t i = 0; i < count; i++)
		if (runtime_path(path, sizeof(path), name, files[i]))
			unlink(path);
}

bool runtime_shared_path(char *path, size_t size, const char *file)
{
	const char *base = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");
	int length;

	if (!base)
		return false;
	/* no VM's name begins with a dot */
	length = snprintf(path, size, "%s/qvm/.shared%s%s", base, *file ? "/" : "", file);
	return length > 0 && (size_t)length < size;
}

int runtime_open(const char *name)
{
	char path[PATH_SIZE];

	/* A socket in it has the longest path. */
	if (!runtime_path(path, sizeof(path), name, "env.json.new"))
		return -ENAMETOOLONG;
	runtime_path(path, sizeof(path), "", "");
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	runtime_path(path, sizeof(path), name, "");
	if (mkdir(path, 0700) && (errno != EEXIST || chmod(path, 0700)))
		return -errno;
	remove_files(name, sizeof(files) / sizeof(files[0]));
	return 0;
}

void runtime_close(const struct vm *vm)
{
	const char *name = vm->machine->name;
	char path[PATH_SIZE];

	if (vm->machine->is_named) {
		remove_files(name, 1);
		return;
	}
	remove_files(name, sizeof(files) / sizeof(files[0]));
	if (runtime_path(path, sizeof(path), name, ""))
		rmdir(path);
}

/* ---- env.json ---- */

static void put_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			fprintf(out, "\\u%04x", *text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* A time of CLOCK_MONOTONIC as one of the calendar; null: it has not come yet. */
static void put_time(FILE *out, const char *key, uint64_t monotonic)
{
	uint64_t real = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC) + monotonic;
	time_t seconds = (time_t)(real / NS_PER_S);
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
	if (monotonic)
		fprintf(out, "  \"%s\": \"%s.%06lluZ\",\n", key, text,
			(unsigned long long)(real % NS_PER_S / 1000));
	else
		fprintf(out, "  \"%s\": null,\n", key);
}

static void put_memory(FILE *out, const struct machine *machine)
{
	fputs("  \"memory\": [", out);
	for (size_t i = 0; i < machine->memory_count; i++)
		fprintf(out, "%s\n    {\"kind\": \"%s\", \"at\": %llu, \"size\": %llu}", i ? "," : "",
			machine->memory[i].kind == MEMORY_ROM ? "rom" : "ram",
			(unsigned long long)machine->memory[i].gpa,
			(unsigned long long)machine->memory[i].size);
	fputs("\n  ],\n", out);
}

static void put_devices(FILE *out, const struct machine *machine)
{
	fputs("  \"devices\": [", out);
	for (size_t i = 0; i < machine->device_count; i++) {
		const struct device_config *device = &machine->device[i];

		fprintf(out, "%s\n    {\"type\": \"%s\", \"name\": ", i ? "," : "", device->type->name);
		put_string(out, device->name);
		fprintf(out, ", \"%s\": %llu, \"irq\": %u", device->port ? "port" : "at",
			(unsigned long long)device->gpa, device->irq);
		if (device->window_size)
			fprintf(out, ", \"window\": %llu, \"window_size\": %llu",
				(unsigned long long)device->window,
				(unsigned long long)device->window_size);
		fputc('}', out);
	}
	fputs("\n  ],\n", out);
}

static void put_end(FILE *out, const struct vm *vm, bool ended)
{
	int status = __atomic_load_n(&vm->status, __ATOMIC_SEQ_CST);

	if (!ended || status == VM_RUNS) {
		fputs("  \"reason\": null,\n  \"status\": null\n", out);
		return;
	}
	fputs("  \"reason\": ", out);
	put_string(out, vm_end_text(vm));
	fprintf(out, ",\n  \"status\": %d\n", status);
}

static void put_env(FILE *out, const struct vm *vm, const struct qvm_vm_info *info)
{
	const struct machine *machine = vm->machine;

	fputs("{\n  \"name\": ", out);
	put_string(out, machine->name);
	fprintf(out, ",\n  \"id\": %u,\n  \"pid\": %d,\n  \"arch\": \"%s\",\n  \"vcpus\": %zu,\n", info->id,
		getpid(), machine->board->name, machine->cpu_count);
	fprintf(out, "  \"entry\": %llu,\n", (unsigned long long)machine->entry);
	if (machine->fdt_wanted)
		fprintf(out, "  \"fdt\": %llu,\n", (unsigned long long)machine->fdt_gpa);
	put_memory(out, machine);
	put_devices(out, machine);
	fprintf(out, "  \"state\": \"%s\",\n", vm_state_text(vm));
	put_time(out, "assembled", info->assembled);
	/* It is written by who is about to enter the guest. */
	put_time(out, "started", info->started || vm->state < VM_STATE_STARTED ? info->started :
									 now_ns(CLOCK_MONOTONIC));
	put_time(out, "ended", info->ended);
	put_end(out, vm, vm->state == VM_STATE_ENDED);
	fputs("}\n", out);
}

void runtime_write_env(struct vm *vm)
{
	char path[PATH_SIZE], new_path[PATH_SIZE];
	struct qvm_vm_info info = { 0 };
	FILE *out;

	if (!vm->has_folder)
		return;
	runtime_path(path, sizeof(path), vm->machine->name, "env.json");
	runtime_path(new_path, sizeof(new_path), vm->machine->name, "env.json.new");
	sys_vm_info(vm->sys_vm, &info);
	out = fopen(new_path, "we");
	if (!out) {
		log_debug("%s: %s", new_path, strerror(errno));
		return;
	}
	put_env(out, vm, &info);
	if (fclose(out) || rename(new_path, path))
		log_debug("%s: %s", path, strerror(errno));
}
