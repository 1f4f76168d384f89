import { explore, type NodeContext, type Simulation } from '@trunkline/simulation';
import { createLoader } from '@trunkline/simulation/loader';
import { bytes, defineProtocol, serve } from 'trunkline';

const load = createLoader(import.meta.url);
const wire = defineProtocol({
  name: 'yjs',
  version: 1,
  channel: 0x20,
  methods: { message: { id: 1, request: bytes, response: bytes } },
});
const members = ['n1', 'n2', 'n3'];

/** A node that edits a shared text for ten seconds, and synchronizes it with a random neighbor. */
function editor(texts: Map<string, string>) {
  return async (context: NodeContext) => {
    const { name, transport, clock, random, store } = context;
    const Y = await load<typeof import('yjs')>(context, 'yjs');
    const sync = await load<typeof import('y-protocols/sync')>(context, 'y-protocols/sync');
    const encoding = await load<typeof import('lib0/encoding')>(context, 'lib0/encoding');
    const decoding = await load<typeof import('lib0/decoding')>(context, 'lib0/decoding');
    const document = new Y.Doc();
    const saved = await store.get('document');
    if (saved !== undefined) Y.applyUpdate(document, saved);
    const answer = (message: Uint8Array) => {
      const encoder = encoding.createEncoder();
      sync.readSyncMessage(decoding.createDecoder(message), encoder, document, 'network');
      return encoding.toUint8Array(encoder);
    };
    const net = transport(wire);
    serve(net, { message: (message) => answer(message) });
    await net.listen();
    const text = document.getText('text');
    for (;;) {
      await clock.sleep(250);
      if (clock.now() < 10_000) text.insert(Math.floor(random() * (text.length + 1)), `${name} `);
      await store.set('document', Y.encodeStateAsUpdate(document));
      await store.sync();
      const encoder = encoding.createEncoder();
      sync.writeSyncStep1(encoder, document);
      const other = members[Math.floor(random() * members.length)]!;
      const reply = await net
        .send(other, 'message', encoding.toUint8Array(encoder), { timeout: 500 })
        .catch(() => undefined);
      if (reply !== undefined) answer(reply);
      texts.set(name, text.toString());
    }
  };
}

async function scenario(sim: Simulation) {
  const texts = new Map<string, string>();
  for (const name of members) sim.node(name, editor(texts));
  await sim.run(40_000);
  if (new Set(texts.values()).size > 1) throw new Error('the texts differ');
}

const { passed, failed } = await explore({ seeds: 12, scenario, name: 'yjs' });
console.log(`${passed} seeds passed, ${failed.length} failed`);
for (const { error } of failed) console.log(error.message);
