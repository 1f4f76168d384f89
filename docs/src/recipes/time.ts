import { createTransport, defineProtocol, empty, inmem } from 'trunkline';
import { createManualClock } from 'trunkline/testing';

const slow = defineProtocol({
  name: 'slow',
  methods: { wait: { request: empty, response: empty } },
});
const clock = createManualClock();
const backends = [inmem()];
const server = createTransport('inmem://slow', { protocol: slow, backends, clock });
const calls = server.consumer();
await server.listen();

const client = createTransport({ protocol: slow, backends, clock });
const answer = client
  .send('inmem://slow', 'wait', undefined, { timeout: 8_000 })
  .catch((error) => error.code);
const { value: call } = await calls.next(); // it has arrived, and nobody answers
clock.advance(8_000); // eight seconds pass at once
console.log(await answer, call?.signal.aborted);
await client.close();
await server.close();
