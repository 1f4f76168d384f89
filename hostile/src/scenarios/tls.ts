// Attacks on TLS: handshakes with odd extensions, and chains of certificates that must not hold.

import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { createServer } from 'node:tls';
import { createAuthority, createIdentity } from '@trunkline/security';
import {
  createTransport,
  serve,
  type Transport,
  type TransportError,
} from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { AttackerConnection } from '../attacker-connection.ts';
import { NO_KEYS } from '../carriers.ts';
import {
  authority,
  certificate,
  dnsNames,
  extension,
  keyUsage,
  permitted,
  sequence,
  usages,
} from '../certificates.ts';
import { HELLOS } from '../client-hellos.ts';
import { echoProtocol as protocol } from '../echo-protocol.ts';
import type { Finding, Scenario, ScenarioRun } from '../scenario.ts';
import { concat, frame, hello, Kind, PREAMBLE } from '../wire.ts';

export const tls: readonly Scenario[] = [
  {
    name: 'tls-client-hellos',
    title: 'sends ClientHellos with odd, forged and broken extensions',
    cases: [87],
    carrier: 'tls',
    run: oddHellos,
  },
  {
    name: 'tls-chains',
    title: 'presents chains of expired authorities, of nodes, and outside of name constraints',
    cases: [81],
    carrier: 'tls',
    run: wrongChains,
  },
];

async function oddHellos(run: ScenarioRun): Promise<Finding> {
  const issuer = await createAuthority();
  const node = await nodeOf(issuer);
  const victim = listening(run, { ...node, ca: issuer.cert });
  await victim.listen();
  const at = victim.advertiseAddr();
  const port = Number(at.slice(at.lastIndexOf(':') + 1));
  const flaws: string[] = [];
  const answers: Record<string, number> = {};
  await Promise.all(
    HELLOS.map(async ([what, pieces]) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      run.own(socket, (each) => each.destroy());
      let first = 0;
      socket.on('error', () => {});
      socket.once('data', (chunk) => {
        first = chunk[0]!;
        // A server that went on gets a record that its keys can't decrypt.
        if (first === HANDSHAKE) socket.write(concat(GARBAGE, randomBytes(64)));
      });
      for (const piece of pieces) socket.write(piece);
      const timer = setTimeout(() => socket.destroy(), PATIENCE);
      await new Promise((resolve) => socket.on('close', resolve));
      clearTimeout(timer);
      const answer = first === HANDSHAKE ? 'continued' : first === ALERT ? 'alert' : 'closed';
      answers[answer] = (answers[answer] ?? 0) + 1;
      if (victim.remotes().length > 0) flaws.push(`it was admitted with ${what}`);
    }),
  );
  if (victim.snapshot().handshakes > 0) flaws.push('handshakes are left');
  const honest = { succeeded: 0, of: HONEST };
  for (let each = 0; each < HONEST; each++) {
    const peer = listening(run, { ...(await nodeOf(issuer)), ca: issuer.cert });
    await peer.send(at, 'echo', NOTHING).then(
      () => honest.succeeded++,
      () => {},
    );
  }
  const answer = Object.entries(answers).map(([what, count]) => `${count} ${what}`);
  return { answer: answer.join(', '), honest, flaws };
}

async function wrongChains(run: ScenarioRun): Promise<Finding> {
  const [trusted, chains] = makeChains();
  const key = ed25519();
  const own = { key: pem(key), cert: trusted.issue(key), ca: trusted.roots };
  const victim = listening(run, own);
  await victim.listen();
  const at = victim.advertiseAddr();
  const port = Number(at.slice(at.lastIndexOf(':') + 1));
  const flaws: string[] = [];
  const answers = new Set<string>();
  const honest = { succeeded: 0, of: 0 };
  for (const { what, key: secret, chain, isGood = false } of chains) {
    const target = { carrier: 'tls', host: '127.0.0.1', port, ...NO_KEYS } as const;
    const dialed = await AttackerConnection.connect({
      ...target,
      key: pem(secret),
      cert: chain,
    }).then(
      async (attacker) => {
        run.own(attacker, ({ socket }) => socket.destroy());
        attacker.send(concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello({}) })));
        await attacker.until(() => attacker.goAway !== undefined || attacker.count(Kind.hello) > 0);
        return attacker.count(Kind.hello) > 0 ? 'admitted' : attacker.outcome();
      },
      () => 'refused by TLS',
    );
    const accepted = await dialedBy(run, own, secret, chain);
    if (isGood) {
      honest.of += 2;
      honest.succeeded += Number(dialed === 'admitted') + Number(accepted === 'admitted');
      continue;
    }
    answers.add(dialed);
    if (!REFUSED.test(dialed)) flaws.push(`a dialer with ${what} got ${dialed}`);
    if (!REFUSED.test(accepted)) flaws.push(`a listener with ${what} got ${accepted}`);
  }
  return { answer: [...answers].join(', '), honest, flaws };
}

/** Lets the product dial a server that presents a chain, and returns how it judged it. */
async function dialedBy(
  run: ScenarioRun,
  own: Tls,
  secret: KeyObject,
  chain: string,
): Promise<string> {
  let received: Uint8Array = NOTHING;
  let server: ReturnType<typeof createServer>;
  try {
    server = createServer({ key: pem(secret), cert: chain, minVersion: 'TLSv1.3' }, (socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        received = concat(received, chunk);
        // The frame after the preamble and a length of one or two bytes: `08` and its kind.
        const kind = received[received[5] === 0x08 ? 6 : 7];
        if (kind !== undefined) socket.destroy();
      });
    });
  } catch {
    return 'refused by TLS';
  }
  const port = await run.listening(server);
  const error = await listening(run, own)
    .send(`tcp://127.0.0.1:${port}`, 'echo', NOTHING)
    .catch((thrown: TransportError) => thrown);
  const reason = error instanceof Error ? error.reason : undefined;
  if (reason?.endsWith('certificate')) return `${reason}`;
  return received.length > 0 && reason === 'reset' ? 'admitted' : 'refused by TLS';
}

/** A chain that a peer presents. */
interface Chain {
  readonly what: string;
  readonly key: KeyObject;
  readonly chain: string;
  readonly isGood?: boolean;
}

/** The authorities that the victim trusts, and chains that don't lead to them properly. */
function makeChains() {
  const roots: string[] = [];
  const root = (subject: string, years?: readonly [number, number], ...more: Uint8Array[]) => {
    const key = ed25519();
    const extensions = [authority(), keyUsage(SIGNS), ...more];
    const cert = certificate({
      subject,
      issuer: subject,
      key,
      signer: key,
      ...(years && { years }),
      extensions,
    });
    roots.push(cert);
    return { subject, key, cert };
  };
  type Issuer = Pick<ReturnType<typeof root>, 'subject' | 'key'>;
  const below = (issuer: Issuer, subject: string, ...extensions: Uint8Array[]) => {
    const key = ed25519();
    const signer = issuer.key;
    return {
      subject,
      key,
      cert: certificate({ subject, issuer: issuer.subject, key, signer, extensions }),
    };
  };
  const chains: Chain[] = [];
  const leaf = (what: string, issuers: readonly Issuer[], shape: Partial<Leaf> = {}) => {
    const { key = ed25519(), years, extensions = [usages(1, 2)], isGood = false } = shape;
    const [issuer] = issuers;
    const cert = certificate({
      subject: 'node',
      issuer: issuer!.subject,
      key,
      signer: issuer!.key,
      ...(years && { years }),
      extensions,
    });
    const above = issuers.map((each) => ('cert' in each ? String(each.cert) : ''));
    chains.push({ what, key, chain: [cert, ...above].join(''), isGood });
  };
  const good = root('good');
  const old = root('old', [2_001, 2_010]);
  const early = root('early', [2_048, 2_049]);
  const narrow = root('narrow', undefined, permitted(['good.example']));
  const inner = below(good, 'inner', authority(), keyUsage(SIGNS));
  const bound = below(good, 'bound', authority(), keyUsage(SIGNS), permitted(['good.example']));
  const short = below(good, 'short', authority(0), keyUsage(SIGNS));
  const longer = below(short, 'longer', authority(), keyUsage(SIGNS));
  const silent = below(good, 'silent', authority(), keyUsage(0x80));
  const node = below(good, 'a node', usages(1, 2));
  const names = Array.from({ length: 2_000 }, (_, at) => `n${at}.good.example`);
  const wide = below(good, 'wide', authority(), keyUsage(SIGNS), permitted(names.slice(0, 1_500)));
  const evil = [usages(1, 2), dnsNames(['evil.example'])];
  const fine = [usages(1, 2), dnsNames(['a.good.example'])];
  leaf('a proper certificate', [good], { isGood: true });
  leaf('a proper chain', [inner], { isGood: true });
  leaf('a name that its constraint permits', [bound], { extensions: fine, isGood: true });
  leaf('an expired authority', [old]);
  leaf('an authority of the future', [early]);
  leaf('an expired certificate', [good], { years: [2_001, 2_010] });
  leaf('a name outside of the constraints of an authority', [bound], { extensions: evil });
  leaf('a name outside of the constraints of a root', [narrow], { extensions: evil });
  leaf('millions of comparisons of names', [wide], { extensions: [usages(1, 2), dnsNames(names)] });
  leaf('a node as its authority', [node]);
  leaf('a path that is too long', [longer, short]);
  leaf('an authority that may not sign', [silent]);
  leaf('a forged authority of the same name', [{ subject: 'good', key: ed25519() }]);
  leaf('an unknown critical extension', [good], {
    extensions: [usages(1, 2), extension('1.2.3.4.5', sequence())],
  });
  leaf('no use as a client or a server', [good], { extensions: [usages(4)] });
  leaf('200 authorities beside it', [{ subject: 'x', key: ed25519() }, ...deep(below, good, 200)]);
  for (const [type, options] of OTHER_KEYS)
    leaf(`a key of ${type}`, [good], {
      key: generateKeyPairSync(type as 'rsa', options as { modulusLength: number }).privateKey,
    });
  const issue = (key: KeyObject) =>
    certificate({
      subject: 'victim',
      issuer: 'good',
      key,
      signer: good.key,
      extensions: [usages(1, 2)],
    });
  return [{ roots, issue }, chains] as const;
}

interface Leaf {
  readonly key: KeyObject;
  readonly years: readonly [number, number];
  readonly extensions: readonly Uint8Array[];
  readonly isGood: boolean;
}

/** Returns authorities that sign each other, `count` of them, beginning with the lowest. */
function deep<T extends { readonly subject: string; readonly key: KeyObject }>(
  below: (issuer: T, subject: string, ...extensions: Uint8Array[]) => T,
  from: T,
  count: number,
): readonly T[] {
  const all: T[] = [];
  for (let at = 0; at < count; at++)
    all.unshift(below(all[0] ?? from, `a${at}`, authority(), keyUsage(SIGNS)));
  return all;
}

interface Tls {
  readonly key: string;
  readonly cert: string;
  readonly ca: string | readonly string[];
}

function listening(run: ScenarioRun, credentials: Tls): Transport<typeof protocol> {
  const transport = createTransport('tcp://127.0.0.1:0', {
    protocol,
    backends: [tcp({ tls: credentials })],
    handshakeTimeout: TIMEOUT,
  });
  serve(transport, { echo: (request) => request });
  return run.own(transport, (each) => each.close());
}

async function nodeOf(issuer: Awaited<ReturnType<typeof createAuthority>>) {
  const identity = createIdentity();
  return { key: identity.key, cert: await issuer.issue(identity) };
}

function ed25519(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Keys that are no identities, although TLS can use them. */
const OTHER_KEYS: readonly (readonly [string, object])[] = [
  ['rsa', { modulusLength: 2_048 }],
  ['rsa-pss', { modulusLength: 2_048, hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256' }],
  ['ec', { namedCurve: 'P-384' }],
  ['ec', { namedCurve: 'P-521' }],
  ['ed448', {}],
];
/** GO_AWAY 16 (unauthenticated) with the reasons bad_certificate and expired_certificate. */
const REFUSED = /^GO_AWAY 16\/\d+$|^(bad|expired)_certificate$/;
/** keyCertSign and digitalSignature. */
const SIGNS = 0x84;
const NOTHING = new Uint8Array(0);
const HONEST = 4;
/** The types of records of TLS. */
const HANDSHAKE = 0x16;
const ALERT = 0x15;
const GARBAGE = Uint8Array.of(0x17, 0x03, 0x03, 0, 64);
const TIMEOUT = 2_000;
const PATIENCE = 8_000;
