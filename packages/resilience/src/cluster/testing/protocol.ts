// The protocol of the workers in tests.

import { bytes, defineProtocol } from '@trunkline/transport-core';

export const protocol = defineProtocol({
  name: 'work',
  methods: {
    /** Returns the process id and the thread id of the worker. */
    who: { id: 1, request: bytes, response: bytes },
    echo: { id: 2, request: bytes, response: bytes },
    /** Answers after a number of milliseconds. */
    slow: { id: 3, request: bytes, response: bytes },
    /** Blocks the event loop for a number of milliseconds, or until the worker is killed. */
    block: { id: 4, request: bytes },
    /** Throws an error that nobody catches. */
    crash: { id: 5, request: bytes },
  },
});

/** Returns a number of milliseconds as a request. */
export function milliseconds(number: number): Uint8Array {
  return Uint8Array.of(number >> 8, number & 0xff);
}

/** Reads a number of milliseconds from a request. */
export function millisecondsOf([high = 0, low = 0]: Uint8Array): number {
  return (high << 8) | low;
}
