// Runs podman. Used by the tests of images and of the Helm chart.

import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** In continuous integration .ci/check-test-tools.sh installs podman. */
export const hasPodman =
  process.env.CI === 'true' || (process.getuid?.() === 0 && spawnSync('podman', ['--version']).status === 0);

/**
 * crun refuses machines with both versions of control groups, runc works on all. Limits above those of this machine would be refused.
 */
const settings = `[containers]
default_ulimits = ["nofile=20000:20000", "nproc=10000:10000"]
[engine]
runtime = "runc"
`;

export class Podman implements Disposable {
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'ordermesh-podman-'));
  readonly env: NodeJS.ProcessEnv;
  #inputs = 0;

  constructor() {
    const file = path.join(this.#directory, 'containers.conf');
    writeFileSync(file, settings);
    this.env = { ...process.env, CONTAINERS_CONF: file };
  }

  /** @returns what it writes to standard output @throws with what it writes to standard error when it fails */
  run(args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      execFile('podman', args, { env: this.env, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(`podman ${args.join(' ')}: ${stderr || error.message}`)),
      );
    });
  }

  /** What a container wrote to both of its outputs. */
  logs(container: string): Promise<string> {
    return new Promise((resolve) => {
      execFile('podman', ['logs', container], { env: this.env, maxBuffer: 64 * 2 ** 20 }, (_, stdout, stderr) =>
        resolve(stdout + stderr),
      );
    });
  }

  /** Gives a command a file with this text, as its last argument. */
  async runWith(args: readonly string[], text: string): Promise<string> {
    const file = path.join(this.#directory, `input-${++this.#inputs}`);
    writeFileSync(file, text, { mode: 0o600 });
    return await this.run([...args, file]);
  }

  /** For clean-up: what is not there any more is no failure. */
  runQuietly(args: readonly string[]): void {
    spawnSync('podman', args, { env: this.env });
  }

  /** A Secret as `kube play` reads it. Podman 4.3 does not decode what is in one. */
  async createSecret(name: string, entries: Record<string, string>): Promise<void> {
    const version = execFileSync('podman', ['version', '--format', '{{.Client.Version}}'], { encoding: 'utf8' });
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const isRaw = major < 4 || (major === 4 && minor < 4);
    const data = Object.fromEntries(
      Object.entries(entries).map(([key, text]) => [key, isRaw ? text : Buffer.from(text).toString('base64')]),
    );
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data };
    await this.runWith(['secret', 'create', name], JSON.stringify(secret));
  }

  /** `kube play` keeps the content of a Secret in a volume of its name. */
  removeSecret(name: string): void {
    this.runQuietly(['volume', 'rm', '--force', name]);
    this.runQuietly(['secret', 'rm', name]);
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
