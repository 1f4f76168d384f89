// Parses the targets that DNS resolves: 'dns:///host:port' and 'dns+srv:///_service._proto.name'.

import { TransportError } from '@trunkline/transport-core';
import { parseHostPort } from '@trunkline/transport-core/backend';

/** A name to look up. */
export type DnsName =
  /** The A and AAAA records of a host, each with this port. */
  | { readonly type: 'host'; readonly host: string; readonly port: number }
  /** The SRV records of a name, which contain hosts and ports. */
  | { readonly type: 'srv'; readonly name: string };

/** Returns true if a target has one of the two schemes, even if the rest is invalid. */
export function isDnsTarget(target: string): boolean {
  return /^dns(\+srv)?:\/\//i.test(target);
}

/**
 * Parses a target. Host names are absolute, with or without a dot at their end, and are returned in
 * lower case without the dot.
 *
 * @param defaultPort the port of a 'dns:///host' without one.
 * @throws TransportError `invalid_argument` that shows the correct form.
 */
export function parseDnsTarget(target: string, defaultPort?: number): DnsName {
  const [, suffix, authority = '', rest] = /^dns(\+srv)?:\/\/([^/]*)\/(.*)$/is.exec(target) ?? [];
  if (rest === undefined) throw wrong(target, "has no third '/' before its name");
  if (authority !== '')
    throw wrong(target, "names a DNS server; give that in the option 'servers', and write '///'");
  if (suffix !== undefined) {
    const name = absolute(rest);
    if (!isName(name)) throw wrong(target, 'is no name of an SRV record');
    return { type: 'srv', name };
  }
  const place = parseHostPort(rest) ?? { host: rest, port: defaultPort };
  const host = absolute(place.host);
  if (!isName(host)) throw wrong(target, 'is no host name; IP addresses are dialed without dns:');
  if (place.port === undefined || place.port === 0)
    throw wrong(target, "has no port; add one, or give the option 'port'");
  return { type: 'host', host, port: place.port };
}

/** Returns true if the text is a valid name: labels of 1 to 63 letters, digits, '-' and '_'. */
export function isName(name: string): boolean {
  if (name.length > 253 || /^[0-9.]+$/.test(name)) return false;
  return name.split('.').every((label) => /^[a-z0-9_-]{1,63}$/i.test(label));
}

/** Returns a name in lower case and without the dot at its end. */
export function absolute(name: string): string {
  return name.replace(/\.$/, '').toLowerCase();
}

function wrong(target: string, problem: string): TransportError {
  const shown = JSON.stringify(target.slice(0, 300));
  return new TransportError(
    'invalid_argument',
    `DNS: the target ${shown} ${problem}. A target is 'dns:///host:port' or 'dns+srv:///_service._proto.domain'`,
    { target, sent: false },
  );
}
