// Tests of objects that look like others.

import test from 'ava';
import { overlay } from './overlay.ts';

test('a property that was defined as fixed on an overlay can be looked at', (t) => {
  const object = overlay<Record<string, unknown>>({ base: 1 }, {});
  Object.defineProperty(object, 'fixed', { value: 2 });
  t.true(Object.hasOwn(object, 'fixed'));
  t.like(Object.getOwnPropertyDescriptor(object, 'fixed'), { value: 2, configurable: false });
  t.is(object['fixed'], 2);
});
