// Searches the messages on the links of a simulation for a topic.

import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Simulation } from '@trunkline/simulation';
import { topicKey } from '../protocol.ts';

/**
 * Collects the messages that contain a topic's key, its first eight bytes, their hex, or its name,
 * with their sender and receiver. The simulation needs the level 'message'.
 */
export function wiretap(sim: Simulation, topic: string) {
  const { hex } = topicKey(topic);
  const patterns = [
    hexToBytes(hex.slice(0, 16)),
    utf8ToBytes(hex.slice(0, 16)),
    utf8ToBytes(topic),
  ].map(bytesToHex);
  const leaks: { readonly from: string; readonly to: string; readonly method: string }[] = [];
  let messages = 0;
  sim.intercept(({ from, to, method, payload }) => {
    messages++;
    const text = bytesToHex(payload);
    if (patterns.some((pattern) => text.includes(pattern))) leaks.push({ from, to, method });
    return undefined;
  });
  return { leaks, messages: () => messages };
}
