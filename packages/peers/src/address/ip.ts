// Parses and formats IP addresses as bytes: 4 for IPv4, 16 for IPv6.

import type { Bytes } from '@trunkline/transport-core/backend';

/**
 * Parses '10.0.0.1', '::1', '[::1]' and 'fe80::1%eth0'. The zone is dropped, because it has a
 * meaning only on one machine. IPv4 mapped into IPv6 ('::ffff:10.0.0.1') gives 4 bytes.
 *
 * Returns undefined for anything else, including forms that only old C libraries read as IPv4
 * ('127.1', '0x7f000001', '010.0.0.1'). Parsers disagree about those, and a filter is useless if
 * the dialer reads a different address than the filter did.
 */
export function parseIp(text: string): Bytes | undefined {
  if (!text.includes(':')) return parseIPv4(text);
  const [, bracketed, bare] = /^(?:\[(.*)\]|([^[\]]*))$/su.exec(text) ?? [];
  const [, literal] = /^([^%]*)(?:%[^%]+)?$/su.exec(bracketed ?? bare ?? '') ?? [];
  const ip = literal === undefined ? undefined : parseIPv6(literal);
  return ip !== undefined && startsWith(ip, MAPPED, 96) ? ip.slice(12) : ip;
}

/**
 * Formats an address in its canonical spelling: RFC 5952 for IPv6, without brackets. Throws a
 * TypeError unless it has 4 or 16 bytes.
 */
export function formatIp(ip: Uint8Array): string {
  if (ip.length === 4) return ip.join('.');
  if (ip.length !== 16)
    throw new TypeError(`formatIp: ip: must have 4 or 16 bytes, got ${ip.length}`);
  const groups = Array.from({ length: 8 }, (_, i) => (ip[2 * i]! << 8) | ip[2 * i + 1]!);
  const { start, length } = longestZeros(groups);
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  return length < 2
    ? hex(groups)
    : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

/**
 * Returns true if the first `bits` bits equal those of `prefix`. Missing bytes of the prefix count
 * as 0.
 */
export function startsWith(ip: Uint8Array, prefix: readonly number[], bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (ip[i] !== (prefix[i] ?? 0)) return false;
  const rest = bits & 7;
  return rest === 0 || ip[whole]! >> (8 - rest) === (prefix[whole] ?? 0) >> (8 - rest);
}

/** A range of addresses: those whose first `bits` bits equal those of `prefix`. */
export interface IpRange {
  readonly prefix: Uint8Array;
  readonly bits: number;
}

/** Parses '10.0.0.0/8', 'fd00::/8' or one address; returns undefined for anything else. */
export function parseRange(text: string): IpRange | undefined {
  const [, address = '', digits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const prefix = parseIp(address);
  const bits = digits === undefined ? (prefix?.length ?? 0) * 8 : Number(digits);
  return prefix !== undefined && bits <= prefix.length * 8 ? { prefix, bits } : undefined;
}

export function inRange(ip: Uint8Array, { prefix, bits }: IpRange): boolean {
  return ip.length === prefix.length && startsWith(ip, [...prefix], bits);
}

function parseIPv4(text: string): Bytes | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const ip = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    ip[i] = Number(part);
  }
  return ip;
}

function parseIPv6(text: string): Bytes | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = bytesOf(halves[0]!, halves.length === 1);
  const tail = halves.length === 1 ? [] : bytesOf(halves[1]!, true);
  if (head === undefined || tail === undefined) return undefined;
  const given = head.length + tail.length;
  // '::' stands for at least one group of zeros.
  if (halves.length === 1 ? given !== 16 : given > 14) return undefined;
  const ip = new Uint8Array(16);
  ip.set(head);
  ip.set(tail, 16 - tail.length);
  return ip;
}

/**
 * Parses the groups on one side of '::'. The last group of the whole address may be written as
 * IPv4.
 */
function bytesOf(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (/^[\da-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    } else {
      const ipv4 = isEnd && i === groups.length - 1 ? parseIPv4(group) : undefined;
      if (ipv4 === undefined) return undefined;
      bytes.push(...ipv4);
    }
  }
  return bytes;
}

/** Returns the first of the longest runs of zeros. */
function longestZeros(groups: number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - start > longest.length) longest = { start, length: end - start };
    start = Math.max(start, end);
  }
  return longest;
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
