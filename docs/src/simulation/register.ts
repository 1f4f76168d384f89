import { check } from '@trunkline/simulation';

const history = check.createHistory();
const first = history.call('c1', { key: 'x', op: 'set', value: 'a' });
first.ok();
const second = history.call('c1', { key: 'x', op: 'set', value: 'b' });
second.ok();
const read = history.call('c2', { key: 'x', op: 'get' });
read.ok('a'); // stale: the write of 'b' was confirmed before this read

const verdict = check.linearizable(history);
console.log(verdict.linearizable, verdict.linearizable === false ? `\n${verdict.text}` : '');
