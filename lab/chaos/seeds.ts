import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig } from '../../contracts/config/config.ts';
import { programOptions, refuseOption } from '../../contracts/program-options.ts';
import { parentGone, stopRequest } from '../../telemetry/role.ts';

/*
 * Chaos with one seed after the other, a line each. Every second run has both cores busy otherwise. What a clean run leaves behind is removed but
 * its output.
 */

const counted = ['lost', 'duplicateEffects', 'outOfOrder', 'stood', 'silent', 'faults', 'lostAnswers'] as const;
type Counts = Partial<Record<(typeof counted)[number], number>>;

const { values } = programOptions('chaos-seeds', {
  options: {
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '20' },
    /** Which runs have busy cores. */
    busy: { type: 'string', default: 'half' },
    lanes: { type: 'string', default: '' },
    'stop-with-parent': { type: 'boolean', default: false },
  },
});
const from = wholeNumber('from', values.from);
const count = wholeNumber('count', values.count);
if (!['half', 'all', 'none'].includes(values.busy)) refuse('busy', values.busy, 'half, all or none');

const stopping = new AbortController();
Promise.race([stopRequest(), ...(values['stop-with-parent'] ? [parentGone()] : [])]).then(() => stopping.abort());

const directory = path.resolve(loadConfig().ORDERMESH_DATA_DIR, 'chaos');
const outputs = path.join(directory, 'seeds');
await mkdir(outputs, { recursive: true });
const failed: number[] = [];
for (let seed = from; seed < from + count; seed++) {
  const busy = values.busy === 'all' || (values.busy === 'half' && seed % 2 === 0);
  const startedAt = performance.now();
  const { clean, counts } = await run(seed, busy);
  if (stopping.signal.aborted) process.exit(130);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  const said = counted.map((name) => `${name} ${counts[name] ?? '?'}`).join(', ');
  process.stdout.write(
    `seed ${seed}${busy ? ' busy' : ''}: ${clean ? 'clean' : 'FAILED'} after ${seconds} s; ${said}${clean ? '' : `; ${outputFile(seed)}`}\n`,
  );
  if (clean) await rm(path.join(directory, String(seed)), { recursive: true, force: true });
  else failed.push(seed);
}
process.stdout.write(`${JSON.stringify({ runs: count, clean: count - failed.length, failed })}\n`);
process.exit(failed.length === 0 ? 0 : 1);

function outputFile(seed: number): string {
  return path.join(outputs, `${seed}.txt`);
}

/** One run in a process of its own. Its output goes to a file; the last line has the counts. */
async function run(seed: number, busy: boolean): Promise<{ clean: boolean; counts: Counts }> {
  const output = createWriteStream(outputFile(seed));
  const main = path.join(import.meta.dirname, 'main.ts');
  const args = [main, '--stop-with-parent', '--seed', String(seed), '--lanes', values.lanes];
  const child = spawn(process.execPath, busy ? [...args, '--busy'] : args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = () => child.kill('SIGTERM');
  stopping.signal.addEventListener('abort', stop);
  let last = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    last = (last + text).slice(-4_096);
  });
  child.stdout.pipe(output);
  child.stderr.pipe(output, { end: false });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  stopping.signal.removeEventListener('abort', stop);
  return { clean: code === 0, counts: countsIn(last.trimEnd().split('\n').at(-1) ?? '') };
}

function countsIn(line: string): Counts {
  try {
    return JSON.parse(line) as Counts;
  } catch {
    // The run ended before its verdict: the counts are not known, and the output says why.
    return {};
  }
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) refuse(name, text, 'a whole number');
  return Number(text);
}

function refuse(name: string, text: string, takes: string): never {
  refuseOption('chaos-seeds', `--${name} is ${JSON.stringify(text)}; it takes ${takes}`);
}
