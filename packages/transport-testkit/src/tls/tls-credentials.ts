// Credentials of nodes with certificates, valid and invalid, made with the functions of
// @trunkline/security that the backend's tests pass in.

import type { IdentityCredentials, IdentityFlaw } from '../identity/backend.ts';
import { WEAK_KEYS } from './weak-keys.ts';

/** IdentityCredentials with the `tls` option of a node. */
export interface TlsCredentials extends IdentityCredentials {
  readonly tls: {
    readonly key: string;
    readonly cert: string;
    readonly ca?: string | readonly string[] | undefined;
  };
}

/** A flawed item that must be refused. */
export interface TlsFlaw<T> {
  make(): Promise<T>;
  /** Matches the error text. */
  readonly says: RegExp;
}

/**
 * Flawed and changed credentials. `renewed`, `outdated` and `retrusted` take only credentials that
 * this object has made.
 */
export interface TlsCertificates {
  /** Creates a node with valid credentials. */
  node(key?: 'ed25519' | 'p256'): Promise<TlsCredentials>;
  /** Credentials that a transport accepts but its peers refuse, by their flaw. */
  readonly refused: Readonly<Record<string, IdentityFlaw<TlsCredentials>>>;
  /** Credentials that the transport itself refuses with `invalid_argument`, by their flaw. */
  readonly unusable: Readonly<Record<string, TlsFlaw<TlsCredentials>>>;
  /**
   * Creates credentials with hundreds of certificates in the chain, more than a handshake should
   * carry.
   */
  giant(): Promise<TlsCredentials>;
  /** Returns the same key with a new certificate. */
  renewed(credentials: TlsCredentials): Promise<TlsCredentials>;
  /** Returns the same key with a certificate that has expired. */
  outdated(credentials: TlsCredentials): Promise<TlsCredentials>;
  /** Returns the same key and certificate, trusting only another authority. */
  retrusted(credentials: TlsCredentials): Promise<TlsCredentials>;
  /**
   * Creates a node of the authority that `retrusted` trusts; it trusts the first authority as well.
   */
  foreign(): Promise<TlsCredentials>;
}

interface ToolIdentity {
  readonly nodeId: string;
  readonly key: string;
  readonly publicKey: Uint8Array;
}

interface ToolDates<D> {
  readonly notBefore?: D | undefined;
  readonly notAfter?: D | undefined;
}

interface ToolAuthority<D> {
  readonly cert: string;
  issue(publicKey: Uint8Array, options?: ToolDates<D>): Promise<string>;
}

/** The functions of @trunkline/security that this file uses. */
export interface TlsIdentityTools<I extends ToolIdentity, D> {
  createIdentity(options?: { type?: 'ed25519' | 'p256' | undefined }): I;
  createAuthority(): Promise<ToolAuthority<D>>;
  selfSigned(identity: I): Promise<string>;
  /** Returns the date that is `fromNow` days from now, by the system clock. */
  day(fromNow: number): D;
}

/** Returns functions that create nodes of one authority, and credentials with every flaw. */
export async function tlsCredentials<I extends ToolIdentity, D>({
  createIdentity,
  createAuthority,
  selfSigned,
  day,
}: TlsIdentityTools<I, D>) {
  const [authority, another] = [await createAuthority(), await createAuthority()];
  const byId = new Map<string, I>();
  const make = async (
    type: 'ed25519' | 'p256' | undefined,
    certify: (identity: I) => Promise<string>,
    ca: TlsCredentials['tls']['ca'],
  ): Promise<TlsCredentials> => {
    const identity = createIdentity({ type });
    byId.set(identity.nodeId, identity);
    return {
      nodeId: identity.nodeId,
      tls: { key: identity.key, cert: await certify(identity), ca },
    };
  };
  const again = async (
    credentials: TlsCredentials,
    dates?: ToolDates<D>,
  ): Promise<TlsCredentials> => ({
    nodeId: credentials.nodeId,
    tls: {
      ...credentials.tls,
      cert: await authority.issue(byId.get(credentials.nodeId)!.publicKey, dates),
    },
  });
  const past = { notBefore: day(-20), notAfter: day(-10) };
  const credentials = (type?: 'ed25519' | 'p256') =>
    make(type, (identity) => authority.issue(identity.publicKey), authority.cert);
  const alone = (type?: 'ed25519' | 'p256') => make(type, selfSigned, undefined);
  const changed = async (change: Partial<TlsCredentials['tls']>): Promise<TlsCredentials> => {
    const { nodeId, tls } = await credentials();
    return { nodeId, tls: { ...tls, ...change } };
  };
  const of = (certify: (identity: I) => Promise<string>) => () =>
    make(undefined, certify, authority.cert);

  const refused: TlsCertificates['refused'] = {
    'a certificate of another authority': {
      make: of((identity) => another.issue(identity.publicKey)),
      reason: 'bad_certificate',
      says: /no authority in tls\.ca signed it/,
    },
    'a certificate that has expired': {
      make: of((identity) => authority.issue(identity.publicKey, past)),
      reason: 'expired_certificate',
      says: /expired/,
    },
    'a certificate that is not valid yet': {
      make: of((identity) =>
        authority.issue(identity.publicKey, { notBefore: day(10), notAfter: day(20) }),
      ),
      reason: 'expired_certificate',
      says: /not valid yet/,
    },
    'a self-signed certificate': {
      make: of(selfSigned),
      reason: 'bad_certificate',
      says: /no authority in tls\.ca signed it/,
    },
  };
  const unusable: TlsCertificates['unusable'] = {
    'a key that does not fit its certificate': {
      make: async () => changed({ key: (await credentials()).tls.key }),
      says: /tls\.key.*does not match/,
    },
    'a key that is cut off': {
      make: async () => changed({ key: cutOff((await credentials()).tls.key) }),
      says: /tls\.key/,
    },
    'an invalid key': {
      make: () => changed({ key: 'no key at all' }),
      says: /tls\.key.*not a private key/,
    },
    'a key of RSA': {
      make: () => changed(WEAK_KEYS.rsa),
      says: /tls\.cert.*rsa, 2048 bits.*Ed25519/,
    },
    'a certificate that is cut off': {
      make: async () => changed({ cert: cutOff((await credentials()).tls.cert) }),
      says: /tls\.cert/,
    },
    'an invalid certificate': {
      make: async () => changed({ cert: (await credentials()).tls.key }),
      says: /tls\.cert.*no certificate/,
    },
    'an authority that is cut off': {
      make: () => changed({ ca: cutOff(authority.cert) }),
      says: /tls\.ca/,
    },
  };
  const giant = async (): Promise<TlsCredentials> => {
    const { cert } = (await credentials()).tls;
    const own = await credentials();
    return { ...own, tls: { ...own.tls, cert: own.tls.cert + cert.repeat(CHAIN) } };
  };
  const certificates: TlsCertificates = {
    node: credentials,
    refused,
    unusable,
    giant,
    renewed: (node) => again(node),
    outdated: (node) => again(node, past),
    retrusted: async ({ nodeId, tls }) => ({ nodeId, tls: { ...tls, ca: another.cert } }),
    foreign: () =>
      make(undefined, (identity) => another.issue(identity.publicKey), [
        authority.cert,
        another.cert,
      ]),
  };
  return { alone, certificates };
}

/**
 * Creates 61 nodes of one authority, every other one with a P-256 key, and returns a function that
 * gives each transport of a suite the `tls` option of the next node. After the last node, it begins
 * again with the first one.
 */
export async function tlsNodes<I extends ToolIdentity, D>({
  createIdentity,
  createAuthority,
}: Pick<TlsIdentityTools<I, D>, 'createIdentity' | 'createAuthority'>): Promise<
  () => TlsCredentials['tls']
> {
  const authority = await createAuthority();
  const nodes = await Promise.all(
    Array.from({ length: NODES }, async (_, i) => {
      const { key, publicKey } = createIdentity({ type: i % 2 === 0 ? 'ed25519' : 'p256' });
      return { key, cert: await authority.issue(publicKey), ca: authority.cert };
    }),
  );
  let made = 0;
  return () => nodes[made++ % nodes.length]!;
}

/**
 * Simulates an incomplete copy of a file: its third line is missing, and so are five characters of
 * a longer text. The key of an Ed25519 identity has three lines, so it loses only its END line.
 */
function cutOff(pem: string): string {
  const lines = pem.trimEnd().split('\n');
  return `${[...lines.slice(0, 2), ...lines.slice(3)].join('\n').replace(/[A-Za-z0-9+/]{5}\n/, '\n')}\n`;
}

/** The number of certificates that `giant` appends to its chain. */
const CHAIN = 500;
/**
 * Many, because cases run at the same time: others create transports between the two of a case,
 * which must be different nodes.
 */
const NODES = 61;
