// AVA's `test`, one test after the other, because a process runs one simulation at a time.

import ava from 'ava';

export default ava.serial;
