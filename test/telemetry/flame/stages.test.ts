import { existsSync, readFileSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { expect, test } from 'vitest';
import { gatewayRules, runtimeRules, type StageRule, stagesFor } from '../../../telemetry/flame/stages.ts';
import { stageNames } from '../../../telemetry/stages/stage.ts';

const rules = [...runtimeRules, ...gatewayRules];
const frame = (name: string, file: string) => ({ name, file, line: 1 });
const stageOf = (...stack: [name: string, file: string][]) => {
  const frames = stack.map(([name, file]) => frame(name, file));
  return stagesFor([frames])(frames);
};

test('every stage has a rule', () => {
  const named = new Set(rules.map(({ stage }) => stage));
  expect(stageNames.filter((stage) => !named.has(stage))).toEqual([]);
});

const inTree = rules.filter((rule) => !rule.in.startsWith('node:'));
test.each(inTree)('$stage: $in exists, and so do its functions', ({ in: place, functions = [] }: StageRule) => {
  expect(existsSync(place)).toBe(true);
  expect(statSync(place).isDirectory()).toBe(place.endsWith('/'));
  const source = place.endsWith('/') ? '' : readFileSync(place, 'utf8');
  expect(functions.filter((name) => !defines(source, name))).toEqual([]);
});

/** Functions, methods, and properties that hold a function. */
function defines(source: string, name: string): boolean {
  return new RegExp(String.raw`(^|\s)(function )?${name}(\(|: (async )?\(| = (async )?\(|,\n)`, 'm').test(source);
}

test('functions that do not exist are noticed', () => {
  const source = readFileSync('runtime/wire/batch-codec.ts', 'utf8');
  expect([defines(source, 'packBatch'), defines(source, 'packBatches'), defines(source, 'pack')]).toEqual([
    true,
    false,
    false,
  ]);
});

test('files of Node are those of a module that exists', () => {
  const own = rules.flatMap(({ in: place }) => (place.startsWith('node:') ? [place] : []));
  // The internal ones cannot be asked for.
  expect(own.filter((place) => !isBuiltin(place) && !place.startsWith('node:internal/'))).toEqual([]);
});

test('the innermost function that is named counts, and packages only where none of ours is', () => {
  const runner: [string, string] = ['fetch', 'node_modules/kafkajs/src/consumer/runner.js'];
  const host: [string, string] = ['onBatch', 'runtime/host/runtime-host.ts'];
  expect(stageOf(runner)).toBe('fetch');
  expect(stageOf(runner, host, ['packBatch', 'runtime/wire/batch-codec.ts'])).toBe('pack');
  expect(stageOf(['#commit', 'runtime/host/partitions/frontier-committer.ts'], runner)).toBe('commit');
  expect(stageOf(['apply', 'actors/payment/actor.ts'], ['recordPayments', 'store/orders/payments.ts'])).toBe('store');
  expect(stageOf(['listOnTimeout', 'node:internal/timers'])).toBe('other');
});

test('a rule for a function goes before one for its file, and that before one for its folder', () => {
  expect(stageOf(['decodeOrder', 'actors/order-validator/actor.ts'])).toBe('decode');
  expect(stageOf(['apply', 'actors/order-validator/actor.ts'])).toBe('decide');
  expect(stageOf(['record', 'actors/order-validator/outputs.ts'])).toBe('decide');
  expect(stageOf(['RecordBatchEncoder.encode', 'kafka/producer/record-batch.ts'])).toBe('encode');
  expect(stageOf(['append', 'kafka/producer/group-commit.ts'])).toBe('produce');
});

test('in a gateway the producer is what appends', () => {
  const submit: [string, string] = ['submit', 'gateway/orders/reception.ts'];
  expect(stageOf(['body', 'gateway/http/exchange.ts'])).toBe('read');
  expect(stageOf(['body', 'gateway/http/exchange.ts'], submit)).toBe('check');
  expect(stageOf(submit, ['append', 'kafka/producer/group-commit.ts'])).toBe('append');
  expect(stageOf(['#settle', 'gateway/orders/reception.ts'], ['accepted', 'gateway/http/exchange.ts'])).toBe('answer');
});
