// Gives a name to every wait on a transport and on the objects that it returns, for the waits of a
// case.

import type { AnyTransport } from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';
import { iterable } from '@trunkline/transport-core/internal';
import type { CaseWaits } from './case-waits.ts';

/**
 * Names the promises and iterators of a transport, and of its mounts, after the methods that return
 * them: if a case hangs in one of these, the error names it. The promises settle a few microtasks
 * later, and those other than of `close` never in a case that has stalled. Returns the transport,
 * whose methods it replaces.
 */
export function nameWaits<T extends AnyTransport>(transport: T, waits: CaseWaits): T {
  let bytes = 0;
  waits.add({
    bytes() {
      try {
        const { in: received, out: sent } = transport.snapshot().bytes;
        bytes = received + sent;
      } catch {
        // The layer of the case has no address at the moment.
      }
      return bytes;
    },
  });
  return nameProtocol(transport, waits);
}

/** Names the waits of one protocol of a transport. */
function nameProtocol<T extends AnyTransport>(transport: T, waits: CaseWaits): T {
  nameMethods(transport, WAITING, waits);
  nameIterators(transport, ['consumer', 'connections'], waits);
  const methods = transport as unknown as Methods;
  const { mount } = transport;
  methods['mount'] = (...args) =>
    nameProtocol(mount.apply(transport, args as Parameters<typeof mount>), waits);
  return transport;
}

/** Names the promises of a stream layer as `nameWaits` does for a transport. */
export function nameLayerWaits<T extends StreamLayer>(layer: T, waits: CaseWaits): T {
  nameMethods(layer, ['listen', 'dial', 'close'], waits);
  return layer;
}

type Methods = Record<string, ((...args: unknown[]) => unknown) | undefined>;

function nameMethods(object: object, names: readonly string[], waits: CaseWaits): void {
  const methods = object as Methods;
  for (const name of names) {
    const method = methods[name];
    if (method === undefined) continue;
    methods[name] = (...args) => {
      const result = method.apply(object, args);
      if (!(result instanceof Promise)) return result;
      const what = `${name}(${args.filter(isText).map(quoted).join(', ')})`;
      if (name === 'close') return waits.of(what, result);
      const step = waits.step(
        what,
        result.then((value) => nameItems(value, what, waits)),
      );
      return Symbol.asyncIterator in result ? iterable(step) : step;
    };
  }
}

function nameIterators(object: object, names: readonly string[], waits: CaseWaits): void {
  const methods = object as Methods;
  for (const name of names) {
    const method = methods[name];
    if (method === undefined) continue;
    methods[name] = (...args) =>
      nameItems(method.apply(object, args), `${name}(${args.map(quoted).join(', ')})`, waits);
  }
}

/** Names the items of an iterator; any other value is returned as it is. */
function nameItems<T>(value: T, of: string, waits: CaseWaits): T {
  const iterator = value as { next?: (...args: unknown[]) => Promise<unknown> } | undefined | null;
  if (typeof iterator !== 'object' || iterator === null) return value;
  const { next } = iterator;
  if (typeof next !== 'function' || !(Symbol.asyncIterator in iterator)) return value;
  iterator.next = (...args) => waits.step(`the next item of ${of}`, next.apply(iterator, args));
  return value;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function quoted(value: unknown): string {
  return `'${String(value).slice(0, 80)}'`;
}

/** The methods of a transport whose promises are waits. */
const WAITING = ['listen', 'send', 'dial', 'writable', 'disconnect', 'closeStreams', 'close'];
