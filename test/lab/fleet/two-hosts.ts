// Two hosts of the fleet on one switch, looked at from their office. Started in namespaces of its own by hosts.integration.test.ts.

import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { FleetHost, makeSwitch } from '../../../lab/fleet/host.ts';
import { OFFICE, workers } from '../../../lab/fleet/topology.ts';

const [directory = '', cacheDir = ''] = process.argv.slice(2);
const NOTHING_LISTENS = 9;
const REACHED_MS_MAX = 3_000;

/** A host that is there refuses the connection; where no host is, no answer comes, or the kernel finds no way. */
function isReached(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: NOTHING_LISTENS, timeout: REACHED_MS_MAX });
    socket.on('timeout', () => socket.destroy(new Error('no answer')));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

await makeSwitch(OFFICE);
const [first, second] = workers.slice(0, 2).map((plan) => new FleetHost({ ...plan, directory, cacheDir, say() {} }));
if (first === undefined || second === undefined) throw new Error('the fleet has fewer than two hosts of workers');
await Promise.all([first.powerOn(), second.powerOn()]);
const seen = { on: await isReached(first.plan.address), cut: true, mended: false, off: true };
await first.cutOff();
seen.cut = await isReached(first.plan.address);
await first.plugIn();
seen.mended = await isReached(first.plan.address);
await writeFile(path.join(first.disk, 'note'), 'of the first host');
const [own, others] = await Promise.all([first, second].map((host) => host.tell({ do: 'look-around' })));
await first.powerOff();
seen.off = await isReached(first.plan.address);
const secondIsOn = await isReached(second.plan.address);
process.stdout.write(`${JSON.stringify({ ...seen, secondIsOn, own, others })}\n`);
process.exit(0);
