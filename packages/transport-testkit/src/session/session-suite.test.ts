// Tests the session suite itself: the number of its cases, and their titles.

import test from 'ava';
import { sessionSuite } from './session-suite.ts';

test('the session suite has at least 880 cases, and no two have the same title', (t) => {
  const titles: string[] = [];
  const place = () => {
    throw new Error('no case runs here');
  };
  sessionSuite((title) => void titles.push(title), { name: 'paper', place });
  t.true(titles.length >= 880, String(titles.length));
  t.is(new Set(titles).size, titles.length);
});
