// Compares two versions of protocols, and names the changes that break programs with the old one.

import type { MessageDescription, MethodDescription, ProtocolDescription } from '../description.ts';
import { isOfCaller, ROLES, type Role } from '../exports/messages.ts';
import { DescribedMessages } from '../protobuf/read-descriptors.ts';
import { refuseDeep } from '../refuse-deep.ts';
import {
  type End,
  MessageChanges,
  type ProtocolChange,
  type ProtocolChangeRule,
  type ProtocolParty,
} from './change.ts';
import { compareJson } from './compare-json.ts';
import { compareProtobuf } from './compare-protobuf.ts';

/**
 * Returns the changes between two versions of protocols, in the order of the old one. Programs
 * with the old and the new version may run at the same time, so each message is judged for both
 * directions: whether a new receiver understands old senders, and an old receiver new senders.
 * Rejects with `invalid_argument` if the descriptors of a version can't be read, or a schema nests
 * deeper than 500 levels.
 */
export async function compareProtocols(
  before: readonly ProtocolDescription[],
  after: readonly ProtocolDescription[],
): Promise<ProtocolChange[]> {
  for (const protocol of [...before, ...after]) refuseDeep(protocol);
  const changes: ProtocolChange[] = [];
  const added = new Map(after.map((protocol) => [protocol.name, protocol]));
  for (const old of before) {
    const protocol = added.get(old.name);
    added.delete(old.name);
    if (protocol === undefined)
      add(changes, 'PROTOCOL_REMOVED', old.name, ['callers'], 'the protocol was removed');
    else await new ProtocolComparison(old, protocol, changes).run();
  }
  for (const { name } of added.values())
    add(changes, 'PROTOCOL_ADDED', name, [], 'the protocol was added');
  return changes;
}

/** Returns true if a change breaks programs with the old version. */
export function isBreakingChange({ breaks }: ProtocolChange): boolean {
  return breaks.length > 0;
}

class ProtocolComparison {
  readonly #before: ProtocolDescription;
  readonly #after: ProtocolDescription;
  readonly #changes: ProtocolChange[];

  constructor(before: ProtocolDescription, after: ProtocolDescription, changes: ProtocolChange[]) {
    this.#before = before;
    this.#after = after;
    this.#changes = changes;
  }

  async run(): Promise<void> {
    const { name, channel, ordered } = this.#before;
    if (channel !== this.#after.channel)
      this.#add(
        'CHANNEL_CHANGED',
        name,
        BOTH,
        `the channel changed from ${channel} to ${this.#after.channel}`,
      );
    if (ordered !== this.#after.ordered)
      this.#add(
        'ORDERED_CHANGED',
        name,
        [],
        `ordered changed from ${ordered} to ${this.#after.ordered}`,
      );
    const versions = [this.#before, this.#after].map((each) => [each.version, ...each.accepts]);
    if (!versions[0]!.some((version) => versions[1]!.includes(version)))
      this.#add(
        'VERSION_DROPPED',
        name,
        BOTH,
        `version ${this.#before.version} is no longer accepted; add it to 'accepts'`,
      );
    await this.#compareMethods();
  }

  async #compareMethods(): Promise<void> {
    const messages = await Promise.all(
      [this.#before, this.#after].map(({ descriptors = [] }) =>
        descriptors.length === 0 ? undefined : DescribedMessages.read(descriptors),
      ),
    );
    const byId = new Map(this.#after.methods.map((method) => [method.id, method]));
    const byName = new Map(this.#after.methods.map((method) => [method.name, method]));
    const matched = new Set<MethodDescription>();
    for (const old of this.#before.methods) {
      const path = `${this.#before.name}/${old.name}`;
      const method = byId.get(old.id);
      const named = byName.get(old.name);
      if (named !== undefined && named.id !== old.id) {
        matched.add(named);
        this.#add('METHOD_ID_CHANGED', path, BOTH, `the id changed from ${old.id} to ${named.id}`);
      }
      if (method === undefined) {
        if (named === undefined)
          this.#add('METHOD_REMOVED', path, ['callers'], 'the method was removed');
        continue;
      }
      matched.add(method);
      if (method.name !== old.name) {
        if (named !== undefined || !looksAlike(old, method)) {
          this.#add(
            'METHOD_ID_REUSED',
            path,
            BOTH,
            `the id ${old.id} is the method ${method.name} now`,
          );
          continue;
        }
        this.#add('METHOD_RENAMED', path, [], `the method is called ${method.name} now`);
      }
      if (method.kind !== old.kind)
        this.#add(
          'METHOD_KIND_CHANGED',
          path,
          BOTH,
          `the kind changed from ${old.kind} to ${method.kind}`,
        );
      else
        for (const role of ROLES)
          this.#compareMessages(path, role, old[role], method[role], messages);
    }
    for (const method of this.#after.methods)
      if (!matched.has(method))
        this.#add('METHOD_ADDED', `${this.#after.name}/${method.name}`, [], 'the method was added');
  }

  #compareMessages(
    method: string,
    role: Role,
    before: MessageDescription | undefined,
    after: MessageDescription | undefined,
    [old, current]: readonly (DescribedMessages | undefined)[],
  ): void {
    if (before === undefined || after === undefined) return;
    const changes = new MessageChanges(this.#changes, `${method} ${role}`, isOfCaller(role));
    if (kindOf(before) !== kindOf(after))
      return changes.add(
        'CODEC_CHANGED',
        '',
        ENDS,
        `the codec changed from ${before.codec} to ${after.codec}`,
      );
    const [from, to] = [before, after].map(({ limit }) => limit ?? Number.POSITIVE_INFINITY);
    if (to! < from!)
      changes.add(
        'LIMIT_LOWERED',
        '',
        ['sender'],
        `the limit changed from ${before.limit ?? 'none'} to ${to} bytes`,
      );
    if (to! > from!)
      changes.add(
        'LIMIT_RAISED',
        '',
        ['receiver'],
        `the limit changed from ${from} to ${after.limit ?? 'none'} bytes`,
      );
    if (before.codec === 'json') compareJson(before.schema ?? {}, after.schema ?? {}, changes);
    if (before.type !== undefined && after.type !== undefined && old && current)
      compareProtobuf(
        old.type(before.descriptors ?? 0, before.type),
        current.type(after.descriptors ?? 0, after.type),
        changes,
      );
  }

  #add(
    rule: ProtocolChangeRule,
    path: string,
    breaks: readonly ProtocolParty[],
    text: string,
  ): void {
    add(this.#changes, rule, path, breaks, text);
  }
}

function add(
  changes: ProtocolChange[],
  rule: ProtocolChangeRule,
  path: string,
  breaks: readonly ProtocolParty[],
  text: string,
): void {
  changes.push({ rule, path, breaks, text });
}

/** Returns true if a method with another name may be the same method: it has the same codecs. */
function looksAlike(before: MethodDescription, after: MethodDescription): boolean {
  return (
    before.kind === after.kind &&
    ROLES.every((role) => before[role]?.codec === after[role]?.codec) &&
    ROLES.every(
      (role) => JSON.stringify(before[role]?.schema) === JSON.stringify(after[role]?.schema),
    )
  );
}

/** Returns the codec; the name of a protobuf message is not part of its bytes. */
function kindOf({ codec, type }: MessageDescription): string {
  return type === undefined ? codec : 'protobuf';
}

const BOTH = ['callers', 'servers'] as const;
const ENDS: readonly End[] = ['sender', 'receiver'];
