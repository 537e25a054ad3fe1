// One host of the fleet, seen from the office: switched on and off, cut off, told what to run. Used by fleet.ts and scenario.ts.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../stack/system/index.ts';
import type { FromHost, HostTask, ToHost } from './host/protocol.ts';
import { ip } from './ip.ts';
import { type HostPlan, PREFIX_BITS } from './topology.ts';

const boot = fileURLToPath(new URL('host/boot.sh', import.meta.url));
const serviceManager = fileURLToPath(new URL('host/service-manager.ts', import.meta.url));
const project = fileURLToPath(new URL('../../', import.meta.url));
const SWITCH = 'switch';
const BORN_MS_MAX = 20_000;
/** Every host may read the project and the downloads, and none may write there. */
const namespaces = ['--net', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc'];

export interface HostOptions extends HostPlan {
  /** Of the fleet. Below it are the disks of all hosts. */
  directory: string;
  cacheDir: string;
  say(line: string): void;
}

/** Makes the switch that all hosts are plugged into, in the network namespace of this process. */
export async function makeSwitch(address: string): Promise<void> {
  await ip('link', 'set', 'lo', 'up');
  await ip('link', 'add', SWITCH, 'type', 'bridge');
  await ip('addr', 'add', `${address}/${PREFIX_BITS}`, 'dev', SWITCH);
  await ip('link', 'set', SWITCH, 'up');
}

export class FleetHost {
  readonly plan: HostPlan;
  /** Its disk, as the office sees it. */
  readonly disk: string;
  readonly #options: HostOptions;
  #machine: ChildProcess | undefined;
  readonly #waiting = new Map<number, { resolve(answer: string[]): void; reject(error: Error): void }>();
  #lastId = 0;

  constructor(options: HostOptions) {
    const { name, kind, address, directory } = options;
    this.plan = { name, kind, address };
    this.#options = options;
    this.disk = path.join(directory, 'hosts', name);
  }

  get isOn(): boolean {
    return this.#machine !== undefined;
  }

  /** Switches it on: namespaces of its own, its disk, its cable. */
  async powerOn(): Promise<void> {
    const { name, address, directory, cacheDir } = this.#options;
    await mkdir(path.join(this.disk, 'logs'), { recursive: true });
    const mountPoint = path.join(directory, 'disk');
    const hosts = path.join(directory, 'hosts');
    mkdirSync(mountPoint, { recursive: true });
    const readOnly = [project, cacheDir, tmpdir()];
    const log = openSync(path.join(this.disk, 'logs', 'host.log'), 'a');
    const manager = [process.execPath, serviceManager, mountPoint, cacheDir, hosts, ...readOnly, directory, '/'];
    const machine = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', 'unshare', ...namespaces],
        ...['sh', boot, this.disk, mountPoint, hosts, ...readOnly, '--', ...manager],
      ],
      { stdio: ['ignore', log, log, 'ipc'] },
    );
    closeSync(log);
    this.#machine = machine;
    const shared = new Promise<string[]>((resolve, reject) => {
      machine.once('error', reject);
      machine.once('exit', () => this.#gone(machine, reject));
      machine.on('message', (message: FromHost) => {
        if ('shared' in message) resolve(message.shared);
        else this.#heard(message);
      });
    });
    const paths = await shared;
    if (paths.length > 0) throw new Error(`${name} can write to ${paths.join(', ')}, which other hosts see`);
    const cable = cableOf(name);
    const first = await firstProcess(machine);
    await ip(...`link add ${cable} type veth peer name eth0 netns ${first}`.split(' '));
    await ip('link', 'set', cable, 'master', SWITCH, 'up');
    await this.tell({ do: 'join-network', address, prefixBits: PREFIX_BITS });
  }

  /** Power failure: first nothing goes over its cable, so that no connection is closed in good order, then every process is gone. */
  async powerOff(): Promise<void> {
    const machine = this.#machine;
    if (machine === undefined) return;
    await this.cutOff();
    const gone = new Promise((resolve) => machine.once('exit', resolve));
    machine.kill('SIGKILL');
    await gone;
    // The kernel takes its network apart later, and with it the cable, whose name the next machine needs.
    await ip('link', 'delete', cableOf(this.plan.name)).catch((error: Error) => {
      if (!error.message.includes('Cannot find device')) throw error;
    });
  }

  /** Ends its roles in good order, then switches it off. */
  async shutDown(): Promise<void> {
    await this.tell({ do: 'stop-roles' });
    await this.powerOff();
  }

  /** A new machine under the old name has an empty disk. */
  async replaceDisk(): Promise<void> {
    await rm(this.disk, { recursive: true, force: true });
  }

  /** Unplugs the cable: what runs goes on alone. */
  cutOff(): Promise<void> {
    return ip('link', 'set', cableOf(this.plan.name), 'down');
  }

  plugIn(): Promise<void> {
    return ip('link', 'set', cableOf(this.plan.name), 'up');
  }

  /** @throws with what the host answers when the task fails, or when the host is off */
  tell(task: HostTask): Promise<string[]> {
    const { name } = this.plan;
    const machine = this.#machine;
    if (machine === undefined) throw new Error(`${name} is off`);
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, reject });
      machine.send({ id, task } satisfies ToHost, (error) => error && reject(error));
    });
  }

  #heard(message: Exclude<FromHost, { shared: string[] }>): void {
    const { name, say } = this.#options;
    if ('note' in message) {
      say(`${name}: ${message.note}`);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('error' in message) waiting?.reject(new Error(`${name}: ${message.error}`));
    else waiting?.resolve(message.answer);
  }

  #gone(machine: ChildProcess, reject: (error: Error) => void): void {
    if (this.#machine === machine) this.#machine = undefined;
    const error = new Error(
      `${this.plan.name} was switched off; its log is ${path.join(this.disk, 'logs', 'host.log')}`,
    );
    reject(error);
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}

/** Names of network devices have at most 15 characters. */
function cableOf(host: string): string {
  return `to-${host}`;
}

/** The process that `unshare` has put into the namespaces. */
async function firstProcess({ pid }: ChildProcess): Promise<number> {
  let child = 0;
  const found = await until(BORN_MS_MAX, async () => {
    child = Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ')[0]);
    return child > 0;
  });
  if (!found) throw new Error(`process ${pid} has put nothing into its namespaces`);
  return child;
}
