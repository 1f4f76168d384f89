// Cases of docs/wire-protocol.md §3: the negotiated version of a protocol, and mounting on live
// connections.

import { type RawProtocol, sideProtocol } from '@trunkline/transport-testkit/internal';
import { failure, gets, type Suite } from './checks.ts';
import { hint, request } from './frames.ts';

const lab: RawProtocol = { name: 'lab', version: 1, accepts: [], channel: 0x20 };
const side: RawProtocol = { name: 'side', version: 1, accepts: [], channel: 0x21 };

export function protocolCases({ it, violates }: Suite): void {
  it('protocols: an older version is spoken if the peer accepts it', async (t, up) => {
    const s = await up({ hello: { protocols: [{ ...lab, version: 3, accepts: [2, 1] }] } });
    s.peer.send(request(s.id(0)));
    const rpc = await s.call('echo');
    t.is(rpc.version, 1);
    rpc.respond(rpc.request);
    await s.peer.next('RESPONSE');
  });

  const unfit: [string, RawProtocol[], RegExp, number][] = [
    [
      'a protocol without a common version',
      [{ ...lab, version: 7, accepts: [6] }, side],
      /one end speaks version 1, the other 7, 6;/,
      18,
    ],
    ['a protocol on another channel', [{ ...lab, channel: 0x25 }, side], /lab/, 17],
    [
      'a channel with another protocol',
      [{ ...lab, name: 'other' }, side],
      /(?=.*lab)(?=.*other)/,
      17,
    ],
  ];
  for (const [what, protocols, said, reason] of unfit) {
    it(`protocols: ${what} fails calls with failed_precondition before they are sent, for that protocol only`, async (t, up) => {
      const s = await up({ side: true, hello: { protocols } });
      const error = await failure(t, s.client.echo(Uint8Array.of(1)), {
        code: 'failed_precondition',
        reason: reason === 18 ? 'version_mismatch' : 'channel_mismatch',
        sent: false,
      });
      t.regex(error.message, said);
      const beside = s.side.send(s.remote, 'echo', Uint8Array.of(2));
      const asked = await gets(t, s.peer, 'REQUEST', { channel: 0x21 });
      s.peer.send({ kind: 'RESPONSE', id: asked.id, payload: Uint8Array.of(2) });
      t.deepEqual(await beside, Uint8Array.of(2));
      t.is(s.peer.count('REQUEST'), 1);
    });

    it(`protocols: ${what} fails the calls of the peer with failed_precondition, too`, async (t, up) => {
      const s = await up({ side: true, hello: { protocols } });
      s.peer.send(request(s.id(0)), hint());
      const error = await gets(t, s.peer, 'ERROR', { code: 9, reason });
      t.is(error.flags, 1, 'no handler received it');
      await s.seen.reaches('onewayDropped', 1);
      await s.peer.barrier();
    });
  }

  it("protocols: a protocol that is not in the peer's list is called all the same", async (t, up) => {
    const s = await up({ hello: { protocols: [] } });
    const sent = s.client.echo(Uint8Array.of(1));
    const asked = await s.peer.next('REQUEST');
    s.peer.send({ kind: 'ERROR', id: asked.id, code: 12, text: 'no such protocol', flags: 1 });
    await failure(t, sent, { code: 'unimplemented', origin: 'remote' });
  });

  it('protocols: the complete list is sent after a mount and after the close of a mount', async (t, up) => {
    const s = await up();
    const mounted = s.transport.mount(sideProtocol);
    t.deepEqual((await s.peer.next('PROTOCOLS')).hello?.protocols, [lab, side]);
    await mounted.close();
    t.deepEqual((await s.peer.next('PROTOCOLS')).hello?.protocols, [lab]);
    await s.peer.barrier();
  });

  it('protocols: a protocol that is mounted while a connection is up is served on it', async (t, up) => {
    const s = await up({ hello: { protocols: [lab, side] } });
    s.peer.send(request(s.id(0), [1], { channel: 0x21 }));
    t.is((await s.peer.next('ERROR')).code, 12);
    const calls = s.transport.mount(sideProtocol).consumer('echo');
    await s.peer.next('PROTOCOLS');
    s.peer.send(request(s.id(0), [2], { channel: 0x21 }));
    const { value: rpc } = await calls.next();
    rpc.respond(rpc.request);
    t.deepEqual((await s.peer.next('RESPONSE')).payload, Uint8Array.of(2));
  });

  it('protocols: a new list from the peer replaces the old one', async (t, up) => {
    const s = await up({ side: true, hello: { protocols: [lab, { ...side, version: 8 }] } });
    t.is(
      (await failure(t, s.side.send(s.remote, 'echo', Uint8Array.of(1)))).code,
      'failed_precondition',
    );
    s.peer.send({
      kind: 'PROTOCOLS',
      hello: { protocols: [lab, { ...side, version: 8, accepts: [1] }] },
    });
    await s.peer.barrier();
    const sent = s.side.send(s.remote, 'echo', Uint8Array.of(1));
    const asked = await s.peer.next('REQUEST');
    s.peer.send({ kind: 'RESPONSE', id: asked.id });
    await sent;
  });

  it('protocols: a protocol that is mounted again continues with the accounts of its channel as they are', async (t, up) => {
    const s = await up({ side: true, hello: { protocols: [lab, side], limits: { inbox: 100 } } });
    t.true(s.side.trySend(s.remote, 'hint', new Uint8Array(50)));
    t.false(s.side.trySend(s.remote, 'hint', new Uint8Array(1)), 'its credit is spent');
    await s.side.close();
    const again = s.transport.mount(sideProtocol);
    t.false(again.trySend(s.remote, 'hint', new Uint8Array(1)), 'the credit stays spent');
    s.peer.grant(2, 1_074, { channel: 0x21 });
    await s.peer.barrier();
    t.true(again.trySend(s.remote, 'hint', new Uint8Array(1)));
    await s.peer.next('ONEWAY', (frame) => frame.payload.length === 1);
  });

  violates('protocols: a list of more than 64', ({ peer }) =>
    peer.send({
      kind: 'PROTOCOLS',
      hello: {
        protocols: Array.from({ length: 65 }, (_, n) => ({ ...lab, name: `p${n}`, channel: n })),
      },
    }),
  );
}
