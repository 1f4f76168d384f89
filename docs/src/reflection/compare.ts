import { compareProtocols, describeProtocol, isBreakingChange } from '@trunkline/admin/reflection';
import { defineProtocol, json } from 'trunkline';
import { z } from 'zod';

const define = (request: z.ZodType) =>
  defineProtocol({
    name: 'greeter',
    version: 1,
    channel: 0x20,
    methods: { greet: { id: 1, request: json(request), response: json(z.string()) } },
  });

const before = await describeProtocol(define(z.object({ name: z.string() })));
const after = await describeProtocol(
  define(z.object({ name: z.string().max(40), title: z.string().optional() })),
);
for (const change of await compareProtocols([before], [after]))
  console.log(
    `${isBreakingChange(change) ? 'breaking' : 'harmless'} ${change.rule} ${change.path}`,
  );
