// The peer's answers to our calls: responses, items, ends and errors, matched by the id of the call
// (docs/wire-protocol.md §4).
//
// Answers owns no state, because each call keeps its own. IncomingFrames passes it the peer's frames.
// It ends calls at the caller and hands payloads and errors to the calls.

import { stackless, TransportError } from '../errors.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import { ACCOUNT_MAX, type Frame, Kind } from '../wire/frame.ts';
import { remoteError } from '../wire/metadata.ts';
import type { Caller } from './caller.ts';
import type { OutCall } from './out-call.ts';
import { Assembly, type IncomingPackets, oversized, priceOf, STALLED } from './packets.ts';
import type { SessionContext } from './session-context.ts';

/** Handles the peer's answers to our calls. */
export class Answers {
  readonly #context: SessionContext;
  readonly #incomingPackets: IncomingPackets;
  readonly #caller: Caller;
  readonly #drains: () => void;

  /** @param drains called when the peer has refused a call because it drains. */
  constructor(
    context: SessionContext,
    incomingPackets: IncomingPackets,
    caller: Caller,
    drains: () => void,
  ) {
    this.#drains = drains;
    this.#context = context;
    this.#incomingPackets = incomingPackets;
    this.#caller = caller;
  }

  response(frame: Frame): void {
    const call = this.#caller.slots.get(frame.id);
    if (call === undefined) return this.#unknown(frame);
    if (call.method.response === undefined || call.assembly !== undefined)
      return this.#unawaited(frame);
    this.#context.touch();
    if (frame.size > 0) return this.#long(frame, call);
    if (!this.#incomingPackets.short(frame)) return;
    this.#caller.terminal(call);
    if (call.done) this.#context.count('lateReply', 1);
    else call.answered(this.#incomingPackets.keep(frame));
  }

  #unawaited({ id }: Frame): void {
    this.#context.violation('malformed', `RESPONSE to call ${id}, which awaits no response`);
  }

  /** Handles the first packet of a long response. */
  #long(frame: Frame, call: OutCall): void {
    const { reply } = this.#incomingPackets;
    if (!this.#incomingPackets.longMessage(frame, reply)) return;
    if (!call.done && oversized(call.method.response, frame.size))
      call.failed(excess(call.method, frame.size));
    call.assemble(
      new Assembly(this.#context, frame, !call.done, { refuse: () => this.#crowdOut(call) }),
    );
    this.#context.usage.makeRoom();
  }

  item(frame: Frame): void {
    const call = this.#caller.slots.get(frame.id);
    if (call === undefined) return this.#unknown(frame);
    const { download } = call;
    if (download === undefined)
      return this.#context.violation(
        'malformed',
        `ITEM for call ${frame.id}, which has no download`,
      );
    this.#context.touch();
    download.receive(frame, this.#incomingPackets, !call.done, {
      refuse: () => this.#crowdOut(call),
    });
    if (!call.done) call.progressed(this.#context.now);
  }

  part(frame: Frame): void {
    const call = this.#caller.slots.get(frame.id);
    if (call === undefined) return this.#unknown(frame);
    if (!this.#incomingPackets.packet(frame)) return;
    const { assembly, download } = call;
    if (assembly === undefined) {
      if (download?.assembly !== undefined) download.receivePart(frame);
      else
        this.#context.violation(
          'malformed',
          `PART for call ${frame.id}, which is not receiving a long message`,
        );
      return;
    }
    if (!assembly.add(frame.payload))
      return this.#context.violation(
        'malformed',
        `the packets of the response to call ${frame.id} do not match its declared size`,
      );
    if (!assembly.complete) return this.#context.usage.makeRoom();
    const message = call.takeAssembly();
    this.#caller.terminal(call);
    if (call.done || message === undefined) this.#context.count('lateReply', 1);
    else call.answered(message);
    this.#incomingPackets.reply.used(assembly.price, 0);
  }

  /** Returns the incomplete long message of a call. */
  assembly(id: number): Assembly | undefined {
    const call = this.#caller.slots.get(id);
    return call?.assembly ?? call?.download?.assembly;
  }

  end(frame: Frame): void {
    const call = this.#caller.slots.get(frame.id);
    if (call === undefined) return this.#unknown(frame);
    if (call.download === undefined)
      return this.#context.violation('malformed', `END of call ${frame.id}, which has no download`);
    if (call.download.assembly !== undefined)
      return this.#context.violation(
        'malformed',
        `END of call ${frame.id} in the middle of an item`,
      );
    this.#caller.terminal(call);
    call.download.end(undefined);
    if (call.done) this.#context.count('lateReply', 1);
    else call.ended();
  }

  error(frame: Frame): void {
    const call = this.#caller.slots.get(frame.id);
    if (call === undefined || call.method.kind === 'oneway') return this.#unknown(frame);
    const error = remoteError(frame);
    if (error.reason === 'draining') this.#drains();
    if (call.assembly !== undefined)
      this.#incomingPackets.reply.giveBack(call.assembly.price, false);
    this.#caller.terminal(call);
    call.download?.end(error);
    if (call.done) this.#context.count('lateReply', 1);
    else call.failed(error);
  }

  /** Handles CREDIT for a stream that we upload. It is ignored if the call has already ended. */
  credit(frame: Frame): void {
    const call = this.#caller.slots.get(frame.id);
    if (call?.upload === undefined) return;
    if (!call.upload.grant(frame.credit, ACCOUNT_MAX))
      return this.#context.violation('malformed', 'the credit of a stream rose above 2^31 − 1');
    call.taken();
  }

  /**
   * Fails the calls whose long response or item stopped arriving. Returns the next time at which
   * this must be checked.
   */
  wake(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    if (this.#context.usage.unfinished === 0) return next;
    for (const call of this.#caller.slots.values()) {
      const { assembly = call.download?.assembly } = call;
      if (assembly === undefined || call.done) continue;
      const stale = Math.max(assembly.last, this.#incomingPackets.lastPacket) + STALLED;
      if (stale > now) next = Math.min(next, stale);
      else this.#stopped(call, assembly);
    }
    return next;
  }

  /**
   * Fails a call because a long message from the callee stopped arriving; sends a CANCEL to a
   * callee that still streams.
   */
  #stopped(call: OutCall, assembly: Assembly): void {
    const { got, size } = assembly;
    assembly.drop();
    const what = call.download === undefined ? 'the response' : 'an item';
    call.failed(
      new TransportError('aborted', `${what} stopped after ${got} of ${size} bytes`, {
        sent: true,
      }),
    );
    if (call.download !== undefined) this.#caller.abandon(call);
  }

  /**
   * Fails a call because `limits.memory` has no room for a long message from the callee, and sends
   * the callee a CANCEL.
   */
  #crowdOut(call: OutCall): void {
    const assembly = call.assembly ?? call.download?.assembly;
    if (assembly === undefined) return;
    assembly.drop();
    const what = call.download === undefined ? 'the response' : 'an item';
    const message = `${call.method.full}: limits.memory is reached, ${what} was dropped after ${assembly.got} of ${assembly.size} bytes; raise the limit, or request less at a time`;
    call.failed(new TransportError('resource_exhausted', message, { sent: true }));
    this.#caller.abandon(call);
  }

  #unknown(frame: Frame): void {
    this.#context.count('unknownAnswer', 1);
    this.#context.abused();
    const packet = frame.kind === Kind.ITEM || frame.kind === Kind.PART || frame.size > 0;
    if (packet && !this.#incomingPackets.packet(frame)) return;
    if (frame.kind === Kind.RESPONSE && frame.size > 0)
      this.#incomingPackets.reply.giveBack(
        this.#incomingPackets.reply.spend(priceOf(frame)) ? priceOf(frame) : 0,
        false,
      );
  }
}

/**
 * Returns the caller's error for a response above the limit of its codec. The response itself is
 * dropped.
 */
function excess({ full, response }: ProtocolMethod, size: number): TransportError {
  const message = `${full}: a response of ${size} bytes is above ${response!.limit}, the limit of its codec here (${response!.name})`;
  return stackless('resource_exhausted', message, { reason: 'too_large', sent: true });
}
