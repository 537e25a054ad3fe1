// A process whose child uses processor time and ends; it says so and waits. Started by the test of the program that measures capacity.

import { spawnSync } from 'node:child_process';

const us = Number(process.argv[2]);
spawnSync(process.execPath, ['--eval', `while (process.cpuUsage().user + process.cpuUsage().system < ${us});`]);
process.send?.('burnt');
// The channel keeps a process running only for as long as somebody listens to it.
process.on('message', () => {});
