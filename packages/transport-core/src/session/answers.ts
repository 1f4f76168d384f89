// The peer's answers to our calls: responses, items, ends and errors, matched by the id of the call
// (docs/wire-protocol.md §4).

import { codeOf, reasonOf, stackless, TransportError } from '../errors.ts';
import type { Method } from '../protocol/protocol.ts';
import { cleanText } from '../text.ts';
import { DOWNLOAD, type Frame, Kind, UNPROCESSED } from '../wire/frame.ts';
import { Assembly } from './assembly.ts';
import type { Caller } from './caller.ts';
import { type IncomingPackets, longCost } from './incoming-packets.ts';
import { receiveItem, receivePart } from './items.ts';
import type { OutCall } from './out-call.ts';
import { oversized } from './refusal.ts';
import { ACCOUNT_MAX, type SessionContext } from './session-context.ts';

export class Answers {
  readonly #context: SessionContext;
  readonly #incomingPackets: IncomingPackets;
  readonly #caller: Caller;

  constructor(context: SessionContext, incomingPackets: IncomingPackets, caller: Caller) {
    this.#context = context;
    this.#incomingPackets = incomingPackets;
    this.#caller = caller;
  }

  response(frame: Frame): void {
    const call = this.#caller.slots.get(frame.id);
    if (
      call === undefined ||
      frame.size > 0 ||
      call.method.kind !== 'unary' ||
      call.assembly !== undefined
    )
      return this.#response(frame, call);
    this.#context.active = this.#context.now;
    if (this.#incomingPackets.short(frame)) this.#settle(call, frame);
  }

  #settle(call: OutCall, frame: Frame): void {
    this.#caller.terminal(call);
    if (call.done) this.#context.count('lateReply', 1);
    else call.answered(this.#incomingPackets.keep(frame));
  }

  /**
   * Handles every other response: a long one, the response of an upload, or one that is not
   * awaited.
   */
  #response(frame: Frame, call: OutCall | undefined): void {
    if (call === undefined) return this.#unknown(frame);
    if (
      call.method.flags & DOWNLOAD ||
      call.method.kind === 'oneway' ||
      call.assembly !== undefined
    )
      return this.#context.violation(
        'malformed',
        `RESPONSE to call ${frame.id}, which awaits no response`,
      );
    this.#context.active = this.#context.now;
    if (frame.size === 0) {
      if (this.#incomingPackets.short(frame)) this.#settle(call, frame);
    } else if (
      this.#incomingPackets.long(
        frame,
        this.#context.limits.message,
        'limits.message',
        this.#incomingPackets.reply,
      )
    ) {
      call.widen();
      if (!call.done && oversized(call.method.response, frame.size))
        call.failed(excess(call.method, frame.size));
      call.assembly = new Assembly(
        this.#context,
        Kind.RESPONSE,
        frame.size,
        longCost(frame),
        frame.payload,
        !call.done,
        {
          refuse: () => this.#caller.crowdOut(call),
        },
      );
      this.#context.makeRoom();
    }
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
    this.#context.active = this.#context.now;
    receiveItem(this.#context, this.#incomingPackets, download, frame, call.done, {
      refuse: () => this.#caller.crowdOut(call),
    });
    if (!call.done) call.progressed(this.#context.now);
  }

  part(frame: Frame): void {
    const call = this.#caller.slots.get(frame.id);
    if (call === undefined) return this.#unknown(frame);
    if (!this.#incomingPackets.packet(frame)) return;
    const { assembly, download } = call;
    if (assembly === undefined) {
      if (download?.assembly !== undefined) receivePart(this.#context, download, frame);
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
    if (!assembly.complete) return this.#context.makeRoom();
    call.assembly = undefined;
    assembly.release();
    this.#caller.terminal(call);
    if (call.done) this.#context.count('lateReply', 1);
    else call.answered(assembly.buffer);
    this.#incomingPackets.reply.used(assembly.cost, 0);
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
    const unprocessed = (frame.flags & UNPROCESSED) !== 0;
    const error = new TransportError(codeOf(frame.code), cleanText(frame.text), {
      reason: reasonOf(frame.reason),
      origin: 'remote',
      metadata: frame.metadata,
      sent: !unprocessed,
    });
    if (call.assembly !== undefined)
      this.#incomingPackets.reply.giveBack(call.assembly.cost, false);
    this.#caller.terminal(call);
    call.download?.end(error);
    if (call.done) this.#context.count('lateReply', 1);
    else call.failed(error);
  }

  /** Handles CREDIT for a stream that we upload. It is ignored if the call is already over. */
  credit(frame: Frame): void {
    const upload = this.#caller.slots.get(frame.id)?.upload;
    if (upload !== undefined && !upload.grant(frame.credit, ACCOUNT_MAX))
      this.#context.violation('malformed', 'the credit of a stream rose above 2^31 − 1');
  }

  #unknown(frame: Frame): void {
    this.#context.count('unknownAnswer', 1);
    this.#context.abused();
    const packet = frame.kind === Kind.ITEM || frame.kind === Kind.PART || frame.size > 0;
    if (packet && !this.#incomingPackets.packet(frame)) return;
    if (frame.kind === Kind.RESPONSE && frame.size > 0)
      this.#incomingPackets.reply.giveBack(
        this.#incomingPackets.reply.spend(longCost(frame)) ? longCost(frame) : 0,
        false,
      );
  }
}

/**
 * Returns the caller's error for a response above the limit of its codec. The response itself is
 * dropped.
 */
function excess({ full, response }: Method, size: number): TransportError {
  const message = `${full}: a response of ${size} bytes is above ${response!.limit}, the limit of its codec here (${response!.name})`;
  return stackless('resource_exhausted', message, { reason: 'too_large', sent: true });
}
