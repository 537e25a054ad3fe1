import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { javaClientProperties, propertyValue } from '../../region/index.ts';
import {
  allowedEndpoints,
  javaCommand,
  javaMissing,
  kafkaClassPath,
  loggingProperties,
  run,
} from '../../stack/index.ts';

/** Kafka's own command-line programs, on the brokers' direct addresses: what they say does not pass through any code of ours. */
export interface JavaTools {
  /** Arguments of the Java machine. */
  java: readonly string[];
  brokers: readonly string[];
  /** Properties of their clients: how they prove who they are. */
  clientFile: string;
  directory: string;
}

export async function javaTools(options: {
  directory: string;
  cacheDir: string;
  cluster: KafkaCluster;
}): Promise<JavaTools> {
  const { directory, cacheDir, cluster } = options;
  await mkdir(directory, { recursive: true });
  const loggingFile = path.join(directory, 'log4j2.properties');
  // On standard error: standard output is for what is read.
  const logging = `${loggingProperties()}appender.out.target=SYSTEM_ERR\n`;
  await writeFile(loggingFile, logging);
  const clientFile = path.join(directory, 'client.properties');
  const client = Object.entries(javaClientProperties(cluster.security));
  const properties = client.map(([name, value]) => `${name}=${propertyValue(value)}\n`).join('');
  await writeFile(clientFile, properties, { mode: 0o600 });
  const classPath = await kafkaClassPath(cacheDir);
  const java = [`-Dlog4j2.configurationFile=${loggingFile}`, ...allowedEndpoints(properties), '-cp', classPath];
  return { java: ['-XX:TieredStopAtLevel=1', ...java], brokers: cluster.brokers, clientFile, directory };
}

/** Runs one of the programs of kafka-tools to its end. @returns its output */
export function runTool(tools: JavaTools, program: string, args: readonly string[]): Promise<string> {
  const { java, brokers, clientFile, directory } = tools;
  const bootstrap = ['--bootstrap-server', brokers.join(','), '--command-config', clientFile];
  return run(javaCommand(), ['-Xmx128m', ...java, `org.apache.kafka.tools.${program}`, ...bootstrap, ...args], {
    cwd: directory,
    doing: `Kafka's ${program}`,
    missing: javaMissing,
  });
}

/** Records of a topic: latest less earliest offset of every partition. */
export async function countRecords(tools: JavaTools, topics: readonly string[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>(topics.map((topic) => [topic, 0]));
  const pattern = topics.map((topic) => topic.replaceAll('.', '\\.')).join('|');
  const ask = (time: string) => runTool(tools, 'GetOffsetShell', ['--topic', pattern, '--time', time]);
  const [latest, earliest] = await Promise.all([ask('-1'), ask('-2')]);
  for (const [output, sign] of [
    [latest, 1],
    [earliest, -1],
  ] as const) {
    for (const line of output.split('\n')) {
      const [, topic = '', offset = ''] = /^(.+):\d+:(\d+)$/.exec(line.trim()) ?? [];
      const count = counts.get(topic);
      if (count !== undefined) counts.set(topic, count + sign * Number(offset));
    }
  }
  return counts;
}

/** Gives every partition another preferred leader, by rotating the list of its replicas, which are on all brokers, and elects the preferred. */
export async function bounceLeaders(
  tools: JavaTools,
  topics: readonly { topic: string; partitions: number }[],
  brokers: readonly number[],
  rotation: number,
): Promise<void> {
  const partitions = topics.flatMap(({ topic, partitions: count }) =>
    Array.from({ length: count }, (_, partition) => ({
      topic,
      partition,
      replicas: brokers.map((_, index) => brokers[(index + partition + rotation) % brokers.length]),
    })),
  );
  const file = path.join(tools.directory, 'reassignment.json');
  await writeFile(file, JSON.stringify({ version: 1, partitions }));
  await runTool(tools, 'reassign.ReassignPartitionsCommand', ['--reassignment-json-file', file, '--execute']);
  await runTool(tools, 'LeaderElectionCommand', ['--election-type', 'preferred', '--all-topic-partitions']);
}

/** Node id of the broker that coordinates a group now. */
export async function coordinatorOf(tools: JavaTools, group: string): Promise<number> {
  const output = await runTool(tools, 'consumer.group.ConsumerGroupCommand', [
    '--describe',
    '--state',
    '--group',
    group,
  ]);
  const id = Number(/\((\d+)\)/.exec(output)?.[1]);
  if (Number.isNaN(id)) throw new Error(`Kafka names no coordinator of ${group}: ${output.trim()}`);
  return id;
}
