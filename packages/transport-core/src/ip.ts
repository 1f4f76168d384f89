// IP addresses as text, without a socket library: both families in, one spelling out.

/** Four numbers of 0 to 255 with dots between; leading zeros, which some read as octal, are none. */
export function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** The eight groups of an IPv6 address; a zone ('%eth0') may stand behind. Undefined where it is none. */
export function parseIpv6(text: string): number[] | undefined {
  let address = text.replace(/%[^%\s]+$/, '');
  const dotted = /^(.*:)([\d.]+)$/s.exec(address);
  if (dotted?.[2]?.includes('.')) {
    if (!isIpv4(dotted[2])) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = dotted[2].split('.').map(Number);
    address = `${dotted[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const halves = address.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head!.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head!, ...Array<string>(missing).fill('0'), ...(tail ?? [])];
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) ? groups.map((group) => Number.parseInt(group, 16)) : undefined;
}

/** The shortest spelling of an IP address (RFC 5952), IPv4 for one that is mapped into IPv6, its zone kept; any other text as it is. */
export function canonicalIp(host: string): string {
  const groups = host.includes(':') ? parseIpv6(host) : undefined;
  if (groups === undefined) return host;
  if (isMapped(groups)) return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join('.');
  const [start, length] = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  const zone = host.includes('%') ? host.slice(host.indexOf('%')) : '';
  return (length < 2 ? hex.join(':') : `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`) + zone;
}

/** 0.0.0.0 and ::, in any spelling that a resolver takes: '0', '0x0', '0.0', '::0', '::ffff:0.0.0.0'. */
export function isUnspecifiedIp(host: string): boolean {
  if (/^(?:0+|0x0+)(?:\.(?:0+|0x0+)){0,3}$/i.test(host)) return true;
  const groups = host.includes(':') ? parseIpv6(host) : undefined;
  return groups?.every((group, i) => group === 0 || (i === 5 && isMapped(groups))) ?? false;
}

/** ::ffff:a.b.c.d, RFC 4291 §2.5.5.2. */
function isMapped(groups: number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

/** The first of the longest runs of zero groups. */
function longestZeros(groups: number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > best[1]) best = [i, length];
    i += length;
  }
  return best;
}
