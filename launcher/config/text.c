// SPDX-License-Identifier: GPL-2.0-only
#include "config/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/alloc.h"
#include "util/log.h"

#define FILE_MAX_SIZE	(1 << 20)

/* Bytes of the character at @at, which is put into *@code; 0: no UTF-8. */
static unsigned int decode(const unsigned char *at, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int size = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 :
			    at[0] >> 3 == 30 ? 4 : 0;

	*code = size < 2 ? at[0] : at[0] & (0x7f >> size);
	for (unsigned int i = 1; i < size; i++) {
		if (at[i] >> 6 != 2)
			return 0;
		*code = *code << 6 | (at[i] & 0x3f);
	}
	return size && *code >= least[size] ? size : 0;
}

static bool is_plain(uint32_t code)
{
	if (code < 0x20)
		return code == '\t' || code == '\n' || code == '\r';
	if (code >= 0x7f && code < 0xa0)
		return false;
	return code != 0x2028 && code != 0x2029 && code != 0xfeff && code < 0x110000 &&
	       (code & 0xfffe) != 0xfffe && code >> 11 != 0xd800 >> 11;
}

const char *text_find_bad(const char *text)
{
	uint32_t code;
	unsigned int size;

	for (; *text; text += size) {
		size = decode((const unsigned char *)text, &code);
		if (!size || !is_plain(code))
			return text;
	}
	return NULL;
}

void text_flatten(char *text)
{
	size_t length = strlen(text);
	bool ends_line = length && strchr("\t\n\r", text[length - 1]);

	for (char *at = text; *at; at++)
		if (strchr("\t\n\r", *at))
			*at = ' ';
	while (ends_line && length && text[length - 1] == ' ')
		text[--length] = '\0';
}

/* A folder can be opened, too. */
static FILE *open_file(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat status;

	if (file && !fstat(fileno(file), &status) && S_ISDIR(status.st_mode)) {
		fclose(file);
		errno = EISDIR;
		return NULL;
	}
	return file;
}

char *text_read_file(const char *path, size_t *size)
{
	struct origin whole = { path, 0 };
	FILE *file = open_file(path);
	char *text;

	if (!file) {
		log_at(&whole, NULL, "can't be read: %s", strerror(errno));
		return NULL;
	}
	text = xcalloc(FILE_MAX_SIZE + 2, 1);
	*size = fread(text, 1, FILE_MAX_SIZE + 1, file);
	fclose(file);
	if (*size <= FILE_MAX_SIZE)
		return xreallocarray(text, *size + 1, 1);
	log_at(&whole, NULL, "larger than 1M, this is no config");
	free(text);
	return NULL;
}
