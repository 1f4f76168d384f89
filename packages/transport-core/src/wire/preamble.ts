// Judges the first bytes of a stream. An error for a wrong preamble names the protocol behind it,
// so that the mistake is found quickly.

import type { ErrorReason } from '../errors.ts';
import { FrameDecoder } from './decoder.ts';
import { PREAMBLE } from './frame.ts';
import { HELLO_FRAME_LIMIT } from './hello.ts';
import * as Kind from './kind.ts';

/**
 * Returns why a dialer's first bytes are refused; undefined if they begin with our preamble and a
 * whole HELLO, whose content is not judged here. Layers that have the whole first message of a
 * dialer before they accept it, such as that of transport-nats, call it as `ListenOptions.screen`.
 * HelloExchange (session/hello-exchange.ts) judges the preamble of every connection again, however
 * the bytes are cut.
 */
export function screenHello(
  first: Uint8Array,
): { readonly reason: ErrorReason; readonly message: string } | undefined {
  if (PREAMBLE.some((byte, at) => at < first.length && first[at] !== byte))
    return { reason: 'wrong_preamble', message: wrongPreamble(first) };
  let isWhole = false;
  const allocate = (size: number) => new Uint8Array(size);
  const decoder = new FrameDecoder({ maxLength: HELLO_FRAME_LIMIT, allocate });
  const violation = decoder.read(first.subarray(PREAMBLE.length), {
    frame: ({ kind }) => {
      isWhole = kind === Kind.HELLO;
      // One frame is enough.
      return false;
    },
  });
  if (isWhole) return undefined;
  const found = violation?.message ?? `length ${first.length}`;
  return { reason: 'malformed', message: `no whole HELLO is in the first bytes (${found})` };
}

/** Returns the error text for a peer whose first bytes are not our preamble. */
export function wrongPreamble(first: Uint8Array): string {
  const other = lookAlike(first);
  const same = other.startsWith('HTTP') ? 'scheme (ws:// is HTTP)' : 'security';
  return `the other end speaks ${other}, this end speaks plain Trunkline: give both the same ${same}`;
}

/**
 * Describes the protocol that the first bytes of a stream look like, for the text of an error.
 * `transport-ws` and the noise layer of security use it, too.
 */
export function lookAlike(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes.subarray(0, 16));
  if (/^(GET|POST|PUT|HEAD|OPTIONS|DELETE|PATCH|CONNECT|PRI) /.test(text))
    return 'HTTP (a request)';
  if (text.startsWith('HTTP/')) return 'HTTP (a response)';
  if (bytes[0] === 0x16 && bytes[1] === 0x03) return 'TLS';
  if (bytes[0] === 0x15 && bytes[1] === 0x03) return 'TLS (an alert: it accepts only TLS)';
  if (text.startsWith('TRKL')) return 'plain Trunkline (TRKL)';
  if (isNoise(bytes)) return 'Trunkline secured by noise (TRKN)';
  if (text.startsWith('SSH-')) return 'SSH';
  const hex = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0'));
  return `something else (${hex.join(' ')})`;
}

/**
 * Returns true if these are the first bytes of a stream that noise secures: the preamble in
 * noise/wire/preamble.ts of the package security.
 */
export function isNoise(bytes: Uint8Array): boolean {
  return String.fromCharCode(...bytes.subarray(0, 4)) === 'TRKN';
}
