import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { stageNames } from '../../telemetry/stages/stage.ts';

test('the page of the stage clock explains every stage, and no other', async () => {
  const page = await readFile(new URL('../../docs/operations/stage-clock.md', import.meta.url), 'utf8');
  const explained = [...page.matchAll(/^\| `([a-z]+)` \| (?:main|slot|main and slot) \|/gm)].map(([, name]) => name);
  expect(explained).toEqual([...stageNames]);
});
