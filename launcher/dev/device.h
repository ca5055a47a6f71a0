/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device API of qvm. What is in this file is all that a device needs and all that it may use:
 * those that are linked into qvm are written against it, and so is a vdev of your own, a shared
 * object that a config names (`vdev ./my.so`). It stays as it is within one DEVICE_ABI: what is
 * added later goes where `reserved` is, and no function changes.
 *
 * A vdev defines one symbol, the list of the types it brings, ended by a NULL:
 *
 *	const struct device_type *const qvm_device_types[] = { &my_type, NULL };
 *
 * and is built by `cc -shared -fPIC -o vdev-my.so my.c`: the functions below are in qvm.
 *
 * Phases. The config is read: state is there with the options in it, check() looks at them.
 * describe() writes the guest's FDT or ACPI node. The VM is assembled: create(). From then on
 * read() and write() may come from any vCPU thread, several at a time, and timers, consoles and
 * threads run. state() tells of the VM's life. destroy() when no vCPU runs any more; threads that
 * the device made it ends there. A machine that is restarted in place goes back to create() with
 * fresh state. `qvm check` ends before create().
 *
 * All functions return 0 or a negative errno where nothing else is said. A device that crashes
 * ends its VM, with exit status 6 and its name in the log; no other VM notices.
 */
#ifndef QVM_DEVICE_H
#define QVM_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVICE_ABI	1	/* of this file; types that say another are not loaded */

struct device_node;		/* the guest's description of a device, while it is written */
struct device_timer;
struct device_thread;
struct chardev;
struct device;

/* ---- a type of devices ---- */

enum device_option_kind {
	/* what is said, as it is; in the state: const char *, NULL: not said and no fallback */
	DEVICE_OPTION_STRING,
	DEVICE_OPTION_NUMBER,	/* uint64_t */
	DEVICE_OPTION_SIZE,	/* uint64_t, bytes */
	DEVICE_OPTION_ADDRESS,	/* uint64_t; qvmconf: hexadecimal unless something says otherwise */
	DEVICE_OPTION_BOOL,	/* bool; in qvmconf the word alone means true */
	DEVICE_OPTION_CHOICE,	/* unsigned int: which of choices, from 0 */
	DEVICE_OPTION_CHOICES,	/* unsigned int: those of choices that are said, a bit each */
	DEVICE_OPTION_STRINGS,	/* struct device_strings: may be said several times */
};

struct device_strings {
	const char *const *text;
	size_t count;
};

/* One option of a config, checked and converted before check(); a wrong one is said with its line. */
struct device_option {
	const char *name;
	enum device_option_kind kind;
	size_t offset;			/* in the state, of the kind's C type */
	const char *fallback;		/* as one would write it; NULL: none, zero */
	const char *choices;		/* "dump|terminate" */
	uint64_t min, max;		/* of numbers, sizes, and lengths of strings; max 0: no limit */
	const char *doc;		/* one line */
};

enum device_vm_state {
	DEVICE_VM_ASSEMBLED,	/* the board is complete */
	DEVICE_VM_STARTED,	/* the first vCPU enters the guest for the first time */
	DEVICE_VM_ENDED,	/* for whatever reason: stop what goes on by itself, DMA first */
};

enum { DEVICE_ARM64 = 1, DEVICE_X86 = 2 };

enum device_flag {
	DEVICE_F_ONCE = 1 << 0,		/* a board has one at most */
	DEVICE_F_IN_KERNEL = 1 << 1,	/* the module has it: qvm's own types alone */
	DEVICE_F_PORT = 1 << 2,		/* on x86 a bare `loc 3f8` is a port */
	DEVICE_F_NO_IRQ = 1 << 3,	/* it has no interrupt line unless the config says one */
	DEVICE_F_HOSTDEV = 1 << 4,	/* it calls chardev_create(): else `hostdev` is said to do nothing */
	DEVICE_F_BYTE_PORTS = 1 << 5,	/* at ports it is a byte wide, whatever widths says for memory */
};

struct device_type {
	uint32_t abi;			/* DEVICE_ABI */
	uint32_t flags;			/* enum device_flag */
	const char *name;		/* word of the config: "pl011" */
	const char *doc;		/* one line */
	const char *compatible;		/* FDT, strings ended by an empty one; NULL: no node */
	const char *acpi_id;		/* "PNP0501"; NULL: compatible is what ACPI says too (PRP0001) */
	uint64_t size;			/* bytes of its register window, or ports */
	uint32_t arch;			/* DEVICE_ARM64 or DEVICE_X86; 0: any */
	uint32_t widths;		/* accesses that it takes, bits 1, 2, 4, 8; 0: all */
	size_t state_size;		/* of dev->state, zeroed, options filled in */
	const struct device_option *options;	/* ended by a NULL name, or NULL */

	/* Any of these may be NULL. */

	/* The options are there: say what is wrong with them by device_config_error(). */
	void (*check)(struct device *dev);
	/* Add to the guest's description of the device. Before create(), on state of its own. */
	void (*describe)(const struct device *dev, struct device_node *node);
	/* The VM is assembled. An error was said by device_log(): the VM does not start. */
	int (*create)(struct device *dev);
	/* Undo create(). */
	void (*destroy)(struct device *dev);
	/*
	 * One access; offset < size, len one of widths, offset aligned to len. Called from any vCPU
	 * thread: the device locks itself, and never waits for long. NULL: reads as zero, writes
	 * are dropped. A register that does not exist reads as zero.
	 */
	uint64_t (*read)(struct device *dev, uint64_t offset, unsigned int len);
	void (*write)(struct device *dev, uint64_t offset, unsigned int len, uint64_t value);
	/* SIGUSR1: say the state in one line, by device_log(). */
	void (*status)(struct device *dev);
	/*
	 * The VM has come to this state. Each once in a VM's life and in their order; ASSEMBLED and
	 * ENDED with no vCPU running, STARTED by the vCPU that is about to enter the guest first.
	 * What has failed before it started goes from ASSEMBLED to destroy().
	 */
	void (*state)(struct device *dev, enum device_vm_state state);
	/*
	 * Press the machine's power button (SIGTERM). True: this device has one and the guest
	 * listens to it. In the loop's thread.
	 */
	bool (*button)(struct device *dev);
	/*
	 * Bytes of a second range of addresses, a multiple of 4K, for memory that comes and goes
	 * (device_share()); 0: none. read() and write() get what is not shared there at offsets from
	 * size on. On the state that check() has seen.
	 */
	uint64_t (*window)(const struct device *dev);
	void (*reserved[5])(void);
};

struct device {
	const struct device_type *type;
	const char *name;		/* of this one: in messages, unique on its board */
	void *state;			/* the device's own */
};

/* ---- saying ---- */

enum device_log { DEVICE_ERROR, DEVICE_WARN, DEVICE_INFO, DEVICE_DEBUG };

/* One line under the device's name; to where the config wants it. Any thread. */
void device_log(const struct device *dev, enum device_log kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* In check(): what is wrong with @option, and what would be right; file and line come before. */
void device_config_error(const struct device *dev, const char *option, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- interrupts ---- */

/*
 * Drive the device's line (level-triggered); no effect without a line. Any thread; calls for one
 * device are ordered by the device's own lock.
 */
void device_set_irq(struct device *dev, bool level);
/* What it was last driven to. */
bool device_irq_level(const struct device *dev);
/* Send a message interrupt. -ENOTSUP: no board of this qvm has them. */
int device_send_msi(struct device *dev, uint64_t address, uint32_t data);

/* The number of its line as the guest knows it, or 0. */
uint32_t device_irq_line(const struct device *dev);
/*
 * Let a signal of this eventfd put the line up, from whatever process it comes and with no thread
 * of this one in between. The count stays: who puts the line down reads it before, and looks
 * again afterwards. From create() on; any thread, calls are ordered by the device's own lock.
 */
int device_irq_eventfd(struct device *dev, int eventfd);
void device_irq_eventfd_remove(struct device *dev, int eventfd);

/* ---- the machine ---- */

/*
 * The guest's bytes @gpa … @gpa + @size - 1, or NULL where they are not all in one RAM (or, unless
 * @write, ROM). The guest may change them at any time: copy what is checked. From create() to
 * destroy(); any thread.
 */
void *device_memory(struct device *dev, uint64_t gpa, size_t size, bool write);
/* Where the device's window begins (type->window). */
uint64_t device_window(const struct device *dev);
/*
 * Let the guest read and write @memory, which other processes may have too, at @offset of the
 * window; all multiples of 4K. It stays the device's. -ENOMEM, -EPERM (RLIMIT_MEMLOCK), -EEXIST.
 * unshare: with the same offset and size; when it returns, no vCPU reaches it any more. From
 * create() to destroy(); any thread.
 */
int device_share(struct device *dev, uint64_t offset, void *memory, size_t size);
void device_unshare(struct device *dev, uint64_t offset, size_t size);
/*
 * Let the guest's write of @value, @len bytes, at @offset of the window signal @eventfd; write() is
 * not called for it. Any thread.
 */
int device_doorbell(struct device *dev, uint64_t offset, unsigned int len, uint64_t value, int eventfd);
void device_doorbell_remove(struct device *dev, uint64_t offset, unsigned int len, uint64_t value);
/*
 * Let the guest's writes to the device's register at @offset wait for each other, up to a
 * millisecond: they come to write() in their order, and before any other access to the device, but the
 * guest goes on meanwhile. After an error (this hypervisor can't, or has no more of it) they come at
 * once, as ever. In create().
 */
int device_post(struct device *dev, uint64_t offset);

/* The guest has switched itself off in order, or (@reset) wants to start anew. Any thread. */
void device_power(struct device *dev, bool reset);
/*
 * End the VM with this exit status of qvm: 4 a watchdog bit, 32 to 63 the device's own. Returns at
 * once; any thread. @format: why, for the log.
 */
void device_end(struct device *dev, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The guest has ended the machine and chosen the exit status of qvm, 0 … 255. Any thread. */
void device_exit(struct device *dev, int status);
/* The device can't go on: end the VM with exit status 6 and this reason. Any thread. */
void device_fail(struct device *dev, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Write a dump of the guest where the config says `dump`. -ENOENT: it doesn't. */
int device_dump(struct device *dev, const char *why);

/* ---- timers ---- */

/* A timer that is not set; @expired is called in the loop's thread. In create(). */
int device_timer_create(struct device *dev, void (*expired)(struct device *dev, void *arg),
			void *arg, struct device_timer **out);
/* Let it fire once, in @ns nanoseconds from now; 0: never. Any thread. */
void device_timer_set(struct device_timer *timer, uint64_t ns);
/* NULL is fine. In destroy(). */
void device_timer_destroy(struct device_timer *timer);

/* ---- threads: for what may wait ---- */

/* Run @body in a thread under the device's name. In create() or later. */
int device_thread_create(struct device *dev, void (*body)(struct device_thread *thread, void *arg),
			 void *arg, struct device_thread **out);
/* In the thread: wait for device_thread_wake(); false: it is to end. */
bool device_thread_wait(struct device_thread *thread);
/* Any thread, under any lock. Several are one. */
void device_thread_wake(struct device_thread *thread);
/* Let device_thread_wait() be false, wait for the thread's end. NULL is fine. */
void device_thread_destroy(struct device_thread *thread);

/* ---- the guest's description: an FDT node, on x86 a device of the DSDT ---- */

/* A property; cells and strings as an FDT has them, _DSD in ACPI. */
void device_node_u32(struct device_node *node, const char *name, uint32_t value);
void device_node_u32s(struct device_node *node, const char *name, const uint32_t *values,
		      size_t count);
void device_node_string(struct device_node *node, const char *name, const char *text);
void device_node_flag(struct device_node *node, const char *name);

/* FDT only; ACPI has no counterpart and gets nothing. */

/*
 * A fixed clock of @hz (0: the board's, 24 MHz) under each of these names, a list ended by an empty
 * string. Once.
 */
void device_node_clocks(struct device_node *node, const char *names, uint32_t hz);
/* Let others refer to the device's node: its phandle. 0 in ACPI. */
uint32_t device_node_phandle(struct device_node *node);
/*
 * After all properties: end the device's own node and begin another beside it, or within that one.
 * Each is ended.
 */
void device_node_begin(struct device_node *node, const char *name);
void device_node_end(struct device_node *node);

/* ---- bytes from and to the host: what the config says by `hostdev` ---- */

/* Called in the loop's thread, with no lock of the chardev held. */
struct chardev_client {
	/* How many bytes receive() could take now. */
	size_t (*room)(void *arg);
	/* Take @size bytes; never more than room() said just before. */
	void (*receive)(void *arg, const uint8_t *data, size_t size);
};

/*
 * Open the device's hostdev; without one *out is NULL, which the functions below take. Input
 * begins with the first chardev_resume(). Message printed. In create().
 */
int chardev_create(struct device *dev, const struct chardev_client *client, void *arg,
		   struct chardev **out);
/* Write what is left, close. In destroy(). */
void chardev_destroy(struct chardev *chardev);
/*
 * Put one byte out; may wait for the host's reader. Any thread; the caller holds no lock that
 * the client's functions take.
 */
void chardev_write(struct chardev *chardev, uint8_t byte);
/* There is room for input (again). Any thread, under any lock. */
void chardev_resume(struct chardev *chardev);

#endif
