// Tests the drawing of a trace.

import test from 'ava';
import { drawLanes } from './lanes.ts';

test('each node has a lane, and each message an arrow', (t) => {
  const drawn = drawLanes([
    '      100 ms  n1 → n2      sent       raft/appendEntries request, 54 B',
    '    101.5 ms  n1 → n2      arrived    raft/appendEntries request, 54 B',
    '    102.5 ms  n10 → n1     lost       raft/appendEntries response, 8 B',
    '      103 ms               fault      crash n2',
    '      103 ms  n2           crashed',
    '      104 ms  n1           note       leads term 2',
    '      105 ms  n2 → c1      arrived',
  ]);
  t.deepEqual(drawn, [
    '         ms  n1  n2  n10 c1',
    '        100  ●───┤   │   │    sent raft/appendEntries request, 54 B',
    '      101.5  ○───▶   │   │    arrived raft/appendEntries request, 54 B',
    '      102.5  ✖───────○   │    lost raft/appendEntries response, 8 B',
    '        103  ═════════════    crash n2',
    '        103  │   ✖   │   │    crashed',
    '        104  ■   │   │   │    leads term 2',
    '        105  │   ○───────▶    arrived',
  ]);
});

test('an empty history is drawn as nothing', (t) => {
  t.is(drawLanes([]).length, 1);
});
