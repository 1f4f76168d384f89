import { test } from 'vitest';
import { portSuite } from '../message-port/port-suite.ts';
import { adapt } from './adapter.ts';

portSuite(adapt(test, test.skip));
