// The Pub/Sub emulator as a part of the stack. Started by stack.ts.

import { answersHttp } from '../http-check.ts';
import { javaCommand } from '../java.ts';
import { type Part, portOf } from '../part.ts';
import { findPubsubJar, pubsubMissing } from './jar.ts';

/** The optimizing compiler would take more processor from the roles on this machine than its code gives back in a few minutes of an emulator's life. */
const javaOptions = ['-Xmx512m', '-XX:TieredStopAtLevel=1'];

/** Google's own emulator. It keeps nothing over a restart: topics and subscriptions are made again by those who use them. */
export const pubsub: Part = {
  name: 'pubsub',
  title: 'Pub/Sub emulator',
  variable: 'PUBSUB_EMULATOR_HOST',
  portNames: ['pubsub'],
  async start({ config, directory, ports, servers, background = true }) {
    const jar = await findPubsubJar(config);
    if (jar === undefined) throw new Error(pubsubMissing);
    const address = `127.0.0.1:${portOf(ports, 'pubsub')}`;
    const answers = () => answersHttp(`http://${address}/v1/projects/${config.GOOGLE_CLOUD_PROJECT}/topics`);
    const server = await servers.start(
      {
        name: 'pubsub',
        command: javaCommand(),
        args: [...javaOptions, '-jar', jar, '--host=127.0.0.1', `--port=${portOf(ports, 'pubsub')}`],
        signal: 'SIGTERM',
        background,
        spawnOptions: { cwd: directory },
      },
      answers,
      answers,
    );
    return { server, environment: { PUBSUB_EMULATOR_HOST: address } };
  },
};
