// Cases of docs/wire-protocol.md §2: flags, ids and numbers in frames, the bytes that the
// application receives, and the output of our encoder.

import { failure, type Suite } from './checks.ts';
import { body, hint, KiB, packets, request } from './frames.ts';

export function fieldCases({ it, violates }: Suite): void {
  const bad: Suite['violates'] = (title, commit) => violates(`fields: ${title}`, commit);

  bad('an unknown flag of a REQUEST beside a known one', ({ peer, id }) =>
    peer.send(request(id(0), [1], { flags: 0x101 })),
  );
  bad('a REQUEST without an id', ({ peer }) => peer.send(request(0)));
  bad("a REQUEST with an id of the other end's parity", ({ peer, id }) =>
    peer.send(request(id(0) + 1)),
  );
  bad('a REQUEST without a method', ({ peer, id }) =>
    peer.send(request(id(0), [1], { method: 0 })),
  );
  bad('a ONEWAY without a method', ({ peer }) => peer.send(hint([1], { method: 0 })));
  bad("a long ONEWAY with an id of the other end's parity", ({ peer, id }) =>
    peer.send(hint(body(64 * KiB), { id: id(0) + 1, size: 65 * KiB })),
  );
  bad('a long ONEWAY without an id', ({ peer }) =>
    peer.send(hint(body(64 * KiB), { size: 65 * KiB })),
  );

  it('fields: an error text of 1 KiB is read completely', async (t, up) => {
    const { peer, client } = await up();
    const sent = failure(t, client.echo(Uint8Array.of(1)));
    const { id } = await peer.next('REQUEST');
    const text = 'ü'.repeat(512);
    peer.send({ kind: 'ERROR', id, code: 13, text });
    t.true((await sent).message.includes(text));
    await peer.barrier();
  });

  it('fields: any id of the right parity is legal, up to the largest of 32 bits', async (t, up) => {
    const { peer, call, id } = await up();
    const parity = id(0) & 1;
    for (const high of [id(0), id(70_000), 0x7fff_fffe + parity, 0xffff_fffe + parity]) {
      peer.send(request(high, [1]));
      const rpc = await call('echo');
      rpc.respond(rpc.request);
      t.is((await peer.next('RESPONSE')).id, high);
    }
  });

  it('fields: the application gets plain Uint8Arrays that never change later', async (t, up) => {
    const { peer, call, id } = await up();
    const kept: Uint8Array[] = [];
    for (let n = 0; n < 200; n++) {
      peer.send(
        ...packets(request(id(n), []), body(n % 10 === 0 ? 70 * KiB : 40 + n, n)).map((frame) =>
          n % 10 === 0 ? frame : { ...frame, size: 0 },
        ),
      );
      const rpc = await call('echo');
      kept.push(rpc.request);
      rpc.respond(Uint8Array.of(1));
    }
    await peer.barrier();
    for (const [n, bytes] of kept.entries()) {
      t.is(Object.getPrototypeOf(bytes), Uint8Array.prototype);
      t.deepEqual(bytes, body(n % 10 === 0 ? 70 * KiB : 40 + n, n));
    }
  });
}
