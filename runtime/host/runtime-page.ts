import type { AdminPage } from '../../telemetry/admin-server.ts';
import type { ThreadStagesView } from '../../telemetry/stages/stage-metrics.ts';
import type { MessageCounts } from '../wire/slot-view.ts';
import type { Runtime } from './host.ts';
import type { PartitionView, RuntimeInspection } from './runtime-view.ts';

/** `/debug/runtime`: JSON, or a page for a browser. */
export function runtimePage(runtime: Pick<Runtime, 'inspect' | 'readiness'>): AdminPage {
  return async (accept) => {
    const state = await runtime.inspect();
    if (!accept.includes('text/html'))
      return { contentType: 'application/json', text: `${JSON.stringify(state, null, 2)}\n` };
    return { contentType: 'text/html; charset=utf-8', text: renderRuntime(state, runtime.readiness()) };
  };
}

type Cell = string | number;

/** The page loads no other file and runs no script, so that it works when little else does. */
export function renderRuntime(state: RuntimeInspection, notReady: string | undefined): string {
  const { role, topic, group, member, slots, partitions, rebalances, outages } = state;
  const parked = slots.flatMap(({ thread }) => thread?.parkedKeys ?? []);
  const hottest = slots
    .flatMap(({ slot, thread }) => (thread?.hottestKeys ?? []).map((key) => ({ ...key, slot })))
    .sort((a, b) => b.share - a.share);
  const { last } = rebalances;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width">
<title>${escaped(role)} · runtime</title>
<style>${css}</style>
<header>
<h1>${escaped(role)}</h1>
<p class="${notReady === undefined ? 'good' : 'bad'}">${escaped(notReady ?? 'ready')}</p>
<p>topic <b>${escaped(topic)}</b>, group <b>${escaped(group)}</b></p>
<p>lag <b>${number(sum(partitions, ({ lag }) => lag))}</b>, in flight <b>${number(sum(partitions, (p) => p.inFlightMessages))}</b>,
parked keys <b>${number(sum(partitions, (p) => p.parkedKeys))}</b></p>
${member === null ? '' : `<p>member <b>${escaped(member.state)}</b> since ${member.since}, proven at ${member.provenAt}, fresh starts <b>${number(member.restarts)}</b></p>\n`}<p>assignments <b>${number(rebalances.count)}</b>${last === null ? '' : `, the last at ${new Date(last.at).toISOString()} after a pause of ${number(last.pauseMs)} ms`}</p>
</header>
${section(
  'Outages',
  ['what', 'since', 'reason'],
  outages.map(({ what, since, reason }) => row([what, since, reason])),
)}
${section(
  'Slots',
  ['slot', 'state', 'event loop', 'CPU s, user', 'system', 'heap MiB', 'messages', 'partitions'],
  slots.map(({ slot, running, thread, partitions }) => {
    const state = running ? (thread === null ? 'busy, no answer' : 'running') : 'starting';
    const figures =
      thread === null
        ? ['', '', '', '', '']
        : [
            percent(thread.eventLoopUtilization),
            thread.cpuSeconds.user.toFixed(1),
            thread.cpuSeconds.system.toFixed(1),
            (thread.heapUsedBytes / 2 ** 20).toFixed(1),
            messagesCell(thread.messages),
          ];
    return row([slot, state, ...figures, partitions.join(' ')], thread !== null && running ? '' : 'bad');
  }),
)}
${section(
  'Partitions',
  [
    'partition',
    'slot',
    'phase',
    'epoch',
    'frontier',
    'committed',
    'next',
    'lag',
    'frontier age',
    'in flight',
    'KiB',
    'keys',
    'parked',
    'paused',
    'stands',
  ],
  partitions.map(partitionRow),
)}
${section(
  'Stages since the threads started',
  ['thread', 'stage', 'passed', 'a step', 'busy ns a message', 'ms a wait'],
  [state.mainThread, ...slots.flatMap(({ thread }) => thread?.stages ?? [])].flatMap(stageRows),
)}
${section(
  'Parked keys',
  ['key', 'partition', 'from offset', 'since', 'attempts', 'reason', 'error'],
  parked.map((p) => row([p.key, p.partition, p.firstOffset, p.firstFailedAt, p.attempts, p.reason, p.error])),
)}
${section(
  'Hottest keys',
  ['key', 'slot', "of the slot's messages", 'at least'],
  hottest.map(({ key, slot, share, error }) => row([key, slot, percent(share), percent(share - error)])),
)}
</html>
`;
}

/** For example `12 ready, 3 begun`. */
function messagesCell(counts: MessageCounts): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${number(count)} ${state === 'inTurn' ? 'in a turn' : state}`)
    .join(', ');
}

function stageRows({ thread, stages }: ThreadStagesView): string[] {
  return stages.map(({ stage, messages, operations, busyNsPerMessage, waits, waitSeconds }) =>
    row([
      thread,
      stage,
      messages,
      operations === 0 ? '' : Math.round(messages / operations),
      busyNsPerMessage ?? '',
      waits === 0 ? '' : (waitSeconds / waits) * 1_000,
    ]),
  );
}

const LATE_MS = 10_000;

function partitionRow(p: PartitionView): string {
  const cells = [
    p.partition,
    p.slot,
    p.phase,
    p.epoch ?? '',
    p.frontier ?? '',
    p.committed ?? '',
    p.next ?? '',
    p.lag ?? '',
    `${(p.frontierAgeMs / 1_000).toFixed(1)} s`,
    p.inFlightMessages,
    Math.round(p.inFlightBytes / 1_024),
    p.keys,
    p.parkedKeys,
    p.paused.join(', '),
    p.standing === null ? '' : `since ${p.standing.since}: ${p.standing.reason}`,
  ];
  return row(cells, p.frontierAgeMs > LATE_MS || p.phase !== 'running' || p.standing !== null ? 'bad' : '');
}

const numeric = new Set([
  ...['slot', 'partition', 'epoch', 'frontier', 'committed', 'next', 'lag', 'in flight', 'KiB', 'keys', 'parked'],
  ...['from offset', 'attempts', 'passed', 'a step', 'busy ns a message', 'ms a wait'],
]);

function section(title: string, columns: string[], rows: string[]): string {
  if (rows.length === 0) return `<h2>${title}</h2>\n<p class="none">none</p>`;
  const heads = columns.map((column) => `<th${numeric.has(column) ? ' class="n"' : ''}>${column}`).join('');
  return `<h2>${title}</h2>\n<table>\n<tr>${heads}\n${rows.join('\n')}\n</table>`;
}

function row(cells: Cell[], kind = ''): string {
  const data = cells.map((cell) =>
    typeof cell === 'number' ? `<td class="n">${number(cell)}` : `<td>${escaped(cell)}`,
  );
  return `<tr${kind === '' ? '' : ` class="${kind}"`}>${data.join('')}`;
}

function sum<T>(items: readonly T[], value: (item: T) => number | null): number {
  return items.reduce((total, item) => total + (value(item) ?? 0), 0);
}

function number(value: number): string {
  return value.toLocaleString('en');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Keys and error texts come from outside, so they are escaped. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

const css = `
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { margin: 1.5rem; }
h1 { display: inline; margin-right: 1rem; font-size: 1.5rem; }
h2 { margin: 1.5rem 0 0.25rem; font-size: 1rem; }
header p { margin: 0.25rem 0; }
header p:first-of-type { display: inline; font-weight: 600; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.125rem 0.75rem 0.125rem 0; text-align: left; vertical-align: top; }
th { font-weight: 500; opacity: 0.65; }
tr + tr { border-top: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.n, th.n { text-align: right; }
.good { color: light-dark(#18794e, #4cc38a); }
.bad { color: light-dark(#c62a2f, #ff9592); }
.none { margin: 0; opacity: 0.65; }
`;
