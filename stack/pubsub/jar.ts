import { access, readdir, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Config } from '../../contracts/config/config.ts';

export const pubsubMissing =
  "Google's Pub/Sub emulator is not installed, so the Google Cloud part is off. To get it: gcloud components install pubsub-emulator " +
  '(Debian package: google-cloud-cli-pubsub-emulator), or set ORDERMESH_PUBSUB_EMULATOR_JAR, or PUBSUB_EMULATOR_HOST to one that runs';

const component = 'platform/pubsub-emulator/lib';

/**
 * Google's emulator: the configured jar, or that of the gcloud component beside the `gcloud` on the PATH or in the usual places.
 * @returns `undefined` when it isn't installed.
 * @throws when the configured jar isn't there.
 */
export async function findPubsubJar(
  config: Pick<Config, 'ORDERMESH_PUBSUB_EMULATOR_JAR'>,
  installations?: string[],
): Promise<string | undefined> {
  const configured = config.ORDERMESH_PUBSUB_EMULATOR_JAR;
  if (configured !== undefined) {
    await access(configured).catch(() => {
      throw new Error(`ORDERMESH_PUBSUB_EMULATOR_JAR is ${configured}, which isn't there`);
    });
    return path.resolve(configured);
  }
  for (const installation of installations ?? (await gcloudInstallations())) {
    const directory = path.join(installation, component);
    // This installation has no emulator; the next installation may have it. The caller reports when none has.
    const names = await readdir(directory).catch(() => []);
    const jar = names.find((name) => /^cloud-pubsub-emulator-.*\.jar$/.test(name));
    if (jar !== undefined) return path.join(directory, jar);
  }
  return undefined;
}

async function gcloudInstallations(): Promise<string[]> {
  const usual = [
    path.join(homedir(), 'google-cloud-sdk'),
    '/usr/lib/google-cloud-sdk',
    '/usr/lib64/google-cloud-sdk',
    '/usr/local/google-cloud-sdk',
    '/opt/google-cloud-sdk',
    '/opt/homebrew/share/google-cloud-sdk',
    '/usr/local/share/google-cloud-sdk',
    '/snap/google-cloud-cli/current',
  ];
  const onPath: string[] = [];
  for (const directory of (process.env.PATH ?? '').split(path.delimiter)) {
    // Most directories of the PATH hold no gcloud.
    const gcloud = await realpath(path.join(directory, 'gcloud')).catch(() => undefined);
    if (gcloud !== undefined) onPath.push(path.dirname(path.dirname(gcloud)));
  }
  return [...onPath, ...usual];
}
