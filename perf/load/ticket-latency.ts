import { parseArgs } from 'node:util';
import { loadConfig } from '../../contracts/config/config.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { startCrew } from '../../lab/crew.ts';
import { chainMenu, createRandom, createSender, createTraffic, runOpenLoop } from '../../lab/traffic/index.ts';
import { hasChromium, launchBrowser } from './chromium.ts';

/**
 * Sends orders at a rate to a running system, with a crew that bumps the tickets, and measures the time from an order's 202 to its
 * ticket: in the display's feed for every order, and drawn by a real browser for the orders of the stores whose pages are open there.
 *
 *   node perf/load/ticket-latency.ts --gateway URL --display URL [--rate 500] [--seconds 15]
 *
 * Prints one JSON line: latencies in milliseconds; `page` is null without Chromium.
 */
export interface TicketLatency {
  feed: Percentiles;
  /** `outOfView`: those of its tickets that came when the visible columns were full, and are drawn beyond their edge. */
  page: (Percentiles & { outOfView: number }) | null;
}

interface Percentiles {
  p50: number;
  p99: number;
  tickets: number;
}

/** This many pages are open, of stores in the middle of the chain: a few tickets a second all together. */
const PAGES = 2;
/** The first seconds, in which every process and the broker compile their hot paths, are not counted. */
const WARM_UP_S = 20;
const GRACE_MS = 3_000;

/** Runs in the page, before anything of its own. */
const noteWhatIsPainted = `
  globalThis.painted = [];
  const known = new Set();
  const frames = new IntersectionObserver((entries) => {
    const at = Date.now();
    for (const { target, isIntersecting } of entries) {
      painted.push({ orderId: target.dataset.order, at, inView: isIntersecting });
      frames.unobserve(target);
    }
  });
  new MutationObserver((records) => {
    for (const { addedNodes } of records)
      for (const node of addedNodes) {
        const order = node.dataset?.order;
        if (!order || known.has(order)) continue;
        known.add(order);
        frames.observe(node);
      }
  }).observe(document, { subtree: true, childList: true });
`;

const { values } = parseArgs({
  options: {
    gateway: { type: 'string', default: 'http://127.0.0.1:8080' },
    display: { type: 'string', default: 'http://127.0.0.1:8090' },
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '15' },
    seed: { type: 'string', default: '1' },
  },
});
const rate = Number(values.rate);
const menu = chainMenu();
const stores = menu.stores.filter(({ opens, closes }) => opens === closes);
// The chain's stores come in the order of their traffic.
const watched = stores.slice(stores.length / 2, stores.length / 2 + PAGES).map(({ storeId }) => storeId);

const acceptedAt = new Map<string, number>();
const fedAt = new Map<string, number>();
const crew = startCrew({
  display: new URL(values.display),
  cookingMs: [300, 1_200],
  random: createRandom(Number(values.seed)),
  onTicket: ({ orderId }) => {
    if (!fedAt.has(orderId)) fedAt.set(orderId, Date.now());
  },
});
const pages = hasChromium()
  ? await openPages(watched.map((store) => new URL(`/stores/${store}`, values.display)))
  : undefined;
const sender = createSender({
  gateway: new URL(values.gateway),
  token: storeTokens(loadConfig()),
  onResult({ status, orderId }) {
    if (status === 202 && orderId !== undefined) acceptedAt.set(orderId, Date.now());
  },
});
const traffic = createTraffic({ seed: Number(values.seed), menu: { ...menu, stores } });
const countedFrom = Date.now() + WARM_UP_S * 1_000;
await runOpenLoop({
  traffic,
  sender,
  ratePerSecond: rate,
  count: rate * (WARM_UP_S + Number(values.seconds)),
  signal: new AbortController().signal,
});
await sender.settle();
// The tickets of the last orders are still on their way; one that takes longer than this is missing below and fails the run.
await new Promise((resolve) => setTimeout(resolve, GRACE_MS));
const painted = await pages?.painted();
const result: TicketLatency = {
  feed: percentiles(fedAt),
  page:
    painted === undefined
      ? null
      : {
          ...percentiles(new Map(painted.map(({ orderId, at }) => [orderId, at]))),
          outOfView: painted.filter(({ orderId, inView }) => isCounted(orderId) && !inView).length,
        },
};
console.log(JSON.stringify(result));
crew.close();
sender.close();
await pages?.close();

function percentiles(seenAt: Map<string, number>): Percentiles {
  const latencies: number[] = [];
  for (const [orderId, at] of seenAt) {
    const accepted = acceptedAt.get(orderId);
    // A ticket can be on the page before the sender has read its 202.
    if (accepted !== undefined && accepted >= countedFrom) latencies.push(Math.max(0, at - accepted));
  }
  latencies.sort((a, b) => a - b);
  const at = (fraction: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * fraction))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), tickets: latencies.length };
}

interface Painted {
  orderId: string;
  /** Milliseconds since 1970, behind the first frame with the ticket. */
  at: number;
  inView: boolean;
}

function isCounted(orderId: string): boolean {
  return (acceptedAt.get(orderId) ?? 0) >= countedFrom;
}

/**
 * Pages in one Chromium. An intersection observer tells behind each frame which tickets are new in it, and whether in view.
 * Without motion: this browser has no graphics processor, and what a tablet's would do takes the cores from the roles here.
 */
async function openPages(urls: readonly URL[]) {
  const browser = await launchBrowser();
  const tabs = await Promise.all(
    urls.map(async (url) => {
      const tab = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
      await tab.addInitScript(noteWhatIsPainted);
      await tab.goto(url.href);
      return tab;
    }),
  );
  return {
    painted: async () => (await Promise.all(tabs.map((tab) => tab.evaluate<Painted[]>('painted')))).flat(),
    close: () => browser.close(),
  };
}
