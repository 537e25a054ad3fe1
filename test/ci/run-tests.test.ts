import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const file = (name: string) => fileURLToPath(new URL(`../../.ci/${name}`, import.meta.url));
const vitest = fileURLToPath(new URL('../../node_modules/vitest/dist/index.js', import.meta.url));

const once = "if (!existsSync('mark')) { writeFileSync('mark', ''); process.kill(process.pid, 'SIGKILL'); }";

test('a test process that dies is named, and gets a second try in CI alone', async () => {
  const { status, said, results } = await run(once, 'true');
  expect(said).toMatch(/outside of the tests: .*SIGKILL.*dies\.test\.mjs/);
  expect(said).toContain('dies.test.mjs died; running it again');
  expect(status).toBe(0);
  expect(results).toEqual([
    ['dies.test.mjs', ['passed', 'passed']],
    ['other.test.mjs', ['passed']],
  ]);
  expect(await run(once, '')).toMatchObject({ status: 1, said: expect.stringContaining('SIGKILL') });
});

test('a test process that dies twice has failed', async () => {
  expect(await run("process.kill(process.pid, 'SIGKILL');", 'true')).toMatchObject({ status: 1 });
});

test('a second try does not hide a test that failed', async () => {
  expect(await run(once, 'true', 'throw new Error()')).toMatchObject({ status: 1 });
});

/** Runs two files of tests: one whose second test does `body`, and one whose only test does `otherBody`. */
async function run(body: string, ci: string, otherBody = '') {
  const directory = await mkdtemp(path.join(tmpdir(), 'run-tests-'));
  try {
    const at = (name: string) => path.join(directory, name);
    const imports = `import { existsSync, writeFileSync } from 'node:fs';\nimport { test } from '${vitest}';\n`;
    const reporters = `[['json', { outputFile: '.cache/test-report.json' }], '${file('errors-reporter.mjs')}']`;
    await writeFile(
      at('vitest.config.mjs'),
      `export default { test: { include: ['*.test.mjs'], reporters: ${reporters} } };`,
    );
    await writeFile(at('dies.test.mjs'), `${imports}test('a', () => {});\ntest('b', () => { ${body} });`);
    await writeFile(at('other.test.mjs'), `${imports}test('c', () => { ${otherBody} });`);
    const { status, stderr } = spawnSync(process.execPath, [file('run-tests.mjs')], {
      cwd: directory,
      env: { PATH: process.env.PATH, CI: ci },
      encoding: 'utf8',
    });
    const report = JSON.parse(await readFile(at('.cache/test-report.json'), 'utf8')) as Report;
    const results = report.testResults.map(({ name, assertionResults }) => [
      path.basename(name),
      assertionResults.map((result) => result.status),
    ]);
    return { status, said: stderr, results: results.toSorted() };
  } finally {
    await rm(directory, { recursive: true });
  }
}

interface Report {
  testResults: { name: string; assertionResults: { status: string }[] }[];
}
