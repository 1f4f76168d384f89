// The changes between two versions of a protocol, and the programs that they break.

/**
 * The programs that were built with the old definition: `callers` of programs with the new one, or
 * `servers` of such programs.
 */
export type ProtocolParty = 'callers' | 'servers';

/** The kinds of changes, named like the rules of buf. */
export type ProtocolChangeRule =
  | 'PROTOCOL_REMOVED'
  | 'PROTOCOL_ADDED'
  | 'CHANNEL_CHANGED'
  | 'VERSION_DROPPED'
  | 'ORDERED_CHANGED'
  | 'METHOD_REMOVED'
  | 'METHOD_ADDED'
  | 'METHOD_RENAMED'
  | 'METHOD_ID_CHANGED'
  | 'METHOD_ID_REUSED'
  | 'METHOD_KIND_CHANGED'
  | 'CODEC_CHANGED'
  | 'LIMIT_LOWERED'
  | 'LIMIT_RAISED'
  | 'FIELD_ADDED'
  | 'REQUIRED_FIELD_ADDED'
  | 'FIELD_REMOVED'
  | 'FIELD_MADE_REQUIRED'
  | 'FIELD_MADE_OPTIONAL'
  | 'FIELD_RENAMED'
  | 'FIELD_ID_REUSED'
  | 'FIELD_TYPE_CHANGED'
  | 'FIELD_CARDINALITY_CHANGED'
  | 'FIELD_ONEOF_CHANGED'
  | 'ENUM_VALUE_ADDED'
  | 'ENUM_VALUE_REMOVED'
  | 'CONSTRAINT_TIGHTENED'
  | 'CONSTRAINT_LOOSENED'
  | 'CONSTRAINT_CHANGED'
  | 'ALTERNATIVES_CHANGED';

/** One change. */
export interface ProtocolChange {
  readonly rule: ProtocolChangeRule;
  /** The place: 'greeter', 'greeter/greet', 'greeter/greet request.name'. */
  readonly path: string;
  /**
   * The programs with the old definition that the change may break: `callers` call a node with the
   * new definition, and `servers` are called by such a node. Empty if the change breaks no program.
   */
  readonly breaks: readonly ProtocolParty[];
  /** The change as a sentence. */
  readonly text: string;
}

/** The end of a message that has the old definition: its sender or its receiver. */
export type End = 'sender' | 'receiver';

/** Collects the changes of one message. */
export class MessageChanges {
  readonly #all: ProtocolChange[];
  readonly #path: string;
  readonly #isOfCaller: boolean;

  /** @param path the message: 'greeter/greet request'. */
  constructor(all: ProtocolChange[], path: string, isOfCaller: boolean) {
    this.#all = all;
    this.#path = path;
    this.#isOfCaller = isOfCaller;
  }

  /**
   * Adds a change.
   * @param ends the ends with the old definition that the change breaks: a sender if the new
   * receiver may refuse its messages, or a receiver if it may refuse the messages of the new
   * sender.
   */
  add(rule: ProtocolChangeRule, path: string, ends: readonly End[], text: string): void {
    const parties = ends.map(
      (end): ProtocolParty => ((end === 'sender') === this.#isOfCaller ? 'callers' : 'servers'),
    );
    this.#all.push({ rule, path: this.#path + path, breaks: parties.sort(), text });
  }
}
