// Runs the load generators in Java, above all the one for HTTP. Called by the benchmarks of the gateway and the edge.

import path from 'node:path';
import { javaCommand } from '../../stack/index.ts';
import { lastJson, program, runCommand } from '../child.ts';

export interface LoadResult {
  /** Answers with status 202 a second, the warm-up left out. */
  acceptedPerSecond: number;
  /** Answers by status, in the counted time. */
  statuses: Record<string, number>;
  /** From when an order fell due (in a closed loop: from when it was sent) to its answer. */
  latencyMs: { p50: number; p99: number; max: number };
  /** Orders of an open loop that fell due and found no free connection until the end. */
  unsent: number;
  /** The first 24 characters of all orderIds of the run. */
  orderIdPrefix: string;
}

export interface Load {
  url: string;
  connections: number;
  seconds: number;
  token: string;
  /** As JSON; its orderId is replaced by a new one for every request. */
  order: string;
  /** Uncounted seconds before. Default: 1. */
  warmUp?: number;
  /** Orders that fall due a second (open loop); absent for a closed loop, in which a connection sends as soon as it has its answer. */
  rate?: number;
  /** A file to write the accepted orders' last 12 digits into, as 64-bit integers. */
  accepted?: string;
}

/** For a load at a rate: the optimising compiler of a generator that was just started took a core for the first seconds, and doubled the p99. */
const quickCompiler = ['-XX:TieredStopAtLevel=1'];

/** Runs `HttpLoad.java`, which says more of what it does. */
export async function httpLoad({ order, warmUp = 1, ...options }: Load): Promise<LoadResult> {
  const java = options.rate === undefined ? [] : quickCompiler;
  const args = { ...options, 'warm-up': warmUp };
  return lastJson<LoadResult>(await javaLoad('perf/load/HttpLoad.java', args, order, java));
}

/** The same, for a load of which every order has to be accepted. */
export async function acceptedLoad(load: Load): Promise<LoadResult> {
  const result = await httpLoad(load);
  const refused = Object.keys(result.statuses).filter((status) => status !== '202');
  if (refused.length > 0) throw new Error(`the load was not accepted: ${JSON.stringify(result.statuses)}`);
  return result;
}

const compiled = new Map<string, Promise<string>>();

/** Runs a load generator of one Java file, which is compiled at its first use in this process. */
export async function javaLoad(
  file: string,
  options: Record<string, string | number>,
  order: string,
  java: readonly string[] = [],
): Promise<string> {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const classes = ['-cp', await compiledLoad(file), path.basename(file, '.java')];
  return runCommand(javaCommand(), ['-Xmx256m', '-XX:+UseSerialGC', ...java, ...classes, ...args], { input: order });
}

/** @returns the directory of the classes of a load generator of one Java file */
export function compiledLoad(file: string): Promise<string> {
  let classes = compiled.get(file);
  if (classes === undefined) {
    classes = compile(file);
    compiled.set(file, classes);
  }
  return classes;
}

async function compile(file: string): Promise<string> {
  const directory = program('.cache/perf-load');
  await runCommand(javaCommand('javac'), ['-d', directory, program(file)]);
  return directory;
}
