import test from 'ava';
import { portSuite } from './port-suite.ts';

portSuite(test);
