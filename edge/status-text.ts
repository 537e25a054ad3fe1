// The status of the agent in words. Used by the status page, the admin port and `ordermesh edge status`.

import type { LineView } from './forwarder/line-state.ts';
import type { EdgeStatus } from './status.ts';

export interface Headline {
  level: 'good' | 'waiting' | 'bad';
  text: string;
}

/** The worst problem, in one sentence that says whether to act. */
export function headline({ agent, line, spool, diskTrouble, heldBack }: EdgeStatus): Headline {
  const wait = spool.unsent === 1 ? '1 order waits' : `${spool.unsent} orders wait`;
  if (spool.full !== null) return { level: 'bad', text: `New orders are refused: ${spool.full}` };
  if (diskTrouble !== undefined) return { level: 'bad', text: `The spool does not answer: ${diskTrouble}` };
  if (spool.lossOpen)
    return {
      level: 'bad',
      text: `Orders may be lost, the spool was damaged (${spool.damage}); once that is settled: \`ordermesh edge acknowledge\``,
    };
  if (line?.state === 'token-refused')
    return {
      level: 'bad',
      text: `${lineWords(line)}: ${wait} safely here for another token in ORDERMESH_EDGE_TOKEN_FILE`,
    };
  if (spool.refused > 0)
    return {
      level: 'bad',
      text: `The region refuses ${counted(spool.refused)}: look with \`ordermesh edge inspect --state refused\``,
    };
  if (heldBack.length > 0)
    return { level: 'bad', text: `${counted(heldBack.length)} alone do not get through to the region` };
  if (agent === 'stopped') return { level: 'bad', text: `The agent is not running; ${wait}` };
  if (agent === 'silent') return { level: 'bad', text: `The agent runs and does not answer; ${wait}` };
  if (line?.state === 'down')
    return { level: 'waiting', text: `The line is down: ${counted(spool.unsent)} safe here, waiting for the region` };
  if (line?.state === 'region-refuses')
    return {
      level: 'waiting',
      text: `The region takes no orders now: ${counted(spool.unsent)} safe here, waiting for it`,
    };
  if (spool.unsent > 0) return { level: 'good', text: `${counted(spool.unsent)} on the way to the region` };
  return { level: 'good', text: 'The region has every order' };
}

/** The figures of the agent, as names and values. */
export function statusRows({ line, spool, heldBack }: EdgeStatus, now: number): [name: string, value: string][] {
  const rows: [string, string][] = [
    ['Waiting for the region', String(spool.unsent)],
    ['Oldest of them', spool.oldestUnsentAt === null ? '–' : `${ago(now - spool.oldestUnsentAt)} old`],
    ['Refused by the region', String(spool.refused)],
    ['Confirmed, kept for a replay', String(spool.confirmed)],
    ['To be sent again', String(spool.replaying)],
    ['Region that answered last', spool.region ?? 'none yet'],
    [
      'Spool',
      `${spool.path}: ${megabytes(spool.bytes)} of ${megabytes(spool.bytesMax)}; ${megabytes(spool.diskFree)} free on the disk`,
    ],
  ];
  if (line !== null) {
    const { since, reason, upstream, lastAnswerAt } = line;
    const because = reason === null || line.state === 'token-refused' ? '' : `: ${reason}`;
    rows.unshift(
      ['Line', `${lineWords(line)} for ${ago(now - since)}${because}`],
      ['Upstream', upstream],
      ['Last answer for an order', lastAnswerAt === null ? 'none since the start' : `${ago(now - lastAnswerAt)} ago`],
    );
  }
  for (const { orderId, failures, reason } of heldBack)
    rows.push(['Held back', `${orderId} after ${failures} failures: ${reason}`]);
  if (spool.damage !== null) rows.push(['Damage', spool.damage]);
  return rows;
}

function lineWords({ state, reason }: LineView): string {
  if (state === 'token-refused') return `token refused (${reason ?? 'no reason given'})`;
  return state === 'region-refuses' ? 'region refuses' : state;
}

function counted(orders: number): string {
  return orders === 1 ? '1 order' : `${orders} orders`;
}

function ago(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1_000));
  if (s < 120) return `${s} s`;
  return s < 7_200 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3_600)} h`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
