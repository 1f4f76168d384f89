// Tests of authorities and the certificates that they issue.

import { X509Certificate } from 'node:crypto';
import { systemClock, TransportError } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { typeError } from '../testing/type-error.ts';
import { createAuthority, openAuthority } from './authority.ts';
import type { CertificateOptions } from './certificate-options.ts';
import { createIdentity } from './identity.ts';
import { nodeIdOf } from './node-id.ts';
import { encodePem } from './pem.ts';
import { KEY_TYPES } from './public-key.ts';
import { selfSigned } from './self-signed.ts';
import { fromHex } from './testing/bytes.ts';
import { GOLDEN } from './testing/golden.ts';

const NOW = Date.UTC(2030, 5, 15, 12, 0, 0, 789);
const clock = { date: () => new Date(NOW) };
const DAY = 86_400_000;
const HOUR = 3_600_000;
/** Returns the dates of a certificate, which have a resolution of one second. */
const times = (pem: string) =>
  [new X509Certificate(pem).validFrom, new X509Certificate(pem).validTo].map((text) =>
    Date.parse(text),
  );
const whole = (time: number) => Math.floor(time / 1000) * 1000;

for (const caType of KEY_TYPES) {
  test(`the certificate of a ${caType} authority is self-signed and marks an authority`, async (t) => {
    const { cert, identity } = await createAuthority({
      identity: createIdentity({ type: caType }),
    });
    const parsed = new X509Certificate(cert);
    t.true(parsed.ca);
    t.true(parsed.checkIssued(parsed));
    t.true(parsed.verify(parsed.publicKey));
    t.is(nodeIdOf(cert), identity.nodeId);
    t.is(parsed.subject, `CN=Trunkline CA ${identity.nodeId.slice(0, 16)}`);
  });

  for (const type of KEY_TYPES) {
    test(`a ${caType} authority issues a certificate to a ${type} node`, async (t) => {
      const authority = await createAuthority({ identity: createIdentity({ type: caType }) });
      const node = createIdentity({ type });
      const parsed = new X509Certificate(await authority.issue(node));
      const issuer = new X509Certificate(authority.cert);
      t.false(parsed.ca);
      t.true(parsed.checkIssued(issuer));
      t.true(parsed.verify(issuer.publicKey));
      t.is(parsed.subject, `CN=${node.nodeId}`);
      t.is(parsed.subjectAltName, `URI:trunkline:${node.nodeId}`);
      t.deepEqual(parsed.keyUsage?.toSorted(), ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
      t.is(nodeIdOf(parsed.toString()), node.nodeId);
    });
  }
}

test('a node has to send only its public key', async (t) => {
  const authority = await createAuthority();
  const { publicKey, nodeId } = createIdentity({ type: 'p256' });
  const pem = encodePem('PUBLIC KEY', publicKey);
  for (const subject of [publicKey, Buffer.from(publicKey), pem, await authority.issue(publicKey)])
    t.is(nodeIdOf(await authority.issue(subject)), nodeId);
});

test('serial numbers are positive, of 16 bytes, and never the same', async (t) => {
  const authority = await createAuthority();
  const node = createIdentity();
  const serials = await Promise.all(
    Array.from(
      { length: 30 },
      async () => new X509Certificate(await authority.issue(node)).serialNumber,
    ),
  );
  t.is(new Set(serials).size, 30);
  for (const serial of serials) t.regex(serial, /^[4-7][0-9A-F]{31}$/);
});

test('with a given clock and seed a certificate is always the same', async (t) => {
  const node = createIdentity();
  const make = () => selfSigned(node, { clock, random: seededRandom(1) });
  t.is(await make(), await make());
});

test('a certificate starts an hour ago, and ends in 90 days, that of an authority in 3,650', async (t) => {
  const authority = await createAuthority({ clock });
  t.deepEqual(times(authority.cert), [whole(NOW - HOUR), whole(NOW + 3_650 * DAY)]);
  t.deepEqual(times(await authority.issue(createIdentity())), [
    whole(NOW - HOUR),
    whole(NOW + 90 * DAY),
  ]);
  t.deepEqual(times(await selfSigned(createIdentity(), { clock })), [
    whole(NOW - HOUR),
    whole(NOW + 90 * DAY),
  ]);
});

test('without a clock the date of the system is used', async (t) => {
  const before = Date.now();
  const [begin] = times(await selfSigned(createIdentity()));
  t.true(begin! >= whole(before - HOUR) && begin! <= Date.now() - HOUR);
});

test('name, days, notBefore and notAfter are used as given', async (t) => {
  const node = createIdentity();
  const make = async (options: CertificateOptions) =>
    new X509Certificate(await selfSigned(node, { clock, ...options }));
  const dates = async (options: CertificateOptions) => times((await make(options)).toString());
  for (const name of [
    'node-1',
    'Knoten Zürich',
    'a, O=b',
    '#0500',
    '"quoted"',
    '节点',
    'x'.repeat(64),
  ]) {
    const { subject } = await make({ name });
    t.true(subject.startsWith('CN='));
    t.is(subject.split('\n').length, 1);
    if (/^[\w-]+$/.test(name)) t.is(subject, `CN=${name}`);
  }
  const notBefore = new Date(NOW + 5 * DAY);
  const notAfter = new Date(NOW + 6 * DAY);
  t.deepEqual(await dates({ days: 7 }), [whole(NOW - HOUR), whole(NOW + 7 * DAY)]);
  t.deepEqual(await dates({ days: 7, notBefore }), [whole(NOW + 5 * DAY), whole(NOW + 12 * DAY)]);
  t.deepEqual(await dates({ notBefore, notAfter }), [whole(NOW + 5 * DAY), whole(NOW + 6 * DAY)]);
  const at = (year: number, month: number, day: number) => new Date(Date.UTC(year, month, day));
  t.is((await dates({ notAfter: at(2075, 0, 1) }))[1], Date.UTC(2075, 0));
  const turn = { notBefore: at(2049, 11, 31), notAfter: at(2050, 0, 1) };
  t.deepEqual(await dates(turn), [turn.notBefore.getTime(), turn.notAfter.getTime()]);
});

test('an invalid option of an authority throws a TypeError that names it', async (t) => {
  const authority = await createAuthority({ clock });
  const node = createIdentity();
  const wrong: [unknown, RegExp][] = [
    [{ days: 0 }, /days: must be an integer from 1 to 36500, got 0/],
    [{ days: 1.5 }, /days: must be an integer/],
    [{ days: 1, notAfter: new Date(NOW + DAY) }, /days, notAfter: give one of them, not both/],
    [
      { notAfter: new Date(NOW - DAY) },
      /notAfter: must be after notBefore \(2030-06-15T11:00:00.000Z\), got 2030-06-14/,
    ],
    [{ notAfter: new Date(Number.NaN) }, /notAfter: must be a Date/],
    [{ notBefore: '2030-01-01' }, /notBefore: must be a Date/],
    [
      { notBefore: new Date(Date.UTC(1949, 0)) },
      /notBefore: must be a Date from the year 1950 to 9999/,
    ],
    [{ name: '' }, /name: must be a string of 1 to 64 characters/],
    [{ name: 'x'.repeat(65) }, /name: must be a string/],
    [{ name: 'a\nb' }, /name: must be a string/],
    [{ name: '\ud800' }, /name: must be a string/],
    [
      { clock: systemClock },
      /clock: must be an object with date\(\), which the Clock of core does not have/,
    ],
    [{ random: 1 }, /random: must be a function/],
    [{ day: 1 }, /day: unknown option; did you mean 'days'/],
    [null, /expected an object of options, got null/],
  ];
  for (const [given, message] of wrong) {
    const options = given === null ? null : { clock, ...(given as object) };
    await t.throwsAsync(
      selfSigned(node, options as CertificateOptions),
      typeError(new RegExp(`^selfSigned: ${message.source}`)),
    );
    await t.throwsAsync(
      authority.issue(node, options as CertificateOptions),
      typeError(new RegExp(`^issue: ${message.source}`)),
    );
    if (options === null) continue;
    const create = createAuthority(options as CertificateOptions);
    await t.throwsAsync(create, typeError(new RegExp(`^createAuthority: ${message.source}`)));
  }
  await t.throwsAsync(createAuthority(null as never), { instanceOf: TypeError });
  await t.throwsAsync(
    createAuthority({ identity: 'x' as never }),
    typeError(/^createAuthority: identity: expected an identity/),
  );
  await t.throwsAsync(selfSigned('x' as never), typeError(/^selfSigned: expected an identity/));
  await t.throwsAsync(authority.issue(undefined as never), typeError(/^issue: expected/));
});

test('no certificate is issued for a key that cannot belong to a node', async (t) => {
  const authority = await createAuthority();
  const refused: [Uint8Array | string, RegExp][] = [
    [
      fromHex(`302a300506032b6571032100${'01'.repeat(32)}`),
      /issue: got a key of another algorithm or form; .*createIdentity/,
    ],
    [
      fromHex(`302a300506032b6570032100${'00'.repeat(32)}`),
      /issue: got an Ed25519 key of small order/,
    ],
    [GOLDEN.p256.pem, /issue: got a PEM block 'PRIVATE KEY': do not pass it around/],
    ['hello', /issue: got a text without PEM/],
    [new Uint8Array(3), /issue: got 3 bytes that are not SPKI/],
  ];
  for (const [subject, message] of refused) {
    t.is(
      (await t.throwsAsync(authority.issue(subject), { instanceOf: TransportError, message })).code,
      'invalid_argument',
    );
  }
});

test('a certificate ends no later than its authority’s', async (t) => {
  const authority = await createAuthority({ clock, days: 30 });
  const end = whole(NOW + 30 * DAY);
  const node = createIdentity();
  t.is(times(await authority.issue(node))[1], end);
  t.is(times(await authority.issue(node, { days: 30 }))[1], end);
  const error = await t.throwsAsync(authority.issue(node, { days: 31 }), {
    instanceOf: TransportError,
  });
  t.is(error.code, 'failed_precondition');
  t.regex(
    error.message,
    /notAfter is 2030-07-16T12:00:00.000Z, but the authority's certificate ends on 2030-07-15T12:00:00.000Z; request an earlier date/,
  );
  const late = { date: () => new Date(end) };
  const over = await t.throwsAsync(authority.issue(node, { clock: late }), {
    instanceOf: TransportError,
    message: /ended on 2030-07-15.*make a new authority/,
  });
  t.is(over.code, 'failed_precondition');
});

test('a saved authority can be used again', async (t) => {
  for (const type of KEY_TYPES) {
    const first = await createAuthority({
      identity: createIdentity({ type }),
      name: 'Zürich, O=x',
      clock,
    });
    const again = await openAuthority({
      key: first.identity.key,
      cert: `a comment\n${first.cert}`,
      clock,
    });
    t.is(again.cert, first.cert);
    t.is(again.identity.nodeId, first.identity.nodeId);
    const parsed = new X509Certificate(await again.issue(createIdentity()));
    t.true(parsed.checkIssued(new X509Certificate(first.cert)));
    t.true(parsed.verify(new X509Certificate(first.cert).publicKey));
    t.is(times(parsed.toString())[0], whole(NOW - HOUR));
  }
});

test('a certificate of another authority is refused with the reason', async (t) => {
  const { identity, cert } = await createAuthority();
  const other = await createAuthority();
  const open = async (cert: string) => openAuthority({ key: identity.key, cert });
  const refused: [string, RegExp][] = [
    [
      other.cert,
      new RegExp(
        `cert belongs to the key ${other.identity.nodeId}, but the given key is ${identity.nodeId}`,
      ),
    ],
    [await selfSigned(identity), /cert is the certificate of a node, which may not sign others/],
    [identity.key, /cert has 'PRIVATE KEY': give one 'CERTIFICATE'/],
    [cert + cert, /cert has 'CERTIFICATE', 'CERTIFICATE'/],
    ['', /cert has no PEM/],
    [cert.slice(0, 90), /cert is cut off or not base64/],
    [encodePem('CERTIFICATE', new Uint8Array(90)), /cert is damaged/],
  ];
  for (const [given, message] of refused)
    t.is(
      (await t.throwsAsync(open(given), { instanceOf: TransportError, message })).code,
      'invalid_argument',
    );
  await t.throwsAsync(openAuthority({ key: 'x', cert }), {
    instanceOf: TransportError,
    message: /^parseIdentity: found no PEM/,
  });
  await t.throwsAsync(
    openAuthority({ cert } as never),
    typeError(/^openAuthority: key: is required/),
  );
});

test('an authority made by OpenSSL can be opened, and its certificates match', async (t) => {
  const authority = await openAuthority({ key: GOLDEN.ed25519.pem, cert: OPENSSL_CA });
  const parsed = new X509Certificate(await authority.issue(createIdentity()));
  t.true(parsed.checkIssued(new X509Certificate(OPENSSL_CA)));
  t.is(parsed.issuer, 'C=CH\nO=Example\nCN=Old CA');
});

/** The output of: openssl req -x509 -key key.pem -days 20000 -subj '/C=CH/O=Example/CN=Old CA' */
const OPENSSL_CA = `-----BEGIN CERTIFICATE-----
MIIBdzCCASmgAwIBAgIUJrrk9DcEpCA6gyk475Y6nxJk7fMwBQYDK2VwMDAxCzAJ
BgNVBAYTAkNIMRAwDgYDVQQKDAdFeGFtcGxlMQ8wDQYDVQQDDAZPbGQgQ0EwIBcN
MjYxMTIwMTMyNzQ0WhgPMjA4MTA4MjMxMzI3NDRaMDAxCzAJBgNVBAYTAkNIMRAw
DgYDVQQKDAdFeGFtcGxlMQ8wDQYDVQQDDAZPbGQgQ0EwKjAFBgMrZXADIQADoQe/
884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuKNTMFEwHQYDVR0OBBYEFP2Bpttk
1vr39wLAeXGoLCXB3DyQMB8GA1UdIwQYMBaAFP2Bpttk1vr39wLAeXGoLCXB3DyQ
MA8GA1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EAzh1HIlxz4IBgGLZu3lVbJrpT2kAM
YU8xHWTf/jCOabAlqvl+5ZgI8LjScpXOL4E4zXpwYZgaWm8isi4vF270Dg==
-----END CERTIFICATE-----
`;
