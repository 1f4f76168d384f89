// Connects the relay machine to a transport: it carries uploads and downloads, hands whole messages
// to their topics, and sends receipts and repairs. It owns the transfers under way.

import { type Remote, TransportError } from '@trunkline/transport-core';
import { parseOptions } from '@trunkline/transport-core/backend';
import type { Body } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import {
  type RelayConfig,
  type RelayDriver,
  type RelayFactory,
  type RelayInput,
  type RelayOptions,
  relayOptions,
  type RelayOutput,
  type RelaySetup,
} from '../relay/factory.ts';
import { Relays } from '../relay/relays.ts';
import type { RelaySnapshot } from '../snapshots.ts';
import type { TopicKey } from '../protocol.ts';
import {
  decodeHead,
  decodeReport,
  encodeHead,
  encodePush,
  encodeReceipt,
  encodeReport,
  type Receipt,
  type RelayHead,
} from '../wire/frame.ts';

/**
 * Relays long messages on a full mesh: a node sends a message above a certain size only to a few of
 * its recipients. These recipients pass it on to others while they receive it, and so on. Relayed
 * messages arrive in any order. Unless a message is signed, relays could change it or claim another
 * publisher. Pass the result to `createGossip` as the option `relay`, at all nodes of the network.
 * Throws a TypeError for invalid options.
 */
export function relay(options: RelayOptions = {}): RelayFactory {
  const config = parseOptions(relayOptions, options, 'relay');
  return { createDriver: (setup) => new TransportRelayDriver(setup, config) };
}

interface Download {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Set once the chunks are being read. */
  source?: AsyncIterator<Uint8Array> | undefined;
  readonly resolve: (report: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

class TransportRelayDriver implements RelayDriver {
  readonly #init: RelaySetup;
  readonly #relays: Relays;
  readonly #uploads = new Map<number, Upload>();
  readonly #downloads = new Map<number, Download>();
  #lastDownload = 0;
  #isBusy = false;
  /** Connections to peers that don't support relaying. */
  readonly #unable = new WeakSet<Remote>();

  constructor(init: RelaySetup, config: RelayConfig) {
    this.#init = init;
    const { self, mount } = init;
    const reaches = (nodeId: string, topic: string) => this.#reaches(nodeId, topic);
    this.#relays = new Relays({ self, config, random: mount.random, reaches });
  }

  send(topic: TopicKey, push: Push<Body>, to: readonly string[]): boolean {
    if (!this.#relays.wants(push.size, to.length)) return false;
    const frame = encodePush(topic.bytes, push);
    if (!this.#relays.hasRoom(frame.length)) return false;
    this.#feed({ type: 'send', message: { topic, push, frame }, to });
    return true;
  }

  confirmed(receipt: Receipt, from: string): void {
    this.#feed({ type: 'confirmed', from, receipt });
  }

  gone(peer: string): void {
    this.#feed({ type: 'peer-down', peer });
  }

  receive(
    from: string,
    request: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<Uint8Array> {
    const head = decodeHead(request);
    const session = head && this.#init.sessions.get(head.topic);
    const topic = session?.offered(head!.id, this.#init.mount.clock.now());
    const download = ++this.#lastDownload;
    return new Promise((resolve, reject) => {
      this.#downloads.set(download, { chunks, resolve, reject });
      this.#feed({ type: 'offered', download, from, head, topic });
    });
  }

  unsent(nodeId: string): { readonly messages: number; readonly bytes: number } {
    return this.#relays.unsent(nodeId);
  }

  get due(): number {
    return this.#relays.wakeAt;
  }

  wake(now: number): void {
    if (now >= this.due) this.#feed({ type: 'wake' });
  }

  close(): void {
    this.#feed({ type: 'close' });
  }

  snapshot(): RelaySnapshot {
    return this.#relays.snapshot();
  }

  #reaches(nodeId: string, topic: string): boolean {
    const { members } = this.#init;
    const remote = members.remoteOf(nodeId);
    return (
      remote !== undefined && !this.#unable.has(remote) && members.isOn(nodeId, topic) === true
    );
  }

  /** Gives the machine an input, and carries out its outputs. */
  #feed(input: RelayInput): void {
    this.#relays.handle(this.#init.mount.clock.now(), input);
    this.#carryOut();
  }

  /**
   * Called when an upload asks for bytes. If that happens while the upload is being started, the
   * loop that started it continues, so that the uploads of a message take turns.
   */
  #pulled(upload: number): void {
    this.#relays.handle(this.#init.mount.clock.now(), { type: 'pulled', upload });
    if (!this.#isBusy) this.#carryOut();
  }

  /**
   * Carries out the pending outputs. Calls may be nested, because a reader may publish while a
   * message is delivered to it.
   */
  #carryOut(): void {
    const relays = this.#relays;
    const wasBusy = this.#isBusy;
    this.#isBusy = true;
    try {
      for (let output = relays.poll(); output !== undefined; output = relays.poll())
        this.#carryOutOne(output);
    } finally {
      this.#isBusy = wasBusy;
    }
    this.#init.dueBy(relays.wakeAt);
  }

  #carryOutOne(output: RelayOutput): void {
    const { members, peers, sessions, mount } = this.#init;
    switch (output.type) {
      case 'upload':
        return void this.#upload(output.upload, output.to, output.head);
      case 'write':
        return this.#uploads.get(output.upload)?.write(output.chunk);
      case 'finish':
        return this.#uploads.get(output.upload)?.finish(output.error);
      case 'abort':
        return this.#uploads.get(output.upload)?.abort(output.error);
      case 'receive':
        return void this.#receive(output.download);
      case 'stop':
        return void this.#downloads
          .get(output.download)
          ?.source?.return?.()
          .catch(() => {});
      case 'answer':
        return this.#take(output.download)?.resolve(encodeReport(output.report));
      case 'refuse':
        return this.#take(output.download)?.reject(output.error);
      case 'deliver': {
        const { download, from, envelope } = output;
        const session = sessions.get(envelope.topic);
        const isAccepted = session?.relayed(from, envelope, mount.clock.now()) === true;
        return this.#feed({ type: 'delivered', download, isAccepted });
      }
      case 'acknowledge':
        return members.acknowledge(output.to, encodeReceipt(output.receipt));
      case 'repair': {
        const { topic, push } = output.message;
        const reason = members.push(output.to, topic, push);
        if (reason !== undefined) sessions.get(topic.hex)?.unsent(reason, push, output.to);
        return;
      }
      case 'misbehaved':
        return peers.report(output.peer, 'bad');
    }
  }

  /** Removes and returns a download whose request is being answered. */
  #take(download: number): Download | undefined {
    const taken = this.#downloads.get(download);
    this.#downloads.delete(download);
    return taken;
  }

  /** Reads the bytes of a download until it ends or is refused. */
  async #receive(download: number): Promise<void> {
    const opened = this.#downloads.get(download)!;
    try {
      const source = opened.chunks[Symbol.asyncIterator]();
      opened.source = source;
      for (let item = await source.next(); item.done !== true; item = await source.next()) {
        if (!this.#downloads.has(download)) return;
        this.#feed({ type: 'received', download, chunk: item.value });
      }
      this.#feed({ type: 'ended', download });
    } catch (error) {
      this.#feed({ type: 'ended', download, error });
    }
  }

  async #upload(id: number, to: string, head: RelayHead): Promise<void> {
    const remote = this.#init.members.remoteOf(to);
    if (remote === undefined) return this.#feed({ type: 'upload-failed', upload: id });
    const upload = new Upload(() => this.#pulled(id));
    this.#uploads.set(id, upload);
    try {
      const report = decodeReport(
        await this.#init.mount.send(remote, 'relay', encodeHead(head), {
          upload,
          timeout: Number.POSITIVE_INFINITY,
          signal: upload.signal,
        }),
      );
      this.#feed({ type: 'answered', upload: id, report });
    } catch (error) {
      if (error instanceof TransportError && error.code === 'unimplemented')
        this.#unable.add(remote);
      this.#feed({ type: 'upload-failed', upload: id });
    } finally {
      this.#uploads.delete(id);
      upload.finish(undefined);
    }
  }
}

/** The bytes of one upload, as the transport asks for them. It serves one consumer. */
class Upload implements AsyncIterableIterator<Uint8Array> {
  readonly #pull: () => void;
  readonly #controller = new AbortController();
  #asker:
    | {
        readonly resolve: (result: IteratorResult<Uint8Array, undefined>) => void;
        readonly reject: (error: unknown) => void;
      }
    | undefined = undefined;
  #isOver = false;

  /** @param pull asks for a call of `write` or `finish`, at once or later. */
  constructor(pull: () => void) {
    this.#pull = pull;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  write(chunk: Uint8Array): void {
    const asker = this.#asker;
    this.#asker = undefined;
    asker?.resolve({ done: false, value: chunk });
  }

  /** Ends the upload: no more bytes follow. */
  finish(error: unknown): void {
    const asker = this.#asker;
    this.#asker = undefined;
    this.#isOver = true;
    if (error === undefined) asker?.resolve(DONE);
    else asker?.reject(error);
  }

  abort(error: TransportError): void {
    this.#controller.abort(error);
    this.finish(undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#isOver) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#asker = { resolve, reject };
      this.#pull();
    });
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.finish(undefined);
    return Promise.resolve(DONE);
  }
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });
