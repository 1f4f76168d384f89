import { setTimeout as sleep } from 'node:timers/promises';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { gossipsub } from '@libp2p/gossipsub';
import { identify } from '@libp2p/identify';
import { tcp } from '@libp2p/tcp';
import { lpStream } from '@libp2p/utils';
import { createLibp2p } from 'libp2p';

const start = () =>
  createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), pubsub: gossipsub() },
  });
const text = (bytes) => new TextDecoder().decode(bytes.subarray());
const bytes = (text) => new TextEncoder().encode(text);
const next = (target, type) =>
  new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));

const [ada, bob] = [await start(), await start()];
await ada.handle('/orders/1.0.0', async (stream) => {
  const messages = lpStream(stream);
  await messages.write(bytes(`${text(await messages.read())} ordered`));
  await stream.close();
});
const stream = await bob.dialProtocol(ada.getMultiaddrs(), '/orders/1.0.0');
const messages = lpStream(stream);
await messages.write(bytes('apples'));
console.log(text(await messages.read()));

const subscribed = next(ada.services.pubsub, 'subscription-change');
bob.services.pubsub.subscribe('news');
await subscribed;
const message = next(bob.services.pubsub, 'message');
const publish = () => ada.services.pubsub.publish('news', bytes('apples packed'));
while ((await publish()).recipients.length === 0) await sleep(50); // until a stream is open
console.log(text((await message).detail.data));
await Promise.all([ada.stop(), bob.stop()]);
