import { test } from 'vitest';
import { pigeonSuite } from '../pigeon/pigeon-suite.ts';
import { adapt } from './adapter.ts';

pigeonSuite(adapt(test, test.skip));
