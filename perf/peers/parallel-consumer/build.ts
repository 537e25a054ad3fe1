// Fetches and runs Parallel Consumer, a peer of the actor runtime. Called by perf/benches/runtime.ts and perf/peers/same-work/peers.ts.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../../contracts/config/config.ts';
import { installOnce, javaCommand, javaMissing, run, userCacheDir } from '../../../stack/index.ts';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const pom = here('pom.xml');
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

/** A program of one file with the library on its class path. */
export interface JavaProgram {
  version: string;
  /** Arguments of the Java machine; those of the program follow. Java compiles the file as it starts it, before any clock runs. */
  java: readonly string[];
}

/** Fetches the library with Maven, the first time. */
export async function buildParallelConsumer(brokers: string): Promise<ParallelConsumer> {
  const { version, java } = await parallelConsumerProgram('ParallelConsumerLoad.java');
  return {
    version,
    async measure(topic, messages, { engine, concurrency, batch }, workMs = 0) {
      const args = [brokers, topic, messages, engine, concurrency, batch, workMs].map(String);
      const output = await run(javaCommand(), [...java, ...args], {
        doing: 'running Parallel Consumer',
        missing: javaMissing,
      });
      const line = output.trim().split('\n').at(-1) ?? '';
      return (JSON.parse(line) as { messagesPerSecond: number }).messagesPerSecond;
    },
  };
}

/** @param file a program beside this file */
export async function parallelConsumerProgram(file: string): Promise<JavaProgram> {
  const text = await readFile(pom, 'utf8');
  const version = /<parallel-consumer\.version>(.+)<\/parallel-consumer\.version>/.exec(text)?.[1];
  if (version === undefined) throw new Error(`${pom} has no <parallel-consumer.version>`);
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 8);
  const cacheDir = await userCacheDir(loadConfig());
  const jars = await installOnce(cacheDir, `parallel-consumer-${version}-${digest}`, async (target) => {
    await run('mvn', ['-B', '-q', '-ntp', '-f', pom, copyDependencies, `-DoutputDirectory=${target}`], {
      doing: 'fetching Parallel Consumer with Maven',
      missing: 'no Maven found; install it (Debian: apt-get install maven)',
    });
  });
  return { version, java: ['-cp', path.join(jars, '*'), here(file)] };
}
