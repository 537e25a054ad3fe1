import type { History } from './history.ts';
import type { ListedKey, ModelDeadLetters, ReplayOrder } from './model-dead-letters.ts';
import { bytesOf } from './tracked.ts';
import { Body, type World } from './world.ts';

export interface OperatorPlan {
  /** Mean time between two acts. */
  meanMs: number;
  /** Share of the messages whose failure is repaired before a replay. */
  cures: number;
  /** Whether in the end everything is repaired and replayed. */
  repairs: boolean;
}

const AGAIN_MS = 1_000;
const RESTART_MS_MAX = 2_000;
const RATE_MAX = 20;

/** A person with `ordermesh dlt`: replays, stops and discards parked messages. The command may die in the middle; then it is run again. */
export class Operator {
  readonly #world: World;
  readonly #history: History;
  readonly #letters: ModelDeadLetters;
  readonly #plan: OperatorPlan;
  #body: Body;
  /** A request without an answer. */
  #unanswered: (() => Promise<void>) | undefined;
  #idle = false;

  constructor(world: World, history: History, letters: ModelDeadLetters, plan: OperatorPlan) {
    this.#world = world;
    this.#history = history;
    this.#letters = letters;
    this.#plan = plan;
    this.#body = new Body(world, 'operator');
  }

  start(): void {
    this.#after(this.#world.random.next() * 2 * this.#plan.meanMs, async () => {
      if (this.#idle) return;
      if (this.#world.random.chance(0.2)) this.#dieSoon();
      await this.#act().catch(() => {});
      this.start();
    });
  }

  /** Everything is repaired. Parked messages are replayed until there are none. */
  finish(): void {
    this.#idle = true;
    if (!this.#plan.repairs) return;
    this.#history.repaired = true;
    this.#replayAll();
  }

  #replayAll(): void {
    this.#after(AGAIN_MS, async () => {
      try {
        const keys = (await this.#letters.list(this.#body)).filter(({ inReplay }) => !inReplay).map(({ key }) => key);
        if (keys.length > 0)
          await this.#letters.requestReplay(this.#body, { keys, ratePerSecond: undefined, edit: undefined });
      } catch {
        // The next round tries again.
      }
      this.#replayAll();
    });
  }

  async #act(): Promise<void> {
    const unanswered = this.#unanswered;
    if (unanswered !== undefined && this.#world.random.chance(0.8)) await unanswered();
    this.#unanswered = undefined;
    const keys = await this.#letters.list(this.#body);
    if (keys.length === 0) return;
    this.#unanswered = this.#choice(keys);
    await this.#unanswered();
    this.#unanswered = undefined;
  }

  #choice(keys: readonly ListedKey[]): () => Promise<void> {
    const { random } = this.#world;
    const chosen = keys.filter(() => random.chance(0.6));
    const names = chosen.map(({ key }) => key);
    const letters = chosen.flatMap((key) => key.letters);
    const kind = random.next();
    if (kind < 0.1) return () => this.#letters.stopReplay(this.#body, names);
    // The operator doesn't wait: the replay may be at work on one of them.
    if (kind < 0.2)
      return async () => {
        await this.#letters.stopReplay(this.#body, names);
        await this.#letters.discard(this.#body, letters, false);
      };
    if (kind < 0.4) {
      const given = letters.filter(() => random.chance(0.4));
      const withApplied = random.chance(0.3);
      return () => this.#letters.discard(this.#body, given, withApplied);
    }
    for (const { order } of letters) if (random.chance(this.#plan.cures)) this.#history.cure(order.id);
    const edited = letters.length > 0 && random.chance(0.2) ? random.pick(letters) : undefined;
    const order: ReplayOrder = {
      keys: names,
      ratePerSecond: random.chance(0.3) ? random.integer(1, RATE_MAX) : undefined,
      edit: edited && { tracked: edited, value: `${bytesOf(edited.order)} as edited` },
    };
    return () => this.#letters.requestReplay(this.#body, order);
  }

  #dieSoon(): void {
    const { random } = this.#world;
    const body = this.#body;
    this.#world.schedule(random.next() * 20, () => {
      if (this.#idle) return;
      this.#world.log('operator', 'dies');
      body.die();
      this.#body = new Body(this.#world, 'operator');
      this.#world.schedule(random.next() * RESTART_MS_MAX, () => this.start());
    });
  }

  #after(delayMs: number, act: () => Promise<void>): void {
    this.#body.after(delayMs, act);
  }
}
