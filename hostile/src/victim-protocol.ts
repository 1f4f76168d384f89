// The protocol that the victim serves and the honest peer calls.

import { bytes, defineProtocol, json } from '@trunkline/transport-core';
import { protobuf } from '@trunkline/transport-core/protobuf';
import pb from 'protobufjs';
import { z } from 'zod';
import { CHANNEL, Method } from './methods.ts';

/** A message with lists of every kind, nested messages, and a map. */
const { root } = pb.parse(`
  syntax = "proto3";
  message Lists {
    repeated uint32 numbers = 1;
    repeated string texts = 2;
    repeated Lists nested = 3;
    map<string, uint32> entries = 4;
    uint64 large = 5;
  }
`);

interface Lists {
  readonly numbers: readonly number[];
  readonly texts: readonly string[];
  readonly nested: readonly Lists[];
}

export const victimProtocol = defineProtocol({
  name: 'hostile.lab',
  version: 1,
  channel: CHANNEL,
  methods: {
    echo: { id: Method.echo, request: bytes, response: bytes },
    note: { id: Method.note, request: bytes },
    strings: { id: Method.strings, request: json(z.array(z.string())), response: json(z.number()) },
    size: { id: Method.size, request: bytes, response: json(z.number()) },
    download: { id: Method.download, request: bytes, download: bytes },
    upload: { id: Method.upload, request: bytes, upload: bytes, response: json(z.number()) },
    hold: { id: Method.hold, request: bytes, response: bytes },
    number: {
      id: Method.number,
      request: json(z.object({ n: z.number() })),
      response: json(z.number()),
    },
    fail: { id: Method.fail, request: bytes, response: bytes },
    lists: {
      id: Method.lists,
      request: protobuf<Lists>(root.lookupType('Lists')),
      response: json(z.number()),
    },
    unheeding: { id: Method.unheeding, request: bytes, response: bytes },
  },
});
