import { randomSeed } from '../traffic/random.ts';
import type { DrillSystem } from './system.ts';
import { DrillTraffic } from './traffic.ts';

const RATE = 10;
const REPORT_MS = 30_000;

/** Leaves the two regions running with a little traffic, for a person who wants to practise with `ordermesh region`. Ends with a signal. */
export async function practise(
  system: DrillSystem,
  directory: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { east, edges, publicUrl, regionsFile } = system;
  const traffic = new DrillTraffic({ seed: randomSeed(), rate: RATE, config: east.config, edges, publicUrl });
  traffic.start();
  say(
    `both regions run, ${RATE} orders a second go to ${publicUrl.host}; Ctrl-C ends everything. In another terminal:`,
  );
  process.stdout.write(
    `\nexport ORDERMESH_REGIONS_FILE=${regionsFile} ORDERMESH_DATA_DIR=${directory}\nnpx ordermesh region status\n\n`,
  );
  const report = setInterval(() => say(`${traffic.accepted} orders accepted`), REPORT_MS);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  clearInterval(report);
  traffic.close();
}
