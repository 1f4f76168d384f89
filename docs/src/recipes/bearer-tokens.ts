import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  createTransport,
  defineProtocol,
  empty,
  json,
  type Remote,
  serve,
  TransportError,
} from 'trunkline';
import { z } from 'zod';

const notes = defineProtocol({
  name: 'notes',
  methods: { whoAmI: { request: empty, response: json(z.string()) } },
});

// In production: signed tokens (JWT) of your sign-in service, verified by a library.
const SECRET = 'from the configuration';
const signatureOf = (user: string) => createHmac('sha256', SECRET).update(user).digest('hex');
const issue = (user: string) => `${user}.${signatureOf(user)}`;
function verify(token: string): string {
  const [user = '', signature = ''] = token.split('.');
  const given = Buffer.from(signature);
  const expected = Buffer.from(signatureOf(user));
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new TransportError('unauthenticated', 'the token is not valid: sign in again');
  return user;
}

const users = new WeakMap<Remote, string>();
const server = createTransport('ws://127.0.0.1:0', {
  protocol: notes,
  admit: (remote) => void users.set(remote, verify(remote.hello['token'] ?? '')),
});
serve(server, { whoAmI: (_request, { from }) => users.get(from)! });
await server.listen();

for (const token of [issue('ada'), 'ada.forged']) {
  const client = createTransport({
    protocol: notes,
    hello: () => ({ token }), // asked at each connect, so a fresh token can be fetched here
  });
  const answer = client.to(server.advertiseAddr()).whoAmI();
  console.log(await answer.catch(({ code }) => code));
  await client.close();
}
await server.close();
