// A mesh whose processes are of one release or the other, on one Kafka and one database. Used by the test of a rolling upgrade.

import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type ConnectedConfig, loadConfig } from '../../contracts/config/config.ts';
import type { RoleName } from '../../contracts/roles.ts';
import { issueToken } from '../../gateway/identity/index.ts';
import { chainMenuFile } from '../../lab/traffic/chain.ts';
import { RoleProcess } from '../../stack/system/index.ts';
import type { Release } from './previous-release.ts';

const READY_ATTEMPTS = 3;
/** Two for each process of a role: fewer partitions make larger turns, which cost less. */
const PARTITIONS = 4;

interface Place {
  role: RoleName;
  args: string[];
}

/**
 * Two processes of each role on the way to the kitchen, in the order in which an upgrade replaces them: who reads before who writes. A new
 * reader understands what old writers write; an old reader need not understand what a new one does.
 */
const places: Readonly<Record<string, Place>> = {
  'kitchen-1': { role: 'kitchen', args: ['worker', 'kitchen'] },
  'kitchen-2': { role: 'kitchen', args: ['worker', 'kitchen'] },
  'payment-1': { role: 'payment', args: ['worker', 'payment'] },
  'payment-2': { role: 'payment', args: ['worker', 'payment'] },
  'order-validator-1': { role: 'order-validator', args: ['worker', 'order-validator'] },
  'order-validator-2': { role: 'order-validator', args: ['worker', 'order-validator'] },
  display: { role: 'display', args: ['display'] },
  'gateway-1': { role: 'gateway', args: ['gateway'] },
  'gateway-2': { role: 'gateway', args: ['gateway'] },
  edge: { role: 'edge', args: ['edge'] },
};
export const upgradeOrder: readonly string[] = Object.keys(places);

export interface MeshOptions {
  directory: string;
  /** Addresses of the servers, as variables. */
  servers: Readonly<Record<string, string>>;
  /** The first of as many free ports in a row as `portsNeeded`. */
  firstPort: number;
  /** The store whose tills send through an agent. */
  edgeStore: string;
  onNote(line: string): void;
}

/** An admin port a process, and the ports of the services. */
export const portsNeeded = upgradeOrder.length + 6;

export class Mesh {
  readonly config: ConnectedConfig;
  readonly #options: MeshOptions;
  readonly #running = new Map<string, RoleProcess>();
  #starts = 0;

  constructor(options: MeshOptions) {
    this.#options = options;
    this.config = loadConfig(this.#environment('gateway-1')) as ConnectedConfig;
  }

  /** Of both gateways, and of the agent. */
  get doors(): { gateways: URL[]; edge: URL; display: URL } {
    const at = (name: string) => new URL(`http://127.0.0.1:${this.#servicePort(name)}`);
    return { gateways: [at('gateway-1'), at('gateway-2')], edge: at('edge'), display: at('display') };
  }

  /** Topics, tables and menu, by the command line of a release. */
  async prepare({ program }: Release): Promise<void> {
    await this.command(program, 'topics', 'apply');
    await this.command(program, 'menu', 'load', fileURLToPath(chainMenuFile));
  }

  /** Runs `ordermesh …` of a release to its end. @throws with what it said when it fails */
  async command(program: string, ...args: string[]): Promise<void> {
    await promisify(execFile)(process.execPath, [program, ...args], { env: this.#environment('gateway-1') });
  }

  /** Starts every process of a release; resolves when all are ready. */
  async start(release: Release): Promise<void> {
    const { directory, edgeStore } = this.#options;
    await writeFile(this.#tokenFile, await issueToken({ config: this.config, store: edgeStore }));
    await mkdir(path.join(directory, 'edge'), { recursive: true });
    for (const name of upgradeOrder) this.#startOne(name, release);
    await Promise.all([...this.#running.values()].map((process) => readyInTime(process)));
  }

  /** Ends one process in good order and starts one of that release in its place; resolves when that one is ready. */
  async replace(name: string, release: Release): Promise<void> {
    await this.#running.get(name)?.stop();
    await readyInTime(this.#startOne(name, release));
  }

  /** The programs that run, by the command lines that the kernel knows. */
  async programs(): Promise<Set<string>> {
    const lines = [...this.#running.values()].map(({ pid }) => readFile(`/proc/${pid}/cmdline`, 'utf8'));
    return new Set(
      (await Promise.all(lines)).map((line) => line.split('\0').find((part) => part.endsWith('.ts')) ?? ''),
    );
  }

  /** Orders that the agent has promised and the region has not. */
  async unsent(): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.#adminPort('edge')}/status.json`);
    const { spool } = (await answer.json()) as { spool: { unsent: number; replaying: number } };
    return spool.unsent + spool.replaying;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((process) => process.stop()));
  }

  #startOne(name: string, { program }: Release): RoleProcess {
    const { role, args } = places[name] as Place;
    const process = new RoleProcess({
      role,
      name: `${name}-start-${++this.#starts}`,
      program,
      args,
      env: this.#environment(name),
      host: '127.0.0.1',
      adminPort: this.#adminPort(name),
      background: false,
      logDirectory: path.join(this.#options.directory, 'logs'),
      onNote: this.#options.onNote,
    });
    this.#running.set(name, process);
    return process;
  }

  get #tokenFile(): string {
    return path.join(this.#options.directory, 'edge.token');
  }

  #adminPort(name: string): number {
    return this.#options.firstPort + upgradeOrder.indexOf(name);
  }

  #servicePort(name: string): number {
    const services = ['gateway-1', 'gateway-2', 'edge', 'display', 'grpc-gateway-1', 'grpc-gateway-2'];
    return this.#options.firstPort + upgradeOrder.length + services.indexOf(name);
  }

  #environment(name: string): NodeJS.ProcessEnv {
    const { directory, servers } = this.#options;
    const door = name === 'edge' || name === 'gateway-2' ? name : 'gateway-1';
    const edge = {
      ORDERMESH_EDGE_UPSTREAM: `http://127.0.0.1:${this.#servicePort('gateway-1')}`,
      ORDERMESH_EDGE_TOKEN_FILE: this.#tokenFile,
      ORDERMESH_EDGE_SPOOL: path.join(directory, 'edge', 'spool.db'),
    };
    return {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...servers,
      ORDERMESH_SLOTS: '1',
      ORDERMESH_PARTITIONS: String(PARTITIONS),
      ORDERMESH_DATA_DIR: directory,
      ORDERMESH_ADMIN_PORT: String(this.#adminPort(name)),
      ORDERMESH_GATEWAY_PORT: String(this.#servicePort(door)),
      ORDERMESH_GRPC_PORT: String(this.#servicePort(`grpc-${door === 'gateway-2' ? door : 'gateway-1'}`)),
      ORDERMESH_DISPLAY_PORT: String(this.#servicePort('display')),
      ...(name === 'edge' ? edge : {}),
    };
  }
}

/** On a machine that does other things too, ten processes that start at once may take longer than the usual limit. */
async function readyInTime(process: RoleProcess, attempts = READY_ATTEMPTS): Promise<void> {
  try {
    await process.ready();
  } catch (error) {
    if (attempts <= 1) throw error;
    await readyInTime(process, attempts - 1);
  }
}
