import { createTransport, defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';

const presence = defineProtocol({
  name: 'presence',
  methods: { seen: { request: json(z.string()) } },
});
const friends = ['bob', 'eve'].map((name) =>
  createTransport(`inmem://${name}`, { protocol: presence }),
);
let seen = 0;
for (const friend of friends) {
  serve(friend, { seen: () => void seen++ });
  await friend.listen();
}

// At most 1 MB a second leaves on each connection.
const ada = createTransport({
  protocol: presence,
  limits: { rate: { send: 1_000_000 } },
});
console.log(ada.trySend('inmem://bob', 'seen', 'ada')); // no connection yet: nothing is queued
await Promise.all([ada.writable('inmem://bob'), ada.writable('inmem://eve')]); // dials
const releases = ada.remotes().map((remote) => ada.hold(remote));
console.log(ada.trySendAll(['inmem://bob', 'inmem://eve'], 'seen', 'ada')); // encoded once
for (const release of releases) release();
await ada.close({ grace: 1_000 });
await Promise.all(friends.map((friend) => friend.close({ grace: 1_000 })));
console.log(seen);
