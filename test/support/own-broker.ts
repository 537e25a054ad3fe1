import { loadConfig } from '../../contracts/config.ts';
import { userCacheDir } from '../../stack/cache.ts';
import { answers, brokerCommand } from '../../stack/kafka/broker.ts';
import { choosePorts } from '../../stack/ports.ts';
import { Servers } from '../../stack/servers.ts';
import { temporaryDirectory } from '../stack/support.ts';

const HEAP = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

export interface OwnBroker extends AsyncDisposable {
  /** host:port. */
  address: string;
}

/** A broker that no other test uses: for topics of fixed names with settings of the test's own. */
export async function startOwnBroker(): Promise<OwnBroker> {
  const directory = await temporaryDirectory();
  const servers = new Servers(directory.path, () => {});
  const dispose = async () => {
    await servers.stopAll('SIGKILL');
    await directory[Symbol.asyncDispose]();
  };
  try {
    const { kafka: port = 0, controller: controllerPort = 0 } = await choosePorts(['kafka', 'controller'], {});
    const cacheDir = await userCacheDir(loadConfig());
    const where = { name: 'kafka', directory: directory.path, cacheDir };
    await servers.start(await brokerCommand({ ...where, heap: HEAP, port, controllerPort }), () => answers(port));
    return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
