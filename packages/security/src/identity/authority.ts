// A certificate authority for one network: a node with a certificate from it is a member.

import { type Random, TransportError } from '@trunkline/transport-core';
import { option, optionsSchema, parseOptions } from '@trunkline/transport-core/backend';
import { readAuthorityCertificate } from './authority-certificate.ts';
import { commonName, type Issuer, keyIdOf, makeCertificate } from './certificate.ts';
import {
  type CertificateOptions,
  type CertificateTerms,
  certificateTerms,
} from './certificate-options.ts';
import { createIdentity, type Identity } from './identity.ts';
import { checkIdentity, isIdentity } from './is-identity.ts';
import { idOfSpki } from './node-id.ts';
import { source, wallClock } from './option-fields.ts';
import { parseIdentity } from './parse-identity.ts';
import { decodeSpki } from './public-key.ts';
import { NODE_DAYS } from './self-signed.ts';
import { spkiOf } from './spki.ts';
import { isStrictPoint } from './strict-signature.ts';
import { isoTime, type WallClock } from './wall-clock.ts';

/**
 * A key that admits nodes, and the certificate that nodes trust. To keep an authority, save
 * `identity` and `cert`; `openAuthority` restores it from them.
 */
export interface Authority {
  /** The authority's own certificate, PEM. Every node needs it as `tls.ca`. */
  readonly cert: string;
  /** The key that signs the certificates, and its node id. */
  readonly identity: Identity;
  /**
   * Issues a certificate for a node, PEM. The node's private key never has to leave the node:
   * `subject` may be its public key, as SPKI or PEM, or an earlier certificate of the node, to
   * renew it.
   *
   * The certificate expires no later than the authority's own. If no end is requested, the default
   * is shortened to that date. Rejects with `failed_precondition` if the requested end is later, or
   * if the authority's certificate has expired or ends before the new one starts; with
   * `invalid_argument` if `subject` is not a usable Ed25519 or P-256 key; and with a TypeError if
   * an argument or option is invalid.
   */
  issue(subject: Identity | Uint8Array | string, options?: CertificateOptions): Promise<string>;
}

/** Options of {@link createAuthority}. */
export interface AuthorityOptions extends CertificateOptions {
  /** The key of the authority, Ed25519 or P-256. Default: a new Ed25519 key. */
  readonly identity?: Identity | undefined;
}

/**
 * Creates a new authority with a self-signed certificate. Rejects with a TypeError that names the
 * option if one is invalid.
 */
export async function createAuthority(options: AuthorityOptions = {}): Promise<Authority> {
  const { identity = createIdentity(), ...certificate } = options;
  checkIdentity(identity, 'createAuthority: identity');
  const { name = defaultName(identity), ...terms } = certificateTerms(
    certificate,
    { days: AUTHORITY_DAYS },
    'createAuthority',
  );
  const { publicKey } = identity;
  const subject = await commonName(name);
  const issuer: Issuer = { identity, name: subject, keyId: keyIdOf(publicKey) };
  const cert = await makeCertificate({ kind: 'authority', subject, publicKey, issuer, ...terms });
  return authority(cert, issuer, terms.notAfter, terms);
}

/** Options of {@link openAuthority}. */
export interface OpenAuthorityOptions {
  /** The authority's private key, PKCS#8 in PEM, as it was in `identity.key`. */
  readonly key: string;
  /**
   * The authority's certificate, PEM, as it was in `cert`. A certificate made by OpenSSL works,
   * too.
   */
  readonly cert: string;
  /** The source of the date for `issue`. Default: the machine's clock. */
  readonly clock?: WallClock | undefined;
  /** The source of randomness for serial numbers. Default `systemRandom`. */
  readonly random?: Random | undefined;
}

/**
 * Restores an authority that was saved. Rejects with `invalid_argument` if the key is not supported
 * (see `parseIdentity`), or if the certificate belongs to another key, is not an authority's, or is
 * signed by another authority; and with a TypeError if an option is invalid. An expired certificate
 * is reported only by `issue`.
 */
export async function openAuthority(options: OpenAuthorityOptions): Promise<Authority> {
  const { key, cert, ...sources } = parseOptions(openOptions, options, 'openAuthority');
  const identity = parseIdentity(key);
  const { pem, name, keyId, notAfter } = await readAuthorityCertificate(cert, identity);
  return authority(pem, { identity, name, keyId }, notAfter, sources);
}

function authority(
  cert: string,
  issuer: Issuer,
  end: number,
  { clock, random }: Pick<CertificateOptions, 'clock' | 'random'>,
): Authority {
  const issue: Authority['issue'] = async (subject, options = {}) => {
    const publicKey = subjectKeyOf(subject);
    const { name, ...terms } = certificateTerms(
      options,
      { days: NODE_DAYS, clock, random },
      'issue',
    );
    const notAfter = terms.isDefaultEnd ? Math.min(terms.notAfter, end) : terms.notAfter;
    checkEnd(notAfter, end, terms);
    return makeCertificate({
      ...terms,
      kind: 'node',
      subject: await commonName(name ?? idOfSpki(publicKey)),
      publicKey,
      issuer,
      notAfter,
    });
  };
  return Object.freeze({ cert, identity: issuer.identity, issue });
}

/**
 * Throws if a certificate would outlive its authority's certificate, because it would then fail on
 * an unexpected day.
 */
function checkEnd(
  notAfter: number,
  end: number,
  { notBefore, clock }: Pick<CertificateTerms, 'notBefore' | 'clock'>,
): void {
  if (end <= clock.date().getTime() || end <= notBefore) {
    throw expired(
      `the authority's certificate ended on ${isoTime(end)}; make a new authority, and give its certificate to all nodes`,
    );
  }
  if (notAfter > end)
    throw expired(
      `notAfter is ${isoTime(notAfter)}, but the authority's certificate ends on ${isoTime(end)}; request an earlier date`,
    );
}

function expired(problem: string): TransportError {
  return new TransportError('failed_precondition', `issue: ${problem}`);
}

/**
 * Returns the SPKI of an identity, or of any public key that `nodeIdOf` accepts. Throws
 * `invalid_argument` if a node cannot have such a key.
 */
function subjectKeyOf(subject: Identity | Uint8Array | string): Uint8Array {
  const spki = isIdentity(subject) ? subject.publicKey : spkiOf(subject, 'issue');
  const key = decodeSpki(spki);
  if (key === undefined)
    throw wrongKey(
      'a key of another algorithm or form',
      "make one with createIdentity(), or 'openssl genpkey -algorithm ed25519'",
    );
  if (key.type === 'ed25519' && !isStrictPoint(key.point))
    throw wrongKey(
      'an Ed25519 key of small order, for which anybody can forge signatures',
      'refuse this node',
    );
  return spki;
}

function wrongKey(found: string, remedy: string): TransportError {
  return new TransportError(
    'invalid_argument',
    `issue: got ${found}; a node's key is Ed25519 or P-256: ${remedy}`,
  );
}

/**
 * Makes the default name unique, because two authorities with the same name could be distinguished
 * only by their keys.
 */
function defaultName(identity: Identity): string {
  return `Trunkline CA ${identity.nodeId.slice(0, 16)}`;
}

/** Default validity of an authority's certificate, in days; `CertificateOptions` documents it. */
const AUTHORITY_DAYS = 3_650;

const pem = () => option.reference<string>((value) => typeof value === 'string', 'PEM');

const openOptions = optionsSchema({
  key: pem(),
  cert: pem(),
  clock: wallClock(),
  random: source(),
});
