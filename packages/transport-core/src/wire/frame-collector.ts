// A FrameWriter that keeps frames as objects, for the direct in-memory transport. It copies
// payloads, as a real connection would.

import {
  EMPTY,
  type EncodedMetadata,
  Frame,
  type FrameWriter,
  Kind,
  type WireError,
} from './frame.ts';

/** Collects the frames that a session writes, for a StreamConnection that carries frames. */
export class FrameCollector implements FrameWriter {
  size = 0;
  readonly refers = false;
  #batch: Frame[] = [];
  /** The last message that was begun. */
  #begun = Frame.empty();

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

  begin(kind: number, id: number): Frame {
    this.#begun = new Frame(kind, id);
    return this.#begun;
  }

  message(
    payload: Uint8Array,
    start: number,
    end: number,
    metadata: EncodedMetadata | undefined,
  ): void {
    const frame = this.#begun;
    const length = end - start;
    // The whole buffer is copied without a view, which would cost as much as the copy.
    const bytes = length === payload.length ? payload : payload.subarray(start, end);
    frame.place(length === 0 ? EMPTY : new Uint8Array(bytes), 0, length);
    if (metadata !== undefined) carry(frame, metadata);
    this.#batch.push(frame);
    this.size += length;
  }

  error(id: number, flags: number, error: WireError): void {
    const frame = this.#add(Kind.ERROR, id);
    frame.code = error.code;
    frame.reason = error.reason;
    frame.text = error.text;
    frame.flags = flags;
    if (error.metadata !== undefined) carry(frame, error.metadata);
  }

  #add(kind: number, id: number): Frame {
    const frame = new Frame(kind, id).widen();
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
 * The number of bytes at which a batch is full. It is small because priority can't reorder frames
 * that are in a batch already.
 */
const CAPACITY = 64 * 1024;
