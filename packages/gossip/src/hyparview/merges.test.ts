// Tests of the times at which a partial view asks nodes outside its views for a link.

import test from 'ava';
import { Merges } from './requests.ts';

const middle = () => 0.5;

/** Returns the times of all merges in seconds; `answers` returns true if a merge succeeds. */
function run(merges: Merges, until: number, answers = (_at: number) => true): number[] {
  const times: number[] = [];
  while (merges.due <= until) {
    const now = merges.due;
    times.push(now / 1_000);
    merges.begin(now);
    if (answers(now)) merges.succeeded(now + 100);
  }
  return times.map(Math.round);
}

test('without events merges become rarer, up to 16 intervals apart', (t) => {
  const times = run(new Merges(10_000, middle, 0), 1_000_000);
  t.deepEqual(times, [5, 25, 65, 145, 305, 466, 626, 786, 946]);
});

test('a merge without an answer is tried with another node an interval later, and the intervals start anew', (t) => {
  const answers = (at: number) => at < 100_000 || at > 150_000;
  const times = run(new Merges(10_000, middle, 0), 300_000, answers);
  t.deepEqual(times, [5, 25, 65, 145, 155, 175, 216, 296]);
});

test('a lost link or a newcomer restarts the intervals', (t) => {
  const merges = new Merges(10_000, middle, 0);
  run(merges, 600_000);
  t.is(Math.round(merges.due / 1_000), 626);
  merges.noteReason(600_000);
  t.is(merges.due, 610_000);
  merges.noteReason(605_000);
  t.is(merges.due, 610_000, 'an early merge is not postponed');
  t.deepEqual(run(merges, 680_000), [610, 630, 670]);
});

test('an interval of Infinity disables merges', (t) => {
  const merges = new Merges(Number.POSITIVE_INFINITY, middle, 0);
  merges.noteReason(1);
  merges.succeeded(2);
  t.is(merges.due, Number.POSITIVE_INFINITY);
  t.false(merges.isOn);
});
