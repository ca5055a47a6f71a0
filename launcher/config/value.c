// SPDX-License-Identifier: GPL-2.0-only
#include "config/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static bool value_shift(const char *suffix, unsigned int *shift)
{
	static const char letters[] = "KMG";
	const char *letter;

	*shift = 0;
	if (!*suffix)
		return true;
	letter = strchr(letters, *suffix & ~0x20);
	if (!letter || !*letter || suffix[1])
		return false;
	*shift = 10 * (letter - letters + 1);
	return true;
}

bool value_number(const char *text, uint64_t *number)
{
	unsigned int base = 10, shift;
	uint64_t value = 0;
	const char *start;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	for (start = text; digit_value(*text) < (int)base; text++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit_value(*text), &value))
			return false;
	}
	if (text == start || !value_shift(text, &shift) || (value << shift) >> shift != value)
		return false;
	*number = value << shift;
	return true;
}

bool value_bool(const char *text, bool *value)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcasecmp(text, words[i])) {
			*value = i & 1;
			return true;
		}
	}
	return false;
}

bool value_irq(const char *text, uint32_t *irq)
{
	uint64_t line;

	if (!strcmp(text, "none")) {
		*irq = 0;
		return true;
	}
	if ((strncmp(text, "gic:", 4) && strncmp(text, "ioapic:", 7)) ||
	    !value_number(strchr(text, ':') + 1, &line) || line >= 1020)
		return false;
	*irq = line;
	return true;
}

size_t value_place_prefix(const char *text)
{
	return !strncmp(text, "mem:", 4) ? 4 : !strncmp(text, "io:", 3) ? 3 : 0;
}

bool value_port(const char *text, uint32_t *port)
{
	uint64_t number;

	if (!text || strncmp(text, "io:", 3) || !value_number(text + 3, &number) || number > 0xffff)
		return false;
	*port = number;
	return true;
}

bool value_ports(const char *text, uint32_t *port, uint32_t *count)
{
	const char *comma = strchr(text, ',');
	char first[32];
	uint64_t from, ports = 1;

	snprintf(first, sizeof(first), "%.*s", (int)(comma ? comma - text : 31), text);
	if (!value_number(first, &from) || (comma && !value_number(comma + 1, &ports)) ||
	    from > 0xffff || !ports || ports > 0x10000 - from)
		return false;
	*port = from;
	*count = ports;
	return true;
}

bool value_slot(const char *text, unsigned int *bus, uint32_t *slot)
{
	unsigned int device, function = 0;
	char dot, more;
	int fields = sscanf(text, "%3u:%2u%c%1u%c", bus, &device, &dot, &function, &more);

	if ((fields != 2 && (fields != 4 || dot != '.')) || *bus > 255 || device > 31 || function > 7)
		return false;
	*slot = device << 3 | function;
	return true;
}

bool value_sched(const char *text, int *priority, char *policy)
{
	char letter = 'r', end;
	unsigned int number;
	int fields = sscanf(text, "%3u%c%c", &number, &letter, &end);

	if (*text < '0' || *text > '9' || fields < 1 || fields > 2 || number < 1 || number > 99 ||
	    !strchr("rfo", letter))
		return false;
	*priority = number;
	*policy = letter;
	return true;
}

static bool value_time(const char *text, uint64_t *ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = { { "", 1 }, { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };
	size_t digits = strspn(text, "0123456789");
	char number[24];

	if (digits >= sizeof(number))
		return false;
	snprintf(number, sizeof(number), "%.*s", (int)digits, text);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!strcmp(text + digits, units[i].name))
			return value_number(number, ns) && !__builtin_mul_overflow(*ns, units[i].ns, ns);
	}
	return false;
}

bool value_sporadic(const char *text, struct sporadic *sporadic)
{
	uint64_t *const fields[] = { &sporadic->high, &sporadic->low, &sporadic->replacements,
				     &sporadic->period, &sporadic->budget };
	size_t length = strlen(text);
	char field[32];

	if (!length || text[length - 1] != 's')
		return false;
	length -= length > 1 && text[length - 2] == ' ' ? 2 : 1;
	for (unsigned int i = 0; i < 5; i++) {
		size_t size = i < 4 ? strcspn(text, ",") : length;

		if (size >= length + (i == 4) || size >= sizeof(field))
			return false;
		snprintf(field, sizeof(field), "%.*s", (int)size, text);
		if (!(i < 3 ? value_number(field, fields[i]) : value_time(field, fields[i])))
			return false;
		text += size + 1;
		length -= size + (i < 4);
	}
	return true;
}

const char *value_size_text(uint64_t number, char *text, unsigned int size)
{
	static const char letters[] = "GMK";

	for (unsigned int i = 0; i < 3; i++) {
		unsigned int shift = 30 - 10 * i;

		if (number && !(number & ((1ULL << shift) - 1))) {
			snprintf(text, size, "%" PRIu64 "%c", number >> shift, letters[i]);
			return text;
		}
	}
	snprintf(text, size, number < 4096 ? "%" PRIu64 : "0x%" PRIx64, number);
	return text;
}
