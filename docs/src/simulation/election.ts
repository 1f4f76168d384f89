import type { NodeContext } from '@trunkline/simulation';
import { defineProtocol, json, serve } from '@trunkline/transport-core';
import { z } from 'zod';

const Claim = z.object({ term: z.number(), candidate: z.string() });

const election = defineProtocol({
  name: 'election',
  version: 1,
  channel: 0x20,
  methods: {
    vote: { id: 1, request: json(Claim), response: json(z.boolean()), timeout: 100 },
    follow: { id: 2, request: json(Claim) },
  },
});

/**
 * A node that stands for election when it has not heard of a leader for a while. Each node gives
 * one vote per term.
 */
export function electionNode(
  members: readonly string[],
  onLeader: (term: number, leader: string) => void,
) {
  return async ({ name, transport, clock, random }: NodeContext) => {
    const others = members.filter((member) => member !== name);
    const net = transport(election);
    let [term, votedFor, heardAt] = [0, '', clock.now()];
    serve(net, {
      vote(claim) {
        if (claim.term > term) [term, votedFor] = [claim.term, ''];
        if (claim.term < term || (votedFor !== '' && votedFor !== claim.candidate)) return false;
        [votedFor, heardAt] = [claim.candidate, clock.now()];
        return true;
      },
      follow(claim) {
        if (claim.term >= term) [term, heardAt] = [claim.term, clock.now()];
      },
    });
    await net.listen();
    const stand = async (): Promise<void> => {
      await clock.sleep(150 + 150 * random());
      if (clock.now() - heardAt < 300) return stand();
      const claim = { term: ++term, candidate: name };
      [votedFor, heardAt] = [name, clock.now()];
      const answers = await Promise.allSettled(
        others.map((other) => net.send(other, 'vote', claim)),
      );
      const votes =
        1 + answers.filter((answer) => answer.status === 'fulfilled' && answer.value).length;
      if (votes > members.length / 2 && term === claim.term) onLeader(claim.term, name);
      while (votes > members.length / 2 && term === claim.term) {
        for (const other of others) void net.send(other, 'follow', claim).catch(() => {});
        await clock.sleep(100);
      }
      return stand();
    };
    void stand();
  };
}
