// The protocol of the long line: streams of items, and single messages one after the other.

import { bytes, defineProtocol } from '@trunkline/transport-core';

export const protocol = defineProtocol({
  name: 'long-line',
  version: 1,
  channel: 0x20,
  methods: {
    upload: { id: 1, request: bytes, upload: bytes, response: bytes },
    download: { id: 2, request: bytes, download: bytes },
    put: { id: 3, request: bytes, response: bytes },
    get: { id: 4, request: bytes, response: bytes },
  },
});

/** Both directions, as the items of a stream and as single messages. */
export const TASKS = ['upload', 'download', 'put', 'get'] as const;
export type Task = (typeof TASKS)[number];

export const BACKENDS = ['tcp', 'ws'] as const;
export type Backend = (typeof BACKENDS)[number];

export const ITEM = 256 * 1024;
export const MESSAGE = 4 * 1024 * 1024;

/** Makes a request that asks for `size` bytes. */
export function asking(size: number): Uint8Array {
  const request = new Uint8Array(4);
  new DataView(request.buffer).setUint32(0, size);
  return request;
}

export function asked(request: Uint8Array): number {
  return new DataView(request.buffer, request.byteOffset).getUint32(0);
}

/** Yields items of `total` bytes in total. */
export async function* items(total: number): AsyncGenerator<Uint8Array, void, void> {
  const item = new Uint8Array(ITEM);
  for (let sent = 0; sent < total; sent += ITEM) yield item;
}
