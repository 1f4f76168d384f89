import cookies from '@fastify/cookie';
import fastify from 'fastify';
import { createTransport, defineProtocol, json, serve, TransportError, ws } from 'trunkline';
import { z } from 'zod';

const notes = defineProtocol({
  name: 'notes',
  methods: { whoAmI: { request: json(z.null()), response: json(z.string()) } },
});

const app = fastify();
await app.register(cookies, { secret: 'from the configuration' });
app.post('/login', (_request, reply) =>
  reply
    .setCookie('user', 'ada', { signed: true, httpOnly: true, sameSite: 'lax', path: '/' })
    .send(),
);
const origin = await app.listen({ port: 0, host: '127.0.0.1' });

const web = ws({
  server: app.server,
  upgrade({ headers }) {
    const { user = '' } = app.parseCookie(headers.cookie ?? '');
    const { valid, value } = app.unsignCookie(user);
    if (!valid) throw new TransportError('unauthenticated', 'sign in first');
    return { user: value };
  },
});
const server = createTransport('ws://server/rpc', { protocol: notes, backends: [web] });
serve(server, { whoAmI: (_request, { from }) => web.upgradeOf(from)!.user });
await server.listen();

// A page. In a browser, the cookie needs no `headers`.
const response = await fetch(`${origin}/login`, { method: 'POST' });
const cookie = response.headers.getSetCookie()[0]!.split(';')[0]!;
const page = createTransport({ protocol: notes, backends: [ws({ headers: { cookie } })] });
console.log(await page.send(`${origin.replace('http', 'ws')}/rpc`, 'whoAmI', null));
await page.close();
await server.close();
await app.close();
