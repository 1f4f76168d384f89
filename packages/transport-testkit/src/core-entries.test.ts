// Tests that the three entries of transport-core share one copy of its code, both as Node loads
// them and as a bundler does.

import { readFileSync } from 'node:fs';
import test from 'ava';

const manifest = import.meta.resolve('@trunkline/transport-core/package.json');
const { exports } = JSON.parse(readFileSync(new URL(manifest), 'utf8')) as {
  exports: Record<string, Record<string, string>>;
};
const NAMES = ['', '/backend', '/internal'];

const loaders: [string, (entry: string) => Promise<Record<string, unknown>>][] = [
  ['in Node', (entry) => import(`@trunkline/transport-core${entry}`)],
  ['in a browser', (entry) => import(new URL(exports[`.${entry}`]!.default!, manifest).href)],
];

for (const [where, load] of loaders) {
  test(`the entries of core share one TransportError ${where}`, async (t) => {
    const [main, backend, internal] = (await Promise.all(NAMES.map(load))) as [any, any, any];
    const error = backend.reasonError('reset', 'the line broke');
    // `instanceof` would also recognize the class of another copy.
    t.is(error.constructor, main.TransportError);
    t.is(internal.withDetails(error, { target: 'a' }).constructor, main.TransportError);
  });

  test(`each name of core is exported by one entry ${where}`, async (t) => {
    const entries = await Promise.all(NAMES.map(load));
    const names = entries.flatMap((entry) => Object.keys(entry));
    t.deepEqual(names, [...new Set(names)]);
  });
}
