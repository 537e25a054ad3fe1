import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asked } from '#cli/profile/work.ts';
import { type AdminServer, startAdminServer } from '../../telemetry/admin-server.ts';
import { ordermesh } from '../support/ordermesh.ts';

let directory: string;
let admin: AdminServer;
let events = 0;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-profile-'));
  admin = await startAdminServer({
    host: '127.0.0.1',
    port: 0,
    metrics: async () => {
      events += 500;
      const text = [
        `ordermesh_loyalty_events_total{role="loyalty",result="added"} ${events}`,
        `ordermesh_loyalty_events_total{role="loyalty",result="known"} ${events}`,
        `ordermesh_loyalty_events_total_of_another ${9 * events}`,
      ];
      return { contentType: 'text/plain', text: `${text.join('\n')}\n` };
    },
    readiness: {},
  });
});
afterAll(async () => {
  await admin.close();
  await rm(directory, { recursive: true });
});

test('profile shows the threads of a role and its work, and keeps what DevTools opens', async () => {
  const command = ['profile', 'loyalty', '--seconds', '1', '--admin', `http://127.0.0.1:${admin.port}`];
  const { code, stdout, stderr } = await ordermesh([...command, '--out', directory, '--json']);
  expect(stderr).toContain('sampling loyalty');
  expect(code).toBe(0);
  const shown = JSON.parse(stdout);
  expect(shown).toMatchObject({ role: 'loyalty', seconds: 1, work: { unit: 'events' } });
  // Both results of the second scrape, over a little more than a second.
  expect(shown.work.perSecond).toBeGreaterThan(0);
  expect(shown.work.perSecond).toBeLessThanOrEqual(1_000);
  const [main] = shown.threads;
  expect(main.thread).toBe('main');
  expect(path.dirname(main.file)).toBe(directory);
  expect(JSON.parse(await readFile(main.file, 'utf8'))).toMatchObject({ nodes: expect.any(Array) });
  expect(shown.functions.length).toBeGreaterThan(0);
  expect(shown.stages.map(({ stage }: { stage: string }) => stage)).toContain('other');
  expect(await readFile(shown.page, 'utf8')).toContain('<!doctype html>');

  const compared = await ordermesh(['profile', '--compare', shown.speedscope, shown.speedscope, '--out', directory]);
  expect(compared.stdout).toContain('differential flame graph: ');
  const json = await ordermesh(['profile', '--compare', main.file, main.file, '--out', directory, '--json']);
  // The same twice: no function has changed.
  expect(JSON.parse(json.stdout)).toMatchObject({ functions: [], stages: expect.any(Array) });
  const mixed = await ordermesh(['profile', '--compare', main.file, shown.speedscope, '--out', directory]);
  expect(mixed.code).toBe(2);
  expect(mixed.stderr).toMatch(/-main\.cpuprofile is of one thread and .* of all/);
}, 60_000);

test('profile --heap shows who holds memory', async () => {
  const out = path.join(directory, 'heap');
  const command = ['profile', 'loyalty', '--heap', '--seconds', '1', '--admin', `http://127.0.0.1:${admin.port}`];
  const { code, stdout } = await ordermesh([...command, '--out', out, '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ unit: 'bytes', page: expect.stringMatching(/\.heap\.html$/) });
  expect((await readdir(out)).map((name) => name.replace(/^.*T[\d-]+?(-main)?\./, '$1.')).sort()).toEqual([
    '-main.heapprofile',
    '.heap.html',
    '.heap.speedscope.json',
  ]);
}, 60_000);

test.each([
  [['profile'], /name a role that runs \(gateway, .*\), or two files to compare: --compare BEFORE AFTER/],
  [['profile', 'kitchn'], /'kitchn' is invalid for argument 'role'.*Allowed choices are gateway, /],
  [['profile', '--compare', 'package.json'], /--compare takes two files, before and after, and no role/],
  [['profile', '--compare', 'package.json', 'package.json'], /package\.json is no profile: give a \.speedscope\.json/],
  [['profile', 'payment', '--admin', 'http://127.0.0.1:1'], /no payment answers at http:\/\/127\.0\.0\.1:1: start it/],
])(
  '%j is refused with what would be right',
  async (command, reason) => {
    const { code, stderr } = await ordermesh(command);
    expect(stderr).toMatch(reason);
    expect(code).toBe(2);
  },
  60_000,
);

test('profile refuses the admin address of another role', async () => {
  const command = ['profile', 'payment', '--seconds', '1', '--admin', `http://127.0.0.1:${admin.port}`];
  const { code, stderr } = await ordermesh(command);
  expect(stderr).toContain(`127.0.0.1:${admin.port} is not the admin address of payment: its metrics are of loyalty`);
  expect(code).toBe(2);
}, 60_000);

test('a role that takes the connection and does not answer is named, and not waited for', async () => {
  const hung = createServer().listen(0, '127.0.0.1');
  await once(hung, 'listening');
  const url = new URL(`http://127.0.0.1:${(hung.address() as AddressInfo).port}/metrics`);
  await expect(asked('payment', url, 200)).rejects.toThrow(`payment at ${url.origin} does not answer within 0.2 s`);
  hung.close();
});
