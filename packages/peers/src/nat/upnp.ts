// Maps ports by UPnP: reads the descriptions of gateways (InternetGatewayDevice:2), and speaks SOAP
// with the service WANIPConnection:2.

import { Buffer } from 'node:buffer';
import { type IncomingMessage, request } from 'node:http';
import { isIPv4 } from 'node:net';
import type { Clock } from '@trunkline/transport-core';
import {
  type ExternalPort,
  type Gateway,
  gatewayError,
  LEASE,
  type MappingRequest,
} from './gateway.ts';
import { sourceAddress } from './local-network.ts';
import { searchGateways } from './ssdp.ts';
import { escapeXml, xmlTags, xmlText } from './xml.ts';

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
      const address = await this.#run(signal, 'GetExternalIPAddress', {});
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
export interface RouterMessage {
  readonly soapAction: string;
  readonly body: string;
}

/** The answer of a router. */
export interface RouterAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Sends a request: GET, or POST if there is a message. Rejects if the router redirects the request,
 * if its answer is longer than 1 MiB, and when `signal` aborts.
 *
 * @param url a URL with an IPv4 address, so that no name is looked up.
 */
export function askRouter(
  url: URL,
  signal: AbortSignal,
  message?: RouterMessage,
): Promise<RouterAnswer> {
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
