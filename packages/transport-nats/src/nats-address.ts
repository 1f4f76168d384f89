// Addresses of the form 'nats://server/name', and the subjects that belong to a name.

import { TransportError } from '@trunkline/transport-core';
import { formatHostPort, parseHostPort } from '@trunkline/transport-core/backend';

/** A parsed address. */
export interface NatsAddress {
  /** The NATS server, as 'host:port'. */
  readonly server: string;
  /** The name under which a node listens. */
  readonly name: string;
}

/**
 * Parses 'nats://host:port/name', whose scheme may be left out and whose default port is 4222.
 * Throws `invalid_argument` for anything else.
 */
export function parseAddress(address: string, action: 'dial' | 'listen at'): NatsAddress {
  const [, host = '', name = ''] = /^(?:nats:\/\/)?([^/\s]+)\/([^/\s]+)$/i.exec(address) ?? [];
  const server = serverOf(host);
  if (server !== undefined && isName(name)) return { server, name };
  throw new TransportError(
    'invalid_argument',
    `Cannot ${action} '${address}': a NATS address is 'nats://server/name' with the host and port of a NATS server (default port ${DEFAULT_PORT}) and a name of up to ${MOST_NAME} letters, digits, '_', '-' and single dots`,
    { target: address },
  );
}

/** Returns 'host:port' for a host with or without a port; undefined if it can't be dialed. */
function serverOf(text: string): string | undefined {
  const parsed = parseHostPort(text) ?? parseHostPort(`${text}:${DEFAULT_PORT}`);
  if (parsed === undefined || parsed.host === '' || parsed.port === 0) return undefined;
  return formatHostPort(parsed.host, parsed.port);
}

/**
 * Returns the part of an address that stands for a server of the option `servers`: 'host:port', or
 * 'nats' if it has no such form.
 */
export function hostOf(server: string): string {
  return serverOf(server.replace(/^\w+:\/\//, '').replace(/\/.*$/, '')) ?? 'nats';
}

/**
 * Returns true for one or more tokens of a subject, without wildcards and of up to 128 characters:
 * 'orders', 'eu.orders'.
 */
export function isName(text: string): boolean {
  return text.length <= MOST_NAME && /^[\w-]+(?:\.[\w-]+)*$/.test(text);
}

/** Returns the address of a name at a server. */
export function formatAddress({ server, name }: NatsAddress): string {
  return `nats://${server}/${name}`;
}

/** The subjects of one network (docs/wire-nats.md): all begin with '<prefix>.<network>'. */
export class Subjects {
  readonly #root: string;

  constructor(prefix: string, network: string) {
    this.#root = `${prefix}.${network}`;
  }

  /** The subject to which a dialer sends its request. */
  dial(name: string): string {
    return `${this.#root}.dial.${name}`;
  }

  /** The beginning of all subjects on which a node receives the messages of its connections. */
  inbox(node: string): string {
    return `${this.#root}.in.${node}`;
  }

  /**
   * Returns the node in the subject of a connection's end; undefined for any other subject.
   * nats-acceptor.ts and nats-dial.ts publish to a subject that a peer sent only if this returns a
   * node, so a peer can't make this node publish outside the `in` subjects of its network.
   */
  nodeOf(subject: string): string | undefined {
    const start = `${this.#root}.in.`;
    const at = subject.lastIndexOf('.');
    if (!subject.startsWith(start) || at < start.length) return undefined;
    const node = subject.slice(start.length, at);
    return isName(node) && ID.test(subject.slice(at + 1)) ? node : undefined;
  }
}

const DEFAULT_PORT = 4222;
/** The maximum number of characters in a name. */
const MOST_NAME = 128;
/** The last token of the subject of a connection's end. */
const ID = /^[A-Za-z0-9]{16,64}$/;
