// Serves the page and its feed on one port.

import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AnyTransport,
  type Client,
  createTransport,
  type Random,
  type Remote,
  systemRandom,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import {
  fieldsOf,
  formatHostPort,
  randomBytes,
  refuseUnknown,
  socketError,
  type TextFields,
} from '@trunkline/transport-core/backend';
import { ws } from '@trunkline/transport-ws';
import type { Admin } from '../admin.ts';
import { adminProtocol } from '../protocol.ts';
import { serveFeed } from './feed-server.ts';
import { MOST_NODES, NetworkFollower } from './network-follower.ts';
import { loadPage, loadReplay, type PageFile } from './page-file.ts';
import { dashboardProtocol } from './protocol.ts';
import { Tickets } from './tickets.ts';

/** Options of {@link serveDashboard}; all may be left out. */
export interface DashboardOptions {
  /**
   * The nodes to show, fewer than 2,000: addresses or node ids that the transport can reach.
   * Default none.
   */
  readonly nodes?: readonly string[] | undefined;
  /**
   * The administration of the transport's own node, which already serves it. With this option,
   * the page shows this node, too. Required if the transport serves `trunkline.admin` itself.
   */
  readonly admin?: Pick<Admin, 'client'> | undefined;
  /**
   * The metadata of the calls to the nodes, for example a token that they require. Default none.
   */
  readonly metadata?: TextFields | undefined;
  /**
   * The host to listen on. Default '127.0.0.1'. HTTP is not encrypted: for other machines, use an
   * SSH tunnel, or a proxy with TLS.
   */
  readonly host?: string | undefined;
  /** The port to listen on. Default 0: a free one. */
  readonly port?: number | undefined;
  /**
   * The token that the page needs: at least 16 characters. Default: a random one. `false` shows the
   * nodes to everybody who reaches the port, but not to web pages at other addresses.
   */
  readonly token?: string | false | undefined;
  /** False to let the page change nodes, as far as the nodes allow this. Default true. */
  readonly readonly?: boolean | undefined;
  /** Milliseconds between two states, 250 or more. Default 1,000. */
  readonly interval?: number | undefined;
  /** The random source of the token. Default: the system's cryptographic source. */
  readonly random?: Random | undefined;
}

/** A running dashboard. */
export interface Dashboard extends AsyncDisposable {
  /** The address of the page, with its token. */
  readonly url: string;
  /**
   * Returns an address that opens the page once, within a minute. Start a browser with it instead
   * of `url`, because other users of the machine can read the arguments of a process.
   */
  ticket(): string;
  /** The names of the nodes that the dashboard shows. */
  readonly nodes: readonly string[];
  /** Shows another node. Throws a RangeError if the dashboard shows 2,000 nodes already. */
  add(node: string): void;
  /** Stops showing a node. */
  remove(node: string): void;
  /** Ends all connections of the page, and stops listening. The transport stays open. */
  close(): Promise<void>;
}

/**
 * Serves a page that shows nodes live. It reads their states over `transport` with the protocol
 * `trunkline.admin`, which the nodes must serve. It mounts this protocol unless you pass `admin`.
 * Rejects with a TransportError whose `cause` is the error of `node:http` if the port can't be
 * opened, with a TypeError for an invalid option or a host that can't be advertised, and with the
 * error of `node:fs` if the package was not built. If it rejects, it leaves nothing open.
 */
export async function serveDashboard(
  transport: AnyTransport,
  options: DashboardOptions = {},
): Promise<Dashboard> {
  refuseUnknown(options, 'serveDashboard', OPTIONS);
  const { nodes = [], admin, host = '127.0.0.1', port = 0, interval = 1_000 } = options;
  const metadata = options.metadata && fieldsOf(options.metadata, 'serveDashboard: metadata');
  const { random = systemRandom, readonly = true } = options;
  const { token = createToken(random) } = options;
  checkOptions({ token, interval, nodes });
  const { clock } = transport;
  const tickets = new Tickets(clock, () => createToken(random));
  const fragment = token === false ? '' : `#token=${encodeURIComponent(token)}`;
  const site: Site = {
    pages: new Map([
      ['/', await loadPage()],
      [REPLAY, loadReplay()],
    ]),
    entry: `/${fragment}`,
    tickets,
  };
  const mount = admin === undefined ? transport.mount(adminProtocol) : undefined;
  const clientOf = (node: string): Client<typeof adminProtocol> =>
    mount === undefined ? admin!.client(node) : mount.to(node);
  const own = admin?.client();
  const server = createServer((request, response) => answer(site, request, response));
  const follower = new NetworkFollower({ clock, readonly, interval, metadata });
  let feed: Transport<typeof dashboardProtocol> | undefined;
  const close = async () => {
    await follower.close();
    await Promise.all([feed?.close(), mount?.close()]);
    server.closeAllConnections();
    server.close();
  };
  try {
    await listen(server, host, port);
    const { urls, origins } = urlsOf(server, host);
    feed = createTransport(`ws://server${FEED}`, {
      protocol: dashboardProtocol,
      clock,
      advertiseAddr: `${urls[0]!.replace('http', 'ws')}${FEED}`,
      admit: (remote) => admit(remote, token),
      // Only a page that knows the token can send it, so its origin need not be checked, too.
      backends: [ws(token === false ? { server, origins } : { server })],
    });
    serveFeed(feed, follower, { readonly, interval, metadata });
    if (own !== undefined) follower.add(LOCAL, own);
    for (const node of nodes) follower.add(node, clientOf(node));
    await feed.listen();
    return {
      url: `${urls[0]}/${fragment}`,
      ticket: () => `${urls[0]}${OPEN}${tickets.issue()}`,
      get nodes() {
        return follower.names;
      },
      add: (node) => follower.add(node, clientOf(node)),
      remove: (node) => follower.remove(node),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The path of the WebSocket. The page uses the same one. */
const FEED = '/feed';
/** The path of the page for recordings. The page links to it. */
const REPLAY = '/replay';
/** The path of the address that a ticket opens; the ticket follows it. */
const OPEN = '/open/';
/** The name of the transport's own node. */
const LOCAL = 'this node';
const SHORTEST_TOKEN = 16;

function checkOptions({
  token,
  interval,
  nodes,
}: Pick<DashboardOptions, 'token' | 'interval' | 'nodes'>): void {
  if (token !== false && !(typeof token === 'string' && token.length >= SHORTEST_TOKEN))
    throw new TypeError(
      `serveDashboard: token must be a string of at least ${SHORTEST_TOKEN} characters, or false`,
    );
  if (!(typeof interval === 'number' && interval >= 250))
    throw new TypeError(`serveDashboard: interval must be 250 ms or more, got ${interval}`);
  if (!Array.isArray(nodes) || nodes.some((node) => typeof node !== 'string' || node === ''))
    throw new TypeError('serveDashboard: nodes must be an array of addresses or node ids');
  if (nodes.length >= MOST_NODES)
    throw new TypeError(
      `serveDashboard: nodes must be fewer than ${MOST_NODES}, got ${nodes.length}`,
    );
}

const OPTIONS = [
  'nodes',
  'admin',
  'metadata',
  'host',
  'port',
  'interval',
  'random',
  'readonly',
  'token',
] as const;

function createToken(random: Random): string {
  return Array.from(randomBytes(random, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Refuses a page without the token. The comparison takes the same time for every wrong token. */
function admit({ hello }: Remote, token: string | false): void {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (token === false || timingSafeEqual(digest(hello['token'] ?? ''), digest(token))) return;
  throw new TransportError(
    'unauthenticated',
    'the dashboard needs its token: open the address that it printed',
  );
}

/** The contents of the HTTP server. */
interface Site {
  /** The pages by path. */
  readonly pages: ReadonlyMap<string, PageFile>;
  /** The path and fragment to which a ticket leads. */
  readonly entry: string;
  readonly tickets: Tickets;
}

function answer(
  { pages, entry, tickets }: Site,
  { method, url = '/' }: { method?: string | undefined; url?: string | undefined },
  response: ServerResponse,
): void {
  const path = url.split('?', 1)[0]!;
  const page = pages.get(path);
  const isRead = method === 'GET' || method === 'HEAD';
  if (method === 'GET' && path.startsWith(OPEN))
    return void (tickets.redeem(path.slice(OPEN.length))
      ? response.writeHead(302, { location: entry, 'cache-control': 'no-store' }).end()
      : response.writeHead(410, { 'content-type': 'text/plain' }).end(USED));
  if (page !== undefined && isRead) response.writeHead(200, page.headers).end(page.html);
  else response.writeHead(isRead ? 404 : 405, pages.get('/')!.headers).end();
}

const USED = 'This address opened the page once. Open the address that the dashboard printed.\n';

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening').catch((error) => {
    throw socketError(error, 'listen', formatHostPort(host, port));
  });
  // From here on, an error means that one connection could not be accepted.
  server.on('error', () => {});
}

/** Returns the page's addresses, and the origins that may open its WebSocket without a token. */
function urlsOf(server: Server, host: string): { urls: string[]; origins: string[] } {
  const { port } = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  const urls = [name === '0.0.0.0' || name === '[::]' ? '127.0.0.1' : name, 'localhost'].map(
    (each) => `http://${each}:${port}`,
  );
  return { urls, origins: urls };
}
