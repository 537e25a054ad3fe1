import path from 'node:path';
import { RoleProcess } from '../cli/system/role-process.ts';
import type { RoleName } from '../contracts/roles.ts';
import type { RuntimePageText } from './liveness/evidence.ts';
import type { ReadyAnswers } from './liveness/watch.ts';
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

const ANSWER_MS_MAX = 2_000;

export interface ProcessesOptions {
  /** The environment of a process in that zone. */
  environment(zone: Zone): NodeJS.ProcessEnv;
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

  /** `/debug/runtime` of every worker, of one role where that is given. */
  runtimePages(role?: string): Promise<RuntimePageText[]> {
    const workers = this.#standing().filter((each) => each.isWorker && (role === undefined || each.role === role));
    return Promise.all(
      workers.map(async ({ name, adminUrl }) => {
        const answer = await askAdmin(`${adminUrl}/debug/runtime`);
        return { name, text: answer.text };
      }),
    );
  }

  /** What every process that should be there answers at `/readyz`. */
  async readyAnswers(): Promise<ReadyAnswers> {
    const answers = this.#standing().map(async ({ name, role, adminUrl }) => {
      const { status, text } = await askAdmin(`${adminUrl}/readyz`);
      return [name, { group: role, reason: status === 200 ? undefined : text.trim() }] as const;
    });
    return new Map(await Promise.all(answers));
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

  #standing() {
    const { host, adminPorts } = this.#options;
    return Object.entries(standing).map(([name, { role, args }], index) => ({
      name,
      role,
      isWorker: args[0] === 'worker',
      adminUrl: `http://${host}:${adminPorts[index]}`,
    }));
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
      env: { ...environment(zone), ORDERMESH_ADMIN_PORT: String(adminPort) },
      host,
      adminPort,
      background: false,
      logDirectory: path.join(directory, 'logs'),
      onNote,
    });
  }
}

async function askAdmin(url: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const { message, cause } = error as Error;
    return { status: 0, text: cause === undefined ? message : `${message}: ${cause}` };
  }
}
