import { checkLinearizable, createHistory } from '@trunkline/simulation';

const history = createHistory();
const first = history.call('c1', { key: 'x', op: 'set', value: 'a' });
first.ok();
const second = history.call('c1', { key: 'x', op: 'set', value: 'b' });
second.ok();
const read = history.call('c2', { key: 'x', op: 'get' });
read.ok('a'); // c1 had been told that 'b' is in: this one is stale

const verdict = checkLinearizable(history);
console.log(verdict.linearizable, verdict.linearizable === false ? `\n${verdict.text}` : '');
