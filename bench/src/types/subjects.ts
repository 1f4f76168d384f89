// The programs that are type-checked: the same number of methods with the same zod schemas, as
// plain functions, as a protocol of Trunkline and as a router of tRPC. Each program defines,
// implements and calls every method.

export interface Subject {
  /** The name in the table. */
  readonly name: string;
  /** The packages that the program imports. */
  readonly imports: readonly string[];
  /** Returns a program with this number of methods. */
  program(methods: number): string;
}

/** The subject that all others are compared with. */
export const FUNCTIONS = 'plain functions';
/** The subject that has a bar. */
export const PROTOCOL = 'trunkline';

/** All subjects, `FUNCTIONS` first. */
export const SUBJECTS: readonly Subject[] = [
  {
    name: FUNCTIONS,
    imports: ['zod'],
    program: (methods) => `import { z } from 'zod';
${each(methods, schemas)}
${each(
  methods,
  (
    i,
  ) => `export async function method${i}(input: z.input<typeof request${i}>): Promise<z.output<typeof response${i}>> {
  const request = request${i}.parse(input);
  return response${i}.parse(${responseOf(i)});
}`,
)}
export async function use() {
${each(methods, (i) => `  ${use(i, `method${i}(${requestOf(i)})`)}`)}
}
`,
  },
  {
    name: PROTOCOL,
    imports: ['zod', '@trunkline/transport-core'],
    program: (
      methods,
    ) => `import { defineProtocol, json, serve, type Transport } from '@trunkline/transport-core';
import { z } from 'zod';
${each(methods, schemas)}
export const protocol = defineProtocol({
  name: 'types',
  methods: {
${each(methods, (i) => `    method${i}: { request: json(request${i}), response: json(response${i}) },`)}
  },
});
export async function use(transport: Transport<typeof protocol>) {
  serve(transport, {
${each(methods, (i) => `    method${i}: async (request) => (${responseOf(i)}),`)}
  });
  const client = transport.to('tcp://127.0.0.1:7000');
${each(methods, (i) => `  ${use(i, `client.method${i}(${requestOf(i)})`)}`)}
}
`,
  },
  {
    name: 'tRPC',
    imports: ['zod', '@trpc/client', '@trpc/server'],
    program: (methods) => `import { createTRPCClient } from '@trpc/client';
import { initTRPC } from '@trpc/server';
import { z } from 'zod';
${each(methods, schemas)}
const t = initTRPC.create();
export const router = t.router({
${each(
  methods,
  (i) =>
    `  method${i}: t.procedure.input(request${i}).output(response${i}).query(async ({ input: request }) => (${responseOf(i)})),`,
)}
});
export async function use() {
  const client = createTRPCClient<typeof router>({ links: [] });
${each(methods, (i) => `  ${use(i, `client.method${i}.query(${requestOf(i)})`)}`)}
}
`,
  },
];

/** Each method has types of its own, because its members have names of their own. */
function schemas(i: number): string {
  return `const request${i} = z.object({ id${i}: z.string(), at: z.number(), tags: z.array(z.string()), kind: z.enum(['a', 'b']) });
const response${i} = z.object({ name${i}: z.string(), total: z.number(), next: z.optional(z.object({ at: z.number(), ids: z.array(z.string()) })) });`;
}

function requestOf(i: number): string {
  return `{ id${i}: 'x', at: ${i}, tags: [], kind: 'a' }`;
}

function responseOf(i: number): string {
  return `{ name${i}: request.id${i}, total: request.at + request.tags.length }`;
}

function use(i: number, call: string): string {
  return `const answer${i} = await ${call}; answer${i}.name${i}.length + answer${i}.total;`;
}

function each(methods: number, line: (i: number) => string): string {
  return Array.from({ length: methods }, (_, i) => line(i)).join('\n');
}
