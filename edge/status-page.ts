import type { EdgeStatus } from './status.ts';

const REFRESH_S = 2;

/** The page for whoever stands before the agent: one sentence that says whether to worry, then the figures. */
export function statusPage({ line, spool, heldBack }: EdgeStatus, now: number): string {
  const { level, text } = headline({ line, spool, heldBack });
  const rows: [string, string][] = [
    [
      'Line',
      line === null
        ? 'unknown'
        : `${line.state} for ${ago(now - line.since)}${line.reason === null ? '' : `: ${line.reason}`}`,
    ],
    ['Region', `${line?.region ?? 'none yet'} at ${line?.upstream ?? ''}`],
    [
      'Last answer for an order',
      line?.lastAnswerAt == null ? 'none since the start' : `${ago(now - line.lastAnswerAt)} ago`,
    ],
    ['Waiting for the region', String(spool.unsent)],
    ['Oldest of them', spool.oldestUnsentAt === null ? 'none' : `${ago(now - spool.oldestUnsentAt)} ago`],
    ['Refused by the region', String(spool.refused)],
    ['Confirmed, kept for a replay', String(spool.confirmed)],
    ['To be sent again to this region', String(spool.replaying)],
    [
      'Held back',
      heldBack.length === 0 ? '0' : heldBack.map(({ orderId, reason }) => `${orderId} (${reason})`).join(', '),
    ],
    [
      'Spool',
      `${megabytes(spool.bytes)} of ${megabytes(spool.bytesMax)}; ${megabytes(spool.diskFree)} free on the disk`,
    ],
    ...(spool.damage === null ? [] : [['Damage', spool.damage] as [string, string]]),
  ];
  const list = rows.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${REFRESH_S}"><title>${escaped(text)}</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
  h1 { font-size: 1.4rem; padding: .8rem 1rem; border-left: .5rem solid; border-radius: .25rem; background: color-mix(in srgb, currentColor 8%, transparent) }
  .good { border-color: #2a8a3e } .waiting { border-color: #c98a00 } .bad { border-color: #c5221f }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1.5rem } dt { opacity: .7 } dd { margin: 0; overflow-wrap: anywhere }
</style></head>
<body><h1 class="${level}">${escaped(text)}</h1><dl>
${list}
</dl></body></html>
`;
}

/** The worst that is so. */
export function headline({ line, spool, heldBack }: Pick<EdgeStatus, 'line' | 'spool' | 'heldBack'>): {
  level: 'good' | 'waiting' | 'bad';
  text: string;
} {
  if (spool.full !== null) return { level: 'bad', text: `New orders are refused: ${spool.full}` };
  if (spool.damage !== null) return { level: 'bad', text: `The spool was damaged: ${spool.damage}` };
  if (spool.refused > 0)
    return {
      level: 'bad',
      text: `The region refuses ${spool.refused} orders; \`ordermesh edge inspect --state refused\` shows why`,
    };
  if (heldBack.length > 0) return { level: 'bad', text: `${heldBack.length} orders do not get through to the region` };
  if (line?.state === 'down')
    return { level: 'waiting', text: `The line is down: ${spool.unsent} orders are safe here and wait for the region` };
  if (spool.unsent > 0) return { level: 'good', text: `${spool.unsent} orders are on their way to the region` };
  return { level: 'good', text: 'The region has every order' };
}

export function ago(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1_000));
  if (s < 120) return `${s} s`;
  return s < 7_200 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3_600)} h`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
