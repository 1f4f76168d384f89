// A node that encodes the wire protocol of peers by itself, so that a test can break the protocol's
// rules.

import type { SimTransportOptions, Simulation } from '@trunkline/simulation';
import {
  type AnyTransport,
  bytes,
  json,
  type Remote,
  TransportError,
} from '@trunkline/transport-core';
import { defineProjectProtocol, manage } from '@trunkline/transport-core/internal';
import * as z from 'zod/mini';
import { peersProtocol } from '../protocol.ts';
import { echo, idOf } from './cluster.ts';

/** The protocol of peers without its limits and checks, and without `services`. */
export const looseProtocol = defineProjectProtocol({
  name: peersProtocol.name,
  version: peersProtocol.version,
  channel: peersProtocol.channel,
  methods: {
    request: { id: 1, request: bytes },
    addresses: { id: 2, request: json(z.object({ addresses: z.array(z.unknown()) })) },
    status: { id: 3, request: json(z.object({ seq: z.number() })) },
    pull: { id: 4, request: bytes, response: bytes, timeout: 5_000 },
  },
});

/** A node that encodes the wire protocol of peers by itself. */
export type RawPeer = ReturnType<typeof rawPeer>;

/**
 * Creates a raw peer. It is outside all nodes of the simulation, so no partition affects it. Once
 * its transport listens, it can be reached by its name. `answer` returns the addresses to send to a
 * peer that asks for them, and `status` the response to a pull; undefined sends nothing.
 */
export function rawPeer(
  sim: Simulation,
  name: string,
  {
    nodeId = idOf(name),
    transport: options = {} as Omit<SimTransportOptions, 'name'>,
    answer = (): readonly unknown[] | undefined => undefined,
    status = (): Uint8Array | undefined => undefined,
  } = {},
) {
  const transport = sim.client(echo, { ...options, name });
  /** The messages it received, in order. */
  const heard: { readonly method: string; readonly request: unknown }[] = [];
  /** The reasons why established connections ended, in order. */
  const downs: TransportError[] = [];
  /** The connections that are up. */
  const links = new Set<Remote>();
  pose(transport, nodeId, {
    up: (remote) => void links.add(remote),
    down: (remote, cause) => {
      if (links.delete(remote)) downs.push(cause);
    },
  });
  /** The transport of the peers' own protocol. */
  const words = transport.mount(looseProtocol);
  /** Requests addresses. */
  const ask = (remote: Remote) => void words.trySend(remote, 'request', new Uint8Array());
  void (async () => {
    for await (const rpc of words.consumer()) {
      heard.push({ method: rpc.method, request: rpc.request });
      const addresses = rpc.method === 'request' ? answer() : undefined;
      if (addresses !== undefined)
        words.trySend(rpc.from, 'addresses', { addresses: [...addresses] });
      const bytes = rpc.method === 'pull' ? status() : undefined;
      if (rpc.method === 'pull' && bytes !== undefined) rpc.respond(bytes);
    }
  })();
  return { name, nodeId, transport, words, heard, downs, links, ask };
}

/** Makes a transport say that it is a node, without the behavior of one. */
export function pose(
  transport: AnyTransport,
  nodeId: string,
  hooks: Partial<Parameters<typeof manage>[1]> = {},
): void {
  manage(transport, {
    nodeId,
    admit() {},
    up() {},
    down() {},
    links: () => [],
    reach: () => Promise.reject(new TransportError('unavailable', 'it knows nobody by an id')),
    closed() {},
    ...hooks,
  });
}

/** Returns the number of messages of a method that it received. */
export function countReceived({ heard }: RawPeer, method: string): number {
  return heard.filter((message) => message.method === method).length;
}

/** Returns the entries of the first address list that it received. */
export function entriesTold({ heard }: RawPeer): readonly { readonly address: string }[] {
  const answer = heard.find(({ method }) => method === 'addresses')!;
  return (answer.request as { addresses: { address: string }[] }).addresses;
}

/** Asks a node for addresses, once, as a new raw peer. Returns the entries of its answer. */
export async function toldAddresses(sim: Simulation, name: string) {
  const guest = rawPeer(sim, 'guest');
  guest.ask(await sim.settle(guest.transport.dial(name)));
  await sim.until(() => countReceived(guest, 'addresses') === 1, 1_000);
  return entriesTold(guest);
}

/** Returns the entry of a node in an address list. */
export function entry(name: string, address = name) {
  return { nodeId: idOf(name), address };
}
