// A message type with every sort of field, in proto2 and proto3, for tests of the protobuf codec.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobufjs from 'protobufjs';
import pbjs from 'protobufjs-cli/pbjs.js';
import { type Codec, decodeAs } from '../codec.ts';
import type { ProtobufType } from '../protobuf.ts';
import { refusalOf } from './refused.ts';

export const Long = protobufjs.util.Long as unknown as { fromString(text: string): object };

export const definition = (syntax: string) => `syntax = "${syntax}";
package raft;
message Entry { ${opt(syntax)} uint32 term = 1; ${opt(syntax)} bytes data = 2; ${opt(syntax)} string text = 3; ${opt(syntax)} Entry child = 4; repeated Entry children = 5; }
message Append {
  ${opt(syntax)} uint32 term = 1; repeated Entry entries = 2; ${opt(syntax)} int64 big = 3; map<string, string> map = 4;
  repeated uint32 packed = 5 [packed = true]; ${opt(syntax)} sint32 small = 6; ${opt(syntax)} Kind kind = 7;
  ${opt(syntax)} float single = 8; ${opt(syntax)} bool flag = 9; repeated Empty empties = 10; ${opt(syntax)} uint64 huge = 11; ${opt(syntax)} double twice = 12;
}
message Empty {}
enum Kind { A = 0; B = 1; }`;

export const opt = (syntax: string) => (syntax === 'proto2' ? 'optional' : '');

export interface Append {
  term: number;
  entries: { term?: number; data?: Uint8Array; text?: string; children?: object[] }[];
  big: { toString(): string };
  map: Record<string, string>;
  packed: number[];
}

/** Returns the type of the same message by reflection and by static code. */
export async function typesOf(syntax: string): Promise<Record<string, ProtobufType<Append>>> {
  const directory = mkdtempSync(join(tmpdir(), 'protobuf-'));
  const file = join(directory, 'raft.proto');
  try {
    writeFileSync(file, definition(syntax));
    const code = await new Promise<string>((resolve, reject) => {
      pbjs.main(
        ['--target', 'static', '--keep-case', '--root', syntax, file],
        (error: Error | null, output?: string) => (error ? reject(error) : resolve(output ?? '')),
      );
    });
    const roots = new Function('$protobuf', `${code}\nreturn $root;`)(protobufjs);
    return {
      reflection: protobufjs.parse(definition(syntax)).root.lookupType('raft.Append') as any,
      static: roots.raft.Append,
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export const decodingOf = (codec: Codec<unknown, any>, bytes: Uint8Array | number[]) => {
  const error = refusalOf(() =>
    decodeAs(codec, 'request', bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)),
  );
  return `${error.code}: ${error.message}`;
};

export const message = {
  term: 7,
  entries: [{ term: 1, data: new Uint8Array([1, 2]), text: 'ü😀', children: [{ text: 'x' }] }],
  big: Long.fromString('-9007199254740993'),
  map: { a: 'b' },
  packed: [1, 2, 300],
};
