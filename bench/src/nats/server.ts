// The process of the server of both columns. It ends when its parent disconnects.

import { report } from '../commands.ts';
import { serveBare } from './bare.ts';
import { serveTrunkline } from './trunkline.ts';

const server = process.argv[2]!;
await Promise.all([serveBare(server), serveTrunkline(server)]);
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
report<object>({});
