// A certificate authority for one network: whoever has a certificate of it is a member.

import { optionsSchema, parseOptions, type Random, reference, TransportError } from '@trunkline/transport-core';
import { readAuthorityCertificate } from './authority-certificate.ts';
import { commonName, type Issuer, keyIdOf, makeCertificate } from './certificate.ts';
import { type CertificateOptions, type CertificateTerms, certificateTerms } from './certificate-options.ts';
import { createIdentity, type Identity } from './identity.ts';
import { checkIdentity } from './is-identity.ts';
import { idOfSpki } from './node-id.ts';
import { source, wallClock } from './option-fields.ts';
import { parseIdentity } from './parse-identity.ts';
import { NODE_DAYS } from './self-signed.ts';
import { subjectKeyOf } from './subject-key.ts';
import { isoTime, type WallClock } from './wall-clock.ts';

/** A key that admits nodes, and the certificate that they trust. To keep it, save `identity` and `cert`; `openAuthority` has it back. */
export interface Authority {
  /** Its own certificate, PEM: what every node has as `tls.ca`. */
  readonly cert: string;
  readonly identity: Identity;
  /**
   * A certificate for a node, PEM. The node's private key can stay where it is: its public key is enough, as SPKI or PEM, or a
   * certificate that it had (to renew it). It ends no later than the authority's own: by default it is cut to that; if an end was
   * asked for that is later, or the authority's own has passed, it is `failed_precondition`. `invalid_argument` for a key that is
   * neither Ed25519 nor P-256, a TypeError for a wrong option.
   */
  issue(subject: Identity | Uint8Array | string, options?: CertificateOptions): Promise<string>;
}

export interface AuthorityOptions extends CertificateOptions {
  /** Its key. Default: a new one, Ed25519. */
  readonly identity?: Identity | undefined;
}

/** A new authority, with a certificate that it signed itself. A wrong option is a TypeError that names it. */
export async function createAuthority(options: AuthorityOptions = {}): Promise<Authority> {
  const { identity = createIdentity(), ...certificate } = options;
  checkIdentity(identity, 'createAuthority: identity');
  const { name = defaultName(identity), ...terms } = certificateTerms(certificate, { days: AUTHORITY_DAYS }, 'createAuthority');
  const { publicKey } = identity;
  const subject = await commonName(name);
  const issuer: Issuer = { identity, name: subject, keyId: keyIdOf(publicKey) };
  const cert = await makeCertificate({ kind: 'authority', subject, publicKey, issuer, ...terms });
  return authority(cert, issuer, terms.notAfter, terms);
}

export interface OpenAuthorityOptions {
  /** Its private key, PKCS#8 in PEM: what `identity.key` was. */
  readonly key: string;
  /** Its certificate, PEM: what `cert` was. One that OpenSSL made will do. */
  readonly cert: string;
  /** What tells the date to `issue`. Default: the machine's own. */
  readonly clock?: WallClock | undefined;
  /** What serial numbers are drawn from. Default `systemRandom`. */
  readonly random?: Random | undefined;
}

/**
 * The authority that was saved. `invalid_argument` if the key is none of ours (see `parseIdentity`), or the certificate is another
 * key's, no authority's, or signed by another authority. That it has expired is told by `issue`.
 */
export async function openAuthority(options: OpenAuthorityOptions): Promise<Authority> {
  const { key, cert, ...sources } = parseOptions(openOptions, options, 'openAuthority');
  const identity = parseIdentity(key);
  const { pem, name, keyId, notAfter } = await readAuthorityCertificate(cert, identity);
  return authority(pem, { identity, name, keyId }, notAfter, sources);
}

function authority(cert: string, issuer: Issuer, end: number, { clock, random }: Pick<CertificateOptions, 'clock' | 'random'>): Authority {
  const issue: Authority['issue'] = async (subject, options = {}) => {
    const publicKey = subjectKeyOf(subject);
    const { name, ...terms } = certificateTerms(options, { days: NODE_DAYS, clock, random }, 'issue');
    const notAfter = terms.isDefaultEnd ? Math.min(terms.notAfter, end) : terms.notAfter;
    checkEnd(notAfter, end, terms);
    return makeCertificate({ ...terms, kind: 'node', subject: await commonName(name ?? idOfSpki(publicKey)), publicKey, issuer, notAfter });
  };
  return Object.freeze({ cert, identity: issuer.identity, issue });
}

/** A certificate that outlives its authority's would fail on a day that nobody expects. */
function checkEnd(notAfter: number, end: number, { notBefore, clock }: Pick<CertificateTerms, 'notBefore' | 'clock'>): void {
  if (end <= clock.date().getTime() || end <= notBefore) {
    throw expired(`the authority's certificate ended on ${isoTime(end)}; make a new authority, and give its certificate to all nodes`);
  }
  if (notAfter > end) throw expired(`notAfter is ${isoTime(notAfter)}, but the authority's certificate ends on ${isoTime(end)}; ask for less`);
}

function expired(problem: string): TransportError {
  return new TransportError('failed_precondition', `issue: ${problem}`);
}

/** Two authorities of one name would be told apart by their keys alone. */
function defaultName(identity: Identity): string {
  return `Trunkline CA ${identity.nodeId.slice(0, 16)}`;
}

const AUTHORITY_DAYS = 3_650;

const pem = () => reference<string>((value) => typeof value === 'string', 'PEM');

const openOptions = optionsSchema({ key: pem(), cert: pem(), clock: wallClock(), random: source() });
