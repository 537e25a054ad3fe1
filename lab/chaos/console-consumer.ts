// Reads topics and commits with Kafka's own console consumer. Called by history-reader.ts.

import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { javaCommand } from '../../stack/index.ts';
import type { LoggedRecord } from './checker/history.ts';
import type { JavaTools } from './java-tools.ts';

/** Control characters stand in no JSON text, no key and no header of ours unescaped. */
const FIELD = '\u001f';
const HEADER = '\u001e';
const NULL = '\u001dnull';
const LINE = '\u001c\n';
/** The consumer ends when it got no record for this long: longer than its start and its first join take when several start at once on busy cores. */
const IDLE_MS = 30_000;

const formatterProperties = {
  'print.timestamp': 'true',
  'print.partition': 'true',
  'print.offset': 'true',
  'print.headers': 'true',
  'print.key': 'true',
  'print.value': 'true',
  'key.separator': FIELD,
  'headers.separator': HEADER,
  'line.separator': LINE,
  'null.literal': NULL,
};

/**
 * Writes `count` records of a topic, from its beginning, into a file with Kafka's console consumer. @throws when it ends with an error or prints
 * fewer
 */
export async function printTopic(tools: JavaTools, topic: string, count: number, file: string): Promise<void> {
  const properties = Object.entries(formatterProperties).flatMap(([name, value]) => [
    '--formatter-property',
    `${name}=${value}`,
  ]);
  await consume(tools, topic, count, file, properties);
}

/** The same for the group coordinator's own topic: every commit of every group, as JSON. */
export async function printCommits(tools: JavaTools, count: number, file: string): Promise<void> {
  const formatter = ['--formatter', 'org.apache.kafka.tools.consumer.OffsetsMessageFormatter'];
  const internal = ['--command-property', 'exclude.internal.topics=false'];
  await consume(tools, '__consumer_offsets', count, file, [...formatter, ...internal]);
}

async function consume(
  { java, brokers, clientFile }: JavaTools,
  topic: string,
  count: number,
  file: string,
  more: string[],
): Promise<void> {
  const output = await open(file, 'w');
  try {
    if (count === 0) return;
    const args = [
      '-Xmx256m',
      ...java,
      'org.apache.kafka.tools.consumer.ConsoleConsumer',
      '--bootstrap-server',
      brokers.join(','),
      '--command-config',
      clientFile,
      '--topic',
      topic,
      '--from-beginning',
      '--max-messages',
      String(count),
      '--timeout-ms',
      String(IDLE_MS),
      ...more,
    ];
    await new Promise<void>((resolve, reject) => {
      const child = spawn(javaCommand(), args, { stdio: ['ignore', output.fd, 'pipe'] });
      let errors = '';
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        errors += text;
      });
      child.once('error', reject);
      child.once('exit', (code) => {
        const processed = Number(/Processed a total of (\d+) messages/.exec(errors)?.[1]);
        if (code === 0 && processed >= count) resolve();
        else reject(new Error(`the console consumer read ${processed} of ${count} records of ${topic}: ${errors}`));
      });
    });
  } finally {
    await output.close();
  }
}

/** The records of a file that `printTopic` wrote. */
export async function* readPrinted(file: string, topic: string): AsyncGenerator<LoggedRecord> {
  for await (const line of splitLines(file, LINE)) yield parsePrinted(line, topic);
}

/** @throws for a line that is not of this form: an incomplete history must not be judged */
export function parsePrinted(line: string, topic: string): LoggedRecord {
  const [timestamp = '', partition = '', offset = '', headers = '', key, ...value] = line.split(FIELD);
  const record: LoggedRecord = {
    topic,
    partition: Number(/^Partition:(\d+)$/.exec(partition)?.[1]),
    offset: Number(/^Offset:(\d+)$/.exec(offset)?.[1]),
    timestamp: Number(/^CreateTime:(\d+)$/.exec(timestamp)?.[1]),
    key: textOf(key),
    value: textOf(value.length === 0 ? undefined : value.join(FIELD)),
    headers: parseHeaders(headers),
  };
  if (key === undefined || value.length === 0 || [record.partition, record.offset, record.timestamp].some(Number.isNaN))
    throw new Error(`the console consumer printed for ${topic} what is not a record: ${JSON.stringify(line)}`);
  return record;
}

function textOf(field: string | undefined): string | null {
  return field === undefined || field === NULL ? null : field;
}

function parseHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  if (text === 'NO_HEADERS') return headers;
  for (const header of text.split(HEADER)) {
    const at = header.indexOf(':');
    if (at >= 0) headers[header.slice(0, at)] = header.slice(at + 1);
  }
  return headers;
}

/** One commit of a group, as the coordinator stored it. */
export interface PrintedCommit {
  group: string;
  topic: string;
  partition: number;
  /** Offset of the next record to read. */
  offset: number;
  /** Milliseconds since 1970, by the coordinator's clock. */
  at: number;
}

/** The commits of a file that `printCommits` wrote; deletions and other records are left out. */
export async function* readCommits(file: string): AsyncGenerator<PrintedCommit> {
  // The formatter prints one object behind the other, with nothing in between.
  for await (const rest of splitLines(file, START_OF_COMMIT)) {
    const commit = rest === '' ? undefined : parseCommit(`${START_OF_COMMIT}${rest}`);
    if (commit !== undefined) yield commit;
  }
}

const START_OF_COMMIT = '{"key":{"type":';

interface CommitLine {
  key?: { data?: { group?: string; topic?: string; partition?: number } } | null;
  value?: { data?: { offset?: number; commitTimestamp?: number } } | null;
}

export function parseCommit(line: string): PrintedCommit | undefined {
  const { key, value } = JSON.parse(line) as CommitLine;
  const { group, topic, partition } = key?.data ?? {};
  const { offset, commitTimestamp: at } = value?.data ?? {};
  if (group === undefined || topic === undefined || partition === undefined) return undefined;
  if (offset === undefined || at === undefined) return undefined;
  return { group, topic, partition, offset, at };
}

async function* splitLines(file: string, end: string): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of createReadStream(file)) {
    const lines = (rest + decoder.write(chunk as Buffer)).split(end);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest.trim() !== '') yield rest;
}
