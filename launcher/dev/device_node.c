// SPDX-License-Identifier: GPL-2.0-only
#include "dev/device_node.h"

#include "dev/device_host.h"
#include "machine/machine.h"

void device_node_u32s(struct device_node *node, const char *name, const uint32_t *values,
		      size_t count)
{
	if (node->ops->u32s)
		node->ops->u32s(node->out, name, values, count);
}

void device_node_u32(struct device_node *node, const char *name, uint32_t value)
{
	device_node_u32s(node, name, &value, 1);
}

void device_node_string(struct device_node *node, const char *name, const char *text)
{
	if (node->ops->string)
		node->ops->string(node->out, name, text);
}

void device_node_flag(struct device_node *node, const char *name)
{
	if (node->ops->flag)
		node->ops->flag(node->out, name);
}

void device_node_clocks(struct device_node *node, const char *names, uint32_t hz)
{
	if (node->ops->clocks)
		node->ops->clocks(node->out, names, hz);
}

uint32_t device_node_phandle(struct device_node *node)
{
	return node->ops->phandle ? node->ops->phandle(node->out) : 0;
}

void device_node_begin(struct device_node *node, const char *name)
{
	if (!node->ops->begin)
		return;
	if (!node->closed)
		node->ops->end(node->out);
	node->closed = true;
	node->open++;
	node->ops->begin(node->out, name);
}

void device_node_end(struct device_node *node)
{
	if (!node->open)
		return;
	node->open--;
	node->ops->end(node->out);
}

void device_describe(const struct device_config *config, struct device_node *node)
{
	struct device_host host;
	const struct device *before;

	if (!config->type->describe || device_host_init(&host, config, NULL))
		return;
	before = device_enter(&host.dev);
	config->type->describe(&host.dev, node);
	device_enter(before);
	while (node->open)
		device_node_end(node);
	device_host_fini(&host);
}
