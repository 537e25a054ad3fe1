// The service manager of one host: joins the network and runs what the office asks for. Started by boot.sh as the host's first process.

import { accessSync, constants } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { defaultAdminPort, type RoleName } from '../../../contracts/roles.ts';
import { brokerCommand, Servers, startPostgres } from '../../../stack/index.ts';
import { RoleProcess } from '../../../stack/system/index.ts';
import { clusterSettings } from '../../chaos/cluster.ts';
import { startCrew } from '../../crew.ts';
import { createRandom } from '../../traffic/random.ts';
import { ip } from '../ip.ts';
import { KEYS_FILE, ports } from '../topology.ts';
import type { FromHost, HostTask, ToHost } from './protocol.ts';
import { brokerHeap, databaseSettings } from './servers.ts';

const [disk = '', cacheDir = '', hosts = '', ...others] = process.argv.slice(2);
const READY_ATTEMPTS = 3;
const LOOPBACK = '127.0.0.1';
const COOKING_MS = [100, 1_000] as const;
/** More tickets come than the page of the chain shows. */
const REFRESH_MS = 200;

const say = (message: FromHost) => process.send?.(message);
const note = (line: string) => say({ note: line });
const servers = new Servers(disk, (name, reason) => note(`${name} is gone: ${reason}`));
const roles: { role: RoleName; process: RoleProcess }[] = [];

async function carryOut(task: HostTask): Promise<string[]> {
  switch (task.do) {
    case 'join-network':
      await ip('link', 'set', 'lo', 'up');
      await ip('addr', 'add', `${task.address}/${task.prefixBits}`, 'dev', 'eth0');
      await ip('link', 'set', 'eth0', 'up');
      return [];
    case 'start-broker':
      await startBroker(task);
      return [];
    case 'start-database':
      await startDatabase(task);
      return [];
    case 'start-role':
      roles.push({ role: task.role, process: startRole(task) });
      return [];
    case 'await-roles':
      await Promise.all(roles.map(({ process }) => readyInTime(process)));
      return [];
    case 'ask-roles':
      return (await Promise.all(roles.map(({ role }) => unready(role)))).filter((line) => line !== undefined);
    case 'look-around':
      return (await Promise.all([disk, hosts].map((directory) => readdir(directory)))).flat();
    case 'cook': {
      const display = new URL(`http://${LOOPBACK}:${ports.display}`);
      startCrew({ display, cookingMs: COOKING_MS, refreshMs: REFRESH_MS, random: createRandom(task.seed) });
      return [];
    }
    case 'stop-roles':
      await Promise.all(roles.splice(0).map(({ process }) => process.stop()));
      return [];
  }
}

async function startBroker({ nodeId, clusterId, quorum, address }: HostTask & { do: 'start-broker' }): Promise<void> {
  const directory = await own('kafka');
  const voters = quorum.map((host, index) => `${index + 1}@${host}:${ports.controller}`);
  const command = await brokerCommand({
    name: 'kafka',
    directory,
    cacheDir,
    clusterId,
    heap: brokerHeap,
    nodeId,
    port: ports.kafka,
    controllerPort: ports.controller,
    controllers: new Map(quorum.map((_, index) => [index + 1, ports.controller])),
    settings: {
      ...clusterSettings,
      'controller.quorum.voters': voters.join(','),
      listeners: `PLAINTEXT://${address}:${ports.kafka},CONTROLLER://${address}:${ports.controller}`,
      'advertised.listeners': `PLAINTEXT://${address}:${ports.kafka}`,
    },
  });
  await servers.start(command, () => listens(address, ports.kafka));
}

async function startDatabase({ address, from }: HostTask & { do: 'start-database' }): Promise<void> {
  const directory = await own('postgres');
  const rules = path.join(directory, 'pg_hba.conf');
  await writeFile(rules, `host all all ${LOOPBACK}/32 scram-sha-256\nhost all all ${from} scram-sha-256\n`);
  await startPostgres({
    name: 'postgres',
    directory,
    port: ports.postgres,
    servers,
    settings: { ...databaseSettings, listen_addresses: `${LOOPBACK},${address}`, hba_file: rules },
  });
}

function startRole({ role, args, env }: HostTask & { do: 'start-role' }): RoleProcess {
  const keys = role === 'gateway' ? { ORDERMESH_JWKS: path.join(disk, KEYS_FILE) } : {};
  return new RoleProcess({
    role,
    args,
    env: { ...process.env, ...env, ...keys, ORDERMESH_DATA_DIR: disk, ORDERMESH_CACHE_DIR: cacheDir },
    host: LOOPBACK,
    adminPort: defaultAdminPort(role),
    background: false,
    logDirectory: path.join(disk, 'logs'),
    onNote: note,
  });
}

/** Many processes start at once on the cores of one machine: a role is given up only when it has not been ready for three times the usual limit. */
async function readyInTime(role: RoleProcess, attempts = READY_ATTEMPTS): Promise<void> {
  try {
    await role.ready();
  } catch (error) {
    if (attempts <= 1) throw error;
    note((error as Error).message);
    await readyInTime(role, attempts - 1);
  }
}

async function unready(role: RoleName): Promise<string | undefined> {
  try {
    const answer = await fetch(`http://${LOOPBACK}:${defaultAdminPort(role)}/readyz`);
    const text = await answer.text();
    return answer.ok ? undefined : `${role}: ${text.trim()}`;
  } catch (error) {
    return `${role}: ${(error as Error).message}`;
  }
}

function listens(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
}

async function own(name: string): Promise<string> {
  const directory = path.join(disk, name);
  await mkdir(directory, { recursive: true });
  return directory;
}

/** Root may write wherever the mount allows it, so this asks the mounts. */
function writable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

process.on('message', async ({ id, task }: ToHost) => {
  try {
    say({ id, answer: await carryOut(task) });
  } catch (error) {
    say({ id, error: (error as Error).message });
  }
});
// Without its office a host has no purpose: the namespaces end with this process.
process.on('disconnect', () => process.exit(0));
say({ shared: [cacheDir, hosts, ...others].filter(writable) });
