import test from 'ava';
import { pigeonSuite } from './pigeon-suite.ts';

pigeonSuite(test);
