// Which stage of an order's way a stack belongs to, by the files and functions in it. Used by fold.ts; a test checks that all of them exist.

import type { StageName } from '../stages/stage.ts';
import { type Frame, functionKey } from './flame.ts';

/** For what the tables do not name: metrics, logs, Node itself. */
export const OTHER = 'other';

export interface StageRule {
  stage: StageName;
  /** A file, or a folder with a slash at its end. Packages are below `node_modules/`, Node's own files are `node:…`. */
  in: string;
  /** Only these functions of the file. */
  functions?: readonly string[];
}

/** Of roles with an actor. The other roles use a part of it. */
export const runtimeRules: readonly StageRule[] = [
  { stage: 'fetch', in: 'kafka/consumer/' },
  { stage: 'fetch', in: 'kafka/kafkajs/' },
  { stage: 'fetch', in: 'node_modules/kafkajs/' },
  { stage: 'fetch', in: 'bridge/pubsub/steady-subscription.ts' },
  { stage: 'pack', in: 'runtime/host/runtime-host.ts', functions: ['onBatch'] },
  {
    stage: 'pack',
    in: 'runtime/wire/batch-codec.ts',
    functions: ['packBatch', 'packedLength', 'packHeaders', 'varint'],
  },
  { stage: 'transfer', in: 'runtime/host/slots/slot.ts' },
  { stage: 'transfer', in: 'runtime/slot/slot-thread.ts', functions: ['slotTask'] },
  { stage: 'transfer', in: 'node_modules/piscina/' },
  { stage: 'transfer', in: 'node:internal/per_context/messageport' },
  { stage: 'transfer', in: 'node:internal/worker/io' },
  { stage: 'decode', in: 'runtime/slot/actor/watched-actor.ts', functions: ['decode'] },
  { stage: 'decode', in: 'actors/event-decoder.ts' },
  { stage: 'decode', in: 'actors/invalid-message.ts' },
  { stage: 'decode', in: 'actors/order-validator/actor.ts', functions: ['decodeOrder'] },
  { stage: 'decode', in: 'actors/order-validator/outputs.ts', functions: ['acceptedAt'] },
  { stage: 'decode', in: 'actors/payment/actor.ts', functions: ['decode'] },
  { stage: 'decode', in: 'actors/kitchen/actor.ts', functions: ['decode'] },
  { stage: 'decode', in: 'bridge/bridge-actor.ts', functions: ['decode'] },
  { stage: 'decode', in: 'bridge/filter.ts' },
  { stage: 'prepare', in: 'runtime/slot/prepare/preparation.ts' },
  { stage: 'prepare', in: 'actors/payment/actor.ts', functions: ['prepare', 'charge'] },
  { stage: 'prepare', in: 'actors/payment/charge-ledger.ts' },
  { stage: 'prepare', in: 'actors/payment/simulated-provider.ts' },
  { stage: 'prepare', in: 'actors/payment/stripe/' },
  { stage: 'decide', in: 'actors/' },
  { stage: 'store', in: 'store/' },
  { stage: 'store', in: 'runtime/slot/fenced-transaction.ts' },
  { stage: 'store', in: 'bridge/warehouse/' },
  { stage: 'store', in: 'node_modules/postgres/' },
  { stage: 'store', in: 'node_modules/@google-cloud/bigquery/' },
  { stage: 'encode', in: 'bridge/pubsub/outgoing-message.ts' },
  { stage: 'encode', in: 'kafka/producer/record-batch.ts' },
  { stage: 'produce', in: 'kafka/producer/' },
  { stage: 'produce', in: 'runtime/slot/output-producer.ts' },
  { stage: 'produce', in: 'bridge/pubsub/' },
  { stage: 'produce', in: 'node_modules/@platformatic/kafka/' },
  { stage: 'produce', in: 'node_modules/@google-cloud/pubsub/' },
  { stage: 'produce', in: 'node_modules/google-gax/' },
  { stage: 'produce', in: 'node_modules/@grpc/grpc-js/' },
  { stage: 'commit', in: 'runtime/host/partitions/frontier-committer.ts' },
  { stage: 'commit', in: 'kafka/consumer/kafkajs-session.ts', functions: ['commit'] },
  { stage: 'schedule', in: 'runtime/host/runtime-host.ts', functions: ['#onReport'] },
  { stage: 'schedule', in: 'runtime/slot/progress-reporter.ts' },
  { stage: 'schedule', in: 'runtime/slot/slot-engine.ts' },
  { stage: 'schedule', in: 'runtime/slot/turn-scheduling.ts' },
  { stage: 'schedule', in: 'runtime/slot/mailbox.ts' },
  { stage: 'schedule', in: 'runtime/slot/hot-keys.ts' },
];

/** Of the gateway, and of the agent in a restaurant, whose log is its spool. */
export const gatewayRules: readonly StageRule[] = [
  { stage: 'read', in: 'gateway/http/' },
  { stage: 'read', in: 'gateway/websocket/' },
  { stage: 'read', in: 'gateway/grpc/' },
  { stage: 'read', in: 'node_modules/@grpc/grpc-js/' },
  { stage: 'check', in: 'gateway/identity/' },
  { stage: 'check', in: 'gateway/http/identify.ts' },
  { stage: 'check', in: 'gateway/orders/' },
  { stage: 'check', in: 'gateway/websocket/messagepack-check.ts' },
  { stage: 'append', in: 'gateway/orders/kafka-intake.ts' },
  { stage: 'append', in: 'gateway/orders/connecting-producer.ts' },
  { stage: 'append', in: 'kafka/producer/' },
  { stage: 'append', in: 'node_modules/@platformatic/kafka/' },
  { stage: 'append', in: 'edge/spool-intake.ts' },
  { stage: 'append', in: 'edge/spool/' },
  { stage: 'answer', in: 'gateway/orders/reception.ts', functions: ['#settle', '#answer', '#refuse', '#turnAway'] },
  { stage: 'answer', in: 'gateway/http/accepted-answer.ts' },
  { stage: 'answer', in: 'gateway/http/problem-answer.ts' },
  {
    stage: 'answer',
    in: 'gateway/http/exchange.ts',
    functions: ['accepted', 'refused', 'json', 'problem', 'refuse', 'send', '#finish', '#writeOrigin'],
  },
  { stage: 'answer', in: 'gateway/http/batch.ts', functions: ['accepted', 'refused'] },
  {
    stage: 'answer',
    in: 'gateway/websocket/stream.ts',
    functions: ['flushAll', 'flush', 'accepted', 'refused', '#answered', '#error', '#send'],
  },
  { stage: 'answer', in: 'gateway/websocket/stream-codec.ts', functions: ['encode'] },
  { stage: 'answer', in: 'gateway/grpc/submit.ts', functions: ['accepted', 'refused'] },
  { stage: 'answer', in: 'gateway/grpc/submit-stream.ts', functions: ['accepted', 'refused', '#answer'] },
];

/** @param stack the outermost function first */
export type StageOf = (stack: readonly Frame[]) => string;

/**
 * The stage of a stack is that of the innermost function that the table names: `onBatch`, which packs, is called by what fetches, and the
 * time below it is that of packing. Functions of packages count only where none of the project's is named.
 * @param stacks of all threads; the ones of a gateway tell themselves by its files, which no other role loads but the agent
 */
export function stagesFor(stacks: Iterable<readonly Frame[]>): StageOf {
  const rules = isGateway(stacks) ? gatewayRules : runtimeRules;
  const known = new Map<string, StageRule | undefined>();
  const ruleOf = (frame: Frame): StageRule | undefined => {
    if (frame.file === '') return undefined;
    const key = functionKey(frame);
    if (!known.has(key)) known.set(key, findRule(rules, frame));
    return known.get(key);
  };
  return (stack) => {
    let ofPackage: string | undefined;
    for (let index = stack.length - 1; index >= 0; index--) {
      const rule = ruleOf(stack[index] as Frame);
      if (rule === undefined) continue;
      if (!isForeign(rule.in)) return rule.stage;
      ofPackage ??= rule.stage;
    }
    return ofPackage ?? OTHER;
  };
}

function isForeign(file: string): boolean {
  return file.startsWith('node_modules/') || file.startsWith('node:');
}

function isGateway(stacks: Iterable<readonly Frame[]>): boolean {
  for (const stack of stacks) for (const { file } of stack) if (file.startsWith('gateway/')) return true;
  return false;
}

/** A rule for the function goes before one for the file, and that before those for folders, of which the longest counts. */
function findRule(rules: readonly StageRule[], { name, file }: Frame): StageRule | undefined {
  let best: StageRule | undefined;
  let bestRank = 0;
  for (const rule of rules) {
    const fits = rule.in.endsWith('/') ? file.startsWith(rule.in) : file === rule.in;
    if (!fits || (rule.functions !== undefined && !rule.functions.includes(bareName(name)))) continue;
    const rank = rule.in.length + (rule.functions === undefined ? 0 : 1_000);
    if (rank <= bestRank) continue;
    best = rule;
    bestRank = rank;
  }
  return best;
}

/** V8 writes `get value` for a getter, and `Reception.submit` for some methods. */
function bareName(name: string): string {
  return name.replace(/^(?:[gs]et|static) /, '').replace(/^.*\.(?=[^.]+$)/, '');
}
