import { javaCommand } from '../../stack/java.ts';
import { lastJson, program, runCommand } from '../child.ts';

export interface LoadResult {
  /** Answers with status 202 a second, the warm-up left out. */
  acceptedPerSecond: number;
  /** Answers by status, in the counted time. */
  statuses: Record<string, number>;
  latencyMs: { p50: number; p99: number; max: number };
}

export interface Load {
  url: string;
  connections: number;
  seconds: number;
  token: string;
  /** As JSON; its orderId is replaced by a new one for every request. */
  order: string;
}

/** Runs `HttpLoad.java`: every connection sends its next order as soon as it has the answer to the last. */
export async function httpLoad({ url, connections, seconds, token, order }: Load): Promise<LoadResult> {
  const options = { url, connections, seconds, token };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  // The source is compiled in memory at each start, which takes less than the warm-up.
  const java = ['-Xmx128m', '-XX:+UseSerialGC', program('perf/load/HttpLoad.java')];
  return lastJson<LoadResult>(await runCommand(javaCommand(), [...java, ...args], { input: order }));
}
