// SPDX-License-Identifier: GPL-2.0-only
#include "config/nearest.h"

#include <stdio.h>
#include <string.h>

static unsigned int word_distance(const char *a, const char *b)
{
	unsigned int row[64], width = strlen(b);

	if (width >= 64)
		return width;
	for (unsigned int j = 0; j <= width; j++)
		row[j] = j;
	for (unsigned int i = 1; *a; a++, i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= width; j++) {
			unsigned int change = diagonal + (*a != b[j - 1]);
			unsigned int least = row[j - 1] < row[j] ? row[j - 1] + 1 : row[j] + 1;

			diagonal = row[j];
			row[j] = change < least ? change : least;
		}
	}
	return row[width];
}

void nearest_try(struct nearest *nearest, const char *text, size_t length)
{
	char word[NEAREST_SIZE];
	unsigned int distance;

	if (length >= sizeof(word))
		return;
	snprintf(word, sizeof(word), "%.*s", (int)length, text);
	distance = word_distance(nearest->wanted, word);
	if (nearest->word[0] && distance >= nearest->distance)
		return;
	memcpy(nearest->word, word, sizeof(word));
	nearest->distance = distance;
}
