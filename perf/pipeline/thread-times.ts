// Reads how much processor time each thread of a process has used, from /proc. Used by readings.ts.

import { readdir, readFile } from 'node:fs/promises';

/** Microseconds by the name of the thread; threads of one name are added up. A thread that has ended is missing. */
export async function threadTimes(pid: number): Promise<Record<string, number>> {
  const directory = `/proc/${pid}/task`;
  const times: Record<string, number> = {};
  for (const { name, us } of await Promise.all((await readdir(directory)).map((id) => timeOf(`${directory}/${id}`))))
    times[name] = (times[name] ?? 0) + us;
  return times;
}

async function timeOf(directory: string): Promise<{ name: string; us: number }> {
  try {
    const [name, schedule] = await Promise.all([
      readFile(`${directory}/comm`, 'utf8'),
      readFile(`${directory}/schedstat`, 'utf8'),
    ]);
    // The first of three numbers: nanoseconds on a processor.
    return { name: name.trim(), us: Number(schedule.split(' ', 1)[0]) / 1_000 };
  } catch {
    // It has ended since its name was read.
    return { name: 'ended', us: 0 };
  }
}
