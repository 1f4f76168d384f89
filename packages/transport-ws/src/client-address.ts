// Finds the address of a client behind proxies. Each proxy appends the address of its own client to
// the header X-Forwarded-For, so only the last entries are true: those that trusted proxies wrote.

import { BlockList, isIP } from 'node:net';
import { parseHostPort } from '@trunkline/transport-core/backend';

/**
 * Returns a function that finds a client's IP address from the address of its socket and the header
 * X-Forwarded-For: the nearest one that does not belong to a trusted proxy. An entry that is
 * missing or is no IP address ends the search at the proxy that should have written it.
 *
 * @throws TypeError if `trustProxy` is neither a number of proxies nor a list of IP ranges.
 */
export function clientAddress(
  trustProxy: number | readonly string[] = 0,
): (socketAddress: string, header: string | undefined) => string {
  const isTrusted = trustRule(trustProxy);
  return (socketAddress, header) => {
    const entries = header?.split(',') ?? [];
    let address = ipOf(socketAddress) ?? socketAddress;
    for (let hop = 0; isTrusted(address, hop); hop++) {
      const before = ipOf(entries.pop() ?? '');
      if (before === undefined) break;
      address = before;
    }
    return address;
  };
}

function trustRule(trustProxy: number | readonly string[]): (ip: string, hop: number) => boolean {
  if (Number.isInteger(trustProxy) && (trustProxy as number) >= 0)
    return (_ip, hop) => hop < (trustProxy as number);
  if (!Array.isArray(trustProxy)) throw wrong(trustProxy);
  const ranges = new BlockList();
  for (const range of trustProxy) {
    const [, ip = '', bits] = /^([\da-f.:]+)(?:\/(\d{1,3}))?$/i.exec(range) ?? [];
    const most = isIP(ip) === 4 ? 32 : 128;
    if (isIP(ip) === 0 || Number(bits ?? 0) > most) throw wrong(range);
    ranges.addSubnet(ip, Number(bits ?? most), familyOf(ip));
  }
  return (ip) => isIP(ip) !== 0 && ranges.check(ip, familyOf(ip));
}

function familyOf(ip: string): 'ipv4' | 'ipv6' {
  return isIP(ip) === 4 ? 'ipv4' : 'ipv6';
}

/**
 * Returns the IP address in an entry, with or without a port, in its shortest spelling and without
 * an IPv4 mapping; undefined if there is none.
 */
function ipOf(entry: string): string | undefined {
  const text = entry.trim();
  const found = parseHostPort(
    isIP(text) === 6 ? `[${text}]:0` : isIP(text) === 4 ? `${text}:0` : text,
  );
  return found !== undefined && isIP(found.host) !== 0 ? found.host : undefined;
}

function wrong(value: unknown): TypeError {
  return new TypeError(
    `trustProxy: must be a number of proxies or a list of IP ranges, such as ['10.0.0.0/8'], got '${value}'`,
  );
}
