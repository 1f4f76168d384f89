// Payloads that a codec must refuse, or decode in bounded time and memory.

import { type Attack, messageAttack } from '../attack.ts';
import { pushLong } from '../long.ts';
import { CHANNEL, Method } from '../methods.ts';
import { block, concat, frame, Kind, number, repeat, text, varint } from '../wire.ts';

const MIB = 1024 * 1024;
const request = (method: number, payload: Uint8Array, id = 1) =>
  frame({ kind: Kind.request, id, channel: CHANNEL, method, payload });

const AT_CODEC_LIMIT = {
  milliseconds: 40,
  reason: 'one message with a million unknown fields, which a codec skips, is read at once',
};

export const payloads: readonly Attack[] = [
  ...(
    [
      ['json-containers', '8 MiB of empty arrays', 8, '[],'],
      ['json-bad-elements', '8 MiB of numbers where strings are expected', 8, '1,'],
      ['json-60-mib', '60 MiB of numbers where strings are expected', 60, '1,'],
      ['json-small-strings', '8 MiB of empty strings, which the schema accepts', 8, '"",'],
    ] as const
  ).map(
    ([name, what, mebibytes, element]): Attack => ({
      name,
      title: `sends JSON: ${what}`,
      cases: [34, 36],
      memory: 64 * MIB,
      isHeavy: true,
      answer: /^(ERROR (3|8\/14)|GO_AWAY 8\/13)$/,
      async run(run) {
        let answer = 'nothing';
        while (run.goesOn()) {
          const attacker = await run.admitted();
          const many = Math.floor((mebibytes * MIB) / element.length) - 2;
          const payload = text(`[${element.repeat(many).slice(0, -1)}]`);
          await pushLong(
            attacker,
            { kind: Kind.request, id: 1, channel: CHANNEL, method: Method.strings },
            payload,
          );
          await attacker.until(() => attacker.answers.size > 0);
          answer = attacker.outcome();
          attacker.destroy();
        }
        return answer;
      },
    }),
  ),
  messageAttack({
    name: 'json-deep',
    title: 'sends JSON nested 30,000 levels deep',
    cases: [27, 34],
    answer: /^ERROR 3$/,
    message: () => request(Method.strings, text('['.repeat(30_000) + ']'.repeat(30_000))),
  }),
  messageAttack({
    name: 'json-infinity',
    title: 'sends the JSON number 1e999',
    cases: [33],
    answer: /^ERROR 3$/,
    message: () => request(Method.number, text('{"n":1e999}')),
  }),
  messageAttack({
    name: 'json-broken',
    title: 'sends "{" as JSON',
    cases: [],
    answer: /^ERROR 3$/,
    message: () => request(Method.number, text('{')),
  }),
  messageAttack({
    name: 'json-bad-utf8',
    title: 'sends JSON with bytes that are not UTF-8',
    cases: [30],
    answer: /^ERROR 3$/,
    message: () => request(Method.strings, Uint8Array.of(0x5b, 0x22, 0xc0, 0x80, 0x22, 0x5d)),
  }),
  messageAttack({
    name: 'json-proto-key',
    title: 'sends valid JSON that also has the key __proto__, written with an escape',
    cases: [31],
    answer: /^ERROR 3$/,
    message: () => request(Method.number, text('{"n":1,"\\u005f_proto__":{"admin":true}}')),
  }),
  messageAttack({
    name: 'protobuf-cut',
    title: 'sends a protobuf message that ends inside a field',
    cases: [26],
    answer: /^ERROR 3$/,
    message: () => request(Method.lists, block(2, 'a text').subarray(0, 5)),
  }),
  messageAttack({
    name: 'protobuf-deep',
    title: 'sends a protobuf message nested 10,000 levels deep',
    cases: [27],
    answer: /^ERROR 3$/,
    message: () => request(Method.lists, deep(10_000)),
  }),
  messageAttack({
    name: 'protobuf-packed-claim',
    title: 'claims a packed list of 10^9 bytes',
    cases: [28],
    answer: /^ERROR 3$/,
    message: () =>
      request(Method.lists, concat(Uint8Array.of(0x0a), varint(1_000_000_000), new Uint8Array(10))),
  }),
  messageAttack({
    name: 'protobuf-bad-utf8',
    title: 'sends a protobuf string that is not UTF-8',
    cases: [30],
    answer: /^ERROR 3$/,
    message: () => request(Method.lists, block(2, Uint8Array.of(0xff, 0xfe))),
  }),
  messageAttack({
    name: 'protobuf-long-varint',
    title: 'sends a varint of eleven bytes',
    cases: [32],
    answer: /^ERROR 3$/,
    message: () =>
      request(
        Method.lists,
        concat(Uint8Array.of(0x28), new Uint8Array(10).fill(0xff), Uint8Array.of(1)),
      ),
  }),
  ...(
    [
      ['protobuf-empty-entries', '8 MiB of empty texts', Uint8Array.of(0x12, 0), 36],
      ['protobuf-unknown-fields', '8 MiB of unknown fields', number(100, 1), 29],
      ['protobuf-empty-nested', '8 MiB of empty messages in a list', Uint8Array.of(0x1a, 0), 36],
    ] as const
  ).map(
    ([name, what, entry, fault]): Attack => ({
      name,
      title: `sends ${what} as protobuf`,
      cases: [fault],
      // The message while it is assembled, and 8,192 decoded messages of up to 600 bytes each.
      memory: 48 * MIB,
      ...(fault === 29 && { bound: AT_CODEC_LIMIT }),
      isHeavy: true,
      answer: /^(ERROR (3|8\/14)|GO_AWAY 8\/13|answered)$/,
      async run(run) {
        let answer = 'nothing';
        while (run.goesOn()) {
          const attacker = await run.admitted();
          const payload = repeat(entry, Math.floor((8 * MIB) / entry.length));
          await pushLong(
            attacker,
            { kind: Kind.request, id: 1, channel: CHANNEL, method: Method.lists },
            payload,
          );
          await attacker.until(() => attacker.answers.size + attacker.count(Kind.response) > 0);
          answer = attacker.count(Kind.response) > 0 ? 'answered' : attacker.outcome();
          attacker.destroy();
        }
        return answer;
      },
    }),
  ),
  messageAttack({
    name: 'method-unknown',
    title: 'calls a method that does not exist',
    cases: [37],
    answer: /^ERROR 12$/,
    message: () => request(4_000_000_000, new Uint8Array(0)),
  }),
  {
    name: 'handler-fails',
    title: 'calls a method whose handler throws an error with a secret',
    cases: [38, 39],
    answer: /^ERROR 13 without the secret$/,
    async run(run) {
      const attacker = await run.admitted();
      let shown = '';
      attacker.onFrame = (read) => {
        if (read.kind === Kind.error)
          shown = `${read.text} ${Buffer.from(read.payload).toString('latin1')}`;
      };
      await attacker.push(request(Method.fail, new Uint8Array(0)));
      await attacker.until(() => attacker.answers.size > 0);
      return `${attacker.outcome()} ${/hunter2|secret|node:|\.js/.test(shown) ? 'with' : 'without'} the secret`;
    },
  },
];

/** Nests `Lists` in `Lists`, `levels` deep. */
function deep(levels: number): Uint8Array {
  const heads: Uint8Array[] = [];
  let size = 0;
  for (let level = 0; level < levels; level++) {
    const head = concat(Uint8Array.of(0x1a), varint(size));
    heads.push(head);
    size += head.length;
  }
  return concat(...heads.reverse());
}
