// Reads and checks a key, its certificate and the authorities before anything listens or dials with
// them. MutualTls calls it for this end; TlsRemote also judges the certificates of peers by
// `nodeIdOfCertificate` and `keyWeakness`. Core is imported by its name, because the entry /node is
// bundled on its own: a relative import would make a second TransportError. Tested in
// credentials.test.ts.

import { Buffer } from 'node:buffer';
import type { KeyObject, X509Certificate } from 'node:crypto';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { TransportError } from '@trunkline/transport-core';
import type { Pem, StreamLayer, TlsOptions } from '@trunkline/transport-core/backend';
import { getBuiltinModule, parseDate } from './system-process.ts';

/** This end's key, certificate and authorities after validation, ready for node:tls. */
export interface Credentials {
  /** The node id of this end. */
  readonly nodeId: string;
  readonly certificate: StreamLayer['certificate'];
  /** The options for node:tls, for accepting connections. */
  readonly options: SecureContextOptions;
  /** The same options as a context, for dialing. */
  readonly context: SecureContext;
}

/**
 * Reads the credentials. Throws `invalid_argument`, naming the option and the problem. Accepts a
 * certificate that has expired.
 */
export function readCredentials({ key, cert, ca }: TlsOptions): Credentials {
  const chain = readCertificates(cert, 'tls.cert');
  const certificate = chain[0]!;
  const secret = readKey(key);
  if (!certificate.checkPrivateKey(secret)) {
    throw wrong(
      `tls.key: it does not match tls.cert, whose subject is '${oneLine(certificate.subject)}': give the key that belongs to the certificate`,
    );
  }
  const weakness = keyWeakness(certificate);
  if (weakness !== undefined)
    throw wrong(`tls.cert: ${weakness}; make an Ed25519 or P-256 key (createIdentity)`);
  const authorities =
    ca === undefined
      ? []
      : (Array.isArray(ca) ? (ca as readonly Pem[]) : [ca as Pem]).flatMap((pem) => [
          ...readCertificates(pem, 'tls.ca'),
        ]);
  const options: SecureContextOptions = {
    key: text(key),
    cert: text(cert),
    // The list is passed even if it is empty: without a list, node:tls would trust the public
    // authorities of the web.
    ca: authorities.map((each) => each.toString()),
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    // Sessions are never resumed, not even from a ticket: each connection proves both ends again,
    // under the current lists (tested in transport-testkit, src/tls/tls-clients.ts).
    secureOptions: SSL_OP_NO_TICKET,
  };
  try {
    const nodeId = nodeIdOfCertificate(certificate);
    const name = /^CN=(.*)$/m.exec(certificate.subject)?.[1];
    return {
      nodeId,
      certificate: {
        name: name === nodeId ? undefined : name,
        end: Math.min(...chain.map(({ validTo }) => parseDate(validTo))),
      },
      options,
      context: getBuiltinModule('node:tls').createSecureContext(options),
    };
  } catch (error) {
    throw wrong(
      `tls: the TLS library of this system rejects the key or the certificate (${(error as Error).message})`,
      error,
    );
  }
}

/**
 * Returns the node id of a certificate's key: SHA-256 of its SPKI (DER), in lower-case hex. It must
 * be the id that `nodeIdOf` of the package security returns.
 */
export function nodeIdOfCertificate(certificate: X509Certificate): string {
  return crypto().createHash('sha256').update(spkiOf(certificate)).digest('hex');
}

/**
 * Returns the reason why the key of a certificate cannot be an identity, or undefined if it can.
 * The text is part of the errors of `readCredentials` and of TlsRemote.
 */
export function keyWeakness(certificate: X509Certificate): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey;
  if (type === 'ed25519') return undefined;
  if (type === 'ec' && details?.namedCurve === 'prime256v1') {
    // A point can be encoded in three ways (hybrid ones are as long as uncompressed ones), but each
    // key must have only one id.
    const spki = spkiOf(certificate);
    return spki.length === P256_SPKI && spki[P256_SPKI - 65] === UNCOMPRESSED
      ? undefined
      : 'its key is a compressed point or a hybrid one, but an identity needs an uncompressed one';
  }
  const kind =
    type === 'ec'
      ? `on the curve ${details?.namedCurve ?? 'without a name'}`
      : `of type ${type}${details?.modulusLength ? `, ${details.modulusLength} bits` : ''}`;
  return `its key is ${kind}, but only Ed25519 and P-256 keys are identities`;
}

function spkiOf({ publicKey }: X509Certificate): Uint8Array {
  return publicKey.export({ type: 'spki', format: 'der' });
}

function readKey(pem: Pem): KeyObject {
  try {
    return crypto().createPrivateKey(text(pem));
  } catch (error) {
    const isEncrypted = text(pem).includes('ENCRYPTED');
    throw wrong(
      `tls.key: ${isEncrypted ? 'it is encrypted; decrypt it first (openssl pkey)' : 'it is not a private key in PEM'} (${(error as Error).message})`,
      error,
    );
  }
}

function readCertificates(pem: Pem, option: string): X509Certificate[] {
  const blocks =
    text(pem).match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0)
    throw wrong(`${option}: it contains no certificate in PEM (-----BEGIN CERTIFICATE-----)`);
  const { X509Certificate } = crypto();
  return blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw wrong(
        `${option}: certificate ${i + 1} of ${blocks.length} can't be read (${(error as Error).message})`,
        error,
      );
    }
  });
}

/** Loads node:crypto when it is used, because programs without TLS import this file, too. */
function crypto(): typeof import('node:crypto') {
  return getBuiltinModule('node:crypto');
}

function text(pem: Pem): string {
  return typeof pem === 'string'
    ? pem
    : Buffer.from(pem.buffer, pem.byteOffset, pem.length).toString('utf8');
}

function oneLine(subject: string): string {
  return subject.replace(/\n/g, ', ');
}

function wrong(message: string, cause?: unknown): TransportError {
  return new TransportError('invalid_argument', message, { cause });
}

/** Length in bytes of the SPKI (DER) of a P-256 key with an uncompressed point. */
const P256_SPKI = 91;
/** The first of the 65 bytes of such a point, with which the SPKI ends. */
const UNCOMPRESSED = 4;
/**
 * The option's value in OpenSSL's ssl.h. The constants of node:crypto include it, but their type
 * lacks it in some versions.
 */
const SSL_OP_NO_TICKET = 1 << 14;
