// A process whose child uses processor time and ends; it says so and waits. Started by the test of the program that measures capacity.

import { spawnSync } from 'node:child_process';

const us = Number(process.argv[2]);
spawnSync(process.execPath, ['--eval', `while (process.cpuUsage().user + process.cpuUsage().system < ${us});`]);
process.send?.('burnt');
// A process with a listener on its channel keeps running; without one it would end here.
process.on('message', () => {});
