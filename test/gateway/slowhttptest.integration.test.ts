import { execFile } from 'node:child_process';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PromptIntake } from './prompt-intake.ts';
import { sampleOrder, startServerOn, type TestServer } from './support.ts';

/** https://github.com/shekyan/slowhttptest, Debian package slowhttptest; continuous integration installs it (.ci/check-test-tools.sh). */
const run = promisify(execFile);
const isThere = await run('slowhttptest', ['-h']).then(
  () => true,
  (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
);

const CONNECTIONS = '300';

let gateway: TestServer;
let bearer: string;
beforeAll(async () => {
  gateway = await startServerOn(new PromptIntake(), { ORDERMESH_UPLOAD_TIMEOUT: '5s' });
  bearer = await gateway.bearer();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const attacks: [string, string[], path: string][] = [
  ['headers', ['-H', '-i', '3'], '/openapi.json'],
  // Its cookie option takes any text, so the requests come with a token.
  ['bodies', ['-B', '-i', '3', '-s', '8192', '-t', 'POST', '-f', 'application/json', '-j', 'a=b'], '/v1/orders'],
  ['readers', ['-X', '-i', '3', '-w', '1', '-y', '2', '-n', '3', '-z', '32', '-k', '3'], '/openapi.json'],
];

test.skipIf(!isThere)(
  'slow headers, bodies and readers of slowhttptest at once: orders go on, and slow ones are cut',
  async () => {
    let attacking = true;
    const attack = Promise.all(
      attacks.map(async ([name, options, path]) => {
        const withToken = options.map((option) => (option === 'a=b' ? `a=b\r\nAuthorization: ${bearer}` : option));
        const { stdout } = await run('slowhttptest', [
          ...withToken,
          ...['-c', CONNECTIONS, '-r', CONNECTIONS, '-l', '45', '-p', '10', '-v', '1', '-u', `${gateway.url}${path}`],
        ]);
        return { name, report: stripVTControlCharacters(stdout) };
      }),
    ).finally(() => {
      attacking = false;
    });
    let orders = 0;
    for (; attacking; orders++) expect((await gateway.post(sampleOrder())).status).toBe(202);
    for (const { name, report } of await attack) {
      expect(report, name).toMatch(/service available:\s+YES/);
      expect(report, name).not.toMatch(/service available:\s+NO/);
      // Clients that read slowly may continue until they have everything.
      if (name !== 'readers') expect(report, name).toContain('No open connections left');
    }
    expect(orders).toBeGreaterThan(100);
  },
);
