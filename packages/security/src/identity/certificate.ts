// Builds and signs X.509 certificates. The library that encodes them is loaded when the first one
// is made.

import { bytesToHex } from '@noble/hashes/utils.js';
import type { Name } from '@peculiar/x509';
import type { Random } from '@trunkline/transport-core';
import type { Bytes } from '@trunkline/transport-core/backend';
import { randomBytes } from '@trunkline/transport-core/backend';
import { sha256 } from '#primitives';
import type { Identity } from './identity.ts';
import { loadX509 } from './load-x509.ts';
import { idOfSpki } from './node-id.ts';
import { encodePem } from './pem.ts';
import { decodeSpki } from './public-key.ts';
import { wallTime } from './wall-clock.ts';

/** The issuer of a certificate. */
export interface Issuer {
  /** Only its `sign` and `type` are used. */
  readonly identity: Identity;
  /** The subject of the issuer's own certificate, in the encoding of that certificate. */
  readonly name: Name;
  /** The key identifier of the issuer's own certificate, in hex; undefined if it has none. */
  readonly keyId: string | undefined;
}

/** The contents of a certificate to make. */
export interface CertificateContents {
  readonly kind: 'authority' | 'node';
  readonly subject: Name;
  /** The subject's public key: an SPKI that `decodeSpki` accepts. */
  readonly publicKey: Uint8Array;
  readonly issuer: Issuer;
  /** Milliseconds since 1970, like `notAfter`, in whole seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** The source of the serial number. */
  readonly random: Random;
}

/**
 * Makes a certificate, PEM. An authority's certificate may sign certificates of nodes, but no
 * further authorities. A node's certificate is valid for both ends of TLS, and its subjectAltName
 * is the URI 'trunkline:' followed by the node id.
 */
export async function makeCertificate(contents: CertificateContents): Promise<string> {
  const { kind, subject, publicKey, issuer, notBefore, notAfter, random } = contents;
  const x509 = await loadX509();
  const ownExtensions =
    kind === 'authority'
      ? [
          new x509.BasicConstraintsExtension(true, 0, true),
          new x509.KeyUsagesExtension(
            x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
            true,
          ),
        ]
      : [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([
            x509.ExtendedKeyUsage.serverAuth,
            x509.ExtendedKeyUsage.clientAuth,
          ]),
          new x509.SubjectAlternativeNameExtension([
            { type: 'url', value: `trunkline:${idOfSpki(publicKey)}` },
          ]),
        ];
  const keyIds = [
    new x509.SubjectKeyIdentifierExtension(keyIdOf(publicKey)),
    ...(issuer.keyId === undefined ? [] : [new x509.AuthorityKeyIdentifierExtension(issuer.keyId)]),
  ];
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(random),
      subject,
      issuer: issuer.name,
      notBefore: wallTime(notBefore),
      notAfter: wallTime(notAfter),
      publicKey: publicKey as Bytes,
      signingKey: { algorithm: ALGORITHMS[issuer.identity.type] } as never,
      extensions: [...ownExtensions, ...keyIds],
    },
    signer(issuer.identity) as never,
  );
  return encodePem('CERTIFICATE', new Uint8Array(certificate.rawData));
}

/** Returns an X.509 name that consists of a CN only. */
export async function commonName(name: string): Promise<Name> {
  const x509 = await loadX509();
  return new x509.Name([{ CN: [{ utf8String: name }] }]);
}

/**
 * Returns a key identifier: 160 bits of the key's SHA-256, in hex (RFC 7093 §2, method 1; the
 * method of RFC 5280 uses SHA-1). Throws if `decodeSpki` does not accept the key.
 */
export function keyIdOf(publicKey: Uint8Array): string {
  return bytesToHex(sha256(decodeSpki(publicKey)!.point).subarray(0, 20));
}

/**
 * Returns a serial number of 16 bytes. The first byte is from 0x40 to 0x7f, so that the number is
 * positive and always of the same length.
 */
function serialNumber(random: Random): string {
  const bytes = randomBytes(random, 16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytesToHex(bytes);
}

/**
 * Provides the one part of WebCrypto that the library calls. Certificates can therefore be made
 * even without WebCrypto, or if it lacks Ed25519.
 */
function signer(identity: Identity) {
  return {
    subtle: {
      sign: async (_algorithm: unknown, _key: unknown, data: ArrayBuffer) =>
        identity.sign(new Uint8Array(data)).slice().buffer,
    },
  };
}

const ALGORITHMS = {
  ed25519: { name: 'Ed25519' },
  p256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
};
