/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's side of a device that speaks bytes: a terminal, a file, a FIFO, stdin and stdout.
 *
 * Output is collected until a newline, a full buffer or a short pause, and then written. Input
 * is read only as far as the device has room, so that nothing typed or piped in is lost.
 */
#ifndef QVM_DEV_CHARDEV_H
#define QVM_DEV_CHARDEV_H

#include <stddef.h>
#include <stdint.h>

struct chardev;

/*
 * What the device gives for input; called in the loop's thread, with no lock of the chardev
 * held. @arg is that of chardev_create().
 */
struct chardev_client {
	/* How many bytes receive() could take now. */
	size_t (*room)(void *arg);
	/* Take @size bytes; never more than room() said just before. */
	void (*receive)(void *arg, const uint8_t *data, size_t size);
};

/*
 * Open @hostdev for the device @name (for messages):
 *   "-"      stdin and stdout; raw mode if stdin is a terminal, where Ctrl-] cuts the VM's power
 *   ">-"     stdout only
 *   "<-"     stdin only
 *   path     both; ">path": output only, created or emptied; "<path": input only
 *   NULL     nothing: *out is NULL, which the functions below take
 * Input begins with the first chardev_resume(). 0 or -errno, message printed.
 */
int chardev_create(const char *hostdev, const char *name, const struct chardev_client *client,
		   void *arg, struct chardev **out);
/* Write what is left, close. The loop no longer runs. NULL is fine. */
void chardev_destroy(struct chardev *chardev);

/*
 * Put one byte out; may wait for the host's reader. Any thread; the caller holds no lock that
 * the client's functions take.
 */
void chardev_write(struct chardev *chardev, uint8_t byte);
/* There is room for input (again). Any thread, under any lock. */
void chardev_resume(struct chardev *chardev);

/* The VM ends: from now on drop output of any chardev that the host doesn't take at once. */
void chardev_abandon(void);

#endif
