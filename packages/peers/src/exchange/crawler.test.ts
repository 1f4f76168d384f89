// Tests of the crawler of seed mode.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { Crawler } from './peer-exchange.ts';

const nodes = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ nodeId: `node${n}`, address: `host:${n + 1}` }));
const create = (now = 0) => new Crawler(seededRandom(1), now);

test('a crawler starts at once, and continues every 30 s', (t) => {
  const crawler = create(7);
  t.is(crawler.wakeAt, 7);
  t.is(crawler.crawl(7, nodes(40)).length, 16);
  t.is(crawler.wakeAt, 30_007);
  t.deepEqual(crawler.crawl(30_006, nodes(40)), []);
  t.is(crawler.crawl(30_007, nodes(40)).length, 16);
});

test('a node is crawled again after two minutes, not before', (t) => {
  const crawler = create();
  const times: number[] = [];
  for (let now = 0; now <= 600_000; now += 30_000)
    if (crawler.crawl(now, nodes(1)).length > 0) times.push(now);
  t.deepEqual(times, [0, 120_000, 240_000, 360_000, 480_000, 600_000]);
});

test('a crawl returns 16 nodes at most, and no node twice', (t) => {
  t.is(create().crawl(0, nodes(100)).length, 16);
  t.is(create().crawl(0, [...nodes(3), ...nodes(3)]).length, 3);
});

test('over time every candidate has its turn, in no fixed order', (t) => {
  const crawler = create();
  const candidates = nodes(64);
  const given: string[] = [];
  for (let crawl = 0; crawl < 4; crawl++)
    given.push(...crawler.crawl(crawl * 30_000, candidates).map(({ nodeId }) => nodeId));
  t.is(new Set(given).size, 64);
  t.deepEqual(candidates, nodes(64), 'the candidates are not modified');
  t.notDeepEqual(
    given,
    candidates.map(({ nodeId }) => nodeId),
  );
});

test('a crawler remembers only the last two minutes, however many nodes there are', (t) => {
  const crawler = create();
  for (let crawl = 0; crawl < 1_000; crawl++) {
    const strangers = Array.from({ length: 250 }, (_, n) => ({ nodeId: `${crawl}/${n}` }));
    t.is(crawler.crawl(crawl * 30_000, strangers).length, 16);
    if (crawler.size > 16 * 5) t.fail(String(crawler.size));
  }
  t.true(crawler.size <= 16 * 4);
});
