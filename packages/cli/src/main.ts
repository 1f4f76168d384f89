#!/usr/bin/env node
// The command trunkline.

import { main } from './command.ts';

await main();
