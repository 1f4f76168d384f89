// A node of a signaling hub as an attacker writes it, from docs/wire-signaling.md alone.

import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { AttackerConnection } from './attacker-connection.ts';
import { concat, frame, Kind, text } from './wire.ts';

/** The methods of signaling. */
export const Signaling = { register: 1, accepting: 2, open: 3, session: 4, relay: 5 } as const;

const CHANNEL = 3;
const NOTHING = new Uint8Array(0);

/** A node with a fresh id, which is registered at a hub. It accepts whatever it is sent. */
export class HubClient {
  readonly nodeId: string;
  readonly connection: AttackerConnection;
  /** The number of items with which each call was answered, and the calls that have ended. */
  readonly answers = new Map<number, number>();
  readonly ended = new Set<number>();
  /** The streams that `pour` fills, with the credit of each. */
  readonly #poured = new Map<number, number>();
  #lastId = 1;

  private constructor(nodeId: string, connection: AttackerConnection) {
    this.nodeId = nodeId;
    this.connection = connection;
  }

  /** Connects from one of the machine's addresses, and registers in the realm `main`. */
  static async register(port: number, from: string): Promise<HubClient> {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    const connection = await AttackerConnection.admitted(
      { carrier: 'tcp', host: '127.0.0.1', port, from, key: '', cert: '', stranger: NONE },
      { protocols: [{ name: 'trunkline.signaling', version: 1, channel: CHANNEL }] },
    );
    const client = new HubClient(createHash('sha256').update(spki).digest('hex'), connection);
    const hub = `tcp://127.0.0.1:${port}`;
    let isRegistered = false;
    connection.onFrame = ({ kind, id, payload, account, credit }) => {
      if (kind === Kind.item && id === 1 && payload.length > 0) {
        const head = text(`trunkline signaling registration 1\0${hub}\0main\0`);
        const signature = sign(null, concat(head, payload), privateKey);
        connection.send(frame({ kind: Kind.item, id, payload: signature }));
      } else if (kind === Kind.item && id === 1) isRegistered = true;
      else if (kind === Kind.credit) client.#pourMore(account === 3 ? id : 0, credit);
      else client.#take(kind, id);
    };
    client.#request(1, Signaling.register, 3, {
      hub,
      realm: 'main',
      publicKey: spki.toString('base64'),
    });
    await connection.until(() => isRegistered || connection.count(Kind.error) > 0);
    if (!isRegistered) throw new Error(`the hub refused to register: ${connection.outcome()}`);
    client.#request(client.#nextId(), Signaling.accepting, 0, true);
    await connection.settled();
    return client;
  }

  /** Opens a session or a relayed stream; resolves with its id once the hub has answered. */
  async open(method: number, to: string): Promise<number> {
    const id = this.#nextId();
    this.#request(id, method, 3, { to });
    await this.answered(id, 1);
    return id;
  }

  /** Resolves when a call was answered with so many items, or has ended. */
  async answered(id: number, items: number): Promise<void> {
    await this.connection.until(() => (this.answers.get(id) ?? 0) >= items || this.ended.has(id));
  }

  /** Sends an item of a call. */
  send(id: number, payload: Uint8Array): void {
    this.connection.send(frame({ kind: Kind.item, id, payload }));
  }

  /** Sends items of a call for as long as the hub takes them. */
  pour(id: number): void {
    this.#poured.set(id, PIECE.length + COST);
    this.#pourMore(id, 0);
  }

  /** Ends the items of a call. */
  end(id: number): void {
    this.connection.send(frame({ kind: Kind.end, id }));
  }

  #take(kind: number, id: number): void {
    // The hub calls with even ids: accept with an empty item, and say nothing more.
    if (kind === Kind.request) this.send(id, NOTHING);
    else if (kind === Kind.item) this.answers.set(id, (this.answers.get(id) ?? 0) + 1);
    else if (kind === Kind.error || kind === Kind.end) this.ended.add(id);
  }

  #pourMore(id: number, credit: number): void {
    if (this.#poured.has(id)) this.#poured.set(id, this.#poured.get(id)! + credit);
    const cost = PIECE.length + COST;
    for (const [stream, left] of this.#poured)
      if (left >= cost && this.connection.pipe >= cost) {
        this.connection.pipe -= cost;
        this.#poured.set(stream, left - cost);
        this.send(stream, PIECE);
      }
  }

  #nextId(): number {
    this.#lastId += 2;
    return this.#lastId;
  }

  #request(id: number, method: number, flags: number, value: unknown): void {
    const payload = text(JSON.stringify(value));
    this.connection.send(
      frame({ kind: Kind.request, id, channel: CHANNEL, method, flags, payload }),
    );
  }
}

const PIECE = new Uint8Array(16_000);
/** The cost of an item beside its bytes. */
const COST = 64;
const NONE = { key: '', cert: '' };
