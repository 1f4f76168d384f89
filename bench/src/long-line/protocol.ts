// The protocol of the long line: streams of items, and single messages one after the other.

import { bytes, defineProtocol, json } from '@trunkline/transport-core';
import { z } from 'zod';

/** A number of bytes. */
const size = json(z.int());

export const protocol = defineProtocol({
  name: 'long-line',
  version: 1,
  channel: 0x20,
  methods: {
    upload: { id: 1, request: size, upload: bytes, response: size },
    download: { id: 2, request: size, download: bytes },
    put: { id: 3, request: bytes, response: size },
    get: { id: 4, request: size, response: bytes },
  },
});

/** Both directions, as the items of a stream and as single messages. */
export const TASKS = ['upload', 'download', 'put', 'get'] as const;
export type Task = (typeof TASKS)[number];

export const BACKENDS = ['tcp', 'ws'] as const;
export type Backend = (typeof BACKENDS)[number];

export const ITEM = 256 * 1024;
export const MESSAGE = 4 * 1024 * 1024;

/** Yields items of `total` bytes in total. */
export async function* items(total: number): AsyncGenerator<Uint8Array, void, void> {
  const item = new Uint8Array(ITEM);
  for (let sent = 0; sent < total; sent += ITEM) yield item;
}
