import test from 'ava';
import { Kind } from '../wire/frame.ts';
import { Assembly } from './assembly.ts';
import { OutboxBench } from './testing/outbox-bench.ts';
import { SMALL } from './testing/pair.ts';

const { packet } = SMALL;
const begin = (size: number, keep = true) => {
  const { link } = new OutboxBench();
  link.now = 5;
  return { link, assembly: new Assembly(link, Kind.REQUEST, size, size + 64, new Uint8Array(packet).fill(1), keep) };
};

test('packets are put together in the order of their coming', (t) => {
  const { assembly, link } = begin(2 * packet + 3);
  t.false(assembly.complete);
  link.now = 9;
  t.true(assembly.add(new Uint8Array(packet).fill(2)));
  t.is(assembly.last, 9);
  t.false(assembly.complete);
  t.true(assembly.add(new Uint8Array(3).fill(3)));
  t.true(assembly.complete);
  t.deepEqual([assembly.buffer[0], assembly.buffer[packet], assembly.buffer[2 * packet + 2]], [1, 2, 3]);
});

test('a packet that breaks the sum, is empty, or is not full before the last, is refused', (t) => {
  t.false(begin(packet + 3).assembly.add(new Uint8Array(4)));
  t.false(begin(packet + 3).assembly.add(new Uint8Array(0)));
  t.false(begin(packet + 3).assembly.add(new Uint8Array(2)));
  t.false(begin(3 * packet).assembly.add(new Uint8Array(packet - 1)));
  t.true(begin(2 * packet).assembly.add(new Uint8Array(packet)));
});

test('a packet that was read into its room is there already', (t) => {
  const { assembly } = begin(2 * packet + 3);
  const room = assembly.room(packet)!;
  t.is(room.length, packet);
  room.fill(2);
  t.true(assembly.add(room));
  t.true(assembly.add(new Uint8Array(3).fill(3)));
  t.deepEqual([assembly.buffer[0], assembly.buffer[packet], assembly.buffer[2 * packet - 1], assembly.buffer[2 * packet]], [1, 2, 2, 3]);
});

test('there is no room for what breaks the sum, nor where nothing is kept', (t) => {
  t.is(begin(packet + 3).assembly.room(4), undefined);
  t.is(begin(packet + 3).assembly.room(0), undefined);
  t.is(begin(packet + 3, false).assembly.room(3), undefined);
  const { assembly } = begin(packet + 3);
  assembly.release();
  t.is(assembly.room(3), undefined, 'it was handed over or dropped');
});

test('its size is held from the first packet until it is released, once', (t) => {
  const { assembly, link } = begin(3 * packet);
  t.is(link.held, 3 * packet);
  assembly.release();
  assembly.release();
  t.is(link.held, 0);
});

test('one that nobody wants is counted and takes no memory', (t) => {
  const { assembly, link } = begin(2 * packet, false);
  t.is(link.held, 0);
  t.is(assembly.buffer.length, 0);
  t.true(assembly.add(new Uint8Array(packet)));
  t.true(assembly.complete);
});
