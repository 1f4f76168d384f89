// A FrameWriter that keeps frames as objects, for the direct in-memory transport. It copies
// payloads, as a real connection would.

import { EMPTY, type EncodedMetadata, Frame, type FrameWriter, Kind } from './frame.ts';

/** Collects the frames that a session writes, for a StreamConnection that carries frames. */
export class FrameCollector implements FrameWriter {
  size = 0;
  #batch: Frame[] = [];

  get count(): number {
    return this.#batch.length;
  }

  fits(bytes: number): boolean {
    return this.size === 0 || this.size + bytes <= CAPACITY;
  }

  /** Returns the collected frames, which then belong to the caller. */
  take(): Frame[] {
    const batch = this.#batch;
    this.#batch = [];
    this.size = 0;
    return batch;
  }

  hello(kind: number, hello: Uint8Array): void {
    this.#add(kind, 0).hello = hello;
  }

  signal(kind: number, id: number): void {
    this.#add(kind, id);
  }

  goAway(code: number, reason: number, text: string): void {
    const frame = this.#add(Kind.GO_AWAY, 0);
    frame.code = code;
    frame.reason = reason;
    frame.text = text;
  }

  credit(account: number, credit: number, id: number, channel: number): void {
    const frame = this.#add(Kind.CREDIT, id);
    frame.account = account;
    frame.credit = credit;
    frame.channel = channel;
  }

  short(
    kind: number,
    id: number,
    channel: number,
    method: number,
    timeout: number,
    payload: Uint8Array,
  ): void {
    const { length } = payload;
    this.#batch.push(
      new Frame(
        kind,
        id,
        channel,
        method,
        0,
        timeout,
        0,
        length === 0 ? EMPTY : new Uint8Array(payload),
      ),
    );
    this.size += length;
  }

  message(
    kind: number,
    id: number,
    channel: number,
    method: number,
    flags: number,
    timeout: number,
    metadata: EncodedMetadata | undefined,
    size: number,
    payload: Uint8Array,
    start: number,
    end: number,
  ): void {
    // The whole buffer is copied without a view, which would cost as much as the copy.
    const copy =
      start === end
        ? EMPTY
        : end - start === payload.length
          ? new Uint8Array(payload)
          : new Uint8Array(payload.subarray(start, end));
    const frame = new Frame(kind, id, channel, method, flags, timeout, size, copy);
    if (metadata !== undefined) carry(frame, metadata);
    this.#batch.push(frame);
    this.size += end - start;
  }

  error(
    id: number,
    code: number,
    reason: number,
    text: string,
    flags: number,
    metadata: EncodedMetadata | undefined,
  ): void {
    const frame = this.#add(Kind.ERROR, id);
    frame.code = code;
    frame.reason = reason;
    frame.text = text;
    frame.flags = flags;
    if (metadata !== undefined) carry(frame, metadata);
  }

  #add(kind: number, id: number): Frame {
    const frame = Frame.empty().widen();
    frame.kind = kind;
    frame.id = id;
    this.#batch.push(frame);
    return frame;
  }
}

function carry(frame: Frame, metadata: EncodedMetadata): void {
  frame.widen();
  frame.metadata = Object.assign(Object.create(null), metadata.value);
  frame.metadataSize = metadata.size;
}

/**
 * The number of bytes at which a batch is full: frames in a batch can't be reordered by priority
 * any more.
 */
const CAPACITY = 64 * 1024;
