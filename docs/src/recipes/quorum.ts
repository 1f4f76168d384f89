import { createTransport, defineProtocol, inmem, json, serve } from 'trunkline';
import { multicast } from 'trunkline/resilience';
import { z } from 'zod';

const votes = defineProtocol({
  name: 'votes',
  methods: { vote: { request: json(z.int()), response: json(z.boolean()) } },
});
const backends = [inmem()];
const voters = ['a', 'b', 'c', 'd'].map((name) =>
  createTransport(`inmem://${name}`, { protocol: votes, backends }),
);
for (const voter of voters) serve(voter, { vote: (term) => term > 1 });
for (const voter of voters.slice(1)) await voter.listen(); // a is down

const candidate = createTransport({ protocol: votes, backends });
const targets = ['a', 'b', 'c', 'd'].map((name) => `inmem://${name}`);
let granted = 1; // its own
for await (const { target, response, error } of multicast(candidate, targets, 'vote', 2, {
  until: 'quorum',
  timeout: 500,
})) {
  if (error !== undefined) console.log(`${target}: ${error.code}`);
  else if (response) granted++;
}
console.log(granted >= 3 ? 'elected' : 'not elected');
await Promise.all([candidate, ...voters].map((transport) => transport.close()));
