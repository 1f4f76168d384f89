// The parts of WebCrypto and node:crypto that draw random numbers, with the randomness of a
// simulated node, and those that answer from a thread, in microtasks instead.

import crypto from 'node:crypto';
import { overlay } from './overlay.ts';
import type { Refusals } from './refusals.ts';

/** Creates the members of `node:crypto` of a node; `webcrypto` is also the global `crypto`. */
export function virtualCrypto(random: () => number, refusals: Refusals): Record<string, unknown> {
  const fill = <T extends ArrayBufferView>(view: T): T => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(random() * 256);
    return view;
  };
  const randomBytes = (size: number, callback?: (error: null, bytes: Buffer) => void) => {
    const bytes = fill(Buffer.alloc(size));
    return callback === undefined ? bytes : answer(callback, bytes);
  };
  const randomFillSync = <T extends ArrayBufferView>(given: T, offset = 0, size?: number): T => {
    const view = ArrayBuffer.isView(given) ? given : new Uint8Array(given as ArrayBuffer);
    const unit = 'BYTES_PER_ELEMENT' in view ? Number(view.BYTES_PER_ELEMENT) : 1;
    const length = size === undefined ? view.byteLength - offset * unit : size * unit;
    fill(new Uint8Array(view.buffer, view.byteOffset + offset * unit, length));
    return given;
  };
  const randomInt = (...args: unknown[]) => {
    const callback = typeof args.at(-1) === 'function' ? (args.pop() as Answer) : undefined;
    const [min, max] = (args.length > 1 ? args : [0, args[0]]) as [number, number];
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || max <= min)
      throw new RangeError(`crypto.randomInt: expected integers min < max, got ${min} and ${max}`);
    const number = min + Math.floor(random() * (max - min));
    return callback === undefined ? number : answer(callback, number);
  };
  const randomUUID = () => {
    const bytes = fill(new Uint8Array(16));
    // Sets version 4 and the variant (RFC 9562, section 5.4).
    bytes[6] = (bytes[6]! & 0x0f) | 0x40;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    return Buffer.from(bytes)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  };
  const subtle = refusals.sealed(crypto.webcrypto.subtle, { digest }, 'crypto.subtle');
  const webcrypto = overlay<object>(crypto.webcrypto, {
    getRandomValues: fill,
    randomUUID,
    subtle,
  });
  return {
    ...inCallbacks(crypto as unknown as Record<string, any>),
    createSign: (...args: [string]) => {
      const made = crypto.createSign(...args);
      const { sign } = made;
      made.sign = ((key: any, ...rest: [any]) =>
        sign.call(made, checkedKey(key, refusals), ...rest)) as typeof sign;
      return made;
    },
    sign(algorithm: string, data: Buffer, key: any, callback?: Answer) {
      const signature = crypto.sign(algorithm, data, checkedKey(key, refusals));
      return callback === undefined ? signature : answer(callback, signature);
    },
    verify(...args: any[]) {
      const callback = args.length > 4 ? (args.pop() as Answer) : undefined;
      const isValid = (crypto.verify as any)(...args);
      return callback === undefined ? isValid : answer(callback, isValid);
    },
    randomBytes,
    pseudoRandomBytes: randomBytes,
    randomFillSync,
    randomFill(view: ArrayBufferView, ...args: unknown[]) {
      const callback = args.pop() as Answer;
      answer(callback, randomFillSync(view, ...(args as [number?, number?])));
    },
    randomInt,
    randomUUID,
    getRandomValues: fill,
    webcrypto,
    subtle,
  };
}

/**
 * Returns the functions of a module that call back, such as `scrypt`, on the base of those that
 * return, such as `scryptSync`: the real ones answer from a thread at a time that no seed
 * determines.
 */
export function inCallbacks(module: Record<string, any>): Record<string, unknown> {
  const own: Record<string, unknown> = {};
  for (const name of SLOW.filter((each) => `${each}Sync` in module))
    own[name] = (...args: any[]) => {
      const callback = args.pop();
      try {
        answer(callback, module[`${name}Sync`](...args));
      } catch (error) {
        queueMicrotask(() => callback(error));
      }
    };
  return own;
}

/** Refuses keys whose signatures contain random numbers: ECDSA, DSA and RSA with PSS. */
function checkedKey(key: any, refusals: Refusals): any {
  const parsed = key instanceof crypto.KeyObject ? key : crypto.createPrivateKey(key);
  const isPss = key.padding === crypto.constants.RSA_PKCS1_PSS_PADDING;
  const type = parsed.asymmetricKeyType;
  if (!DETERMINISTIC.has(type) || isPss) throw refusals.error(`crypto.sign() with ${type}`);
  return key;
}

const DETERMINISTIC = new Set<string | undefined>(['rsa', 'ed25519', 'ed448']);
const SLOW = [
  'pbkdf2',
  'scrypt',
  'hkdf',
  'gzip',
  'gunzip',
  'deflate',
  'inflate',
  'deflateRaw',
  'inflateRaw',
  'unzip',
  'brotliCompress',
  'brotliDecompress',
  'zstdCompress',
  'zstdDecompress',
];

type Answer = (error: null, value: any) => void;

function answer(callback: Answer, value: unknown): void {
  queueMicrotask(() => callback(null, value));
}

/**
 * Hashes synchronously, because the real function answers from a thread at a time that no seed
 * determines.
 */
async function digest(
  algorithm: string | { readonly name: string },
  data: ArrayBuffer | ArrayBufferView,
): Promise<ArrayBuffer> {
  const name = (typeof algorithm === 'string' ? algorithm : algorithm.name).replace('-', '');
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  return new Uint8Array(crypto.createHash(name).update(bytes).digest()).buffer;
}
