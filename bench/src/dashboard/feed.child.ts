// The process that serves the dashboard of a synthetic network. It prints the address of the page,
// and ends with its input.

import { once } from 'node:events';
import { serveDashboard } from '@trunkline/admin/dashboard';
import { startSyntheticNetwork } from './synthetic-network.ts';

const [nodes, links] = process.argv.slice(2).map(Number) as [number, number];
const { addresses, tool, close } = await startSyntheticNetwork(nodes, links);
const dashboard = await serveDashboard(tool, { nodes: addresses });
console.log(dashboard.url);
process.stdin.resume();
await once(process.stdin, 'end');
await dashboard.close();
await close();
