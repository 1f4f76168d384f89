// Tests of a page that connects with the cookie with which its user has signed in.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTransport, TransportError } from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import { inChromium, pageHtml } from './chromium.ts';
import { lines } from './lines.ts';
import { TestServer } from './test-server.ts';

inChromium(
  'a page without a session learns that its user must sign in, then its cookie is enough, but not for a page of another origin',
  async (t, browser) => {
    const html = await pageHtml();
    const site = createServer(({ url }, response) => {
      if (url === '/login')
        response.setHeader('set-cookie', 'session=ada; HttpOnly; SameSite=Strict; Path=/');
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(html);
    });
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    t.teardown(() => {
      site.close();
      site.closeAllConnections();
    });
    const web = ws({
      server: site,
      upgrade({ headers, url }) {
        const [, user] = /\bsession=(\w+)/.exec(headers.cookie ?? '') ?? [];
        if (user === undefined) throw new TransportError('unauthenticated', 'sign in first');
        return { user, url };
      },
    });
    const server = await TestServer.listen(
      t,
      createTransport('ws://server/rpc', { protocol: lines, backends: [web] }),
    );
    const { page, ask } = await browser.open(t);
    const elsewhere = page.url();
    const { port } = site.address() as AddressInfo;
    const target = `ws://127.0.0.1:${port}/rpc?room=7`;
    await page.goto(`http://127.0.0.1:${port}/`);
    t.like(await ask('refused', target), { code: 'unauthenticated', sent: false });
    t.is((await ask('refused', target)).retryIn, undefined, 'the hold has stopped');
    await page.evaluate("fetch('/login')");
    t.is((await ask('call', target, 'echo')).code, 'ok');
    const [remote] = server.transport.remotes();
    t.deepEqual(web.upgradeOf(remote!), { user: 'ada', url: '/rpc?room=7' });
    await page.goto(elsewhere); // a port of the same host, so the browser sends the cookie
    t.like(await ask('refused', target), { code: 'permission_denied', reason: 'denied' });
    t.is((await ask('refused', target)).retryIn, undefined, 'the hold has stopped');
  },
);
