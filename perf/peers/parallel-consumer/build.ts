// Fetches and runs Parallel Consumer, a peer of the actor runtime. Called by perf/benches/runtime.ts.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../../contracts/config/config.ts';
import { installOnce, javaCommand, javaMissing, run, userCacheDir } from '../../../stack/index.ts';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const pom = here('pom.xml');
const source = here('ParallelConsumerLoad.java');
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/** How the library is set. Its users' function gets up to `batch` records at a time, of different keys. */
export interface ParallelConsumerSettings {
  /** `threads`: the work blocks a thread of its pool. `reactor`: the work is a timer, for which no thread waits. */
  engine: 'threads' | 'reactor';
  concurrency: number;
  batch: number;
}

export interface ParallelConsumer {
  version: string;
  /** @returns messages per second; every message waits for `workMs`. */
  measure(topic: string, messages: number, settings: ParallelConsumerSettings, workMs?: number): Promise<number>;
}

/** Fetches the library with Maven and compiles its program, the first time. */
export async function buildParallelConsumer(brokers: string): Promise<ParallelConsumer> {
  const version = /<parallel-consumer\.version>(.+)<\/parallel-consumer\.version>/.exec(
    await readFile(pom, 'utf8'),
  )?.[1];
  if (version === undefined) throw new Error(`${pom} has no <parallel-consumer.version>`);
  const cacheDir = await userCacheDir(loadConfig());
  const jars = await installOnce(cacheDir, `parallel-consumer-${version}`, async (target) => {
    await run('mvn', ['-B', '-q', '-ntp', '-f', pom, copyDependencies, `-DoutputDirectory=${target}`], {
      doing: 'fetching Parallel Consumer with Maven',
      missing: 'no Maven found; install it (Debian: apt-get install maven)',
    });
  });
  const classPath = path.join(jars, '*');
  return {
    version,
    async measure(topic, messages, { engine, concurrency, batch }, workMs = 0) {
      // Java compiles a program of one file as it starts it, before the clock of the measurement runs.
      const args = [brokers, topic, messages, engine, concurrency, batch, workMs].map(String);
      const output = await run(javaCommand(), ['-cp', classPath, source, ...args], {
        doing: 'running Parallel Consumer',
        missing: javaMissing,
      });
      const line = output.trim().split('\n').at(-1) ?? '';
      return (JSON.parse(line) as { messagesPerSecond: number }).messagesPerSecond;
    },
  };
}
