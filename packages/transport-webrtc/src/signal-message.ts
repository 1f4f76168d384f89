// Checks the messages of signaling, which come from another node.

import type { SignalCandidate, SignalMessage } from './signal.ts';

/**
 * Returns a copy of a message that has the right shape and is within the limits, with a normalized
 * candidate; undefined for anything else.
 */
export function parseSignalMessage(value: unknown): SignalMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, sdp, timeout, candidate, sdpMid, sdpMLineIndex } = value as Record<string, unknown>;
  if (type === 'offer' || type === 'answer') {
    if (!isText(sdp, MAX_SDP) || sdp.length === 0) return undefined;
    if (type === 'answer' || timeout === undefined) return { type, sdp };
    return typeof timeout === 'number' && timeout >= 0 ? { type, sdp, timeout } : undefined;
  }
  if (type !== 'candidate' || !isText(candidate, MAX_CANDIDATE)) return undefined;
  if (sdpMid !== undefined && sdpMid !== null && !isText(sdpMid, MAX_MID)) return undefined;
  if (sdpMLineIndex !== undefined && sdpMLineIndex !== null && !isLine(sdpMLineIndex))
    return undefined;
  return normalizedCandidate({
    candidate,
    sdpMid: sdpMid as string | null | undefined,
    sdpMLineIndex: sdpMLineIndex as number | null | undefined,
  });
}

/**
 * Returns a candidate in the one form that all libraries accept: without 'a=', and with the number
 * and the name of the only media line. Some libraries omit the number or the name, and reject
 * candidates without the other one.
 */
export function normalizedCandidate({
  candidate,
  sdpMid,
  sdpMLineIndex,
}: {
  readonly candidate: string;
  readonly sdpMid?: string | null | undefined;
  readonly sdpMLineIndex?: number | null | undefined;
}): SignalCandidate {
  return {
    type: 'candidate',
    candidate: candidate.replace(/^a=/, ''),
    sdpMid: sdpMid ?? '0',
    sdpMLineIndex: sdpMLineIndex ?? 0,
  };
}

function isText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most;
}

function isLine(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255;
}

const MAX_SDP = 16_384;
const MAX_CANDIDATE = 1_024;
const MAX_MID = 16;
