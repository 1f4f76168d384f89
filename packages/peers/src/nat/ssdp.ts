// Searches for UPnP gateways in the local networks by SSDP.

import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { Clock } from '@trunkline/transport-core';
import { isPublicAddress } from './local-network.ts';

/**
 * Sends searches into each local network, once a second, and calls `found` with the URL of the
 * description in each answer. Returns the function that stops.
 */
export function searchGateways(clock: Clock, found: (location: URL) => void): () => void {
  const sockets = new Set<Socket>();
  for (const address of localAddresses()) {
    const socket = createSocket('udp4');
    sockets.add(socket);
    // For example, the interface has lost its address; there may be others.
    socket.on('error', () => sockets.delete(socket) && socket.close());
    socket.on('message', (message, from) => {
      const location = locationIn(message.toString(), from.address);
      if (location !== undefined) found(location);
    });
    socket.bind({ address }, () => {
      socket.setMulticastInterface(address);
      socket.send(SEARCH, PORT, GROUP, ignore);
    });
  }
  const repeat = () => {
    for (const socket of sockets) socket.send(SEARCH, PORT, GROUP, ignore);
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
 * URL is not on the host that has sent the answer, which must not be on the internet.
 */
export function locationIn(answer: string, sender: string): URL | undefined {
  const [status, ...lines] = answer.split('\r\n');
  const fields = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  if (!status!.startsWith('HTTP/1.1 200') || fields.get('st') !== GATEWAY) return undefined;
  const text = fields.get('location') ?? '';
  if (!URL.canParse(text)) return undefined;
  const location = new URL(text);
  const isOwn = location.protocol === 'http:' && location.hostname === sender;
  return isOwn && !isPublicAddress(sender) ? location : undefined;
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

const GATEWAY = 'urn:schemas-upnp-org:device:InternetGatewayDevice:2';
const GROUP = '239.255.255.250';
const PORT = 1_900;
const SEARCH = [
  'M-SEARCH * HTTP/1.1',
  `HOST: ${GROUP}:${PORT}`,
  'MAN: "ssdp:discover"',
  'MX: 1',
  `ST: ${GATEWAY}`,
  '\r\n',
].join('\r\n');
/**
 * The interval between searches, in milliseconds. Searches are repeated because UDP loses messages
 * and routers answer only some of them.
 */
const SEARCH_INTERVAL = 1_000;
