// Floods a message through the engine, to measure how many nodes it reaches.

import type { Cycles } from '../../../../packages/gossip/dist/hyparview/testing/cycles.js';

/**
 * Floods a message from a node over the links. Nodes notice dead neighbors when they write to them,
 * and repair their views at the end. With `resend`, they repair their views after each hop, and a
 * node that wrote to a dead neighbor sends to the neighbors that replaced it. Returns the share of
 * the living nodes that the message reached.
 */
export function flood(net: Cycles, source: number, resend: boolean): number {
  const reached = new Set([source]);
  for (let wave: [number, number][] = [[source, -1]]; wave.length > 0; ) {
    const next: [number, number][] = [];
    const owing: { readonly node: number; readonly told: readonly string[] }[] = [];
    const hand = (node: number, other: number) => {
      if (!net.isAlive(other)) {
        net.write(node, other);
        return false;
      }
      if (!reached.has(other)) {
        reached.add(other);
        next.push([other, node]);
      }
      return true;
    };
    for (const [node, before] of wave) {
      const told = net.view(node).active();
      const isWhole = told
        .map((peer) => net.indexOf(peer) === before || hand(node, net.indexOf(peer)))
        .every(Boolean);
      if (!isWhole) owing.push({ node, told });
    }
    for (let left = resend ? owing : []; left.length > 0; ) {
      net.settle();
      left = left.flatMap(({ node, told }) => {
        const fresh = net
          .view(node)
          .active()
          .filter((peer) => !told.includes(peer));
        const isWhole = fresh.map((peer) => hand(node, net.indexOf(peer))).every(Boolean);
        return isWhole ? [] : [{ node, told: [...told, ...fresh] }];
      });
    }
    wave = next;
  }
  net.settle();
  return reached.size / net.living().length;
}
