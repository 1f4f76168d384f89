// Tests the search for comments that begin with the wrong words. Run by `test workspace`.

import test from 'ava';
import { commentsOf, isRiddle } from './comments.mjs';

test('each kind of comment is found once, by its first line', (t) => {
  const source = [
    '// A header',
    '// of two lines.',
    'const a = 1; // A trailing comment.',
    '/** A doc comment. */',
    '/**',
    ' * A long doc comment.',
    ' * What its second line begins with does not matter.',
    ' */',
    "const url = 'http://a/b';",
  ].join('\n');
  t.deepEqual(commentsOf(source), [
    { line: 1, text: 'A header' },
    { line: 3, text: 'A trailing comment.' },
    { line: 4, text: 'A doc comment. */' },
    { line: 5, text: 'A long doc comment.' },
  ]);
});

test('a comment that does not start with the thing that it describes is reported', (t) => {
  for (const text of [
    'What it takes.',
    'Who asks.',
    '(Of these two.)',
    'One that left.',
    'Else it fails.',
  ])
    t.true(isRiddle(text), text);
  for (const text of [
    'Whole messages.',
    'The peer that asks.',
    'Items.',
    'One of them.',
    'Often called.',
  ])
    t.false(isRiddle(text), text);
});
