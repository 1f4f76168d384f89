import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import session from 'express-session';
import { createTransport, defineProtocol, json, serve, TransportError, ws } from 'trunkline';
import { z } from 'zod';

const notes = defineProtocol({
  name: 'notes',
  methods: { whoAmI: { request: json(z.null()), response: json(z.string()) } },
});

const sessions = session({
  secret: 'from the configuration',
  resave: false,
  saveUninitialized: false,
  cookie: { sameSite: 'lax' },
});
const app = express().use(sessions);
app.post('/login', (request, response) => {
  Object.assign(request.session, { user: 'ada' }); // after a password, a passkey, …
  response.end();
});
const site = app.listen(0, '127.0.0.1');
await once(site, 'listening');

const web = ws({
  server: site,
  async upgrade({ raw }): Promise<{ user: string }> {
    await new Promise<void>((resolve, reject) =>
      sessions(raw, {} as express.Response, (error) => (error ? reject(error) : resolve())),
    );
    const { user } = raw.session;
    if (user === undefined) throw new TransportError('unauthenticated', 'sign in first');
    return { user };
  },
});
const server = createTransport('ws://server/rpc', { protocol: notes, backends: [web] });
serve(server, { whoAmI: (_request, { from }) => web.upgradeOf(from)!.user });
await server.listen();

// The page. In a browser the cookie travels by itself, without `headers`.
const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
const SERVER = `${origin.replace('http', 'ws')}/rpc`;
let cookie = '';
const page = createTransport({ protocol: notes, backends: [ws({ headers: () => ({ cookie }) })] });
page.hold(SERVER);
for await (const event of page.connections()) {
  if (event.type === 'up') {
    console.log(await page.send(event.remote, 'whoAmI', null));
    break;
  }
  if (event.type !== 'failed' || event.retryIn !== undefined) continue;
  console.log(event.error.code); // hold has stopped: let the user sign in
  const response = await fetch(`${origin}/login`, { method: 'POST' });
  cookie = response.headers.getSetCookie()[0]!.split(';')[0]!;
  page.hold(SERVER);
}
await page.close();
await server.close();
site.close();
