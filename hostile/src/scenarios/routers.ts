// Attacks on port mapping: routers that want requests sent elsewhere, never end an answer, or put
// control characters into texts.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createPortMapping } from '@trunkline/peers/nat';
import { bytes, createTransport, defineProtocol } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import type { Scenario, ScenarioRun } from '../scenario.ts';
import { balancing } from './balancing.ts';
import { clusters } from './clusters.ts';
import { ssdp } from './ssdp.ts';
import { watchers } from './watchers.ts';

export const routers: readonly Scenario[] = [
  {
    name: 'nat-other-host',
    title: 'is a router whose control URL and redirects lead to a service on another host',
    cases: [],
    carrier: 'nat',
    async run(run) {
      const requests: string[] = [];
      const service = await startWeb(run, SERVICE, (request, response) => {
        requests.push(`${request.method} ${request.url}`);
        response.writeHead(200, XML).end(description('/control'));
      });
      const errors: string[] = [];
      for (const status of [301, 302, 303, 307, 308]) {
        const location = `${service}/admin`;
        const router = await startWeb(run, ROUTER, (_request, response) => {
          response.writeHead(status, { location }).end();
        });
        errors.push(await errorOf(run, `${router}/desc.xml`));
        const control = await startWeb(run, ROUTER, (request, response) => {
          if (request.method === 'POST') response.writeHead(status, { location }).end();
          else response.writeHead(200, XML).end(description('/control'));
        });
        errors.push(await errorOf(run, `${control}/desc.xml`));
      }
      for (const url of [
        `${service}/admin`,
        `//${service.slice('http://'.length)}/admin`,
        `${service.replace('//', '//user:secret@')}/admin`,
        service.replace('http:', 'https:'),
      ]) {
        const router = await startWeb(run, ROUTER, (_request, response) => {
          response.writeHead(200, XML).end(description(url));
        });
        errors.push(await errorOf(run, `${router}/desc.xml`));
      }
      return {
        answer: 'an error for each attempt',
        flaws: [
          ...(requests.length === 0 ? [] : [`another host got ${requests.join(', ')}`]),
          ...errors.filter((error) => error === '').map(() => 'an attempt succeeded'),
        ],
      };
    },
  },
  {
    name: 'nat-endless',
    title: 'is a router whose description, answer or headers never end',
    cases: [],
    carrier: 'nat',
    async run(run) {
      const flaws: string[] = [];
      for (const endless of ['description', 'answer', 'headers'] as const) {
        let sent = 0;
        const router = await startWeb(run, ROUTER, (request, response) => {
          if (endless === 'answer' && request.method === 'GET')
            return void response.writeHead(200, XML).end(description('/control'));
          const { socket } = request;
          const pour = () => {
            while (!socket.destroyed && sent < ENOUGH) {
              sent += PIECE.length;
              if (!socket.write(PIECE)) return;
            }
            socket.destroy();
          };
          socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n');
          if (endless !== 'headers') socket.write('\r\n<?xml version="1.0"?><root>');
          else socket.write('X-Endless: ');
          socket.on('drain', pour);
          pour();
          response.on('error', () => {});
        });
        const error = await errorOf(run, `${router}/desc.xml`);
        if (error === '') flaws.push(`an endless ${endless} is accepted`);
        if (sent > MOST_SENT)
          flaws.push(`of an endless ${endless}, ${Math.round(sent / 2 ** 20)} MiB were taken`);
      }
      return { answer: 'closed after 1 MiB', flaws };
    },
  },
  {
    name: 'nat-control-characters',
    title: 'is a router that puts ESC and line breaks into its answers',
    cases: [],
    carrier: 'nat',
    async run(run) {
      const texts: string[] = [];
      for (const [status, body] of [
        [500, fault('606', BAD)],
        [500, fault(BAD, 'x')],
        [500, fault('&#27;&#x1b;[2J', '&#10;forged line')],
        [200, answer('AddAnyPortMapping', `<NewReservedPort>${BAD}</NewReservedPort>`)],
      ] as const) {
        const router = await startWeb(run, ROUTER, (request, response) => {
          if (request.method === 'GET') response.writeHead(200, XML).end(description('/control'));
          else response.writeHead(status, XML).end(body);
        });
        texts.push(await errorOf(run, `${router}/desc.xml`));
      }
      const address = await startWeb(run, ROUTER, async (request, response) => {
        const action = (await bodyOf(request)).match(/<u:(\w+)/)?.[1] ?? '';
        response
          .writeHead(200, XML)
          .end(
            action === ''
              ? description('/control')
              : answer(
                  action,
                  `<NewReservedPort>7</NewReservedPort><NewExternalIPAddress>${BAD}</NewExternalIPAddress>`,
                ),
          );
      });
      texts.push(await errorOf(run, `${address}/desc.xml`));
      for (const url of [BAD, `http://a${BAD}`, `http://${SERVICE}/${BAD}`]) {
        const router = await startWeb(run, ROUTER, (_request, response) => {
          response.writeHead(200, XML).end(description(url));
        });
        texts.push(await errorOf(run, `${router}/desc.xml`));
      }
      const redirect = await startWeb(run, ROUTER, (request) => {
        request.socket.end(`HTTP/1.1 302 F\u001b[2J\r\nLocation: \u001b[2Jx\r\n\r\n`);
      });
      texts.push(await errorOf(run, `${redirect}/desc.xml`));
      return {
        answer: 'clean errors',
        flaws: [
          ...texts.filter((text) => text === '').map(() => 'an attempt succeeded'),
          ...texts
            .filter((text) => UNCLEAN.test(text))
            .map((text) => `an error contains ${JSON.stringify(UNCLEAN.exec(text)![0])}`),
        ],
      };
    },
  },
  {
    name: 'nat-pmp-datagrams',
    title: 'is a NAT-PMP router whose datagrams are cut off, forged or foreign',
    cases: [],
    carrier: 'nat',
    async run(run) {
      const socket = run.own(createSocket('udp4'), (each) => each.close());
      socket.on('message', (message, { port, address }) => {
        const op = 128 + message[1]!;
        const whole = Buffer.alloc(16);
        whole[1] = op;
        whole.writeUInt16BE(9, 8); // A port for which nobody asked.
        whole.writeUInt16BE(9, 10);
        for (let length = 0; length < 16; length++)
          socket.send(whole.subarray(0, length), port, address);
        socket.send(whole, port, address);
        socket.send(Buffer.alloc(9_000, 0x1b), port, address);
      });
      socket.bind(5_351, PMP_ROUTER);
      await once(socket, 'listening');
      const error = await errorOf(run, PMP_ROUTER);
      return {
        answer: 'no answer within 2000 ms',
        flaws: error === '' ? ['a forged datagram counts as an answer'] : [],
      };
    },
  },
  ...ssdp,
  ...clusters,
  ...balancing,
  ...watchers,
];

/** Maps a port on the router; returns the error's message, or '' if it succeeded. */
async function errorOf(run: ScenarioRun, gateway: string): Promise<string> {
  const transport = createTransport('tcp://0.0.0.0:0', {
    protocol,
    advertiseAddr: 'tcp://inside.example:1',
    backends: [tcp()],
  });
  run.own(transport, (each) => each.close());
  await transport.listen();
  const mapping = await createPortMapping(transport, { gateway });
  const error = mapping.error?.message ?? '';
  await mapping.close();
  return error;
}

/** Starts an HTTP server on loopback; returns its URL without a path. */
async function startWeb(
  run: ScenarioRun,
  host: string,
  serve: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<string> {
  const server = createServer((request, response) => {
    request.on('error', () => {});
    serve(request, response);
  });
  server.on('connection', (socket) => socket.on('error', () => {}));
  const port = await run.listening(server, host);
  run.own(server, (each) => each.closeAllConnections());
  return `http://${host}:${port}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

function description(controlUrl: string): string {
  return `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:2</deviceType><UDN>uuid:a</UDN><serviceList><service><serviceType>${WAN}</serviceType><serviceId>a</serviceId><SCPDURL>/scpd.xml</SCPDURL><controlURL>${controlUrl}</controlURL><eventSubURL>/e</eventSubURL></service></serviceList></device></root>`;
}

function answer(action: string, fields: string): string {
  return envelope(`<u:${action}Response xmlns:u="${WAN}">${fields}</u:${action}Response>`);
}

function fault(code: string, text: string): string {
  return envelope(
    `<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>${code}</errorCode><errorDescription>${text}</errorDescription></UPnPError></detail></s:Fault>`,
  );
}

function envelope(body: string): string {
  return `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>`;
}

const protocol = defineProtocol({
  name: 'nothing',
  version: 1,
  channel: 0x20,
  methods: { ask: { id: 1, request: bytes, response: bytes } },
});
const ROUTER = '127.0.0.1';
/** The address of a service that has nothing to do with the router. */
const SERVICE = '127.0.0.2';
/** An address of this process alone, because the port of NAT-PMP is fixed. */
const PMP_ROUTER = `127.0.${1 + (process.pid % 250)}.3`;
const WAN = 'urn:schemas-upnp-org:service:WANIPConnection:2';
const XML = { 'content-type': 'text/xml' };
/** Clears the screen, and begins a line of its own. */
const BAD = '\u009b2J\nforged: all is well\u202e';
const UNCLEAN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/u;
const PIECE = Buffer.alloc(65_536, 0x61);
/** Bytes after which an attacker has shown that nothing stops it. */
const ENOUGH = 128 * 2 ** 20;
/** The limit of an answer, and what the buffers of two sockets take. */
const MOST_SENT = 16 * 2 ** 20;
