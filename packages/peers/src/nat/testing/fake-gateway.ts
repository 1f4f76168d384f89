// A router of the tests' own: speaks UPnP (SOAP over HTTP) and NAT-PMP (RFC 6886) on loopback, and
// fails on demand.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A fake gateway. Its faults may be changed at any time. */
export class FakeGateway {
  /** The URL of its UPnP description. */
  url = '';
  /** The mappings by external port, each with its internal address. */
  readonly mappings = new Map<number, string>();
  /** The lease of each request to map, in seconds. */
  readonly leases: number[] = [];
  externalAddress = '203.0.113.7';
  /** True to refuse requests for the external address. */
  isOffline = false;
  /**
   * The UPnP error code and text, and the NAT-PMP result code, with which each request to map is
   * refused.
   */
  refuse: { readonly upnp: string; readonly pmp: number } | undefined;
  /** The number of NAT-PMP requests that get no answer. */
  lose = 0;
  /** The external port in the answers to requests to map. Default: the mapped one. */
  answerPort: number | undefined;
  /** True to leave UPnP requests to map unanswered. */
  hang = false;
  /** True to answer UPnP requests by a change of the protocol. */
  upgrade = false;
  close = async (): Promise<void> => {};
}

/**
 * Starts a fake gateway. @param host the address at which it answers NAT-PMP, on the only port that
 * the protocol has; give each test its own.
 */
export async function startFakeGateway(host: string): Promise<FakeGateway> {
  const gateway = new FakeGateway();
  const server = createServer(async (request, response) => {
    const reply = (status: number, body: string) =>
      void response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
    if (gateway.upgrade) return void request.socket.write(UPGRADE);
    if (request.method === 'GET') return reply(200, DESCRIPTION);
    const body = await text(request);
    const action = /<u:(\w+)/.exec(body)![1]!;
    if (action === 'AddAnyPortMapping' && gateway.hang) return;
    const answer = upnpAnswer(gateway, action, body);
    if (typeof answer === 'string') return reply(500, soap(fault(answer)));
    const name = `u:${action}Response`;
    reply(200, soap(`<${name} xmlns:u="${SERVICE}">${fields(answer)}</${name}>`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  gateway.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/rootDesc.xml`;
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    if (gateway.lose > 0) return void gateway.lose--;
    const answer = pmpAnswer(gateway, message, from.address);
    socket.send(answer, from.port, from.address);
  });
  socket.bind(5351, host);
  await once(socket, 'listening');
  gateway.close = async () => {
    socket.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return gateway;
}

/** Returns the fields of the answer, or the code and text of an error. */
function upnpAnswer(
  gateway: FakeGateway,
  action: string,
  body: string,
): Record<string, string | number> | string {
  const field = (name: string) => new RegExp(`<${name}>([^<]*)`).exec(body)?.[1] ?? '';
  if (action === 'GetExternalIPAddress' && gateway.isOffline) return '501 Action Failed';
  if (action === 'GetExternalIPAddress') return { NewExternalIPAddress: gateway.externalAddress };
  let port = Number(field('NewExternalPort'));
  if (action === 'DeletePortMapping') {
    if (field('NewProtocol') !== 'TCP') return '402 Invalid Args';
    return gateway.mappings.delete(port) ? {} : '714 NoSuchEntryInArray';
  }
  if (gateway.refuse !== undefined) return gateway.refuse.upnp;
  const internal = `${field('NewInternalClient')}:${field('NewInternalPort')}`;
  while (gateway.mappings.has(port) && gateway.mappings.get(port) !== internal) port++;
  gateway.mappings.set(port, internal);
  gateway.leases.push(Number(field('NewLeaseDuration')));
  return { NewReservedPort: gateway.answerPort ?? port };
}

function pmpAnswer(gateway: FakeGateway, message: Buffer, host: string): Uint8Array {
  const isMap = message[1] === 2;
  const answer = Buffer.alloc(isMap ? 16 : 12);
  answer[1] = 128 + message[1]!;
  if (!isMap) {
    if (gateway.isOffline) answer.writeUInt16BE(3, 2);
    answer.set(gateway.externalAddress.split('.').map(Number), 8);
    return answer;
  }
  if (gateway.refuse !== undefined) {
    answer.writeUInt16BE(gateway.refuse.pmp, 2);
    return answer;
  }
  const internal = `${host}:${message.readUInt16BE(4)}`;
  const lease = message.readUInt32BE(8);
  let port = message.readUInt16BE(6);
  if (lease === 0) {
    for (const [external, owner] of gateway.mappings)
      if (owner === internal) gateway.mappings.delete(external);
  } else {
    const [held] = [...gateway.mappings].find(([, owner]) => owner === internal) ?? [];
    if (held !== undefined) port = held;
    while (gateway.mappings.has(port) && gateway.mappings.get(port) !== internal) port++;
    gateway.mappings.set(port, internal);
    gateway.leases.push(lease);
  }
  message.copy(answer, 8, 4, 6);
  answer.writeUInt16BE(lease === 0 ? 0 : (gateway.answerPort ?? port), 10);
  answer.writeUInt32BE(lease, 12);
  return answer;
}

const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:2';
const UPGRADE = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n';
const DESCRIPTION = `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:2</deviceType><UDN>uuid:fake</UDN><deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:2</deviceType><serviceList><service><serviceType>${SERVICE}</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId><SCPDURL>/scpd.xml</SCPDURL><controlURL>/control</controlURL><eventSubURL>/events</eventSubURL></service></serviceList></device></deviceList></device></root>`;

function fault(error: string): string {
  const [code, text] = error.split(/ (.*)/);
  return `<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>${code}</errorCode><errorDescription>${text}</errorDescription></UPnPError></detail></s:Fault>`;
}

function soap(body: string): string {
  return `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>`;
}

function fields(values: Record<string, string | number>): string {
  return Object.entries(values)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('');
}
