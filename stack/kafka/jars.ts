import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installOnce } from '../cache.ts';
import { run } from '../commands.ts';

const pom = fileURLToPath(new URL('pom.xml', import.meta.url));
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/** The class path of Kafka's programs, fetched by Maven the first time: broker, tools and MirrorMaker. */
export async function kafkaClassPath(cacheDir: string): Promise<string> {
  const directory = await installOnce(cacheDir, `kafka-${await kafkaVersion()}`, async (target) => {
    await run('mvn', ['-B', '-q', '-ntp', '-f', pom, copyDependencies, `-DoutputDirectory=${target}`], {
      doing: 'fetching Kafka with Maven',
      missing: 'no Maven found; install it (Debian: apt-get install maven) or set KAFKA_BROKERS to a Kafka of yours',
    });
  });
  const jars = (await readdir(directory)).filter((name) => name.endsWith('.jar')).sort();
  return jars.map((name) => path.join(directory, name)).join(path.delimiter);
}

async function kafkaVersion(): Promise<string> {
  const version = /<kafka\.version>(.+)<\/kafka\.version>/.exec(await readFile(pom, 'utf8'))?.[1];
  if (version === undefined) throw new Error(`${pom} has no <kafka.version>`);
  return version;
}
