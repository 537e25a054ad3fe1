import path from 'node:path';
import type { RoleName } from '../../contracts/roles.ts';
import { RoleProcess } from '../../stack/system/index.ts';
import type { AdminAddress } from './liveness/admin-pages.ts';
import type { ProcessName, WorkerKind } from './plan.ts';
import type { Zone } from './topology.ts';

/** Every role process of a run: who it is, where it stands and what it is started with. */
const standing: Record<ProcessName, { role: RoleName; args: string[]; zone: Zone }> = {
  gateway: { role: 'gateway', args: ['gateway'], zone: 'front' },
  display: { role: 'display', args: ['display'], zone: 'front' },
  'order-validator-1': worker('order-validator', 'workers-1'),
  'order-validator-2': worker('order-validator', 'workers-2'),
  'payment-1': worker('payment', 'workers-1'),
  'payment-2': worker('payment', 'workers-2'),
  'kitchen-1': worker('kitchen', 'workers-1'),
  'kitchen-2': worker('kitchen', 'workers-2'),
};

function worker(role: WorkerKind, zone: Zone) {
  return { role, args: ['worker', role], zone };
}

export interface ProcessesOptions {
  /** The environment of a role's process in that zone. */
  environment(zone: Zone, role: RoleName): NodeJS.ProcessEnv;
  /** One for each process, and one for the member of a storm. */
  adminPorts: readonly number[];
  directory: string;
  host: string;
  onNote(line: string): void;
}

export class Processes {
  readonly #options: ProcessesOptions;
  readonly #all = new Map<ProcessName, RoleProcess>();
  readonly #frozen = new Set<ProcessName>();
  #storms = 0;

  constructor(options: ProcessesOptions) {
    this.#options = options;
    for (const [index, [name, { role, args, zone }]] of Object.entries(standing).entries())
      this.#all.set(name as ProcessName, this.#start(name, role, args, zone, index));
  }

  async ready(): Promise<void> {
    await Promise.all([...this.#all.values()].map((each) => each.ready()));
  }

  /** How often processes were started again. */
  get restarts(): number {
    return [...this.#all.values()].reduce((sum, { restarts }) => sum + restarts, 0);
  }

  kill(name: ProcessName, downMs: number): void {
    this.#of(name).kill(downMs);
  }

  /** SIGSTOP. @returns false when no process runs just now */
  freeze(name: ProcessName): boolean {
    const { pid } = this.#of(name);
    if (pid === undefined) return false;
    process.kill(pid, 'SIGSTOP');
    this.#frozen.add(name);
    return true;
  }

  thaw(name: ProcessName): void {
    const { pid } = this.#of(name);
    if (pid !== undefined && this.#frozen.has(name)) process.kill(pid, 'SIGCONT');
    this.#frozen.delete(name);
  }

  thawAll(): void {
    for (const name of [...this.#frozen]) this.thaw(name);
  }

  /** Of every process that should be there. */
  get adminAddresses(): AdminAddress[] {
    const { host, adminPorts } = this.#options;
    return Object.entries(standing).map(([name, { role }], index) => ({
      name,
      role,
      url: `http://${host}:${adminPorts[index]}`,
    }));
  }

  /** One more member of a role's group joins, stays that long after it is ready, and leaves in good order. */
  async visit(role: WorkerKind, stayMs: number, wait: (ms: number) => Promise<void>): Promise<void> {
    const name = `${role}-visitor-${++this.#storms}`;
    const zone = this.#storms % 2 === 0 ? 'workers-1' : 'workers-2';
    const visitor = this.#start(name, role, ['worker', role], zone, Object.keys(standing).length);
    try {
      await visitor.ready();
      await wait(stayMs);
    } finally {
      await visitor.stop();
    }
  }

  async stop(): Promise<void> {
    this.thawAll();
    await this.#all.get('gateway')?.stop();
    await Promise.all([...this.#all.values()].map((each) => each.stop()));
  }

  #of(name: ProcessName): RoleProcess {
    const found = this.#all.get(name);
    if (found === undefined) throw new Error(`there is no process ${name}`);
    return found;
  }

  #start(name: string, role: RoleName, args: string[], zone: Zone, index: number): RoleProcess {
    const { environment, adminPorts, directory, host, onNote } = this.#options;
    const adminPort = adminPorts[index] ?? 0;
    return new RoleProcess({
      role,
      name,
      args,
      env: {
        ...environment(zone, role),
        ORDERMESH_ADMIN_PORT: String(adminPort),
      },
      host,
      adminPort,
      background: false,
      logDirectory: path.join(directory, 'logs'),
      onNote,
    });
  }
}
