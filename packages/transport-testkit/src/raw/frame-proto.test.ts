// Checks that the testkit's copy of frame.proto is up to date.

import { readFileSync } from 'node:fs';
import test from 'ava';
import { FRAME_PROTO } from './frame-proto.ts';

test("the testkit's copy of frame.proto is core's, to the byte", (t) => {
  t.is(
    FRAME_PROTO,
    readFileSync(new URL('../../../transport-core/src/wire/frame.proto', import.meta.url), 'utf8'),
  );
});
