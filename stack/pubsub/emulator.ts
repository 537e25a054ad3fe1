import { answersHttp } from '../http-check.ts';
import { javaCommand } from '../java.ts';
import { type Part, portOf } from '../part.ts';
import { findPubsubJar, pubsubMissing } from './jar.ts';

/** Google's own emulator. It keeps nothing over a restart: topics and subscriptions are made again by those who use them. */
export const pubsub: Part = {
  name: 'pubsub',
  title: 'Pub/Sub emulator',
  variable: 'PUBSUB_EMULATOR_HOST',
  portNames: ['pubsub'],
  async start({ config, directory, ports, servers }) {
    const jar = await findPubsubJar(config);
    if (jar === undefined) throw new Error(pubsubMissing);
    const address = `127.0.0.1:${portOf(ports, 'pubsub')}`;
    const server = await servers.start(
      {
        name: 'pubsub',
        command: javaCommand(),
        args: ['-Xmx512m', '-jar', jar, '--host=127.0.0.1', `--port=${portOf(ports, 'pubsub')}`],
        signal: 'SIGTERM',
        background: true,
        spawnOptions: { cwd: directory },
      },
      () => answersHttp(`http://${address}/v1/projects/${config.GOOGLE_CLOUD_PROJECT}/topics`),
    );
    return { server, environment: { PUBSUB_EMULATOR_HOST: address } };
  },
};
