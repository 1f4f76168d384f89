import test from 'ava';
import { Frame } from '../wire/frame.ts';
import { Shelf } from './shelf.ts';

const chunk = Uint8Array.from({ length: 64 * 1024 }, (_, at) => at % 251);
const framed = (payload: Uint8Array): Frame => Object.assign(new Frame(), { payload });
const shelf = () => new Shelf((size) => new Uint8Array(size));

test('a small payload of a large chunk is copied, and pins at most 16 KiB', (t) => {
  for (const length of [0, 1, 64, 65, 256, 2_048, 2_049, 8_000]) {
    const kept = shelf().keep(framed(chunk.subarray(7, 7 + length)));
    t.deepEqual(kept, chunk.slice(7, 7 + length));
    t.true(kept.buffer !== chunk.buffer && kept.buffer.byteLength <= 16 * 1024, `${length} bytes`);
  }
});

test('a large payload, and any of a small chunk, is not copied', (t) => {
  const small = new Uint8Array(16 * 1024);
  for (const payload of [chunk.subarray(0, 8 * 1024), chunk, small.subarray(0, 1)]) t.is(shelf().keep(framed(payload)), payload);
});

test('copies that stand beside each other keep their bytes', (t) => {
  const full = shelf();
  const views = Array.from({ length: 500 }, (_, at) => chunk.subarray(at, at + 65 + (at % 200)));
  const kept = views.map((view) => full.keep(framed(view)));
  t.deepEqual(
    kept,
    views.map((view) => view.slice()),
  );
  t.true(new Set(kept.map(({ buffer }) => buffer)).size < 20);
});

test('between chunks it holds nothing', (t) => {
  const used = shelf();
  const before = used.keep(framed(chunk.subarray(0, 100)));
  used.clear();
  const after = used.keep(framed(chunk.subarray(0, 100)));
  t.not(before.buffer, after.buffer);
});
