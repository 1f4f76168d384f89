// X.509 certificates in DER, written by hand so that they can break every rule.

import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { concat, text } from './wire.ts';

/** A certificate to write. */
export interface CertificateShape {
  readonly subject: string;
  readonly issuer: string;
  /** The private key whose public key is certified. */
  readonly key: KeyObject;
  /** The Ed25519 key of the issuer. */
  readonly signer: KeyObject;
  /** The first and the last year of its validity. Default: 2020 and 2049. */
  readonly years?: readonly [number, number];
  /** Default: those of a node. */
  readonly extensions?: readonly Uint8Array[];
}

/** Returns a certificate as PEM. */
export function certificate(shape: CertificateShape): string {
  const { subject, issuer, key, signer, years = [2_020, 2_049], extensions = [] } = shape;
  const body = sequence(
    tagged(0xa0, integer(2)),
    integer(++serial),
    ED25519,
    nameOf(issuer),
    sequence(
      ...years.map((year) =>
        tagged(0x17, text(`${String(year % 100).padStart(2, '0')}0101000000Z`)),
      ),
    ),
    nameOf(subject),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(keyIdOf(key), issuerIdOf(signer), ...extensions)),
  );
  const signature = sign(null, body, signer);
  const der = sequence(body, ED25519, tagged(0x03, Uint8Array.of(0), signature));
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** Returns the extension that makes an authority, with the most authorities below it. */
export function authority(below?: number): Uint8Array {
  return extension('2.5.29.19', sequence(TRUE, ...(below === undefined ? [] : [integer(below)])));
}

/** Returns the extension that names the uses of the key, as a bit string. */
export function keyUsage(bits: number): Uint8Array {
  return extension('2.5.29.15', tagged(0x03, Uint8Array.of(0, bits)));
}

/** Returns the extension that names extended uses: 1 for servers, 2 for clients. */
export function usages(...purposes: readonly number[]): Uint8Array {
  const ids = purposes.map((purpose) => objectId(`1.3.6.1.5.5.7.3.${purpose}`));
  return extension('2.5.29.37', sequence(...ids));
}

/** Returns the extension that names DNS names of the subject. */
export function dnsNames(names: readonly string[]): Uint8Array {
  return extension('2.5.29.17', sequence(...names.map((name) => tagged(0x82, text(name)))), false);
}

/** Returns the extension that permits only some DNS names below an authority. */
export function permitted(names: readonly string[]): Uint8Array {
  const trees = names.map((name) => sequence(tagged(0x82, text(name))));
  return extension('2.5.29.30', sequence(tagged(0xa0, ...trees)));
}

/** Returns an extension. */
export function extension(id: string, value: Uint8Array, isCritical = true): Uint8Array {
  return sequence(objectId(id), ...(isCritical ? [TRUE] : []), tagged(0x04, value));
}

export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return tagged(0x30, ...parts);
}

function keyIdOf(key: KeyObject): Uint8Array {
  return extension('2.5.29.14', tagged(0x04, digestOf(key)), false);
}

function issuerIdOf(signer: KeyObject): Uint8Array {
  const id = sequence(tagged(0x80, digestOf(signer)));
  return extension('2.5.29.35', id, false);
}

function digestOf(key: KeyObject): Uint8Array {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return createHash('sha1').update(spki).digest();
}

function nameOf(name: string): Uint8Array {
  return sequence(tagged(0x31, sequence(objectId('2.5.4.3'), tagged(0x0c, text(name)))));
}

function integer(value: number): Uint8Array {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return tagged(0x02, bytes[0]! > 127 ? concat(Uint8Array.of(0), bytes) : bytes);
}

function objectId(dotted: string): Uint8Array {
  const [first, second, ...rest] = dotted.split('.').map(Number);
  const bytes = [first! * 40 + second!];
  for (const part of rest) bytes.push(...(part < 128 ? [part] : [0x80 | (part >> 7), part & 127]));
  return tagged(0x06, Uint8Array.from(bytes));
}

function tagged(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  const { length } = body;
  const head =
    length < 128
      ? [tag, length]
      : length < 65_536
        ? [tag, 0x82, length >> 8, length & 255]
        : [tag, 0x83, length >> 16, (length >> 8) & 255, length & 255];
  return concat(Uint8Array.from(head), body);
}

let serial = 1_000;
const TRUE = Uint8Array.of(0x01, 0x01, 0xff);
const ED25519 = sequence(objectId('1.3.101.112'));
