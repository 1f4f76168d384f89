// AVA's `test`, one test after the other, for tests that share a simulation or the ports of clusters.

import ava from 'ava';

export default ava.serial;
