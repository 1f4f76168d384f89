// Maps ports by UPnP: searches for gateways by SSDP, reads their descriptions
// (InternetGatewayDevice:2), and speaks SOAP with the service WANIPConnection:2. Tested in
// upnp.test.ts and create-port-mapping.test.ts.

import { Buffer } from 'node:buffer';
import { createSocket, type Socket } from 'node:dgram';
import { type IncomingMessage, request } from 'node:http';
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '@trunkline/transport-core';
import {
  type ExternalPort,
  type Gateway,
  gatewayError,
  LEASE,
  type MappingRequest,
} from './gateway.ts';
import { isLocalAddress, sourceAddress } from './local-network.ts';

/**
 * Yields the gateways that answer a search until `signal` aborts: one for each address, at most
 * eight.
 */
export async function* findUpnpGateways(
  clock: Clock,
  description: string,
  signal: AbortSignal,
): AsyncGenerator<Gateway, void, undefined> {
  const hosts = new Set<string>();
  const found: Gateway[] = [];
  let wake = () => {};
  signal.addEventListener('abort', () => wake(), { once: true });
  const stop = searchGateways(clock, (location) => {
    if (hosts.has(location.hostname) || hosts.size === MOST_GATEWAYS) return;
    hosts.add(location.hostname);
    found.push(new UpnpGateway(location, description));
    wake();
  });
  try {
    for (;;) {
      const gateway = found.shift();
      if (gateway !== undefined) yield gateway;
      else if (signal.aborted) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    stop();
  }
}

/**
 * Returns true for a URL at which a gateway's description can be: 'http://192.168.1.1:5000/d.xml'.
 */
export function isDescriptionUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'http:' && isIPv4(hostname);
}

export class UpnpGateway implements Gateway {
  readonly protocol = 'upnp';
  readonly host: string;
  readonly #location: URL;
  readonly #description: string;
  #control: URL | undefined = undefined;

  /**
   * @param location the URL of its description.
   * @param description the description of its mappings.
   */
  constructor(location: URL, description: string) {
    this.host = location.hostname;
    this.#location = location;
    this.#description = description;
  }

  async map(request: MappingRequest, signal: AbortSignal): Promise<ExternalPort> {
    const { internalHost, internalPort, externalPort } = request;
    try {
      // First, because a mapping that was made before a failure would be forgotten.
      const address = await this.#run(signal, 'GetExternalIPAddress', {});
      const answer = await this.#run(signal, 'AddAnyPortMapping', {
        NewRemoteHost: '',
        NewExternalPort: externalPort,
        NewProtocol: 'TCP',
        NewInternalPort: internalPort,
        NewInternalClient: internalHost ?? (await sourceAddress(this.host)),
        NewEnabled: 1,
        NewPortMappingDescription: this.#description,
        NewLeaseDuration: LEASE,
      });
      const port = Number(xmlText(answer, 'NewReservedPort'));
      return { host: xmlText(address, 'NewExternalIPAddress') ?? '', port };
    } catch (error) {
      throw gatewayError(this, `map port ${internalPort}`, error, signal);
    }
  }

  async unmap({ externalPort }: MappingRequest, signal: AbortSignal): Promise<void> {
    try {
      await this.#run(signal, 'DeletePortMapping', {
        NewRemoteHost: '',
        NewExternalPort: externalPort,
        NewProtocol: 'TCP',
      });
    } catch (error) {
      // Error 714 means that the mapping is already gone.
      if (!/Code 714 /.test(String(error)))
        throw gatewayError(this, `remove the mapping of port ${externalPort}`, error, signal);
    }
  }

  /** Runs an action of the service; returns the answer. */
  async #run(
    signal: AbortSignal,
    action: string,
    args: Readonly<Record<string, string | number>>,
  ): Promise<string> {
    this.#control ??= await this.#readControlUrl(signal);
    const fields = Object.entries(args).map(
      ([name, value]) => `<${name}>${escapeXml(value)}</${name}>`,
    );
    const { status, text } = await askRouter(this.#control, signal, {
      soapAction: `${SERVICE}#${action}`,
      body: `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:${action} xmlns:u="${SERVICE}">${fields.join('')}</u:${action}></s:Body></s:Envelope>`,
    });
    if (status === 200) return text;
    const code = xmlText(text, 'errorCode');
    throw new Error(
      code === undefined
        ? `it answers ${action} with HTTP status ${status}`
        : `Code ${code} - ${xmlText(text, 'errorDescription')}`,
    );
  }

  async #readControlUrl(signal: AbortSignal): Promise<URL> {
    const { status, text } = await askRouter(this.#location, signal);
    const named = status === 200 ? controlUrlIn(text) : undefined;
    if (named === undefined)
      throw new Error(
        `its description at ${this.#location} (HTTP status ${status}) has no service ${SERVICE}`,
      );
    const url = URL.canParse(named, this.#location.href)
      ? new URL(named, this.#location)
      : undefined;
    if (url?.protocol !== 'http:' || url.hostname !== this.host)
      throw new Error(
        `its description at ${this.#location} names the control URL '${named}', which is not an HTTP URL on the same host and is not asked`,
      );
    return url;
  }
}

function controlUrlIn(description: string): string | undefined {
  let type = '';
  let url: string | undefined;
  for (const { name, text } of xmlTags(description)) {
    if (name === 'service') url = undefined;
    else if (name === 'serviceType') type = text;
    else if (name === 'controlURL') url = text;
    else if (name === '/service' && type === SERVICE && url !== undefined) return url;
  }
  return undefined;
}

const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:2';
/** Maximum number of gateways that a search considers. */
const MOST_GATEWAYS = 8;

// One HTTP request to a router. Any device of the local network can pretend to be one, so redirects
// are not followed, and the length of an answer is limited.

/** A message for the router; it is sent by POST. */
interface RouterMessage {
  readonly soapAction: string;
  readonly body: string;
}

/** The answer of a router. */
interface RouterAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Sends a request: GET, or POST if there is a message. Rejects if the router redirects the request
 * or changes the protocol, if its answer is longer than 1 MiB, and when `signal` aborts.
 *
 * @param url a URL with an IPv4 address, so that no name is looked up.
 */
function askRouter(url: URL, signal: AbortSignal, message?: RouterMessage): Promise<RouterAnswer> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, maxHeaderSize: HEADER_LIMIT, signal };
    const sent =
      message === undefined
        ? request(url, options)
        : request(url, {
            ...options,
            method: 'POST',
            headers: {
              'content-type': 'text/xml; charset="utf-8"',
              'content-length': Buffer.byteLength(message.body),
              soapaction: `"${message.soapAction}"`,
            },
          });
    const fail = (error: Error) => {
      reject(error);
      sent.destroy();
    };
    sent.on('error', fail);
    // Without this listener, Node would close the connection without an error.
    sent.on('upgrade', ({ headers }: IncomingMessage) =>
      fail(new Error(`it changes the protocol of ${url} to '${headers.upgrade}'`)),
    );
    sent.on('response', (response: IncomingMessage) => {
      const { statusCode: status = 0, headers } = response;
      if (status >= 300 && status < 400)
        return fail(
          new Error(`it redirects ${url} to '${headers.location}', which is not followed`),
        );
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('error', fail);
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > ANSWER_LIMIT)
          fail(new Error(`its answer to a request for ${url} is longer than 1 MiB`));
      });
      response.on('end', () => resolve({ status, text: Buffer.concat(chunks).toString() }));
    });
    sent.end(message?.body);
  });
}

const ANSWER_LIMIT = 2 ** 20;
const HEADER_LIMIT = 16_384;

// Searches for gateways in the local networks by SSDP.

/**
 * Sends searches into each local network, once a second, and calls `found` with the URL of the
 * description in each answer. A network in which the system can't search is left out. Returns the
 * function that stops.
 */
function searchGateways(clock: Clock, found: (location: URL) => void): () => void {
  const sockets = new Set<Socket>();
  for (const address of localAddresses()) {
    const socket = createSocket('udp4');
    sockets.add(socket);
    // For example, the interface has lost its address; there may be others.
    const drop = () => sockets.delete(socket) && socket.close();
    socket.on('error', drop);
    socket.on('message', (message, from) => {
      const location = locationIn(message.toString(), from.address);
      if (location !== undefined) found(location);
    });
    socket.bind({ address }, () => {
      try {
        socket.setMulticastInterface(address);
      } catch {
        return drop();
      }
      socket.send(SEARCH, SSDP_PORT, GROUP, ignore);
    });
  }
  const repeat = () => {
    for (const socket of sockets) socket.send(SEARCH, SSDP_PORT, GROUP, ignore);
    timer = clock.setTimeout(repeat, SEARCH_INTERVAL);
  };
  let timer = clock.setTimeout(repeat, SEARCH_INTERVAL);
  return () => {
    clock.clearTimeout(timer);
    for (const socket of sockets) socket.close();
  };
}

/**
 * Returns the URL of the description in the answer to a search; undefined if it is none, or if the
 * URL is not on the host that has sent the answer, which must be in the local network.
 */
export function locationIn(answer: string, sender: string): URL | undefined {
  const [status, ...lines] = answer.split('\r\n');
  const fields = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  if (!status!.startsWith('HTTP/1.1 200') || fields.get('st') !== DEVICE) return undefined;
  const text = fields.get('location') ?? '';
  if (!URL.canParse(text)) return undefined;
  const location = new URL(text);
  const isOwn = location.protocol === 'http:' && location.hostname === sender;
  return isOwn && isLocalAddress(sender) ? location : undefined;
}

/** Returns the IPv4 addresses of this machine, except loopback and link-local ones. */
function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => address)
      .filter((address) => !address.startsWith('169.254.')),
  );
}

function ignore(): void {}

const DEVICE = 'urn:schemas-upnp-org:device:InternetGatewayDevice:2';
const GROUP = '239.255.255.250';
const SSDP_PORT = 1_900;
const SEARCH = [
  'M-SEARCH * HTTP/1.1',
  `HOST: ${GROUP}:${SSDP_PORT}`,
  'MAN: "ssdp:discover"',
  'MX: 1',
  `ST: ${DEVICE}`,
  '\r\n',
].join('\r\n');
/**
 * The interval between searches, in milliseconds. Searches are repeated because UDP loses messages
 * and routers answer only some of them.
 */
const SEARCH_INTERVAL = 1_000;

// Reads the XML of routers, as far as UPnP uses it: elements that contain text or other elements.
// Takes time in proportion to the length of the text, whatever it contains.

/** A tag, and the text that follows it. */
interface XmlTag {
  /** The name without its namespace: 'controlURL', or '/service' at the end of an element. */
  readonly name: string;
  readonly text: string;
}

/** Yields the tags of a document. Comments, declarations and CDATA sections are left out. */
export function* xmlTags(xml: string): Generator<XmlTag, void, undefined> {
  for (let at = xml.indexOf('<'); at >= 0; ) {
    const end = xml.indexOf(xml.startsWith('<!--', at) ? '-->' : '>', at);
    if (end < 0) return;
    const next = xml.indexOf('<', end);
    const [, slash = '', qualified = ''] =
      /^(\/?)([^\s/!?]*)/.exec(xml.slice(at + 1, Math.min(end, at + NAME_LIMIT))) ?? [];
    if (qualified !== '')
      yield {
        name: slash + qualified.slice(qualified.indexOf(':') + 1),
        text: unescaped(xml.slice(end + 1, next < 0 ? undefined : next).trim()),
      };
    at = next;
  }
}

/** Returns the text of the first element with this name; undefined if there is none. */
export function xmlText(xml: string, name: string): string | undefined {
  for (const tag of xmlTags(xml)) if (tag.name === name) return tag.text;
  return undefined;
}

/** Returns a value as the text of an element. */
export function escapeXml(value: string | number): string {
  return String(value).replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function unescaped(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{1,4}));/gi,
    (entity, decimal, hexadecimal, name) => {
      if (name !== undefined) return NAMED[name] ?? entity;
      const code = Number(decimal ?? `0x${hexadecimal}`);
      return code <= LAST_CODE_POINT ? String.fromCodePoint(code) : entity;
    },
  );
}

const NAMED: Readonly<Record<string, string>> = {
  __proto__: null as never,
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};
const LAST_CODE_POINT = 0x10ffff;
/** Characters of a tag in which its name is looked for. */
const NAME_LIMIT = 256;
