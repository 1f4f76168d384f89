// Cases about TLS clients that are not ours: everything that they try is refused or has no effect.

import type { StreamLayer } from '@trunkline/transport-core/backend';
import { count } from '../identity/identity-fixture.ts';
import { checkCall, rejections } from '../identity/refusals.ts';
import type { Cases } from '../identity/suite.ts';
import { caught } from '../transport/expect.ts';
import type { TlsCertificates, TlsCredentials } from './tls-credentials.ts';

/** Options of a TLS client that is not ours. */
export interface TlsClientOptions {
  readonly credentials: TlsCredentials;
  /** A session of an earlier connection, to be resumed. */
  readonly session?: unknown;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly alpn?: readonly string[] | undefined;
  readonly servername?: string | undefined;
}

/** A stream layer that dials with such a client. */
export interface TlsClient {
  readonly layer: StreamLayer;
  /** Returns true if the last connection was resumed. */
  reused(): boolean;
  /**
   * Returns every session of the last connection that the server gave, or that the client could
   * derive from it.
   */
  sessions(): readonly unknown[];
  /** Requests a renegotiation on the last connection; resolves to true if it happened. */
  renegotiated(): Promise<boolean>;
}

/** Returns the cases; `open` creates a client that shares no code with the backend under test. */
export function tlsClientCases(
  open: (options: TlsClientOptions) => TlsClient,
  { node: credentialsOf }: TlsCertificates,
): Cases {
  return (define) => {
    define(
      'a session that a client offers again is never resumed, and its identity is verified again',
      async (f, t) => {
        const node = await f.open();
        const [first, second] = [await credentialsOf(), await credentialsOf()];
        const client = open({ credentials: first });
        const peer = await f.rawDial(client.layer, node.at);
        await peer.handshake();
        peer.send(REQUEST);
        await peer.next('RESPONSE');
        await peer.barrier();
        t.is(node.served[0]!.from.nodeId, first.nodeId);
        const sessions = client.sessions();
        t.true(sessions.length > 0, 'the client has something to offer');
        for (const session of sessions) {
          for (const credentials of [first, second]) {
            const again = open({ credentials, session });
            const resumed = await f.rawDial(again.layer, node.at);
            await resumed.handshake();
            resumed.send(REQUEST);
            await resumed.next('RESPONSE');
            t.false(again.reused(), 'it was not resumed');
            t.is(
              node.served.at(-1)!.from.nodeId,
              credentials.nodeId,
              'its id is that of the key it held now',
            );
          }
        }
      },
    );

    define('a session of a node that was denied meanwhile does not admit it', async (f, t) => {
      const node = await f.open();
      const credentials = await credentialsOf();
      const client = open({ credentials });
      const peer = await f.rawDial(client.layer, node.at);
      await peer.handshake();
      await peer.barrier();
      await node.update({ deny: [credentials.nodeId] });
      await peer.expectClosed();
      const sessions = client.sessions();
      t.true(sessions.length > 0, 'the client has something to offer');
      for (const session of sessions) {
        const again = open({ credentials, session });
        const resumed = await f.rawDial(again.layer, node.at);
        resumed.begin({ kind: 'HELLO' });
        const bye = await resumed.next('GO_AWAY');
        t.is(`${bye.code}/${bye.reason}`, '7/11');
        await resumed.expectClosed();
        t.false(again.reused());
      }
    });

    define(
      'a client of TLS 1.2 is refused and reported to the observer, and the next one is served',
      async (f, t) => {
        const [node, other] = [await f.open(), await f.open()];
        const client = open({
          credentials: await credentialsOf(),
          maxVersion: 'TLSv1.2',
        });
        await caught(t, f.rawDial(client.layer, node.at));
        await f.until('the observer reports a rejection', () => rejections(node, 'in').length > 0);
        const { error } = rejections(node, 'in')[0]!;
        t.is(error.reason, 'wrong_preamble', error.message);
        t.regex(error.message, /TLS 1\.3/);
        t.is(count(node, 'up'), 0);
        await checkCall(f, other, node);
      },
    );

    define('a connection that is up is never renegotiated', async (f, t) => {
      const node = await f.open();
      const client = open({ credentials: await credentialsOf() });
      const peer = await f.rawDial(client.layer, node.at);
      await peer.handshake();
      await peer.barrier();
      t.false(await client.renegotiated());
      await peer.barrier();
      t.is(node.transport.remotes().length, 1);
    });

    for (const [what, hello] of [
      ['no server name and no protocol', {}],
      ['another server name', { servername: 'not.this.one.example' }],
      ['a protocol that nobody speaks', { alpn: ['h3', 'made-up'] }],
      [
        'a long list of protocols',
        { alpn: Array.from({ length: 100 }, (_, i) => `protocol-${i}`) },
      ],
      ['both', { servername: `${'x'.repeat(60)}.example`, alpn: ['spdy/1'] }],
    ] as const) {
      define(`a client that offers ${what} is served or refused cleanly`, async (f, t) => {
        const [node, other] = [await f.open(), await f.open()];
        const credentials = await credentialsOf();
        const client = open({ credentials, ...hello });
        const peer = await f.rawDial(client.layer, node.at).catch(() => undefined);
        if (peer === undefined) {
          await f.until(
            'the observer reports a rejection',
            () => rejections(node, 'in').length > 0,
          );
          t.log('refused');
        } else {
          await peer.handshake();
          await peer.barrier();
          t.is(node.transport.remotes()[0]!.nodeId, credentials.nodeId);
          peer.destroy();
        }
        await f.until(
          'the connection is gone at the acceptor',
          () => node.transport.remotes().length === 0,
        );
        await checkCall(f, other, node);
      });
    }
  };
}

const ONE = Uint8Array.of(1);
/** A call of the suite's `echo`. */
const REQUEST = { kind: 'REQUEST', id: 1, channel: 0x20, method: 1, payload: ONE } as const;
